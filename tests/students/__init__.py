"""Networks as students write them: right ones, wrong ones and unfinished ones.

``RIGHT`` names the files of ``right/``, ``UNFINISHED`` those of ``unfinished/``;
``SLIPS`` turn a right network into a wrong one.
"""

import itertools
import linecache
import sys
from pathlib import Path
from types import ModuleType

from .slips import SLIPS, Slip

__all__ = ["RIGHT", "SLIPS", "UNFINISHED", "Slip", "load", "source"]

HERE = Path(__file__).parent
RIGHT = sorted(path.stem for path in (HERE / "right").glob("*.py"))
UNFINISHED = sorted(path.stem for path in (HERE / "unfinished").glob("*.py"))

_numbers = itertools.count(1)


def source(slip: Slip) -> str:
    """The text of the right network with the pieces of ``slip`` replaced.

    Raises ValueError where a piece does not occur exactly once.
    """
    text = (HERE / "right" / f"{slip.style}.py").read_text(encoding="utf-8")
    for old, new in slip.edits:
        if text.count(old) != 1:
            raise ValueError(
                f"{old!r} occurs {text.count(old)} times in {slip.style}, not once."
            )
        text = text.replace(old, new)
    return text


def load(what: Slip | Path | str) -> type:
    """The class ``Network`` of a slip, or of a file: a path, relative to this
    folder or not, such as "right/loops.py", or the name of a right style.

    Each call makes a new module, whose tracebacks show its lines.
    """
    number = next(_numbers)
    if isinstance(what, Slip):
        text = source(what)
        file = f"<{what.style} with {what.slug or 'unlisted'}, {number}>"
        lines = text.splitlines(keepends=True)
        linecache.cache[file] = (len(text), None, lines, file)
    else:
        style = isinstance(what, str) and what in RIGHT
        path = HERE / (f"right/{what}.py" if style else what)
        text = path.read_text(encoding="utf-8")
        file = str(path)
    module = ModuleType(f"student_{number}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # where dataclasses and inspect look
    exec(compile(text, file, "exec"), module.__dict__)  # noqa: S102
    return module.Network

"""Networks as students write them. ``RIGHT`` names the files of ``right/``; ``SLIPS`` turn
one of them into a wrong network, ``UNFINISHED`` into one that is not written yet.
"""

import itertools
import linecache
import sys
from pathlib import Path
from types import ModuleType

from .slips import SLIPS, Slip
from .unfinished import UNFINISHED

__all__ = ["RIGHT", "SLIPS", "UNFINISHED", "Slip", "load", "source"]

HERE = Path(__file__).parent
RIGHT = sorted(path.stem for path in (HERE / "right").glob("*.py"))

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


def load(what: Slip | str) -> type:
    """The class ``Network`` of a slip, or of the name of a right style.

    Each call makes a new module, whose tracebacks show its lines.
    """
    slip = what if isinstance(what, Slip) else Slip(None, what, ())
    text, number = source(slip), next(_numbers)
    file = f"<{slip.style} with {slip.slug or 'other'} pieces, {number}>"
    lines = text.splitlines(keepends=True)
    linecache.cache[file] = (len(text), None, lines, file)
    module = ModuleType(f"student_{number}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # where dataclasses and inspect look
    exec(compile(text, file, "exec"), module.__dict__)  # noqa: S102
    return module.Network

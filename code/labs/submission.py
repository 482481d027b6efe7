"""Runs one submitted notebook in this process and writes what its checks say:
``python -m labs.submission NOTEBOOK RESULTS SECONDS [QUESTION]``

`labs.grade` starts it, in a folder of its own, and ends it after some seconds. Each row
is written at once, so that it is there whatever later cells do. The cells
run in IPython itself. A kernel would be one more process to limit and to end, and all
that is printed would have to be carried from it.
"""

import ast
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

try:
    import resource
except ImportError:  # not on Windows
    resource = None

import nbformat
from IPython.core.interactiveshell import InteractiveShell

from .fault import one_line
from .guard import keep_within
from .table import columns

RESULTS = {"right": "passed", "wrong": "failed", "unfilled": "unfilled"}
MEMORY = 4 * 2**30  # bytes of addresses; PyTorch alone takes less than one of these
LARGEST_FILE = 64 * 2**20  # bytes


class Shell(InteractiveShell):
    """IPython without a terminal."""

    def enable_gui(self, gui=None):
        """Needed by ``%matplotlib inline``. There is no window to attend to."""


class Unusable(Exception):
    """A notebook of which nothing can be said, and why."""


def rows(notebook: Path, question: Path | None) -> Iterator[dict[str, str]]:
    """Run the code cells of a notebook, and yield what each check says. A cell that
    raises does not keep those after it from running. Raises Unusable.

    With the question that was handed out, only its checks count, and those that are
    missing are rows, too.
    """
    submitted = cells(notebook)
    if question:
        expected = [source for source, is_check in cells(question) if is_check]
    else:
        expected = [source for source, is_check in submitted if is_check]
    if not expected:
        raise Unusable("has no cell that is tagged check")
    shell = Shell.instance()
    trouble = ""  # in a cell since the last check
    for source, _ in submitted:
        outcome = shell.run_cell(source)
        error = outcome.error_before_exec or outcome.error_in_exec
        if is_memory(error):
            raise Unusable("needs more memory than is allowed")
        if source in expected:
            expected.remove(source)
            yield row(source, outcome.result, error, trouble)
            trouble = ""
        elif error and not isinstance(error, NotImplementedError):
            trouble = f"A cell before the check raises {said(error)}. "
    for source in expected:
        message = "the check of the question is missing, or is changed"
        yield columns(part(source), "error", "", message)


def cells(notebook: Path) -> list[tuple[str, bool]]:
    """The source of each code cell, and whether it is tagged as a check."""
    try:
        content = nbformat.read(notebook, as_version=4)
        return [
            (cell.source, "check" in (cell.metadata.get("tags") or []))
            for cell in content.cells
            if cell.cell_type == "code"
        ]
    except Exception as error:  # noqa: BLE001  (nbformat trips in many ways)
        raise Unusable(f"is not a notebook: {one_line(error)}") from None


def is_memory(error: BaseException | None) -> bool:
    """Whether Python or PyTorch was refused memory."""
    refused = error and "can't allocate memory" in one_line(error)
    return isinstance(error, MemoryError) or bool(refused)


def said(error: BaseException) -> str:
    """What an error says, with its type."""
    if isinstance(error, SyntaxError):  # its text names a file of IPython's
        return f"SyntaxError in line {error.lineno}: {error.msg}"
    return f"{type(error).__name__}: {one_line(error)}"


def row(
    source: str, value: object, error: BaseException | None, trouble: str
) -> dict[str, str]:
    """What a check says, by the columns of the table; ``trouble`` is what a cell before
    it said."""
    if error:
        return columns(part(source), "error", "", trouble + said(error))
    from diagnosis import Diagnosis  # and with it PyTorch, which takes a while

    if not isinstance(value, Diagnosis):
        return columns(part(source), "error", "", "the check returns no diagnosis")
    mistakes = " or ".join(filter(None, (value.mistake, *value.alternatives)))
    result = "failed" if mistakes else RESULTS.get(value.status, "error")
    message = str(value.message)
    if result != "passed":
        message = trouble + message
    if result == "unfilled" and trouble:  # there was something, but it did not run
        result = "error"
    return columns(part(source) or value.part or "all", result, mistakes, message)


def part(source: str) -> str:
    """The part that a check asks `diagnose` for, empty if it names none."""
    try:
        keywords = [
            n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.keyword)
        ]
    except (SyntaxError, ValueError):
        return ""
    parts = (word.value for word in keywords if word.arg == "part")
    return next((str(p.value) for p in parts if isinstance(p, ast.Constant)), "")


def set_limits(seconds: float) -> None:
    """Limit this process, and each that it starts. The limit of time is for those that
    `grade` does not find."""
    limits = {"AS": MEMORY, "FSIZE": LARGEST_FILE, "CPU": 2 * int(seconds) + 10}
    for name, value in limits.items():
        if hasattr(resource, f"RLIMIT_{name}"):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def main() -> None:
    notebook, results, seconds, *question = sys.argv[1:]
    set_limits(float(seconds))
    with open(results, "w", encoding="utf-8") as file:
        keep_within([os.getcwd(), os.environ["HOME"]])

        def write(found: dict[str, str] | None) -> None:
            file.write(json.dumps(found) + "\n")
            file.flush()

        try:
            asked = Path(question[0]) if question else None
            for found in rows(Path(notebook), asked):
                write(found)
        except Unusable as error:
            write(columns("", "error", "", str(error)))
        write(None)  # all has been said
    os._exit(0)  # whatever threads the notebook has left behind


if __name__ == "__main__":
    main()

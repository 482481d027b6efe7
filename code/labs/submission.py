"""Runs one submitted notebook in this process and writes what its checks say:
``python -m labs.submission NOTEBOOK RESULTS SECONDS``

`labs.grade` starts it, in a folder of its own, and ends it after some seconds. The cells
run in IPython itself. A kernel would be one more process to limit and to end, and all
that is printed would have to be carried from it.
"""

import ast
import json
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
from .grade import columns

RESULTS = {"right": "passed", "wrong": "failed", "unfilled": "unfilled"}
MEMORY = 4 * 2**30  # bytes of addresses; PyTorch alone takes less than one of these
LARGEST_FILE = 64 * 2**20  # bytes


class Shell(InteractiveShell):
    """IPython without a terminal."""

    def enable_gui(self, gui=None):
        """Needed by ``%matplotlib inline``. There is no window to attend to."""


class Unusable(Exception):
    """A notebook of which nothing can be said, and why."""


def rows(notebook: Path) -> Iterator[dict[str, str]]:
    """Run the code cells of a notebook, and yield what each check says. A cell that
    raises does not keep those after it from running. Raises Unusable."""
    shell = Shell.instance()
    for cell in cells(notebook):
        outcome = shell.run_cell(cell.source)
        error = outcome.error_before_exec or outcome.error_in_exec
        if is_memory(error):
            raise Unusable("needs more memory than is allowed")
        if "check" in cell.metadata.get("tags", []):
            yield row(cell.source, outcome.result, error)


def cells(notebook: Path) -> list[nbformat.NotebookNode]:
    try:
        content = nbformat.read(notebook, as_version=4)
        return [cell for cell in content.cells if cell.cell_type == "code"]
    except Exception as error:  # noqa: BLE001  (nbformat trips in many ways)
        raise Unusable(f"is not a notebook: {one_line(error)}") from None


def is_memory(error: BaseException | None) -> bool:
    """Whether Python or PyTorch was refused memory."""
    return isinstance(error, MemoryError) or "can't allocate memory" in str(error)


def row(source: str, value: object, error: BaseException | None) -> dict[str, str]:
    """What a check says, by the columns of the table."""
    if error:
        message = f"{type(error).__name__}: {error}"
        return columns(part(source), "error", "", message)
    from diagnosis import Diagnosis  # and with it PyTorch, which takes a while

    if not isinstance(value, Diagnosis):
        return columns(part(source), "error", "", "the check returns no diagnosis")
    mistakes = " or ".join(filter(None, (value.mistake, *value.alternatives)))
    result = "failed" if mistakes else RESULTS.get(value.status, "error")
    return columns(
        part(source) or value.part or "all", result, mistakes, value.message
    )


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
    notebook, results, seconds = sys.argv[1:]
    set_limits(float(seconds))
    try:
        found = list(rows(Path(notebook)))
        if not found:
            raise Unusable("has no cell that is tagged check")
    except Unusable as error:
        found = [columns("", "error", "", str(error))]
    Path(results).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()

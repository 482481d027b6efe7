"""The stored chapters: each with the outputs of its code cells, and what can be wrong with them.

`book/outputs/<chapter>.ipynb` is a chapter of the book as it was executed. The site
shows these outputs; nbval runs the cells again and compares. `problems` finds what nbval
alone would let pass, such as a chapter without outputs, or one that has been edited
since.

A cell is numbered by its place in the notebook, Markdown included, from 1: cell 7 is the
one with the id `cell-07`.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from .reading import chapters, with_code

# Cells that may carry a marker which changes what nbval checks, as (chapter, cell number).
ALLOWED_MARKERS: set[tuple[str, int]] = set()

MARKER = re.compile(r"NBVAL_\w+|PYTEST_VALIDATE_IGNORE_OUTPUT|RAISES_EXCEPTION")

NOW = "run make reference"


def folder(root: Path) -> Path:
    return root / "book" / "outputs"


def path(root: Path, chapter: str) -> Path:
    """Where a chapter is stored."""
    return folder(root) / f"{chapter}.ipynb"


def read(root: Path, chapter: str) -> NotebookNode:
    return nbformat.v4.reads(path(root, chapter).read_text(encoding="utf-8"))


def extra(root: Path, chapters: Iterable[str]) -> list[Path]:
    """What is stored and belongs to none of the chapters with code cells."""
    wanted = {path(root, chapter) for chapter in chapters}
    return sorted(set(folder(root).glob("*.ipynb")) - wanted)


def problems(root: Path) -> list[str]:
    """What is wrong with the stored chapters of the tree at ``root``: one message each,
    with what to do about it."""

    def named(file: Path, problem: str) -> str:
        return f"{file.relative_to(root).as_posix()}: {problem}"

    lost = [source for source in chapters(root).values() if not source.is_file()]
    if lost:
        what = "named in _toc.yml but missing; write it"
        return [named(source, what) for source in lost]
    try:
        notebooks = with_code(root)
    except ValueError as error:
        return [str(error)]
    what = f"no chapter with code cells has this name; {NOW}"
    found = [named(file, what) for file in extra(root, notebooks)]
    for chapter, notebook in notebooks.items():
        found += [
            named(path(root, chapter), problem)
            for problem in _problems(root, chapter, notebook)
        ]
    return found


def _problems(root: Path, chapter: str, notebook: NotebookNode) -> list[str]:
    """What is wrong with a stored chapter that is now written as ``notebook``."""
    if not path(root, chapter).is_file():
        return [f"missing; {NOW}"]
    try:
        stored = read(root, chapter)
        nbformat.validate(stored)
    except Exception as error:  # noqa: BLE001 (nbformat trips in many ways)
        return [f"not a notebook ({type(error).__name__}); {NOW}"]
    pairs = enumerate(
        zip_longest(map(_content, notebook.cells), map(_content, stored.cells)), 1
    )
    stale = next((number for number, (new, old) in pairs if new != old), None)
    if stale:
        return [f"stale, cell {stale} is not as in the chapter; {NOW}"]
    return faults(chapter, stored)


def faults(chapter: str, notebook: NotebookNode) -> list[str]:
    """What an executed notebook holds that the stored ``chapter`` must not hold."""
    cells: dict[str, list[str]] = {}
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code":
            marker_allowed = (chapter, number) in ALLOWED_MARKERS
            for fault in _cell_faults(cell, marker_allowed):
                cells.setdefault(fault, []).append(f"cell {number}")
    return [f"{', '.join(where)}: {fault}" for fault, where in cells.items()]


def _cell_faults(cell: NotebookNode, marker_allowed: bool) -> Iterator[str]:
    mend = f"correct the chapter, then {NOW}"
    if cell.source.strip() and cell.execution_count is None:
        yield f"not executed; {NOW}"
    if any(output.output_type == "error" for output in cell.outputs):
        yield f"stored an error; {mend}"
    if any(output.get("name") == "stderr" for output in cell.outputs):
        yield f"wrote to stderr, such as a warning; {mend}"
    comments = re.findall("#.*", cell.source)
    tags = [tag.upper().replace("-", "_") for tag in cell.metadata.get("tags", [])]
    if not marker_allowed and MARKER.search("\n".join(comments + tags)):
        yield (
            "carries a marker that changes what nbval checks; "
            f"take it out of the chapter, then {NOW}"
        )


def _content(cell: NotebookNode) -> tuple:
    """The part of a cell that comes from its chapter."""
    return cell.cell_type, cell.source, cell.metadata


def current_digest(root: Path, chapter: str, notebook: NotebookNode) -> str | None:
    """The digest of a stored chapter, if it fits the chapter as it is now written,
    ``notebook``, and the files and packages as they are now."""
    try:
        executed = read(root, chapter).metadata["executed"]
        digest = digest_of(root, notebook, executed["files"], executed["packages"])
    except (OSError, LookupError, ValueError, ImportError, AttributeError):
        return None  # not stored, not as it should be, or with what is gone since
    return digest if digest == executed["digest"] else None


def digest_of(
    root: Path, notebook: NotebookNode, files: list[str], packages: list[str]
) -> str:
    """A digest of all that a chapter's outputs depend on: its code cells, the files
    below ``root`` that it imports and reads, and the versions of packages."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    contents = [(root / file).read_bytes() for file in files]
    # The build of a version, such as +cpu, is the reader's choice.
    versions = [version(name).partition("+")[0] for name in packages]
    parts = [
        *(text.encode() for text in [*cells, *files, *packages, *versions]),
        *contents,
    ]
    hashes = "".join(hashlib.sha256(part).hexdigest() for part in parts)
    return hashlib.sha256(hashes.encode()).hexdigest()

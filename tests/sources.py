"""Reads the chapters' sources for the tests."""

from functools import cache
from pathlib import Path

import jupytext
from chapters import reading

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"


@cache
def with_code():
    """The names of the chapters with code cells. To read all chapters takes seconds."""
    return list(reading.with_code(ROOT))


def text(chapter):
    return (BOOK / f"{chapter}.md").read_text(encoding="utf-8")


def code_cells(chapter):
    return [
        cell
        for cell in jupytext.read(BOOK / f"{chapter}.md").cells
        if cell.cell_type == "code"
    ]


def tagged_source(chapter, tag):
    """The source of the one code cell with this tag."""
    (cell,) = (
        cell for cell in code_cells(chapter) if tag in cell.metadata.get("tags", [])
    )
    return cell.source

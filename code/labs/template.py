"""A template: its lines, and which of them are those of a cell."""

import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
from jupytext.formats import read_format_from_metadata

from .fault import Fault, one_line

# What Jupytext calls them.
FORMATS = {"markdown": "md:markdown", "myst": "md:myst"}


@dataclass(frozen=True)
class Cell:
    """A cell. ``kind`` is 'code', 'markdown' or 'raw'; its source are the lines of the
    template from ``start`` up to ``stop``, counted from 0. ``python`` is whether it
    is code of the kernel's own language."""

    kind: str
    start: int
    stop: int
    python: bool


@dataclass(frozen=True)
class Template:
    """The lines of a template, its flavour ('markdown' or 'myst') and its cells."""

    lines: list[str]
    flavour: str
    cells: list[Cell]


def read(path: Path) -> str:
    """The text of a template; of a notebook, what Jupytext makes of it. Raises Fault if
    there is none."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    except OSError as error:
        raise Fault(1, f"cannot be read: {error.strerror}") from None
    if "\0" in text:
        raise Fault(1, "is not text")
    return from_notebook(text) if path.suffix == ".ipynb" else text


def from_notebook(text: str) -> str:
    """A notebook as text. Lines in messages are those of this text."""
    try:
        notebook = jupytext.reads(text, fmt="ipynb")
    except Exception as error:  # noqa: BLE001  (the parsers raise all sorts)
        raise Fault(1, f"is not a notebook: {one_line(error)}") from None
    return jupytext.writes(notebook, fmt=FORMATS["markdown"])


def check_line(number: int, text: str) -> None:
    """Raise Fault if a line has a character at which Jupytext, unlike Python and
    editors, begins another line."""
    for character in text:
        if character.splitlines() == [""]:
            message = f"character U+{ord(character):04X} would end the line"
            raise Fault(number, message)


def parse(text: str) -> Template:
    """Find the cells in the text of a template. Raises Fault if it is no notebook."""
    if not text.strip():
        raise Fault(1, "is empty")
    lines = text.removesuffix("\n").split("\n")
    for number, line in enumerate(lines, 1):
        check_line(number, line)
    try:
        flavour = read_format_from_metadata(text, ".md")
        notebook = jupytext.reads(text, fmt=FORMATS.get(flavour, "md"))
    except Exception as error:  # noqa: BLE001  (the parsers raise all sorts)
        place = re.search(r"at line (\d+)", str(error))
        message = f"is not a notebook: {one_line(error)}"
        raise Fault(int(place[1]) if place else 1, message) from None
    if flavour not in FORMATS:
        raise Fault(
            1,
            "is not a notebook: no front matter that says jupytext:"
            " text_representation: format_name: markdown (or myst)",
        )
    if (
        notebook.metadata.get("kernelspec", {}).get("language", "python")
        != "python"
    ):
        raise Fault(1, "is not a notebook in Python")
    cells = locate(notebook.cells, lines)
    if not cells:
        raise Fault(1, "has no cells")
    return Template(lines, flavour, cells)


def locate(cells: list, lines: list[str]) -> list[Cell]:
    """Where the cells that Jupytext has read stand in the text, in which they follow
    one another."""
    # Jupytext strips the end of a cell.
    lines = [line.rstrip() for line in lines]
    found, position = [], 0
    for cell in cells:
        source = [line.rstrip() for line in cell.source.splitlines()]
        magic = bool(source) and source[0].startswith("%%")
        start = find(source, lines, position)
        if (
            start is None and magic
        ):  # Jupytext's word for a fence in another language
            source = source[1:]
            start = find(source, lines, position)
        if start is None:
            if cell.cell_type == "raw":  # front matter that is not Jupytext's
                continue
            texts = [line.strip() for line in lines]
            near = find([source[0].strip()], texts, position) or position
            raise Fault(near + 1, "a cell does not begin at the margin")
        position = start + len(source)
        found.append(Cell(cell.cell_type, start, position, not magic))
    return found


def find(source: list[str], lines: list[str], position: int) -> int | None:
    """The first place from ``position`` on at which lines are those of the source."""
    places = range(position, len(lines) - len(source) + 1)
    return next(
        (place for place in places if lines[place : place + len(source)] == source),
        None,
    )

"""The chapters as they are written: `_toc.yml`, and the Markdown that it names."""

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import yaml
from myst_nb.core.read import (
    MystMetadataParsingError,
    read_myst_markdown_notebook,
)
from nbformat import NotebookNode

from .pieces import Directive
from .source import pieces

TABLE = "_toc.yml"
PAGE_ONLY = "small-explorer"  # a directive


def chapters(root: Path) -> dict[str, Path]:
    """The source of every chapter of `_toc.yml` by its name, in reading order. Raises
    ValueError, with file and line."""

    def files(entry: dict) -> Iterator[str]:
        yield from filter(None, [entry.get("root"), entry.get("file")])
        for key in "parts", "chapters", "sections":
            for child in entry.get(key) or []:
                yield from files(child)

    table = root / TABLE
    try:
        toc = yaml.safe_load(table.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{table}:1: expected YAML; {error}") from error
    match toc:
        case {"root": str()}:
            pass
        case _:
            raise ValueError(f"{table}:1: expected 'root: FILE', then chapters")
    names = [file.removesuffix(".md") for file in files(toc)]
    return {Path(name).name: root / f"{name}.md" for name in names}


def book(file: Path) -> list[Path] | None:
    """The chapters of the book of a file, in reading order; None if it stands alone: no
    table of contents in its folder or above names it."""
    place = file.resolve()
    for folder in place.parents:
        if (folder / TABLE).is_file():
            found = list(chapters(folder).values())
            return found if place in found else None
    return None


def before(file: Path) -> list[Path] | None:
    """The chapters that come before a file in its book; None if it stands alone."""
    found = book(file)
    return found and found[: found.index(file.resolve())]


def shown(source: Path) -> str:
    """The text of a chapter as the page shows it. Raises ValueError, with file and line.

    Packages that write a chapter in another form name a function of its text and its
    folder in the entry points `chapters.text`; that of a lab gives its solution.
    """
    text = source.read_text(encoding="utf-8")
    for entry in entry_points(group="chapters.text"):
        try:
            text = entry.load()(text, source.parent)
        except ValueError as error:
            raise ValueError(f"{source}:{error}") from error
    return text


def with_code(root: Path) -> dict[str, NotebookNode]:
    """Every chapter that has code cells, as a notebook without outputs, by its name, in
    reading order. Raises ValueError."""
    notebooks = {name: notebook(source) for name, source in chapters(root).items()}
    return {
        name: notebook
        for name, notebook in notebooks.items()
        if any(cell.cell_type == "code" for cell in notebook.cells)
    }


def without(directive: str, text: str) -> str:
    """A text without the blocks of a directive, and the lines left free below them."""
    if directive not in text:
        return text
    lines = text.split("\n")
    for piece in reversed([*pieces(text, is_file=True)]):
        if isinstance(piece, Directive) and piece.name == directive:
            last = piece.last
            while last < len(lines) and not lines[last].strip():
                last += 1
            del lines[piece.line - 1 : last]
    return "\n".join(lines)


def notebook(source: Path) -> NotebookNode:
    """A chapter as a notebook, with the cells that its page has, and without what works in
    a page only."""
    try:
        return read_myst_markdown_notebook(without(PAGE_ONLY, shown(source)))
    except MystMetadataParsingError as error:
        raise ValueError(f"{source}: {error}") from error

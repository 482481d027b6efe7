"""The chapters as they are written: `_toc.yml`, and the Markdown that it names."""

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import jupytext
import yaml
from nbformat import NotebookNode


def chapters(root: Path) -> dict[str, Path]:
    """The source of every chapter of `_toc.yml` by its name, in reading order."""

    def files(entry: dict) -> Iterator[str]:
        yield from filter(None, [entry.get("root"), entry.get("file")])
        for key in "parts", "chapters", "sections":
            for child in entry.get(key, []):
                yield from files(child)

    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    return {Path(file).name: root / f"{file}.md" for file in files(toc)}


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
    reading order."""
    notebooks = {
        name: jupytext.reads(shown(source), fmt="md:myst")
        for name, source in chapters(root).items()
    }
    return {
        name: notebook
        for name, notebook in notebooks.items()
        if any(cell.cell_type == "code" for cell in notebook.cells)
    }

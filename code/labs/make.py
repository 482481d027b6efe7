"""Writes the question and the solution of a template."""

import os
import tempfile
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import jupytext
import nbformat
from chapters.execution import SECONDS_PER_CELL, CellError
from chapters.pieces import Heading
from chapters.source import pieces
from nbformat import NotebookNode

from .answers import split
from .execute import execute
from .fault import Fault, Faults
from .images import below, images, is_shown
from .myst import plain
from .nbgrader import for_nbgrader
from .pdf import PrintError, Trouble, printed
from .question import cells, copy_of, files_of
from .question import read as read_question
from .tags import Line
from .template import FORMATS, Template, parse, read
from .versions import Version, build, faults

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


@dataclass(frozen=True)
class Options:
    """What to make: with or without PDFs and outputs of cells, of which each may take
    some ``seconds``; ``shared`` is a folder of images that several templates show; for
    nbgrader, the question once more."""

    with_pdf: bool = True
    with_outputs: bool = True
    seconds: float = SECONDS_PER_CELL
    shared: Path | None = None
    to_nbgrader: bool = False


class Maker:
    """Makes files in the folder ``out``."""

    def __init__(self, out: Path, options: Options):
        self.out, self.options = out, options
        self.made: dict[Path, Path] = {}  # from which template a file is

    def make(self, path: Path) -> None:
        """Write all files of both versions of a template, or, if anything is wrong with
        it, none: Fault or Faults tell what."""
        template = parse(read(path))
        folder = path.resolve().parent
        if found := faults(template, folder):
            raise Faults(found)
        pictures = images(template, folder, self.options.shared)
        self.out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            dir=self.out.parent, prefix=".labs-"
        ) as work:
            stem = path.stem.removesuffix("-template")
            question = build(template, folder, is_question=True, is_marked=True)
            solution = build(template, folder, is_question=False, is_marked=True)
            asked = {each for each in pictures if is_shown(each, question)}
            for kind, version in ("solution", solution), ("question", question):
                name = f"{stem}-{kind}"
                places = {
                    picture: below(picture)
                    if picture in asked
                    else f"{name}-images/{below(picture)}"
                    for picture in pictures
                    if is_shown(picture, version)
                }
                for picture, place in places.items():
                    copy_of(pictures[picture], Path(work, place))
                moved = version.with_images(places)
                self.write(Path(work, name), template, moved, folder)
            if self.options.to_nbgrader:
                write_for_nbgrader(Path(work), stem)
            for file in files_of(cells(Path(work, f"{name}.ipynb")), folder):
                copy_of(file, Path(work, file.relative_to(folder)))
            self.move(Path(work), path)

    def write(
        self, place: Path, template: Template, version: Version, folder: Path
    ) -> None:
        """Write the files of one version; ``place`` is their path without suffix."""
        notebook = notebook_of(template, version)
        text = jupytext.writes(handed_out(notebook), fmt=FORMATS[template.flavour])
        place.with_name(f"{place.name}.md").write_text(
            text, encoding="utf-8", newline="\n"
        )
        notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL})
        if self.options.with_outputs:
            seconds = self.options.seconds
            run(notebook, place.name, template, version, folder, seconds)
        whole, notebook = notebook, handed_out(notebook)
        target = place.with_name(f"{place.name}.ipynb")
        target.write_text(
            nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n"
        )
        if self.options.with_pdf:
            print(f"{place.name}: printing", flush=True)
            try:
                pages = printed(target, title(notebook, place.name))
            except PrintError as error:
                found = {
                    (line_of(trouble, template, whole), trouble.message)
                    for trouble in error.troubles
                }
                raise Faults([Fault(*each) for each in sorted(found)]) from None
            place.with_name(f"{place.name}.pdf").write_bytes(pages)

    def move(self, work: Path, path: Path) -> None:
        """Move the files made of a template to where they belong. Raises Fault, before,
        if one would replace a folder, or a file of another template of this run."""
        targets = {
            file: self.out / file.relative_to(work)
            for file in sorted(work.rglob("*"))
            if file.is_file()
        }
        for file, target in targets.items():
            if target.is_dir():
                raise Fault(1, f"there is a folder {target}")
            other = self.made.get(target, path)
            if other != path and target.read_bytes() != file.read_bytes():
                raise Fault(1, f"{target} has just been made of {other}")
        for file, target in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, target)
            self.made[target] = path


def write_for_nbgrader(work: Path, stem: str) -> None:
    asked, solved = (
        nbformat.read(work / f"{stem}-{kind}.ipynb", as_version=4)
        for kind in ("question", "solution")
    )
    question = read_question(work / f"{stem}-question.ipynb")
    made = for_nbgrader(asked, question, solved)
    target = work / f"{stem}-nbgrader.ipynb"
    text = nbformat.writes(made) + "\n"
    target.write_text(text, encoding="utf-8", newline="\n")


def notebook_of(template: Template, version: Version) -> NotebookNode:
    """A version as notebook, without outputs."""
    lines = [line.text for line in version.lines]
    if template.flavour == "myst":
        lines = plain(version.lines, is_file=True)
    notebook = jupytext.reads("\n".join(lines) + "\n", FORMATS[template.flavour])
    notebook.cells = list(for_jupyter(notebook.cells))
    notebook.metadata["kernelspec"] = KERNEL
    notebook.nbformat_minor = 5  # the first with cell ids
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{number:02d}"
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise Fault(1, f"is not a notebook: {error.message}") from None
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if len(codes) != len(code_cells(template)):
        raise Fault(1, "homework that is taken out changes what is a code cell")
    return notebook


def for_jupyter(cells: list[NotebookNode]) -> Iterator[NotebookNode]:
    """Cells without metadata of other programs, and without empty Markdown. A caption
    becomes a cell of its own."""
    parts = (
        split(cell) if cell.cell_type == "markdown" else [cell] for cell in cells
    )
    for cell in chain.from_iterable(parts):
        if cell.cell_type == "markdown" and not cell.source.strip():
            continue
        for name in "pycharm", "lines_to_next_cell":
            cell.metadata.pop(name, None)
        options = cell.metadata.pop("mystnb", None)
        yield cell
        try:
            caption = options["figure"]["caption"]
        except (KeyError, TypeError):
            continue
        (text,) = plain([Line(1, " ".join(str(caption).split()))])
        yield nbformat.v4.new_markdown_cell(f"*{text}*")


def handed_out(notebook: NotebookNode) -> NotebookNode:
    """A notebook without the checks of which the question has nothing."""
    made = copy(notebook)
    made.cells = [
        cell
        for cell in notebook.cells
        if cell.source.strip() or "check" not in cell.metadata.get("tags", [])
    ]
    return made


def code_cells(template: Template) -> list[int]:
    """The numbers of the lines where the code cells of a template begin."""
    return [cell.start + 1 for cell in template.cells if cell.kind == "code"]


def run(
    notebook: NotebookNode,
    name: str,
    template: Template,
    version: Version,
    folder: Path,
    seconds: float,
) -> None:
    """Execute a version. Raises Fault where a cell does not run."""
    lines = code_cells(template)
    count = len(lines) - len(version.skipped)
    print(f"{name}: executing {count} cells", flush=True)
    try:
        execute(notebook, folder, version.skipped, seconds)
    except CellError as error:
        message = str(error)
        if version.is_question:
            # The solution ran before, so it is a stub that raises this.
            to_do = error.name == "NotImplementedError"
            message += (
                ", for homework is not filled in: begin it with #!TAG SKIPQUESTEXEC"
                if to_do
                else " (in the question)"
            )
        raise Fault(lines[error.place], message) from None


def title(notebook: NotebookNode, name: str) -> str:
    """The first heading of a notebook, without markup, else its name."""
    text = "\n\n".join(
        cell.source for cell in notebook.cells if cell.cell_type == "markdown"
    )
    for piece in pieces(text):
        if isinstance(piece, Heading) and piece.level == 1:
            return " ".join(piece.words.split())
    return name


def line_of(trouble: Trouble, template: Template, notebook: NotebookNode) -> int:
    """Where what cannot be printed is in the template: the first line of its code cell,
    or that with the rarest line of its text; 1 if there is none."""
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    begins = list(zip(codes, code_cells(template), strict=True))
    for cell, number in begins:
        if cell.id == trouble.cell:
            return number
    places = (
        [n for n, text in enumerate(template.lines, 1) if piece.strip() in text]
        for piece in trouble.piece.splitlines()
        if piece.strip()
    )
    if found := min(filter(None, places), key=len, default=[]):
        return found[0]
    shown = [
        number for cell, number in begins if trouble.piece in str(cell.outputs)
    ]
    return shown[0] if shown else 1

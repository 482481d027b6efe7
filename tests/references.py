"""The executed references of the chapters: where they are, what is wrong with them, how their figures compare.

`tests/reference/<chapter>.ipynb` is a chapter of the book together with the outputs of its code cells. nbval runs the
cells again and compares the outputs. `problems` finds what nbval alone would let pass, such as a reference without
outputs, or one that no longer belongs to its chapter.

A cell is numbered by its place in the notebook, Markdown included, from 1: cell 7 is the one with the id `cell-07`.
"""

import atexit
import base64
import os
import re
import shutil
import tempfile
from functools import reduce
from io import BytesIO
from itertools import zip_longest
from pathlib import Path

import jupytext
import nbformat
import yaml
from labs.fault import Fault
from labs.versions import is_template, solution
from PIL import Image, ImageChops

ROOT = Path(__file__).resolve().parent.parent

# Cells that may carry a marker which changes what nbval checks, as (chapter, cell number).
ALLOWED_MARKERS = set()

MARKER = re.compile(r"NBVAL_\w+|PYTEST_VALIDATE_IGNORE_OUTPUT|RAISES_EXCEPTION")

# A pixel differs if one of its channels is off by more than LEVELS of 255; a figure, if more than this SHARE of its
# pixels do. Rounding in another build of the renderer stays below that, a line in another colour does not.
LEVELS = 26
SHARE = 1e-4


def set_environment(root):
    """Make the kernels that this process starts run the tree at `root`, alike for every user."""
    # First on the path: a copy of the tree tests itself, whatever tree is installed.
    code = str(root / "code")
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [code, os.environ.get("PYTHONPATH")])
    )
    os.environ["OMP_NUM_THREADS"] = (
        "1"  # sums, and with them figures, depend on the number of threads
    )
    os.environ["PYTHONHASHSEED"] = "0"
    # The kernel `python3` is the Python that runs the tests, not one that the user has registered under that name.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    # An empty matplotlibrc and a fresh IPython profile keep the user's settings out of the figures.
    os.environ["MATPLOTLIBRC"] = os.devnull
    os.environ["IPYTHONDIR"] = profile = tempfile.mkdtemp(prefix="ipython-")
    atexit.register(shutil.rmtree, profile, ignore_errors=True)
    for name in "JUPYTER_PATH", "MPLBACKEND", "PYTHONSTARTUP":
        os.environ.pop(name, None)


def chapters(root):
    """The source of every chapter of `_toc.yml` by its name, in reading order."""

    def files(entry):
        yield from filter(None, [entry.get("root"), entry.get("file")])
        for key in "parts", "chapters", "sections":
            for child in entry.get(key, []):
                yield from files(child)

    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    return {Path(file).name: root / f"{file}.md" for file in files(toc)}


def with_code(root):
    """Every chapter that has code cells, as jupytext reads it, by its name, in reading order."""
    notebooks = {
        name: jupytext.reads(_text(source), fmt="md:myst")
        for name, source in chapters(root).items()
    }
    return {
        name: book
        for name, book in notebooks.items()
        if any(cell.cell_type == "code" for cell in book.cells)
    }


def _text(source):
    """The text of a chapter; of the template of a lab, its solution."""
    text = source.read_text(encoding="utf-8")
    if not is_template(text):
        return text
    try:
        return solution(text, source.parent)
    except Fault as fault:
        raise ValueError(f"{source}:{fault}") from fault


def reference(root, chapter):
    """The path of a chapter's reference."""
    return root / "tests" / "reference" / f"{chapter}.ipynb"


def extra(root):
    """The references that belong to no chapter with code cells."""
    wanted = {reference(root, chapter) for chapter in with_code(root)}
    return sorted(set(reference(root, "any").parent.glob("*.ipynb")) - wanted)


def problems(root):
    """What is wrong with the references of the tree at `root`: one message each, with what to do about it."""
    lost = [source for source in chapters(root).values() if not source.is_file()]
    if lost:
        return [
            f"{source.relative_to(root).as_posix()}: named in _toc.yml but missing; write it"
            for source in lost
        ]
    try:
        notebooks = with_code(root)
    except ValueError as error:
        return [str(error)]
    found = [
        (path, "no chapter with code cells has this name; run make reference")
        for path in extra(root)
    ]
    for chapter, notebook in notebooks.items():
        path = reference(root, chapter)
        found += [(path, problem) for problem in _problems(path, chapter, notebook)]
    return [
        f"{path.relative_to(root).as_posix()}: {problem}" for path, problem in found
    ]


def _problems(path, chapter, notebook):
    """What is wrong with the reference at `path` of a chapter that jupytext reads as `notebook`."""
    if not path.is_file():
        return ["missing; run make reference"]
    try:
        stored = nbformat.v4.reads(path.read_text(encoding="utf-8"))
        nbformat.validate(stored)
    except Exception as error:  # noqa: BLE001 (nbformat trips in many ways)
        return [f"not a notebook ({type(error).__name__}); run make reference"]
    pairs = enumerate(
        zip_longest(map(_content, notebook.cells), map(_content, stored.cells)), 1
    )
    stale = next((number for number, (new, old) in pairs if new != old), None)
    if stale:
        return [f"stale, cell {stale} is not as in the chapter; run make reference"]
    return faults(chapter, stored)


def faults(chapter, notebook):
    """What a notebook holds that the reference of `chapter` must not hold."""
    cells = {}
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code":
            for fault in _cell_faults(
                cell, marker_allowed=(chapter, number) in ALLOWED_MARKERS
            ):
                cells.setdefault(fault, []).append(f"cell {number}")
    return [f"{', '.join(where)}: {fault}" for fault, where in cells.items()]


def _cell_faults(cell, marker_allowed):
    if cell.source.strip() and cell.execution_count is None:
        yield "not executed; run make reference"
    if any(output.output_type == "error" for output in cell.outputs):
        yield "stored an error; correct the chapter, then run make reference"
    if any(output.get("name") == "stderr" for output in cell.outputs):
        yield "wrote to stderr, such as a warning; correct the chapter, then run make reference"
    comments = re.findall("#.*", cell.source)
    tags = [tag.upper().replace("-", "_") for tag in cell.metadata.get("tags", [])]
    if not marker_allowed and MARKER.search("\n".join(comments + tags)):
        yield "carries a marker that changes what nbval checks; take it out of the chapter, then run make reference"


def _content(cell):
    """The part of a cell that comes from its chapter."""
    return cell.cell_type, cell.source, cell.metadata


class Figure(str):
    """A stored PNG, equal to another one that looks the same.

    nbval compares and prints outputs as strings, hence the base class: as text it is a short description.
    """

    def __new__(cls, png):
        image = Image.open(BytesIO(base64.b64decode(png)))
        figure = super().__new__(
            cls, "a figure of {} x {} pixels".format(*image.size)
        )
        figure.png, figure.image = png.strip(), image
        return figure

    @staticmethod
    def is_png(output):
        """Whether an output is the base64 text of a PNG."""
        return isinstance(output, str) and output.startswith("iVBORw0KGgo")

    def difference(self, other):
        """How this figure differs from another one, in words; empty if they look the same."""
        if self.png == other.png:
            return ""
        if self.image.size != other.image.size:
            return f"{self} and {other}"
        channels = ImageChops.difference(
            self.image.convert("RGBA"), other.image.convert("RGBA")
        ).split()
        histogram = reduce(ImageChops.lighter, channels).histogram()
        total, differing = sum(histogram), sum(histogram[LEVELS + 1 :])
        return (
            f"{differing} of {total} pixels differ"
            if differing > SHARE * total
            else ""
        )

    def __eq__(self, other):
        return isinstance(other, Figure) and not self.difference(other)

    def __ne__(self, other):
        return not self == other

    __hash__ = None  # equal within a tolerance, so no hash fits

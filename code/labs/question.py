"""What a question asks: its exercises, in order, and how its stubs are put back."""

import ast
import builtins
import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from .fault import one_line

CHECK, ANSWER, STUDENT = "check", "answer", "student"  # tags of cells
NOT_GIVEN = {".ipynb", ".pdf", ".md", ".html"}  # may be the solution
TITLES = ("Answer", "Exercise:")  # of headings that `labs make` has written


class Unusable(Exception):
    """A file that is no notebook, or a question that cannot be graded, and why."""


@dataclass
class Cell:
    """A cell of a notebook: its number among the cells of its kind, from 1."""

    kind: str
    number: int
    source: str
    id: str = ""
    tags: list[str] = field(default_factory=list)


@dataclass
class Exercise:
    """What is asked in a cell: a check, which is run, or an answer in words, which is
    read. A check that only the solution has is ``hidden``."""

    name: str
    marks: float
    cell: Cell
    hidden: bool = False

    @property
    def is_check(self) -> bool:
        return self.cell.kind == "code"


@dataclass
class Question:
    """The exercises of a question, and its other code cells."""

    cells: list[Cell]
    exercises: list[Exercise]

    @property
    def given(self) -> list[Cell]:
        return [
            cell
            for cell in self.cells
            if cell.kind == "code" and CHECK not in cell.tags
        ]


def cells(path: Path) -> list[Cell]:
    """The cells of a notebook. Raises Unusable."""
    try:
        notebook = nbformat.read(path, as_version=4)
        return list(numbered(notebook))
    except Exception as error:  # noqa: BLE001  (nbformat trips in many ways)
        raise Unusable(f"is not a notebook: {one_line(error)}") from None


def numbered(notebook: NotebookNode) -> Iterator[Cell]:
    numbers = {"code": 0, "markdown": 0, "raw": 0}
    for cell in notebook.cells:
        numbers[cell.cell_type] += 1
        tags = [str(tag) for tag in cell.metadata.get("tags") or []]
        number = numbers[cell.cell_type]
        yield Cell(
            cell.cell_type, number, cell.source, str(cell.get("id", "")), tags
        )


def read(path: Path, solution: Path | None = None) -> Question:
    """The question in a notebook, with the hidden checks of its solution. Raises
    Unusable."""
    found = cells(path)
    exercises = list(asked(found))
    if solution:
        known = {exercise.name for exercise in exercises}
        for exercise in asked(cells(solution)):
            if exercise.name not in known and exercise.is_check:
                exercise.hidden = True
                exercises.append(exercise)
    if not exercises:
        raise Unusable("has no cell that is tagged check or answer")
    return Question(found, exercises)


def asked(found: list[Cell]) -> Iterator[Exercise]:
    """The exercises in cells. One without a name in its tags has that of the heading
    above it."""
    heading = ""
    names: set[str] = set()
    for cell in found:
        if cell.kind == "markdown":
            heading = last_heading(cell.source) or heading
        is_asked = CHECK if cell.kind == "code" else ANSWER
        if is_asked not in cell.tags or not cell.source.strip():
            continue
        name = value(cell, "name") or heading or f"exercise {len(names) + 1}"
        first, count = name, 1
        while name in names:
            count += 1
            name = f"{first} ({count})"
        names.add(name)
        try:
            marks = float(value(cell, "marks") or 1)
        except ValueError:
            raise Unusable(f"the marks of {name} are no number") from None
        yield Exercise(name, marks, cell)


def value(cell: Cell, name: str) -> str:
    """What a tag such as ``marks=3`` says, empty if there is none."""
    tags = (tag.partition("=") for tag in cell.tags)
    return next((text.strip() for key, _, text in tags if key.strip() == name), "")


def last_heading(source: str) -> str:
    lines = [line for line in source.split("\n") if line.startswith("#")]
    titles = [line.lstrip("#").strip() for line in lines]
    titles = [title.removeprefix(TITLES[1]).strip() for title in titles]
    return next((title for title in reversed(titles) if title != TITLES[0]), "")


def tree(source: str) -> ast.Module:
    """The syntax tree of a cell, empty where it is no Python."""
    try:
        return ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def same(one: str, other: str) -> bool:
    """Whether two cells are the same code, whatever their comments and quotes."""
    first, second = tree(one), tree(other)
    if not first.body or not second.body:
        return one.split() == other.split()
    return ast.dump(first) == ast.dump(second)


def bound(source: str) -> set[str]:
    """The names that a cell binds, imports apart."""
    names = set()
    for statement in tree(source).body:
        if isinstance(
            statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        ):
            names.add(statement.name)
        elif not isinstance(statement, ast.Import | ast.ImportFrom):
            names |= {
                node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
    return names


def used(source: str) -> set[str]:
    """The names that a cell reads, those of Python itself apart."""
    return {
        node.id
        for node in ast.walk(tree(source))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    } - set(dir(builtins))


def imported(sources: list[str]) -> set[str]:
    """The names that cells import."""
    return {
        (alias.asname or alias.name).partition(".")[0]
        for source in sources
        for statement in tree(source).body
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for alias in statement.names
    }


def imports(found: list[Cell]) -> list[str]:
    """The import statements of cells, each a text of its own."""
    return [
        ast.unparse(statement)
        for cell in found
        if cell.kind == "code"
        for statement in tree(cell.source).body
        if isinstance(statement, ast.Import | ast.ImportFrom)
    ]


def needed(check: str, given: list[Cell]) -> tuple[set[str], list[Cell]]:
    """The names of the student that a check needs, and the cells of the question that
    bind these or what they need, in order."""
    binds = [(bound(cell.source), used(cell.source)) for cell in given]
    known = imported([check, *(cell.source for cell in given)])
    direct = used(check) - bound(check) - known
    names = set(direct)
    chosen: set[int] = set()
    while True:
        more = [
            place
            for place, (names_bound, _) in enumerate(binds)
            if place not in chosen and names_bound & names
        ]
        if not more:
            return direct, [given[place] for place in sorted(chosen)]
        for place in more:
            chosen.add(place)
            names |= binds[place][1] - known


def stubs(found: list[Cell]) -> set[str]:
    """The functions that a question leaves to be written, as ``f`` or ``Class.f``."""
    names = set()
    for cell in found:
        for statement in tree(cell.source).body if cell.kind == "code" else []:
            if isinstance(statement, ast.ClassDef):
                inside = (stub_name(inner) for inner in statement.body)
                names |= {f"{statement.name}.{name}" for name in inside if name}
            elif name := stub_name(statement):
                names.add(name)
    return names


def stub_name(node: ast.AST) -> str:
    """The name of a function that has nothing but a docstring and
    `raise NotImplementedError`, empty for anything else."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return ""
    *before, last = node.body
    raised = last.exc if isinstance(last, ast.Raise) else None
    is_open = isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    is_open &= all(
        isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
        for each in before
    )
    return node.name if is_open else ""


def files_of(found: list[Cell], folder: Path) -> list[Path]:
    """What code cells name or import of a folder: data, and modules."""
    names: set[str] = set()
    for cell in found:
        if cell.kind != "code":
            continue
        for node in ast.walk(tree(cell.source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)
            elif isinstance(node, ast.Import):
                names |= {
                    f"{alias.name.partition('.')[0]}.py" for alias in node.names
                }
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(f"{node.module.partition('.')[0]}.py")
    files = []
    for name in sorted(names):
        with contextlib.suppress(OSError, ValueError):
            path = (folder / name).resolve()
            is_below = path.is_relative_to(folder) and path != folder
            if is_below and path.exists() and path.suffix not in NOT_GIVEN:
                files.append(path)
    return files


def copy_of(file: Path, target: Path) -> None:
    """Copy a file, or a folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.is_dir():
        shutil.copytree(file, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(file, target)

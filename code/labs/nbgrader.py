"""What nbgrader needs to know of a question: version 3 of its metadata."""

import ast
import re

import nbformat
from nbformat import NotebookNode

from .question import Question, tree

# nbgrader looks whether a cell raises, and takes a number that it puts out for marks.
VALUE = "_found"
ENDING = f"""\
_share = {VALUE}[0] if isinstance({VALUE}, tuple) else getattr({VALUE}, "ok", {VALUE})
assert _share or {VALUE} is None, {VALUE}
float(1 if {VALUE} is None else _share) * MARKS"""


def for_nbgrader(
    notebook: NotebookNode, asked: Question, solved: NotebookNode
) -> NotebookNode:
    """A question in which nbgrader finds its exercises. Checks are locked, answers are
    marked by hand, and code that differs from the ``solved`` notebook is the students'."""
    made = nbformat.from_dict(notebook)
    exercises = {id(each.cell): each for each in asked.exercises}
    by_place = [exercises.get(id(cell)) for cell in asked.cells]
    given = {cell.source for cell in solved.cells}
    for number, (cell, exercise) in enumerate(
        zip(made.cells, by_place, strict=True), 1
    ):
        is_code = cell.cell_type == "code"
        is_open = exercise is None and is_code and cell.source not in given
        if exercise is None and not is_open:
            continue
        is_check = exercise is not None and is_code
        cell.metadata["nbgrader"] = {
            "cell_type": cell.cell_type,
            "grade": exercise is not None,
            "grade_id": grade_id(exercise.name if exercise else "code", number),
            "locked": is_check,
            "schema_version": 3,
            "solution": not is_check,
            "task": False,
        }
        if exercise is not None:
            cell.metadata["nbgrader"]["points"] = exercise.marks
        if is_check:
            cell.source = asserting(cell.source, exercise.marks)
    return made


def grade_id(name: str, number: int) -> str:
    """A name that nbgrader takes, its own for each of the cells."""
    return f"{re.sub('[^A-Za-z0-9]+', '-', name).strip('-')}-{number:02d}".strip(
        "-"
    )


def asserting(check: str, marks: float) -> str:
    """A check that raises where it does not pass, and else puts out its marks."""
    body = tree(check).body
    if not body or not isinstance(body[-1], ast.Expr):
        return check
    lines, start = check.split("\n"), body[-1].lineno - 1
    lines[start] = f"{VALUE} = {lines[start]}"
    return "\n".join(
        [*lines[: body[-1].end_lineno], ENDING.replace("MARKS", f"{marks:g}")]
    )

"""Whether something that was computed earlier is used where it no longer holds."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from .problems import Problem, problem, problems
from .student import Student

USED_AGAIN = "Something that was computed earlier is used again."


def after_changes(
    student: Student, run: Callable[[Student, Any, Problem], Any]
) -> Iterator[tuple[str, Problem, Any]]:
    """Run something on a network, and again after a change: what has changed, the problem
    since then, and what is returned."""
    first = problems(student.loss)[0]
    other = problem(tuple(first.sizes), 7, student.loss)
    net = student.network(first)
    run(student, net, first)
    for what, changed in (
        ("the samples", replace(first, x=other.x, y=other.y)),
        ("the parameters and the samples", other),
    ):
        student.set_parameters(net, changed)
        yield what, changed, run(student, net, changed)

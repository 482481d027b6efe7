"""Whether something that was computed earlier is used where it no longer holds."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from .findings import finding
from .problems import Problem, problem, problems
from .report import Diagnosis
from .student import Student


def stale(
    student: Student,
    part: str,
    run: Callable[[Student, Any, Problem], Any],
    right: str,
    fault: Callable[[Problem, Any], dict[str, Any]],
) -> Diagnosis | None:
    """Whether what ``run`` returns goes wrong when samples or parameters change. ``right``
    says what is right before. ``fault`` takes the problem since then and what is returned:
    the ``words`` for what is wrong, the ``equation`` and more fields of a diagnosis, {} if
    nothing is."""
    for what, one, found in after_changes(student, run):
        if more := fault(one, found):
            text = (
                f"{right} After {what} have changed, {more.pop('words')}. Something that was"
                " computed earlier is used again."
            )
            return finding(part, text, **more)
    return None


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

"""Check the backward pass."""

import contextlib
from typing import Any

from .findings import EQUATIONS, finding, first_difference
from .matching import Seen, fitting
from .predictions import suitable
from .problems import Problem
from .report import Diagnosis
from .student import Student, Trouble, call


def check_backward(student: Student) -> Diagnosis | None:
    seen = [look(student, problem) for problem in suitable(student)]
    one_output = [one for one in seen if one.problem.K == 1]
    for one in one_output:
        if one.trouble and one.trouble.status == "unfilled":
            raise one.trouble
    if all(is_right(student, one) for one in one_output):
        # A class for one output may raise an error for several.
        seen = [one for one in seen if not one.trouble]
    wrong = [one for one in seen if not is_right(student, one)]
    if not wrong:
        return None
    text, place = difference(student, wrong[0])
    return finding("backward", text, fits=fitting(student, seen), **place)


def look(student: Student, problem: Problem) -> Seen:
    """Call backward on a network that has seen other samples before; and once more, if
    it left the parameters as they were."""
    net = student.network(problem)
    x, _ = student.data(net, problem)
    with contextlib.suppress(Trouble):
        call("forward", problem, net.forward, -x)
    try:
        first, trouble = student.backward(net, problem), None
    except Trouble as error:
        if error.status == "timeout":
            raise
        first, trouble = None, error
    after, second = student.parameters(net, problem), None
    if first and student.same(after, problem.parameters):
        second = student.backward(net, problem)
    return Seen(problem, first, second, trouble, after)


def is_right(student: Student, seen: Seen) -> bool:
    return all(
        found is not None and student.same(found, seen.right)
        for found in (seen.first, seen.second)
    )


def difference(student: Student, seen: Seen) -> tuple[str, dict[str, Any]]:
    """What is wrong in one problem, in words, and where."""
    if seen.trouble:
        return str(seen.trouble), {"status": "error", "equation": None}
    if not student.same(seen.first, seen.right):
        found, which = seen.first, ""
    elif seen.second is not None:
        found, which = (
            seen.second,
            "A second call of backward changes the gradients. ",
        )
    else:
        text = (
            "The gradients are right, but backward changes the parameters. It should"
            " only fill the gradients."
        )
        return text, {"equation": "eq-update-weights"}
    layer, name, what = first_difference(student, found, seen.right)
    text = (
        f"{which}Walking back from the output, the first wrong gradient is that of the"
        f" {name} of layer {layer} of {len(seen.right)}: it {what}. (n ="
        f" {seen.problem.n}, K = {seen.problem.K})"
    )
    equation = f"eq-batch-{EQUATIONS[name]}"
    return text, {"equation": equation, "layer": layer, "parameter": name}

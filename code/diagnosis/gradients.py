"""Check the backward pass."""

import contextlib
from dataclasses import replace
from typing import Any

from .calls import Trouble
from .findings import EQUATIONS, finding, first_difference
from .matching import Seen, fitting
from .predictions import suitable
from .problems import Problem, loss_and_gradients, problems
from .report import Diagnosis
from .student import Student


def check_backward(student: Student) -> Diagnosis | None:
    seen = [look(student, problem) for problem in suitable(student)]
    one_output = [one for one in seen if one.problem.K == 1]
    for one in one_output:
        if one.trouble and one.trouble.status == "unfilled":
            raise one.trouble
    if all(one.trouble for one in seen if one.problem.K > 1):
        # A class for one output may raise an error for several.
        student.several, seen = False, one_output
    wrong = [one for one in seen if not is_right(student, one)]
    if not wrong:
        return stale(student)
    text, place = difference(student, wrong[0])
    return finding("backward", text, fits=fitting(student, seen), **place)


def look(student: Student, problem: Problem) -> Seen:
    """Call backward on a network that has seen other samples before; and once more, if
    it left the parameters as they were."""
    net = student.network(problem)
    with contextlib.suppress(Trouble):
        student.run("forward", net, replace(problem, x=-problem.x))
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


def stale(student: Student) -> Diagnosis | None:
    """Whether gradients go wrong on a network whose parameters and samples change."""
    first, *others = [p for p in problems() if p.sizes == problems()[0].sizes]
    net = student.network(first)
    student.backward(net, first)
    for problem in others:
        student.set_parameters(net, problem)
        found = student.backward(net, problem)
        right = loss_and_gradients(problem)[1]
        if not student.same(found, right):
            layer, name, what = first_difference(student, found, right)
            return finding(
                "backward",
                "The gradients of a new network are right. After its parameters and"
                " the samples have changed, those of the"
                f" {EQUATIONS[name]} of layer {layer} are not: what comes {what}."
                " Something that was computed earlier is used again.",
                f"eq-batch-{EQUATIONS[name]}",
                layer=layer,
                parameter=name,
            )
    return None


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
        which = "A second call of backward changes the gradients. "
        found = seen.second
    else:
        text = (
            "The gradients are right, but backward changes the parameters. It should"
            " only fill the gradients."
        )
        return text, {"equation": "eq-update-weights"}
    layer, name, what = first_difference(student, found, seen.right)
    text = (
        f"{which}Walking back from the output, the first wrong gradient is that of the"
        f" {EQUATIONS[name]} of layer {layer} of {len(seen.right)}: it {what}. (n ="
        f" {seen.problem.n}, K = {seen.problem.K})"
    )
    equation = f"eq-batch-{EQUATIONS[name]}"
    # Where weights and biases are both wrong, what they come from is.
    if not any(map(student.equal, found[layer - 1], seen.right[layer - 1])):
        which = "output" if layer == len(seen.right) else "hidden"
        equation = f"eq-batch-{which}-delta"
    return text, {"equation": equation, "layer": layer, "parameter": name}

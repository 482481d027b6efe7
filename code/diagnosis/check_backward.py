"""Check the backward pass: find the formula that it computes."""

from functools import partial
from typing import Any

from .check_forward import suitable
from .check_loss import WHOLE_LABELS, whole_labels_do
from .explain import explained
from .findings import EQUATIONS, first_difference
from .problems import Gradients, Problem, loss_and_gradients
from .report import Diagnosis
from .seen import is_right, look, look_at
from .stale import stale
from .student import Student


def check_backward(student: Student) -> Diagnosis | None:
    seen = look_at(student, suitable(student))
    one_output = [one for one in seen if one.problem.K == 1]
    for one in one_output:
        three = len(one.problem.weights) == 3
        if three and one.trouble and one.trouble.status == "unfilled":
            raise one.trouble
    several = [one for one in seen if one.problem.K > 1]
    many = [one for one in several if one.problem.n > 1]
    if many and not any(one.has_right_shapes for one in many):
        # A class for one output may raise an error for several.
        works = [one for one in one_output if one.has_right_shapes]
        if works or not any(one.first for one in many):
            student.several, seen = False, one_output
    wrong = [one for one in seen if not is_right(student, one)]
    if not wrong:
        right = "The gradients of a new network are right."
        return stale(
            student, "backward", Student.backward, right, partial(fault, student)
        )
    if not any(
        one.trouble or one.second is None for one in seen
    ) and whole_labels_do(
        lambda one: is_right(student, look(student, one)),
        [o.problem for o in wrong],
    ):
        student.notes.append(WHOLE_LABELS.format(student.loss.title))
        return None
    return explained(student, seen, wrong)


def fault(student: Student, one: Problem, found: Gradients) -> dict[str, Any]:
    """What is wrong with gradients after a change."""
    right = loss_and_gradients(one)[1]
    if student.same(found, right):
        return {}
    layer, name, difference = first_difference(student, found, right)
    return {
        "words": f"those of the {EQUATIONS[name]} of layer {layer} are not: what comes"
        f" {difference}",
        "equation": f"eq-batch-{EQUATIONS[name]}",
        "layer": layer,
        "parameter": name,
    }

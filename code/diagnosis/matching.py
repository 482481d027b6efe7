"""Which mistakes fit what was seen."""

from dataclasses import dataclass
from functools import cached_property

from .calls import Shapes, Trouble
from .mistakes import MISTAKES, Mistake
from .problems import Gradients, Problem, loss_and_gradients
from .steps import Prediction, Steps, run
from .student import Student


@dataclass
class Seen:
    """What backward did with one problem: the gradients after a first and a second
    call, or the trouble with the first; and the parameters that it left."""

    problem: Problem
    first: Gradients | None
    second: Gradients | None
    trouble: Trouble | None
    after: Gradients

    @property
    def gradients(self) -> Gradients:
        """The first ones; those that were filled before an error, if there was one."""
        return self.trouble.gradients if self.first is None else self.first

    @cached_property
    def right(self) -> Gradients:
        return loss_and_gradients(self.problem)[1]


def fitting(student: Student, seen: list[Seen]) -> list[Mistake]:
    """The mistakes that predict what was seen in every problem."""
    return [mistake for mistake in MISTAKES if fits(mistake, student, seen)]


def fits(mistake: Mistake, student: Student, seen: list[Seen]) -> bool:
    if mistake.signature is not None:
        return all(
            one.gradients
            and mistake.signature(one.problem, one.gradients, one.right)
            for one in seen
        )
    return any(predicts(steps, student, seen) for steps in mistake.hypotheses)


def predicts(steps: Steps, student: Student, seen: list[Seen]) -> bool:
    """Whether a hypothesis is supported by one problem at least, and refuted by none."""
    supported = False
    for one in seen:
        found = verdict(steps, student, one)
        if found is False:
            return False
        supported |= found is True
    return supported


def verdict(steps: Steps, student: Student, seen: Seen) -> bool | None:
    """Whether a hypothesis predicts what was seen; None if what was seen neither
    supports nor refutes it."""
    predicted = run(steps, seen.problem, [weight for weight, _ in seen.after])
    if seen.first is None:
        return verdict_on_trouble(predicted, seen, student)
    if predicted.gradients is None or not student.same(
        seen.first, predicted.gradients
    ):
        return False
    if seen.second is not None:
        again = steps.second_call
        expected = [(again(w), again(b)) for w, b in predicted.gradients]
        if not student.same(seen.second, expected):
            return False
        if not student.same(expected, seen.right):
            return True
    return True if not student.same(predicted.gradients, seen.right) else None


def verdict_on_trouble(
    predicted: Prediction, seen: Seen, student: Student
) -> bool | None:
    """As `verdict`, where the class raised an error."""
    trouble = seen.trouble
    if predicted.gradients is None:
        return same_failure(trouble.shapes, predicted.shapes, seen.problem.n)
    wrong = [
        {tuple(gradient.shape), tuple(other.shape)}
        for pair, right in zip(predicted.gradients, seen.right)
        for gradient, other in zip(pair, right)
        if gradient.shape != other.shape
    ]
    if not wrong:  # where torch repeats a tensor, other code may raise
        return None if predicted.repeats else False
    if set(trouble.shapes) in wrong:  # stored into the place of the right one
        return True
    if trouble.gradients and student.same(trouble.gradients, predicted.gradients):
        return True
    return None


def same_failure(found: Shapes, expected: Shapes, n: int) -> bool | None:
    """Whether operations failed for the same shapes, in whatever order, rows and columns
    exchanged or not. Who works through the samples one by one has no n in them."""
    if min(len(found), len(expected)) < 2:
        return None
    one_by_one = n not in [size for shape in found for size in shape]
    left_out = {1, n} if one_by_one or n == 1 else set()

    def comparable(shapes: Shapes) -> list[list[int]]:
        return sorted(sorted(set(shape) - left_out) for shape in shapes)

    if comparable(found) != comparable(expected):
        return False
    return None if n == 1 else True

"""Which mistakes fit what was seen."""

from collections.abc import Iterable
from dataclasses import dataclass

from .mistakes import MISTAKES, Mistake
from .problems import Gradients, Problem, loss_and_gradients
from .steps import Prediction, Steps, run
from .student import Student, Trouble


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
    def right(self) -> Gradients:
        problem = self.problem
        return loss_and_gradients(
            problem.weights, problem.biases, problem.x, problem.y
        )[1]


def fitting(student: Student, seen: list[Seen]) -> list[Mistake]:
    """The mistakes that predict what was seen in every problem."""
    return [mistake for mistake in MISTAKES if fits(mistake, student, seen)]


def fits(mistake: Mistake, student: Student, seen: list[Seen]) -> bool:
    if mistake.signature is not None:
        return all(
            one.first is not None
            and mistake.signature(one.problem, one.first, one.right)
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
    found = comparable(trouble.shapes, seen.problem.n)
    if predicted.gradients is None:
        expected = comparable(predicted.shapes, seen.problem.n)
        return found == expected if min(len(found), len(expected)) > 1 else None
    wrong = [
        gradient.shape
        for pair, right in zip(predicted.gradients, seen.right)
        for gradient, other in zip(pair, right)
        if gradient.shape != other.shape
    ]
    if not wrong:  # where torch repeats a tensor, other code may raise
        return None if predicted.repeats else False
    if any(sorted(shape) in map(sorted, trouble.shapes) for shape in wrong):
        return True
    if trouble.gradients and student.same(trouble.gradients, predicted.gradients):
        return True
    return None


def comparable(shapes: Iterable[tuple[int, ...]], n: int) -> list[list[int]]:
    """Shapes without the samples, which some work through one by one, and without the
    order of factors, rows and columns."""
    return sorted(sorted(size for size in s if size not in (1, n)) for s in shapes)

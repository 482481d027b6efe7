"""Check the update, and the training loop."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .calls import Trouble, is_missing
from .findings import EQUATIONS, finding, first_difference
from .mistakes import MISTAKES, Mistake
from .predictions import suitable
from .problems import Gradients, Problem, descend, problem
from .report import Diagnosis
from .steps import Steps
from .student import Student, filled

# Two, and not 1: else a power of the rate, or a memory of earlier steps, does not show.
RATES = 0.5, 0.25
EPOCHS = 5


@dataclass
class Step:
    """One update, as it was seen."""

    before: Gradients
    gradients: Gradients
    rate: float
    after: Gradients

    @property
    def moves(self) -> Gradients:
        return moves(self.before, self.after)

    def by(self, weights: Steps, biases: Steps) -> Gradients:
        """By how much the parameters would move, if these were the steps."""
        after = [
            (
                weights.update(w, w_grad, self.rate),
                biases.update(b, b_grad, self.rate),
            )
            for (w, b), (w_grad, b_grad) in zip(self.before, self.gradients)
        ]
        return moves(self.before, after)

    def is_by(self, student: Student, weights: Steps, biases: Steps) -> bool:
        return student.same(self.moves, self.by(weights, biases))


def moves(before: Gradients, after: Gradients) -> Gradients:
    """By how much parameters change; what has another shape now is kept as it is."""

    def move(old: Tensor, new: Tensor) -> Tensor:
        return new - old if old.shape == new.shape else new

    return [(move(w, v), move(b, c)) for (w, b), (v, c) in zip(before, after)]


def check_update(student: Student) -> Diagnosis | None:
    seen = [
        step
        for problem in suitable(student)
        if problem.n == 7
        for step in two_steps(student, problem)
    ]

    right = Steps()

    def explains(weights: Steps, biases: Steps) -> bool:
        return all(s.is_by(student, weights, biases) for s in seen)

    if explains(right, right):
        return None

    def fits(mistake: Mistake) -> bool:
        return any(
            explains(wrong, wrong)
            or explains(wrong, right)
            or explains(right, wrong)
            for wrong in mistake.hypotheses
        )

    step = next(s for s in seen if not s.is_by(student, right, right))
    found, expected = step.moves, step.by(right, right)
    layer, name, what = first_difference(student, found, expected)
    text = (
        f"In a step with the learning rate {step.rate}, walking back from the output,"
        f" the first wrong change is that of the {EQUATIONS[name]} of layer {layer}: it"
        f" {what}."
    )
    equation = f"eq-update-{EQUATIONS[name]}"
    return finding(
        "update",
        text,
        equation,
        list(filter(fits, MISTAKES)),
        layer=layer,
        parameter=name,
    )


def two_steps(student: Student, problem: Problem) -> Iterator[Step]:
    """Two updates by the gradients of the class; by the right ones, as long as it does
    not compute any."""
    net = student.network(problem)
    for rate in RATES:
        try:
            gradients = student.backward(net, problem)
        except Trouble:
            gradients = student.set_right_gradients(net, problem)
        before = student.parameters(net, problem)
        apply = student.method("apply_gradients", net, problem)
        student.call("apply_gradients", problem, apply, rate)
        yield Step(before, gradients, rate, student.parameters(net, problem))


def check_train(student: Student, train: Callable) -> Diagnosis | None:
    start = problem((4, 6, 5, 1), 7)
    net = student.network(start)
    dtype = net.layers[0].linear.weight.dtype
    x, y = start.x.to(dtype, copy=True), start.y.squeeze(-1).to(dtype)
    result = student.call(
        "train", start, filled(train), x, y, net, EPOCHS, RATES[0]
    )
    if is_missing(result):
        raise Trouble("unfilled", "train returns nothing; it is not filled in yet.")
    if (
        not isinstance(result, tuple | list)
        or len(result) != 2
        or not hasattr(result[0], "layers")
    ):
        message = "train should return two things: the network, and the losses."
        raise Trouble("error", message)
    trained, losses = result
    ends = [descend(start, epochs, RATES[0]) for epochs in range(EPOCHS + 2)]
    found = student.parameters(trained, start)
    steps = [
        k for k, (end, _) in enumerate(ends) if student.same(found, end.parameters)
    ]
    if steps == [0]:
        return finding(
            "train",
            "The network that train returns has the parameters that it had before. Is"
            " it the one that was trained, and is every step applied?",
            "eq-update-weights",
        )
    if steps and steps != [EPOCHS]:
        return finding(
            "train",
            f"After {EPOCHS} epochs the network is where {steps[0]} steps of descent"
            " lead. Count the steps in the loop.",
            "eq-update-weights",
        )
    if not steps:
        right = ends[EPOCHS][0].parameters
        layer, name, what = first_difference(
            student, moves(start.parameters, found), moves(start.parameters, right)
        )
        return finding(
            "train",
            f"In {EPOCHS} epochs, walking back from the output, the first wrong change"
            f" is that of the {EQUATIONS[name]} of layer {layer}: it {what}. Each epoch"
            " should compute the gradients of all samples once, and then take one step.",
            f"eq-update-{EQUATIONS[name]}",
            layer=layer,
            parameter=name,
        )
    values = student.call("reading the losses", start, as_numbers, losses)
    text = about_losses(student, values, ends[-1][1])
    return finding("train", text, "eq-loss-batch") if text else None


def as_numbers(losses: Any) -> Tensor:
    if isinstance(losses, list | tuple):
        losses = [float(loss) for loss in losses]
    return torch.as_tensor(losses).detach().clone().double()


def about_losses(student: Student, found: Tensor, right: list[float]) -> str:
    """What is wrong with recorded losses; ``right`` has one epoch more."""
    if found.shape != (EPOCHS,):
        return (
            f"The losses have shape {tuple(found.shape)} after {EPOCHS} epochs;"
            f" ({EPOCHS},) was expected, one loss for each epoch."
        )
    expected = torch.tensor(right, dtype=torch.float64)
    if student.equal(found, expected[:-1]):
        return ""
    if student.equal(found, expected[1:]):
        return "Each loss is that after the update of its epoch; before it was expected."
    epoch = next(
        k for k in range(EPOCHS) if not student.equal(found[k], expected[k])
    )
    return (
        f"The loss of epoch {epoch} is {found[epoch]:.4g}; {expected[epoch]:.4g} was"
        " expected, the loss of all samples before the update."
    )

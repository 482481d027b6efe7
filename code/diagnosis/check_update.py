"""Check the update, and the training loop."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from .calls import Trouble, is_missing
from .check_forward import suitable
from .factors import ONE, Factor, factor
from .findings import EQUATIONS, finding, first_difference
from .formulas import Formula
from .formulas import scale as written
from .mistakes import atoms, named
from .notation import Piece
from .problems import Gradients, Problem, descend, problem
from .report import Diagnosis
from .student import Student, filled

# Two, and not 1: else a power of the rate, or a memory of earlier steps, does not show. No
# power of the rate is like a rate that is divided by the number of the step.
RATES = 0.5, 0.2
EPOCHS = 5
LATER = (
    " It is the second step of the network; the first is right. What does a step leave"
    " behind for the next?"
)


@dataclass
class Step:
    """One update, as it was seen."""

    problem: Problem
    before: Gradients
    gradients: Gradients
    rate: float
    after: Gradients

    @property
    def moves(self) -> Gradients:
        return moves(self.before, self.after)

    @property
    def right(self) -> Gradients:
        return [(-self.rate * w, -self.rate * b) for w, b in self.gradients]


def moves(before: Gradients, after: Gradients) -> Gradients:
    """By how much parameters change; what has another shape now is kept as it is."""

    def move(old: Tensor, new: Tensor) -> Tensor:
        return new - old if old.shape == new.shape else new

    return [(move(w, v), move(b, c)) for (w, b), (v, c) in zip(before, after)]


def check_update(student: Student) -> Diagnosis | None:
    seen = steps_seen(student)
    wrong = [step for step in seen if not is_right(student, step)]
    if not wrong:
        return None
    step = wrong[0]
    layer, name, what = first_difference(student, step.moves, step.right)
    text = (
        f"In a step with the learning rate {step.rate}, walking back from the output,"
        f" the first wrong change is that of the {EQUATIONS[name]} of layer {layer}: it"
        f" {what}."
    )
    if all(step.rate == RATES[1] for step in wrong):
        text += LATER
    place: dict[str, Any] = {"layer": layer, "parameter": name}
    found = [sum_of(student, seen, which) for which in (0, 1)]
    if not all(found):
        return finding("update", text, f"eq-update-{EQUATIONS[name]}", **place)
    mistakes, left = named(set.union(*(one.facts for one in found)), student.loss)
    formulas = [
        one.formula(letter, f"eq-update-{kind}")
        for one, letter, kind in zip(found, "Wb", EQUATIONS.values())
        if one.facts
    ]
    if mistakes and not left:
        return finding("update", [], None, mistakes, formulas, **place)
    return finding("update", text, None, [], formulas, **place)


def step_factors(student: Student) -> list[Factor]:
    """The factors that the steps of weights and of biases have beside the book's; none
    if something else is wrong, or nothing."""
    seen = steps_seen(student)
    sums = [sum_of(student, seen, which) for which in (0, 1)]
    only = all(one and one.step and one == Sum(step=one.step) for one in sums)
    factors = [one.step for one in sums] if only else []
    return [] if factors == [ONE, ONE] else factors


@dataclass(frozen=True)
class Sum:
    """What a step makes of a parameter: (keep − decay · η) times what it was, minus
    ``step`` · η^``rate`` times its gradient. None for no step."""

    keep: int = 1
    decay: float = 0.0
    step: Factor | None = ONE
    rate: int = 1

    @property
    def facts(self) -> set[str]:
        found = (
            {f"step: {atom}" for atom in atoms(self.step)} if self.step else set()
        )
        return found | {
            fact
            for fact, holds in {
                "step: 0": self.step is None,
                "step: no rate": self.rate == 0,
                "step: rate squared": self.rate == 2,
                "parameter: 0": self.keep == 0,
                "parameter: 1-eta": self.decay == 1,
                "parameter: decay": self.decay not in (0, 1),
            }.items()
            if holds
        }

    def formula(self, letter: str, label: str) -> Formula:
        own = rf"\mathbf{{{letter}}}^{{(\ell)}}"
        gradient = rf"\nabla_{{{own}}} \mathcal{{L}}"
        decay = "" if self.decay == 1 else f"{self.decay:.4g} "
        kept = (
            rf"(1 - {decay}\eta) {own}" if self.decay else own if self.keep else ""
        )
        moved = ""
        if self.step:
            sign = "-" if self.step.c > 0 else "+"
            size = written(replace(self.step, c=abs(self.step.c)))
            rate = ("", r"\eta ", r"\eta^2 ")[self.rate]
            moved = f" {sign} {size}{rate}{gradient}"
        if not kept:
            moved = moved.lstrip()
        right = rf" - \eta {gradient}"
        return Formula(
            label,
            rf"{own} \leftarrow ",
            (Piece(kept, kept != own), Piece(moved, moved != right)),
            (Piece(own, kept != own), Piece(right, moved != right)),
        )


def sum_of(student: Student, seen: Sequence[Step], which: int) -> Sum | None:
    """What becomes of the weights (0) or the biases (1), as far as it is such a sum."""
    parts = []
    for step in seen:
        old, gradient, new = (
            torch.cat([pair[which].flatten() for pair in pairs])
            for pairs in (step.before, step.gradients, step.after)
        )
        if not old.shape == gradient.shape == new.shape or not new.isfinite().all():
            return None
        both = torch.stack([old, gradient], dim=1)
        found = torch.linalg.lstsq(both, new[:, None]).solution
        if not student.equal((both @ found).flatten(), new):
            return None
        parts.append([round(value, 5) for value in found.flatten().tolist()])
    rates = [step.rate for step in seen]
    kept = {keep for keep, _ in parts}
    decays = {round((1 - keep) / rate, 4) for (keep, _), rate in zip(parts, rates)}
    if kept in ({0.0}, {1.0}):
        keep, decay = int(kept.pop()), 0.0
    elif len(decays) == 1:
        keep, decay = 1, decays.pop()
    else:
        return None
    if not any(scale for _, scale in parts):
        return Sum(keep, decay, None)
    sizes = tuple((step.problem.n, step.problem.K, 1, 1) for step in seen)
    for power in (1, 2, 0):
        ratios = tuple(
            -scale / rate**power for (_, scale), rate in zip(parts, rates)
        )
        own = factor(ratios, sizes, 1e-5)
        if own:
            return Sum(keep, decay, own, power)
    return None


def is_right(student: Student, step: Step) -> bool:
    shapes = [[t.shape for t in pair] for pair in step.gradients]
    if shapes != [[t.shape for t in pair] for pair in step.before]:
        return False
    if not student.half:
        return student.same(step.moves, step.right)
    # What 16 bits leave of a small change is too little to compare entry by entry.
    after = [(w + v, b + c) for (w, b), (v, c) in zip(step.before, step.right)]
    moved, right = (
        torch.cat([t.flatten() for pair in pairs for t in pair])
        for pairs in (step.moves, step.right)
    )
    share = (moved @ right) / (right @ right)
    return student.same(step.after, after) and 0.8 < share.item() < 1.25


def steps_seen(student: Student) -> list[Step]:
    return [
        step
        for one in suitable(student)
        if one.n in (3, 7) and len(one.sizes) == 4
        for step in two_steps(student, one)
    ]


NO_GRADIENTS = (
    "The gradients cannot be set from outside, and backward does not fill them yet."
    " Write it first."
)


def two_steps(student: Student, problem: Problem) -> Iterator[Step]:
    """Two updates by gradients that are right elsewhere, whatever backward gives. A class
    may keep its gradients in a place of its own; then it moves by those."""
    other = replace(problem, x=-problem.x)
    net = student.network(problem)
    for rate in RATES:
        with contextlib.suppress(Trouble):
            student.backward(net, problem)
        own = None
        with contextlib.suppress(Trouble):
            own = student.gradients(net, problem)
        student.set_parameters(net, problem)
        gradients = None
        with contextlib.suppress(Trouble):
            gradients = student.set_right_gradients(net, other)
        if gradients is None and own is None:
            raise Trouble("unfilled", NO_GRADIENTS)
        before = student.parameters(net, problem)
        apply = student.method("apply_gradients", net, problem)
        student.call("apply_gradients", problem, apply, rate)
        after = student.parameters(net, problem)
        steps = [
            Step(problem, before, g, rate, after) for g in (gradients, own) if g
        ]
        yield next((s for s in steps if is_right(student, s)), steps[0])


def check_train(student: Student, train: Callable) -> Diagnosis | None:
    start = problem((4, 6, 5, 1), 7, student.loss)
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
    return finding("train", text, student.loss.label) if text else None


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

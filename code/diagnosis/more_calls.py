"""What more than one call of backward, or a call of forward before it, shows."""

from dataclasses import replace

import torch

from .case import CHANGES, Case
from .findings import finding
from .mistakes import named
from .problems import loss_and_gradients
from .report import Diagnosis
from .seen import Seen
from .student import Student


def second_calls(student: Student, seen: list[Seen]) -> tuple[list[str], set[str]]:
    """What a second call of backward gives, in words and as facts."""
    both = [one for one in seen if one.first is not None and one.second is not None]
    if all(student.same(one.second, one.first) for one in both):
        return [], set()
    kinds = {"weights": 0, "biases": 1}
    found = {kind: ratios_of_calls(student, both, i) for kind, i in kinds.items()}
    if None in found.values():
        text = (
            "A second call of backward, with the same samples, gives other gradients."
            " Either something is random, or something is kept from the first call."
        )
        return [text], set()
    added = {
        kind: all(abs(ratio - 2) < 1e-4 for ratio in ratios)
        for kind, ratios in found.items()
        if ratios
    }
    if all(added.values()):
        return [], {"second call: 2"}
    for kind, other in (("weights", "biases"), ("biases", "weights")):
        if added.get(kind) and all(abs(r - 1) < 1e-4 for r in found[other]):
            return [f"Only those of the {kind} are."], {f"second call: 2, {kind}"}
    ratio = (found["weights"] or found["biases"])[0]
    text = (
        f"A second call of backward gives {ratio:.4g} times the gradients of the first:"
        " something of the first call is kept."
    )
    return [text], set()


def ratios_of_calls(
    student: Student, both: list[Seen], which: int
) -> list[float] | None:
    """By what a second call multiplies the gradients of weights (0) or biases (1), network
    by network, without those in which they are 0; None if it does something else."""
    ratios = []
    for one in both:
        first, second = (
            torch.cat([pair[which].flatten() for pair in call])
            for call in (one.first, one.second)
        )
        if first.shape != second.shape or (second.any() and not first.any()):
            return None
        if first.any():
            ratios.append(((first @ second) / (first @ first)).item())
            if not student.equal(second, ratios[-1] * first):
                return None
    return ratios


def only_calls(case: Case) -> Diagnosis:
    """The gradients of the first call are right."""
    mistakes, _ = named(case.calls, case.student.loss)
    if mistakes or case.again:
        said = ["The gradients of the first call are right.", *case.again]
        return finding("backward", said, "eq-batch-weights", mistakes)
    said = [f"The gradients are right, but {CHANGES}"]
    return finding("backward", said, "eq-update-weights")


EARLIER = (
    "What is called earlier belongs to the samples with which forward was called before:"
    " something is kept from that call. backward has to run a forward pass of its own, and"
    " to use what that gives."
)


def of_an_earlier_forward(student: Student, seen: list[Seen]) -> Diagnosis | None:
    """Whether the gradients are those of the samples that `forward` saw before."""
    for one in seen:
        earlier = replace(one.problem, x=-one.problem.x)
        right = loss_and_gradients(earlier)[1]
        if one.first is None or not student.same(one.first, right):
            return None
    text = (
        "backward uses the samples of an earlier call of forward, instead of its own"
        " argument x: forward was called with other samples just before, and the gradients"
        " are right for these. backward has to run a forward pass of its own."
    )
    return finding("backward", text, "eq-batch-output")

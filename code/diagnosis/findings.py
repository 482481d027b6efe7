"""Put into words what differs from what is right."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from .mistakes import Mistake
from .problems import Gradients
from .report import Diagnosis, read_again
from .student import Student

EQUATIONS = {"weight": "weights", "bias": "biases"}


def finding(
    part: str,
    seen: str,
    equation: str | None,
    fits: Sequence[Mistake] = (),
    **place: Any,
) -> Diagnosis:
    """What was seen, and the mistakes that fit, if any do. ``place`` holds fields of
    the diagnosis that say where."""
    texts = [
        (mistake.loss_message if part == "loss" else "") or mistake.message
        for mistake in fits
    ]
    others = (
        ["What was seen fits another mistake as well:"] if len(fits) > 1 else []
    )
    equations = [mistake.equation for mistake in fits if part != "loss"]
    equations = equations or list(filter(None, [equation]))
    lines = [*texts[:1], seen, *others, *texts[1:]]
    return Diagnosis(
        part=part,
        message="\n".join([*lines, *map(read_again, dict.fromkeys(equations))]),
        mistake=fits[0].name if fits else None,
        alternatives=tuple(mistake.name for mistake in fits[1:]),
        equation=equations[0] if equations else None,
        **{"status": "wrong", **place},
    )


def first_difference(
    student: Student, found: Gradients, right: Gradients
) -> tuple[int, str, str]:
    """Layer, 'weight' or 'bias', and what is wrong: the first that differs, walking
    back from the output."""
    floor = 1e-3 * max(t.abs().max().item() for pair in right for t in pair)
    for layer in range(len(right), 0, -1):
        pairs = zip(EQUATIONS, found[layer - 1], right[layer - 1])
        for name, ours, theirs in pairs:
            if ours.shape != theirs.shape:
                expected = tuple(theirs.shape)
                return (
                    layer,
                    name,
                    f"has shape {tuple(ours.shape)}; {expected} was expected",
                )
            if not student.equal(ours, theirs, floor):
                return layer, name, comparison(student, ours, theirs)
    raise AssertionError("nothing differs")


def comparison(student: Student, found: Tensor, right: Tensor) -> str:
    """How a wrong tensor relates to the right one."""
    if not found.isfinite().all():
        return "holds NaN or infinite values"
    if not found.any():
        return "is 0 everywhere"
    ratio = ((found * right).sum() / (right * right).sum()).item()
    if student.equal(found, ratio * right):
        return f"is {ratio:.6g} times what it should be, in every entry"
    length = (found.norm() / right.norm()).item()
    error = ((found - right).norm() / right.norm()).item()
    return (
        f"differs from the right one by {error:.2g} times that one's length (ratio of"
        f" lengths {length:.3f}, cosine {ratio / length:.3f})"
    )

"""Put into words what differs from what is right."""

from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor

from .formulas import Formula
from .mistakes import Mistake
from .problems import Gradients
from .report import Diagnosis
from .student import Student

# A mistake of either kind of parameter is listed with the equation of the weights.
TWINS = {
    "eq-batch-weights": "eq-batch-biases",
    "eq-update-weights": "eq-update-biases",
}
EQUATIONS = {"weight": "weights", "bias": "biases"}


def finding(
    part: str,
    seen: str | Iterable[str],
    equation: str | None,
    found: Sequence[Mistake] = (),
    formulas: Sequence[Formula] = (),
    **more: Any,
) -> Diagnosis:
    """What was seen, the mistakes that it is, and the formulas. ``more`` holds other
    fields of the diagnosis."""
    of_loss = part == "loss"
    texts = [(of_loss and m.loss_text) or m.text for m in found]
    labels = [formula.label for formula in formulas]
    for m in found:
        twin = TWINS.get(m.label)
        if not (of_loss and m.loss_text) and twin not in labels:
            labels.append(m.label)
    labels = labels if labels else [equation] if equation else []
    words = [seen] if isinstance(seen, str) else seen
    return Diagnosis(
        part=part,
        message="\n".join(filter(None, [*texts, *words])),
        mistakes=tuple(m.name for m in found),
        equation=labels[0] if labels else None,
        formulas=tuple(formulas),
        read_again=tuple(dict.fromkeys(labels)),
        **{"status": "wrong", **more},
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
    if found.numel() > 1 and student.equal(found, ratio * right):
        times = f"{ratio:.{2 if student.half else 6}g}".replace("-", "−")
        return f"is {times} times what it should be, in every entry"
    length = (found.norm() / right.norm()).item()
    cosine, error = ratio / length, ((found - right).norm() / right.norm()).item()
    if error < 5e-3:
        return (
            f"differs from the right one, by {error:.2g} times the length of that"
        )
    return (
        f"is {length:.3g} times as long as the right one, and the cosine of the angle between"
        f" them is {cosine:.3f}".replace("-", "−")
    )

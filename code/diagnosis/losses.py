"""The losses that a class may have: what they are, and what is right at the output."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """``value`` takes predictions and labels, both (n, K). The delta of the output is
    ``number`` / (n K) times their difference, times the ``slope`` of the output layer:
    'own', or 'none' where it cancels. ``label`` is that of its equation in the book,
    ``gradient_label`` that of its gradient."""

    name: str
    title: str
    value: Callable[[Tensor, Tensor], Tensor]
    number: int
    slope: str
    label: str
    gradient_label: str


def cross_entropy(p: Tensor, y: Tensor) -> Tensor:
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


SQUARED_ERROR = Loss(
    "squared error",
    "mean squared error",
    lambda p, y: ((p - y) ** 2).mean(),
    2,
    "own",
    "eq-loss-batch",
    "eq-loss-gradient",
)
CROSS_ENTROPY = Loss(
    "cross-entropy",
    "cross-entropy",
    cross_entropy,
    1,
    "none",
    "eq-binary-cross-entropy",
    "eq-binary-delta",
)
LOSSES = {loss.name: loss for loss in (SQUARED_ERROR, CROSS_ENTROPY)}

"""Compare two values, element by element."""

from statistics import median

import torch
from torch import Tensor

from .evaluate import COMPARISONS, ORDERS, Evaluator
from .nodes import EquationError
from .results import Result
from .values import Value, common_indices, fitted, need
from .world import FAR

TOLERANCE = 1e-12  # relative; float64 leaves 1e-14 or so, a wrong formula 1e-2
ROUNDING = 1e-14  # what it leaves in most networks; a small term is in all of them
DOUBT = 1e-9  # a difference below this may be one or the other
ROUGH = 1e-6  # the same among large numbers
NOTHING = 1e-12  # smaller numbers count as zero


def compare(left: Value, right: Value, name: str, other: str) -> float:
    """The largest difference, relative to the largest number. An EquationError where
    shapes or free indices differ."""
    sides = fitted(left, right).sides, fitted(right, left).sides
    need(
        sides[0] == sides[1] and left.matrix == right.matrix,
        f"{other} is {right.shape}, {name} is {left.shape}",
    )
    for one, two, side in ((left, right, name), (right, left, other)):
        for index in one.indices:
            need(index in two.indices, f"index {index} is free on the {side} only")
    common_indices([left, right])  # raises where an index has two ranges
    a, b = numbers(left, right)
    scale = torch.maximum(a.abs(), b.abs()).max().item()  # NaN where one is
    return 0.0 if scale <= NOTHING else (a - b).abs().max().item() / scale


def constant(value: Value, like: Value) -> Value:
    """A number of sizes alone is the same for all indices of another value."""
    if value.axes or like.matrix:
        return value
    return Value(value.data.expand(like.data.shape), like.indices, like.axes)


def numbers(left: Value, right: Value) -> tuple[Tensor, Tensor]:
    """The numbers of two values that have the same indices, in the same order."""
    left, right = fitted(left, right), fitted(right, left)
    return left.data.detach(), right.over(left.indices).detach()


def differing(left: Value, right: Value, name: str, other: str) -> EquationError:
    """Says where two values differ most, and which numbers stand there."""
    a, b = numbers(left, right)
    place = largest((a - b).abs())
    names = (*left.indices, *(("row", "column") if left.matrix else ()))
    at = ", ".join(f"{name} {int(k) + 1}" for name, k in zip(names, place))
    return EquationError(
        f"{other} is {b[place].item():.6g}, {name} is {a[place].item():.6g}"
        f"{at and f' at {at}'}"
    )


def largest(data: Tensor) -> tuple[int, ...]:
    """Where the largest number stands. torch's `unravel_index` would import sympy."""
    number, place = int(data.argmax()), []
    for size in reversed(data.shape):
        number, position = divmod(number, size)
        place.append(position)
    return tuple(reversed(place))


def ordered(left: Value, right: Value, relation: str, slack: float = 0.0) -> int:
    """How many pairs of numbers are compared; an EquationError where '<', '≤', '>' or
    '≥' does not hold for one, nor are they equal up to a relative ``slack``."""
    need(
        left.sides == right.sides,
        f"right side is {right.shape}, left side is {left.shape}",
    )
    indices = tuple(common_indices([left, right]))
    one, other = torch.broadcast_tensors(left.over(indices), right.over(indices))
    held = COMPARISONS[relation](one, other)
    if slack:
        largest_of_both = torch.maximum(one.abs(), other.abs())
        held = held | ((one - other).abs() <= slack * largest_of_both)
    if not held.all():
        place = largest((~held).to(torch.int))
        raise EquationError(
            f"left side is {one[place]:.6g}, right side is {other[place]:.6g}: not"
            f" {relation}"
        )
    return held.numel()


def at_scale(scale: float, left: Value, right: Value, relation: str) -> None:
    """Compare two values in a model of another scale. What overflows there is not
    compared. Large numbers round, and saturate: tanh becomes 1. At 0 they are exact."""
    if not all(value.data.isfinite().all() for value in (left, right)):
        return
    names = "left side", "right side"
    if relation in ORDERS:
        ordered(left, right, relation, TOLERANCE if scale else 0.0)
    elif abs(scale) < FAR and not compare(left, right, *names) <= ROUGH:
        raise differing(left, right, *names)


def equal(
    left: Value, right: Value, name: str, other: str, result: Result
) -> tuple[int, float]:
    """How many numbers that are not 0 are equal, up to which relative difference; an
    EquationError where two are not. ``result`` counts them."""
    difference = compare(left, right, name, other)
    if not difference <= TOLERANCE:
        wrong = differing(left, right, name, other)
        small = f"; they differ by {difference:.0e} of the largest number"
        raise EquationError(f"{wrong}{small if difference < DOUBT else ''}")
    a, b = numbers(left, right)
    count = int(torch.maximum(a.abs(), b.abs()).gt(NOTHING).sum())
    result.values += count
    result.error = max(result.error or 0.0, difference)
    return count, difference


def check_rounding(differences: list[float]) -> None:
    """What two sides differ by in each network is rounding. That is small in most of
    them, and larger in a few; a wrong term is of one size in all. So the middle one
    tells a term from rounding that is a hundred times as large in the worst network."""
    middle = median(differences)
    need(
        middle <= ROUNDING,
        f"the sides differ by {middle:.0e} of the largest number in most networks:"
        " that is no rounding",
    )


def check_braces(evaluator: Evaluator, result: Result) -> list[float]:
    """What has been evaluated is equal to the formulas under its braces, up to which
    relative differences."""
    found = []
    for claim in evaluator.take_claims():
        compared, difference = equal(
            claim.left, claim.right, "the brace", "its label", result
        )
        need(compared, "the brace and its label are 0: nothing is compared")
        found.append(difference)
    return found

"""Finite differences: the error of an approximation is of the order that is claimed."""

from collections.abc import Sequence
from math import log2

from .chains import Chain
from .compare import NOTHING, check_braces
from .evaluate import Evaluator
from .nodes import Loss, Order
from .results import Result, at, fault, refuse, where
from .values import need
from .world import Model

STEPS = (4e-3, 2e-3)  # between which the order is measured


def check(
    chain: Chain, models: Sequence[Model], bare_loss: Loss | None, result: Result
) -> None:
    """The error of an approximation shrinks with h as the equation says."""
    right = chain.sides[-1]
    orders = chain.of_kind(Order)
    if len(orders) != 1 or len(chain.sides) != 2:
        raise fault(
            right,
            r"≈ with symbols needs one claim \quad \text{error of order } h",
        )
    refuse(*(c for c in chain.conditions if c not in orders), *chain.shapes)
    order = orders[0].what
    assert isinstance(order, Order)
    for model in models:
        with at(right, where(model)):
            errors = [
                error(model, chain, step, bare_loss, result) for step in STEPS
            ]
            check_errors(errors, model, order)
    result.networks = len(models)


def check_errors(errors: list[float], model: Model, order: Order) -> None:
    need(min(errors) > NOTHING, "there is no error whose order can be measured")
    moved = model.moved(("W", 1, (0, 0)), STEPS[-1])
    power = Evaluator(moved, None).value(order.power)
    need(power.is_number and power.data > 0, "an order is a power of h")
    claimed = log2(power.data.item()) / log2(STEPS[-1])
    measured = log2(errors[0] / errors[1])
    need(
        abs(measured - claimed) <= 0.1,
        f"the error is of order h^{measured:.1f}, not h^{claimed:g}",
    )


def error(
    model: Model, chain: Chain, step: float, bare_loss: Loss | None, result: Result
) -> float:
    """How far two sides are apart, in all, for an entry of each parameter."""
    total = 0.0
    for layer in range(1, model.L + 1):
        for entry in (("W", layer, (0, 0)), ("b", layer, (0,))):
            moved = model.moved(entry, step)
            evaluator = Evaluator(moved, None, chain.nodes, bare_loss)
            a, b = (evaluator.value(side.node) for side in chain.sides)
            need(a.is_number and b.is_number, "h goes with numbers")
            check_braces(evaluator, result)
            total += abs(a.data.item() - b.data.item())
            result.values += 1
    return total

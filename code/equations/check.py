"""Check the equations of chapters: every relation of every chain, in many networks."""

from itertools import pairwise
from math import log2

import torch

from . import shapes, steps
from .chains import Chain, Placed, Side, read_display
from .decimals import Decimals
from .evaluate import Evaluator, Undefined, Value, common_indices, need, shown
from .extract import Chapter, Display
from .networks import Network, networks
from .nodes import Differential, Equality, EquationError, Layer, Node, Order, walk
from .package import package_value
from .results import Failure, Result, at
from .update import updated

TOLERANCE = 1e-9  # relative; float64 leaves 1e-15 or so, a wrong formula 1e-2
NOTHING = 1e-12  # smaller numbers count as zero

STEPS = (4e-3, 2e-3)  # of the finite differences of which the order is measured


def check_display(display: Display, chapter: Chapter) -> Result:
    result = Result(display.file, display.line, display.label, display.tex)
    if display.exempt:
        result.exempt = display.exempt
        return result
    with result.noting(Placed(None, 0, display.line)):
        check_chains(display, chapter, result)
    return result


def check_chains(display: Display, chapter: Chapter, result: Result) -> None:
    chains, conditions = read_display(display, result)
    if result.failures:
        return
    checker = Checker(chapter, result, conditions)
    decimals = Decimals(display, chapter, result)
    for chain in chains:
        with result.noting(chain.sides[0]):
            if chain.of_decimals:
                refuse(*conditions, *chain.shapes)
                decimals.check(chain)
            else:
                checker.check(chain)
    if not result.failures:
        steps.check(display, [c for c in chains if not c.of_decimals], result)


class Checker:
    """Checks the chains of one display, or of one inline formula."""

    def __init__(self, chapter: Chapter, result: Result, conditions: list[Placed]):
        self.chapter, self.result = chapter, result
        self.equalities = [c for c in conditions if isinstance(c.what, Equality)]
        self.orders = [c for c in conditions if isinstance(c.what, Order)]
        self.used: set[int] = set()

    def check(self, chain: Chain) -> None:
        """Every relation of a chain; raises Failure at the first that does not hold."""
        relations = {side.relation for side in chain.sides[1:]}
        left = [n for n in walk(chain.sides[0].node) if isinstance(n, Differential)]
        if any(node.of in chain.causes for node in left):
            raise fault(chain.sides[0], "this change stands on the right, too")
        if "≈" in relations:
            self.check_order(chain)
        elif self.orders:
            raise fault(chain.sides[0], "an order of the error, but no ≈ with h")
        elif "←" in relations and len(chain.sides) > 2:
            raise fault(chain.sides[0], "an update has one ← and nothing else")
        elif chain.uses_ell and chain.range is None:
            first = chain.sides[0]
            self.result.fail(
                "ℓ stands here without a range; say for which layers this holds,"
                r" such as \quad \ell = 1, \dots, L",
                first.line,
                first.row,
            )
            self.check_where_defined(chain)
        else:
            self.check_chain(chain)

    def check_chain(self, chain: Chain) -> None:
        """In every network that meets the conditions, at every layer of the range."""
        met = list(networks())
        for condition in self.equalities:
            if all(self.meets(network, condition) for network in networks()):
                raise fault(condition, "every network meets this: no condition")
            met = [network for network in met if self.meets(network, condition)]
        tried = 0
        for network in met:
            for ell in chain.layers(network):
                self.check_in(network, chain, ell)
                tried += 1
        if tried < 2:
            raise fault(
                chain.sides[0], "no network meets the range and the conditions"
            )
        self.check_claims_no_less(chain, met)

    def check_claims_no_less(self, chain: Chain, met: list[Network]) -> None:
        """A range or a condition that is narrower than need be says something false."""
        first = chain.sides[0]
        if chain.range is not None:
            for end, step in ((chain.range.first, -1), (chain.range.last, 1)):
                beyond = [
                    self.truth(
                        chain, network, [Evaluator(network, None).layer(end) + step]
                    )
                    for network in met
                ]
                if True in beyond and False not in beyond:
                    text = beside(end, step)
                    raise fault(
                        first,
                        f"the range is too small: this holds for ℓ = {text} too",
                    )
        for network in networks():
            if network not in met and self.truth(
                chain, network, chain.layers(network)
            ):
                raise fault(
                    first, f"this holds without the condition too{where(network)}"
                )

    def truth(
        self, chain: Chain, network: Network, tries: list[int | None]
    ) -> bool | None:
        """Whether the chain holds in a network at all these layers at which its symbols
        exist; None if they exist at none."""
        exists = None
        for ell in tries:
            trial = Checker(self.chapter, Result("", 0, None, ""), [])
            try:
                trial.check_in(network, chain, ell)
                exists = True
            except Failure as failure:
                if not isinstance(failure.__cause__, Undefined):
                    return False
        return exists

    def check_where_defined(self, chain: Chain) -> None:
        """At all layers at which every symbol exists."""
        compared = False
        for network in networks():
            for ell in range(network.L + 2) if chain.uses_ell else (None,):
                try:
                    self.check_in(network, chain, ell)
                    compared = True
                except Failure as failure:
                    if not isinstance(failure.__cause__, Undefined):
                        raise
        if not compared:
            raise fault(chain.sides[0], "its symbols exist for no layer together")

    def use(self, network: Network) -> None:
        self.used.add(id(network))
        self.result.networks = len(self.used)

    def meets(self, network: Network, condition: Placed) -> bool:
        evaluator = Evaluator(network, None, self.chapter.loss)
        sides = condition.what.left, condition.what.right
        try:
            with at(condition, " (in the condition)"):
                left, right = map(evaluator.value, sides)
                need(not evaluator.claims, "a brace with a formula below")
                if condition.what.at_least:
                    need(left.is_number and right.is_number, "≥ is between numbers")
                    return bool(left.data >= right.data)
                return (
                    compare(left, right, "left side", "right side")[0] <= TOLERANCE
                )
        except Failure as failure:
            if isinstance(failure.__cause__, Undefined):
                return False
            raise

    def check_in(self, network: Network, chain: Chain, ell: int | None) -> None:
        """One network, one layer: every relation, every label, every shape."""
        evaluator = Evaluator(network, ell, self.chapter.loss)
        evaluator.causes = chain.causes
        place = where(network, ell)
        values: list[Value] = []
        for side in chain.sides:
            with at(side, place):
                after = side.relation == "" and chain.sides[1].relation == "←"
                values.append(
                    updated(evaluator, side.node)
                    if after
                    else evaluator.value(side.node)
                )
                self.check_braces(evaluator)
        for (left, right), side in zip(pairwise(values), chain.sides[1:]):
            with at(side, place):
                compared = self.equal(left, right, "left side", "right side")
                need(compared, "both sides are 0: nothing is compared")
        for row in chain.shapes:
            with at(row, place):
                shapes.check(
                    row.what, [side.node for side in chain.sides], evaluator
                )
        if network.net is not None:
            with at(chain.sides[-1], place):
                self.check_package(evaluator, chain, values)
        self.use(network)

    def check_braces(self, evaluator: Evaluator) -> None:
        """What has been evaluated is equal to the formulas under its braces."""
        for claim in evaluator.claims:
            compared = self.equal(claim.left, claim.right, "the brace", "its label")
            need(compared, "the brace and its label are 0: nothing is compared")
        evaluator.claims.clear()

    def check_package(
        self, evaluator: Evaluator, chain: Chain, values: list[Value]
    ):
        """The package's number for the left side against the last right side."""
        update = chain.sides[1].relation == "←"
        value = package_value(evaluator, chain.sides[0].node, update)
        if value is not None:
            self.equal(value, values[-1], "the package's value", "right side")
            self.result.package = True

    def equal(self, left: Value, right: Value, name: str, other: str) -> int:
        """How many numbers are equal; an EquationError where two are not."""
        difference, at, first, second = compare(left, right, name, other)
        if not difference <= TOLERANCE:
            raise EquationError(
                f"{other} is {second:.6g}, {name} is {first:.6g}{at}"
            )
        a, b = left.data, right.over(left.indices)
        count = int(((a.abs() > NOTHING) | (b.abs() > NOTHING)).sum())
        self.result.values += count
        self.result.error = max(self.result.error or 0.0, difference)
        return count

    # ------------------------------------------------------------ finite differences

    def check_order(self, chain: Chain) -> None:
        """The error of an approximation shrinks with h as the equation says."""
        right = chain.sides[-1]
        if len(self.orders) != 1 or len(chain.sides) != 2:
            raise fault(
                right,
                r"≈ with symbols needs one claim \quad \text{error of order } h",
            )
        refuse(*self.equalities, *chain.shapes)
        for network in networks():
            with at(right, where(network)):
                self.check_order_in(network, chain.sides[0].node, right.node)
            self.use(network)

    def check_order_in(self, network: Network, left: Node, right: Node) -> None:
        errors = [self.error(network, left, right, step) for step in STEPS]
        need(min(errors) > NOTHING, "there is no error whose order can be measured")
        evaluator = Evaluator(network, None)
        evaluator.step = torch.tensor(STEPS[-1], dtype=torch.float64)
        power = evaluator.value(self.orders[0].what.power)
        need(power.is_number and power.data > 0, "an order is a power of h")
        claimed = log2(power.data.item()) / log2(STEPS[-1])
        measured = log2(errors[0] / errors[1])
        need(
            abs(measured - claimed) <= 0.1,
            f"the error is of order h^{measured:.1f}, not h^{claimed:g}",
        )

    def error(
        self, network: Network, left: Node, right: Node, step: float
    ) -> float:
        """How far two sides are apart, in all, for an entry of each parameter."""
        total = 0.0
        for layer in range(1, network.L + 1):
            for weight in (("W", layer, (0, 1)), ("b", layer, (1,))):
                evaluator = Evaluator(network, None, self.chapter.loss)
                evaluator.weight = weight
                evaluator.step = torch.tensor(step, dtype=torch.float64)
                a, b = evaluator.value(left), evaluator.value(right)
                need(a.is_number and b.is_number, "h goes with numbers")
                self.check_braces(evaluator)
                total += abs(a.data.item() - b.data.item())
                self.result.values += 1
        return total


def compare(left: Value, right: Value, name: str, other: str):
    """The largest difference, relative to the largest number; where it is, in words;
    and the two numbers there. An EquationError where shapes or free indices differ."""
    need(
        left.shape == right.shape and left.matrix == right.matrix,
        f"{other} is {shown(right.shape)}, {name} is {shown(left.shape)}",
    )
    for one, two, side in ((left, right, name), (right, left, other)):
        for index in one.indices:
            need(index in two.indices, f"index {index} is free on the {side} only")
    common_indices([left, right])  # raises where an index has two ranges
    a, b = left.data.detach(), right.over(left.indices).detach()
    scale = max(a.abs().max().item(), b.abs().max().item(), NOTHING)
    differences = (a - b).abs()
    place = torch.unravel_index(differences.argmax(), a.shape) if a.dim() else ()
    names = (*left.indices, *(("row", "column") if left.matrix else ()))
    at = ", ".join(f"{name} {int(k) + 1}" for name, k in zip(names, place))
    difference = differences.max().item() / scale
    return difference, f" at {at}" if at else "", a[place].item(), b[place].item()


def beside(layer: Layer, step: int) -> Layer:
    """The layer a step away."""
    if isinstance(layer.base, int):
        return Layer(layer.base + step)
    return Layer(layer.base, layer.offset + step)


def fault(spot: Side | Placed, message: str) -> Failure:
    return Failure(message, spot.line, spot.row)


def refuse(*others: Placed) -> None:
    """Numbers that are not exact take no conditions and no shapes: none evaluates
    them there."""
    for other in others:
        raise fault(
            other, "beside decimal numbers or an order nothing else is claimed"
        )


def where(network: Network, ell: int | None = None) -> str:
    return f" ({network}{'' if ell is None else f'; ℓ = {ell}'})"

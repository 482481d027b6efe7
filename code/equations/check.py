"""Check the equations of chapters: every relation of every chain, in many networks."""

from collections.abc import Iterator
from itertools import pairwise
from math import log2

import torch

from . import shapes, steps
from .chains import Chain, Side, read_display
from .decimals import check_decimals
from .evaluate import Evaluator, Undefined, Value, common_indices, need, shown
from .extract import Chapter, Display
from .networks import Network, networks
from .package import package_value
from .parse import Equality, EquationError, Layer, Loss, Order, parse_row
from .results import Failure, Result
from .update import updated

TOLERANCE = 1e-9  # relative; float64 leaves 1e-15 or so, a wrong formula 1e-2
NOTHING = 1e-12  # smaller numbers count as zero

STEPS = (4e-3, 2e-3)  # of the finite differences of which the order is measured


def check_display(display: Display, chapter: Chapter) -> Result:
    result = Result(display.file, display.line, display.label, display.tex)
    if display.exempt:
        result.exempt = display.exempt
        return result
    chains, conditions = read_display(display, result)
    if result.failures:
        return result
    checker = Checker(chapter, result, conditions)
    for chain in chains:
        try:
            if chain.of_decimals:
                check_decimals(chain, display, chapter, result)
            else:
                checker.check(chain)
        except Failure as failure:
            result.fail(str(failure), failure.line, failure.row)
    if not result.failures:
        steps.check(display, [c for c in chains if not c.of_decimals], result)
    return result


class Checker:
    """Checks the chains of one display, or of one inline formula."""

    def __init__(self, chapter: Chapter, result: Result, conditions: list):
        self.chapter, self.result = chapter, result
        self.equalities = [c for c in conditions if isinstance(c, Equality)]
        self.orders = [c for c in conditions if isinstance(c, Order)]
        self.used: set[int] = set()
        self.bare_loss: Loss | None = None
        if chapter.loss:
            for side in parse_row(chapter.loss).sides:
                if isinstance(side, Loss) and side.arguments:
                    self.bare_loss = side

    def check(self, chain: Chain) -> None:
        """Every relation of a chain; raises Failure at the first that does not hold."""
        relations = {side.relation for side in chain.sides[1:]}
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
        met = [network for network in networks() if self.holds(network)]
        tried = 0
        for network in met:
            for ell in layers(chain, network):
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
                    self.truth(chain, network, [ends(network).layer(end) + step])
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
                chain, network, list(layers(chain, network))
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

    def holds(self, network: Network) -> bool:
        """Whether a network meets all conditions."""
        evaluator = Evaluator(network, None, self.bare_loss)
        for condition in self.equalities:
            try:
                left, right = map(
                    evaluator.value, (condition.left, condition.right)
                )
                if condition.at_least:
                    need(left.is_number and right.is_number, "≥ is between numbers")
                    met = bool(left.data >= right.data)
                else:
                    difference = compare(left, right, "left side", "right side")[0]
                    met = difference <= TOLERANCE
            except Undefined:
                return False
            except EquationError as error:
                message = f"in the condition: {error}"
                raise Failure(message, self.result.line, 0) from error
            if not met:
                return False
        return True

    def check_in(self, network: Network, chain: Chain, ell: int | None) -> None:
        """One network, one layer: every relation, every label, every shape."""
        evaluator = Evaluator(network, ell, self.bare_loss)
        evaluator.causes = chain.causes
        values: list[Value] = []
        for side in chain.sides:
            try:
                after = side.relation == "" and chain.sides[1].relation == "←"
                values.append(
                    updated(evaluator, side.node)
                    if after
                    else evaluator.value(side.node)
                )
                for claim in evaluator.claims:
                    self.equal(claim.left, claim.right, "the brace", "its label")
                evaluator.claims.clear()
            except EquationError as error:
                raise fault(side, f"{error}{where(network, ell)}") from error
        for (left, right), pair in zip(pairwise(values), chain.relations):
            try:
                compared = self.equal(left, right, "left side", "right side")
                need(compared, "both sides are 0: nothing is compared")
            except EquationError as error:
                raise fault(pair[1], f"{error}{where(network, ell)}") from error
        for row, number, line in chain.shapes:
            try:
                shapes.check(row, [side.node for side in chain.sides], evaluator)
            except EquationError as error:
                message = f"{error}{where(network, ell)}"
                raise Failure(message, line, number) from error
        if network.net is not None:
            self.check_package(evaluator, chain, values)
        self.use(network)

    def check_package(
        self, evaluator: Evaluator, chain: Chain, values: list[Value]
    ):
        """The package's number for the left side against the last right side."""
        first, last = chain.sides[0], chain.sides[-1]
        try:
            update = chain.sides[1].relation == "←"
            value = package_value(evaluator, first.node, update)
            if value is not None:
                self.equal(value, values[-1], "the package's value", "right side")
                self.result.package = True
        except EquationError as error:
            place = where(evaluator.network, evaluator.ell)
            raise fault(last, f"{error}{place}") from error

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
        first, right = chain.sides[0], chain.sides[-1]
        if len(self.orders) != 1 or len(chain.sides) != 2:
            raise fault(
                right,
                r"≈ with symbols needs one claim \quad \text{error of order } h",
            )
        for network in networks():
            entries = [
                entry
                for layer in range(1, network.L + 1)
                for entry in (("W", layer, (0, 1)), ("b", layer, (1,)))
            ]
            errors = []
            try:
                for step in STEPS:
                    total = 0.0
                    for entry in entries:
                        evaluator = Evaluator(network, None, self.bare_loss)
                        evaluator.weight = entry
                        evaluator.step = torch.tensor(step, dtype=torch.float64)
                        a, b = (
                            evaluator.value(first.node),
                            evaluator.value(right.node),
                        )
                        need(a.is_number and b.is_number, "h goes with numbers")
                        total += abs(a.data.item() - b.data.item())
                    errors.append(total)
                power = evaluator.value(self.orders[0].power).data.item()
            except EquationError as error:
                raise fault(right, str(error)) from error
            claimed = log2(power) / log2(STEPS[-1])
            measured = log2(errors[0] / errors[1]) if min(errors) > NOTHING else 0.0
            if abs(measured - claimed) > 0.1:
                raise fault(
                    right,
                    f"the error is of order h^{measured:.1f}, not h^{claimed:g}"
                    f"{where(network)}",
                )
            self.result.values += len(entries)
            self.use(network)


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


def layers(chain: Chain, network: Network) -> Iterator[int | None]:
    """The layers of the range in a network; None once where there is no ℓ."""
    if chain.range is None:
        yield None
        return
    first, last = chain.range.first, chain.range.last
    yield from range(ends(network).layer(first), ends(network).layer(last) + 1)


def ends(network: Network) -> Evaluator:
    """Evaluates the ends of ranges."""
    return Evaluator(network, None)


def beside(layer: Layer, step: int) -> Layer:
    """The layer a step away."""
    if isinstance(layer.base, int):
        return Layer(layer.base + step)
    return Layer(layer.base, layer.offset + step)


def fault(side: Side, message: str) -> Failure:
    return Failure(message, side.line, side.row)


def where(network: Network, ell: int | None = None) -> str:
    return f" ({network}{'' if ell is None else f'; ℓ = {ell}'})"

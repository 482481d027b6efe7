"""Check the equations of chapters: every relation of every chain, in many networks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import log2

import torch

from . import shapes, steps
from .evaluate import (
    Evaluator,
    Undefined,
    Value,
    common_indices,
    need,
    picked,
    shown,
)
from .extract import Chapter, Display, Inline
from .networks import Network, PencilNetwork, networks
from .package import package_value
from .parse import (
    Differential,
    Equality,
    EquationError,
    Function,
    Layer,
    Loss,
    Node,
    Number,
    Order,
    Quantity,
    Range,
    Row,
    Shape,
    parse_row,
    walk,
)

TOLERANCE = 1e-9  # relative; float64 leaves 1e-15 or so, a wrong formula 1e-2
NOTHING = 1e-12  # smaller numbers count as zero

STEPS = (4e-3, 2e-3)  # of the finite differences of which the order is measured

ENVIRONMENT = re.compile(r"\\(?:begin|end)\{aligned\}")
ROW_END = re.compile(r"\\\\(?:\[[^\]]*\])?")


@dataclass
class Side:
    node: Node
    row: int
    line: int
    relation: str  # that leads to it; empty at the first


@dataclass
class Chain:
    """Sides joined by relations, with the rows of shapes below."""

    sides: list[Side]
    shapes: list[tuple[Row, int, int]] = field(default_factory=list)
    range: Range | None = None

    @property
    def relations(self) -> list[tuple[Side, Side]]:
        return list(pairwise(self.sides))

    def nodes(self) -> Iterator[Node]:
        return walk(tuple(side.node for side in self.sides))

    @property
    def of_decimals(self) -> bool:
        """Whether it is about decimal numbers, and so about one network."""
        return any(
            isinstance(node, Number) and "." in node.text for node in self.nodes()
        )

    @property
    def uses_ell(self) -> bool:
        layers = (
            node.layer
            for node in self.nodes()
            if isinstance(node, Quantity | Function)
        )
        return any(layer is not None and layer.base == "ell" for layer in layers)

    @property
    def causes(self) -> list[Quantity]:
        """The quantities that change by themselves: all on the right."""
        right = tuple(side.node for side in self.sides[1:])
        return [
            node.of
            for node in walk(right)
            if isinstance(node, Differential) and isinstance(node.of, Quantity)
        ]


@dataclass
class Result:
    """What the check of one equation found. ``values`` counts comparisons of numbers
    that are not both zero, ``error`` is the largest relative difference."""

    file: str
    line: int
    label: str | None
    tex: str
    rows: int = 0
    networks: int = 0
    values: int = 0
    error: float = 0.0
    package: bool = False
    exempt: str | None = None
    failures: list[str] = field(default_factory=list)

    def fail(self, message: str, line: int | None = None, row: int | None = None):
        place = f"{self.file}:{line or self.line}"
        label = f" ({self.label})" if self.label else ""
        at_row = f", row {row}" if row else ""
        self.failures.append(f"{place}{label}{at_row}: {message}")


class Failure(Exception):
    """One claim that does not hold, with its place."""

    def __init__(self, side: Side, message: str):
        super().__init__(message)
        self.side = side


# ---------------------------------------------------------------- displays


def check_display(display: Display, chapter: Chapter) -> Result:
    result = Result(display.file, display.line, display.label, display.tex)
    if display.exempt:
        result.exempt = display.exempt
        return result
    chains, conditions = read_display(display, result)
    if result.failures:
        return result
    Checker(chapter, result, conditions).check(chains)
    if not result.failures:
        steps.check(display, [c for c in chains if not c.of_decimals], result)
    return result


def read_display(display: Display, result: Result) -> tuple[list[Chain], list]:
    """The chains of a display and its conditions; what cannot be read is a failure."""
    chains: list[Chain] = []
    conditions: list[Equality | Order] = []
    ranges: list[Range] = []
    for number, line, tex in rows(display):
        result.rows = number
        try:
            row = parse_row(tex)
            for condition in row.conditions:
                if isinstance(condition, Range):
                    ranges.append(condition)
                else:
                    conditions.append(condition)
            add_row(row, number, line, chains)
        except EquationError as error:
            result.fail(str(error), line, number)
    for chain in chains:
        if len(ranges) == 1:
            chain.range = ranges[0]
        if len(chain.sides) < 2:
            result.fail("nothing is claimed: the row has no relation", display.line)
    if len(ranges) > 1:
        result.fail("two ranges in one display")
    if not chains and not result.failures:
        result.fail("no equation stands here")
    return chains, conditions


def rows(display: Display) -> Iterator[tuple[int, int, str]]:
    """Number, line in the file, and TeX of each row; two for a row of two columns."""
    for number, place, text in pieces(display.tex):
        skipped = place + len(text) - len(text.lstrip("& \n"))
        yield number, display.line + display.tex.count("\n", 0, skipped), text


def pieces(tex: str) -> Iterator[tuple[int, int, str]]:
    """Number, place in the TeX, and text of each row, as in `rows`."""
    tex = ENVIRONMENT.sub(lambda match: " " * len(match[0]), tex)
    start, found = 0, []
    for end in (*ROW_END.finditer(tex), None):
        stop = end.start() if end else len(tex)
        found.append((start, tex[start:stop]))
        start = end.end() if end else stop
    if not found[-1][1].strip():
        found.pop()
    for number, (offset, piece) in enumerate(found, start=1):
        cells = piece.split("&")
        for first in range(0, len(cells), 2):
            text = "&".join(cells[first : first + 2])
            yield number, offset + len("&".join(cells[:first])) + (first > 0), text


def add_row(row: Row, number: int, line: int, chains: list[Chain]) -> None:
    """Continue the last chain, put shapes below it, or begin a new one."""
    if not row.sides:
        return
    continued = len(row.sides) == len(row.relations)
    need(
        chains or not continued, "the row continues a chain, but none stands above"
    )
    if any(isinstance(node, Shape) for node in walk(row.sides)):
        need(chains, "the row gives shapes, but no equation stands above")
        chains[-1].shapes.append((row, number, line))
        return
    relations = row.relations if continued else ("", *row.relations)
    sides = [
        Side(node, number, line, relation)
        for node, relation in zip(row.sides, relations)
    ]
    if continued:
        chains[-1].sides += sides
    else:
        chains.append(Chain(sides))


# ---------------------------------------------------------------- values


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

    def check(self, chains: list[Chain]) -> None:
        for chain in chains:
            try:
                if chain.of_decimals:
                    self.check_numbers(chain)
                elif any(side.relation == "≈" for side in chain.sides):
                    self.check_order(chain)
                else:
                    self.check_chain(chain)
            except Failure as failure:
                self.result.fail(str(failure), failure.side.line, failure.side.row)
        self.result.networks = len(self.used)

    def check_chain(self, chain: Chain) -> None:
        """In every network that meets the conditions, at every layer of the range."""
        first = chain.sides[0]
        if chain.uses_ell and chain.range is None:
            self.result.fail(
                "ℓ stands here without a range; say for which layers this holds,"
                r" such as \quad \ell = 1, \dots, L",
                first.line,
                first.row,
            )
            self.check_where_defined(chain)
            return
        if not chain.uses_ell and chain.range is not None:
            raise Failure(first, "a range is stated, but no ℓ stands here")
        met = [network for network in networks() if self.holds(network)]
        if len(met) < 2:
            raise Failure(first, "no network meets the condition")
        for network in met:
            for ell in layers(chain, network):
                self.check_in(network, chain, ell)
        self.check_claims_no_less(chain, met)

    def check_claims_no_less(self, chain: Chain, met: list[Network]) -> None:
        """A range or a condition that is narrower than need be says something false."""
        first = chain.sides[0]
        if chain.range is not None:
            for end, step in ((chain.range.first, -1), (chain.range.last, 1)):
                beyond = [
                    (network, Evaluator(network, None).layer(end) + step)
                    for network in met
                ]
                if self.holds_beyond(chain, beyond):
                    text = Layer(end.base, end.offset + step)
                    raise Failure(
                        first,
                        f"the range is too small: this holds for ℓ = {text} too",
                    )
        others = [network for network in networks() if network not in met]
        tries = [
            (network, ell) for network in others for ell in layers(chain, network)
        ]
        if self.holds_beyond(chain, tries):
            raise Failure(first, "this holds without the condition too")

    def holds_beyond(
        self, chain: Chain, tries: list[tuple[Network, int | None]]
    ) -> bool:
        """Whether the chain is true wherever its symbols exist, and exist they do."""
        defined = False
        for network, ell in tries:
            trial = Checker(self.chapter, Result("", 0, None, ""), [])
            try:
                trial.check_in(network, chain, ell)
                defined = True
            except Failure as failure:
                if not isinstance(failure.__cause__, Undefined):
                    return False
        return defined

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
            raise Failure(chain.sides[0], "its symbols exist for no layer together")

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
                place = Side(condition.left, 0, self.result.line, "")
                raise Failure(place, f"in the condition: {error}") from error
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
                raise Failure(side, f"{error}{where(network, ell)}") from error
        for (left, right), pair in zip(pairwise(values), chain.relations):
            try:
                compared = self.equal(left, right, "left side", "right side")
                need(compared, "both sides are 0: nothing is compared")
            except EquationError as error:
                raise Failure(pair[1], f"{error}{where(network, ell)}") from error
        for row, number, line in chain.shapes:
            try:
                shapes.check(row, [side.node for side in chain.sides], evaluator)
            except EquationError as error:
                side = Side(row.sides[0], number, line, "")
                raise Failure(side, f"{error}{where(network, ell)}") from error
        if network.net is not None:
            self.check_package(evaluator, chain, values)
        self.used.add(id(network))

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
            raise Failure(last, f"{error}{place}") from error

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
        self.result.error = max(self.result.error, difference)
        return count

    # ------------------------------------------------------------ numbers of a chapter

    def check_numbers(self, chain: Chain) -> None:
        """Decimal numbers, against each other and against the chapter's own network."""
        numbers = self.chapter.numbers
        if numbers is None:
            network: Network = networks()[0]
        else:
            network = PencilNetwork(numbers, self.chapter.learning_rate)
            self.used.add(0)
        evaluator = Evaluator(network, None, self.bare_loss)
        for left, right in chain.relations:
            symbols = [has_symbols(side.node) for side in (left, right)]
            try:
                need(
                    numbers is not None or not any(symbols),
                    "numbers and symbols: no cell tagged `pencil` says which network",
                )
                if right.relation == "←":
                    a = updated(evaluator, left.node)
                else:
                    a = evaluator.value(left.node)
                b = evaluator.value(right.node)
                need(a.is_number and b.is_number, "only numbers are near numbers")
                self.near(a, b, tolerance(right, any(symbols)))
            except EquationError as error:
                raise Failure(right, str(error)) from error

    def near(self, left: Value, right: Value, allowed: float) -> None:
        a, b = left.data.item(), right.data.item()
        need(abs(a - b) <= allowed, f"right side is {b:.6g}, left side is {a:.6g}")
        self.result.values += 1

    # ------------------------------------------------------------ finite differences

    def check_order(self, chain: Chain) -> None:
        """The error of an approximation shrinks with h as the equation says."""
        first, right = chain.sides[0], chain.sides[-1]
        if len(self.orders) != 1 or len(chain.sides) != 2:
            raise Failure(
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
                raise Failure(right, str(error)) from error
            claimed = log2(power) / log2(STEPS[-1])
            measured = log2(errors[0] / errors[1]) if min(errors) > NOTHING else 0.0
            if abs(measured - claimed) > 0.1:
                raise Failure(
                    right,
                    f"the error is of order h^{measured:.1f}, not h^{claimed:g}"
                    f"{where(network, None)}",
                )
            self.result.values += len(entries)
            self.used.add(id(network))


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
    ends = Evaluator(network, None)
    yield from range(
        ends.layer(chain.range.first), ends.layer(chain.range.last) + 1
    )


def updated(evaluator: Evaluator, node: Node) -> Value:
    """The parameter on the left of an arrow, after one step of gradient descent."""
    if not isinstance(node, Quantity) or node.letter not in ("W", "b"):
        raise EquationError("← updates a weight or a bias")
    need(evaluator.network.eta is not None, "the text has not said what η is")
    evaluator.tensor(node)  # raises where there is no such layer
    parameter = evaluator.network.updated(node.letter, evaluator.layer(node.layer))
    return picked(parameter, node)


def where(network: Network, ell: int | None) -> str:
    return f" ({network}{'' if ell is None else f'; ℓ = {ell}'})"


def has_symbols(node: Node) -> bool:
    return any(isinstance(part, Quantity | Loss) for part in walk(node))


def tolerance(right: Side, symbols: bool) -> float:
    """How far two numbers may be apart. '=' is exact. '≈' is right to the last digit
    that is printed; against a symbol the last digit may be one off, since numbers
    rounded by hand stand between."""
    if right.relation == "=":
        return 1e-12
    digits = max(
        (
            len(node.text.partition(".")[2])
            for node in walk(right.node)
            if isinstance(node, Number)
        ),
        default=0,
    )
    need(digits, "≈ needs decimal digits behind it")
    return (1.01 if symbols else 0.501) * 10**-digits


# ---------------------------------------------------------------- inline formulas

CORE = {"W", "b", "z", "Z", "delta", "Delta", r"\mathcal{L}"}
KNOWN = CORE | {"x", "X", "y", "Y", "G", "N", "n", "K", "L", "d", "T", r"\ell"}
SIGN = re.compile(
    r"\\math(?:bf|rm|cal)\{[^}]*\}|\\(?:textbf|boldsymbol|text|operatorname)\{[^}]*\}"
    r"|\\[A-Za-z]+|[A-Za-z]"
)
OTHER_NAME = re.compile(r"_\{\\(?:mathrm|text)\{(?!in\}|out\}|MSE\})")
SIGNS = {
    *(
        rf"\{word}"
        for word in ("sigma", "sum", "cdot", "odot", "top", "frac", "partial")
    ),
    *(
        rf"\{word}"
        for word in ("nabla", "left", "right", "prime", "underbrace", "ell")
    ),
    *(
        r"\mathrm{in}",
        r"\mathrm{out}",
        r"\mathrm{MSE}",
        r"\text{in}",
        r"\text{out}",
    ),
    r"\mathbf{1}",
}


def claims(tex: str) -> bool:
    """Whether an inline formula equates what is made of W, b, z, δ, Z, Δ, 𝓛.

    Others state conditions (n = 5), give numbers, or name things of their own.
    """
    if OTHER_NAME.search(tex):
        return False
    sides = re.sub(r"_\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|_[a-z]", "", tex).split("=")
    found = [{bare(sign) for sign in SIGN.findall(side)} for side in sides]
    return len(found) > 1 and all(
        names & CORE and names <= KNOWN | SIGNS for names in found
    )


def bare(sign: str) -> str:
    """A letter without its font."""
    match = re.fullmatch(r"\\(?:mathbf|textbf|boldsymbol)\{\\?([A-Za-z]+)\}", sign)
    if match:
        return match[1]
    return sign[1:] if sign in (r"\delta", r"\Delta") else sign


def check_inline(inline: Inline, chapter: Chapter) -> Result | None:
    """The check of an inline formula, None where it claims nothing."""
    if not claims(inline.tex):
        return None
    result = Result(inline.file, inline.line, None, inline.tex, rows=1)
    display = Display(inline.file, inline.line, inline.tex)
    chains, conditions = read_display(display, result)
    if not result.failures:
        checker = Checker(chapter, result, conditions)
        try:
            for chain in chains:
                checker.check_where_defined(chain)
        except Failure as failure:
            result.fail(str(failure), failure.side.line)
        result.networks = len(checker.used)
    return result

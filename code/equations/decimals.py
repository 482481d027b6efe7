"""Check chains of decimal numbers, as one works them out by hand."""

import re

from .chains import Chain, has_symbols
from .evaluate import COMPARISONS, ORDERS, Evaluator
from .extract import Chapter, Display
from .networks import Network, PencilNetwork, networks
from .nodes import Node, Number, Row, Sum, Underbrace, walk
from .results import Result, at
from .values import need

RESULT = re.compile(
    r"(?:=|\\approx)\s*-?(\d+\.\d+)\s*(?=\\\\|\\approx|\\end|[&=,.]|$)"
)


class Decimals:
    """Checks the chains of decimal numbers of one display: the numbers against each
    other, and against the network of the chapter's own numbers."""

    def __init__(self, display: Display, chapter: Chapter, result: Result):
        self.result = result
        self.has_network = chapter.numbers is not None
        network: Network = networks()[0]
        if chapter.numbers is not None:
            network = PencilNetwork(chapter.numbers, chapter.learning_rate)
        self.evaluator = Evaluator(network, None)
        self.known = numbers_before(display, chapter)

    def check(self, chain: Chain) -> None:
        """Raises Failure where two numbers differ, or where one that is used was not
        found before."""
        self.result.networks = int(self.has_network)
        for side in chain.sides:
            with at(side, " (a brace, with its label as right side)"):
                self.check_braces(side.node)
        for left, right in chain.relations:
            with at(right):
                self.compare(left.node, right.node, right.relation)
                for side in (left, right):
                    check_carried(side.node, self.known)

    def check_row(self, row: Row) -> None:
        """Numbers alone, or what the symbols of the chapter's network are."""
        for side in row.sides:
            self.check_braces(side)
        for left, right, relation in zip(row.sides, row.sides[1:], row.relations):
            self.compare(left, right, relation)

    def check_braces(self, node: Node) -> None:
        for part in walk(node):
            if isinstance(part, Underbrace) and part.label is not None:
                self.compare(part.body, part.label, "under")

    def compare(self, left: Node, right: Node, relation: str) -> None:
        symbols = has_symbols(left) or has_symbols(right)
        by_hand = symbols and not is_result(right)
        need(
            self.has_network or not symbols,
            "numbers and symbols: no cell tagged `pencil` says which network",
        )
        if relation == "←":
            a = self.evaluator.after_step(left)
        else:
            a = self.evaluator.value(left)
        b = self.evaluator.value(right)
        need(a.is_number and b.is_number, "only numbers are near numbers")
        one, other = a.data.item(), b.data.item()
        self.result.values += 1
        if relation in ORDERS:
            need(
                bool(COMPARISONS[relation](a.data, b.data)),
                f"left side is {one:.6g}, right side is {other:.6g}: not {relation}",
            )
            return
        printed = (left, right) if relation == "under" else right
        need(
            abs(one - other) <= tolerance(printed, relation, by_hand, one),
            f"right side is {other:.6g}, left side is {one:.6g}",
        )
        if is_result(right):
            self.known |= set(decimals_of(right))


def check_carried(node: Node, known: set[str]) -> None:
    """The numbers in a term are given ones, or results printed before."""
    if is_result(node):
        return
    for text in decimals_of(node):
        need(text in known, f"{text} is neither given nor a result printed before")


def is_result(node: Node) -> bool:
    """A number alone, perhaps with a sign."""
    match node:
        case Number() | Sum(terms=((_, Number()),)):
            return True
    return False


def numbers_before(display: Display, chapter: Chapter) -> set[str]:
    """The decimal numbers of the chapter's network, and the results of all displays
    above this one, as they are printed."""
    given = str([chapter.numbers, chapter.learning_rate])
    known = set(re.findall(r"\d+\.\d+", given))
    for earlier in chapter.displays:
        if earlier.line < display.line:
            known |= set(RESULT.findall(earlier.tex))
    return known


def decimals_of(node) -> list[str]:
    """The decimal numbers in a node, as they are printed."""
    return [
        part.text
        for part in walk(node)
        if isinstance(part, Number) and "." in part.text
    ]


def tolerance(printed, relation: str, by_hand: bool, size: float) -> float:
    """How far two numbers may be apart. '=' is exact, to the rounding of float64 at
    numbers of this size. '≈' and what stands under a brace are right to the last digit
    that is printed; between a symbol and a term that is worked out by hand it may be
    one off, since rounded numbers stand in it."""
    if relation == "=":
        return 1e-14 * abs(size)
    digits = max(
        (len(text.partition(".")[2]) for text in decimals_of(printed)), default=0
    )
    if not digits and relation == "under":
        return 1e-14 * abs(size)
    need(digits, "≈ needs decimal digits behind it")
    return (1.01 if by_hand else 0.501) * 10**-digits

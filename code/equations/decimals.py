"""Check chains of decimal numbers, as one works them out by hand."""

import re

from .chains import Chain, Side
from .evaluate import Evaluator, need
from .extract import Chapter, Display
from .networks import Network, PencilNetwork, networks
from .parse import EquationError, Loss, Node, Number, Quantity, Sum, walk
from .results import Failure, Result
from .update import updated

RESULT = re.compile(r"(?:=|\\approx)\s*-?(\d+\.\d+)\s*(?=[\\&=,]|$)")


def check_decimals(
    chain: Chain, display: Display, chapter: Chapter, result: Result
) -> None:
    """Numbers against each other, and against the network of the chapter's own numbers.

    Raises Failure where two differ, or where a number that is used was not found
    before.
    """
    network: Network = networks()[0]
    if chapter.numbers is not None:
        network = PencilNetwork(chapter.numbers, chapter.learning_rate)
        result.networks = 1
    evaluator = Evaluator(network, None)
    known = numbers_before(display, chapter)
    for left, right in chain.relations:
        symbols = has_symbols(left.node) or has_symbols(right.node)
        try:
            need(
                chapter.numbers is not None or not symbols,
                "numbers and symbols: no cell tagged `pencil` says which network",
            )
            if right.relation == "←":
                a = updated(evaluator, left.node)
            else:
                a = evaluator.value(left.node)
            b = evaluator.value(right.node)
            need(a.is_number and b.is_number, "only numbers are near numbers")
            one, other = a.data.item(), b.data.item()
            need(
                abs(one - other) <= tolerance(right, symbols),
                f"right side is {other:.6g}, left side is {one:.6g}",
            )
            for side in (left, right):
                check_carried(side.node, known)
        except EquationError as error:
            raise Failure(str(error), right.line, right.row) from error
        result.values += 1


def check_carried(node: Node, known: set[str]) -> None:
    """The numbers in a term are given ones, or results printed before."""
    if is_result(node):
        return
    for part in walk(node):
        if isinstance(part, Number) and "." in part.text:
            need(
                part.text in known,
                f"{part.text} is neither given nor a result printed before",
            )


def is_result(node: Node) -> bool:
    """A number alone, perhaps with a sign."""
    match node:
        case Number() | Sum(terms=((_, Number()),)):
            return True
    return False


def numbers_before(display: Display, chapter: Chapter) -> set[str]:
    """The decimal numbers of the chapter's network, and the results of all displays
    up to this one, as they are printed."""
    given = str([chapter.numbers, chapter.learning_rate])
    known = set(re.findall(r"\d+\.\d+", given))
    for earlier in chapter.displays:
        if earlier.line < display.line:
            known |= set(RESULT.findall(earlier.tex))
    return known | set(RESULT.findall(display.tex))


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

"""What readers see of an equation whose right side they write: its left side, and symbols that its form has."""

from collections.abc import Iterator
from dataclasses import dataclass

from equations.nodes import (
    Derivative,
    Function,
    Gradient,
    Node,
    Ones,
    Quantity,
    Row,
    Transpose,
    Underbrace,
    children,
    walk,
)
from equations.speech.formulas import vocabulary
from equations.speech.say import say

from .chosen import Book, Claim, Part
from .marked import RELATIONS, in_a_line
from .script import equations
from .typed import definitions


@dataclass(frozen=True)
class Blank:
    """An equation without its right side. ``form`` is "function" where it is a slope."""

    label: str
    number: str
    form: str
    tex: str
    speech: str


@dataclass(frozen=True)
class Symbol:
    """``typed`` is what to write of it, with | for what is inside, and ``tex`` what it looks like."""

    typed: str
    tex: str
    speech: str


def blanks(book: Book) -> list[Blank]:
    """Those of all equations of which a right side can be judged. Errors are those of `write`."""
    return [
        Blank(label, number, form, left(claim), spoken(claim.left.node, claim))
        for label, number, form, claim in claims(book)
    ]


def symbols(book: Book) -> dict[str, list[Symbol]]:
    """Those on the right sides of all equations of a form, and sums over each of its letters, by forms, so that they do
    not say what is in one of them."""
    found: dict[str, dict[str, Symbol]] = {}
    letters: dict[str, set[str]] = {}
    for _, _, form, claim in claims(book):
        for each in symbols_of(claim.right.node, claim):
            found.setdefault(form, {}).setdefault(each.typed, each)
        letters.setdefault(form, set()).update(indices(claim.right.node))
    return {
        form: [*each.values(), *map(sum_over, sorted(letters[form]))]
        for form, each in found.items()
    }


def indices(node: Node) -> Iterator[str]:
    """The letters of all indices in a formula."""
    for each in walk(node):
        yield from getattr(each, "indices", ())


def sum_over(index: str) -> Symbol:
    sign = rf"\sum_{{{index}}}"
    return Symbol(f"{sign} ", sign, f"sum over {index}")


def claims(book: Book) -> Iterator[tuple[str, str, str, Claim]]:
    """Label, number and form of each equation, and what it says."""
    for each in equations(book):
        yield each.label, each.number, each.form, each.claim
    for label, claim in definitions(book).items():
        yield label, book.numbers[label][0], "function", claim


def left(claim: Claim) -> str:
    found = f"{text(claim.left, claim.left.node)} {RELATIONS[claim.relation]}"
    if claim.range is None:
        return rf"{found} \;?"
    first, last = claim.range
    return rf"{found} \;?\,, \quad \ell = {first}, \dots, {last}"


def text(part: Part, node: Node) -> str:
    start, end = (place - part.start for place in node.span)
    return in_a_line(part.tex[start:end])


def spoken(node: Node, claim: Claim) -> str:
    return say(Row((node,), (), ()), vocabulary(claim.chapter))


def symbols_of(node: Node, claim: Claim) -> Iterator[Symbol]:
    match node:
        case Quantity() | Ones() | Derivative() | Gradient():
            tex = text(claim.right, node)
            yield Symbol(tex, tex, spoken(node, claim))
            return
        case Transpose(
            of=Quantity() as of
        ):  # the sign stands in what is transposed
            tex = text(claim.right, of)
            yield Symbol(tex, tex, spoken(node, claim))
            return
        case Underbrace():
            yield from symbols_of(node.body, claim)
            return
        case Function():
            argument = f"({text(claim.right, node.argument)})"
            head = text(claim.right, node).removesuffix(argument)
            name = spoken(node, claim).removesuffix(spoken(node.argument, claim))
            yield Symbol(f"{head}(|)", rf"{head}(\,)", f"{name}…")
    for child in children(node):
        yield from symbols_of(child, claim)

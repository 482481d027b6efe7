"""Say the tree of a formula in words.

The words alone determine the tree; commas are pauses, and mean nothing. What binds less
than its place asks for is said as 'the quantity ... end quantity'.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from ..nodes import (
    Blank,
    Cases,
    Changes,
    Comparison,
    Derivative,
    Diagonal,
    Differential,
    Element,
    Equality,
    Exponential,
    Fraction,
    Function,
    Gradient,
    Inner,
    Listed,
    Loss,
    Named,
    Node,
    Number,
    Ones,
    Order,
    Power,
    Product,
    Quantity,
    Range,
    Root,
    Row,
    Shape,
    Sum,
    SumOver,
    SumOverLayers,
    Trace,
    Transpose,
    Underbrace,
)
from . import words
from .binding import (
    CLOSED,
    FACTOR,
    PRODUCT,
    SUM,
    UNIT,
    binding,
    is_negative,
    is_short,
    is_spectral,
)
from .words import Vocabulary

POWERS = {2: "squared", 3: "cubed"}
SIGNS = {"+": "plus", "-": "minus"}
# A layer that a number behind 'plus' or 'minus' would seem to belong to.
OPEN_LAYER = re.compile(r"\blayer (?:ell|capital L)$")


def say(
    what: Node | Row, known: Vocabulary, defined: frozenset[int] = frozenset()
) -> str:
    """A side or a row in words; ``defined`` are the places of the relations in a row
    that define what stands before them."""
    speaker = Speaker(known)
    if isinstance(what, Row):
        return speaker.row(what, defined)
    return speaker.at(what, SUM)


def power(exponent: int) -> str:
    if exponent in POWERS:
        return POWERS[exponent]
    return f"to the power {'minus ' * (exponent < 0)}{abs(exponent)}"


def bracketed(said: str) -> str:
    return f"the quantity {said}, end quantity"


def pause(said: str) -> str:
    """Behind more than one word."""
    return "," if " " in said else ""


def joined(parts: Iterable[str], sign: str) -> str:
    """Parts with a sign between them, and a pause before it where a part is long."""
    first, *others = parts
    for other in others:
        first = f"{first}{pause(first)} {sign} {other}"
    return first


class Speaker:
    def __init__(self, known: Vocabulary):
        self.known = known

    def row(self, row: Row, defined: frozenset[int]) -> str:
        relations = [
            words.DEFINED
            if place in defined and relation == "="
            else words.RELATIONS[relation]
            for place, relation in enumerate(row.relations)
        ]
        sides = [self.side(side) for side in row.sides]
        if len(relations) == len(sides):  # the row continues a chain
            sides = ["", *sides]
        found = sides[0] if sides else ""
        for relation, side in zip(relations, sides[1:]):
            found = f"{found}{pause(found)} {relation} {side}"
        conditions = map(self.condition, row.conditions)
        return ", ".join(filter(None, [found.strip(), *conditions]))

    def side(self, node: Node) -> str:
        return "" if isinstance(node, Blank) else self.at(node, SUM)

    def condition(self, condition) -> str:
        match condition:
            case Range(first, last):
                return f"for ell from {words.layer(first)} to {words.layer(last)}"
            case Equality(left, right, at_least):
                relation = words.RELATIONS["≥" if at_least else "="]
                return f"if {self.at(left, SUM)} {relation} {self.at(right, SUM)}"
            case Order(power):
                return f"with an error of order {self.at(power, UNIT)}"
            case Changes(of):
                return f"changing {joined((self.at(n, CLOSED) for n in of), 'and')}"
        raise TypeError(condition)

    # ------------------------------------------------------------ nodes

    def at(self, node: Node, least: int) -> str:
        """A node in a place that asks for so much binding."""
        found = self.say(node)
        return found if binding(node) >= least else bracketed(found)

    def operand(self, node: Node, least: int) -> str:
        """What a function takes, or a factor behind the first. Here a minus needs no
        brackets."""
        return self.say(node) if is_negative(node, least) else self.at(node, least)

    def say(self, node: Node) -> str:
        match node:
            case Number(text=text):
                return text
            case Ones():
                return "column of ones"
            case Blank():
                return "blank"
            case Quantity():
                return self.quantity(node)
            case Loss(word=word, arguments=arguments):
                head = f"the {word + ' ' if word else ''}loss"
                return self.applied(head, arguments, CLOSED)
            case Differential(of=of):
                return f"small change of {self.at(of, CLOSED)}"
            case Function(name=name, layer=layer, primes=primes, argument=argument):
                layer_words = (
                    "" if layer is None else f" of layer {words.layer(layer)}"
                )
                head = name + primes * " prime" + layer_words
                return self.applied(
                    head, (argument,), UNIT, "," if layer_words else ""
                )
            case Named(name=name, arguments=arguments):
                head = words.NAMED.get(name, name)
                least = UNIT if len(arguments) == 1 else CLOSED
                return self.applied(head, arguments, least)
            case Exponential(exponent=exponent):
                return f"exponential of {self.operand(exponent, UNIT)}"
            case Fraction(numerator=above, denominator=below):
                parts = self.at(above, SUM), self.at(below, SUM)
                if is_short(node):
                    return joined(parts, "divided by")
                return f"fraction {', over '.join(parts)}, end fraction"
            case Root(radicand=Inner(left=left, right=right)) if left == right:
                return self.applied("norm", (left,), UNIT)
            case Root(radicand=radicand):
                return f"root of {self.operand(radicand, UNIT)}"
            case Diagonal(of=of):
                return f"diagonal matrix of {self.operand(of, UNIT)}"
            case Trace(of=of):
                return f"trace of {self.operand(of, UNIT)}"
            case Inner(left=left, right=right):
                return self.applied("inner product", (left, right), CLOSED)
            case Derivative(of=of, by=by):
                return (
                    f"the derivative of {self.at(of, UNIT)} by {self.at(by, UNIT)}"
                )
            case Gradient(of=of, by=by):
                return f"the gradient of {self.at(of, UNIT)} by {self.at(by, UNIT)}"
            case Shape(rows=rows, columns=columns):
                return (
                    f"shape {self.at(rows, CLOSED)} by {self.at(columns, CLOSED)}"
                )
            case Transpose(of=of):
                return f"{self.at(of, CLOSED)}, transposed"
            case Power(base=base, exponent=exponent):
                said = self.at(base, CLOSED)
                return f"{said}{pause(said)} {power(exponent)}"
            case Element(of=of) if is_spectral(node):
                return f"2-{self.at(of, UNIT)}"
            case Element(of=of, indices=indices):
                return f"{self.at(of, CLOSED)}, element {' '.join(indices)}"
            case Product():
                return self.product(node)
            case Sum():
                return self.sum(node)
            case SumOver() | SumOverLayers():
                return self.sum_over(node)
            case Comparison(left=left, relation=relation, right=right):
                return f"{self.at(left, SUM)} {words.RELATIONS[relation]} {self.at(right, SUM)}"
            case Cases(branches=branches):
                each = (f"{self.at(v, SUM)}, if {self.say(c)}" for v, c in branches)
                return f"cases, {', or '.join(each)}, end cases"
            case Underbrace(body=body, label=label, text=text):
                name = f'"{text}"' if label is None else self.at(label, SUM)
                return f"the quantity {self.at(body, SUM)}, which is {name}, end quantity"
            case Listed():
                return self.listed(node)
        raise TypeError(node)

    def applied(
        self, head: str, arguments: tuple[Node, ...], least: int, pause: str = ""
    ) -> str:
        """A function, and what it takes."""
        if not arguments or isinstance(arguments[0], Blank):
            return head
        given = joined((self.operand(part, least) for part in arguments), "and")
        return f"{head}{pause} of {given}"

    def quantity(self, node: Quantity) -> str:
        if node.letter == "indicator":
            one, other = node.indices
            return f"indicator of {one} equals {other}"
        if node.letter == "dots":
            return "and so on"
        if self.known.is_kronecker(node):
            found = "Kronecker delta"
        else:
            found = self.known.name(node.letter)
        if node.bold != self.known.is_bold(node):
            found = f"{'bold' if node.bold else 'plain'} {found}"
        if node.part:
            found += f" {node.part}"
        if node.layer is not None:
            found += f" of layer {words.layer(node.layer)}"
        each = self.known.each(node)
        for before, word, index in zip(["", *each], each, node.indices):
            comma = "" if before.startswith("from ") else ","
            found += f"{comma} {word} {index_words(index)}"
        if node.dot:
            found += f", every {each[len(node.indices)]}"
        return found

    # ------------------------------------------------------------ sums and products

    def product(self, node: Product) -> str:
        if node.sign == "⊙":
            parts = [
                "" if isinstance(f, Blank) else self.at(f, UNIT)
                for f in node.factors
            ]
            return joined(parts, "elementwise times").strip()
        return joined(self.factors(node), "times").strip()

    def factors(self, node: Product) -> Iterator[str]:
        """Those of a product with dots. Factors that stand side by side bind tighter
        than dots, and are said without brackets. A sum sign at the end takes all that
        follows."""
        for place, factor in enumerate(node.factors):
            is_last = place == len(node.factors) - 1
            match factor:
                case Blank():
                    yield ""
                case SumOver() | SumOverLayers() if is_last:
                    yield self.say(factor)
                case Product(sign="", factors=(*_, end)) if node.sign == "·" and (
                    is_last or not isinstance(end, SumOver | SumOverLayers)
                ):
                    yield from self.factors(factor)
                case _ if place:
                    yield self.operand(factor, FACTOR)
                case _:
                    yield self.at(factor, FACTOR)

    def sum(self, node: Sum) -> str:
        signs = [SIGNS[sign] for sign, _ in node.terms]
        terms = [self.at(term, PRODUCT) for _, term in node.terms]
        for place, (term, following) in enumerate(pairwise(terms)):
            if OPEN_LAYER.search(term) and following[0].isdigit():
                terms[place] = bracketed(term)
        found = terms[0] if signs[0] == "plus" else f"minus {terms[0]}"
        for sign, term in zip(signs[1:], terms[1:]):
            found = joined((found, term), sign)
        return found

    def sum_over(self, node: SumOver | SumOverLayers) -> str:
        if isinstance(node, SumOverLayers):
            first, last = map(words.layer, node.range)
            head = f"the sum over layers ell from {first} to {last}"
        else:
            head = f"the sum over {node.index}" if node.index else "the sum"
            if node.last is not None:
                head += f" from 1 to {self.at(node.last, CLOSED)}"
        if isinstance(node.body, Blank):
            return head
        return f"{head} of {self.at(node.body, PRODUCT)}"

    def listed(self, node: Listed) -> str:
        if node.kind == "list":
            said = (
                self.row(part, frozenset())
                if isinstance(part, Row)
                else self.at(part, SUM)
                for part in node.parts
            )
            return " comma ".join(said)
        parts = [self.at(part, SUM) for part in node.parts]
        match node.kind:
            case "sizes":
                return joined(parts, "by")
            case "tuple":
                return f"tuple {' comma '.join(parts)}, end tuple"
        return f"real arrays of {joined(parts, 'by')}"


def index_words(index: str) -> str:
    """'i', '2', or in brackets 'i plus k minus 1'."""
    if index.isalnum():
        return index
    said = index.replace("+", " plus ").replace("-", " minus ")
    return f"quantity {said} end quantity"

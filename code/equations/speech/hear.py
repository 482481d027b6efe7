"""Hear the words of a formula: the tree that they say. The other way of `say`."""

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from lark import Lark, Token, Transformer, UnexpectedInput
from lark.exceptions import VisitError

from ..marks import of_type
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
    EquationError,
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
from .say import POWERS
from .words import LAYER, Vocabulary

END = "(?= |$)"
GREEK = "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho"
LETTER = f"(?:[A-Za-z]|ell|{'|'.join(f'{GREEK} tau phi psi omega'.split())})"
NAME = rf"(?:(?:capital|variant|small) )?{LETTER}(?: hat| bar| tilde)?"
QUANTITY = re.compile(
    rf"(?:(bold|plain) )?(Kronecker delta|symbol sigma|word \w+|{NAME})"
    rf"(?: (in|out){END})?(?: of layer ({LAYER}))?{END}"
)
FUNCTION = re.compile(
    rf"(sigma|tanh|sigmoid|ReLU)((?: prime)*)(?: of layer ({LAYER}))?{END}"
)
RANGE = re.compile(rf"for ell from ({LAYER}) to ({LAYER})")
SUM_OVER_LAYERS = re.compile(rf"sum over layers ell from ({LAYER}) to ({LAYER})")
# Is 1 added to the layer, or to what stands in it?
OPEN_LAYER = re.compile(r"of layer (?:ell|capital L) (?:plus|minus) \d")
RELATIONS = {said: sign for sign, said in words.RELATIONS.items()}
RELATIONS[words.DEFINED] = "="
NAMED = {said: name for name, said in words.NAMED.items()}
OPERATORS = {
    "exponential": Exponential,
    "root": Root,
    "diagonal matrix": Diagonal,
    "trace": Trace,
    "inner product": Inner,
}
HERE = (0, 0)


def hear(spoken: str, known: Vocabulary, is_text: bool = False) -> Row | Node:
    """The row that is said, or what a text says; an EquationError where the words are
    none of a formula."""
    plain = re.sub(r",|\bthe (?!power)", " ", spoken)
    if OPEN_LAYER.search(" ".join(plain.split())):
        raise EquationError(f"no formula is said so, without brackets: {spoken}")
    try:
        marks, losses = tuple(known.index_words), tuple(known.loss_words)
        tree = parser(marks, losses, is_text).parse(" ".join(plain.split()))
        return Hearing(known).transform(tree)
    except UnexpectedInput as error:
        raise EquationError(f"no formula is said so: {spoken}") from error
    except VisitError as error:
        raise error.orig_exc from None


@cache
def parser(marks: tuple[str, ...], losses: tuple[str, ...], is_text: bool) -> Lark:
    start = "text" if is_text else "row"
    return Lark(
        grammar(marks, losses),
        parser="lalr",
        start=start,
        maybe_placeholders=False,
    )


def grammar(marks: tuple[str, ...], losses: tuple[str, ...]) -> str:
    """That of what is said, with these words before indices and losses."""

    def one_of(found: Iterable[str]) -> str:
        longest = sorted(found, key=lambda word: (-len(word), word))
        return f"(?:{'|'.join(longest)}){END}"

    index = one_of(marks)
    heads = [
        FUNCTION.pattern,
        rf"(?:(?:{'|'.join(['[A-Z]+', *losses])}) )?loss{END}",
        rf"root \d+{END}",
        rf"product over (?:ell|[a-z]){END}",
        one_of([*NAMED, *OPERATORS, "norm", "2-norm"]),
    ]
    terminals = {
        "QUANTITY": QUANTITY.pattern,
        "INDEX": rf"{index} (?:quantity [a-z\d ]+? end quantity|\w+){END}",
        "EVERY": f"every {index}",
        "HEAD": "|".join(f"(?:{head})" for head in heads),
        "RELATION": one_of(RELATIONS),
        "RANGE": RANGE.pattern,
        "SUM_OVER_LAYERS": SUM_OVER_LAYERS.pattern,
    }
    rules = Path(__file__).with_name("spoken.lark").read_text(encoding="utf-8")
    return "\n".join([rules, *(f"{name}: /{p}/" for name, p in terminals.items())])


class Hearing(Transformer):
    """Makes the nodes. Brackets leave none."""

    def __init__(self, known: Vocabulary):
        super().__init__()
        self.known = known

    # ------------------------------------------------------------ rows, texts

    def row(self, children):
        sides = tuple(of_type(children, Node))
        relations = tuple(RELATIONS[c] for c in of_type(children, Token))
        conditions = of_type(children, Range, Equality, Order, Changes)
        return Row(sides, relations, tuple(conditions))

    continued = row

    def range(self, children):
        found = RANGE.fullmatch(children[0])
        return Range(*map(words.layer_of, found.groups()))

    def equality(self, children):
        left, relation, right = children
        return Equality(left, right, RELATIONS[relation] == "≥")

    def changing(self, children):
        return Changes(tuple(children))

    def order(self, children):
        return Order(children[0])

    def text(self, children):
        return (
            children[0]
            if len(children) == 1
            else Listed(HERE, "list", tuple(children))
        )

    def claim(self, children):
        row = self.row(children)
        blanks = len(row.relations) + 1 - len(row.sides)
        return replace(row, sides=(*row.sides, *(Blank(HERE),) * blanks))

    def sizes(self, children):
        return Listed(HERE, "sizes", tuple(children))

    def tuple(self, children):
        return Listed(HERE, "tuple", tuple(children))

    def reals(self, children):
        return Listed(HERE, "reals", tuple(children))

    def open_product(self, children):
        sign = "⊙" if children[0].type == "ELEMENTWISE" else "·"
        factors = (Blank(HERE), *(of_type(children, Node) or [Blank(HERE)]))
        return Product(HERE, sign, factors)

    def dots(self, children):
        return Quantity(HERE, "dots")

    # ------------------------------------------------------------ sums, products

    def sum(self, children):
        terms, sign = [], "+"
        for child in children:
            if isinstance(child, Token):
                sign = "-" if child == "minus" else "+"
            else:
                terms.append((sign, child))
        return Sum(HERE, tuple(terms))

    def negative(self, children):
        return Sum(HERE, (("-", children[1]),))

    def times(self, children):
        return Product(HERE, "·", tuple(of_type(children, Node)))

    def circled(self, children):
        return Product(HERE, "⊙", tuple(of_type(children, Node)))

    def sum_over(self, children):
        over, *parts = children
        index = over.removeprefix("sum").removeprefix(" over ")
        body = parts.pop() if parts else Blank(HERE)
        return SumOver(HERE, index, body, *parts)

    def sum_over_layers(self, children):
        layers = map(
            words.layer_of, SUM_OVER_LAYERS.fullmatch(children[0]).groups()
        )
        return SumOverLayers(HERE, Range(*layers), children[1])

    def divided(self, children):
        return Fraction(HERE, *children)

    # ------------------------------------------------------------ functions

    def derivative(self, children):
        return Derivative(HERE, *children)

    def gradient(self, children):
        return Gradient(HERE, *children)

    def shape(self, children):
        return Shape(HERE, *children)

    def bare(self, children):
        loss = str(children[0]).endswith("loss")
        return self.applied([children[0], *([] if loss else [Blank(HERE)])])

    def applied(self, children):
        head, *arguments = children
        function = FUNCTION.fullmatch(head)
        if function:
            name, primes, layer = function.groups()
            at = layer and words.layer_of(layer)
            return Function(HERE, name, at, primes.count("prime"), *arguments)
        if head.endswith("loss"):
            word = head.removesuffix("loss").strip()
            return Loss(HERE, word or None, tuple(arguments))
        if head in OPERATORS:
            return OPERATORS[head](HERE, *arguments)
        if head.endswith("norm"):
            norm = Root(HERE, Inner(HERE, *arguments, *arguments))
            return Element(HERE, norm, ("2",)) if head == "2-norm" else norm
        return Named(HERE, NAMED.get(head, str(head)), tuple(arguments))

    # ------------------------------------------------------------ what ends by itself

    def transposed(self, children):
        return Transpose(HERE, children[0])

    def power(self, children):
        base, said = children
        named = {name: number for number, name in POWERS.items()}
        digits = said.removeprefix("to the power ").replace("minus ", "-")
        return Power(HERE, base, named[said] if said in named else int(digits))

    def element(self, children):
        return Element(HERE, children[0], tuple(children[1].split()[1:]))

    def quantity(self, children):
        head, *marks = children
        font, name, part, layer = QUANTITY.fullmatch(head).groups()
        indices = tuple(index_of(mark) for mark in marks if mark.type == "INDEX")
        dot = len(indices) < len(marks)
        kronecker = name == "Kronecker delta"
        letter = "delta" if kronecker else words.letter_of(name)
        if not kronecker and self.known.name(letter) != name:
            raise EquationError(f"no formula is said so: {name} is no name here")
        at = layer and words.layer_of(layer)
        node = Quantity(HERE, letter, at, indices, part, dot=dot)
        bold = font == "bold" if font else self.known.is_bold(node)
        return replace(node, bold=bold)

    def number(self, children):
        return Number(HERE, str(children[0]))

    def ones(self, children):
        return Ones(HERE)

    def group(self, children):
        return children[0]

    def underbrace(self, children):
        body, label = children
        if isinstance(label, Node):
            return Underbrace(HERE, body, label)
        return Underbrace(HERE, body, None, label.strip('"'))

    def fraction(self, children):
        return Fraction(HERE, *children)

    def cases(self, children):
        return Cases(HERE, tuple(children))

    def branch(self, children):
        value, left, relation, right = children
        return value, Comparison(HERE, left, RELATIONS[relation], right)

    def change(self, children):
        return Differential(HERE, children[0])

    def indicator(self, children):
        one, other = re.findall(r" ([a-z])\b", children[0])
        return Quantity(HERE, "indicator", indices=(one, other))

    def blank(self, children):
        return Blank(HERE)


def index_of(said: str) -> str:
    """'i', or of 'i plus k minus 1' in brackets 'i+k-1'."""
    shifted = re.search("quantity (.*) end quantity", said)
    if not shifted:
        return said.split()[-1]
    return shifted[1].replace(" plus ", "+").replace(" minus ", "-")

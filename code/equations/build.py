"""Make the nodes of a formula from the parse tree that the grammar gives."""

import itertools
import re
from dataclasses import fields, replace

from lark import Token, Transformer, v_args

from .marks import (
    Subscript,
    Superscript,
    collect,
    is_integer,
    of_type,
    quantity,
    span,
    with_scripts,
    wrapped,
)
from .nodes import (
    Cases,
    Changes,
    Comparison,
    Derivative,
    Diagonal,
    Differential,
    Equality,
    EquationError,
    Exponential,
    Fraction,
    Function,
    Gradient,
    Inner,
    Layer,
    Loss,
    Named,
    Node,
    Number,
    Ones,
    Order,
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
    Underbrace,
)

RELATIONS = {
    "EQUALS": "=",
    "APPROX": "≈",
    "ARROW": "←",
    "AT_LEAST": "≥",
    "AT_MOST": "≤",
    "MORE": ">",
    "LESS": "<",
    "NOT": "≠",
}

OPPOSITE = {">": "≤", "≤": ">", "<": "≥", "≥": "<", "=": "≠", "≠": "="}


def check_indices(node) -> tuple[set[str], set[str]]:
    """The free indices and those of sums. One that a sum binds means nothing else."""
    is_node = isinstance(node, Node)
    parts = [getattr(node, item.name) for item in fields(node)] if is_node else node
    found = [
        check_indices(part) for part in parts if isinstance(part, Node | tuple)
    ]
    free, bound = (set().union(*sets) for sets in zip((set(), set()), *found))
    for index in getattr(node, "indices", ()):
        free |= set(re.findall(r"[a-z]", index))
    if isinstance(node, SumOver):
        if node.index in bound:
            raise EquationError(f"{node.index} is summed over twice")
        free.discard(node.index)
        bound.add(node.index)
    for index in sorted(free & bound):
        raise EquationError(f"{index} is summed over, and stands outside the sum")
    return free, bound


@v_args(meta=True)
class Build(Transformer):
    """Makes the nodes, from the leaves of the parse tree to its root."""

    def row(self, meta, children):
        relations = [child for child in children if type(child) is str]
        for before, condition in itertools.pairwise([None, *children]):
            is_equality = isinstance(condition, Equality) and not condition.at_least
            if is_equality and getattr(before, "type", "") != "IF":
                raise EquationError(
                    "a second claim stands behind the first; a condition begins with"
                    r" \text{if }"
                )
        sides = tuple(of_type(children, Node))
        conditions = of_type(children, Range, Equality, Order, Changes)
        return Row(sides, tuple(relations), tuple(conditions))

    continued = condition_row = row

    def relation(self, meta, children):
        return RELATIONS[children[0].type]

    def side(self, meta, children):
        check_indices(children[0])
        return children[0]

    def range(self, meta, children):
        layers = of_type(children, Layer)
        if any(layer.base == "ell" for layer in layers):
            raise EquationError("ℓ stands in its own range")
        # Upwards, whichever way it is written: numbers, then what is counted from L.
        return Range(*sorted(layers, key=Layer.place))

    def equality(self, meta, children):
        left, right = of_type(children, Node)
        return Equality(left, right, children[1].type == "AT_LEAST")

    def changing(self, meta, children):
        return Changes(tuple(of_type(children, Node)))

    def order(self, meta, children):
        return Order(children[1])

    def sum(self, meta, children):
        terms, sign = [], "+"
        for child in children:
            if isinstance(child, Token):
                sign = str(child)
            else:
                terms.append((sign, child))
        return Sum(span(meta), tuple(terms))

    def product(self, meta, children):
        factors = tuple(of_type(children, Node))
        if len(factors) == 1:
            return factors[0]
        signs = {child.type for child in of_type(children, Token)}
        if not signs and any(isinstance(factor, Number) for factor in factors[1:]):
            raise EquationError("a number stands behind a factor; write \\cdot")
        sign = "⊙" if "ODOT" in signs else "·" if "CDOT" in signs else ""
        return Product(span(meta), sign, factors)

    adjacent = product

    def summed(self, meta, children):
        *last, body = of_type(children, Node)
        if last and str(children[3]) != "1":
            raise EquationError(f"a sum begins at 1, not at {children[3]}")
        return SumOver(
            span(meta), str(children[1]), body, last[0] if last else None
        )

    def over_layers(self, meta, children):
        first, last = of_type(children, Layer)
        return SumOverLayers(span(meta), Range(first, last), children[-1])

    def slashed(self, meta, children):
        return Fraction(span(meta), *of_type(children, Node))

    def factor(self, meta, children):
        atom, place = children[0], span(meta)
        scripts = collect(children[1:])
        if isinstance(atom, Differential):
            node = Differential(place, with_scripts(place, atom.of, scripts))
        else:
            node = with_scripts(place, atom, scripts)
        return wrapped(place, node, scripts)

    def above(self, meta, children):
        return Superscript(
            Token("POWER", c) if is_integer(c) else c for c in children
        )

    def below(self, meta, children):
        return Subscript(
            Token("INDEX", c) if is_integer(c) else c for c in children
        )

    def negative(self, meta, children):
        return Token("POWER", "".join(children))

    def layer_mark(self, meta, children):
        return children[0]

    def layer(self, meta, children):
        first = children[0]
        base = {"ELL": "ell", "LAST": "L"}.get(first.type) or int(first)
        offset = int(children[1] + children[2]) if len(children) == 3 else 0
        return Layer(base, offset)

    def number(self, meta, children):
        return Number(span(meta), children[0].replace(r"\,", ""))

    def ones(self, meta, children):
        return Ones(span(meta))

    def shifted(self, meta, children):
        return Token("SHIFTED", "".join(children))

    def name(self, meta, children):
        return quantity(span(meta), children[0])

    def marked_sign(self, meta, children):
        place = span(meta)
        name = quantity(place, children[0])
        return with_scripts(place, name, collect(children[1:]))

    def differential(self, meta, children):
        token = children[-1]
        place = span(meta)
        of = Loss(place) if token.type == "LOSS" else quantity(place, token)
        return Differential(place, of)

    def loss(self, meta, children):
        scripts = collect(of_type(children, list))
        scripts.forbid("the loss", "layer", "indices", "part", "primes", "wrappers")
        return Loss(span(meta), scripts.word, tuple(of_type(children, Node)))

    def function(self, meta, children):
        (sign, *inside), *outside, argument = children
        scripts = collect(outside, collect(inside))
        if "T" in scripts.wrappers:
            raise EquationError("a function has no transpose")
        name = sign.removeprefix("\\operatorname{").strip("\\}")
        if any(mark.startswith("-") for mark in scripts.wrappers):
            raise EquationError(
                f"an exponent below 0 at {name} reads as its inverse; write a fraction"
            )
        if (name == "sigma") != (scripts.layer is not None):
            need = "needs a layer" if name == "sigma" else "takes no layer"
            raise EquationError(f"{name} {need}")
        place = span(meta)
        node = Function(place, name, scripts.layer, scripts.primes, argument)
        return wrapped(place, node, scripts)

    def function_sign(self, meta, children):
        return children

    def named(self, meta, children):
        name = children[0].removeprefix("\\operatorname{").strip("\\}")
        name = "log" if name == "ln" else name
        return Named(span(meta), name, tuple(of_type(children, Node)))

    def exponential(self, meta, children):
        return Exponential(span(meta), of_type(children, Node)[0])

    def group(self, meta, children):
        return children[0]

    def braced(self, meta, children):
        if not isinstance(children[0], Quantity):
            raise EquationError("no page shows braces; write parentheses")
        return children[0]

    def shape(self, meta, children):
        return Shape(span(meta), *of_type(children, Node))

    def fraction(self, meta, children):
        above, below = of_type(children, Node)
        if isinstance(above, Differential) and isinstance(below, Differential):
            return Derivative(span(meta), above.of, below.of)  # df/dt
        return Fraction(span(meta), above, below)

    def root(self, meta, children):
        return Root(span(meta), *of_type(children, Node))

    def derivative(self, meta, children):
        return Derivative(span(meta), *of_type(children, Node))

    def operator(self, meta, children):
        by, of = of_type(children, Node)
        return Derivative(span(meta), of, by)

    def gradient(self, meta, children):
        by, of = of_type(children, Node)
        return Gradient(span(meta), of, by)

    def diagonal(self, meta, children):
        return Diagonal(span(meta), *of_type(children, Node))

    def trace(self, meta, children):
        return Trace(span(meta), *of_type(children, Node))

    def inner(self, meta, children):
        return Inner(span(meta), *of_type(children, Node))

    def norm(self, meta, children):
        (of,) = of_type(children, Node)
        return Root(span(meta), Inner(span(meta), of, of))

    def absolute(self, meta, children):
        return Named(span(meta), "abs", tuple(of_type(children, Node)))

    def indicator(self, meta, children):
        letters = [str(token) for token in children if token.type == "LETTER"]
        return Quantity(span(meta), "indicator", indices=tuple(letters))

    def cases(self, meta, children):
        (value, first), *others = of_type(children, tuple)
        if None in [first, *(where for _, where in others)]:
            if len(others) != 1 or not first:
                raise EquationError("'otherwise' stands behind one other case")
            opposite = replace(first, relation=OPPOSITE[first.relation])
            others = [(others[0][0], opposite)]
        return Cases(span(meta), ((value, first), *others))

    def branch(self, meta, children):
        value, *sides = of_type(children, Node)
        if not sides:
            return value, None  # otherwise
        left, right = sides
        (relation,) = [
            RELATIONS[token.type]
            for token in of_type(children, Token)
            if token.type in RELATIONS
        ]
        return value, Comparison(span(meta), left, relation, right)

    def underbrace(self, meta, children):
        body, *label = of_type(children, Node)
        texts = [
            token[6:-1].strip()
            for token in children
            if type(token) is Token and token.type == "TEXT"
        ]
        return Underbrace(span(meta), body, label[0] if label else None, *texts)

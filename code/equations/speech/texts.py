"""Read a formula of a text: an equation, or what else a text writes as a formula."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

from lark import Lark, UnexpectedInput, v_args
from lark.exceptions import VisitError

from ..build import Build
from ..marks import Subscript, collect, of_type, span, wrapped
from ..nodes import (
    Blank,
    EquationError,
    Function,
    Listed,
    Named,
    Node,
    Product,
    Quantity,
    Row,
    SumOver,
)
from ..parse import parse_row, with_signs_told_apart

HERE = Path(__file__).parent
SLASHED = re.compile(r"\\partial\s*([^/{}\s]+)\s*/\s*\\partial\s*(\S+)")
CONDITION = re.compile(r",?\s*\\quad\s*")
OPEN_NORM = re.compile(r"\\\|\s*\\cdot\s*\\\|")


@cache
def read(tex: str) -> Row | Node:
    """The tree of a formula; an EquationError where neither grammar reads it."""
    try:
        return parse_row(tex)
    except EquationError as error:
        try:
            return read_text(tex)
        except (UnexpectedInput, VisitError, EquationError):
            raise error from None


def read_text(tex: str) -> Node | Row:
    tex = SLASHED.sub(r"\\frac{\\partial \1}{\\partial \2}", tex)
    tex = OPEN_NORM.sub(r"\\| \\blank \\|", tex)
    tex, *conditions = CONDITION.split(tex)
    found = TextBuild().transform(parser().parse(with_signs_told_apart(tex)))
    if not conditions:
        return found
    if not isinstance(found, Row):
        raise EquationError("a condition of what claims nothing")
    stated = [part for tex in conditions for part in parse_row(tex).conditions]
    return replace(found, conditions=tuple(stated))


@cache
def parser() -> Lark:
    files = HERE.with_name("grammar.lark"), HERE / "text.lark"
    grammar = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return Lark(
        grammar,
        parser="lalr",
        start="text",
        propagate_positions=True,
        maybe_placeholders=False,
    )


@v_args(meta=True)
class TextBuild(Build):
    """Makes nodes of what stands in no equation, too."""

    def text(self, meta, children):
        (first, *others) = parts = of_type(children, Node | Row)
        return Listed(span(meta), "list", tuple(parts)) if others else first

    def claim(self, meta, children):
        sides = of_type(children, Node)
        relations = [child for child in children if type(child) is str]
        return Row(tuple(sides), tuple(relations), ())

    def open_claim(self, meta, children):
        side, relation = children
        return Row((side, Blank(span(meta))), (relation,), ())

    def bare_claim(self, meta, children):
        blank = Blank(span(meta))
        return Row((blank, blank), tuple(children), ())

    def relation(self, meta, children):
        sign = str(children[0])
        if children[0].type == "OTHER_RELATION":
            return "≠" if sign.startswith(r"\ne") else "∈"
        return super().relation(meta, children)

    def sizes(self, meta, children):
        return Listed(span(meta), "sizes", tuple(of_type(children, Node)))

    def tuple(self, meta, children):
        return Listed(span(meta), "tuple", tuple(of_type(children, Node)))

    def reals(self, meta, children):
        return Listed(span(meta), "reals", tuple(of_type(children, Node)))

    def dots(self, meta, children):
        return Quantity(span(meta), "dots")

    def sign(self, meta, children):
        blank = Blank(span(meta))
        sign = "⊙" if children[0].type == "ODOT" else "·"
        return Product(
            span(meta), sign, (blank, *(of_type(children, Node) or [blank]))
        )

    def blank(self, meta, children):
        return Blank(span(meta))

    def word(self, meta, children):
        word = children[0].partition("{")[2].rstrip("}")
        return Quantity(span(meta), f"_{word}")

    def function_alone(self, meta, children):
        return self.applied(meta, children[0], [], Blank(span(meta)))

    def function(self, meta, children):
        sign, *outside, argument = children
        return self.applied(meta, sign, outside, argument)

    def applied(self, meta, sign, outside, argument):
        """A function, which needs no layer where a text speaks of it."""
        (sign, *inside) = sign
        scripts = collect(outside, collect(inside))
        name = sign.removeprefix("\\operatorname{").strip("\\}")
        place = span(meta)
        node = Function(place, name, scripts.layer, scripts.primes, argument)
        return wrapped(place, node, scripts)

    def named(self, meta, children):
        found = super().named(meta, children)
        return (
            found
            if found.arguments
            else replace(found, arguments=(Blank(span(meta)),))
        )

    def root(self, meta, children):
        degree = [
            child for child in children if getattr(child, "type", "") == "INTEGER"
        ]
        if not degree:
            return super().root(meta, children)
        return Named(
            span(meta), f"root {degree[0]}", tuple(of_type(children, Node))
        )

    def sum_of_all(self, meta, children):
        return SumOver(span(meta), "", children[-1])

    def sum_alone(self, meta, children):
        return SumOver(span(meta), str(children[-1]), Blank(span(meta)))

    def product_alone(self, meta, children):
        return Named(
            span(meta),
            f"product over {children[-1].strip(chr(92))}",
            (Blank(span(meta)),),
        )

    def factor(self, meta, children):
        """With a word below a letter, such as 'shard', as if it were an index."""
        atom, *marks = children
        words = [
            m
            for group in of_type(marks, Subscript)
            for m in group
            if getattr(m, "type", "") == "WORD"
        ]
        if not words or not isinstance(atom, Quantity):
            return super().factor(meta, children)
        inside = words[0].partition("{")[2].rstrip("}")
        below = Subscript(m for m in marks[0] if m not in words)
        return replace(
            super().factor(meta, [atom, below, *marks[1:]]), indices=(inside,)
        )

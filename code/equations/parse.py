"""Turn the TeX of a row into a tree, with the grammar of ``grammar.lark``."""

import itertools
import re
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path

from lark import Lark, Token, Transformer, Tree, UnexpectedInput, v_args
from lark.exceptions import UnexpectedEOF, VisitError

from .nodes import (
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
    Layer,
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


def parse_row(tex: str) -> Row:
    """The tree of a row, or an EquationError that says where reading stopped."""
    parsed = tree(tex)
    for cell in inner_blanked(tex).split("&"):
        check_pairs(cell)
    check_scopes(parsed)
    try:
        return Build().transform(parsed)
    except VisitError as error:
        raise error.orig_exc from None


def check_pairs(cell: str) -> None:
    """Braces, and \\left and \\right, enclose each other inside one cell, or TeX
    does not set it."""
    open_signs = []
    for sign in re.findall(r"\\(?:left|right)(?![A-Za-z])|(?<!\\)[{}]", cell):
        if sign in PAIRS:
            open_signs.append(sign)
        elif not open_signs or PAIRS[open_signs.pop()] != sign:
            raise EquationError(f"{sign} closes nothing in its cell")
    if open_signs:
        raise EquationError(f"{open_signs[-1]} is not closed in its cell")


def inner_blanked(tex: str) -> str:
    """The TeX with blanks in place of `cases`, whose rows and cells are its own."""
    return CASES.sub(lambda match: " " * len(match[0]), tex)


def check_scopes(parsed: Tree) -> None:
    """An operator or a function without parentheses takes one factor. With another
    behind it a reader cannot tell how far it reaches."""
    for row in parsed.find_data("adjacent"):
        for factor in row.children[:-1]:
            atom = factor.children[0]
            if atom.data in ("operator", "named") and not enclosed(atom):
                raise EquationError(
                    "put what is differentiated, or what a function takes, in"
                    " parentheses where more factors follow"
                )


def enclosed(atom: Tree) -> bool:
    """Whether what an operator takes ends where everyone sees it."""
    if atom.data == "named" and isinstance(atom.children[-1], Token):
        return True
    inner = atom.children[-1].children[0]
    while inner.data in ("operator", "named"):
        inner = inner.children[-1].children[0]
    return inner.data in ("group", "underbrace", "function", "absolute", "norm")


def tree(tex: str) -> Tree:
    """The parse tree of a row, with its tokens and their places."""
    try:
        return parser().parse(with_signs_told_apart(tex))
    except UnexpectedEOF as error:
        raise EquationError("the formula ends too early") from error
    except UnexpectedInput as error:
        place = getattr(error, "pos_in_stream", None)
        rest = "" if place is None else " ".join(tex[place:].split())
        if not rest or getattr(error, "token", None) == "":
            raise EquationError("the formula ends too early") from error
        short = rest if len(rest) <= 30 else rest[:30] + " ..."
        raise EquationError(f"cannot be read from here: {short}") from error


def with_signs_told_apart(tex: str) -> str:
    """The TeX with signs that open and close in place of | and \\|, and with another
    sign for & in `cases`. All stay in their places."""
    tex = CASES.sub(lambda match: match[0].replace("&", "¦"), tex)
    for bar in (r"(\\)\|", r"(?<!\\)()\|"):
        first, *others = re.split(bar, tex)
        if len(others) % 4:
            raise EquationError("a | is not closed")
        pairs = zip(itertools.cycle("⟦⟧"), others[::2], others[1::2])
        tex = first + "".join(f"{slash}{sign}{text}" for sign, slash, text in pairs)
    return tex


@cache
def parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        grammar,
        parser="lalr",
        start="row",
        propagate_positions=True,
        maybe_placeholders=False,
    )


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


def of_type(children, *types):
    return [child for child in children if isinstance(child, types)]


class Superscript(list):
    """All marks above a symbol. TeX sets one superscript, with primes before it."""


class Subscript(list):
    """All marks below a symbol."""


@dataclass
class Scripts:
    """What stands at a factor, above and below."""

    layer: Layer | None = None
    indices: tuple[str, ...] = ()
    part: str | None = None
    word: str | None = None
    dot: bool = False  # in place of an index: the whole vector, or a row
    primes: int = 0
    wrappers: list[str] = field(default_factory=list)  # transposes and powers

    def add(self, mark):
        if isinstance(mark, Layer):
            if self.layer is not None:
                raise EquationError("two layers at one symbol")
            self.layer = mark
        elif mark.type in ("TRANSPOSE", "POWER"):
            self.wrappers.append("T" if mark.type == "TRANSPOSE" else str(mark))
        elif mark.type == "PRIME":
            self.primes += 1
        elif mark.type in ("IN", "OUT"):
            if self.part is not None:
                raise EquationError("'in' or 'out' stands twice at one symbol")
            self.part = mark.type.lower()
        elif mark.type == "WORD":
            if self.word is not None:
                raise EquationError("two words at one symbol")
            self.word = str(mark).partition("{")[2].rstrip("}")
        elif self.dot:
            raise EquationError("a dot stands before an index")
        elif mark.type == "CDOT":
            self.dot = True
        elif mark.type == "SHIFTED":
            self.indices += (str(mark),)
        elif mark.type in ("LETTER", "INDEX"):
            self.indices += tuple(str(mark))

    def forbid(self, where, *names):
        for name in names:
            if getattr(self, name):
                raise EquationError(f"{where} takes no {NAMES[name]} here")


PAIRS = {"{": "}", r"\left": r"\right"}
CASES = re.compile(r"\\begin\{cases\}.*?\\end\{cases\}", re.DOTALL)
RELATIONS = {
    "EQUALS": "=",
    "APPROX": "≈",
    "ARROW": "←",
    "AT_LEAST": "≥",
    "AT_MOST": "≤",
    "MORE": ">",
    "LESS": "<",
}
NAMES = {
    "layer": "layer",
    "indices": "index",
    "part": "'in' or 'out'",
    "word": "word as index",
    "primes": "prime",
    "wrappers": "exponent",
    "dot": "dot as index",
}


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

    def layer_mark(self, meta, children):
        return children[0]

    def layer(self, meta, children):
        first = children[0]
        base = {"ELL": "ell", "LAST": "L"}.get(first.type) or int(first)
        offset = int(children[1] + children[2]) if len(children) == 3 else 0
        return Layer(base, offset)

    def number(self, meta, children):
        return Number(span(meta), str(children[0]))

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
        return Named(span(meta), name, tuple(of_type(children, Node)))

    def exponential(self, meta, children):
        return Exponential(span(meta), of_type(children, Node)[0])

    def group(self, meta, children):
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
        return Quantity(span(meta), "delta", indices=tuple(letters))

    def cases(self, meta, children):
        return Cases(span(meta), tuple(of_type(children, tuple)))

    def branch(self, meta, children):
        value, left, right = of_type(children, Node)
        (relation,) = [
            RELATIONS[token.type]
            for token in of_type(children, Token)
            if token.type in RELATIONS
        ]
        return value, Comparison(span(meta), left, relation, right)

    def underbrace(self, meta, children):
        body, *label = of_type(children, Node)
        return Underbrace(span(meta), body, label[0] if label else None)


def span(meta):
    return meta.start_pos, meta.end_pos


def quantity(place, token):
    """A letter without its font, with its accent before it."""
    accent = re.fullmatch(r"\\(hat|bar|tilde)\{(.*)\}", str(token))
    if accent:
        below = quantity(place, accent[2])
        return replace(below, letter=f"{accent[1]} {below.letter}")
    font, brace, inside = str(token).partition("{")
    text = inside.rstrip("}") if brace else font
    return Quantity(place, text.removeprefix("\\"), bold=bool(brace))


def collect(groups, scripts=None):
    """The marks of superscripts and subscripts, added to those inside braces."""
    for kind in (Superscript, Subscript):
        if len(of_type(groups, kind)) > 1:
            name = kind.__name__.lower()
            raise EquationError(
                f"a double {name}; one stands at a symbol, or in braces"
            )
    scripts = scripts or Scripts()
    for mark in itertools.chain.from_iterable(groups):
        scripts.add(mark)
    return scripts


def is_integer(mark):
    return isinstance(mark, Token) and mark.type == "INTEGER"


def wrapped(place, node, scripts):
    """A node with its transposes and powers around it."""
    for wrapper in scripts.wrappers:
        if wrapper == "T":
            node = Transpose(place, node)
        else:
            node = Power(place, node, int(wrapper))
    return node


def with_scripts(place, atom, scripts):
    """A quantity, a loss or an element of a group, with its scripts."""
    scripts.forbid("this term", "primes")
    if isinstance(atom, Quantity) and not (atom.layer or atom.indices or atom.part):
        scripts.forbid(f"'{atom.letter}'", "word")
        return replace(
            atom,
            span=place,
            layer=scripts.layer,
            indices=scripts.indices,
            part=scripts.part,
            dot=scripts.dot,
        )
    scripts.forbid("this term", "layer", "part", "word", "dot")
    return Element(place, atom, scripts.indices) if scripts.indices else atom

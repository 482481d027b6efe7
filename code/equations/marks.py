"""The marks of a symbol in a formula: superscripts, subscripts, fonts and accents."""

import itertools
import re
from dataclasses import dataclass, field, replace

from lark import Token

from .nodes import (
    Element,
    EquationError,
    Layer,
    Power,
    Quantity,
    Transpose,
)

NAMES = {
    "layer": "layer",
    "indices": "index",
    "part": "'in' or 'out'",
    "word": "word as index",
    "primes": "prime",
    "wrappers": "exponent",
    "dot": "dot as index",
}


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

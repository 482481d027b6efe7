"""Forms that a formula in the text can have, as it is written."""

import re
from collections.abc import Iterator

from .nodes import EquationError, Node, Quantity, walk
from .parse import parse_row

INDEX = r"(?:\\ell|[ijkms]|\d+)(?: *[+-] *\d+)?"
RELATION = re.compile(r"=|\\(?:approx|equiv|leftarrow|gets|[lg]eq?)\b|<|>")
ONE = "a formula in the text makes one claim"
ENDS = re.compile(r" *([^=]+?), *\\l?dots, *([^=]+?) *")
SIGN = re.compile(
    r"(?:[\s'|]|\\(?:cdot|odot|square|tanh|exp|operatorname\{sigmoid\}|\||[,;])"
    r"|\\sigma'*(?:\^\{\([^)]*\)\})?)+"
)
LETTER = re.compile(
    r"\\(?:mathrm|text|operatorname)\{([^}]*)\}|\\([A-Za-z]+)|([A-Za-z])"
)
WHEN = re.compile(r"\b(?:if|where|when|with|for|let|unless)\s*$", re.IGNORECASE)
SAYS = re.compile(r"\s*(?:is|are|be|becomes?|means|denotes|now)\b")


def alone(tex: str) -> Node:
    """The one side of a formula that claims nothing."""
    row = parse_row(tex)
    if row.relations or row.conditions or len(row.sides) != 1:
        raise EquationError(ONE)
    return row.sides[0]


def side(tex: str) -> Node | None:
    """The same; None where something else stands."""
    try:
        return alone(tex)
    except EquationError:
        return None


def quantities(part) -> list[Quantity]:
    """The symbols in a node, or in several."""
    return [node for node in walk(part) if isinstance(node, Quantity)]


def letters(tex: str) -> set[str]:
    """The letters of a formula, its commands, and with a '_' its words such as 'in'."""
    return {f"_{word}" if word else a or b for word, a, b in LETTER.findall(tex)}


def has_relation(tex: str) -> bool:
    return bool(RELATION.search(tex))


def outside(tex: str, sign: str) -> Iterator[str]:
    """The parts between signs that stand outside of braces and parentheses."""
    depth, start = 0, 0
    for match in re.finditer(rf"[{{(]|[}})]|(?<!\\){re.escape(sign)}", tex):
        if match[0] in "{(":
            depth += 1
        elif match[0] in "})":
            depth -= 1
        elif depth == 0:
            yield tex[start : match.start()]
            start = match.end()
    yield tex[start:]

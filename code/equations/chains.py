"""Read the rows of a display as chains of relations, with shapes and conditions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from .evaluate import ORDERS
from .extract import Display
from .nodes import (
    Cases,
    Changes,
    Comparison,
    Differential,
    Equality,
    EquationError,
    Function,
    Loss,
    Named,
    Node,
    Number,
    Order,
    Quantity,
    Range,
    Row,
    Shape,
    SumOverLayers,
    walk,
)
from .parse import inner_blanked, parse_row
from .results import Result

ENVIRONMENT = re.compile(r"\\(begin|end)\{aligned\}")
ROW_END = re.compile(r"\\\\(?:\[[^\]]*\])?")


@dataclass
class Side:
    node: Node
    row: int
    line: int
    relation: str  # that leads to it; empty at the first


@dataclass
class Placed:
    """A condition, or a row of shapes, with its place."""

    what: Equality | Order | Changes | Row | None
    row: int
    line: int


@dataclass
class Chain:
    """Sides joined by relations, with what is stated about them: rows of shapes below,
    the range of ℓ, conditions, the order of an error, and what changes by itself."""

    sides: list[Side]
    shapes: list[Placed] = field(default_factory=list)
    range: Range | None = None
    conditions: list[Placed] = field(default_factory=list)

    @property
    def relations(self) -> list[tuple[Side, Side]]:
        return list(pairwise(self.sides))

    @cached_property
    def nodes(self) -> list[Node]:
        """All nodes of the finished chain, but for what stands in sums over layers."""
        parts = list(walk(tuple(side.node for side in self.sides)))
        inner = [part.body for part in parts if isinstance(part, SumOverLayers)]
        bound = {id(part) for body in inner for part in walk(body)}
        return [part for part in parts if id(part) not in bound]

    def of_kind(self, kind: type) -> list[Placed]:
        return [found for found in self.conditions if isinstance(found.what, kind)]

    @property
    def of_decimals(self) -> bool:
        """Whether one works it out by hand: a side is made of numbers alone, and not of
        whole ones. Then it is about one network."""
        return any(
            any(isinstance(n, Number) and "." in n.text for n in walk(side.node))
            and not has_symbols(side.node)
            for side in self.sides
        )

    @property
    def uses_ell(self) -> bool:
        return any(
            isinstance(node, Quantity | Function)
            and node.layer is not None
            and node.layer.base == "ell"
            for node in self.nodes
        )

    @property
    def causes(self) -> tuple[Quantity, ...]:
        """The quantities that change by themselves: those stated. A loss, or another
        number, is changed by all whose change stands on the right."""
        stated = [c.what for c in self.conditions if isinstance(c.what, Changes)]
        if stated:
            return tuple(
                node
                for changes in stated
                for node in changes.of
                if isinstance(node, Quantity)  # add_row refuses others
            )
        match self.sides[0].node:
            case Differential(of=Loss() | Quantity(bold=False)):
                right = tuple(side.node for side in self.sides[1:])
                return tuple(
                    node.of
                    for node in walk(right)
                    if isinstance(node, Differential)
                    and isinstance(node.of, Quantity)
                )
        return ()

    @property
    def has_kinks(self) -> bool:
        """Whether it compares sizes of numbers: what holds of some need not of all."""
        return any(side.relation in ORDERS for side in self.sides) or any(
            isinstance(node, Cases | Comparison)
            or (isinstance(node, Named) and node.name in ("abs", "max", "sign"))
            or (isinstance(node, Function) and node.name == "ReLU")
            for node in self.nodes
        )

    @property
    def changes(self) -> list[Differential]:
        return [node for node in self.nodes if isinstance(node, Differential)]


def has_symbols(node: Node) -> bool:
    return any(isinstance(part, Quantity | Loss) for part in walk(node))


def read_display(display: Display, result: Result) -> list[Chain]:
    """The chains of a display; what cannot be read is a failure."""
    chains: list[Chain] = []
    columns: dict[int, Chain] = {}
    found = ENVIRONMENT.findall(display.tex)
    if found != ["begin", "end"] * (len(found) // 2):
        result.fail(r"\begin{aligned} and \end{aligned} do not match")
    for number, line, column, tex in rows(display):
        result.rows = number
        with result.noting(Placed(None, number, line)):
            add_row(
                parse_row(tex), Placed(None, number, line), column, chains, columns
            )
    for chain in chains:
        first = chain.sides[0]
        with result.noting(first):
            if len(chain.sides) < 2:
                raise EquationError("the row claims nothing: no relation")
            if chain.range and not chain.uses_ell:
                raise EquationError("a range is stated, but no ℓ stands here")
    if not chains and not result.failures:
        result.fail("no equation stands here")
    return chains


def rows(display: Display) -> Iterator[tuple[int, int, int, str]]:
    """Number, line in the file, column and TeX of each row; two for a row of two
    columns."""
    for number, place, column, text in pieces(display.tex):
        skipped = place + len(text) - len(text.lstrip("& \n"))
        line = display.line + display.tex.count("\n", 0, skipped)
        yield number, line, column, text


def pieces(tex: str) -> Iterator[tuple[int, int, int, str]]:
    """Number, place in the TeX, column and text of each row, as in `rows`."""
    tex = ENVIRONMENT.sub(lambda match: " " * len(match[0]), tex)
    outer = inner_blanked(tex)
    start, found = 0, []
    for end in (*ROW_END.finditer(outer), None):
        stop = end.start() if end else len(tex)
        found.append((start, stop))
        start = end.end() if end else stop
    if not tex[slice(*found[-1])].strip():
        found.pop()
    for number, (start, stop) in enumerate(found, start=1):
        cells = outer[start:stop].split("&")
        at = start
        for first in range(0, len(cells), 2):
            length = len("&".join(cells[first : first + 2]))
            yield number, at, first // 2, tex[at : at + length]
            at += length + 1


def add_row(
    row: Row,
    spot: Placed,
    column: int,
    chains: list[Chain],
    columns: dict[int, Chain],
) -> None:
    """Continue the chain above in the same column, put shapes below it, or begin a new
    one. What the row states belongs to its own chain."""
    continued = bool(row.sides) and len(row.sides) == len(row.relations)
    above = columns.get(column)
    is_shapes = any(isinstance(node, Shape) for node in walk(row.sides))
    if not row.sides:
        chain = chains[-1] if chains else None
    elif is_shapes or continued:
        chain = above
    else:
        chain = Chain([])
    if chain is None:
        what = "gives shapes" if is_shapes else "continues a chain"
        raise EquationError(f"the row {what}, but none stands above in its column")
    if is_shapes:
        if continued:
            raise EquationError("a row of shapes does not continue the equation")
        chain.shapes.append(Placed(row, spot.row, spot.line))
        return
    relations = row.relations if continued else ("", *row.relations)
    chain.sides += [
        Side(node, spot.row, spot.line, relation)
        for node, relation in zip(row.sides, relations)
    ]
    if row.sides:
        columns[column] = chain
        if not continued:
            chains.append(chain)
    for condition in row.conditions:
        if isinstance(condition, Changes) and not all(
            isinstance(node, Quantity) for node in condition.of
        ):
            raise EquationError("what changes is a quantity")
        if not isinstance(condition, Range):
            chain.conditions.append(Placed(condition, spot.row, spot.line))
        elif chain.range is not None:
            raise EquationError("two ranges at one equation")
        else:
            chain.range = condition

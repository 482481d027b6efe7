"""Read the rows of a display as chains of relations, with shapes and conditions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from .evaluate import Evaluator, need
from .extract import Display
from .networks import Network
from .nodes import (
    Differential,
    Function,
    Node,
    Number,
    Quantity,
    Range,
    Row,
    Shape,
    walk,
)
from .parse import parse_row
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

    what: Any  # Equality, Order or Row
    row: int
    line: int


@dataclass
class Chain:
    """Sides joined by relations, with the rows of shapes below."""

    sides: list[Side]
    shapes: list[Placed] = field(default_factory=list)
    range: Range | None = None

    @property
    def relations(self) -> list[tuple[Side, Side]]:
        return list(pairwise(self.sides))

    def nodes(self) -> Iterator[Node]:
        return walk(tuple(side.node for side in self.sides))

    @property
    def of_decimals(self) -> bool:
        """Whether it is about decimal numbers, and so about one network."""
        return any(
            isinstance(node, Number) and "." in node.text for node in self.nodes()
        )

    @property
    def uses_ell(self) -> bool:
        layers = (
            node.layer
            for node in self.nodes()
            if isinstance(node, Quantity | Function)
        )
        return any(layer is not None and layer.base == "ell" for layer in layers)

    @property
    def causes(self) -> list[Quantity]:
        """The quantities that change by themselves: all on the right."""
        right = tuple(side.node for side in self.sides[1:])
        return [
            node.of
            for node in walk(right)
            if isinstance(node, Differential) and isinstance(node.of, Quantity)
        ]

    def layers(self, network: Network) -> list[int | None]:
        """The layers of the range in a network; None once where there is no ℓ."""
        if self.range is None:
            return [None]
        first, last = map(Evaluator(network, None).layer, self.range)
        return list(range(first, last + 1))


def read_display(
    display: Display, result: Result
) -> tuple[list[Chain], list[Placed]]:
    """The chains of a display and its conditions; what cannot be read is a failure."""
    chains: list[Chain] = []
    conditions: list[Placed] = []
    ranges: list[Range] = []
    found = ENVIRONMENT.findall(display.tex)
    if found != ["begin", "end"] * (len(found) // 2):
        result.fail(r"\begin{aligned} and \end{aligned} do not match")
    for number, line, tex in rows(display):
        result.rows = number
        with result.noting(Placed(None, number, line)):
            row = parse_row(tex)
            for condition in row.conditions:
                if isinstance(condition, Range):
                    ranges.append(condition)
                else:
                    conditions.append(Placed(condition, number, line))
            add_row(row, number, line, chains)
    for chain in chains:
        if len(chain.sides) < 2:
            first = chain.sides[0]
            result.fail(
                "the row claims nothing: no relation", first.line, first.row
            )
    with_ell = [chain for chain in chains if chain.uses_ell]
    if result.failures:
        return chains, conditions
    if len(ranges) > 1:
        result.fail("two ranges in one display")
    elif ranges and not with_ell:
        result.fail("a range is stated, but no ℓ stands here")
    elif ranges:
        for chain in with_ell:
            chain.range = ranges[0]
    if not chains:
        result.fail("no equation stands here")
    return chains, conditions


def rows(display: Display) -> Iterator[tuple[int, int, str]]:
    """Number, line in the file, and TeX of each row; two for a row of two columns."""
    for number, place, text in pieces(display.tex):
        skipped = place + len(text) - len(text.lstrip("& \n"))
        yield number, display.line + display.tex.count("\n", 0, skipped), text


def pieces(tex: str) -> Iterator[tuple[int, int, str]]:
    """Number, place in the TeX, and text of each row, as in `rows`."""
    tex = ENVIRONMENT.sub(lambda match: " " * len(match[0]), tex)
    start, found = 0, []
    for end in (*ROW_END.finditer(tex), None):
        stop = end.start() if end else len(tex)
        found.append((start, tex[start:stop]))
        start = end.end() if end else stop
    if not found[-1][1].strip():
        found.pop()
    for number, (offset, piece) in enumerate(found, start=1):
        cells = piece.split("&")
        for first in range(0, len(cells), 2):
            text = "&".join(cells[first : first + 2])
            yield number, offset + len("&".join(cells[:first])) + (first > 0), text


def add_row(row: Row, number: int, line: int, chains: list[Chain]) -> None:
    """Continue the last chain, put shapes below it, or begin a new one."""
    if not row.sides:
        return
    continued = len(row.sides) == len(row.relations)
    need(
        chains or not continued, "the row continues a chain, but none stands above"
    )
    if any(isinstance(node, Shape) for node in walk(row.sides)):
        need(chains, "the row gives shapes, but no equation stands above")
        need(not continued, "a row of shapes does not continue the equation")
        chains[-1].shapes.append(Placed(row, number, line))
        return
    relations = row.relations if continued else ("", *row.relations)
    sides = [
        Side(node, number, line, relation)
        for node, relation in zip(row.sides, relations)
    ]
    if continued:
        chains[-1].sides += sides
    else:
        chains.append(Chain(sides))

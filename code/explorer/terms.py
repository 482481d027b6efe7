"""What a leaf of a formula is in the state of a page, whatever is made of it: a number, or
a matrix of which each element can be named."""

from dataclasses import dataclass

from equations.evaluate import Evaluator
from equations.nodes import (
    Derivative,
    EquationError,
    Gradient,
    Loss,
    Node,
    Quantity,
)

from . import layout
from .layout import Slot

ONE = "1"  # as a size: of one row or one column


@dataclass(frozen=True)
class Leaf:
    """What stands at a place of the state. Where ``rows`` is None it is a number."""

    slot: Slot
    indices: tuple[str, ...]  # in JavaScript, of the dimensions that are named
    rows: str | None = None
    columns: str | None = None
    lying: bool = False  # its free dimension counts columns

    def place(self, row: str, column: str) -> tuple[str, ...]:
        """The indices of an element."""
        free = len(self.slot.axes) - len(self.indices)
        rest = (row, column) if free == 2 else ((column if self.lying else row),)
        return (*self.indices, *rest[:free])

    def element(self, row: str = "0", column: str = "0") -> str:
        return self.slot.element(self.place(row, column))

    def entry(self, row: str = "0", column: str = "0") -> str:
        return self.slot.entry(self.place(row, column))


class Scope:
    """The formulas of one equation, which share their indices. They are evaluated in a
    network before anything is written, so that what has no meaning is refused here."""

    def __init__(self, evaluator: Evaluator):
        self.place = evaluator
        self.sizes: dict[str, str] = {}  # of an index, in JavaScript
        self.axes: dict[str, str] = {}  # what it counts, as in the table of symbols
        quantities = [n for n in evaluator.nodes if isinstance(n, Quantity)]
        for node in quantities:
            symbol = evaluator.meaning(node)
            if symbol is not None:
                for index, axis in zip(node.indices, symbol.axes):
                    self.axes.setdefault(index, axis)
                    self.learn(index, layout.size(axis, node))
        for node in filter(evaluator.is_kronecker, quantities):
            for one, other in (node.indices, node.indices[::-1]):
                if other in self.sizes:
                    self.learn(one, self.sizes[other])

    def learn(self, index: str, size: str | None) -> None:
        """How far an index runs."""
        if not index.isdigit():
            self.sizes.setdefault(index, str(size))

    def index(self, name: str) -> str:
        """In JavaScript. There they begin at 0."""
        if name.isdigit():
            return str(int(name) - 1)
        if name not in self.sizes:
            raise EquationError(f"nothing says how far {name} runs")
        return name

    def leaf(self, node: Node) -> Leaf | None:
        """What a node is in the state; None where it is no leaf."""
        match node:
            case Loss():
                _, samples = self.place.loss(node)
                slot = layout.of_loss(node, self.place)
                return Leaf(slot, tuple(map(self.index, samples)))
            case Derivative() | Gradient():
                slot = layout.of_derivative(node, self.place)
                by = node.by
                assert isinstance(by, Quantity)
                return self.picked(slot, by)
            case Quantity() if not self.place.is_kronecker(node):
                return self.picked(layout.of_quantity(node, self.place), node)
        return None

    def picked(self, slot: Slot, node: Quantity) -> Leaf:
        """The elements that the indices of a quantity name."""
        indices = tuple(map(self.index, node.indices))
        free = [layout.size(axis, node) for axis in slot.axes[len(indices) :]]
        if not free:
            return Leaf(slot, indices)
        if len(free) == 2:
            rows, columns = free
            return Leaf(slot, indices, rows, columns)
        if indices and self.place.symbol(node).row:
            return Leaf(slot, indices, ONE, free[0], lying=True)
        return Leaf(slot, indices, free[0], ONE)

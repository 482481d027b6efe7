"""The tree of a formula: what its nodes are, whatever grammar made them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Literal, NamedTuple


class EquationError(Exception):
    """A row that does not hold, or has no meaning. The text says what is wrong."""


@dataclass(frozen=True)
class Layer:
    """A layer: ``base`` is 'ell', 'L' or a number, to which ``offset`` is added."""

    base: str | int
    offset: int = 0

    def up(self, steps: int) -> "Layer":
        """A layer some steps on. Those with a number have no offset."""
        if isinstance(self.base, int):
            return Layer(self.base + self.offset + steps)
        return Layer(self.base, self.offset + steps)

    def place(self) -> tuple[bool, int]:
        """For sorting."""
        from_last = self.base == "L"
        return from_last, self.offset if from_last else int(self.base)

    def __str__(self):
        sign = f"{self.offset:+d}".replace("-", "−") if self.offset else ""
        return f"{'ℓ' if self.base == 'ell' else self.base}{sign}"


@dataclass(frozen=True)
class Node:
    """A part of a formula. ``span`` is its place in the TeX."""

    span: tuple[int, int] = field(compare=False, repr=False)


@dataclass(frozen=True)
class Number(Node):
    text: str


@dataclass(frozen=True)
class Ones(Node):
    """The column of ones."""


@dataclass(frozen=True)
class Quantity(Node):
    """A letter with what stands at it: layer, indices, `in` or `out`.

    An accent is a word before the letter, as in 'hat z'. An index is a letter, a
    number, or a sum of these such as 'i+k-1'. A dot stands for the indices left out.
    """

    letter: str
    layer: Layer | None = None
    indices: tuple[str, ...] = ()
    part: str | None = None
    bold: bool = False
    dot: bool = False


@dataclass(frozen=True)
class Loss(Node):
    word: str | None = None
    arguments: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Differential(Node):
    """The small change of a quantity."""

    of: Node


@dataclass(frozen=True)
class Function(Node):
    name: str
    layer: Layer | None
    primes: int
    argument: Node


@dataclass(frozen=True)
class Named(Node):
    """A function that has its name everywhere, such as log, max or softmax."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Exponential(Node):
    exponent: Node


@dataclass(frozen=True)
class Fraction(Node):
    numerator: Node
    denominator: Node


@dataclass(frozen=True)
class Root(Node):
    radicand: Node


@dataclass(frozen=True)
class Diagonal(Node):
    of: Node


@dataclass(frozen=True)
class Trace(Node):
    of: Node


@dataclass(frozen=True)
class Inner(Node):
    """The sum of the products of equal elements; a norm is the root of one."""

    left: Node
    right: Node


@dataclass(frozen=True)
class Comparison(Node):
    """Two sides and '=', '<', '>', '≤' or '≥' between them: 1 where it holds, else 0."""

    left: Node
    relation: str
    right: Node


@dataclass(frozen=True)
class Cases(Node):
    """Values, each with the comparison under which it is taken."""

    branches: tuple[tuple[Node, Comparison], ...]


@dataclass(frozen=True)
class Derivative(Node):
    """A partial derivative, or the Jacobian of a vector."""

    of: Node
    by: Node


@dataclass(frozen=True)
class Gradient(Node):
    of: Node
    by: Node


@dataclass(frozen=True)
class Transpose(Node):
    of: Node


@dataclass(frozen=True)
class Power(Node):
    base: Node
    exponent: int


@dataclass(frozen=True)
class Element(Node):
    """An element of a matrix in parentheses."""

    of: Node
    indices: tuple[str, ...]


@dataclass(frozen=True)
class Product(Node):
    """Factors joined by \\cdot, by \\odot or by nothing (``sign`` is '·', '⊙' or '')."""

    sign: str
    factors: tuple[Node, ...]


@dataclass(frozen=True)
class Sum(Node):
    """Terms with their signs."""

    terms: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class SumOver(Node):
    """A sum over all values of an index; ``last`` is what stands above the sign."""

    index: str
    body: Node
    last: Node | None = None


@dataclass(frozen=True)
class SumOverLayers(Node):
    """A sum in which ℓ runs over layers."""

    range: "Range"
    body: Node


@dataclass(frozen=True)
class Shape(Node):
    rows: Node
    columns: Node


@dataclass(frozen=True)
class Underbrace(Node):
    """Its label is a claim about the body; None where it is a ``text``."""

    body: Node
    label: Node | None
    text: str = ""


@dataclass(frozen=True)
class Blank(Node):
    """What a sign by itself leaves open. It stands in no equation."""


@dataclass(frozen=True)
class Listed(Node):
    """Parts with commas between them, which can be rows; or the sizes of a shape, as
    themselves, in parentheses, or of all real arrays of this shape."""

    kind: Literal["list", "sizes", "tuple", "reals"]
    parts: tuple


class Range(NamedTuple):
    first: Layer
    last: Layer


@dataclass(frozen=True)
class Equality:
    """A condition: two sides are equal, or the left is at least the right."""

    left: Node
    right: Node
    at_least: bool


@dataclass(frozen=True)
class Changes:
    """What changes by itself in an equation of differentials."""

    of: tuple[Node, ...]


@dataclass(frozen=True)
class Order:
    """The claim that an error is of the order of a power of the step."""

    power: Node


@dataclass(frozen=True)
class Row:
    """Sides, the relations between them ('=', '≈', '←', '≤', ...), and conditions. A
    row that continues a chain has as many relations as sides."""

    sides: tuple[Node, ...]
    relations: tuple[str, ...]
    conditions: tuple[Range | Equality | Order | Changes, ...]


def walk(node):
    """A node and all nodes in it."""
    for each in nodes_in(node):
        yield each
        yield from walk(children(each))


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below."""
    parts = (
        getattr(node, item.name) for item in fields(node) if item.name != "span"
    )
    return tuple(nodes_in(tuple(parts)))


def nodes_in(part) -> Iterator[Node]:
    if isinstance(part, Node):
        yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from nodes_in(each)

"""Whether a step is closed by rules: both sides become the same sum of products."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from equations.nodes import (
    Equality,
    Loss,
    Node,
    Number,
    Quantity,
    Range,
    SumOver,
    Underbrace,
    walk,
)

from .canonical import equal
from .constructs import Construct, OutOfReach, Unfit
from .facts import Fact, Layers
from .model import DEFINED, DELTAS, GENERAL, symbol
from .rewrite import Level, Rewriter, filled
from .terms import (
    Applied,
    Atom,
    Change,
    Derived,
    Entry,
    Index,
    Partial,
    Poly,
    Slope,
    Term,
)
from .translate import Matrix, Reader


@dataclass(frozen=True)
class Context:
    """What a display says of all its steps: what a bare loss stands for, the range of
    ℓ, the conditions, and the quantities that change by themselves. ``ours`` says that
    its symbols are those of the network in `model`; others may be named alike."""

    loss: Loss | None
    range: Range | None
    conditions: tuple[Equality, ...] = ()
    causes: tuple[Quantity, ...] = ()
    ours: bool = True

    @cached_property
    def layers(self) -> Layers:
        depths = [1]
        for condition in self.conditions:
            match condition:
                case Equality(Quantity(letter="L"), Number(text=text)):
                    depths.append(int(text))
        match self.range:
            case Range(first, last) if last.base == "L" and isinstance(
                first.base, int
            ):
                depths.append(first.base + first.offset - last.offset)
        return Layers(self.range, max(depths))

    @cached_property
    def given(self) -> tuple[Fact, ...]:
        """The conditions, as equations that may be put in."""
        facts = []
        reader = Reader(self.loss)
        for condition in self.conditions:
            if isinstance(condition.left, Loss) and not condition.at_least:
                _, right = sides(condition.left, condition.right, reader)
                left = reader.loss_entry(condition.left)
                facts.append(Fact(left, right, None, self.layers))
        return tuple(facts)


@dataclass
class Step:
    """Two sides that an '=' joins."""

    left: Node
    right: Node
    context: Context
    met: OutOfReach | None = None  # on the way of a proof that failed
    known: dict = field(default_factory=dict)
    found: dict = field(default_factory=dict)  # what is read, by what is withheld

    def pairs(self) -> Iterator[tuple[Node, Node]]:
        """What must be equal: the sides, and new braces and their labels."""
        yield self.left, self.right
        old = set(walk(self.left))
        for node in walk(self.right):
            if isinstance(node, Underbrace) and node.label and node not in old:
                yield node.body, node.label

    def read(self, withheld: frozenset[str]) -> list[tuple[Poly, Poly]]:
        """Both sides of each pair as they stand. Raises OutOfReach and Unfit."""
        if withheld not in self.found:
            reader = Reader(self.context.loss, withheld)
            self.found[withheld] = [
                sides(left, right, reader) for left, right in self.pairs()
            ]
        return self.found[withheld]

    def defined(self) -> list[str]:
        """The definitions of symbols that stand alone on a side."""
        found = []
        for side in self.read(frozenset())[0]:
            match lone(side):
                case Entry(kind=kind) if kind in DEFINED:
                    found.append(DEFINED[kind])
                case Applied(name=name, order=0):
                    found.append(name)
        return found

    @cached_property
    def levels(self) -> frozenset[Level]:
        found: set[Level] = set()
        for pair in self.read(frozenset()):
            found |= set(levels(pair))
        return filled(found)

    @cached_property
    def causes(self) -> frozenset[Level]:
        """As wholes: what holds for every change holds for that of an entry."""
        sums = [n for n in walk((self.left, self.right)) if isinstance(n, SumOver)]
        bound = {node.index for node in sums}
        if any(
            not bound.issuperset(cause.indices) for cause in self.context.causes
        ):
            self.met = OutOfReach(Construct.ENTRIES)  # unless the step closes
        return frozenset(symbol(cause)[:2] for cause in self.context.causes)

    def closes(
        self,
        rules: frozenset[str],
        facts: tuple[Fact, ...] = (),
        withheld: frozenset[str] = frozenset(),
    ) -> bool:
        """Whether both sides have one form under these rules and equations."""
        key = rules, facts, withheld
        if key not in self.known:
            try:
                self.known[key] = all(
                    self.one_form(left, right, rules, facts)
                    for left, right in self.read(withheld)
                )
            except (Unfit, RecursionError):
                self.known[key] = False
            except OutOfReach as construct:
                self.known[key], self.met = False, construct
        return self.known[key]

    def one_form(self, left: Poly, right: Poly, rules, facts) -> bool:
        facts = (*facts, *self.context.given)
        rewriter = Rewriter(rules, facts, self.levels, self.causes)
        return equal(rewriter.normal(left), rewriter.normal(right))


def sides(left: Node, right: Node, reader: Reader) -> tuple[Poly, Poly]:
    """Two sides as numbers; of matrices an element, with the same indices on both."""
    one, other = reader.read(left), reader.read(right)
    if isinstance(one, Matrix) and isinstance(other, Matrix):
        if one.axes != other.axes:
            raise Unfit("the sides have different shapes")
        row, column = (
            Index(name, axis) if axis is not None else None
            for name, axis in zip(("row", "column"), one.axes)
        )
        return one.at(row, column), other.at(row, column)
    if isinstance(one, Matrix) or isinstance(other, Matrix):
        raise Unfit("one side is a number, the other is none")
    return one, other


def lone(poly: Poly) -> Atom | None:
    """The only symbol of a side."""
    match poly:
        case (
            Term(
                number=1,
                factors=(Entry() | Partial() | Change() | Applied() as atom,),
                bound=(),
            ),
        ):
            return atom
    return None


def levels(part) -> Iterator[Level]:
    """The quantities at which derivatives, deltas and changes stand."""
    match part:
        case tuple():
            for item in part:
                yield from levels(item)
        case Term(factors=factors):
            yield from levels(factors)
        case Partial(of, by):
            yield from level(of)
            yield from level(by)
        case Derived(of, by):
            yield from levels(of)
            if by is not None:
                yield from level(by)
        case Change(of):
            yield from level(of)
        case Slope(layer=layer):
            yield "z in", layer
        case Entry(kind=kind, layer=layer) if kind in DELTAS:
            yield "z in", layer


def level(entry: Entry) -> Iterator[Level]:
    if entry.kind in ("z in", "z out") or entry.kind in GENERAL.keys() & {"u", "v"}:
        yield entry.kind, entry.layer

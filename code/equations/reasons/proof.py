"""Whether a step is closed by rules: both sides become the same sum of products."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from equations.feedforward import FEEDFORWARD
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
from equations.world import World

from .canonical import equal
from .constructs import Construct, OutOfReach, Unfit
from .facts import Fact, Layers, Shares
from .letters import Own, indices, size, symbol
from .model import DEFINED, DELTAS, GENERAL
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
    atoms,
)
from .translate import Matrix, Reader
from .words import CALCULUS, RULES


@dataclass(frozen=True)
class Context:
    """What a display says of all its steps: what a bare loss stands for, the range of
    ℓ, the conditions, and the quantities that change by themselves; and what the chapter
    has: its world, and its definitions, by the kinds of what they define."""

    loss: Loss | None
    range: Range | None
    conditions: tuple[Equality, ...] = ()
    causes: tuple[Quantity, ...] = ()
    world: World = FEEDFORWARD
    definitions: Mapping[str, "Cited"] = field(default_factory=dict, compare=False)

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
    def given(self) -> tuple[Fact | Shares, ...]:
        """The conditions, as equations that may be put in."""
        found: list[Fact | Shares] = []
        reader = Reader(self.world, self.loss)
        for condition in self.conditions:
            match condition:
                case Equality(Loss() as left, right, at_least=False):
                    poly = sides(left, right, reader)[1]
                    found.append(
                        Fact(reader.loss_entry(left), poly, None, self.layers)
                    )
                case Equality(SumOver() as left, Number(text="1") as one):
                    match sides(left, one, reader)[0]:
                        case (Term(1, (Entry() as entry,), (index,)),):
                            found.append(Shares(entry, index))
        return tuple(found)


@dataclass(frozen=True)
class Cited:
    """An equation that a reason names: first and last side, whether one '=' joins them,
    and what its display says of them."""

    left: Node
    right: Node
    direct: bool
    context: Context

    @cached_property
    def meaning(self) -> frozenset[str]:
        """The rules of the network that the equation is, if it is no more than that."""
        if self.context.world is not FEEDFORWARD:
            return frozenset()
        step = Step(self.left, self.right, self.context)
        nodes = walk((self.left, self.right))
        letters = {node.letter for node in nodes if isinstance(node, Quantity)}
        if letters <= GENERAL.keys():
            tried = [*CALCULUS, "Jacobian"]
        else:
            tried = sorted(RULES - CALCULUS.keys()) if self.direct else []
        if not step.closes(frozenset()):
            for rule in tried:
                if step.closes(frozenset({rule})):
                    return frozenset({rule})
        return frozenset()


@dataclass
class Step:
    """Two sides that an '=' joins."""

    left: Node
    right: Node
    context: Context
    met: OutOfReach | None = None  # on the way of a proof that failed
    known: dict = field(default_factory=dict)
    put_in: dict[str, tuple[Fact, ...]] = field(default_factory=dict)  # definitions
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
            context = self.context
            reader = Reader(context.world, context.loss, withheld)
            self.found[withheld] = [
                sides(left, right, reader) for left, right in self.pairs()
            ]
        return self.found[withheld]

    def defined(self) -> list[str]:
        """The definitions of symbols that stand alone on a side, or their kinds where
        the chapter defines them."""
        found = []
        for side in self.read(frozenset())[0]:
            match lone(side):
                case Entry(kind=kind) if kind in DEFINED:
                    found.append(DEFINED[kind])
                case Entry(kind=kind) if kind in self.context.definitions:
                    found.append(kind)
                case Applied(name=name, order=0):
                    found.append(name)
        return found

    def beyond(self) -> Construct | None:
        """What keeps proofs in another world than the network's from a step that no rule
        closes."""
        context, world = self.context, self.context.world
        if world is FEEDFORWARD:
            return None
        for condition in context.conditions:
            match condition:
                case Equality(Quantity() as left, Number()) if size(left, world):
                    return Construct.SIZE
        own = [kind for kind in self.own() if kind.row.kind == "definition"]
        if not context.definitions.keys() >= {*own}:
            return Construct.UNDEFINED
        of_network = any(
            isinstance(a, Slope)
            or isinstance(a, Entry)
            and a.kind in DEFINED
            and a.kind != "z in"
            for a in atoms(tuple(self.read(frozenset())))
        )
        return Construct.SYMBOLS if world.layered and of_network else None

    def own(self) -> list[Own]:
        """The kinds of symbols that only this world has, in the order of its table."""
        inside = atoms(tuple(self.read(frozenset())))
        found = {a.kind for a in inside if isinstance(a, Entry)}
        rows = self.context.world.symbols
        return sorted(
            (kind for kind in found if isinstance(kind, Own)),
            key=lambda kind: rows.index(kind.row),
        )

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
        world = self.context.world
        return frozenset(symbol(cause, world)[:2] for cause in self.context.causes)

    def closes(
        self,
        rules: frozenset[str],
        facts: tuple[Fact | Shares, ...] = (),
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
        given = (*facts, *self.context.given)
        equations = tuple(fact for fact in given if isinstance(fact, Fact))
        # A cited equation may be about a derivative by what stands nowhere in the step.
        cited = levels(tuple((fact.left, fact.right) for fact in equations))
        own = {found for found in cited if isinstance(found[0], Own)}
        rewriter = Rewriter(rules, equations, self.levels | own, self.causes)
        one, other = rewriter.normal(left), rewriter.normal(right)
        for fact in given:
            if isinstance(fact, Shares):
                one, other = fact.without(one), fact.without(other)
        return equal(one, other)


def sides(left: Node, right: Node, reader: Reader) -> tuple[Poly, Poly]:
    """Two sides as numbers; of matrices an element, with the same indices on both."""
    reader = replace(reader, known=indices((left, right), reader.world))
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
    kind = entry.kind
    own = isinstance(kind, Own) and kind.row.kind == "definition"
    if own or kind in ("z in", "z out") or kind in GENERAL.keys() & {"u", "v"}:
        yield kind, entry.layer

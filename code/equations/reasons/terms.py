"""Sums of products of entries, with typed indices, and when two of them are equal.

A polynomial is a tuple of terms. A term sums over its bound indices a number times its
factors. An index knows what it counts, so those of different layers never meet.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, product

from equations.nodes import Layer, Node

Kind = (
    str | Layer
)  # what an index counts: 'samples', units of a layer, or of a vector


@dataclass(frozen=True)
class Index:
    name: str
    kind: Kind


@dataclass(frozen=True)
class Entry:
    """A number that a letter names, with its layer and all of its indices."""

    kind: str
    layer: Layer | None = None
    indices: tuple[Index, ...] = ()


@dataclass(frozen=True)
class Kron:
    """1 where both indices are equal, 0 elsewhere."""

    one: Index
    other: Index


@dataclass(frozen=True)
class Size:
    """How many values an index of this kind has."""

    kind: Kind


@dataclass(frozen=True)
class Slope:
    """A derivative of the activation of a layer (of order 0 itself), at the
    pre-activation with these indices."""

    order: int
    layer: Layer
    indices: tuple[Index, ...]


@dataclass(frozen=True)
class Partial:
    """A partial derivative of an entry by an entry."""

    of: Entry
    by: Entry


@dataclass(frozen=True)
class Change:
    """A small change of an entry."""

    of: Entry


@dataclass(frozen=True)
class Derived:
    """The derivative of a polynomial, not carried out; the change, where ``by`` is
    None."""

    of: "Poly"
    by: Entry | None


@dataclass(frozen=True)
class Applied:
    """A derivative of a named function, at any argument."""

    name: str
    order: int
    argument: "Poly"


@dataclass(frozen=True)
class Inverse:
    of: "Poly"


@dataclass(frozen=True)
class Exponential:
    of: "Poly"


@dataclass(frozen=True)
class Log:
    of: "Poly"


@dataclass(frozen=True)
class Root:
    of: "Poly"


@dataclass(frozen=True)
class Opaque:
    """An element of what a notation means, where the notation is not to be read."""

    node: Node
    place: tuple[Index | None, ...]


Atom = (
    Entry | Kron | Size | Slope | Partial | Change | Derived | Applied | Inverse
    | Exponential | Log | Root | Opaque
)  # fmt: skip


@dataclass(frozen=True)
class Term:
    number: Fraction
    factors: tuple[Atom, ...] = ()
    bound: tuple[Index, ...] = ()


Poly = tuple[Term, ...]

NOTHING: Poly = ()
ONE: Poly = (Term(Fraction(1)),)

numbers = count()


def fresh(kind: Kind) -> Index:
    """An index with a name that no other has."""
    return Index(f"~{next(numbers)}", kind)


def single(*factors: Atom) -> Poly:
    return (Term(Fraction(1), factors),)


def scaled(poly: Poly, number: Fraction | int) -> Poly:
    return tuple(Term(t.number * number, t.factors, t.bound) for t in poly)


def times(*polys: Poly) -> Poly:
    """The product. Bound indices get new names, so that none meets another."""
    result = ONE
    for poly in polys:
        result = tuple(
            Term(a.number * b.number, a.factors + b.factors, a.bound + b.bound)
            for a, b in product(result, map(renamed, poly))
        )
    return result


def renamed(term: Term) -> Term:
    names = {index: fresh(index.kind) for index in term.bound}
    return substituted(term, names) if names else term


def summed(poly: Poly, index: Index) -> Poly:
    """The sum over all values of an index."""
    return tuple(
        renamed(Term(t.number, t.factors, (*t.bound, index))) for t in poly
    )


def substituted(part, names: dict[Index, Index]):
    """The same with other indices in place of some."""
    return mapped(part, names.get, set(names.values()))


def mapped(part, leaf: Callable, taken: Collection[Index] = ()):
    """The same with other leaves: what ``leaf`` gives for an index or a layer, unless
    None. A sum inside gets new names first, where it uses those that are taken."""
    if isinstance(part, Index | Layer) and (new := leaf(part)) is not None:
        return new
    if isinstance(part, tuple):
        return tuple(mapped(item, leaf, taken) for item in part)
    if isinstance(part, Opaque):
        return Opaque(part.node, mapped(part.place, leaf, taken))
    if isinstance(part, Term) and not set(taken).isdisjoint(part.bound):
        part = renamed(part)
    if isinstance(part, Index | Term | Atom):
        return type(part)(*(mapped(v, leaf, taken) for v in vars(part).values()))
    return part


def atoms(part) -> Iterator[Atom]:
    """All atoms in a part, those in others too."""
    if isinstance(part, tuple):
        for item in part:
            yield from atoms(item)
    elif isinstance(part, Term | Atom):
        if isinstance(part, Atom):
            yield part
        yield from atoms(tuple(vars(part).values()))


def indices(part) -> Iterator[Index]:
    """All indices in a part, in order."""
    if isinstance(part, Index):
        yield part
    elif isinstance(part, tuple):
        for item in part:
            yield from indices(item)
    elif isinstance(part, Opaque):
        yield from indices(part.place)
    elif isinstance(part, Term | Atom):
        for value in vars(part).values():
            yield from indices(value)

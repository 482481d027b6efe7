"""Cited equations and conditions: what stands on one side may be put for the other."""

from dataclasses import dataclass, fields

from equations.nodes import Layer, Range

from .canonical import canonical
from .model import SAMPLES, up
from .terms import (
    Applied,
    Atom,
    Change,
    Entry,
    Index,
    Partial,
    Poly,
    Slope,
    Term,
    indices,
    mapped,
    single,
    times,
)


@dataclass(frozen=True)
class Layers:
    """For which ℓ a display holds, and how deep the network is at least."""

    range: Range | None = None
    depth: int = 1

    def lowest(self, layer: Layer) -> Layer:
        return self.end(layer, 0)

    def highest(self, layer: Layer) -> Layer:
        return self.end(layer, 1)

    def end(self, layer: Layer, which: int) -> Layer:
        if layer.base == "ell" and self.range is not None:
            return up(up(self.range[which], 0), layer.offset)
        return layer

    def within(self, layer: Layer, other: Range) -> bool:
        """Whether a layer, for all ℓ of these, lies in another range."""
        first, last = (up(end, 0) for end in other)
        return self.at_most(first, self.lowest(layer)) and self.at_most(
            self.highest(layer), last
        )

    def at_most(self, one: Layer, other: Layer) -> bool:
        if isinstance(one.base, int) and isinstance(other.base, int):
            return one.base <= other.base
        if one.base == other.base:
            return one.offset <= other.offset
        if isinstance(one.base, int) and other.base == "L":
            return one.base <= self.depth + other.offset
        return False


@dataclass(frozen=True)
class Fact:
    """An equation for all of its indices, and for all ℓ of its range. ``here`` are the
    layers of the step in which it is used."""

    left: Atom
    right: Poly
    range: Range | None
    here: Layers

    def applied(self, atom: Atom) -> Poly | None:
        """What the equation puts in place of an atom; None if it says nothing of it."""
        if isinstance(self.left, Applied):
            return self.of_argument(atom)
        found: dict = {}  # indices for those of the equation, and a layer for 'ell'
        if not isinstance(atom, type(self.left)) or not fits(
            self.left, atom, found
        ):
            return None
        ell: Layer | None = found.pop("ell", None)
        if ell is not None and not (
            self.range and self.here.within(ell, self.range)
        ):
            return None

        def leaf(part: Index | Layer) -> Index | Layer | None:
            if isinstance(part, Layer):
                return up(ell, part.offset) if part.base == "ell" and ell else None
            return found.get(part)

        return mapped(self.right, leaf, set(found.values()))

    def of_argument(self, atom: Atom) -> Poly | None:
        """Where the equation is about a function of any number: with its argument."""
        match self.left, atom:
            case (
                Applied(name, order, (Term(1, (Entry() as any_number,), ()),)),
                Applied(its_name, its_order, argument),
            ) if (name, order) == (its_name, its_order) and any_number.kind == "z":
                return put_in(self.right, any_number, argument)
        return self.right if self.left == atom else None


@dataclass(frozen=True)
class Shares:
    """Numbers that add up to 1 over an index."""

    entry: Entry
    index: Index

    def without(self, poly: Poly) -> Poly:
        """The same, without sums over them alone."""
        return tuple(map(self.without_sum, canonical(poly)))

    def without_sum(self, term: Term) -> Term:
        for place, factor in enumerate(term.factors):
            found: dict = {}
            if isinstance(factor, Entry) and fits(self.entry, factor, found):
                others = term.factors[:place] + term.factors[place + 1 :]
                index = found[self.index]
                if index in term.bound and index not in set(indices(others)):
                    bound = tuple(i for i in term.bound if i != index)
                    return self.without_sum(Term(term.number, others, bound))
        return term


def fits(pattern, part, found: dict) -> bool:
    """Whether a part is as a pattern says, for some indices and some ℓ."""
    match pattern:
        case Index(name=name, kind=kind):
            return (
                isinstance(part, Index)
                and fits(kind, part.kind, found)
                and (not name.isdigit() or name == part.name)
                and found.setdefault(pattern, part) == part
            )
        case Layer(base="ell", offset=offset):
            if not isinstance(part, Layer):
                return False
            ell = up(part, -offset)
            return found.setdefault("ell", ell) == ell
        case tuple():
            return len(pattern) == len(part) and all(
                fits(one, other, found) for one, other in zip(pattern, part)
            )
        case Entry() | Partial() | Change() | Slope():
            return all(
                fits(getattr(pattern, f.name), getattr(part, f.name), found)
                for f in fields(pattern)
            )
    return pattern == part


def for_each_sample(part):
    """What is said of one sample, said of each sample of a batch, with its loss."""
    sample = Index("sample", SAMPLES)
    match part:
        case tuple():
            return tuple(map(for_each_sample, part))
        case Term(number, factors, bound):
            return Term(number, for_each_sample(factors), bound)
        case Entry(
            kind="z in" | "z out" | "delta" as kind, layer=layer, indices=places
        ):
            kind = "delta of the batch" if kind == "delta" else kind
            return Entry(kind, layer, (sample, *places))
        case Entry(kind="loss"):
            return Entry("loss of the batch")
        case Partial(of, by):
            return Partial(for_each_sample(of), for_each_sample(by))
        case Slope(order, layer, places):
            return Slope(order, layer, (sample, *places))
    return part


def put_in(part, entry: Entry, argument: Poly):
    """The same with a polynomial in place of an entry."""
    match part:
        case Term(number, factors, bound):
            product = times(
                *(put_in(factor, entry, argument) for factor in factors)
            )
            return tuple(
                Term(t.number * number, t.factors, t.bound + bound) for t in product
            )
        case tuple():
            return tuple(
                term for one in part for term in put_in(one, entry, argument)
            )
        case Applied(name, order, of):
            return single(Applied(name, order, put_in(of, entry, argument)))
    return argument if part == entry else single(part)

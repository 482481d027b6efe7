"""Sums of products of entries, with typed indices, and when two of them are equal.

A polynomial is a tuple of terms. A term sums over its bound indices a number times its
factors. An index knows what it counts, so those of different layers never meet.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, fields
from fractions import Fraction
from itertools import count, groupby, permutations, product

from equations.nodes import Layer, Node

from .constructs import Unfit

Kind = str | Layer  # what an index counts: 'samples', units of a layer, or of a vector


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
class Root:
    of: "Poly"


@dataclass(frozen=True)
class Opaque:
    """An element of what a notation means, where the notation is not to be read."""

    node: Node
    place: tuple[Index | None, ...]


Atom = (
    Entry | Kron | Size | Slope | Partial | Change | Derived | Applied | Inverse
    | Exponential | Root | Opaque
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
        values = (getattr(part, item.name) for item in fields(part))
        return type(part)(*(mapped(value, leaf, taken) for value in values))
    return part


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
        for item in fields(part):
            yield from indices(getattr(part, item.name))


def inverse(poly: Poly) -> Poly:
    """One over a polynomial; over a product, factor by factor."""
    poly = canonical(poly)
    match poly:
        case ():
            raise Unfit("a division by 0 stands here")
        case (Term(number, factors, ()),):
            return (Term(1 / number, tuple(map(inverted, factors))),)
    return single(Inverse(poly))


def inverted(factor: Atom) -> Atom:
    match factor:
        case Exponential(of):
            return Exponential(scaled(of, -1))
        case Inverse((Term(Fraction(numerator=1, denominator=1), (atom,), ()),)):
            return atom
    return Inverse(single(factor))


# ---------------------------------------------------------------- equality


def equal(left: Poly, right: Poly) -> bool:
    """Whether two polynomials have the same canonical form, over common
    denominators."""
    difference = canonical(left + scaled(right, -1))
    while difference:
        below = next(filter(None, map(denominator, difference)), None)
        if below is None:
            return False
        difference = canonical(cleared(difference, below))
    return True


def denominator(term: Term) -> Inverse | None:
    """What a term is divided by, unless that contains an index that it sums over."""
    for factor in term.factors:
        if isinstance(factor, Inverse) and not set(indices(factor)) & set(term.bound):
            return factor
    return None


def cleared(poly: Poly, below: Inverse) -> Poly:
    """The same over a common denominator, without that denominator."""
    highest = max(term.factors.count(below) for term in poly)
    result: Poly = NOTHING
    for term in poly:
        others = tuple(factor for factor in term.factors if factor != below)
        missing = highest - (len(term.factors) - len(others))
        above = (Term(term.number, others, term.bound),)
        result += times(above, *[below.of] * missing)
    return result


def canonical(poly: Poly, depth: int = 0) -> Poly:
    """Like terms together, in one order, with one way to name what is summed over."""
    found: dict[tuple, Fraction] = {}
    for term in poly:
        ready = contracted(term)
        if ready is None:
            continue
        factors, bound = ordered(ready, depth)
        number, factors = collected(ready.number, factors, depth)
        key = factors, bound
        found[key] = found.get(key, Fraction(0)) + number
    terms = [Term(number, *key) for key, number in found.items() if number]
    return tuple(sorted(terms, key=repr))


def contracted(term: Term) -> Term | None:
    """Without a Kron whose index is summed over; None where indices cannot meet."""
    factors, bound = list(term.factors), list(term.bound)
    position = 0
    while position < len(factors):
        factor = factors[position]
        if not isinstance(factor, Kron):
            position += 1
            continue
        one, other = factor.one, factor.other
        if one.kind != other.kind:
            raise Unfit(f"{one.name} and {other.name} count different things")
        if one == other:
            factors.pop(position)
        elif one in bound or other in bound:
            gone, kept = (one, other) if one in bound else (other, one)
            bound.remove(gone)
            factors.pop(position)
            factors = list(substituted(tuple(factors), {gone: kept}))
            position = 0
        else:
            factors[position] = Kron(*sorted((one, other), key=repr))
            position += 1
    used = set(indices(tuple(factors)))
    factors += [Size(index.kind) for index in bound if index not in used]
    return Term(
        term.number, tuple(factors), tuple(index for index in bound if index in used)
    )


def ordered(term: Term, depth: int) -> tuple[tuple[Atom, ...], tuple[Index, ...]]:
    """The factors in order, with canonical names of the bound indices: of all ways to
    number them the one whose text comes first."""

    def role(index: Index) -> str:
        blank = {i: Index("*", i.kind) for i in term.bound}
        blank[index] = Index("!", index.kind)
        return repr(sorted(map(repr, substituted(term.factors, blank))))

    groups = [
        list(group)
        for _, group in groupby(
            sorted(term.bound, key=lambda i: (repr(i.kind), role(i))),
            key=lambda i: (repr(i.kind), role(i)),
        )
    ]
    best = None
    for choice in product(*(permutations(group) for group in groups)):
        order = [index for group in choice for index in group]
        names = {
            index: Index(f"{depth}.{number}", index.kind)
            for number, index in enumerate(order)
        }
        factors = tuple(
            sorted(
                (inner(f, depth + 1) for f in substituted(term.factors, names)),
                key=repr,
            )
        )
        text = repr(factors)
        if best is None or text < best[0]:
            best = text, factors, tuple(names.values())
    return best[1], best[2]


def inner(factor: Atom, depth: int) -> Atom:
    """A factor with canonical polynomials in it."""
    match factor:
        case Derived(of, by):
            return Derived(canonical(of, depth), by)
        case Applied(name, order, argument):
            return Applied(name, order, canonical(argument, depth))
        case Inverse(of) | Exponential(of) | Root(of):
            return type(factor)(canonical(of, depth))
    return factor


def collected(
    number: Fraction, factors: Iterable[Atom], depth: int
) -> tuple[Fraction, tuple[Atom, ...]]:
    """Exponentials in one, and nothing both above and below a fraction line."""
    exponent: Poly = NOTHING
    counts: Counter[Atom] = Counter()
    for factor in factors:
        match factor:
            case Exponential(of):
                exponent += of
            case Inverse((Term(Fraction(numerator=1, denominator=1), (atom,), ()),)):
                counts[atom] -= 1
            case Inverse((Term(only, (), ()),)):
                number /= only
            case _:
                counts[factor] += 1
    exponent = canonical(exponent, depth + 1)
    kept: list[Atom] = [Exponential(exponent)] if exponent else []
    for atom, times_ in counts.items():
        factor = atom if times_ > 0 else Inverse(single(atom))
        kept += [factor] * abs(times_)
    return number, tuple(sorted(kept, key=repr))

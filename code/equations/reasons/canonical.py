"""When two polynomials are equal: like terms together, and one name for what is summed
over."""

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from itertools import chain, groupby, permutations, product

from .constructs import Unfit
from .terms import (
    NOTHING,
    Applied,
    Atom,
    Derived,
    Exponential,
    Index,
    Inverse,
    Kron,
    Log,
    Poly,
    Root,
    Size,
    Term,
    indices,
    scaled,
    single,
    substituted,
    times,
)


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


def logarithm(poly: Poly) -> Poly:
    """That of a product is a sum, that of a quotient a difference."""
    poly = canonical(poly)
    match poly:
        case (Term(Fraction(numerator=1, denominator=1), factors, ()),):
            return tuple(chain.from_iterable(map(logarithm_of, factors)))
    return single(Log(poly))


def logarithm_of(factor: Atom) -> Poly:
    match factor:
        case Exponential(of):
            return of
        case Inverse(of):
            return scaled(logarithm(of), -1)
    return single(Log(single(factor)))


def equal(left: Poly, right: Poly) -> bool:
    """Whether two polynomials have the same canonical form, over common
    denominators."""
    difference = canonical(squared(left + scaled(right, -1)))
    while difference:
        below = next(filter(None, map(denominator, difference)), None)
        if below is None:
            return False
        difference = canonical(squared(cleared(difference, below)))
    return True


def squared(poly: Poly) -> Poly:
    """The same with what stands under a root in place of the root times itself."""
    result: Poly = NOTHING
    for term in poly:
        counts = Counter(f for f in term.factors if isinstance(f, Root))
        factors = tuple(f for f in term.factors if f not in counts)
        factors += tuple(root for root, times_ in counts.items() if times_ % 2)
        squares = [
            root.of for root, times_ in counts.items() for _ in range(times_ // 2)
        ]
        result += tuple(
            Term(t.number * term.number, factors + t.factors, term.bound + t.bound)
            for t in times(*squares)
        )
    return result


def denominator(term: Term) -> Inverse | None:
    """What a term is divided by, unless that contains an index that it sums over."""
    for factor in term.factors:
        if isinstance(factor, Inverse) and not set(indices(factor)) & set(
            term.bound
        ):
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
        elif one.name.isdigit() and other.name.isdigit():
            return None
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
        term.number,
        tuple(factors),
        tuple(index for index in bound if index in used),
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

    def numbered(
        choice: tuple[tuple[Index, ...], ...],
    ) -> tuple[tuple[Atom, ...], tuple[Index, ...]]:
        names = {
            index: Index(f"{depth}.{number}", index.kind)
            for number, index in enumerate(chain.from_iterable(choice))
        }
        factors = (inner(f, depth + 1) for f in substituted(term.factors, names))
        return tuple(sorted(factors, key=repr)), tuple(names.values())

    choices = product(*(permutations(group) for group in groups))
    return min(map(numbered, choices), key=lambda found: repr(found[0]))


def inner(factor: Atom, depth: int) -> Atom:
    """A factor with canonical polynomials in it."""
    match factor:
        case Derived(of, by):
            return Derived(canonical(of, depth), by)
        case Applied(name, order, argument):
            return Applied(name, order, canonical(argument, depth))
        case Inverse(of) | Exponential(of) | Log(of) | Root(of):
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
            case Inverse(
                (Term(Fraction(numerator=1, denominator=1), (atom,), ()),)
            ):
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

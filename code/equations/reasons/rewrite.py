"""Put in what the rules allow: definitions, cited equations, and the rules of calculus."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from equations.nodes import Layer

from .canonical import canonical, inverse, logarithm
from .constructs import Construct, OutOfReach
from .facts import Fact
from .letters import Own, counted, depends, separate, takes
from .model import DEFINED, SAMPLES, after, definition, function, links, slope, up
from .terms import (
    NOTHING,
    ONE,
    Applied,
    Atom,
    Change,
    Derived,
    Entry,
    Exponential,
    Index,
    Inverse,
    Kron,
    Log,
    Opaque,
    Partial,
    Poly,
    Root,
    Size,
    Slope,
    Term,
    atoms,
    fresh,
    scaled,
    single,
    summed,
    times,
)

DEEPEST = 40  # a proof puts in less; rules that lead in a circle never end

Level = tuple[str, Layer | None]


@dataclass
class Rewriter:
    """``rules`` are those that may be used, ``facts`` cited equations and conditions.
    ``levels`` are the quantities through which derivatives and changes are passed on,
    ``causes`` what changes by itself."""

    rules: frozenset[str]
    facts: tuple[Fact, ...]
    levels: frozenset[Level]
    causes: frozenset[Level]
    depth: int = 0

    def normal(self, poly: Poly) -> Poly:
        """With everything put in that can be."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise RecursionError
        result: Poly = NOTHING
        for term in poly:
            product = times(ONE, *map(self.atom, term.factors))
            result += tuple(
                Term(t.number * term.number, t.factors, t.bound + term.bound)
                for t in product
            )
        self.depth -= 1
        return result

    def atom(self, atom: Atom) -> Poly:
        for fact in self.facts:
            if (found := fact.applied(atom)) is not None:
                return self.normal(found)
        match atom:
            case Entry(kind=kind):
                meaning = self.meaning(atom) if kind in DEFINED else None
                return single(atom) if meaning is None else self.normal(meaning)
            case Slope(0, layer, places) if "output" in self.rules:
                return self.normal(single(Entry("z out", layer, places)))
            case Partial(of, by):
                return self.partial(of, by)
            case Change(of):
                return self.change(of)
            case Derived(of, by):
                return self.derived(of, by)
            case Applied(name, order, argument):
                return self.applied(name, order, self.normal(argument))
            case Inverse(of):
                return inverse(self.normal(of))
            case Log(of):
                return logarithm(self.normal(of))
            case Exponential(of) | Root(of):
                return single(type(atom)(self.normal(of)))
        return single(atom)

    def meaning(self, entry: Entry) -> Poly | None:
        """What a cited equation, a condition or a definition says that an entry is."""
        for fact in self.facts:
            if (found := fact.applied(entry)) is not None:
                return found
        return definition(entry) if DEFINED.get(entry.kind) in self.rules else None

    def applied(self, name: str, order: int, argument: Poly) -> Poly:
        if name not in self.rules:
            return single(Applied(name, order, argument))
        if order == 0:
            return function(name, argument)
        match argument:
            case (Term(number=1, factors=(Entry() as by,), bound=()),):
                return self.derived(self.applied(name, order - 1, argument), by)
        return single(Applied(name, order, argument))

    # ------------------------------------------------------------ derivatives

    def partial(self, of: Entry, by: Entry) -> Poly:
        if of.kind == by.kind and of.layer == by.layer:
            return single(*map(Kron, of.indices, by.indices))
        if not depends(of, by):
            return NOTHING
        if takes(of, by) or "chain rule" in self.rules:
            meaning = self.meaning(of)
            if meaning is not None:
                return self.derived(meaning, by)
        own = of.kind == "z out" and by.kind == "z in" and of.layer == by.layer
        through = "output" in self.rules and (own or "chain rule" in self.rules)
        if of.kind == "z out" and through:
            before = replace(of, kind="z in")
            return times(single(slope(before, 1)), self.atom(Partial(before, by)))
        between = [
            level
            for level in self.levels
            if depends(of, Entry(*level)) and depends(Entry(*level), by)
        ]
        passed_on = highest(between)  # several where the way forks
        if (
            between
            and "chain rule" in self.rules
            and separate([Entry(*level) for level in passed_on], of, by)
        ):
            result: Poly = NOTHING
            for level in passed_on:
                middle = self.entry(level, (of, by))
                passed = times(
                    self.atom(Partial(of, middle)), self.atom(Partial(middle, by))
                )
                result += over(passed, middle.indices)
            return result
        return self.sparse(of, by)

    def sparse(self, of: Entry, by: Entry) -> Poly:
        """A derivative as it stands, with 0 where nothing leads from one to the other."""
        names = {one: other for one, other in links(of, by) if one != other}
        if not names:
            return single(Partial(of, by))
        met = replace(of, indices=tuple(names.get(i, i) for i in of.indices))
        return times(
            single(*(Kron(one, other) for one, other in names.items())),
            self.atom(Partial(met, by)),
        )

    def entry(self, level: Level, around: tuple[Entry, ...]) -> Entry:
        """The quantity of a level, with new indices; of a batch if those around are."""
        kind, layer = level
        batch = any(
            "batch" in entry.kind or any(i.kind == SAMPLES for i in entry.indices)
            for entry in around
        )
        if isinstance(kind, Own):
            places = list(map(fresh, counted(kind.row, kind.world)))
        elif layer is None:
            places = [fresh({"vector t": "t"}.get(kind, kind))]
        else:
            places = [fresh(SAMPLES)] * batch + [fresh(layer)]
        return Entry(kind, layer, tuple(places))

    def change(self, of: Entry) -> Poly:
        if (of.kind, of.layer) in self.causes:
            return single(Change(of))
        causes = [cause for cause in self.causes if depends(of, Entry(*cause))]
        if not causes:
            return NOTHING
        meaning = self.meaning(of)
        if meaning is not None:
            return self.derived(meaning, None)
        below = [x for x in self.levels | self.causes if depends(of, Entry(*x))]
        if "Jacobian" not in self.rules:
            return single(Change(of))
        result: Poly = NOTHING
        for level in highest(below):
            cause = self.parameter(level, of) or self.entry(level, (of,))
            passed = times(self.atom(Partial(of, cause)), self.atom(Change(cause)))
            result += over(passed, cause.indices)
        return result

    def parameter(self, level: Level, of: Entry) -> Entry | None:
        match level:
            case ("W" | "b" as kind, Layer() as layer):
                places = (fresh(up(layer, -1)), fresh(layer))
                return Entry(kind, layer, places[kind == "b" :])
        return None

    # ------------------------------------------------------------ sums and products

    def derived(self, of: Poly, by: Entry | None, sums: bool = False) -> Poly:
        """The derivative of a polynomial, or its change. It stays as it is if it needs
        a rule that is not at hand. ``sums`` says that sums need no rule."""
        # What stands for the cause is put in behind: before, nothing would depend on it.
        before = tuple(f for f in self.facts if by is None or not about(f, by))
        if before != self.facts:
            found = replace(self, facts=before).derived(of, by, sums)
            done = not any(isinstance(atom, Derived) for atom in atoms(found))
            return self.normal(found) if done else found
        poly = canonical(self.normal(of))
        linear = sums or "linearity" in self.rules
        result: Poly = NOTHING
        for term in poly:
            inner = [self.inner(factor, by) for factor in term.factors]
            slopes = [found for found in inner if found is not None]
            if len(slopes) < len(inner):
                return single(Derived(poly, by))
            moved = [
                (place, found)
                for place, found in enumerate(slopes)
                if canonical(found)
            ]
            factors = [term.factors[place] for place, _ in moved]
            known = self.known(factors)
            bare = Term(Fraction(1), tuple(factors))
            alone = (
                len(poly) == 1 and term == bare
            )  # no sum, and no constant factor
            if moved and not (known or (linear or alone) and self.product(factors)):
                return single(Derived(poly, by))
            for place, found in moved:
                others = term.factors[:place] + term.factors[place + 1 :]
                result += tuple(
                    Term(
                        t.number * term.number,
                        others + t.factors,
                        term.bound + t.bound,
                    )
                    for t in times(ONE, found)
                )
        return result

    def known(self, factors: list[Atom]) -> bool:
        """Whether no other rule is needed for a product: the quotient rule holds for
        whole fractions, and a power or an exponential function has a known derivative."""
        if any(isinstance(factor, Inverse) for factor in factors):
            return True
        power = len(factors) > 1 and len(set(factors)) == 1
        exponential = all(isinstance(factor, Exponential) for factor in factors)
        return exponential or (power and "known derivative" in self.rules)

    def product(self, factors: list[Atom]) -> bool:
        return len(factors) < 2 or "product rule" in self.rules

    def inner(self, factor: Atom, by: Entry | None) -> Poly | None:
        """The derivative of one factor; None if it needs a rule that is not at hand."""
        match factor:
            case Entry():
                return self.inner_entry(factor, by)
            case Slope(order, layer, places):
                before = Entry("z in", layer, places)
                found = self.inner_entry(before, by)
                own = by is None or (by.kind, by.layer) == ("z in", layer)
                if canonical(found) and not (own or "chain rule" in self.rules):
                    return None
                return times(single(slope(before, order + 1)), found)
            case Exponential(of):
                found = self.derived(of, by, sums=True)
                if canonical(found) and "known derivative" not in self.rules:
                    return None
                return times(single(factor), found)
            case Log(of):
                found = self.derived(of, by, sums=True)
                if canonical(found) and "known derivative" not in self.rules:
                    return None
                return times(inverse(of), found)
            case Root(of):
                found = self.derived(of, by, sums=True)
                if canonical(found) and "known derivative" not in self.rules:
                    return None
                return times(inverse(scaled(single(factor), 2)), found)
            case Inverse(of):
                found = self.derived(of, by, sums=True)
                if canonical(found) and "quotient rule" not in self.rules:
                    return None
                return scaled(times(single(factor, factor), found), -1)
            case Applied(name, order, argument):
                found = self.derived(argument, by, sums=True)
                match argument:
                    case (Term(1, (Entry() as entry,), ()),) if by:
                        own = (by.kind, by.layer) == (entry.kind, entry.layer)
                    case _:
                        own = by is None
                if canonical(found) and not (own or "chain rule" in self.rules):
                    return None
                return times(single(Applied(name, order + 1, argument)), found)
            case Kron() | Size():
                return NOTHING
            case Opaque():
                return None
        raise OutOfReach(Construct.SECOND)

    def inner_entry(self, entry: Entry, by: Entry | None) -> Poly:
        return self.atom(Partial(entry, by) if by else Change(entry))


def about(fact: Fact, entry: Entry) -> bool:
    return isinstance(fact.left, Entry) and fact.left.kind == entry.kind


def over(poly: Poly, places: Iterable[Index]) -> Poly:
    for index in places:
        poly = summed(poly, index)
    return poly


def highest(levels: list[Level]) -> list[Level]:
    """Those from which none of the others is computed."""
    return [
        level
        for level in levels
        if not any(depends(Entry(*x), Entry(*level)) for x in levels)
    ]


def filled(levels: set[Level]) -> frozenset[Level]:
    """With all levels of the network between the first and the last of them."""
    ours = [
        (kind, layer)
        for kind, layer in levels
        if layer is not None and kind in ("z in", "z out")
    ]
    added = set(levels)
    for first in ours:
        for last in ours:
            kind, layer = first
            while after(last, (kind, layer)):
                added.add((kind, layer))
                if kind == "z in":
                    kind = "z out"
                else:
                    kind, layer = "z in", up(layer, 1)
    return frozenset(added)

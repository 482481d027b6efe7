"""Judge a printed reason: whether what it names closes the step, and is needed.

What a cited equation means: one that a single definition closes is that definition.
One about the functions t, v, u, f of no network is the rules of calculus that close it.
Any other may be put in, its last side for its first (or the other way round, if only the
last is a single symbol), wherever its range allows it; and if the reason speaks of
samples, for each sample of a batch, if that can be proved.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, combinations, pairwise

from equations.feedforward import FEEDFORWARD
from equations.nodes import (
    Derivative,
    EquationError,
    Gradient,
    Loss,
    Node,
    Product,
    Quantity,
    Underbrace,
    walk,
)
from equations.parse import parse_row
from equations.world import World

from .canonical import equal
from .constructs import Construct, OutOfReach, Unfit
from .facts import Fact, Shares, for_each_sample
from .letters import Own, kind_named, shares_of
from .model import FUNCTIONS
from .proof import Cited, Step, lone, sides
from .rewrite import Rewriter
from .terms import Poly
from .translate import Reader
from .words import NOTATIONS, RULES, Named, meant, named, said

OF_SAMPLES = re.compile(r"\bsamples?\b|\$s\$")


Find = Callable[[str], list[Cited]]  # the equations of a display, by its label


@dataclass(frozen=True)
class Group:
    """What one name in a reason gives: rules, or equations to be put in."""

    text: str
    rules: frozenset[str] = frozenset()
    facts: tuple[Fact | Shares, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """A fault of the reason, or the construct that keeps a proof from the step; with
    neither, the step is closed."""

    fault: str | None = None
    construct: Construct | None = None

    @property
    def closed(self) -> bool:
        return self.fault is None and self.construct is None


DELTA = ("delta", "Delta")
ANY = Group("a definition")  # one that does not say of what
NOTHING_DEFINED = "the reason is a definition, but no side is a symbol that is defined; say of what"


def judge(step: Step, reason: str, find: Find) -> Verdict:
    """The verdict on the reason of a step. ``find`` gives what a label stands for, or
    raises OutOfReach, or ValueError in words."""
    step.met = None
    try:
        names = named(reason)
        step.read(frozenset())
        groups = [
            group(name, step, reason, find)
            for name in names
            if name.rule != "algebra"
        ]
    except ValueError as error:
        return Verdict(fault=str(error))
    except Unfit as error:
        if step.context.world is not FEEDFORWARD and step.context.world.layered:
            return without_proof(step, names, Construct.SYMBOLS)
        return Verdict(fault=f"the step does not close: {error}")
    except OutOfReach as found:
        return without_proof(step, names, found.construct)
    known = [one for one in groups if one != ANY]
    tried = [known]
    if ANY in groups:
        defined = [definition(kind, ANY.text, step) for kind in step.defined()]
        tried = [[*known, one] for one in defined]
    verdicts = [weigh(step, merged(one)) for one in tried]
    best = [one for one in verdicts if one.closed] or verdicts
    if not best:
        return Verdict(fault=NOTHING_DEFINED)
    if best[0].construct:
        return without_proof(step, names, best[0].construct)
    return best[0]


def without_proof(step: Step, names: list[Named], construct: Construct) -> Verdict:
    """A step out of reach needs a reason of the right form, all the same."""
    if names == [Named(ANY.text)]:
        if not isinstance(step.left, Quantity | Loss):
            return Verdict(fault=NOTHING_DEFINED)
        slopes = [
            n for n in walk(step.right) if isinstance(n, Derivative | Gradient)
        ]
        if (
            isinstance(step.left, Quantity)
            and step.left.letter in DELTA
            and not slopes
        ):
            return Verdict(
                fault="the reason is a definition, but a delta is defined as a derivative"
            )
    if {name.rule for name in names} == {"chain rule"} and not passed_on(
        step.right
    ):
        return Verdict(
            fault="the reason is the chain rule, but no product of two derivatives"
            " stands here"
        )
    return Verdict(construct=construct)


def passed_on(node: Node) -> bool:
    """Whether neighbours ∂a/∂b · ∂b/∂c stand in a node, in either order."""
    for product in walk(node):
        if isinstance(product, Product):
            for one, other in pairwise(map(without_brace, product.factors)):
                match one, other:
                    case Derivative(), Derivative():
                        if one.by == other.of or other.by == one.of:
                            return True
    return False


def without_brace(node: Node) -> Node:
    return node.body if isinstance(node, Underbrace) else node


def weigh(step: Step, groups: list[Group]) -> Verdict:
    """Whether groups close a step, and each of them is needed."""
    if closes(step, groups, groups):
        unneeded = [one for one in groups if not needed(step, groups, one)]
        if not unneeded:
            return Verdict()
        return Verdict(
            fault=f"the reason names {unneeded[0].text}, which the step does not need"
        )
    missing = lacking(step, groups)
    if missing:
        return Verdict(
            fault=f"closes only with {listed(missing)}, which the reason does not name"
        )
    construct = step.met.construct if step.met else step.beyond()
    if construct:
        return Verdict(construct=construct)
    return Verdict(fault="no rule that is known here closes this step")


def merged(groups: Iterable[Group]) -> list[Group]:
    """Two names of the same rules are one, such as a definition and its equation; and a
    notation is one with that of which it is a part."""
    found: list[Group] = []
    for one in groups:
        if not any(
            one.facts == other.facts
            and (one.rules == other.rules or one.rules <= other.rules & NOTATIONS)
            for other in found
        ):
            found.append(one)
    return found


def closes(step: Step, part: Iterable[Group], groups: list[Group]) -> bool:
    """Whether some of the groups close a step. A notation that a reason names is not
    read without it; one that it does not name is read as it stands, unless nothing but
    notation is between the sides."""
    rules = joined(part)
    facts = tuple(chain.from_iterable(group.facts for group in part))
    stated = NOTATIONS if step.closes(frozenset()) else joined(groups) & NOTATIONS
    return step.closes(rules, facts, stated - rules)


def joined(groups: Iterable[Group]) -> frozenset[str]:
    return frozenset(chain.from_iterable(group.rules for group in groups))


def needed(step: Step, groups: list[Group], one: Group) -> bool:
    """Whether some of the groups close the step with this one, and not without it."""
    others = [group for group in groups if group != one]
    return any(
        closes(step, [*some, one], groups) and not closes(step, some, groups)
        for count in reversed(range(len(others) + 1))  # most are, with all
        for some in combinations(others, count)
    )


def lacking(step: Step, groups: list[Group]) -> list[str]:
    """A least set of rules, and of what the chapter defines, that must be added; none
    if all of them do not help."""
    stated = joined(groups)
    cited = tuple(chain.from_iterable(group.facts for group in groups))
    notation = step.closes(frozenset())  # nothing else is between the sides

    def enough(rules: frozenset[str], facts: tuple[Fact | Shares, ...]) -> bool:
        return step.closes(
            rules, facts, NOTATIONS - rules if notation else frozenset()
        )

    own = of_chapter(step)
    for count in range(len(own) + 1):
        for added in combinations(own, count):
            defined = tuple(chain.from_iterable(group.facts for group in added))
            for facts in (defined,) if added else (cited, ()):
                # 'tanh' as a name can be all that a step needs.
                for rules in (RULES, RULES - {*FUNCTIONS}):
                    if not enough(rules, facts):
                        continue
                    for rule in sorted(RULES, reverse=True):
                        if enough(rules - {rule}, facts):
                            rules -= {rule}
                    missing = [said(rule) for rule in sorted(rules - stated)]
                    return missing + [one.text for one in added]
    return []


def of_chapter(step: Step) -> list[Group]:
    """What the chapter defines, and what its table says adds up to 1, of the symbols of
    a step, and of those in their definitions."""
    found: list[Group] = []
    kinds = step.own()
    for kind in kinds:
        text = f"the definition of {kind.row.said}"
        shares, cited = shares_of(kind), step.context.definitions.get(kind)
        with suppress(OutOfReach, Unfit):
            if shares:
                found.append(Group(text, facts=(shares,)))
            elif cited is not None:
                found.append(definition(kind, text, step))
                inside = Step(cited.left, cited.right, cited.context).own()
                kinds += [other for other in inside if other not in kinds]
    return found


def listed(missing: list[str]) -> str:
    *first, last = missing
    return f"{', '.join(first)} and {last}" if first else last


# ---------------------------------------------------------------- cited equations


def definition(kind: str, text: str, step: Step) -> Group:
    """That of the network by its rule, or that of the chapter by what it defines."""
    cited = step.context.definitions.get(kind)
    if cited is None:
        return Group(text, meant(kind))
    if kind not in step.put_in:
        step.put_in[kind] = tuple(equations(cited, step, False))
    return Group(text, facts=step.put_in[kind])


def defined_by_chapter(name: Named, world: World) -> str:
    """The kind of the symbol in a formula of a reason."""
    try:
        parsed = parse_row(name.symbol).sides
    except (EquationError, ValueError) as error:
        raise ValueError(f"the reason defines {name.symbol}: {error}") from None
    kind = kind_named(parsed[0], world) if len(parsed) == 1 else None
    if kind:
        return kind
    raise ValueError(f"the reason defines {name.symbol}, which is no symbol")


def is_of_network(name: Named, step: Step) -> bool:
    """Whether a formula in a reason names what the network has, and no other world."""
    with suppress(ValueError):
        kind = defined_by_chapter(name, step.context.world)
        return not isinstance(kind, Own)
    return True


def group(name: Named, step: Step, reason: str, find: Find) -> Group:
    if name.symbol and not (name.rule and is_of_network(name, step)):
        kind = defined_by_chapter(name, step.context.world)
        shares = shares_of(kind)
        if shares:
            return Group(name.text, facts=(shares,))
        if kind not in step.context.definitions:
            raise ValueError(f"no formula above defines {name.symbol}")
        return definition(kind, name.text, step)
    if name.label is None:
        return Group(name.text, meant(name.rule)) if name.rule else ANY
    means: set[str] = set()
    facts: list[Fact | Shares] = []
    try:
        for cited in find(name.label):
            means |= cited.meaning
            if not cited.meaning:
                facts += equations(cited, step, bool(OF_SAMPLES.search(reason)))
    except OutOfReach as found:
        if found.construct == Construct.ELSEWHERE:
            raise
        step.met = found  # unless the step closes without it
    return Group(name.text, frozenset(means), tuple(facts))


def equations(cited: Cited, step: Step, samples: bool) -> Iterator[Fact]:
    """A cited equation, to be put in where its conditions hold."""
    here = step.context.layers
    if not {*cited.context.conditions} <= {*step.context.conditions}:
        return
    left, right = sides(
        cited.left, cited.right, Reader(cited.context.world, cited.context.loss)
    )
    if lone(left) is None:
        left, right = right, left
    symbol = lone(left)
    if symbol is None:
        step.met = OutOfReach(Construct.CITED)  # unless the step closes without it
        return
    yield Fact(symbol, right, cited.context.range, here)
    if samples:
        of_all = for_each_sample(left), for_each_sample(right)
        atom = for_each_sample(symbol)
        if atom != symbol and holds(*of_all, cited):
            yield Fact(atom, of_all[1], cited.context.range, here)


def holds(left: Poly, right: Poly, cited: Cited) -> bool:
    """Whether an equation that was said of one sample can be proved of a batch."""
    step = Step(cited.left, cited.right, cited.context)
    rewriter = Rewriter(RULES, (), step.levels, step.causes)
    return equal(rewriter.normal(left), rewriter.normal(right))

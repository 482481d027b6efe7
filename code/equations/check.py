"""Check the equations of chapters: every relation of every chain, in many models."""

from collections import Counter, defaultdict
from itertools import pairwise

from . import orders, shapes, steps
from .chains import Chain, Placed, read_display
from .compare import (
    TOLERANCE,
    at_scale,
    check_braces,
    check_rounding,
    compare,
    constant,
    equal,
    ordered,
)
from .decimals import Decimals
from .evaluate import ORDERS, Evaluator
from .extract import Chapter, Display
from .feedforward import FEEDFORWARD
from .nodes import (
    Cases,
    Changes,
    Differential,
    Equality,
    Loss,
    Node,
    Order,
    Quantity,
    Row,
    Underbrace,
    walk,
)
from .package import package_value
from .results import Failure, Result, at, fault, refuse, where
from .values import Undefined, Value, need
from .world import Model, World
from .worlds import WORLDS


def world_of(chapter: Chapter) -> World:
    """The world that a chapter names; a ValueError where there is no such world."""
    name = chapter.world or FEEDFORWARD.name
    if name not in WORLDS:
        raise ValueError(
            f"{chapter.file}: no world is called {name}; there are {', '.join(WORLDS)}"
        )
    return WORLDS[name]


def check_display(display: Display, chapter: Chapter) -> Result:
    return read_and_check(display, chapter)[0]


def read_and_check(
    display: Display, chapter: Chapter
) -> tuple[Result, list[Chain]]:
    """What the check found, and the chains that it has read."""
    result = Result(display.file, display.line, display.label, display.tex)
    chains: list[Chain] = []
    if display.exempt:
        result.exempt = display.exempt
        return result, chains
    with result.noting(Placed(None, 0, display.line)):
        chains = check_values(display, chapter, result)
        result.in_words = any(
            isinstance(node, Underbrace) and node.label is None
            for chain in chains
            for node in chain.nodes
        )
        if not result.failures:
            symbolic = [chain for chain in chains if not chain.of_decimals]
            steps.check(display, symbolic, result)
    return result, chains


def check_values(display: Display, chapter: Chapter, result: Result) -> list[Chain]:
    """Evaluate the chains of a display; what is not true is a failure."""
    chains = read_display(display, result)
    if result.failures:
        return chains
    checker = Checker(chapter, result)
    decimals = Decimals(display, chapter, result)
    for chain in chains:
        with result.noting(chain.sides[0]):
            if chain.of_decimals:
                refuse(*chain.conditions, *chain.shapes)
                decimals.check(chain)
            else:
                checker.check(chain)
    return chains


class Checker:
    """Checks the chains of one display, or of one inline formula."""

    def __init__(self, chapter: Chapter, result: Result):
        self.chapter, self.result = chapter, result
        self.world = world_of(chapter)
        self.models = self.world.models()
        self.used: set[int] = set()
        self.compared: Counter[int] = Counter()  # what is not 0, by the side
        # By the side, and the number of its relation (0) or brace.
        self.differences: defaultdict[tuple[int, int], list[float]] = defaultdict(
            list
        )
        self.taken: set[tuple[int, int]] = set()  # branches of cases

    def check(self, chain: Chain) -> None:
        """Every relation of a chain; raises Failure at the first that does not hold."""
        relations = {side.relation for side in chain.sides[1:]}
        left = [n for n in walk(chain.sides[0].node) if isinstance(n, Differential)]
        if any(node.of in chain.causes for node in left):
            raise fault(chain.sides[0], "this change stands on the right, too")
        if relations & ORDERS and self.is_of_sizes(*(s.node for s in chain.sides)):
            raise fault(
                chain.sides[0],
                "an inequality of sizes says where something holds; it is no claim",
            )
        if chain.of_kind(Changes) and not chain.changes:
            raise fault(chain.sides[0], "no small change stands here")
        if "≈" in relations:
            orders.check(chain, self.models, self.chapter.loss, self.result)
        elif chain.of_kind(Order):
            raise fault(chain.sides[0], "an order of the error, but no ≈ with h")
        elif "←" in relations and len(chain.sides) > 2:
            raise fault(chain.sides[0], "an update has one ← and nothing else")
        elif chain.uses_ell and chain.range is None:
            first = chain.sides[0]
            self.result.fail(
                "ℓ stands here without a range; say for which layers this holds,"
                r" such as \quad \ell = 1, \dots, L",
                first.line,
                first.row,
            )
            self.check_where_defined(chain)
        else:
            self.check_chain(chain)

    def is_of_sizes(self, *sides: Node) -> bool:
        """Whether only numbers that nothing changes stand here."""
        nodes = [n for n in walk(sides) if isinstance(n, Quantity | Loss)]
        letters = [node for node in nodes if isinstance(node, Quantity)]
        kinds = {s.kind for node in letters for s in self.world.fitting(node)}
        return letters == nodes and kinds <= {"size", "number"}

    def check_chain(self, chain: Chain) -> None:
        """In every model that meets the conditions, at every layer of the range."""
        met = list(self.models)
        for condition in chain.of_kind(Equality):
            if all(self.meets(model, condition) for model in self.models):
                raise fault(condition, "every network meets this: no condition")
            met = [model for model in met if self.meets(model, condition)]
        self.check_far(chain)
        tried = 0
        for model in met:
            layers = self.layers(model, chain)
            for ell in layers:
                self.check_in(model, chain, ell)
            tried += bool(layers)
        if tried < 2:
            raise fault(
                chain.sides[0],
                "fewer than two networks meet the range and the conditions",
            )
        self.check_compared(chain)
        self.check_claims_no_less(chain, met)

    def check_compared(self, chain: Chain) -> None:
        """0 = 0 in every model says nothing, nor does a case that never occurs."""
        for node in chain.nodes:
            if isinstance(node, Cases):
                for place in range(len(node.branches)):
                    if (id(node), place) not in self.taken:
                        raise fault(
                            chain.sides[0], f"case {place + 1} never occurs here"
                        )
        for side in chain.sides[1:]:
            if side.relation not in ORDERS and not self.compared[id(side)]:
                raise fault(side, "both sides are 0: nothing is compared")
        for side in chain.sides:
            for (place, _), differences in self.differences.items():
                if place == id(side):
                    with at(side):
                        check_rounding(differences)

    def layers(self, model: Model, chain: Chain) -> list[int | None]:
        """The layers of the range in a model; None once where there is no ℓ."""
        if chain.range is None:
            return [None]
        first, last = map(Evaluator(model, None).layer, chain.range)
        return list(range(first, last + 1))

    def check_claims_no_less(self, chain: Chain, met: list[Model]) -> None:
        """A range or a condition that is narrower than need be says something false."""
        first = chain.sides[0]
        if chain.range is not None:
            for end, step in ((chain.range.first, -1), (chain.range.last, 1)):
                layers = [(m, Evaluator(m, None).layer(end) + step) for m in met]
                beyond = [
                    self.truth(chain, model, [layer])
                    for model, layer in layers
                    if layer > 0  # the input is no layer of units
                ]
                if True in beyond and False not in beyond:
                    text = end.up(step)
                    raise fault(
                        first,
                        f"the range is too small: this holds for ℓ = {text} too",
                    )
        for model in self.models:
            needless = model not in met and self.truth(
                chain, model, self.layers(model, chain)
            )
            if needless:
                raise fault(
                    first, f"this holds without the condition too{where(model)}"
                )

    def truth(
        self, chain: Chain, model: Model, tries: list[int | None]
    ) -> bool | None:
        """Whether the chain holds in a network at all these layers at which its symbols
        exist; None if they exist at none."""
        exists = None
        for ell in tries:
            trial = Checker(self.chapter, Result("", 0, None, ""))
            try:
                trial.check_in(model, chain, ell)
                exists = True
            except Failure as failure:
                if not isinstance(failure.__cause__, Undefined):
                    return False
        return exists

    def check_far(self, chain: Chain) -> None:
        """What compares sizes of numbers also where these are large, or 0."""
        if not chain.has_kinks:
            return
        conditions = chain.of_kind(Equality)
        for model in self.world.far():
            if not all(self.meets(model, condition) for condition in conditions):
                continue
            layers = range(model.L + 2) if chain.uses_ell else (None,)
            for ell in layers if chain.range is None else self.layers(model, chain):
                try:
                    self.check_in(model, chain, ell)
                except Failure as failure:
                    if not isinstance(failure.__cause__, Undefined):
                        raise

    def check_where_defined(self, chain: Chain) -> None:
        """At all layers at which every symbol exists."""
        self.check_far(chain)
        compared = set()
        for model in self.models:
            layers = range(model.L + 2) if chain.uses_ell else (None,)
            for ell in layers:
                try:
                    self.check_in(model, chain, ell)
                    compared.add(id(model))
                except Failure as failure:
                    if not isinstance(failure.__cause__, Undefined):
                        raise
        if len(compared) < 2:
            raise fault(
                chain.sides[0],
                "its symbols exist together in fewer than two networks",
            )
        self.check_compared(chain)

    def use(self, model: Model) -> None:
        self.used.add(id(model))
        self.result.networks = len(self.used)

    def meets(self, model: Model, condition: Placed) -> bool:
        equality = condition.what
        assert isinstance(equality, Equality)
        sides = equality.left, equality.right
        try:
            with at(condition, " (in the condition)"):
                evaluator = Evaluator(model, None, walk(sides), self.chapter.loss)
                left, right = map(evaluator.value, sides)
                need(not evaluator.claims, "a brace with a formula below")
                if equality.at_least:
                    need(left.is_number and right.is_number, "≥ is between numbers")
                    return bool(left.data >= right.data)
                return compare(left, right, "left side", "right side") <= TOLERANCE
        except Failure as failure:
            if isinstance(failure.__cause__, Undefined):
                return False
            raise

    def check_in(self, model: Model, chain: Chain, ell: int | None) -> None:
        """One model, one layer: every relation, every label, every shape."""
        place = where(model, ell)
        with at(chain.sides[0], place):
            evaluator = Evaluator(
                model, ell, chain.nodes, self.chapter.loss, chain.causes
            )
        values: list[Value] = []
        for side in chain.sides:
            with at(side, place):
                after = side.relation == "" and chain.sides[1].relation == "←"
                values.append(
                    evaluator.after_step(side.node)
                    if after
                    else evaluator.value(side.node)
                )
                if model.scale == 1:
                    found = check_braces(evaluator, self.result)
                    for number, difference in enumerate(found, start=1):
                        self.differences[id(side), number].append(difference)
        for (left, right), side in zip(pairwise(values), chain.sides[1:]):
            with at(side, place):
                if self.is_of_sizes(side.node):
                    right = constant(right, left)
                if model.scale != 1:
                    at_scale(model.scale, left, right, side.relation)
                elif side.relation in ORDERS:
                    self.result.values += ordered(left, right, side.relation)
                else:
                    compared, difference = equal(
                        left, right, "left side", "right side", self.result
                    )
                    self.compared[id(side)] += compared
                    self.differences[id(side), 0].append(difference)
        for row in chain.shapes:
            with at(row, place):
                assert isinstance(row.what, Row)
                shapes.check(
                    row.what, [side.node for side in chain.sides], evaluator
                )
        with at(chain.sides[-1], place):
            self.check_package(evaluator, chain, values)
        self.taken |= evaluator.taken
        if model.scale == 1:
            self.use(model)

    def check_package(
        self, evaluator: Evaluator, chain: Chain, values: list[Value]
    ):
        """The package's number for the left side against the last right side."""
        update = chain.sides[1].relation == "←"
        value = package_value(evaluator, chain.sides[0].node, update)
        if value is not None:
            names = "the package's value", "right side"
            equal(value, values[-1], *names, self.result)
            self.result.package = True

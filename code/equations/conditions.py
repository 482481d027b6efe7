"""Formulas in the text that say where something holds, or what one chooses."""

from collections.abc import Iterator
from copy import copy
from itertools import pairwise

from .chains import Placed, has_symbols
from .check import Checker, world_of
from .decimals import Decimals
from .evaluate import COMPARISONS
from .extract import Chapter, Display, Inline
from .forms import WHEN, quantities
from .networks import Network, PencilNetwork
from .nodes import Equality, Number, Product, Quantity, Row, walk
from .results import Result
from .values import need
from .world import Model, World


class Conditions:
    """Tells conditions and settings of one chapter, and checks what they say of its own
    network and learning rate."""

    def __init__(self, chapter: Chapter):
        self.chapter = chapter
        self.world: World = world_of(chapter)

    def counts(self, node: Quantity) -> bool:
        kinds = {s.kind for s in self.world.fitting(node)}
        return kinds == {"size"} and not node.bold

    def is_condition(self, inline: Inline, row: Row) -> bool:
        """Sizes, and at the end a whole number from 1 on; or sizes with 'if' before
        them: it says where something holds."""
        *sizes, last = row.sides
        if not isinstance(last, Number) and WHEN.search(inline.before):
            sizes.append(last)
        elif not (
            isinstance(last, Number) and last.text.isdigit() and int(last.text)
        ):
            return False
        is_chain = len(row.sides) == 2 or set(row.relations) == {"="}
        are_products = all(isinstance(s, Quantity | Product) for s in sizes)
        return (
            is_chain
            and are_products
            and all(q and all(map(self.counts, q)) for q in map(quantities, sizes))
        )

    def check_own(self, inline: Inline, row: Row) -> None:
        """Sizes of which no word says 'if' are those of the chapter's own network. What
        is said of layer ℓ is of no layer in particular."""
        layers = {
            n.layer.base for n in walk(row.sides) if getattr(n, "layer", None)
        }
        if self.chapter.numbers is None or WHEN.search(inline.before):
            return
        if "ell" in layers or not set(row.relations) <= COMPARISONS.keys():
            return
        evaluator = Decimals(
            Display(inline.file, inline.line, inline.tex),
            self.chapter,
            Result("", 0, None, ""),
        ).evaluator
        values = [evaluator.value(side).data for side in row.sides]
        for (left, right), relation in zip(pairwise(values), row.relations):
            need(
                COMPARISONS[relation](left, right),
                f"left side is {left:g} in the network of the cell tagged `pencil`;"
                " write 'if', 'for', 'with' or 'let' in front where another is meant",
            )

    def check_met(self, row: Row) -> None:
        """A condition alone holds in some network that is tried."""
        checker = Checker(self.chapter, Result("", 0, None, ""))
        for condition in row.conditions:
            if isinstance(condition, Equality):
                placed = Placed(condition, 0, 0)
                need(
                    any(checker.meets(model, placed) for model in self.tried()),
                    "no network that is tried meets this condition",
                )

    def tried(self) -> Iterator[Model]:
        """The models, and the chapter's own network; with its learning rate."""
        numbers, rate = self.chapter.numbers, self.chapter.learning_rate
        own = [] if numbers is None else [PencilNetwork(numbers, rate)]
        for model in (*self.world.models(), *own):
            if isinstance(model, Network) and rate is not None:
                model = copy(model)
                model.eta = rate
            yield model

    def is_setting(self, row: Row) -> bool:
        """A number that one chooses: a step, or a learning rate."""
        kinds = [
            {symbol.kind for symbol in self.world.fitting(side)}
            for side in row.sides
            if isinstance(side, Quantity) and not side.bold
        ]
        numbers = [side for side in row.sides if not has_symbols(side)]
        return kinds == [{"number"}] and len(numbers) == 1 and len(row.sides) == 2

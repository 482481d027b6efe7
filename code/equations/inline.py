"""Check the formulas in the text: each is of a kind, and is checked as its kind asks.

What is executed is compared with numbers. The others claim nothing by themselves: they
must be written in symbols that there are, and with shapes that fit.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

from . import shapes
from .chains import Chain, Placed, Side, has_symbols, read_display
from .check import Checker, world_of
from .compare import check_braces
from .conditions import Conditions
from .decimals import Decimals
from .evaluate import Evaluator
from .extract import Chapter, Display, Inline
from .forms import (
    ENDS,
    INDEX,
    ONE,
    SAYS,
    SIGN,
    alone,
    has_relation,
    letters,
    outside,
    quantities,
    side,
)
from .nodes import (
    Differential,
    Equality,
    EquationError,
    Loss,
    Node,
    Ones,
    Order,
    Quantity,
)
from .parse import parse_row
from .ranges import Ranges
from .results import Result
from .symbols import check_font, describe
from .values import Undefined, Value, need
from .world import Model, World

EXECUTED = {"annotated", "arithmetic", "equality", "shapes", "value"}
# Their words may claim something that no program reads.
IN_WORDS = {"own names", "shorthand", "term"}
# Between a symbol and its shape.
OF_SHAPE = re.compile(r"\s*(?:,|\(|is|are|(?:,|has|have|is|are)? of shape)\s*")

USUAL_LOSS = r"\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})"


class Kinds:
    """Tells of what kind the formulas in the text of one chapter are, and checks them."""

    def __init__(self, chapter: Chapter):
        self.chapter = chapter
        self.world: World = world_of(chapter)
        self.models = self.world.models()
        self.conditions = Conditions(chapter)
        self.ranges = Ranges(self.conditions)
        # Formulas that are right before others which may be their shapes.
        self.named = {
            id(shape): of.tex
            for of, shape in pairwise(chapter.inlines)
            if of.after == shape.before and OF_SHAPE.fullmatch(shape.before)
        }

    def check(self, inline: Inline) -> Result:
        result = Result(inline.file, inline.line, None, inline.tex, rows=1)
        with result.noting(Placed(None, 0, inline.line)):
            result.kind = self.kind(inline, result)
            says = SAYS.match(inline.after) is not None
            result.in_words = result.kind in IN_WORDS or (
                says and result.kind not in EXECUTED
            )
        return result

    def kind(self, inline: Inline, result: Result) -> str:
        tex = inline.tex
        if inline.unread:
            raise EquationError(
                f"behind a formula stands a claim, such as <!-- = 1 -->, or why it is"
                f" <!-- not executed: why -->, but here {inline.unread}"
            )
        if inline.exempt:
            return "own names"
        if inline.claim:
            both = replace(inline, tex=f"{tex} {inline.claim}", claim="")
            kind = self.kind(both, result)
            if kind not in EXECUTED:
                raise EquationError("the claim in the comment cannot be executed")
            return "annotated"
        if self.ranges.is_range(tex):
            return "range"
        if re.fullmatch(rf" *{INDEX} *", tex):
            return "symbol"
        if SIGN.fullmatch(tex):
            return "sign"
        if letters(tex) & self.chapter.names.keys():
            return "own names"
        ends = ENDS.fullmatch(tex)
        if ends:
            return self.list_of(ends.groups())
        shape = self.shape(inline, result)
        if shape:
            return shape
        parts = list(outside(tex, ","))
        if len(parts) > 1 and not any(map(has_relation, parts)):
            return self.list_of(parts)
        return self.formula(inline, result)

    def list_of(self, parts) -> str:
        for part in parts:
            self.term(alone(part))
        return "symbol"

    # ------------------------------------------------------------ shapes

    def shape(self, inline: Inline, result: Result) -> str | None:
        r"""N \times M and (n, N) are shapes; one after \in, one right behind a symbol, or
        several with '=' between them, are compared."""
        tex = inline.tex
        member = re.fullmatch(r"(.+?) *\\in *\\mathbb\{R\}\^(?:\{(.+)\}|(\w))", tex)
        if member:
            reals = outside(member[2] or member[3], r"\times")
            return self.member(alone(member[1]), reals, result)
        if r"\times" in tex and "=" in tex:
            row = parse_row(tex)
            if row.conditions or set(row.relations) != {"="}:
                raise EquationError(ONE)
            shapes.check_claim(row)
            result.values += 1
            return "shapes"
        sizes = list(outside(tex, r"\times"))
        pair = re.fullmatch(r" *\((.+)\) *", tex)
        if pair and len(sizes) == 1:
            sizes = list(outside(pair[1], ","))
            if len(sizes) == 1 and not self.is_size(sizes[0]):
                return None
        elif len(sizes) == 1:
            return None
        for size in sizes:
            if not self.is_size(size):
                raise EquationError(f"{size.strip()} is no size")
        symbol = side(self.named.get(id(inline), ""))
        numbers = all(size.strip().isdigit() for size in sizes)  # of an example
        if isinstance(symbol, Quantity) and self.fits(symbol) and not numbers:
            return self.member(symbol, sizes, result)
        return "shape"

    def is_size(self, tex: str) -> bool:
        """Whether a size, a whole number or an index stands here, or a sum of these."""
        if re.fullmatch(rf" *-?{INDEX} *", tex):
            return True
        found = quantities(side(tex))
        return bool(found) and all(map(self.conditions.counts, found))

    def member(self, node: Node, sizes: Iterable[str], result: Result) -> str:
        stated = [alone(size) for size in sizes]
        for evaluator, value in self.places(node, every=True):
            sides = value.sides
            found = [shapes.size(size, evaluator) for size in stated]
            if len(found) == 1:
                found.append("1")
            if tuple(found) != sides:
                raise EquationError(
                    f"its shape is ({', '.join(sides)}), not ({', '.join(found)})"
                )
            result.values += 1
        return "shapes"

    # ------------------------------------------------------------ formulas

    def formula(self, inline: Inline, result: Result) -> str:
        row = parse_row(inline.tex)
        if not row.sides:
            self.conditions.check_met(row)
            return "range"
        numbers = not any(map(has_symbols, row.sides))
        if not row.relations:
            node = alone(inline.tex)
            if numbers:
                value = Evaluator(self.models[0], 1).value(node)
                need(value.is_number or isinstance(node, Ones), "this is no number")
            return "number" if numbers else self.term(node)
        decimals = Decimals(self.display(inline), self.chapter, result)
        if numbers:
            if row.conditions:
                raise EquationError(ONE)
            decimals.check_row(row)
            return "arithmetic"
        if not row.conditions and self.conditions.is_condition(inline, row):
            self.conditions.check_own(inline, row)
            return "condition"
        if not row.conditions and self.conditions.is_setting(row):
            if self.chapter.learning_rate is not None:
                decimals.check_row(row)
            return "given"
        chains = read_display(self.display(inline), result)
        if result.failures:
            return "equality"
        (chain,) = chains
        if chain.of_decimals or self.chapter.numbers and is_number(chain):
            if chain.conditions or chain.range:
                raise EquationError(ONE)
            if self.chapter.numbers is not None:
                decimals.check_row(row)
                return "value"
            if len(row.sides) == 2 and isinstance(row.sides[0], Quantity):
                self.term(row.sides[0])
                return "given"
            raise EquationError(
                "numbers and symbols: no cell tagged `pencil` says which network"
            )
        if chain.of_kind(Equality) or chain.of_kind(Order):
            raise EquationError(ONE)
        checker = Checker(self.chapter, result)
        if chain.range is None:
            checker.check_where_defined(chain)
        else:
            checker.check(chain)
        return "equality"

    def display(self, inline: Inline) -> Display:
        return Display(inline.file, inline.line, inline.tex)

    def term(self, node: Node) -> str:
        """A symbol stands in the table, in this font and with these marks. The shapes
        of a longer term fit. One whose marks are left out is shorthand."""
        symbols = quantities(node)
        for part in symbols:
            if part.letter not in self.world.letters and not self.is_index(part):
                raise EquationError(f"unknown symbol '{part.letter}'")
            if self.is_bare(part):
                self.check_bare_font(part)
        if isinstance(node, Quantity) and (
            self.is_bare(node) or self.is_index(node)
        ):
            return "symbol"
        if node == Loss(node.span):
            return "symbol"
        if any(map(self.is_bare, symbols)):
            return "shorthand"
        for evaluator, _ in self.places(node):
            check_braces(evaluator, Result("", 0, None, ""))
        return "symbol" if isinstance(node, Quantity | Loss) else "term"

    def is_index(self, node: Quantity) -> bool:
        return node.letter in "ijkms" and node == Quantity(node.span, node.letter)

    def is_bare(self, node: Quantity) -> bool:
        """A letter of the table without its layer, to speak of it in every layer."""
        layered = {symbol.layered for symbol in self.world.of_letter(node.letter)}
        return node.layer is None and True in layered and not self.fits(node)

    def check_bare_font(self, node: Quantity) -> None:
        """A number or an element is not bold, with or without its layer."""
        of_sample = self.world.counts.keys() & node.indices[:1]
        axes = [
            len(symbol.axes)
            for symbol in self.world.of_letter(node.letter)
            if symbol.layered and (of_sample or not symbol.sample)
        ]
        name, count = describe(node), len(node.indices)
        need(
            count <= max(axes), f"{name} has {count} indices; it needs {max(axes)}"
        )
        if node.bold:
            check_font(node, max(axes))

    def fits(self, node: Quantity) -> bool:
        found = self.world.fitting(node)
        return bool(found) and all(s.bold in (None, node.bold) for s in found)

    def places(
        self, node: Node, every: bool = False
    ) -> Iterator[tuple[Evaluator, Value]]:
        """The value at a layer of each model at which the symbols exist, or at ``every``
        one; there must be one in some model."""
        found = False
        chain = Chain([Side(node, 0, 0, "")])
        inner = chain.nodes
        for model in self.models:
            for ell in range(1, model.L + 1) if chain.uses_ell else (None,):
                try:
                    there = self.with_step(model, inner)
                    bare = self.chapter.loss or self.usual_loss
                    evaluator = Evaluator(there, ell, inner, bare, causes(inner))
                    value = evaluator.value(node)
                except Undefined:
                    continue
                found = True
                yield evaluator, value
                if not every:
                    break
        if not found:
            raise EquationError("its symbols exist for no layer together")

    def with_step(self, model: Model, nodes: list[Node]) -> Model:
        """With numbers for w and h, if they stand here."""
        symbols = [
            s for q in quantities(tuple(nodes)) for s in self.world.fitting(q)
        ]
        found = {symbol.key for symbol in symbols}
        return (
            model.moved(("W", 1, (0, 0)), 1e-3) if found & {"entry", "h"} else model
        )

    @cached_property
    def usual_loss(self) -> Loss:
        """Any loss, for formulas that claim nothing, where the text has not said which."""
        (node,) = parse_row(USUAL_LOSS).sides
        assert isinstance(node, Loss)
        return node


def is_number(chain: Chain) -> bool:
    """Whether it says which number something is."""
    return not has_symbols(chain.sides[-1].node)


def causes(nodes: list[Node]) -> tuple[Quantity, ...]:
    """What changes where small changes are only named."""
    changes = [node.of for node in nodes if isinstance(node, Differential)]
    return tuple(of for of in changes if isinstance(of, Quantity))

"""Formulas in the text that say where an index runs: 'i = 1, ..., K', 'ell >= 2', 'm = j'."""

import re
from collections.abc import Iterator
from math import inf

from .conditions import Conditions
from .evaluate import Evaluator
from .forms import INDEX, outside, quantities, side
from .nodes import Node
from .values import Undefined, need
from .world import Model

SIGN = re.compile(r"(=|\\neq?\b|\\[lg]eq?\b|<|>)")
MEMBER = re.compile(r"(.+?)\\in *\\\{(.+)\\\}(.*)")
HEAD = re.compile(r" *(\\ell|[ijkmst])(?: *([+-]) *(\d+))? *")
DOTS = re.compile(r" *\\l?dots *")
TURNED = {"<": ">", r"\le": r"\ge", r"\leq": r"\geq"}
ELL = r"\ell"


class Ranges:
    """Tells ranges of one chapter, and checks them: an index of samples runs to n, a
    layer to L, and no other index to these."""

    def __init__(self, conditions: Conditions):
        self.chapter, self.world = conditions.chapter, conditions.world
        self.conditions = conditions
        self.runs_to = {ELL: "L", **self.world.counts}

    def is_range(self, tex: str) -> bool:
        """Whether this is one; an EquationError if the index cannot run so."""
        member = MEMBER.fullmatch(tex)
        match [member[1], "=", member[2]] if member else SIGN.split(tex):
            case [head, sign, items]:
                steps = [(sign, items)]
            case [first, sign, head, other, last] if {sign, other} <= TURNED.keys():
                steps = [(TURNED[sign], first), (other, last)]
            case [items] if DOTS.search(tex) and re.match(rf" *{INDEX} *,", tex):
                return all(self.ends(items))
            case _:
                return False
        index = HEAD.fullmatch(head)
        if not index or not self.is_index(index[1]):
            return False
        letter, offset = index[1], int((index[2] or "") + (index[3] or "0"))
        ends = [(sign, end) for sign, items in steps for end in self.ends(items)]
        if not all(end for _, end in ends):
            return False
        self.check(letter, offset, [(s, e) for s, e in ends if isinstance(e, Node)])
        return True

    def is_index(self, letter: str) -> bool:
        return letter not in self.world.letters | self.chapter.names.keys()

    def ends(self, items: str) -> Iterator[Node | bool]:
        """Between commas: numbers and sizes as nodes, True for an index, or where no end
        is written; False for anything else."""
        for item in outside(items, ","):
            head = HEAD.fullmatch(item)
            of_index = head and self.is_index(head[1])
            if of_index or not item.strip() or DOTS.fullmatch(item):
                yield True
                continue
            node = side(item)
            counts = all(map(self.conditions.counts, quantities(node)))
            yield node if node and counts else False

    def check(self, letter: str, offset: int, ends: list[tuple[str, Node]]) -> None:
        named = {part.letter for _, end in ends for part in quantities(end)}
        own = self.runs_to.get(letter)
        may = {own} if own else self.world.sizes - {*self.runs_to.values()}
        wrong = ", ".join(sorted(named - may))
        need(not wrong, f"the index {letter} does not run to {wrong}")
        need(
            any(
                self.exists(m, letter, offset, ends)
                for m in self.conditions.tried()
            ),
            f"no {letter} is of this range",
        )

    def exists(
        self, model: Model, letter: str, offset: int, ends: list[tuple[str, Node]]
    ) -> bool:
        """Whether an index has such a value in a model. One of numbers alone is not
        bounded by the sizes of a model that happens to be tried."""
        low: float = 0 if letter == ELL else self.world.first
        high = inf
        if any(quantities(end) for _, end in ends) and letter in self.runs_to:
            high = model.L if letter == ELL else model.sizes[self.runs_to[letter]]
        try:
            values = [
                (sign, Evaluator(model, 1).value(end).data.item() - offset)
                for sign, end in ends
            ]
        except Undefined:
            return False
        for sign, value in values:
            if sign == "=" and not low <= value <= high:
                return False
            if sign in ("<", r"\le", r"\leq"):
                high = min(high, value - (sign == "<"))
            elif sign in (">", r"\ge", r"\geq"):
                low = max(low, value + (sign == ">"))
        return low <= high

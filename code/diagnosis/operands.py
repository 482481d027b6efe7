"""Tell from the values that a failing operation was given which quantities met in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .case import Case
from .factors import ONE, close, factor
from .recorder import ELEMENT_BY_ELEMENT, MATRIX_PRODUCTS
from .seen import Seen
from .states import Choice, State, same
from .terms import MATRICES, RESIDUALS, SOURCES, slopes
from .values import Term, Values


def terms(among: list[Term], key: str) -> list[Term]:
    return [one for one in among if one.key == key]


BOOK = {"source": SOURCES[0], "matrix": MATRICES[0], "hidden factor": ONE}
(PAIRS,) = terms(RESIDUALS, "pairs")
(WRONG_WAY,) = terms(MATRICES, "W")
(OF_OUTPUT,) = terms(SOURCES, "output delta")
ELEMENTWISE = terms(MATRICES, "elementwise")  # with the transpose, and without


@dataclass
class Met:
    """What met in a failing operation: terms at places of the formulas, by layer, and the
    number by which the delta differs from what was expected."""

    choices: dict[tuple[int, str], Choice]
    ratio: float

    def agrees(self, other: "Met | None") -> bool:
        return other is not None and all(
            same(choice, other.choices.get(place))
            for place, choice in self.choices.items()
        )


def state_of_error(case: Case) -> State | None:
    """The formulas with which all errors were raised, if the values that met tell them."""
    raised = [
        one for one in case.wrong if one.trouble and len(one.problem.weights) == 3
    ]
    found = [next(met(case, one), None) for one in raised]
    first = found[0] if found else None
    if first is None or not all(first.agrees(m) for m in found):
        return None
    ratios = tuple(m.ratio for m in found if m)
    rule = case.state.rule | first.choices
    if not all(close([ratio], [1.0]) for ratio in ratios):
        if (3, "residual") in case.state.rule:
            return None
        sizes = tuple((o.problem.n, o.problem.K, 1, 1) for o in raised)
        own = factor(ratios, sizes, case.student.narrow)
        if own is None:
            return None
        rule[3, "loss factor"] = own
    return State(rule=rule, loss=case.student.loss)


def met(case: Case, one: Seen) -> Iterator[Met]:
    trouble = one.trouble
    if trouble is None or len(trouble.operands) != 2:
        return
    a, b = trouble.operands
    v = Values(one.problem)
    start = case.state.backs[case.three.index(one)] if case.state.rule else None
    l = min((layer for layer, _ in case.state.rule), default=v.L)
    delta = start.delta if start else v.scale * (v.p - v.y) * top_slope(case, v)
    top = start.first if start else delta
    if not start and v.K == 1 and v.n > 1:
        pairs = v.scale * PAIRS.value(v) * top_slope(case, v)
        for found in (a, b, a.T, b.T):
            if ratio := times(found, pairs):
                yield Met(of_top(case, v) | {(v.L, "residual"): PAIRS}, ratio)
    for layer in range(l, 1, -1):
        W = v.W[layer]
        for slot, term, ratio in meetings(trouble.operation, a, b, delta, W, top):
            own = {**BOOK, "hidden slope": next(slopes(v, layer - 1)), slot: term}
            choices = {(layer - 1, k): c for k, c in own.items()}
            yield Met(choices if start else of_top(case, v) | choices, ratio)
        delta = delta @ W.T * v.slope(layer - 1)


def top_slope(case: Case, v: Values) -> Any:
    return v.slope(v.L) if case.student.loss.slope == "own" else 1.0


def of_top(case: Case, v: Values) -> dict[tuple[int, str], Choice]:
    own = next(s for s in slopes(v, v.L) if s.key == case.student.loss.slope)
    choices = {"residual": RESIDUALS[0], "loss factor": ONE, "output slope": own}
    return {(v.L, slot): choice for slot, choice in choices.items()}


def meetings(
    operation: str, a: Tensor, b: Tensor, delta: Tensor, W: Tensor, top: Tensor
) -> Iterator[tuple[str, Term, float]]:
    """The place and the term that two operands are, and by what the delta differs. Samples
    may be rows or columns."""
    if operation in MATRIX_PRODUCTS:
        for sent, matrix, right, rows in ((a, b, W, True), (b, a, W.T, False)):
            sent = sent if rows else sent.T
            if equal(matrix, right) and (ratio := times(sent, delta)):
                yield "matrix", WRONG_WAY, ratio
            again = top is not delta and equal(matrix, right.T)
            if again and (ratio := times(sent, top)):
                yield "source", OF_OUTPUT, ratio
    elif operation in ELEMENT_BY_ELEMENT:
        for one, other in ((a, b), (b, a), (a.T, b.T), (b.T, a.T)):
            for right, term in zip((W.T, W), ELEMENTWISE):
                if equal(other, right) and (ratio := times(one, delta)):
                    yield "matrix", term, ratio


def equal(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-4, atol=1e-6)


def times(found: Tensor, right: Tensor) -> float | None:
    """By what a tensor is the right one multiplied, None if it is something else."""
    if found.shape != right.shape:
        return None
    ratio = ((found * right).sum() / (right * right).sum()).item()
    return ratio if ratio and equal(found / ratio, right) else None

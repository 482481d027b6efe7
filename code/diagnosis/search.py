"""Find the formula that a backward pass computes, layer by layer, from its gradients.

Each stage starts from what the student's own code had there: the delta that the formulas
found so far give. What may stand in a formula is in `terms`. The simplest formula that
gives the gradients of all networks and batches, up to rounding, is the answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import Any

import torch
from torch import Tensor

from .losses import SQUARED_ERROR, Loss
from .terms import (
    BIASES,
    MATRICES,
    RESIDUALS,
    SOURCES,
    USES,
    WEIGHTS,
    ZERO,
    Back,
    Term,
    Values,
    slopes,
)

BEAM = 16  # how many explanations of the later layers are kept
MOST = 120  # how many candidates of one stage are tried in all networks
NEARLY = 0.75  # by how much the better of two explanations has to be simpler
FAR = 2.0  # how much simpler explanations make others not worth following
USUAL = (
    4  # slopes with which a delta is sent back that gradients were taken without
)

Gradient = tuple[Tensor | None, Tensor | None]


@dataclass(eq=False)
class Evidence:
    """What a backward pass computed in one network: by layer, from 1, the gradients of
    weights and biases, None where it filled none."""

    v: Values
    gradients: list[Gradient]

    def reaches(self, l: int) -> bool:
        return all(g is not None for pair in self.gradients[l:] for g in pair)


@dataclass(frozen=True)
class Factor:
    """A factor beside the book's, c n^a K^b, and the units of a layer to the power f."""

    c: float = 1.0
    n: int = 0
    K: int = 0
    fan: str = ""

    def of(self, n: int, K: int, units_in: int, units_out: int) -> float:
        units = {"": 1, "in": units_in, "out": units_out}[self.fan]
        return self.c * n**self.n * K**self.K / units

    @property
    def cost(self) -> float:
        signs = (self.c < 0) + (abs(self.c) != 1) + abs(self.n) + bool(self.fan)
        signs += abs(self.K - self.n) if self.n * self.K > 0 else abs(self.K)
        odd = abs(self.c) not in NICE
        # Students divide too often rather than too seldom.
        return (
            1 + 0.2 * (signs - 1) + 0.5 * odd + 0.1 * (self.n > 0) if signs else 0
        )


NICE = {1.0, 2.0, 0.5, 4.0, 0.25, 3.0, 1 / 3}
NEAR = sorted({*NICE, 8.0, 0.125, 0.2, 0.4, 0.1, 10.0, 5.0, 0.8, 1.25, 1.6, 2.5})
EXPONENTS = sorted(
    product((0, -1, 1, -2, 2), (0, -1, 1, -2, 2), ("", "in", "out")),
    key=lambda e: abs(e[0]) + abs(e[1]) + 3 * bool(e[2]),
)
ONE = Factor()

Choice = Any  # a term or a factor
Options = dict[tuple[int, int], list[tuple[Term, Term]]]
BOOK: dict[str, Choice] = {
    "residual": RESIDUALS[0],
    "loss factor": ONE,
    "source": SOURCES[0],
    "matrix": MATRICES[0],
    "hidden factor": ONE,
    "weights": WEIGHTS[0],
    "weights of": USES[0],
    "weights factor": ONE,
    "biases": BIASES[0],
    "biases of": USES[0],
    "biases factor": ONE,
}


def same(a: Choice, b: Choice | None) -> bool:
    if isinstance(a, Term) and isinstance(b, Term):
        return (a.key, a.tex) == (b.key, b.tex)
    return a == b


@dataclass(eq=False)
class State:
    """An explanation of the layers from the last to some layer: what stands at each place
    of the formulas, and what the pass then goes on with, network by network; and the
    loss that the class should have."""

    cost: float = 0.0
    rule: dict[tuple[int, str], Choice] = field(default_factory=dict)
    backs: list[Back | None] = field(default_factory=list)
    loss: Loss = SQUARED_ERROR

    def is_book(self, slot: str, choice: Choice) -> bool:
        own = {"output slope": self.loss.slope, "hidden slope": "own"}
        if slot in own:
            return isinstance(choice, Term) and choice.key == own[slot]
        return same(choice, BOOK[slot])


@dataclass(eq=False)
class Base:
    """What may stand before the slope, in each network."""

    state: State
    choices: dict[str, Choice]
    values: list[Tensor | None]

    @property
    def cost(self) -> float:
        return self.state.cost + sum(
            0 if self.state.is_book(slot, choice) else choice.cost
            for slot, choice in self.choices.items()
        )


@dataclass
class Found:
    """The simplest explanations, and how far down they reach: layer ``reached`` is the
    last that is explained; ``stopped`` is where no formula fits, 0 if there is none. Then
    ``others`` are explanations of what is above that are not much worse."""

    states: list[State]
    reached: int
    stopped: int = 0
    others: list[State] = field(default_factory=list)


def search(evidence: Sequence[Evidence], tolerance: float) -> Found:
    """Networks of one depth. A network takes part as far down as it filled gradients."""
    L = evidence[0].v.L
    loss = evidence[0].v.problem.loss
    states = [State(backs=[None] * len(evidence), loss=loss)]
    for l in range(L, 0, -1):
        used = [i for i, e in enumerate(evidence) if e.reaches(l)]
        if not used:
            return Found(simplest(states), l + 1)
        # First the network that tells most candidates apart.
        used.sort(key=lambda i: -min(evidence[i].v.n, 4) * min(evidence[i].v.K, 2))
        new = Stage(l, evidence, used, tolerance).explain(states)
        if not new:
            others = [s for s in states if s.cost < states[0].cost + NEARLY]
            return Found(simplest(states), l + 1, l, others)
        states = new
    return Found(simplest(states), 1)


def simplest(states: list[State]) -> list[State]:
    return [s for s in states if s.cost < states[0].cost + 1e-9]


@dataclass
class Stage:
    """The search in one layer, in the networks ``used``."""

    l: int
    evidence: Sequence[Evidence]
    used: list[int]
    tolerance: float

    def __post_init__(self) -> None:
        self.is_top = self.l == self.evidence[0].v.L
        self.v = [self.evidence[i].v for i in self.used]
        pairs = [self.evidence[i].gradients[self.l] for i in self.used]
        self.weights = [w for w, _ in pairs]
        self.biases = [b for _, b in pairs]
        self.slopes = list(self.distinct_slopes())

    # ------------------------------------------------------------ candidates

    def distinct_slopes(self) -> Iterator[list[Term]]:
        """Slopes that fit in every network, each with its value there; of equal ones the
        first."""
        seen: list[list[Tensor]] = []
        of_error = []
        for terms in zip(*(slopes(v, self.l) for v in self.v)):
            if terms[0].key == "error":
                of_error.append(list(terms))
                continue
            values = [term.value for term in terms]
            if any(value is None for value in values):
                continue
            if not any(all(map(torch.allclose, values, old)) for old in seen):
                seen.append(values)
                yield list(terms)
        yield from of_error

    def bases(self, states: list[State]) -> Iterator[Base]:
        for state in states:
            if self.is_top:
                for term in RESIDUALS:
                    values = [term.value(v) * v.scale for v in self.v]
                    yield Base(state, {"residual": term}, values)
                continue
            backs = [state.backs[i] for i in self.used]
            for source in SOURCES:
                before = [source.value(v, self.l, b) for v, b in zip(self.v, backs)]
                if any(value is None for value in before):
                    continue
                for matrix in MATRICES:
                    if source.key not in ("delta", "error") and matrix.key != "WT":
                        continue
                    values = []
                    for v, d in zip(self.v, before):
                        value = matrix.value(v, self.l + 1, d)
                        widths = {1, v.sizes[self.l]}
                        if matrix.key == "nothing":  # as if there were no layer
                            widths.add(v.sizes[self.l + 1])
                        if value is None or value.shape not in [
                            (v.n, w) for w in widths
                        ]:
                            break
                        values.append(value)
                    else:
                        yield Base(
                            state, {"source": source, "matrix": matrix}, values
                        )

    @property
    def none(self) -> int:
        return next(i for i, s in enumerate(self.slopes) if s[0].key == "none")

    def takes_slopes(self, value: Tensor, k: int) -> bool:
        """Whether torch can multiply what stands before the slope with a slope."""
        return value.shape[1] == 1 or self.v[k].sizes[self.l] in (1, value.shape[1])

    def delta(self, base: Base, slope: int, k: int) -> Tensor:
        term, value = self.slopes[slope][k], base.values[k]
        if term.key == "none" and not self.takes_slopes(value, k):
            return value
        return value * (1 - value if term.key == "error" else term.value)

    def deltas(self, values: Tensor, k: int) -> Tensor:
        """Candidates (C, n, N) before the slope, times every slope: (C, slopes, n, N)."""
        factors = [s[k].value for s in self.slopes if s[k].key != "error"]
        found = values[:, None] * torch.stack(factors)
        if self.is_top:  # the last one
            found = torch.cat([found, (values * (1 - values))[:, None]], dim=1)
        return found

    # ------------------------------------------------------------ which fit

    def explain(self, states: list[State]) -> list[State]:
        bases = list(self.bases(states))
        place = "output slope" if self.is_top else "hidden slope"
        slope_cost = [
            0.0 if states[0].is_book(place, s[0]) else s[0].cost
            for s in self.slopes
        ]
        by_weights = self.sieve(bases, WEIGHTS, self.weights[0])
        by_biases = self.sieve(bases, BIASES, self.biases[0])
        candidates = list(by_weights or by_biases)
        candidates.sort(key=lambda c: bases[c[0]].cost + slope_cost[c[1]])
        candidates = candidates[:MOST]
        delta = {
            (b, s): [self.delta(bases[b], s, k) for k in range(len(self.v))]
            for b, s in candidates
        }
        weights = self.options(by_weights, candidates, bases, delta, self.weights)
        biases = self.options(by_biases, candidates, bases, delta, self.biases)
        new: list[State] = []
        for c in candidates:
            w, b = weights.get(c, []), biases.get(c, [])
            new += self.combined(bases[c[0]], c[1], delta[c], w, b)
        new.sort(key=lambda state: state.cost)
        return [s for s in new[:BEAM] if s.cost <= new[0].cost + FAR]

    def sieve(
        self, bases: list[Base], forms: list[Term], target: Tensor
    ) -> Options:
        """The forms and uses by which each candidate, a base and a slope, gives the
        gradient of the first network, up to a factor."""
        count = len(self.slopes)
        if not target.any():
            every = product(range(len(bases)), range(count))
            return {c: [(ZERO, USES[0])] for c in every}
        found: Options = {}
        groups: dict[tuple, list[int]] = {}
        for b, base in enumerate(bases):
            groups.setdefault(tuple(base.values[0].shape), []).append(b)
        for members in groups.values():
            values = torch.stack([bases[b].values[0] for b in members])
            fits_slopes = self.takes_slopes(values[0], 0)
            deltas = self.deltas(values, 0).flatten(0, 1) if fits_slopes else values
            for form in forms:
                for k in self.fit(form, 0, deltas, target)[0]:
                    c = (
                        (members[k // count], k % count)
                        if fits_slopes
                        else (members[k], self.none)
                    )
                    found.setdefault(c, []).append((form, USES[0]))
                for k in (
                    self.fit(form, 0, values, target)[0] if fits_slopes else ()
                ):
                    for s in range(USUAL):
                        found.setdefault((members[k], s), []).append(
                            (form, USES[1])
                        )
        return found

    def fit(self, form: Term, k: int, u: Tensor, target: Tensor):
        """Which of the deltas ``u`` (C, n, N) give the gradient, up to a factor."""
        made = form.value(self.v[k], self.l, u)
        if made is None or made.shape[1:] != target.shape:
            return [], []
        made, g = made.reshape(len(made), -1), target.reshape(-1)
        ratio = (made @ g) / (made * made).sum(1).clamp_min(1e-300)
        close = (made * ratio[:, None] - g).abs().amax(
            1
        ) <= self.tolerance * g.abs().max()
        fits = torch.nonzero(
            close & ratio.isfinite() & (ratio.abs() > 1e-9)
        ).flatten()
        return fits.tolist(), ratio.tolist()

    def options(self, sieved: Options, candidates, bases, delta, targets):
        """Of the forms those that fit in all networks, with the factors there."""
        left: dict[tuple[Term, Term], dict] = {}
        for c in candidates:
            for option in sieved.get(c, [])[:6]:
                left.setdefault(option, {})[c] = []
        zero = left.pop((ZERO, USES[0]), {})
        for (form, use), ratios in left.items():
            for k, target in enumerate(targets):
                values = [
                    delta[c][k] if use is USES[0] else bases[c[0]].values[k]
                    for c in ratios
                ]
                shapes = {value.shape for value in values}
                for shape in shapes:
                    cs = [
                        c for c, v in zip(list(ratios), values) if v.shape == shape
                    ]
                    u = torch.stack([v for v in values if v.shape == shape])
                    fits, found = self.fit(form, k, u, target)
                    for j, c in enumerate(cs):
                        if j in fits:
                            ratios[c].append(found[j])
            left[form, use] = {
                c: r for c, r in ratios.items() if len(r) == len(targets)
            }
        options: dict[tuple[int, int], list] = {}
        if zero and not any(target.any() for target in targets):
            options = {c: [(ZERO, USES[0], None)] for c in zero}
        for (form, use), ratios in left.items():
            for c, r in ratios.items():
                options.setdefault(c, []).append((form, use, r))
        return options

    # ------------------------------------------------------------ new states

    def combined(
        self, base, slope, deltas, by_weights, by_biases
    ) -> Iterator[State]:
        nothing = [(None, USES[0], None)]
        for (w, wu, wr), (b, bu, br) in product(
            by_weights or nothing, by_biases or nothing
        ):
            if wr is None and br is None and (w is None or b is None):
                continue
            own = [1.0] * len(self.v)
            scales = [own]
            for r in (wr, br):
                if r and not any(map(close, scales, [r] * len(scales))):
                    scales.append(r)
            for scale in scales:
                state = self.state(
                    base, slope, deltas, (w, wu, wr), (b, bu, br), scale
                )
                if state:
                    yield state

    def state(self, base, slope, deltas, weights, biases, scale) -> State | None:
        place = "output" if self.is_top else "hidden"
        choices = {**base.choices, f"{place} slope": self.slopes[slope][0]}
        named = "loss factor" if self.is_top else "hidden factor"
        factor = self.factor(scale)
        if factor is None:
            return None
        choices[named] = factor
        for name, (form, use, ratios) in (("weights", weights), ("biases", biases)):
            choices[name] = form or UNEXPLAINED
            choices[f"{name} of"] = use
            own = ONE
            if ratios:
                of_delta = form.key != "from weights"
                parts = zip(ratios, scale)
                above = base.state.rule.get((self.l + 1, f"{name} factor"))
                own = self.factor(
                    [r / s if of_delta else r for r, s in parts], above
                )
                if own is None:
                    return None
            choices[f"{name} factor"] = own
        cost = base.state.cost + self.cost(base.state, choices)
        rule = base.state.rule | {(self.l, k): c for k, c in choices.items()}
        backs: list[Back | None] = [None] * len(self.evidence)
        for k, i in enumerate(self.used):
            error = base.values[k] * scale[k]
            delta = deltas[k] * scale[k]
            before = base.state.backs[i]
            backs[i] = Back(error, delta, before.first if before else delta)
        return State(cost, rule, backs, base.state.loss)

    def factor(
        self, ratios: Sequence[float], above: Factor | None = None
    ) -> Factor | None:
        """The factor, that of the layer above if it fits."""
        sizes = tuple(
            (v.n, v.K, v.sizes[self.l - 1], v.sizes[self.l]) for v in self.v
        )
        if above and close(ratios, [above.of(*size) for size in sizes]):
            return above
        return factor(tuple(ratios), sizes, self.tolerance)

    def cost(self, state: State, choices: dict[str, Choice]) -> float:
        """What differs from the layer above costs, not what differs from the book."""
        cost = 0.0
        for slot, choice in choices.items():
            before = state.rule.get((self.l + 1, slot))
            is_book = state.is_book(slot, choice)
            if same(choice, before) or (before is None and is_book):
                continue
            own = 0.5 if is_book else choice.cost
            if isinstance(choice, Factor) and slot != "loss factor":
                own += 0.05  # else told where it is no longer seen
            if slot.startswith("biases") and slot != "biases":
                twin = choices[slot.replace("biases", "weights")]
                own *= 0.5 if same(choice, twin) and not is_book else 1
            # Of equals the one that holds from the highest layer on.
            cost += own + 0.02 * (self.v[0].L - self.l)
        return cost


UNEXPLAINED = Term("unexplained", "", None, 3.0)


def close(a: Sequence[float], b: Sequence[float]) -> bool:
    return all(abs(x - y) <= 1e-6 * abs(y) for x, y in zip(a, b))


@cache
def factor(ratios: tuple, sizes: tuple, tolerance: float) -> Factor | None:
    """The factors of all networks in terms of n, K and the units of a layer."""
    loose = max(30 * tolerance, 1e-7)
    for a, b, fan in EXPONENTS:
        one = Factor(1.0, a, b, fan)
        q = [ratio / one.of(*size) for ratio, size in zip(ratios, sizes)]
        if max(q) - min(q) > loose * abs(q[0]):
            continue
        c = min(NEAR, key=lambda near: abs(near - abs(q[0])))
        if abs(c - abs(q[0])) <= loose * c:
            return Factor(c if q[0] > 0 else -c, a, b, fan)
        if len(ratios) > 2 and not fan:
            return Factor(float(f"{q[0]:.6g}"), a, b, fan)
    return None


def computable(state: State, v: Values) -> bool:
    """Whether torch could compute these formulas in a network, and would get the shapes
    of its parameters."""
    back: Back | None = None
    for l in range(v.L, 0, -1):
        get = {slot: c for (layer, slot), c in state.rule.items() if layer == l}
        if l == v.L:
            error, named = get["residual"].value(v), get["output slope"]
        else:
            before = get["source"].value(v, l, back)
            error, named = (
                get["matrix"].value(v, l + 1, before),
                get["hidden slope"],
            )
        slope = next((s.value for s in slopes(v, l) if same(s, named)), None)
        try:
            delta = error * slope
        except (RuntimeError, TypeError):
            return False
        shapes = (("weights", v.W[l].shape), ("biases", v.b[l].shape))
        for name, shape in shapes:
            if get[name].value is None:
                continue
            made = get[name].value(v, l, delta[None])
            if made is None or made.shape[1:] != shape:
                return False
        back = Back(error, delta, back.first if back else delta)
    return True

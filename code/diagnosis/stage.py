"""The search in one layer: which terms, at the places of the formulas there, give the
gradients."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from .factors import ONE, Factor, close, factor
from .states import Base, Choice, Evidence, State, same
from .terms import BIASES, MATRICES, RESIDUALS, SOURCES, USES, WEIGHTS, ZERO, slopes
from .values import Back, Term

BEAM = 16  # how many explanations of the later layers are kept
MOST = 120  # how many candidates of one stage are tried in all networks
FAR = 2.0  # how much simpler explanations make others not worth following
USUAL = 14  # slopes of a delta that is sent back where gradients have none

Options = dict[tuple[int, int], list[tuple[Term, Term]]]
UNEXPLAINED = Term("unexplained", "", None, 3.0)


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

    def fits_slopes(self, base: Base) -> bool:
        return all(self.takes_slopes(u, k) for k, u in enumerate(base.values))

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
        tells = self.weights[0].any() and by_weights
        candidates = [
            c
            for c in tells or by_biases or by_weights
            if c[1] == self.none or self.fits_slopes(bases[c[0]])
        ]
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
                    for s in range(min(USUAL, count)):
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
            for option in sieved.get(c, []):
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
                own += 0.2 * (choice.n > 0 or choice.K > 0)  # rather not divided
            if slot.startswith("biases") and slot != "biases":
                twin = choices[slot.replace("biases", "weights")]
                own *= 0.5 if same(choice, twin) and not is_book else 1
            # Of equals the one that holds from the highest layer on.
            cost += own + 0.02 * (self.v[0].L - self.l)
        return cost

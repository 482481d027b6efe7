"""What a search has found: terms and factors at the places of the formulas."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from .factors import ONE
from .losses import SQUARED_ERROR, Loss
from .terms import (
    BIASES,
    MATRICES,
    RESIDUALS,
    SOURCES,
    USES,
    WEIGHTS,
    slopes,
)
from .values import Back, Term, Values

Gradient = tuple[Tensor | None, Tensor | None]


@dataclass(eq=False)
class Evidence:
    """What a backward pass computed in one network: by layer, from 1, the gradients of
    weights and biases, None where it filled none."""

    v: Values
    gradients: list[Gradient]

    def reaches(self, l: int) -> bool:
        return all(g is not None for pair in self.gradients[l:] for g in pair)


Choice = Any  # a term or a factor
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

    @property
    def unexplained(self) -> set[str]:
        """The places for which in some layer nothing fits: what fits there in another
        layer may do so by accident."""
        return {
            slot
            for (_, slot), choice in self.rule.items()
            if isinstance(choice, Term) and choice.key == "unexplained"
        }

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

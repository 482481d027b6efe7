"""Find the formula that a backward pass computes, layer by layer, from its gradients.

Each stage starts from what the student's own code had there: the delta that the formulas
found so far give. What may stand in a formula is in `terms`. The simplest formula that
gives the gradients of all networks and batches, up to rounding, is the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .stage import Stage
from .states import Evidence, State

NEARLY = 0.75  # by how much the better of two explanations has to be simpler


@dataclass
class Found:
    """The simplest explanations, and how far down they reach: layer ``reached`` is the
    last that is explained; ``stopped`` is where no formula fits, 0 if there is none. If
    something is not explained, ``others`` are explanations that are not much worse."""

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
            return Found(simplest(states), l + 1, l, nearly(states))
        states = new
    return Found(
        simplest(states), 1, 0, nearly(states) if states[0].unexplained else []
    )


def nearly(states: list[State]) -> list[State]:
    """Those that are not much worse than the simplest."""
    return [s for s in states if s.cost < states[0].cost + NEARLY]


def simplest(states: list[State]) -> list[State]:
    return [s for s in states if s.cost < states[0].cost + 1e-9]

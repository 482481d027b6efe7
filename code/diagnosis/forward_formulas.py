"""Find the formulas that a forward pass computes, from its predictions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from .formulas import Formula
from .notation import Piece
from .problems import Problem
from .values import z_in, z_out

Z_IN, Z_OUT = z_in(r"\ell"), z_out(r"\ell")
PRODUCT = z_out(r"\ell-1") + r" \cdot \mathbf{W}^{(\ell)}"
BIAS = r"\mathbf{1} \cdot \mathbf{b}^{(\ell)\top}"

# What may go into a layer, and what may come out of it; the book's comes first. The tex of
# an activation is None where it is that of a hidden layer, or of the output.
SUMS: list[tuple[str, Callable[[Tensor, Tensor, Tensor], Tensor]]] = [
    (f" + {BIAS}", lambda z, W, b: z @ W + b),
    ("", lambda z, W, b: z @ W),
    (f" - {BIAS}", lambda z, W, b: z @ W - b),
]
Activation = tuple[str, Callable[[Tensor], Tensor]]
TANH: Activation = (rf"\tanh({Z_IN})", torch.tanh)
SIGMOID: Activation = (rf"\sigma^{{(L)}}({Z_IN})", torch.sigmoid)
OTHERS: list[Activation] = [
    (Z_IN, lambda z: z),
    (rf"\mathrm{{ReLU}}({Z_IN})", torch.relu),
    (rf"\mathrm{{softmax}}({Z_IN})", lambda z: z.softmax(1)),
    (rf"\tanh(\tanh({Z_IN}))", lambda z: z.tanh().tanh()),
    (rf"\sigma^{{(L)}}(\sigma^{{(L)}}({Z_IN}))", lambda z: z.sigmoid().sigmoid()),
    (rf"\sigma'^{{(L)}}({Z_IN})", lambda z: z.sigmoid() * (1 - z.sigmoid())),
    (rf"(1 - \tanh({Z_IN}) \odot \tanh({Z_IN}))", lambda z: 1 - z.tanh() ** 2),
]
HIDDEN, OUTPUT = [TANH, SIGMOID, *OTHERS], [SIGMOID, TANH, *OTHERS]


@dataclass(frozen=True)
class Choice:
    """Which sum and activation, as places in these lists, in hidden layers and at the
    output; and whether only the first of the hidden layers has them."""

    sums: tuple[int, int]
    activations: tuple[int, int]
    only_first: bool

    @property
    def differs(self) -> int:
        odd = sum(map(bool, (*self.sums, *self.activations))) + self.only_first
        # The same in all layers is one mistake.
        return odd - (self.sums[0] == self.sums[1] != 0)

    def predict(self, problem: Problem) -> Tensor:
        z, count = problem.x, len(problem.weights)
        for number, (W, b) in enumerate(problem.parameters, 1):
            top = number == count
            book = self.only_first and 1 < number < count
            s = 0 if book else self.sums[top]
            a = 0 if book else self.activations[top]
            z = (OUTPUT if top else HIDDEN)[a][1](SUMS[s][1](z, W, b))
        return z

    def formulas(self) -> Iterator[Formula]:
        """For networks of three layers."""
        layers = ("ℓ = 1" if self.only_first else "ℓ = 1, 2", "ℓ = 3")
        own = rf"\sigma^{{(\ell)}}({Z_IN})"
        same = len(set(self.sums)) == 1 and not self.only_first
        for top, where in enumerate(layers):
            if self.sums[top] and not (same and top):
                yield Formula(
                    "eq-batch-pre-activation",
                    f"{Z_IN} = ",
                    (Piece(PRODUCT), Piece(SUMS[self.sums[top]][0], True)),
                    (Piece(PRODUCT), Piece(SUMS[0][0], True)),
                    "" if same else where,
                )
        for top, where in enumerate(layers):
            if self.activations[top]:
                yours = (OUTPUT if top else HIDDEN)[self.activations[top]][0]
                yield Formula(
                    "eq-batch-output",
                    f"{Z_OUT} = ",
                    (Piece(yours, True),),
                    (Piece(own, True),),
                    where,
                )


def formulas_of_forward(
    seen: Sequence[tuple[Problem, Tensor]], equal: Callable[[Tensor, Tensor], bool]
) -> list[Formula]:
    """The simplest formulas that give the predictions of all problems; none if none do,
    or if different ones do."""
    sums, activations = range(len(SUMS)), range(len(HIDDEN))
    every = product(sums, sums, activations, activations, (False, True))
    choices = [Choice((s, t), (a, b), first) for s, t, a, b, first in every]
    fitting: list[Choice] = []
    for choice in sorted(choices, key=lambda choice: choice.differs):
        if fitting and choice.differs > fitting[0].differs:
            break
        if all(
            equal(found, choice.predict(one).squeeze(-1)) for one, found in seen
        ):
            fitting.append(choice)
    return list(fitting[0].formulas()) if len(fitting) == 1 else []

"""What the formulas of a backward pass are made of: the values of one network and batch."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from .problems import Problem


@dataclass(eq=False)
class Values:
    """What a backward pass works with. Lists count layers from 0, the input; ``after`` are
    the weights that it has left, ``weight_grads`` what it has filled."""

    problem: Problem
    after: list[Tensor] = field(default_factory=list)
    weight_grads: list[Tensor | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        problem = self.problem
        self.n, self.K, self.L = problem.n, problem.K, len(problem.weights)
        self.y, self.sizes = problem.y, problem.sizes
        self.W, self.b = [torch.empty(0), *problem.weights], [None, *problem.biases]
        # Of the input there is none; who counts wrong finds x there.
        self.z_in, self.z_out = [problem.x], [problem.x]
        for weight, bias in problem.parameters:
            self.z_in.append(self.z_out[-1] @ weight + bias)
            self.z_out.append(torch.tanh(self.z_in[-1]))
        self.z_out[-1] = torch.sigmoid(self.z_in[-1])

    @property
    def p(self) -> Tensor:
        return self.z_out[-1]

    @cached_property
    def scale(self) -> float:
        return self.problem.loss.number / (self.n * self.K)

    @cached_property
    def earlier(self) -> "Values":
        """What a call with other samples had, which `forward` was given before."""
        return Values(replace(self.problem, x=-self.problem.x))

    def slope(self, l: int) -> Tensor:
        a = self.z_out[l]
        return a * (1 - a) if l == self.L else 1 - a**2


@dataclass(frozen=True, eq=False)
class Term:
    """``cost`` says how far it is from what a student is likely to have meant."""

    key: str
    tex: str
    value: Any
    cost: float = 1.0


def z_out(l: str, transposed: str = "") -> str:
    return rf"\mathbf{{Z}}^{{({l}){transposed}}}_{{\mathrm{{out}}}}"


def z_in(l: str, transposed: str = "") -> str:
    return rf"\mathbf{{Z}}^{{({l}){transposed}}}_{{\mathrm{{in}}}}"


def sigmoid_slope(z: Tensor) -> Tensor:
    return torch.sigmoid(z) * (1 - torch.sigmoid(z))


def tanh_slope(z: Tensor) -> Tensor:
    return 1 - torch.tanh(z) ** 2


@dataclass(eq=False)
class Back:
    """What the backward pass has at layer l + 1, when it goes on to layer l."""

    error: Tensor  # before the slope of layer l + 1
    delta: Tensor
    first: Tensor  # the delta of the output

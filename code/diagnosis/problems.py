"""The networks and batches on which a class is examined, and what is right there."""

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from .losses import SQUARED_ERROR, Loss

Gradients = list[tuple[Tensor, Tensor]]  # of weights and biases, layer by layer


@dataclass(frozen=True, eq=False)
class Problem:
    """Parameters of a network, layer by layer, and a batch: ``x`` (n, N^(0)) and ``y``
    (n, K), in float64. ``loss`` is the one that a class should have."""

    weights: list[Tensor]
    biases: list[Tensor]
    x: Tensor
    y: Tensor
    loss: Loss = SQUARED_ERROR

    @property
    def sizes(self) -> list[int]:
        return [len(self.weights[0]), *map(len, self.biases)]

    @property
    def n(self) -> int:
        return len(self.x)

    @property
    def K(self) -> int:
        return self.y.shape[1]

    @property
    def hidden_sizes(self) -> list[int]:
        return self.sizes[1:-1]

    @property
    def parameters(self) -> list[tuple[Tensor, Tensor]]:
        return list(zip(self.weights, self.biases))


def predict(weights: list[Tensor], biases: list[Tensor], x: Tensor) -> Tensor:
    """The predictions (n, K): tanh in hidden layers, sigmoid at the output."""
    for number, (weight, bias) in enumerate(zip(weights, biases), start=1):
        z_in = functional.linear(x, weight.T, bias)
        x = torch.sigmoid(z_in) if number == len(weights) else torch.tanh(z_in)
    return x


def loss_and_gradients(problem: Problem) -> tuple[Tensor, Gradients]:
    """The loss, and its derivatives by automatic differentiation."""
    weights = [weight.clone().requires_grad_() for weight in problem.weights]
    biases = [bias.clone().requires_grad_() for bias in problem.biases]
    loss = problem.loss.value(predict(weights, biases, problem.x), problem.y)
    found = torch.autograd.grad(loss, [*weights, *biases])
    gradients = list(zip(found[: len(weights)], found[len(weights) :]))
    return loss.detach(), gradients


def descend(
    problem: Problem, epochs: int, rate: float
) -> tuple[Problem, list[float]]:
    """The network after gradient descent, and the losses before each step."""
    losses = []
    for _ in range(epochs):
        loss, gradients = loss_and_gradients(problem)
        losses.append(loss.item())
        problem = replace(
            problem,
            weights=[w - rate * g for w, (g, _) in zip(problem.weights, gradients)],
            biases=[b - rate * g for b, (_, g) in zip(problem.biases, gradients)],
        )
    return problem, losses


@cache
def problem(sizes: tuple[int, ...], n: int, loss: Loss = SQUARED_ERROR) -> Problem:
    """Random biases and labels: at the start of a training symmetries hide mistakes."""
    generator = torch.Generator().manual_seed(sum(sizes) + 100 * n)

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    shapes = list(pairwise(sizes))
    return Problem(
        [random(*shape) / shape[0] ** 0.5 for shape in shapes],
        [random(units) / 2 for _, units in shapes],
        random(n, sizes[0]),
        torch.rand(n, sizes[-1], generator=generator, dtype=torch.float64),
        loss,
    )


# Sizes are all different, and different from n (but for n = 1 with one output): a missing
# transpose fits nowhere. Each size and n take several values, which tells them apart.
DIFFERENT = [
    ((4, 6, 5, 1), 3),
    ((4, 6, 5, 1), 7),
    ((4, 6, 5, 1), 1),
    ((3, 5, 4, 1), 6),
    ((4, 6, 5, 2), 3),
    ((5, 4, 6, 3), 7),
    ((5, 6, 4, 2), 1),
]
# Here it fits: code that raises an error elsewhere gives numbers.
SQUARE = [((4, 4, 4, 1), 3), ((4, 4, 4, 4), 4), ((3, 3, 3, 3), 5)]
OTHER_DEPTHS = [((3, 5, 1), 4), ((3, 5, 4, 6, 1), 7), ((3, 1), 4)]


def problems(loss: Loss = SQUARED_ERROR) -> list[Problem]:
    """Networks of three layers, and then some of other depths."""
    return [problem(*one, loss) for one in (*DIFFERENT, *SQUARE, *OTHER_DEPTHS)]


def tiny(loss: Loss = SQUARED_ERROR, n: int = 1, K: int = 1) -> Problem:
    """A network of sizes 2, 2, K with n samples, one or two, to be redone by hand."""

    def made(value: list) -> Tensor:
        return torch.tensor(value, dtype=torch.float64)

    second = made([[0.6, 0.4], [-0.5, 0.7]])
    return Problem(
        [made([[0.5, -0.3], [0.2, 0.4]]), second[:, :K]],
        [made([0.1, -0.2]), made([0.3, -0.1])[:K]],
        made([[1.0, 0.5], [-0.4, 0.8]])[:n],
        made([[0.2, 0.7], [0.9, 0.4]])[:n, :K],
        loss,
    )

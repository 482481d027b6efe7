"""The backward pass in steps, so that a hypothesis can replace one of them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .problems import Gradients, Problem


@dataclass
class Values:
    """What a backward pass works with. The lists count layers from 0, the input;
    ``weights_after`` are the weights that the examined class has after the pass."""

    z_in: list[Tensor]
    z_out: list[Tensor]
    weights: list[Tensor]
    weights_after: list[Tensor]
    y: Tensor
    repeats: bool = False  # whether torch repeated a tensor to fit another

    @property
    def p(self) -> Tensor:
        return self.z_out[-1]

    @property
    def L(self) -> int:
        return len(self.weights) - 1

    def times(self, a: Tensor, b: Tensor) -> Tensor:
        self.repeats |= a.shape != b.shape
        return a * b


def tanh_slope(z: Tensor) -> Tensor:
    return 1 - torch.tanh(z) ** 2


def sigmoid_slope(z: Tensor) -> Tensor:
    return torch.sigmoid(z) * (1 - torch.sigmoid(z))


@dataclass(frozen=True)
class Steps:
    """What a right network does. A hypothesis is a copy with a step replaced; the right
    gradients themselves come from automatic differentiation, not from here."""

    loss: Callable[[Tensor, Tensor], Tensor] = lambda p, y: ((p - y) ** 2).mean()
    loss_gradient: Callable[[Tensor, Tensor], Tensor] = lambda p, y: (
        2 * (p - y) / p.numel()
    )
    output_slope: Callable[[Values], Tensor] = lambda v: sigmoid_slope(v.z_in[-1])
    # of the layer whose delta is computed
    hidden_slope: Callable[[Values, int], Tensor] = lambda v, k: tanh_slope(
        v.z_in[k]
    )
    # through the weights of a layer
    send_back: Callable[[Values, Tensor, int], Tensor] = lambda v, delta, k: (
        delta @ v.weights[k].T
    )
    weight_grad: Callable[[Values, Tensor, int], Tensor] = lambda v, delta, k: (
        v.z_out[k - 1].T @ delta
    )
    bias_grad: Callable[[Tensor], Tensor] = lambda delta: delta.sum(0)
    # the gradient after a second call, from those of either call alone
    second_call: Callable[[Tensor], Tensor] = lambda gradient: gradient
    update: Callable[[Tensor, Tensor, float], Tensor] = (
        lambda parameter, gradient, rate: parameter - rate * gradient
    )


@dataclass
class Prediction:
    """What a hypothesis predicts: gradients, or the shapes of an operation that
    fails."""

    gradients: Gradients | None
    shapes: list[tuple[int, ...]]
    repeats: bool


class ShapeRecorder(TorchFunctionMode):
    """Keeps the shapes that the last failing operation of torch was given."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, ...]] = []
        self.operation = ""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        try:
            return func(*args, **(kwargs or {}))
        except Exception:
            found = [a for a in flat(args) if isinstance(a, Tensor)]
            self.shapes = [tuple(tensor.shape) for tensor in found]
            self.operation = getattr(func, "__name__", "")
            raise


def flat(arguments):
    for argument in arguments:
        if isinstance(argument, list | tuple):
            yield from flat(argument)
        else:
            yield argument


def run(steps: Steps, problem: Problem, weights_after: list[Tensor]) -> Prediction:
    """The gradients that a network with these steps computes."""
    values = forward_values(problem, weights_after)
    gradients: Gradients = []
    with ShapeRecorder() as recorder:
        try:
            slope = steps.output_slope(values)
            delta = values.times(steps.loss_gradient(values.p, values.y), slope)
            for layer in range(values.L, 0, -1):
                weight_grad = steps.weight_grad(values, delta, layer)
                gradients.insert(0, (weight_grad, steps.bias_grad(delta)))
                if layer > 1:
                    sent = steps.send_back(values, delta, layer)
                    slope = steps.hidden_slope(values, layer - 1)
                    delta = values.times(sent, slope)
        except RuntimeError:
            return Prediction(None, recorder.shapes, values.repeats)
    return Prediction(gradients, [], values.repeats)


def forward_values(problem: Problem, weights_after: list[Tensor]) -> Values:
    z_in, z_out = [torch.empty(0)], [problem.x]
    for weight, bias in problem.parameters:
        z_in.append(z_out[-1] @ weight + bias)
        z_out.append(torch.tanh(z_in[-1]))
    z_out[-1] = torch.sigmoid(z_in[-1])
    input_has_none = [torch.empty(0)]
    return Values(
        z_in,
        z_out,
        input_has_none + problem.weights,
        input_has_none + weights_after,
        problem.y,
    )

"""What is met next: other losses (chapter ``cross_entropy``), another activation, start
and step (chapter ``digits``).

The classes with `forward` stand in for the defaults of `NeuralNetwork`, such as
``NeuralNetwork(2, 1, [5, 3], output=Identity, loss=BinaryCrossEntropy)``.
"""

import torch
from torch import Tensor

from . import checks
from .network import NeuralNetwork


class Identity:
    """No activation: the outputs are the pre-activations. The loss does the rest."""

    def forward(self, z_in: Tensor) -> Tensor:
        """Outputs in the shape of ``z_in``."""
        return z_in

    def derivative(self, z_out: Tensor) -> Tensor:
        """Slopes, all 1, in the shape of ``z_out``."""
        return torch.ones_like(z_out)


class ReLU:
    """The rectifier, element by element: what is negative becomes 0.

    Chapter ``digits``.
    """

    def forward(self, z_in: Tensor) -> Tensor:
        """Outputs, none below 0, in the shape of ``z_in``."""
        return torch.relu(z_in)

    def derivative(self, z_out: Tensor) -> Tensor:
        """Slopes where the outputs are ``z_out``; 0 at the kink."""
        return (z_out > 0).to(z_out.dtype)


class BinaryCrossEntropy:
    """The cross-entropy of each output, through a sigmoid; the mean over all n and K.

    Takes labels (n, K) from 0 to 1 and pre-activations (n, K), or those of many
    networks, (R, n, K). Other shapes raise ValueError. Chapter ``cross_entropy``.
    """

    def forward(self, y: Tensor, z_in: Tensor) -> Tensor:
        """The loss, a 0-d tensor; of many networks (R,)."""
        checks.labels_of_each(y, z_in)
        zero = torch.zeros_like(z_in)
        return (torch.logaddexp(zero, z_in) - y * z_in).mean(dim=(-2, -1))

    def gradient(self, y: Tensor, z_in: Tensor) -> Tensor:
        """The gradient with respect to ``z_in``, in its shape."""
        checks.labels_of_each(y, z_in)
        return (torch.sigmoid(z_in) - y) / y.numel()  # eq-binary-delta


class SoftmaxCrossEntropy:
    """The cross-entropy of K classes, through a softmax; the mean over n samples.

    Takes labels (n, K), of which each row adds up to 1, and pre-activations (n, K), or
    those of many networks, (R, n, K). Other shapes raise ValueError. Chapter
    ``cross_entropy``.
    """

    def forward(self, y: Tensor, z_in: Tensor) -> Tensor:
        """The loss, a 0-d tensor; of many networks (R,)."""
        checks.labels_of_each(y, z_in)
        return (z_in.logsumexp(-1) - (y * z_in).sum(-1)).mean(-1)  # eq-log-sum-exp

    def gradient(self, y: Tensor, z_in: Tensor) -> Tensor:
        """The gradient with respect to ``z_in``, in its shape."""
        checks.labels_of_each(y, z_in)
        return (torch.softmax(z_in, dim=-1) - y) / len(y)  # eq-softmax-batch-delta


def start_by_he(net: NeuralNetwork, seed=None) -> None:
    """Draw all weights anew, uniformly within the bound of He et al. (2015), and set
    the biases to 0.

    ``seed`` is as in `NeuralNetwork`; ``net`` may be many networks. Chapter ``digits``.
    """
    checks.network(net, "start_by_he(net, seed)")
    generator = checks.generator(seed)
    for linear in (layer.linear for layer in net.layers):
        shape = linear.weight.shape
        bound = (6 / shape[-2]) ** 0.5
        uniform = torch.rand(shape, generator=generator, dtype=torch.float64)
        linear.weight = (bound * (2 * uniform - 1)).to(linear.weight)
        linear.bias = torch.zeros_like(linear.bias)


class Momentum:
    """Steps along a sum of all gradients so far, in which old ones fade.

    Each step keeps the share ``kept`` of the sum, from 0 (plain gradient descent) to
    below 1. ``net`` may be many networks. Chapter ``digits``.
    """

    def __init__(self, net: NeuralNetwork, kept: float = 0.9):
        checks.network(net, "Momentum(net, kept)")
        self.net, self.kept = net, checks.share("kept", kept)
        self.sums: list = [[0, 0] for _ in net.layers]  # of weights, of biases

    def step(self, learning_rate: float) -> None:
        """Take one step, in place, after ``net.backward``.

        Errors are those of ``net.apply_gradients``.
        """
        checks.gradients(self.net.sizes, self.net.layers)
        rate = checks.learning_rate(learning_rate, self.net.layers)
        with torch.no_grad():
            for layer, sums in zip(self.net.layers, self.sums):
                p = layer.linear
                sums[0] = self.kept * sums[0] + p.weight_grad
                sums[1] = self.kept * sums[1] + p.bias_grad
                p.weight -= rate * sums[0]
                p.bias -= rate * sums[1]

"""Many networks at once (chapter ``experiments``)."""

import torch
from torch import Tensor

from . import checks
from .layers import Linear, Sigmoid, TanH
from .loss import MSELoss
from .network import NeuralNetwork
from .training import train


class ManyLosses(MSELoss):
    """The mean squared error of each of R networks, for labels (n, K) and
    predictions (R, n, K).
    """

    def forward(self, y: Tensor, prediction: Tensor) -> Tensor:
        """The losses (R,)."""
        checks.same_shape(y, prediction[0])
        return (prediction - y).square().mean(dim=(1, 2))  # eq-loss-batch

    def gradient(self, y: Tensor, prediction: Tensor) -> Tensor:
        """The gradients (R, n, K)."""
        checks.same_shape(y, prediction[0])
        return (2 / y.numel()) * (prediction - y)  # eq-loss-gradient


class ManyNetworks(NeuralNetwork):
    """R independent networks of the same sizes, in one object.

    ``copies`` is their number R, which stands in front of every shape: weights and
    their gradients are (R, in, out), biases and theirs (R, 1, out), predictions and
    losses begin with R. All networks share ``x`` and ``y``. The initial weights are
    multiplied by ``initial_scale``. It and the learning rate may be tensors (R,), with
    a number for each network. A ``loss`` must give R losses, as `ManyLosses` does. All
    else is as in `NeuralNetwork`.
    """

    def __init__(
        self,
        copies: int,
        input_size: int,
        output_size: int,
        hidden_sizes,
        seed: int | torch.Generator | None = None,
        initial_scale: float | Tensor = 1.0,
        activation: type = TanH,
        output: type = Sigmoid,
        loss: type = ManyLosses,
    ):
        checks.sizes(copies=copies)
        each = torch.empty(copies, 1, 1)
        scale = checks.number_of_each(
            "initial_scale", initial_scale, each, "non-negative"
        )
        generator = checks.generator(seed)
        # The layers of one network, whose parameters are replaced below.
        super().__init__(
            input_size, output_size, hidden_sizes, torch.Generator(),
            activation, output, loss,
        )  # fmt: skip
        for linear in (layer.linear for layer in self.layers):
            sizes = linear.weight.shape
            drawn = [
                Linear(sizes[0], sizes[1], generator).weight for _ in range(copies)
            ]
            linear.weight = scale * torch.stack(drawn)
            linear.bias = torch.zeros(copies, 1, linear.bias.numel())
        self.copies = copies

    def backward_pass(self, outputs: list[Tensor], y: Tensor) -> None:
        """Set all gradients, for y (n, output_size); leaves ``x`` in ``outputs``.

        The lines of `NeuralNetwork`, with dimensions that leave R alone.
        """
        act, z_out = self.layers[-1].act, outputs[-1]
        delta = self.loss.gradient(y, z_out)
        delta = delta * act.derivative(z_out)  # eq-batch-output-delta
        for index in reversed(range(len(self.layers))):
            linear, z_out = self.layers[index].linear, outputs[index]
            del outputs[index + 1]  # used for the last time
            linear.weight_grad = z_out.mT @ delta  # eq-batch-weights
            linear.bias_grad = delta.sum(dim=1, keepdim=True)  # eq-batch-biases
            if index > 0:  # the input has no delta
                act = self.layers[index - 1].act
                delta = delta @ linear.weight.mT
                delta = delta * act.derivative(z_out)  # eq-batch-hidden-delta


def train_many(x, y, nets: ManyNetworks, epochs: int, lr, progress: bool = False):
    """`train` for many networks: the losses are (epochs, R).

    ``lr`` may be (R,). A loss that is not finite stops nothing: a RuntimeWarning at the
    end names the networks and their epochs.
    """
    nets, losses = train(x, y, nets, epochs, lr, progress)
    checks.lost_networks(losses)
    return nets, losses

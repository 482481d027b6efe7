"""The network: forward pass, backward pass, update (chapter ``network``)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .checks import (
    check_gradients,
    check_initial_scale,
    check_labels,
    check_learning_rate,
    check_samples,
    check_sizes,
    make_generator,
)
from .layers import Neuron
from .loss import MSELoss


class NeuralNetwork:
    """A feed-forward network: hidden layers with tanh, then one with sigmoid.

    ``hidden_sizes`` is a list or tuple of layer sizes, [] for none. ``seed`` is
    a whole number or a torch.Generator, from which the weights of all layers
    are drawn in order; None draws from torch's global generator. The loss is
    the mean squared error.

    With ``copies`` the object holds that many independent networks R. The
    shapes of parameters, gradients, predictions and losses then begin with R,
    while all copies share ``x`` and ``y``. The initial weights are multiplied by
    ``initial_scale``. It and the learning rate may be tensors (R,), with a
    value for each copy.

    `forward`, `get_loss` and `backward` take a batch ``x`` (n, input_size) and
    labels ``y`` of the shape of the predictions: (n,) where output_size is 1,
    else (n, output_size). Samples, labels and parameters share one floating
    dtype and one device. Anything else raises TypeError or ValueError and
    changes nothing.

    `forward_pass`, `backward_pass` and `descend` do the work and check nothing;
    `train` calls them in each epoch. Chapters ``network`` and, for copies,
    ``experiments``.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        hidden_sizes: Sequence[int],
        seed: int | torch.Generator | None = None,
        copies: int | None = None,
        initial_scale: float | Tensor = 1.0,
    ):
        check_sizes(input_size, output_size, hidden_sizes)
        scale = check_initial_scale(initial_scale, copies)
        generator = make_generator(seed)
        sizes = [input_size, *hidden_sizes, output_size]
        activations = ["tanh"] * len(hidden_sizes) + ["sigmoid"]
        self.input_size = input_size
        self.output_size = output_size
        self.hidden_sizes = list(hidden_sizes)
        self.copies = copies
        self.layers = [
            Neuron(sizes[index], sizes[index + 1], activation, generator, copies)
            for index, activation in enumerate(activations)
        ]
        for layer in self.layers:
            layer.linear.weight *= scale[..., None, None]
        self.loss = MSELoss()

    def forward(self, x: Tensor) -> Tensor:
        """The predictions: (n,) for one output, else (n, output_size)."""
        check_samples(self, x)
        return self.forward_pass(x)[-1].squeeze(-1)

    def get_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """The loss of the batch, a 0-d tensor."""
        check_samples(self, x)
        y = check_labels(self, x, y)
        return self.loss.forward(y, self.forward_pass(x)[-1])

    def backward(self, x: Tensor, y: Tensor) -> None:
        """Fill every ``weight_grad`` and ``bias_grad`` from the batch.

        The gradients are those of ``get_loss(x, y)``. They depend on the
        arguments and the parameters alone: the method runs a forward pass of
        its own, and replaces the gradients of an earlier call.
        """
        check_samples(self, x)
        y = check_labels(self, x, y)
        for layer in self.layers:  # free their memory before more is needed
            layer.linear.weight_grad = layer.linear.bias_grad = None
        self.backward_pass(self.forward_pass(x), y)

    def apply_gradients(self, learning_rate: float | Tensor) -> None:
        """Take one step of gradient descent, in place.

        Raises RuntimeError before the first `backward`, and TypeError or
        ValueError where the learning rate is not a positive, finite number, or
        one for each copy; then nothing has changed.
        """
        rate = check_learning_rate(self, learning_rate)
        check_gradients(self)
        with torch.no_grad():  # a check by autograd may have left them tracked
            self.descend(rate)

    def forward_pass(self, x: Tensor) -> list[Tensor]:
        """The outputs of all layers, (n, input_size) to (n, output_size)."""
        outputs = [x]
        for layer in self.layers:
            outputs.append(layer.forward(outputs[-1]))
        return outputs

    def backward_pass(self, outputs: list[Tensor], y: Tensor) -> None:
        """Fill all gradients from the outputs and labels (n, output_size).

        Empties the list of outputs, so that each is freed after its last use.
        """
        act, output = self.layers[-1].act, outputs.pop()
        delta = self.loss.gradient(y, output)
        delta = delta * act.derivative(output)  # eq-batch-output-delta
        for index in reversed(range(len(self.layers))):
            linear, output = self.layers[index].linear, outputs.pop()
            linear.weight_grad = output.mT @ delta  # eq-batch-weights
            linear.bias_grad = delta.sum(dim=-2)  # eq-batch-biases
            if index > 0:  # the input has no delta
                act = self.layers[index - 1].act
                delta = delta @ linear.weight.mT
                delta = delta * act.derivative(output)  # eq-batch-hidden-delta

    def descend(self, rate: Tensor) -> None:
        """Subtract the gradients, times the learning rate, in place.

        ``rate`` is a 0-d tensor, or (R,) with a rate for each copy.
        """
        bias_rate = rate.unsqueeze(-1)  # for copies (R, 1)
        weight_rate = bias_rate.unsqueeze(-1)  # and (R, 1, 1)
        for linear in (layer.linear for layer in self.layers):
            linear.weight -= weight_rate * linear.weight_grad  # eq-update-weights
            linear.bias -= bias_rate * linear.bias_grad  # eq-update-biases

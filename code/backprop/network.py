"""The network (chapter ``network``). Comments name the equations that lines compute."""

import torch
from torch import Tensor

from . import checks
from .layers import Neuron, Sigmoid, TanH
from .loss import MSELoss


class NeuralNetwork:
    """A feed-forward network: hidden layers with tanh, then one with sigmoid.

    ``hidden_sizes`` lists the sizes of the hidden layers, [] for none. The weights
    come from ``seed``, a whole number or a torch.Generator; None means torch's global
    generator. ``activation``, ``output`` and ``loss`` are classes. Samples ``x`` are
    (n, input_size), labels ``y`` have the shape of the predictions; they and the
    parameters share one floating dtype and device. Anything else raises TypeError or
    ValueError and changes nothing. `forward_pass`, `backward_pass` and `descend`, which
    do the work, trust their arguments.
    """

    def __init__(self, input_size: int, output_size: int, hidden_sizes, seed=None,
                 activation=TanH, output=Sigmoid, loss=MSELoss):  # fmt: skip
        checks.architecture(input_size, output_size, hidden_sizes)
        checks.kinds(activation=activation, output=output, loss=loss)
        self.input_size, self.output_size = input_size, output_size
        self.hidden_sizes = list(hidden_sizes)
        self.sizes = [input_size, *hidden_sizes, output_size]
        activations = [activation] * len(hidden_sizes) + [output]
        generator = checks.generator(seed)
        parts = zip(self.sizes, self.sizes[1:], activations)
        self.layers = [Neuron(*part, generator) for part in parts]
        self.loss = loss()

    def forward(self, x: Tensor) -> Tensor:
        """The predictions: (n,) where output_size is 1, else (n, output_size)."""
        checks.samples(x, self.sizes, self.layers)
        return self.forward_pass(x)[-1].squeeze(-1)

    def get_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """The loss of the batch, a 0-d tensor."""
        y = checks.batch(x, y, self.sizes, self.layers)
        return self.loss.forward(y, self.forward_pass(x)[-1])

    def backward(self, x: Tensor, y: Tensor) -> None:
        """Set every ``weight_grad`` and ``bias_grad``: gradients of ``get_loss(x, y)``."""
        y = checks.batch(x, y, self.sizes, self.layers)
        for layer in self.layers:  # free their memory before more is needed
            layer.linear.weight_grad = layer.linear.bias_grad = None
        self.backward_pass(self.forward_pass(x), y)

    def apply_gradients(self, learning_rate: float) -> None:
        """Take one step, in place. Raises RuntimeError before the first `backward`."""
        checks.gradients(self.sizes, self.layers)
        rate = checks.learning_rate(learning_rate, self.layers)
        with torch.no_grad():  # a check by autograd may leave them requiring grad
            self.descend(rate)

    def forward_pass(self, x: Tensor) -> list[Tensor]:
        """``x``, then the output of each layer: ``outputs[i]`` goes into layer i."""
        outputs = [x]
        for layer in self.layers:
            outputs.append(layer.forward(outputs[-1]))
        return outputs

    def backward_pass(self, outputs: list[Tensor], y: Tensor) -> None:
        """Set all gradients, for y (n, output_size); leaves ``x`` in ``outputs``."""
        act, z_out = self.layers[-1].act, outputs[-1]
        delta = self.loss.gradient(y, z_out)
        delta = delta * act.derivative(z_out)  # eq-batch-output-delta
        for index in reversed(range(len(self.layers))):
            linear, z_out = self.layers[index].linear, outputs[index]
            del outputs[index + 1]  # used for the last time
            linear.weight_grad = z_out.T @ delta  # eq-batch-weights
            linear.bias_grad = delta.sum(dim=0)  # eq-batch-biases
            if index > 0:  # the input has no delta
                act = self.layers[index - 1].act
                delta = delta @ linear.weight.T
                delta = delta * act.derivative(z_out)  # eq-batch-hidden-delta

    def descend(self, rate: float) -> None:
        """Subtract the gradients, times the learning rate, in place."""
        for linear in (layer.linear for layer in self.layers):
            linear.weight -= rate * linear.weight_grad  # eq-update-weights
            linear.bias -= rate * linear.bias_grad  # eq-update-biases

"""What is met next: other losses (chapter ``cross_entropy``).

They stand in for the defaults of `NeuralNetwork`, such as
``NeuralNetwork(2, 1, [5, 3], output=Identity, loss=BinaryCrossEntropy)``.
"""

import torch
from torch import Tensor

from . import checks


class Identity:
    """No activation: the outputs are the pre-activations. The loss does the rest."""

    def forward(self, z_in: Tensor) -> Tensor:
        """Outputs in the shape of ``z_in``."""
        return z_in

    def derivative(self, z_out: Tensor) -> Tensor:
        """Slopes, all 1, in the shape of ``z_out``."""
        return torch.ones_like(z_out)


class BinaryCrossEntropy:
    """The cross-entropy of each output, through a sigmoid; the mean over all n and K.

    Takes labels (n, K) from 0 to 1 and pre-activations (n, K), or those of many
    networks, (R, n, K). Other shapes raise ValueError. Chapter ``cross_entropy``.
    """

    def forward(self, y: Tensor, z_in: Tensor) -> Tensor:
        """The loss, a 0-d tensor; of many networks (R,)."""
        checks.same_shape(y, z_in[0] if z_in.ndim == 3 else z_in)
        zero = torch.zeros_like(z_in)
        return (torch.logaddexp(zero, z_in) - y * z_in).mean(dim=(-2, -1))

    def gradient(self, y: Tensor, z_in: Tensor) -> Tensor:
        """The gradient with respect to ``z_in``, in its shape."""
        checks.same_shape(y, z_in[0] if z_in.ndim == 3 else z_in)
        return (torch.sigmoid(z_in) - y) / y.numel()


class SoftmaxCrossEntropy:
    """The cross-entropy of K classes, through a softmax; the mean over n samples.

    Takes labels (n, K), of which each row adds up to 1, and pre-activations (n, K), or
    those of many networks, (R, n, K). Other shapes raise ValueError. Chapter
    ``cross_entropy``.
    """

    def forward(self, y: Tensor, z_in: Tensor) -> Tensor:
        """The loss, a 0-d tensor; of many networks (R,)."""
        checks.same_shape(y, z_in[0] if z_in.ndim == 3 else z_in)
        return (z_in.logsumexp(dim=-1) - (y * z_in).sum(dim=-1)).mean(dim=-1)

    def gradient(self, y: Tensor, z_in: Tensor) -> Tensor:
        """The gradient with respect to ``z_in``, in its shape."""
        checks.same_shape(y, z_in[0] if z_in.ndim == 3 else z_in)
        return (torch.softmax(z_in, dim=-1) - y) / len(y)

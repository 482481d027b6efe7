"""One layer: a linear map, then an activation (chapter ``network``)."""

import torch
from torch import Tensor

from . import checks


class Linear:
    """``Z_in = Z_out W + 1 b^T``, with the Z_out of the layer before.

    ``weight`` (in_features, out_features) is drawn uniformly within the bound of
    Glorot and Bengio (2010), from torch's global generator if ``generator`` is None;
    ``bias`` (out_features,) starts at zero. Both have torch's default dtype and may
    be assigned. ``weight_grad`` and ``bias_grad`` are None until a backward pass.
    Sizes that are no positive whole numbers raise TypeError or ValueError.
    """

    def __init__(self, in_features: int, out_features: int, generator=None):
        checks.sizes(in_features=in_features, out_features=out_features)
        bound = (6 / (in_features + out_features)) ** 0.5  # eq-glorot
        shape = (in_features, out_features)
        # In float64, so that a seed means the same weights in every dtype.
        uniform = torch.rand(shape, generator=generator, dtype=torch.float64)
        self.weight = (bound * (2 * uniform - 1)).to(torch.get_default_dtype())
        self.bias = torch.zeros(out_features)
        self.weight_grad = self.bias_grad = None

    def forward(self, z_out: Tensor) -> Tensor:
        """Pre-activations (n, out_features) from outputs (n, in_features)."""
        return z_out @ self.weight + self.bias  # eq-batch-pre-activation


class TanH:
    """The hyperbolic tangent, element by element (chapter ``notation``)."""

    def forward(self, z_in: Tensor) -> Tensor:
        """Outputs between -1 and 1, in the shape of ``z_in``."""
        return torch.tanh(z_in)

    def derivative(self, z_out: Tensor) -> Tensor:
        """Slopes where the outputs are ``z_out``, in its shape."""
        return 1 - z_out * z_out  # eq-tanh-derivative


class Sigmoid:
    """The logistic sigmoid, element by element (chapter ``notation``)."""

    def forward(self, z_in: Tensor) -> Tensor:
        """Outputs between 0 and 1, in the shape of ``z_in``."""
        return torch.sigmoid(z_in)

    def derivative(self, z_out: Tensor) -> Tensor:
        """Slopes where the outputs are ``z_out``, in its shape."""
        return z_out * (1 - z_out)  # eq-sigmoid-derivative


class Neuron:
    """A whole layer, not one unit: ``linear`` (a `Linear`), then ``act``.

    ``activation`` is a class such as `TanH`; anything else raises TypeError.
    """

    def __init__(self, in_features, out_features, activation: type, generator=None):
        checks.kinds(activation=activation)
        self.linear = Linear(in_features, out_features, generator)
        self.act = activation()

    def forward(self, z_out: Tensor) -> Tensor:
        """Outputs (n, out_features) from those of the layer before (n, in_features)."""
        return self.act.forward(self.linear.forward(z_out))  # eq-batch-output

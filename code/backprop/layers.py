"""One layer: a linear map, then an activation (chapter ``network``)."""

import math

import torch
from torch import Tensor

from .checks import check_copies, check_size


class Linear:
    """The linear map of one layer, ``Z_in = Z_out W + 1 b^T``.

    ``weight`` has shape (in_features, out_features), ``bias`` (out_features,);
    with ``copies``, their number stands in front. Both may be assigned. The
    weights are drawn from ``generator`` (torch's global one if None), uniformly
    within the bound of Glorot and Bengio (2010); the biases start at zero. Both
    have torch's default dtype.
    ``weight_grad`` and ``bias_grad`` are None until a backward pass fills them.

    Raises TypeError or ValueError where a size is not a positive whole number.
    Chapters ``notation``, ``network`` and, for copies, ``experiments``.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        generator: torch.Generator | None = None,
        copies: int | None = None,
    ):
        check_size("in_features", in_features)
        check_size("out_features", out_features)
        in_front = check_copies(copies)
        bound = math.sqrt(6 / (in_features + out_features))  # eq-glorot
        # In float64, so that a seed means the same weights in every dtype.
        shape = *in_front, in_features, out_features
        uniform = torch.rand(shape, generator=generator, dtype=torch.float64)
        self.weight = (bound * (2 * uniform - 1)).to(torch.get_default_dtype())
        self.bias = torch.zeros(*in_front, out_features)
        self.weight_grad: Tensor | None = None
        self.bias_grad: Tensor | None = None

    def forward(self, z_out: Tensor) -> Tensor:
        """Pre-activations (n, out_features) from outputs (n, in_features)."""
        bias = self.bias.unsqueeze(-2)  # one row, for all samples
        return z_out @ self.weight + bias  # eq-batch-pre-activation


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
        return z_out - z_out * z_out  # eq-sigmoid-derivative


ACTIVATIONS: dict[str, type[TanH | Sigmoid]] = {"tanh": TanH, "sigmoid": Sigmoid}


class Neuron:
    """One layer: ``linear`` (a `Linear`), then ``act`` (`TanH` or `Sigmoid`).

    ``activation`` is "tanh" or "sigmoid"; anything else raises ValueError.
    Chapter ``network``.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        activation: str,
        generator: torch.Generator | None = None,
        copies: int | None = None,
    ):
        if activation not in ACTIVATIONS:
            names = ", ".join(ACTIVATIONS)
            raise ValueError(
                f"activation must be one of {names}; got {activation!r}."
            )
        self.linear = Linear(in_features, out_features, generator, copies)
        self.act = ACTIVATIONS[activation]()

    def forward(self, z_out: Tensor) -> Tensor:
        """Outputs (n, out_features) from outputs (n, in_features)."""
        return self.act.forward(self.linear.forward(z_out))  # eq-batch-output

"""The mean squared error and its gradient (chapter ``notation``)."""

from torch import Tensor

from . import checks


class MSELoss:
    """The mean squared error over all n samples and all K outputs.

    Labels and predictions are both (n, K), or both (n,) for one output. Unequal
    shapes raise ValueError: torch would broadcast them to another loss.
    """

    def forward(self, y: Tensor, prediction: Tensor) -> Tensor:
        """The loss, a 0-d tensor."""
        checks.same_shape(y, prediction)
        return (prediction - y).square().mean()  # eq-loss-batch

    def gradient(self, y: Tensor, prediction: Tensor) -> Tensor:
        """The gradient with respect to ``prediction``, in its shape."""
        checks.same_shape(y, prediction)
        return (2 / y.numel()) * (prediction - y)  # eq-loss-gradient

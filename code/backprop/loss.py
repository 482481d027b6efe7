"""The mean squared error and its gradient (chapter ``notation``)."""

from torch import Tensor

from .checks import check_same_shape


class MSELoss:
    """Mean squared error over all n samples and all K outputs.

    Both methods take the labels first, then the predictions, in one shape:
    (n, K), or (n,) for one output. Unequal shapes raise ValueError, because
    torch would broadcast them to a loss of something else.
    """

    def forward(self, y: Tensor, prediction: Tensor) -> Tensor:
        """The loss, a 0-d tensor."""
        check_same_shape(y, prediction)
        return (prediction - y).square().mean()  # eq-loss-batch

    def gradient(self, y: Tensor, prediction: Tensor) -> Tensor:
        """The gradient with respect to ``prediction``, in its shape."""
        check_same_shape(y, prediction)
        return (2 / prediction.numel()) * (prediction - y)  # eq-loss-gradient

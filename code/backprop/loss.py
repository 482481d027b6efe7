"""The mean squared error and its gradient (chapter ``notation``)."""

from torch import Tensor

from .checks import check_same_shape


class MSELoss:
    """Mean squared error over all n samples and all K outputs.

    Both methods take the labels first, then the predictions, in one shape:
    (n, K), or (n,) for one output; for R copies of a network (R, n, K).
    Unequal shapes raise ValueError, because torch would broadcast them to a
    loss of something else.
    """

    def forward(self, y: Tensor, prediction: Tensor) -> Tensor:
        """The loss, a 0-d tensor; for copies their losses (R,)."""
        check_same_shape(y, prediction)
        samples_and_outputs = (-2, -1)[-y.ndim :]
        error = prediction - y
        return error.square().mean(samples_and_outputs)  # eq-loss-batch

    def gradient(self, y: Tensor, prediction: Tensor) -> Tensor:
        """The gradient with respect to ``prediction``, in its shape."""
        check_same_shape(y, prediction)
        count = prediction.shape[-2:].numel()  # n K
        return (2 / count) * (prediction - y)  # eq-loss-gradient

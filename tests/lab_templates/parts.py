"""What the templates include."""

import functools


class Layer:
    """A layer."""

    def __init__(self, weight):
        self.weight = weight

    def forward(self, x):
        """Multiply."""
        return self.weight * x  # eq-forward

    def backward(
        self,
        x,
        delta,
    ):
        # The secret comment.
        return delta * x  # eq-weights


@functools.cache
def square(x: int) -> int:
    """The square of x."""
    secret = x * x
    return secret

"""Work and memory of backpropagation, counted from its equations (chapter ``cost``).

``n`` is the number of samples, ``sizes`` are those of all layers, the input
first, such as [2, 5, 3, 1]. A multiply-add is one multiplication inside a matrix
product, with the addition that follows it. Nothing else is counted as work: the
rest grows with the number of units, the products with the number of weights.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from torch.utils._python_dispatch import TorchDispatchMode


def forward_work(n: int, sizes: Sequence[int]) -> int:
    """Multiply-adds of a forward pass (chapter ``cost``)."""
    work = 0
    for previous, size in pairwise(sizes):
        work += n * previous * size  # eq-batch-pre-activation
    return work


def backward_work(n: int, sizes: Sequence[int]) -> int:
    """Multiply-adds of a backward pass alone (chapter ``cost``)."""
    work = 0
    for layer, (previous, size) in enumerate(pairwise(sizes), start=1):
        work += n * previous * size  # eq-batch-weights
        if layer > 1:  # the input has no delta
            work += n * previous * size  # eq-batch-hidden-delta
    return work


def parameters(sizes: Sequence[int]) -> int:
    """Weights and biases of all layers (chapter ``cost``)."""
    return sum(previous * size + size for previous, size in pairwise(sizes))


def kept(n: int, sizes: Sequence[int]) -> int:
    """Numbers that a forward pass keeps: the outputs of all layers, the input
    among them (chapter ``cost``).
    """
    return n * sum(sizes)


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The power of ``sizes`` with which ``values`` grow: the slope of the line of
    least squares through their logarithms (chapter ``cost``). Both hold at least
    two positive numbers, and not all sizes are equal; else ValueError or
    ZeroDivisionError.
    """
    xs, ys = ([math.log(value) for value in numbers] for numbers in (sizes, values))
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    products = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True))
    return products / sum((x - x_mean) ** 2 for x in xs)


class _Calls(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        return function(*args, **(kwargs or {}))


def calls(action: Callable[[], object]) -> int:
    """How many tensor operations an action makes PyTorch carry out, those of
    automatic differentiation among them (chapter ``cost``).
    """
    with _Calls() as counter:
        action()
    return counter.count

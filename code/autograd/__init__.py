"""A graph of tensors, recorded forward and walked backwards: what `loss.backward()`
of PyTorch does, in the fewest lines (chapter ``autograd``).
"""

from .graph import (
    Node,
    add,
    matmul,
    mean,
    multiply,
    repeat,
    sigmoid,
    subtract,
    tanh,
    transpose,
)

__all__ = [
    "Node",
    "add",
    "matmul",
    "mean",
    "multiply",
    "repeat",
    "sigmoid",
    "subtract",
    "tanh",
    "transpose",
]

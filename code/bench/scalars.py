"""Automatic differentiation of single numbers, the plainest form of it, to compare
with (chapter ``cost``).
"""

import math
from typing import Union


class Value:
    """A number that remembers from which others it was computed.

    ``slopes`` are its derivatives with respect to these ``parents``. `backward`
    fills ``grad`` of all numbers behind it. Chapter ``cost``.
    """

    __slots__ = ("data", "grad", "parents", "slopes")

    def __init__(
        self,
        data: float,
        parents: tuple["Value", ...] = (),
        slopes: tuple[float, ...] = (),
    ):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.slopes = slopes

    def __add__(self, other: Union["Value", float]) -> "Value":
        if isinstance(other, Value):
            return Value(self.data + other.data, (self, other), (1.0, 1.0))
        return Value(self.data + other, (self,), (1.0,))

    def __mul__(self, other: Union["Value", float]) -> "Value":
        if isinstance(other, Value):
            return Value(
                self.data * other.data, (self, other), (other.data, self.data)
            )
        return Value(self.data * other, (self,), (other,))

    def tanh(self) -> "Value":
        """The hyperbolic tangent."""
        out = math.tanh(self.data)
        return Value(out, (self,), (1 - out * out,))

    def sigmoid(self) -> "Value":
        """The logistic sigmoid."""
        out = 1 / (1 + math.exp(-self.data))
        return Value(out, (self,), (out - out * out,))

    def in_order(self) -> list["Value"]:
        """All numbers behind this one, and itself, each after its parents."""
        order, seen, waiting = [], set(), [(self, False)]
        while waiting:
            value, parents_done = waiting.pop()
            if parents_done:
                order.append(value)
            elif value not in seen:
                seen.add(value)
                waiting.append((value, True))
                waiting.extend((parent, False) for parent in value.parents)
        return order

    def backward(self) -> None:
        """Set ``grad`` of all numbers behind this one to its derivative with
        respect to them.
        """
        order = self.in_order()
        for value in order:
            value.grad = 0.0
        self.grad = 1.0
        for value in reversed(order):
            for parent, slope in zip(value.parents, value.slopes):
                parent.grad += slope * value.grad

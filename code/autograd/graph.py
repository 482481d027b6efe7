"""Nodes that remember where they come from, and one rule for each operation.

An operation takes nodes and returns a node. Its rule takes the gradient of the loss
with respect to the result, and returns those with respect to what went in, each in the
shape of what went in. No Jacobian is ever formed. Chapter ``autograd``.
"""

from collections.abc import Callable
from itertools import count

import torch
from torch import Tensor

from . import checks

Rule = Callable[[Tensor], tuple[Tensor, ...]]
ages = count()


class Node:
    """A tensor, with the nodes it was computed from and the rule to go back.

    A leaf, such as a parameter, has no ``inputs``. `backward` fills ``grad``.
    TypeError unless ``value`` is a tensor of floating-point numbers.
    Chapter ``autograd``.
    """

    def __init__(self, value: Tensor, inputs=(), rule: Rule = lambda g: ()):
        checks.floating_point(value)
        self.value, self.inputs, self.rule = value, inputs, rule
        self.grad: Tensor | None = None
        self.age = next(ages)

    def behind(self) -> list["Node"]:
        """This node and all that it was computed from, the youngest first."""
        found, waiting = {self}, [self]
        while waiting:
            new = set(waiting.pop().inputs) - found
            found |= new
            waiting += new
        return sorted(found, key=lambda node: node.age, reverse=True)

    def backward(self) -> None:
        """Set ``grad`` of this node and of all behind it, from zeros on.

        Raises ValueError unless this node is one number, with shape ().
        """
        checks.one_number(self.value)
        nodes = self.behind()
        for node in nodes:
            node.grad = torch.zeros_like(node.value)
        self.grad = torch.ones_like(self.value)
        for node in nodes:
            parts = node.rule(node.grad)
            for source, part in zip(node.inputs, parts, strict=True):
                checks.shape_of_input(source.value, part)
                source.grad += part  # eq-autograd-fork


def add(a: Node, b: Node) -> Node:
    """The sum of two nodes of equal shapes."""
    checks.same_shape(a, b)
    return Node(a.value + b.value, (a, b), lambda g: (g, g))


def subtract(a: Node, b: Node) -> Node:
    """The difference of two nodes of equal shapes."""
    checks.same_shape(a, b)
    return Node(a.value - b.value, (a, b), lambda g: (g, -g))


def multiply(a: Node, b: Node) -> Node:
    """The element-wise product of two nodes of equal shapes."""
    checks.same_shape(a, b)
    return Node(a.value * b.value, (a, b), lambda g: (g * b.value, g * a.value))


def matmul(a: Node, b: Node) -> Node:
    """The matrix product of (n, m) and (m, r), which is (n, r)."""
    checks.product(a, b)
    return Node(
        a.value @ b.value,
        (a, b),
        lambda g: (g @ b.value.T, a.value.T @ g),  # eq-autograd-matmul
    )


def repeat(b: Node, n: int) -> Node:
    """Biases (r,), once for each of n samples: (n, r)."""
    checks.row(b, n)
    rows = b.value.expand(n, -1)
    return Node(rows, (b,), lambda g: (g.sum(dim=0),))


def transpose(a: Node) -> Node:
    """(m, n) of (n, m)."""
    checks.matrix(a)
    return Node(a.value.T, (a,), lambda g: (g.T,))


def tanh(a: Node) -> Node:
    """The hyperbolic tangent of each element."""
    out = torch.tanh(checks.node(a).value)
    return Node(out, (a,), lambda g: (g * (1 - out * out),))


def sigmoid(a: Node) -> Node:
    """The logistic sigmoid of each element."""
    out = torch.sigmoid(checks.node(a).value)
    return Node(out, (a,), lambda g: (g * (out - out * out),))


def mean(a: Node) -> Node:
    """The mean of all elements, one number."""
    size = checks.node(a).value.numel()
    return Node(a.value.mean(), (a,), lambda g: ((g / size).expand_as(a.value),))

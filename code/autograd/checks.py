"""What is wrong with what the graph is given, in words (chapter ``autograd``).

They all raise TypeError or ValueError.
"""

from torch import Tensor


def floating_point(value: object) -> None:
    """The value of a node is a floating-point tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(f"a node holds a tensor; got {type(value).__name__}.")
    if not value.is_floating_point():
        raise TypeError(
            f"a node holds floating-point numbers; got {value.dtype}, which has no "
            "gradients."
        )


def one_number(value: Tensor) -> None:
    """What `backward` starts from."""
    if value.ndim:
        raise ValueError(
            "backward starts from one number, such as a loss; this node has shape "
            f"{tuple(value.shape)}."
        )


def shape_of_input(value: Tensor, gradient: Tensor) -> None:
    """What a rule returns for an input."""
    if gradient.shape != value.shape:
        raise ValueError(
            f"a rule returned a gradient of shape {tuple(gradient.shape)} for an "
            f"input of shape {tuple(value.shape)}; they must be equal."
        )


def node(a):
    """What an operation takes; returns it."""
    if not hasattr(a, "rule"):
        raise TypeError(
            f"operations take nodes; got {type(a).__name__}. Node(tensor) makes one."
        )
    return a


def same_shape(a, b) -> None:
    """What is added or multiplied element by element."""
    one, other = (tuple(node(each).value.shape) for each in (a, b))
    if one != other:
        raise ValueError(f"shapes {one} and {other} are not equal.")


def matrix(a) -> None:
    """What is transposed."""
    if node(a).value.ndim != 2:
        raise ValueError(f"shape {tuple(a.value.shape)} is not that of a matrix.")


def product(a, b) -> None:
    """What is multiplied as matrices."""
    one, other = (tuple(node(each).value.shape) for each in (a, b))
    if len(one) != 2 or len(other) != 2 or one[1] != other[0]:
        raise ValueError(
            f"shapes {one} and {other} do not fit: a product needs (n, m) and (m, r)."
        )


def row(b, n) -> None:
    """What is repeated, and how often."""
    if node(b).value.ndim != 1:
        raise ValueError(
            f"shape {tuple(b.value.shape)} is not that of a row, (r,)."
        )
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(
            f"a row is repeated a positive number of times; got {n!r}."
        )

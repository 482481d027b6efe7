"""Numbers and matrices with their free indices, and what can be made of them.

Each dimension has an axis, a name of what it counts, such as 'n' (samples) or 'N^(2)'
(units of layer 2). Two dimensions fit if they count the same, whatever their sizes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .nodes import EquationError

ONE = "1"  # the axis of what has one row or one column
ANY = "any"  # that of an identity matrix, whose size is what fits


class Undefined(EquationError):
    """A symbol that does not exist at this layer."""


def need(condition, message):
    if not condition:
        raise EquationError(message)


@dataclass
class Value:
    """A number or a matrix for every value of the free indices.

    ``data`` has one dimension for each of ``indices``, in that order, and behind
    them rows and columns if the value is a matrix. ``axes`` says what each counts.
    """

    data: Tensor
    indices: tuple[str, ...] = ()
    axes: tuple[str, ...] = ()

    @property
    def matrix(self) -> bool:
        return len(self.axes) > len(self.indices)

    @property
    def sides(self) -> tuple[str, str]:
        """What rows and columns count; a number is a 1 × 1 matrix."""
        rows, columns = self.axes[-2:] if self.matrix else (ONE, ONE)
        return rows, columns

    @property
    def shape(self) -> str:
        return f"({', '.join(self.sides)})"

    @property
    def is_number(self) -> bool:
        return not self.axes

    def counted(self) -> dict[str, str]:
        """The axis of each index."""
        return dict(zip(self.indices, self.axes))

    def over(self, indices: tuple[str, ...]) -> Tensor:
        """The data with these dimensions first, of size 1 where the value does not
        depend on an index."""
        order = [
            self.indices.index(index) for index in indices if index in self.indices
        ]
        tail = range(len(self.indices), self.data.dim())
        data = self.data.permute((*order, *tail))
        for position, index in enumerate(indices):
            if index not in self.indices:
                data = data.unsqueeze(position)
        return data

    def mapped(self, function: Callable[[Tensor], Tensor]) -> "Value":
        """The same indices and shape, with every number changed."""
        need(ANY not in self.axes, "no function takes the elements of I")
        return Value(function(self.data), self.indices, self.axes)


def number(value: float) -> Value:
    return Value(torch.tensor(value, dtype=torch.float64))


def same_axis(index: str, one: str, other: str) -> None:
    need(
        one == other,
        f"index {index} runs to {one} in one place and to {other} in another",
    )


def common_indices(values: list[Value]) -> dict[str, str]:
    """All indices with their axes, after a check that each counts one thing."""
    axes: dict[str, str] = {}
    for value in values:
        for index, axis in value.counted().items():
            same_axis(index, axes.setdefault(index, axis), axis)
    return axes


def whole(tensor: Tensor, axes: tuple[str, ...]) -> Value:
    """A number, a column or a matrix."""
    need(tensor.dim() <= 2, f"{tensor.dim()} indices are needed here")
    if tensor.dim() == 1:
        return Value(tensor.unsqueeze(1), (), (*axes, ONE))
    return Value(tensor, (), axes)


def taken(
    tensor: Tensor, axes: tuple[str, ...], indices: tuple[str | None, ...]
) -> Value:
    """The tensor with its dimensions named. A number picks one element, an index
    that occurs twice the elements where both are equal; None keeps a dimension."""
    need(ANY not in axes, "an element of I is written as a Kronecker delta")
    left: list[tuple[str | None, str]] = []
    for position, (index, axis) in enumerate(zip(indices, axes, strict=True)):
        if index is not None and index.isdigit():
            size = tensor.shape[len(left)]
            if not 1 <= int(index) <= size:
                raise Undefined(f"index {index} of {size}")
            tensor = tensor.select(len(left), int(index) - 1)
        else:
            left.append((index, axis))
    counted: dict[str, str] = {}
    for index, axis in left:
        if index is not None:
            same_axis(index, counted.setdefault(index, axis), axis)
    kept = [axis for index, axis in left if index is None]
    letters = {index: place for place, index in enumerate(counted)}
    subscripts = [
        len(left) + place if index is None else letters[index]
        for place, (index, _) in enumerate(left)
    ]
    last = [subscript for subscript in subscripts if subscript >= len(left)]
    data = torch.einsum(tensor, subscripts, [*letters.values(), *last])
    return Value(data, tuple(counted), (*counted.values(), *kept))


def element(value: Value, indices: tuple[str, ...]) -> Value:
    """The elements of a matrix that indices name; of a column by one index."""
    need(value.matrix, "only a matrix has elements")
    data, axes = value.data, value.axes
    if len(indices) == 1:
        need(value.sides[1] == ONE, "an element of a matrix needs two indices")
        data, axes = data.squeeze(-1), axes[:-1]
    need(len(indices) <= 2, f"{len(indices)} indices at a matrix")
    return taken(data, axes, (*value.indices, *indices))


def of_number(value: Value, function: Callable[[Tensor], Tensor]) -> Value:
    need(not value.matrix, "a number is needed here, not a matrix")
    return value.mapped(function)


def power(value: Value, exponent: int) -> Value:
    """A power of a number, or the inverse of a square matrix."""
    if value.matrix and exponent == -1:
        need(is_square(value), f"an inverse is of a square matrix: {value.shape}")
        return value.mapped(torch.linalg.inv)
    return of_number(value, lambda data: data**exponent)


def is_square(value: Value) -> bool:
    return value.matrix and value.sides[0] == value.sides[1] != ANY


def fitted(value: Value, like: Value) -> Value:
    """An identity matrix, or a multiple of one, in the size of another matrix."""
    if value.sides != (ANY, ANY) or not is_square(like):
        return value
    eye = torch.eye(like.data.shape[-1], dtype=torch.float64)
    return Value(value.data * eye, value.indices, (*value.axes[:-2], *like.sides))


def transposed(value: Value) -> Value:
    need(value.matrix, "only a matrix can be transposed")
    rows, columns = value.sides
    return Value(value.data.mT, value.indices, (*value.axes[:-2], columns, rows))


def diagonal(value: Value) -> Value:
    """The square matrix with a column on its diagonal."""
    need(value.matrix and value.sides[1] == ONE, "diag takes a column")
    axes = (*value.axes[:-1], value.sides[0])
    return Value(torch.diag_embed(value.data.squeeze(-1)), value.indices, axes)


def trace(value: Value) -> Value:
    need(
        is_square(value),
        f"a trace is of a square matrix, not of {value.shape}",
    )
    data = value.data.diagonal(dim1=-2, dim2=-1).sum(-1)
    return Value(data, value.indices, value.axes[:-2])


def inner(left: Value, right: Value) -> Value:
    """The sum of the products of equal elements of two matrices."""
    need(
        left.matrix and right.matrix and ANY not in left.sides == right.sides,
        f"an inner product of shapes {left.shape} and {right.shape}",
    )
    axes = common_indices([left, right])
    products = left.over(tuple(axes)) * right.over(tuple(axes))
    return Value(products.sum((-2, -1)), tuple(axes), tuple(axes.values()))


def total(terms: list[tuple[str, Value]]) -> Value:
    """Terms added, or taken away where the sign is '-'."""
    axes = common_indices([value for _, value in terms])
    first = max((value for _, value in terms), key=lambda v: ANY not in v.sides)
    terms = [(sign, fitted(value, first)) for sign, value in terms]
    result = torch.zeros((), dtype=torch.float64)
    for sign, value in terms:
        need(
            value.matrix == first.matrix and value.sides == first.sides,
            f"a sum of shapes {first.shape} and {value.shape}",
        )
        data = value.over(tuple(axes))
        result = result - data if sign == "-" else result + data
    return shaped(result, axes, first)


def shaped(data: Tensor, axes: dict[str, str], like: Value) -> Value:
    """A value with these indices, and rows and columns as another has them."""
    sides = like.sides if like.matrix else ()
    return Value(data, tuple(axes), (*axes.values(), *sides))


def summed(value: Value, index: str, last: Value | None) -> Value:
    """The sum over all values of an index, of which ``last`` must be the last."""
    need(
        index in value.indices,
        f"the summation index {index} does not occur in what is summed",
    )
    position = value.indices.index(index)
    if last is not None:
        need(
            last.is_number and last.data == value.data.shape[position],
            f"the index {index} of the sum runs to {value.axes[position]}",
        )
    return Value(
        value.data.sum(position),
        value.indices[:position] + value.indices[position + 1 :],
        value.axes[:position] + value.axes[position + 1 :],
    )


def product(left: Value, right: Value, sign: str) -> Value:
    axes = common_indices([left, right])
    a, b = left.over(tuple(axes)), right.over(tuple(axes))
    sizes = {*left.sides, *right.sides}
    if left.matrix and right.matrix and sign != "⊙" and ANY in sizes:
        return shaped(a * b, axes, right if ANY in left.sides else left)
    if sign == "⊙":
        need(left.matrix and right.matrix, "⊙ needs two vectors or matrices")
        need(
            left.sides == right.sides,
            f"⊙ of shapes {left.shape} and {right.shape}",
        )
        return shaped(a * b, axes, left)
    if not left.matrix and not right.matrix:
        return shaped(a * b, axes, left)
    if not left.matrix:
        need(
            sign == "",
            "· stands between a number and a matrix; write no sign there",
        )
        return shaped(a[..., None, None] * b, axes, right)
    need(right.matrix, "a number stands behind a matrix; write it in front")
    need(
        left.sides[1] == right.sides[0],
        f"a product of shapes {left.shape} and {right.shape}",
    )
    sides = (left.sides[0], right.sides[1])
    if sides == (ONE, ONE):  # a row times a column is a number
        return Value((a @ b)[..., 0, 0], tuple(axes), tuple(axes.values()))
    return Value(a @ b, tuple(axes), (*axes.values(), *sides))

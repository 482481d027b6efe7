"""Derivatives, gradients and small changes of what stands in a model."""

from collections.abc import Callable
from itertools import permutations

import torch
from torch import Tensor

from .nodes import Derivative, EquationError, Node, Quantity
from .symbols import Place, describe
from .values import Value, need, taken, whole
from .world import derivatives


def as_quantity(node: Node) -> Quantity:
    if not isinstance(node, Quantity):
        raise EquationError("differentiate by a quantity of the model")
    return node


def jacobian(place: Place, of: Tensor, by: Tensor, node: Node) -> Tensor:
    """The derivatives of all elements by all elements, of.shape + by.shape."""
    found = place.model.jacobian(of, by)
    if found is None:
        raise EquationError(
            f"{describe(node)}: what is differentiated does not depend on it"
        )
    return found


def of_quantity(place: Place, node: Derivative) -> Value | None:
    """The derivative of a quantity whose indices name its elements, or the Jacobian of
    a vector; None where something else is differentiated."""
    of, by = node.of, as_quantity(node.by)
    causes, by_axes, _ = place.tensor(by)
    is_vector = not by.indices and causes.dim() > 0
    if not isinstance(of, Quantity) or not (of.indices or is_vector):
        return None
    if any(len(index) > 1 for index in of.indices + by.indices):
        return None  # i+k-1: element by element
    effects, of_axes, _ = place.tensor(of)
    matrix = jacobian(place, effects, causes, by)
    if is_vector:
        need(
            not of.indices and matrix.dim() == 2,
            "a Jacobian is of a whole vector by a whole vector",
        )
        return Value(matrix, (), (*of_axes, *by_axes))
    need(
        len(of.indices) == effects.dim() and len(by.indices) == causes.dim(),
        f"{describe(of)} by {describe(by)}: too few or too many indices",
    )
    return taken(matrix, (*of_axes, *by_axes), of.indices + by.indices)


def of_value(place: Place, value: Value, by: Quantity) -> Value:
    """The derivative of numbers by elements of a quantity, or by any number z."""
    need(
        not value.matrix,
        "only a number has derivatives by numbers, a vector by a vector,"
        " and a gradient ∇ by anything",
    )
    causes, axes, symbol = place.tensor(by)
    if (
        not by.indices and len(axes) == 2
    ):  # in the shape of the matrix, as a gradient
        return gradient(place, value, by)
    need(
        by.indices or not axes,
        "only a number has derivatives by numbers, a vector by a vector,"
        " and a gradient ∇ by anything",
    )
    matrix = jacobian(place, value.data, causes, by)
    if not axes:
        return Value(matrix, value.indices, value.axes)
    return place.picked(matrix, axes, by, symbol, value)


def gradient(place: Place, value: Value, by: Quantity) -> Value:
    need(not by.indices, "∇ takes a whole vector or matrix, without indices")
    need(value.is_number, "∇ is of one number")
    causes, axes, _ = place.tensor(by)
    need(axes, "∇ takes a vector or a matrix")
    return whole(jacobian(place, value.data, causes, by), axes)


def differentiated(
    function: Callable[[Tensor], Tensor],
) -> Callable[[Tensor], Tensor]:
    """The derivative of a function that works element by element."""

    def derivative(data: Tensor) -> Tensor:
        argument = data if data.requires_grad else data.detach().requires_grad_()
        (slopes,) = torch.autograd.grad(
            function(argument).sum(), argument, create_graph=True
        )
        return slopes

    return derivative


# Small changes. A cause is a change of any size and direction; an effect is what the
# causes change, to first order.


def key(place: Place, node: Quantity) -> tuple:
    layer = place.layer_of(node)
    return place.symbol(node).key, layer


def check_causes(place: Place, causes: tuple[Quantity, ...]) -> None:
    """Causes change by themselves: none depends on another."""
    for one, other in permutations(causes, 2):
        (effect, *_), (cause, *_) = place.tensor(one), place.tensor(other)
        need(
            key(place, one) == key(place, other)
            or derivatives(effect.sum(), cause) is None,
            f"{describe(one)} depends on {describe(other)}: they do not change"
            " independently",
        )


def single(place: Place, causes: tuple[Quantity, ...]) -> dict[str, str]:
    """The letters at causes that no sum binds, with what they count: for each of their
    values, one entry of the cause changes by itself."""
    found: dict[str, str] = {}
    for cause in causes:
        _, axes, _ = place.tensor(cause)
        for index, axis in zip(cause.indices, axes):
            if index.isalpha() and index not in place.bound:
                place.count(index, axis)
                found[index] = axis
    return found


def direction(place: Place, cause: Quantity, letters: dict[str, str]) -> Tensor:
    """The change of a cause by itself: of the entries that its indices name, where no
    sum binds them. It has a dimension in front for each of the letters."""
    tensor, _, symbol = place.tensor(cause)
    moved = place.model.direction(key(place, cause), tensor)
    sizes = [place.model.sizes[axis] for axis in letters.values()]
    moved = moved.expand(*sizes, *tensor.shape)
    for position, index in enumerate(cause.indices):
        if index in place.bound:
            continue
        dims = [len(sizes) + position]
        chosen = torch.eye(tensor.shape[position], dtype=torch.float64)
        if index in letters:
            dims.insert(0, list(letters).index(index))
        else:
            need(index.isdigit(), "an index of a cause is a letter or a number")
            first = symbol.first if position == 0 else None
            number = int(index) - (
                place.model.world.first if first is None else first
            )
            need(0 <= number < len(chosen), f"{describe(cause)}: no such entry")
            chosen = chosen[number]
        shape = [size if dim in dims else 1 for dim, size in enumerate(moved.shape)]
        moved = moved * chosen.reshape(shape)
    return moved


def directions(
    place: Place, causes: tuple[Quantity, ...], letters: dict[str, str]
) -> dict[tuple, tuple[Quantity, Tensor]]:
    """The causes with their changes; several entries of one quantity change together."""
    found: dict[tuple, tuple[Quantity, Tensor]] = {}
    for cause in causes:
        moved = direction(place, cause, letters)
        _, before = found.get(key(place, cause), (cause, moved))
        moved = torch.where(before == 0, moved, before)
        found[key(place, cause)] = cause, moved
    return found


def change(place: Place, node: Quantity, causes: tuple[Quantity, ...]) -> Value:
    """The change of a quantity: of a cause, or what the causes do to it."""
    tensor, axes, symbol = place.tensor(node)
    letters = single(place, causes)
    found = directions(place, causes, letters).get(key(place, node))
    moved = effect(place, tensor, causes).data if found is None else found[1]
    front = Value(moved, (*letters,), (*letters.values(),)) if letters else None
    return place.picked(moved, axes, node, symbol, front)


def effect(place: Place, tensor: Tensor, causes: tuple[Quantity, ...]) -> Value:
    """What the causes do to each number of a tensor."""
    letters = single(place, causes)
    moved = torch.zeros((), dtype=torch.float64)
    for cause, change in directions(place, causes, letters).values():
        by, *_ = place.tensor(cause)
        found = jacobian(place, tensor, by, cause)
        ours, theirs = (
            [*range(each.dim() - by.dim(), each.dim())] for each in (change, found)
        )
        moved = moved + torch.tensordot(change, found, (ours, theirs))
    return Value(moved, (*letters,), (*letters.values(),))

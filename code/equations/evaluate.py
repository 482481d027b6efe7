"""The value of a formula in a network, with its free indices and its shape."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor

from .networks import Network
from .nodes import (
    Derivative,
    Diagonal,
    Differential,
    Element,
    EquationError,
    Exponential,
    Fraction,
    Function,
    Gradient,
    Layer,
    Loss,
    Node,
    Number,
    Ones,
    Power,
    Product,
    Quantity,
    Root,
    Shape,
    Sum,
    SumOver,
    Transpose,
    Underbrace,
)


class Undefined(EquationError):
    """A symbol that does not exist at this layer."""


def need(condition, message):
    if not condition:
        raise EquationError(message)


@dataclass
class Value:
    """A number or a matrix for every value of the free indices.

    ``data`` has one dimension for each of ``indices``, in that order, and behind
    them rows and columns if the value is a matrix.
    """

    data: Tensor
    indices: tuple[str, ...] = ()
    matrix: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns; a number is a 1 × 1 matrix."""
        rows, columns = self.data.shape[-2:] if self.matrix else (1, 1)
        return rows, columns

    @property
    def is_number(self) -> bool:
        return not self.matrix and not self.indices

    def sizes(self) -> dict[str, int]:
        return dict(zip(self.indices, self.data.shape))

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


@dataclass
class Claim:
    """Two values that a label under a brace says are equal."""

    left: Value
    right: Value


class Evaluator:
    """Evaluates formulas in one network, for one layer ℓ.

    ``loss`` is what a loss without arguments stands for. ``weight`` is the entry
    that the letter w means: (parameter, layer, place); ``step`` the value of h.
    ``claims`` collects what labels under braces say.
    """

    def __init__(self, network: Network, ell: int | None, loss: Loss | None = None):
        self.network, self.ell, self.bare_loss = network, ell, loss
        self.weight: tuple[str, int, tuple] | None = None
        self.step: Tensor | None = None
        self.causes: list[Quantity] | None = None
        self.claims: list[Claim] = []

    def value(self, node: Node) -> Value:
        value = getattr(self, type(node).__name__.lower())(node)
        for index, size in value.sizes().items():
            need(index != "n", "n counts the samples; an index has another name")
            # Sizes differ, so the size of a dimension tells what it counts.
            need(
                self.network.n == 1 or (index == "s") == (size == self.network.n),
                f"index {index} counts {'units' if index == 's' else 'samples'};"
                " that of a sample is s, and no other",
            )
        return value

    # ------------------------------------------------------------ symbols

    def layer(self, layer: Layer) -> int:
        if layer.base == "ell":
            need(
                self.ell is not None, "ℓ stands here, but no range says which it is"
            )
            return self.ell + layer.offset
        base = self.network.L if layer.base == "L" else int(layer.base)
        return base + layer.offset

    def of_layer(self, values: list, node: Quantity):
        """The value of a layer's quantity, if the layer has one."""
        index = self.layer(node.layer)
        if not 0 <= index < len(values) or values[index] is None:
            raise Undefined(
                f"{describe(node)} does not exist for layer {index} of"
                f" {self.network.L} layers"
            )
        return values[index]

    def tensor(self, node: Quantity) -> Tensor:
        """All values of a quantity, as they stand in the graph of the network.

        1-D for a vector, 2-D for a matrix. A quantity of one sample that carries
        the index s has the samples in its first dimension. Vectors and matrices are
        bold; Greek ones need not be, as some fonts have no bold Greek.
        """
        tensor = self.symbol(node)
        need(
            node.bold
            or node.letter in ("delta", "Delta")
            or len(node.indices) >= tensor.dim(),
            f"{describe(node)} is a vector or a matrix, and not bold",
        )
        return tensor

    def symbol(self, node: Quantity) -> Tensor:
        """As `tensor`, in any font."""
        network, name = self.network, node.letter
        samples = node.indices[:1] == ("s",)
        need(
            not samples or name not in ("z", "y") or node.bold,
            f"an element of the batch is written {name.upper()}, with the index s",
        )
        places = {"in": ("z_in", "Z_in"), "out": ("z_out", "Z_out")}
        with_layer = name in ("W", "b", "z", "Z", "delta", "Delta", "G", "N", "r")
        if name in ("z", "r") and node.layer is None and node.part is None:
            with_layer = False
        need(
            with_layer == (node.layer is not None),
            f"'{name}' {'needs a' if with_layer else 'takes no'} layer",
        )
        has_part = name in ("z", "Z") and with_layer
        need(
            has_part == (node.part is not None),
            f"'{name}' {'needs' if has_part else 'takes no'} 'in' or 'out'",
        )
        match name:
            case "W":
                return self.of_layer(network.W, node)
            case "b":
                return self.of_layer(network.b, node)
            case "Z":
                return self.of_layer(getattr(network, places[node.part][1]), node)
            case "z" if with_layer:
                single, batch = places[node.part]
                return self.of_layer(
                    getattr(network, batch if samples else single), node
                )
            case "delta":
                if samples:
                    z_in = self.of_layer(network.Z_in, node)
                    return self.jacobian(network.sum_of_losses, z_in, node)
                z_in = self.of_layer(network.z_in, node)
                return self.jacobian(network.loss, z_in, node)
            case "Delta":
                z_in = self.of_layer(network.Z_in, node)
                return self.jacobian(network.loss_of_batch, z_in, node)
            case "G":
                self.of_layer(network.W, node)
                return network.contributions(self.layer(node.layer))
            case "N":
                sizes = [number(size) for size in network.sizes]
                return self.of_layer(sizes, node)
            case "r" if with_layer:
                return self.of_layer(network.glorot_bounds, node)
            case "x" | "X" | "Y":
                return getattr(network, name)
            case "y":
                return network.Y if samples else network.y
        return self.other(name, node)

    def other(self, name: str, node: Quantity) -> Tensor:
        """Quantities that belong to no layer."""
        network = self.network
        numbers = {
            "n": network.n,
            "K": network.K,
            "L": network.L,
            "eta": network.eta,
        }
        general = network.general
        sizes = {"p": "vector t", "r": "v", "q": "u"}
        if numbers.get(name) is not None:
            return number(numbers[name])
        if name in sizes:
            return number(len(general[sizes[name]]))
        if name == "z":
            return torch.linspace(-2.9, 3.1, 13, dtype=torch.float64)
        if name == "h" and self.step is not None:
            return self.step
        if name == "w" and self.weight is not None:
            parameter, layer, place = self.weight
            return getattr(network, parameter)[layer][place]
        if name == "t":
            return general["t" if not node.bold else "vector t"]
        if name in ("u", "v", "f"):
            return general[name]
        raise EquationError(f"unknown symbol '{name}'")

    def quantity(self, node: Quantity) -> Value:
        if node.letter == "z" and node.layer is None and node.part is None:
            need(not node.indices, "'z' needs a layer")
            return Value(self.symbol(node), ("z",))  # any number: some of them
        return picked(self.tensor(node), node)

    def number(self, node: Number) -> Value:
        return Value(number(float(node.text)))

    def ones(self, node: Ones) -> Value:
        return Value(torch.ones(self.network.n, 1, dtype=torch.float64), (), True)

    def shape(self, node: Shape) -> Value:
        raise EquationError("a shape stands among numbers")

    # ------------------------------------------------------------ losses

    def loss(self, node: Loss) -> Value:
        network = self.network
        need(node.word in (None, "MSE"), f"unknown loss '{node.word}'")
        if not node.arguments:
            need(node.word is None, "this loss needs its arguments")
            if self.weight is not None:
                return Value(network.loss_of_batch)
            if network.net_has_one_sample:
                return Value(network.loss)
            need(
                self.bare_loss is not None,
                "the text has not said what the loss without arguments stands for",
            )
            node = self.bare_loss
        if len(node.arguments) == 1:
            return self.moved_loss(node)
        labels, outputs = node.arguments
        if not (
            isinstance(labels, Quantity)
            and isinstance(outputs, Quantity)
            and (labels.letter, outputs.letter) in (("y", "z"), ("Y", "Z"))
            and outputs.part == "out"
            and outputs.layer is not None
        ):
            raise EquationError(
                "the arguments of the loss must be y and the outputs z of one sample,"
                " or Y and the outputs Z of the batch"
            )
        need(
            self.layer(outputs.layer) == network.L,
            f"the loss takes the outputs of layer L, not of layer {outputs.layer}",
        )
        self.tensor(labels), self.tensor(outputs)  # raise where they do not fit
        samples = labels.indices
        need(
            samples == outputs.indices and samples in ((), ("s",)),
            "the arguments of the loss must be of one sample or of the whole batch",
        )
        if node.word == "MSE":
            y, z = self.tensor(labels), self.tensor(outputs)
            need(not samples, "the mean squared error takes no index here")
            return Value(torch.nn.functional.mse_loss(z, y))
        if labels.letter == "Y":
            need(not samples, "the loss of the batch has no index")
            return Value(network.loss_of_batch)
        return Value(network.losses, ("s",)) if samples else Value(network.loss)

    def moved_loss(self, node: Loss) -> Value:
        """The loss as a function of one weight."""
        need(self.weight is not None, "a loss of one argument needs w")
        moved = self.value(node.arguments[0])
        need(not moved.indices and not moved.matrix, "w is one number")
        parameter, layer, place = self.weight
        loss = self.network.loss_moved(layer, parameter, place, moved.data)
        return Value(loss.detach())

    # ------------------------------------------------------------ calculus

    def jacobian(self, of: Tensor, by: Tensor, node: Node) -> Tensor:
        """As `derivatives`; those of lasting tensors are taken once."""
        if not {id(of), id(by)} <= self.network.lasting:
            return derivatives(of, by, node)
        known = self.network.jacobians
        if (id(of), id(by)) not in known:
            known[id(of), id(by)] = derivatives(of, by, node)
        return known[id(of), id(by)]

    def derivative(self, node: Derivative) -> Value:
        of, by = node.of, as_quantity(node.by)
        if by.letter == "w" and self.weight is not None:
            return self.derivative_by_weight(of)
        causes = self.tensor(by)
        is_vector = not by.indices and causes.dim() > 0
        if isinstance(of, Quantity) and (of.indices or is_vector):
            # All elements at once; then those that the indices name.
            effects = self.tensor(of)
            jacobian = self.jacobian(effects, causes, by)
            if is_vector:
                need(
                    not of.indices and jacobian.dim() == 2,
                    "a Jacobian is of a whole vector by a whole vector",
                )
                return Value(jacobian, (), True)
            need(
                len(of.indices) == effects.dim()
                and len(by.indices) == causes.dim(),
                f"{describe(of)} by {describe(by)}: too few or too many indices",
            )
            return taken(jacobian, of.indices + by.indices)
        value = self.value(of)
        need(
            not value.matrix and not is_vector,
            "only a number has derivatives by numbers, a vector by a vector,"
            " and a gradient ∇ by anything",
        )
        return picked(self.jacobian(value.data, causes, by), by, value.indices)

    def derivative_by_weight(self, of: Node) -> Value:
        parameter, layer, place = self.weight
        tensor = getattr(self.network, parameter)[layer]
        return Value(self.jacobian(self.value(of).data, tensor, of)[place])

    def gradient(self, node: Gradient) -> Value:
        by, of = as_quantity(node.by), self.value(node.of)
        need(not by.indices, "∇ takes a whole vector or matrix, without indices")
        need(of.is_number, "∇ is of one number")
        causes = self.tensor(by)
        need(causes.dim() > 0, "∇ takes a vector or a matrix")
        return whole(self.jacobian(of.data, causes, by))

    def differential(self, node: Differential) -> Value:
        """A cause is a change of any size and direction. An effect is what the
        causes change, to first order."""
        need(self.causes is not None, "a small change needs an equation around it")
        for one, other in permutations(self.causes, 2):
            need(
                self.key(one) == self.key(other)
                or not depends(self.tensor(one), self.tensor(other)),
                f"{describe(one)} depends on {describe(other)}: they do not change"
                " independently",
            )
        if isinstance(node.of, Quantity):
            tensor = self.tensor(node.of)
            key = self.key(node.of)
            if key in [self.key(cause) for cause in self.causes]:
                return picked(self.network.direction(key, tensor), node.of)
        else:
            tensor = self.value(node.of).data
        change = torch.zeros_like(tensor)
        for key, cause in {self.key(cause): cause for cause in self.causes}.items():
            by = self.tensor(cause)
            jacobian = self.jacobian(tensor, by, cause)
            direction = self.network.direction(key, by)
            change = change + torch.tensordot(jacobian, direction, by.dim())
        if isinstance(node.of, Quantity):
            return picked(change, node.of)
        return Value(change)

    def key(self, node: Quantity) -> tuple:
        layer = None if node.layer is None else self.layer(node.layer)
        return node.letter, node.bold and node.letter == "t", layer, node.part

    # ------------------------------------------------------------ functions

    def function(self, node: Function) -> Value:
        functions: dict[str, Callable[[Tensor], Tensor]]
        functions = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}
        if node.name == "sigma":
            symbol = Quantity(node.span, "sigma", node.layer)
            function = self.of_layer(self.network.activations, symbol)
        else:
            function = functions[node.name]
        argument = self.value(node.argument)
        for _ in range(node.primes):
            function = differentiated(function)
        return Value(function(argument.data), argument.indices, argument.matrix)

    def exponential(self, node: Exponential) -> Value:
        return self.of_number(node.exponent, torch.exp)

    def root(self, node: Root) -> Value:
        return self.of_number(node.radicand, torch.sqrt)

    def of_number(self, node: Node, function) -> Value:
        value = self.value(node)
        need(not value.matrix, "a number is needed here, not a matrix")
        return Value(function(value.data), value.indices)

    def power(self, node: Power) -> Value:
        return self.of_number(node.base, lambda data: data**node.exponent)

    def fraction(self, node: Fraction) -> Value:
        below = self.of_number(node.denominator, torch.reciprocal)
        above = self.of_number(node.numerator, lambda data: data)
        return product(above, below, "")

    def diagonal(self, node: Diagonal) -> Value:
        value = self.value(node.of)
        need(value.matrix and value.shape[1] == 1, "diag takes a column")
        return Value(torch.diag_embed(value.data.squeeze(-1)), value.indices, True)

    def transpose(self, node: Transpose) -> Value:
        value = self.value(node.of)
        need(value.matrix, "only a matrix can be transposed")
        return Value(value.data.mT, value.indices, True)

    def element(self, node: Element) -> Value:
        value = self.value(node.of)
        need(value.matrix, "only a matrix has elements")
        data, indices = value.data, node.indices
        if len(indices) == 1:
            need(value.shape[1] == 1, "an element of a matrix needs two indices")
            data = data.squeeze(-1)
        need(len(indices) <= 2, f"{len(indices)} indices at a matrix")
        return taken(data, (*value.indices, *indices))

    def underbrace(self, node: Underbrace) -> Value:
        value = self.value(node.body)
        if node.label is not None:
            self.claims.append(Claim(value, self.value(node.label)))
        return value

    # ------------------------------------------------------------ sums and products

    def sum(self, node: Sum) -> Value:
        values = [(sign, self.value(term)) for sign, term in node.terms]
        indices = common_indices([value for _, value in values])
        first = values[0][1]
        total = torch.zeros((), dtype=torch.float64)
        for sign, value in values:
            need(
                value.matrix == first.matrix and value.shape == first.shape,
                f"a sum of shapes {shown(first.shape)} and {shown(value.shape)}",
            )
            data = value.over(indices)
            total = total - data if sign == "-" else total + data
        return Value(total, indices, first.matrix)

    def product(self, node: Product) -> Value:
        result = self.value(node.factors[0])
        for factor in node.factors[1:]:
            result = product(result, self.value(factor), node.sign)
        return result

    def sumover(self, node: SumOver) -> Value:
        body = self.value(node.body)
        need(
            node.index in body.indices,
            f"the summation index {node.index} does not occur in what is summed",
        )
        position = body.indices.index(node.index)
        if node.last is not None:
            size, last = body.data.shape[position], self.value(node.last)
            need(
                last.is_number and last.data == size,
                f"the index {node.index} of the sum runs to {size}",
            )
        indices = body.indices[:position] + body.indices[position + 1 :]
        return Value(body.data.sum(position), indices, body.matrix)


def as_quantity(node: Node) -> Quantity:
    if not isinstance(node, Quantity):
        raise EquationError("differentiate by a quantity of the network")
    return node


def depends(of: Tensor, by: Tensor) -> bool:
    """Whether a change of one tensor changes the other."""
    if not (of.requires_grad and by.requires_grad):
        return False
    (gradient,) = torch.autograd.grad(
        of.sum(), by, retain_graph=True, allow_unused=True
    )
    return gradient is not None


def derivatives(of: Tensor, by: Tensor, node: Node) -> Tensor:
    """The derivatives of all elements by all elements, of.shape + by.shape, by
    automatic differentiation. ``node`` is what the message names."""
    gradients = []
    for element in of.reshape(-1):
        gradient = None
        if element.requires_grad and by.requires_grad:
            (gradient,) = torch.autograd.grad(
                element, by, retain_graph=True, create_graph=True, allow_unused=True
            )
        if gradient is None:
            raise EquationError(
                f"{describe(node)}: what is differentiated does not depend on it"
            )
        gradients.append(gradient)
    return torch.stack(gradients).reshape(of.shape + by.shape)


def number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def differentiated(function):
    """The derivative of a function that works element by element."""

    def derivative(data: Tensor) -> Tensor:
        argument = data if data.requires_grad else data.detach().requires_grad_()
        (slopes,) = torch.autograd.grad(
            function(argument).sum(), argument, create_graph=True
        )
        return slopes

    return derivative


def product(left: Value, right: Value, sign: str) -> Value:
    indices = common_indices([left, right])
    a, b = left.over(indices), right.over(indices)
    if sign == "⊙":
        need(left.matrix and right.matrix, "⊙ needs two vectors or matrices")
        need(
            left.shape == right.shape,
            f"⊙ of shapes {shown(left.shape)} and {shown(right.shape)}",
        )
        return Value(a * b, indices, True)
    if not left.matrix and not right.matrix:
        return Value(a * b, indices)
    if not left.matrix:
        need(
            sign == "",
            "· stands between a number and a matrix; write no sign there",
        )
        return Value(a[..., None, None] * b, indices, True)
    need(right.matrix, "a number stands behind a matrix; write it in front")
    need(
        left.shape[1] == right.shape[0],
        f"a product of shapes {shown(left.shape)} and {shown(right.shape)}",
    )
    data = a @ b
    if data.shape[-2:] == (1, 1):  # a row times a column is a number
        return Value(data[..., 0, 0], indices)
    return Value(data, indices, True)


def common_indices(values: list[Value]) -> tuple[str, ...]:
    """All indices, after a check that each ranges over one size."""
    sizes: dict[str, int] = {}
    for value in values:
        for index, size in value.sizes().items():
            need(
                sizes.setdefault(index, size) == size,
                f"index {index} runs to {sizes[index]} in one place"
                f" and to {size} in another",
            )
    return tuple(sizes)


def whole(tensor: Tensor) -> Value:
    """A number, a column or a matrix."""
    if tensor.dim() == 0:
        return Value(tensor)
    need(tensor.dim() <= 2, f"{tensor.dim()} indices are needed here")
    return Value(tensor.unsqueeze(1) if tensor.dim() == 1 else tensor, (), True)


def picked(tensor: Tensor, node: Quantity, before: tuple[str, ...] = ()) -> Value:
    """The elements that the indices of a quantity name.

    ``before`` names the dimensions in front of the quantity's own. Fewer indices
    than dimensions leave a row of a matrix, or the vector of one sample.
    """
    own, indices = tensor.dim() - len(before), node.indices
    if len(indices) == own:
        return taken(tensor, before + indices)
    if not indices and not before:
        return whole(tensor)
    need(
        len(indices) == 1 and own == 2 and not before,
        f"{describe(node)} has {len(indices)} indices; it needs {own}",
    )
    rows = taken(tensor, (*indices, None))
    if node.letter in ("z", "y", "delta"):  # vectors of one sample are columns
        return Value(rows.data.unsqueeze(-1), rows.indices, True)
    return Value(rows.data.unsqueeze(-2), rows.indices, True)


def taken(tensor: Tensor, indices: tuple[str | None, ...]) -> Value:
    """The tensor with its dimensions named. A number picks one element, an index
    that occurs twice the elements where both are equal; None keeps a dimension."""
    sizes: dict[str, int] = {}
    letters: dict[str | None, int] = {}
    subscripts = []
    for dimension, index in reversed(list(enumerate(indices))):
        if index is not None and index.isdigit():
            size = tensor.shape[dimension]
            need(1 <= int(index) <= size, f"index {index} of {size}")
            tensor = tensor.select(dimension, int(index) - 1)
    for dimension, index in enumerate(
        index for index in indices if index is None or not index.isdigit()
    ):
        if index is not None:
            size = tensor.shape[dimension]
            need(
                sizes.setdefault(index, size) == size,
                f"index {index} runs to {sizes[index]} in one place"
                f" and to {size} in another",
            )
        subscripts.append(letters.setdefault(index, len(letters)))
    data = torch.einsum(tensor, subscripts, list(letters.values()))
    return Value(data, tuple(sizes))


def describe(node: Node) -> str:
    """A quantity in words, for messages."""
    if not isinstance(node, Quantity):
        return "the loss" if isinstance(node, Loss) else type(node).__name__.lower()
    greek = {"delta": "δ", "Delta": "Δ", "sigma": "σ", "eta": "η"}
    layer = "" if node.layer is None else f"^({node.layer})"
    below = ",".join(filter(None, ("".join(node.indices), node.part)))
    return (
        greek.get(node.letter, node.letter) + layer + (f"_{below}" if below else "")
    )


def shown(shape: tuple[int, int]) -> str:
    return f"({shape[0]}, {shape[1]})"

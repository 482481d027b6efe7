"""A class under examination: its networks, parameters and gradients."""

import contextlib
import dis
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .calls import Caller, Trouble, is_missing
from .losses import Loss
from .missing import missing
from .problems import Gradients, Problem, loss_and_gradients

# The instructions of a function that does nothing, and the room that Python keeps behind them.
NOTHING = {"CACHE", "RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}


# By how much what is equal may differ after rounding, as a share of the largest number.
ROUNDING = {
    torch.float64: 1e-6,
    torch.float32: 1e-4,
    torch.float16: 2e-2,
    torch.bfloat16: 1e-1,
}


class Student:
    """A class under examination, with parameters of the given dtype.

    ``tolerance`` is that of the coarsest dtype in which it has computed so far;
    ``several`` says whether it computes gradients for several outputs, as far as that is
    known; ``problems`` are those on which it can be judged, once they have been found;
    ``notes`` what is to be said of a class that is right; ``part`` the one that alone is
    asked for; ``loss`` the one that the class should have.
    """

    def __init__(
        self, network_class: type, dtype: torch.dtype, caller: Caller, loss: Loss
    ):
        self.network_class, self.dtype, self.loss = network_class, dtype, loss
        self.call = caller.call
        self.caller = caller
        self.tolerance = ROUNDING[dtype]
        self.several = True
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.part: str | None = None

    @property
    def half(self) -> bool:
        return self.tolerance > 1e-2

    @property
    def coarse(self) -> bool:
        """Whether too little is left to tell formulas apart."""
        return self.tolerance > 5e-2

    @property
    def narrow(self) -> float:
        """For telling formulas apart, which may give numbers that are nearly equal."""
        exact = self.tolerance < 1e-5
        return self.tolerance / 10 if exact else self.tolerance

    def network(self, problem: Problem) -> Any:
        """A network with the parameters of a problem."""
        arguments = {
            "input_size": problem.sizes[0],
            "output_size": problem.K,
            "hidden_sizes": problem.hidden_sizes,
        }
        words = ", ".join(f"{name}={value}" for name, value in arguments.items())
        net = self.call(
            f"the constructor, called with {words},",
            problem,
            lambda: self.network_class(**arguments),
        )
        self.set_parameters(net, problem)
        return net

    def set_parameters(self, net: Any, problem: Problem) -> None:
        self.call("setting a parameter", problem, set_parameters, net, problem)

    def run(self, name: str, net: Any, problem: Problem) -> Any:
        """What forward, get_loss or backward returns for a problem's batch."""
        data = self.data(net, problem)
        given = [t.clone() for t in data]
        arguments = given[:1] if name == "forward" else given
        found = self.call(
            name, problem, self.method(name, net, problem), *arguments
        )
        for letter, before, after in zip("xy", data, given):
            if not torch.equal(before, after):
                raise Trouble(
                    "error",
                    f"{name} changes its argument {letter}. Whoever calls it goes on"
                    " with other data. Compute into a new tensor.",
                )
        return found

    def data(self, net: Any, problem: Problem) -> list[Tensor]:
        """The batch, as the methods of a network take it."""
        y = problem.y.squeeze(-1) if problem.K == 1 else problem.y
        dtype = self.call(
            "a layer", problem, lambda: linear_of(net, 0).weight.dtype
        )
        return [t.to(dtype, copy=True) for t in (problem.x, y)]

    def method(self, name: str, net: Any, problem: Problem) -> Callable:
        found = self.call(name, problem, lambda: getattr(net, name, None))
        if found is None:
            raise Trouble("unfilled", f"The class has no method {name} yet.")
        return filled(found)

    def tensor(self, name: str, value: Any) -> Tensor:
        """What a method returned, in float64."""
        if is_missing(value):
            raise Trouble(
                "unfilled", f"{name} returns nothing; it is not filled in yet."
            )
        if isinstance(value, float):
            value = torch.tensor(value)
        return self.copy(f"what {name} returns", value)

    def copy(self, name: str, value: Any) -> Tensor:
        """A copy in float64 of what should be an ordinary tensor of real numbers."""
        if not isinstance(value, Tensor):
            kind = type(value).__name__
        elif value.layout != torch.strided or value.is_complex():
            kind = f"{value.layout} tensor of {value.dtype}"
        else:
            self.tolerance = max(self.tolerance, ROUNDING.get(value.dtype, 0))
            return value.detach().clone().double()
        message = f"A tensor was expected, but {name} is of the type {kind}."
        raise Trouble("error", message)

    def parameters(self, net: Any, problem: Problem) -> Gradients:
        """Copies of all weights and biases; Trouble if one is missing."""
        return self.read(net, problem, "weight", "bias")

    def gradients(self, net: Any, problem: Problem) -> Gradients:
        """Copies of all gradients; Trouble if one is missing."""
        return self.read(net, problem, "weight_grad", "bias_grad")

    def read(self, net: Any, problem: Problem, one: str, other: str) -> Gradients:
        def read_one(linear: Any, name: str, number: int) -> Tensor | None:
            value = getattr(linear, name, None)
            if is_missing(value):
                return None
            return self.copy(f"{name} of layer {number}", value)

        def read_all() -> list[tuple[Tensor | None, Tensor | None]]:
            linears = [linear_of(net, k) for k in range(len(problem.weights))]
            return [
                (read_one(linear, one, number), read_one(linear, other, number))
                for number, linear in enumerate(linears, 1)
            ]

        found = self.call(f"reading a {one}", problem, read_all)
        if all(value is not None for pair in found for value in pair):
            return found
        trouble = Trouble("unfilled", missing(net, found, (one, other)))
        trouble.gradients = found
        raise trouble

    def backward(self, net: Any, problem: Problem) -> Gradients:
        """The gradients after a call of backward."""
        before = filled_so_far(net, problem)
        layers = list(getattr(net, "layers", ()))
        try:
            self.run("backward", net, problem)
        except Trouble as trouble:
            # A class may raise after filling some of them.
            with contextlib.suppress(Exception):
                trouble.gradients = [
                    (self.new(now[0], old[0]), self.new(now[1], old[1]))
                    for now, old in zip(filled_so_far(net, problem), before)
                ]
            raise
        now = list(net.layers)
        if len(now) != len(layers) or any(a is not b for a, b in zip(now, layers)):
            raise Trouble(
                "error",
                "backward changes the list of layers: "
                + (
                    f"of {len(layers)} layers, {len(now)} are left."
                    if len(now) != len(layers)
                    else "they are in another order."
                )
                + " Whoever"
                " calls the network next finds another one. Go through the layers without"
                " changing the list.",
            )
        return self.gradients(net, problem)

    def new(self, now: Any, before: Any) -> Tensor | None:
        """A gradient that a call has filled before it raised an error; zeros to which
        something should be added are not."""
        if now is before:
            return None
        found = self.copy("a gradient", now)
        return found if found.any() else None

    def set_right_gradients(self, net: Any, problem: Problem) -> Gradients:
        """Fill the gradients of a class that does not compute them."""
        _, right = loss_and_gradients(problem)

        def set_all():
            for index, (weight_grad, bias_grad) in enumerate(right):
                linear = linear_of(net, index)
                linear.weight_grad = weight_grad.to(linear.weight.dtype)
                linear.bias_grad = bias_grad.to(linear.weight.dtype)

        self.call("setting a gradient", problem, set_all)
        return self.gradients(net, problem)

    def equal(self, a: Tensor, b: Tensor, scale: float = 0.0) -> bool:
        """Whether two tensors have one shape and, up to rounding, equal numbers."""
        if a.shape != b.shape or not (a.isfinite().all() and b.isfinite().all()):
            return False
        scale = max([scale, *(t.abs().max().item() for t in (a, b) if t.numel())])
        return bool(((a - b).abs() <= self.tolerance * scale).all())

    def same(self, ours: Gradients, theirs: Gradients) -> bool:
        """Whether all gradients are equal, up to rounding."""
        numbers = [g.abs().max() for pair in theirs for g in pair if g.numel()]
        floor = 1e-3 * max(numbers).item()
        return len(ours) == len(theirs) and all(
            self.equal(a, b, floor)
            for pair, other in zip(ours, theirs)
            for a, b in zip(pair, other)
        )


def filled(function: Callable) -> Callable:
    """The function; Trouble if there is nothing in it."""
    code = getattr(function, "__code__", None)
    if code and {dis.opname[number] for number in code.co_code[::2]} <= NOTHING:
        raise Trouble("unfilled", f"{function.__name__} is not filled in yet.")
    return function


def filled_so_far(net: Any, problem: Problem) -> list[tuple[Any, Any]]:
    """What stands where the gradients belong."""
    found = []
    for k in range(len(problem.weights)):
        with contextlib.suppress(Exception):
            linear = net.layers[k].linear
            pair = (
                getattr(linear, name, None) for name in ("weight_grad", "bias_grad")
            )
            found.append(
                tuple(None if is_missing(value) else value for value in pair)
            )
    return found


def linear_of(net: Any, index: int) -> Any:
    """``net.layers[index].linear``; Trouble if there is no such thing."""
    layers = getattr(net, "layers", None)
    if is_missing(layers):
        raise Trouble("unfilled", "The network has no layers yet.")
    if not (hasattr(layers, "__len__") and hasattr(layers, "__getitem__")):
        raise Trouble("error", f"layers should be a list; it is a {type(layers)}.")
    linear = getattr(layers[index], "linear", None)
    if is_missing(linear):
        raise Trouble("unfilled", f"layers[{index}] has no linear yet.")
    return linear


def set_parameters(net: Any, problem: Problem) -> None:
    linear_of(net, 0)
    if len(net.layers) != len(problem.weights):
        raise Trouble(
            "error",
            f"The network has {len(net.layers)} layers for hidden sizes"
            f" {problem.hidden_sizes}; {len(problem.weights)} were expected.",
        )
    for index, values in enumerate(problem.parameters):
        for name, value in zip(("weight", "bias"), values):
            assign(linear_of(net, index), name, value, index + 1)


def assign(linear: Any, name: str, value: Tensor, number: int) -> None:
    """Set a parameter in place, so that other names for it see it too, and then by
    assignment, in case that does more."""
    parameter = getattr(linear, name, None)
    if is_missing(parameter):
        raise Trouble("unfilled", f"The {name} of layer {number} is still missing.")
    if not isinstance(parameter, Tensor):
        kind = type(parameter)
        raise Trouble(
            "error",
            f"The {name} of layer {number} is of the type {kind.__module__}."
            f"{kind.__name__}; a tensor was expected.",
        )
    if tuple(parameter.shape) != tuple(value.shape):
        raise Trouble(
            "error",
            f"The {name} of layer {number} has shape {tuple(parameter.shape)};"
            f" {tuple(value.shape)} was expected.",
        )
    value = value.to(parameter.dtype, copy=True)
    with contextlib.suppress(RuntimeError), torch.no_grad():
        value = parameter.copy_(value)
    try:
        setattr(linear, name, value)
    except AttributeError:
        if not torch.equal(getattr(linear, name), value):
            raise

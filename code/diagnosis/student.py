"""A class under examination: its networks, parameters and gradients."""

import contextlib
import dis
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .calls import Caller, Trouble, is_missing
from .problems import Gradients, Problem, loss_and_gradients

NOTHING = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}


class Student:
    """A class under examination, with parameters of the given dtype.

    ``single`` says whether it has computed in float32; ``several`` whether it computes
    gradients for several outputs, as far as that is known; ``problems`` are those on
    which it can be judged, once they have been found.
    """

    def __init__(self, network_class: type, dtype: torch.dtype, caller: Caller):
        self.network_class, self.dtype = network_class, dtype
        self.call = caller.call
        self.tolerance = 1e-6 if dtype == torch.float64 else 1e-4
        self.single = False
        self.several = True
        self.problems: list[Problem] = []

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
        y = problem.y.squeeze(-1) if problem.K == 1 else problem.y
        dtype = self.call(name, problem, lambda: net.layers[0].linear.weight.dtype)
        data = [t.to(dtype, copy=True) for t in (problem.x, y)]
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
            self.single |= value.dtype == torch.float32
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
        def read_one(linear: Any, name: str, number: int) -> Tensor:
            value = getattr(linear, name, None)
            if is_missing(value):
                text = f"{name} of layer {number} is still None, not filled in yet."
                raise Trouble("unfilled", text)
            return self.copy(f"{name} of layer {number}", value)

        def read_all() -> Gradients:
            linears = [linear_of(net, k) for k in range(len(problem.weights))]
            return [
                (read_one(linear, one, number), read_one(linear, other, number))
                for number, linear in enumerate(linears, 1)
            ]

        return self.call(f"reading a {one}", problem, read_all)

    def backward(self, net: Any, problem: Problem) -> Gradients:
        """The gradients after a call of backward."""
        try:
            self.run("backward", net, problem)
        except Trouble as trouble:
            # A class may raise after filling them.
            with contextlib.suppress(Trouble):
                trouble.gradients = self.gradients(net, problem)
            raise
        return self.gradients(net, problem)

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
        numbers = [gradient.abs().max() for pair in theirs for gradient in pair]
        floor = 1e-3 * max(numbers).item()
        return len(ours) == len(theirs) and all(
            self.equal(a, b, floor)
            for pair, other in zip(ours, theirs)
            for a, b in zip(pair, other)
        )


def filled(function: Callable) -> Callable:
    """The function; Trouble if there is nothing in it."""
    code = getattr(function, "__code__", None)
    if code is not None:
        names = {instruction.opname for instruction in dis.get_instructions(code)}
        if names <= NOTHING:
            raise Trouble("unfilled", f"{function.__name__} is not filled in yet.")
    return function


def linear_of(net: Any, index: int) -> Any:
    """``net.layers[index].linear``; Trouble if there is no such thing."""
    layers = getattr(net, "layers", None)
    if is_missing(layers):
        raise Trouble("unfilled", "The network has no layers yet.")
    if not isinstance(layers, Sequence):
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
    parameter = getattr(linear, name)
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

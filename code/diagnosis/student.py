"""Calls of the examined class, with a time limit, and what can go wrong in them."""

import contextlib
import dis
import linecache
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import time_limit
from .problems import Gradients, Problem, loss_and_gradients
from .steps import ShapeRecorder

SECONDS = 3.0  # for one call with a handful of samples
Shapes = Sequence[tuple[int, ...]]

NOTHING = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
OURS = Path(__file__).parent
TORCH = Path(torch.__file__).parent


class Trouble(Exception):
    """A part cannot be judged: it is 'unfilled', raises an 'error', or runs into the
    'timeout'. ``shapes`` are those that a failing operation of torch was given."""

    def __init__(self, status: str, message: str, shapes: Shapes = ()):
        super().__init__(message)
        self.status, self.shapes = status, shapes
        self.gradients: Gradients = []  # as far as they were filled before


def call(name: str, problem: Problem, function: Callable, *arguments: Any) -> Any:
    """What a function of the examined class returns; Trouble if it does not."""
    recorder = ShapeRecorder()

    def recorded():
        with recorder:
            return function(*arguments)

    try:
        return time_limit.call(recorded, seconds=SECONDS)
    except Trouble:
        raise
    except time_limit.TimeLimit as error:
        raise Trouble(
            "timeout",
            f"{name} did not end: {error}. Look for a loop whose condition never"
            " becomes false.",
        ) from error
    except BaseException as error:
        where = place(error)
        if isinstance(error, NotImplementedError):
            text = f"{where or name} is not filled in yet."
            raise Trouble("unfilled", text) from error
        first_line = (str(error).splitlines() or ["no text"])[0]
        text = f"{name} raises {type(error).__name__}: {first_line}"
        text += f"\nIt happens in {where}." if where else ""
        if recorder.shapes and isinstance(error, RuntimeError):
            text += "\n" + explain(recorder, problem)
            raise Trouble("error", text, recorder.shapes) from error
        raise Trouble("error", text) from error


def filled(function: Callable) -> Callable:
    """The function; Trouble if there is nothing in it."""
    code = getattr(function, "__code__", None)
    if code is not None:
        names = {instruction.opname for instruction in dis.get_instructions(code)}
        if names <= NOTHING:
            raise Trouble("unfilled", f"{function.__name__} is not filled in yet.")
    return function


def place(error: BaseException) -> str:
    """Line and text of the statement that failed, in code that is not a library's."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not {OURS, TORCH} & set(Path(frame.filename).parents)
    ]
    if not frames:
        return ""
    frame = frames[-1]
    line = linecache.getline(frame.filename, frame.lineno).strip()
    return f"{frame.name} (line {frame.lineno}{': ' + line if line else ''})"


def explain(recorder: ShapeRecorder, problem: Problem) -> str:
    """The shapes that did not fit, in symbols, and what would fit."""
    names = {N: f"N^({k})" for k, N in enumerate(problem.sizes) if N > 1}
    names[problem.n] = "n" if problem.n > 1 else "1"

    def symbols(shape: tuple[int, ...]) -> str:
        return "(" + ", ".join(names.get(size, str(size)) for size in shape) + ")"

    shapes = [shape for shape in recorder.shapes if shape]
    text = (
        f"The network has layers of sizes {', '.join(map(str, problem.sizes))}, the"
        f" batch n = {problem.n} samples. The shapes that met are "
        + " and ".join(f"{shape}, which is {symbols(shape)}" for shape in shapes)
        + "."
    )
    if len(shapes) < 2:
        return text
    first = shapes[0]
    if "matmul" in recorder.operation or recorder.operation in ("mm", "mv", "dot"):
        columns = names.get(first[-1], str(first[-1]))
        text += (
            f" The second should have as many rows as the first columns, {columns}."
        )
    elif recorder.operation in ("__setitem__", "copy_"):
        text += f" {symbols(first)} was expected."
    else:
        text += " Equal shapes were expected."
    return text


class Student:
    """A class under examination, with parameters of the given dtype."""

    def __init__(self, network_class: type, dtype: torch.dtype):
        self.network_class, self.dtype = network_class, dtype
        self.tolerance = 1e-6 if dtype == torch.float64 else 1e-4

    def network(self, problem: Problem) -> Any:
        """A network with the parameters of a problem."""
        net = call(
            "the constructor",
            problem,
            lambda: self.network_class(
                input_size=problem.sizes[0],
                output_size=problem.K,
                hidden_sizes=problem.hidden_sizes,
            ),
        )
        call("an assignment to a parameter", problem, set_parameters, net, problem)
        return net

    def data(self, net: Any, problem: Problem) -> tuple[Tensor, Tensor]:
        """Samples, and labels in the shape of the predictions, in the network's type."""
        like = net.layers[0].linear.weight
        y = problem.y.squeeze(-1) if problem.K == 1 else problem.y
        return problem.x.to(like.dtype), y.to(like.dtype)

    def parameters(self, net: Any, problem: Problem) -> Gradients:
        """Copies of all weights and biases; Trouble if one is missing."""
        return call("a parameter", problem, read_all, net, ("weight", "bias"))

    def gradients(self, net: Any, problem: Problem) -> Gradients:
        """Copies of all gradients; Trouble if one is missing."""
        names = ("weight_grad", "bias_grad")
        return call("a gradient", problem, read_all, net, names)

    def backward(self, net: Any, problem: Problem) -> Gradients:
        """The gradients after a call of backward."""
        x, y = self.data(net, problem)
        try:
            call("backward", problem, filled(net.backward), x, y)
        except Trouble as trouble:
            with contextlib.suppress(
                Trouble
            ):  # a class may raise after filling them
                trouble.gradients = self.gradients(net, problem)
            raise
        return self.gradients(net, problem)

    def set_right_gradients(self, net: Any, problem: Problem) -> Gradients:
        """Fill the gradients of a class that does not compute them."""
        _, right = loss_and_gradients(
            problem.weights, problem.biases, problem.x, problem.y
        )

        def set_all():
            for layer, (weight_grad, bias_grad) in zip(net.layers, right):
                like = layer.linear.weight
                layer.linear.weight_grad = weight_grad.to(like.dtype)
                layer.linear.bias_grad = bias_grad.to(like.dtype)

        call("an assignment to a gradient", problem, set_all)
        return self.gradients(net, problem)

    def equal(self, a: Tensor, b: Tensor, scale: float = 0.0) -> bool:
        """Whether two tensors have one shape and, up to rounding, equal numbers."""
        if a.shape != b.shape:
            return False
        scale = max([scale, *(t.abs().max().item() for t in (a, b) if t.numel())])
        return bool(((a - b).abs() <= self.tolerance * scale).all())

    def same(self, ours: Gradients, theirs: Gradients) -> bool:
        """Whether all gradients are equal, up to rounding."""
        numbers = [gradient.abs().max() for pair in theirs for gradient in pair]
        floor = 1e-3 * max(numbers).item()
        return all(
            self.equal(a, b, floor)
            for pair, other in zip(ours, theirs)
            for a, b in zip(pair, other)
        )


def set_parameters(net: Any, problem: Problem) -> None:
    layers = getattr(net, "layers", None)
    if layers is None or layers is ...:
        raise Trouble("unfilled", "layers of the network is not filled in yet.")
    if len(layers) != len(problem.weights):
        raise Trouble(
            "error",
            f"The network has {len(layers)} layers for hidden sizes"
            f" {problem.hidden_sizes}; {len(problem.weights)} were expected.",
        )
    for number, (layer, values) in enumerate(
        zip(layers, problem.parameters), start=1
    ):
        for name, value in zip(("weight", "bias"), values):
            assign(layer.linear, name, value, number)


def assign(linear: Any, name: str, value: Tensor, number: int) -> None:
    """Set a parameter in place, so that other names for it see it too; where that is
    not possible, by assignment."""
    before = read(linear, name, number)
    if before.shape != value.shape:
        raise Trouble(
            "error",
            f"The {name} of layer {number} has shape {tuple(before.shape)};"
            f" {tuple(value.shape)} was expected.",
        )
    parameter = getattr(linear, name)
    value = value.to(parameter.dtype)
    with contextlib.suppress(RuntimeError), torch.no_grad():
        parameter.copy_(value)
    if not torch.equal(read(linear, name, number), value.double()):
        setattr(linear, name, value)


def read_all(net: Any, names: tuple[str, str]) -> Gradients:
    first, second = names
    return [
        (read(layer.linear, first, number), read(layer.linear, second, number))
        for number, layer in enumerate(net.layers, start=1)
    ]


def read(linear: Any, name: str, number: int) -> Tensor:
    """A copy of a parameter or gradient, in float64."""
    value = getattr(linear, name, None)
    if value is None or value is ...:
        raise Trouble("unfilled", f"{name} of layer {number} is not filled in yet.")
    if not isinstance(value, Tensor):
        raise Trouble(
            "error",
            f"{name} of layer {number} is of the type {type(value).__name__}; a tensor"
            " was expected.",
        )
    return value.detach().clone().double()

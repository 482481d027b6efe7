"""Calls of a student's code: with a time limit, and what can go wrong in words."""

import linecache
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import time_limit
from .problems import Gradients, Problem
from .steps import ShapeRecorder

SECONDS = 4.5  # for all calls of a diagnosis together

Shapes = Sequence[tuple[int, ...]]

# Whose frames in a traceback are not the student's: the book's packages and Python's.
OTHERS = {Path(__file__).parents[1], Path(sys.prefix), Path(sys.base_prefix)}

MATRIX_PRODUCTS = {"matmul", "__matmul__", "__rmatmul__", "mm", "mv", "bmm", "dot"}
ASSIGNMENTS = {"__setitem__", "copy_"}
ELEMENT_BY_ELEMENT = {
    name
    for operation in ("add", "sub", "mul", "div", "true_divide", "rsub")
    for name in (
        operation,
        f"{operation}_",
        f"__{operation}__",
        f"__i{operation}__",
    )
}


def is_missing(value: Any) -> bool:
    """Whether a value is what stands where something is still to be written."""
    return value is None or value is ...


class Trouble(Exception):
    """A part cannot be judged: it is 'unfilled', raises an 'error', or runs into the
    'timeout'. ``shapes`` are those that a failing operation of torch was given."""

    def __init__(self, status: str, message: str, shapes: Shapes = ()):
        super().__init__(message)
        self.status, self.shapes = status, shapes
        self.gradients: Gradients = []  # as far as they were filled before


class Caller:
    """Calls functions until the time is up."""

    def __init__(self) -> None:
        self.end = time.monotonic() + SECONDS

    def call(
        self, name: str, problem: Problem, function: Callable, *arguments: Any
    ) -> Any:
        """What the function returns; Trouble if it does not return."""
        recorder = ShapeRecorder()

        def recorded():
            with recorder:
                return function(*arguments)

        left = max(self.end - time.monotonic(), 0.01)
        try:
            return time_limit.call(recorded, seconds=left)
        except Trouble:
            raise
        except time_limit.TimeLimit as error:
            text = (
                f"{name} did not return in time, though the network and the batch are"
                " tiny. Either a loop does not end, or a step waits or is very slow."
            )
            raise Trouble("timeout", text) from error
        except BaseException as error:
            raise trouble(name, problem, error, recorder) from error


def trouble(
    name: str, problem: Problem, error: BaseException, recorder: ShapeRecorder
) -> Trouble:
    """What an error in a student's code means."""
    where, is_theirs = place(error)
    text = first_line(error)
    if (isinstance(error, NotImplementedError) and is_theirs) or (
        isinstance(error, TypeError) and "ellipsis" in text
    ):
        return Trouble("unfilled", f"{where or name} is not filled in yet.")
    message = f"{name} raises {type(error).__name__}{': ' + text if text else '.'}"
    message += f"\nIt happens in {where}." if where else ""
    if recorder.shapes and isinstance(error, RuntimeError):
        explanation = explain(recorder, problem)
        message += f"\n{explanation}" if explanation else ""
        return Trouble("error", message, recorder.shapes)
    return Trouble("error", message)


def first_line(error: BaseException) -> str:
    try:
        return (str(error).splitlines() or [""])[0][:300]
    except Exception as other:  # noqa: BLE001  (the text, too, may be a student's code)
        return f"(its text raises {type(other).__name__})"


def place(error: BaseException) -> tuple[str, bool]:
    """The last line of the student's code that ran, and whether it raised the error."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [
        frame
        for frame in frames
        if not frame.filename.startswith("<frozen")
        and not OTHERS & set(Path(frame.filename).parents)
    ]
    if not theirs:
        return "", False
    frame = theirs[-1]
    line = linecache.getline(frame.filename, frame.lineno).strip()
    text = f"{frame.name} (line {frame.lineno}{': ' + line if line else ''})"
    return text, frame is frames[-1]


def explain(recorder: ShapeRecorder, problem: Problem) -> str:
    """The shapes that did not fit, in symbols, and what would fit; empty if it was not
    the shapes."""
    names = {N: f"N^({k})" for k, N in enumerate(problem.sizes) if N > 1}
    names[problem.n] = "n" if problem.n > 1 else "1"

    def symbols(shape: tuple[int, ...]) -> str:
        return "(" + ", ".join(names.get(size, str(size)) for size in shape) + ")"

    shapes = [shape for shape in recorder.shapes if shape]
    if len(shapes) != 2 or shapes[0] == shapes[1]:
        return ""
    first, second = shapes
    text = (
        f"The network has layers of sizes {', '.join(map(str, problem.sizes))}, the"
        f" batch n = {problem.n} samples. The shapes that met are {first}, which is"
        f" {symbols(first)}, and {second}, which is {symbols(second)}."
    )
    if recorder.operation in MATRIX_PRODUCTS:
        text += (
            " A product needs as many rows in the second as there are columns in the"
            f" first, {names.get(first[-1], first[-1])}."
        )
    elif recorder.operation in ASSIGNMENTS:
        text += f" {symbols(first)} was expected."
    elif recorder.operation in ELEMENT_BY_ELEMENT:
        text += " Equal shapes were expected."
    return text

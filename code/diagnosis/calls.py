"""Calls of a student's code: with a time limit, and what can go wrong in words."""

import linecache
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

from torch import Tensor

from .by_hand import Watcher, is_theirs
from .problems import Problem
from .recorder import ELEMENT_BY_ELEMENT, MATRIX_PRODUCTS, ShapeRecorder
from .time_limit import TimeLimit, Worker

SECONDS = 5.0  # for a diagnosis, without what is imported during it

TOO_SLOW = (
    "Nothing wrong was found, but this class is too slow to try everything. On networks as"
    " tiny as these, a call should take milliseconds. Does a loop go through single"
    " numbers, or does a step wait?"
)

Shapes = Sequence[tuple[int, ...]]


def is_missing(value: Any) -> bool:
    """Whether a value is what stands where something is still to be written."""
    return value is None or value is ...


class Trouble(Exception):
    """A part cannot be judged: it is 'unfilled', raises an 'error', or runs into the
    'timeout'. ``shapes`` are those of the ``operands`` that a failing ``operation`` of torch
    was given.
    ``slow`` is set where no call is at fault, but all together took too long."""

    def __init__(self, status: str, message: str, slow: bool = False):
        super().__init__(message)
        self.status, self.slow = status, slow
        self.shapes: Shapes = ()
        self.operation = ""
        self.operands: list[Tensor] = []
        # What else to say, once other networks have been tried: it takes the sizes that
        # are the same in all.
        self.explain: Callable[[Sequence[int]], str] | None = None
        self.fixed: Sequence[int] = ()
        # as far as they were filled before, None where not
        self.gradients: list[tuple[Tensor | None, Tensor | None]] = []

    def __str__(self) -> str:
        explanation = self.explain(self.fixed) if self.explain else ""
        return "\n".join(filter(None, [super().__str__(), explanation]))


class Caller:
    """Calls functions until the time is up. ``batches`` are the numbers of samples of
    the calls so far; a ``watcher`` sees who does the work in them.

    No class is called right before everything was tried. Once something wrong is known,
    and it `is_late`, the rest of the time is for the explanation."""

    def __init__(self, watcher: Watcher | None = None) -> None:
        self.watcher = watcher
        self.worker = Worker()
        self.end = time.monotonic() + SECONDS
        self.batches: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.end()

    @property
    def is_late(self) -> bool:
        return self.left < SECONDS / 2

    @property
    def left(self) -> float:
        return self.end - time.monotonic()

    def call(
        self, name: str, problem: Problem, function: Callable, *arguments: Any
    ) -> Any:
        """What the function returns; Trouble if it does not return."""
        recorder = ShapeRecorder()

        def recorded():
            with recorder:
                if self.watcher:
                    return self.watcher.run(name, lambda: function(*arguments))
                return function(*arguments)

        if self.left < SECONDS / 4:
            raise Trouble("timeout", TOO_SLOW, slow=True)
        if problem.n not in self.batches:
            self.batches.append(problem.n)
        try:
            started = time.monotonic()
            importing: list[float] = []
            try:
                return self.worker.call(
                    recorded, min(SECONDS, self.left), importing
                )
            finally:  # what is imported at the first use is imported once
                if importing:
                    self.end += time.monotonic() - started
        except Trouble:
            raise
        except TimeLimit as error:
            text = (
                f"{name} did not return in time, though the network and the batch are"
                " tiny. Either a loop does not end, or a step waits or is very slow."
            )
            raise Trouble("timeout", text) from error
        except BaseException as error:
            raise trouble(name, problem, error, recorder, self.batches) from error


def trouble(
    name: str,
    problem: Problem,
    error: BaseException,
    recorder: ShapeRecorder,
    batches: Sequence[int],
) -> Trouble:
    """What an error in a student's code means."""
    where, is_theirs = place(error)
    text = first_line(error)
    if (isinstance(error, NotImplementedError) and is_theirs) or (
        isinstance(error, TypeError) and "ellipsis" in text
    ):
        return Trouble("unfilled", f"{where or name} is not filled in yet.")
    name = f"{name[0].upper()}{name[1:]}" if " " in name else name
    message = f"{name} raises {type(error).__name__}{': ' + text if text else '.'}"
    message += f"\nIt happens in {where}." if where else ""
    if isinstance(error, ValueError | LookupError):
        message += f"\n{network(problem)}"
    found = Trouble("error", message)
    found.shapes = recorder.shapes
    found.operation, found.operands = recorder.operation, recorder.operands
    if isinstance(error, RuntimeError):
        found.explain = partial(explain, recorder, problem, tuple(batches))
    return found


def network(problem: Problem) -> str:
    """The network in which something was seen."""
    sizes, count = ", ".join(map(str, problem.sizes)), len(problem.weights)
    number = {1: "one layer", 2: "two layers", 3: "three layers"}.get(
        count, f"{count} layers"
    )
    return (
        f"The network has {number}, of sizes {sizes} (the input first), and the batch"
        f" n = {problem.n} sample{'s' * (problem.n > 1)}."
    )


def first_line(error: BaseException) -> str:
    try:
        return (str(error).splitlines() or [""])[0][:300]
    except Exception as other:  # noqa: BLE001  (the text, too, may be a student's code)
        return f"(its text raises {type(other).__name__})"


def place(error: BaseException) -> tuple[str, bool]:
    """The last line of the student's code that ran, and whether it raised the error."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if is_theirs(frame.filename)]
    if not theirs:
        return "", False
    frame = theirs[-1]
    line = linecache.getline(frame.filename, frame.lineno).strip()
    text = f"{frame.name} (line {frame.lineno}{': ' + line if line else ''})"
    return text, frame is frames[-1]


def explain(
    recorder: ShapeRecorder,
    problem: Problem,
    batches: Sequence[int],
    fixed: Sequence[int],
) -> str:
    """The shapes that did not fit, in symbols, and what would fit; empty if it was not
    the shapes. Sizes that are ``fixed`` are the same in all networks."""
    shapes = [shape for shape in recorder.shapes if shape]
    if len(shapes) != 2:
        return ""
    met = [f"{shape}{symbols(shape, problem, fixed)}" for shape in shapes]
    text = f"{network(problem)} The shapes that met are {met[0]}, and {met[1]}."
    sizes = {size for shape in shapes for size in shape}
    known = {problem.n, *problem.sizes}
    early = [size for size in batches if size in sizes - known]
    if early:
        return (
            f"{text} {early[0]} is the number of samples of an earlier call: something that"
            " was computed then is used again."
        )
    if fixed:
        numbers = " and ".join(map(str, fixed))
        return f"{text} {numbers} is met in every network: a fixed number of your code."
    first, second = shapes
    if 1 < problem.n not in problem.sizes and (problem.n, problem.n) in shapes:
        text += (
            " (n, n) comes of a column, (n, 1), and something flat, (n,), which torch"
            " repeats against each other."
        )
    if recorder.operation in MATRIX_PRODUCTS:
        if first == second:
            text += (
                " Two equal shapes fit no matrix product, unless they are square. Was the"
                " product element by element, ⊙, meant?"
            )
        elif first[-1] != second[0]:
            text += (
                " A product needs as many rows in the second as there are columns in the"
                f" first, {first[-1]}."
            )
    elif recorder.operation in ELEMENT_BY_ELEMENT:
        text += " Equal shapes were expected."
    return text


def symbols(shape: tuple[int, ...], problem: Problem, fixed: Sequence[int]) -> str:
    """What the sizes of a shape are in this network, if that may be said."""
    names = {N: f"N^({k})" for k, N in enumerate(problem.sizes) if N > 1}
    names[problem.n] = "n" if problem.n > 1 else "1"
    names = {size: name for size, name in names.items() if size not in fixed}
    named = [names.get(size, str(size)) for size in shape]
    return (
        f", which is ({', '.join(named)})"
        if set(shape) & names.keys() - {1}
        else ""
    )

"""Watch who does the work of a class: its own code, a package, or automatic differentiation."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from .time_limit import settle

# Whose code is not the student's: the book's packages and Python's.
OTHERS = {Path(__file__).parents[1], Path(sys.prefix), Path(sys.base_prefix)}

# Through these functions of torch goes all automatic differentiation, in reverse and in
# forward mode.
AUTOGRAD = {"run_backward", "_enter_dual_level"}
LOSSES = {"mse_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"}
# The methods of a network that do the work of a call.
METHODS = {
    "forward": {"forward", "forward_pass"},
    "forward_pass": {"forward_pass"},
    "get_loss": {"get_loss", "loss"},
    "the loss's gradient": {"loss_gradient"},
    "backward": {"backward", "backward_pass", "output_delta"},
    "apply_gradients": {"apply_gradients", "descend"},
}
# What of a class is called where one of its parts is checked.
CALLS = {
    "forward": ("forward", "forward_pass"),
    "loss": ("get_loss", "the loss's gradient"),
    "backward": ("backward",),
    "update": ("apply_gradients",),
    "train": ("train",),
}


@cache
def is_theirs(file: str) -> bool:
    """Whether code in a file is a student's."""
    return not file.startswith("<frozen") and not OTHERS & set(Path(file).parents)


@dataclass
class Watcher:
    """Notes, call by call, what does the work in place of the student's own code."""

    taken: dict[str, list[str]] = field(default_factory=dict)

    def run(self, name: str, function: Callable) -> Any:
        """What the function returns, watched in this thread."""
        watch = Watch(name, self.taken.setdefault(name, []))
        settle()
        sys.setprofile(watch)
        try:
            return function()
        finally:
            if sys.getprofile() is not watch:
                watch.taken.append("something that cannot be watched")
            sys.setprofile(None)

    def of_part(self, part: str) -> list[str]:
        found = [text for call in CALLS[part] for text in self.taken.get(call, [])]
        return list(dict.fromkeys(found))


@dataclass(eq=False)
class Watch:
    """One call. A package's method may call the student's, which does the work then;
    ``open`` are those that have not done so yet."""

    name: str
    taken: list[str]
    open: list[FrameType] = field(default_factory=list)

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            if self.name != "train" and argument.__name__ in AUTOGRAD:
                self.taken.append(f"automatic differentiation{where(frame)}")
        elif event == "call" and self.does_work(frame):
            if is_theirs(frame.f_code.co_filename):
                self.open.clear()
            else:
                self.open.append(frame)
        elif event == "return" and frame in self.open:
            self.open.remove(frame)
            self.taken.append(f"{title(frame)}{where(frame)}")

    def does_work(self, frame: FrameType) -> bool:
        code = frame.f_code
        of_loss = self.name in ("get_loss", "the loss's gradient")
        if of_loss and code.co_name in LOSSES:
            return not is_theirs(code.co_filename)
        if self.name == "train":
            return code.co_name == "train" and "torch" not in package(frame)
        names = METHODS.get(self.name, set())
        if code.co_name not in names and not of_loss or not code.co_argcount:
            return False
        owner = frame.f_locals.get(code.co_varnames[0])
        if code.co_name in names and hasattr(owner, "layers"):
            return True
        return code.co_name in ("forward", "gradient") and hasattr(
            owner, "gradient"
        )


def package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def title(frame: FrameType) -> str:
    return f"{frame.f_code.co_qualname} of {package(frame)}"


def where(frame: FrameType | None) -> str:
    """The line of the student's code from which this is called, if there is one."""
    while frame and not is_theirs(frame.f_code.co_filename):
        frame = frame.f_back
    return (
        f", called in {frame.f_code.co_name} (line {frame.f_lineno})"
        if frame
        else ""
    )

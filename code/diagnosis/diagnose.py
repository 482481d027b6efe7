"""The diagnosis of a network class, part by part."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch

from .gradients import check_backward
from .predictions import check_forward, check_loss, suitable
from .report import Diagnosis
from .student import Student, Trouble
from .updates import check_train, check_update

PARTS: dict[str, Callable] = {
    "forward": check_forward,
    "loss": check_loss,
    "backward": check_backward,
    "update": check_update,
    "train": check_train,
}


def diagnose(
    network_class: type, part: str | None = None, train: Callable | None = None
) -> Diagnosis:
    """Say what is wrong in a class that implements the network of this book.

    The class has the constructor, the methods and the parameters of
    `backprop.NeuralNetwork`; nothing else of it is used. ``part`` is 'forward', 'loss',
    'backward', 'update' or 'train'; if None, the parts are checked in this order, up to
    the first that is not right. ``train`` is a function like `backprop.train`; without
    one, training is not checked.

    The class is tried on small networks with random parameters, and its gradients are
    compared with those of automatic differentiation. What it prints is not shown.
    Raises TypeError or ValueError for unusable arguments. Chapter ``mistakes``.
    """
    if not isinstance(network_class, type):
        raise TypeError(
            "network_class must be the class itself, such as NeuralNetwork; got"
            f" {network_class!r}. Pass it without parentheses."
        )
    if part not in (None, *PARTS):
        raise ValueError(f"part must be one of {', '.join(PARTS)}; got {part!r}.")
    if part == "train" and train is None:
        raise ValueError("part is 'train', so pass the function too: train=train.")
    parts = [part] if part else [p for p in PARTS if p != "train" or train]
    found = examine(network_class, torch.float64, parts, train)
    if found.status in ("wrong", "error") and not found.mistake:
        # A class may be right in float32 only.
        again = examine(network_class, torch.float32, parts, train)
        if again.ok or found.status == "error":
            return again
    return found


def examine(
    network_class: type,
    dtype: torch.dtype,
    parts: list[str],
    train: Callable | None,
) -> Diagnosis:
    """The first part that is not right, or that all are."""
    student = Student(network_class, dtype)
    with surroundings_kept(dtype):
        for part in parts:
            found = examine_part(student, part, train)
            if found is None:
                continue
            wrong = found.status != "unfilled" and part != "forward"
            if wrong and examine_part(student, "forward"):
                text = "\nforward is not right yet. Look at it first."
                found = replace(found, message=found.message + text)
            return found
        several = any(problem.K > 1 for problem in suitable(student))
    text = f"Right, as far as was checked: {', '.join(parts)}."
    if not several:
        text += (
            " Only networks with one output were checked, because this class does not"
            " make the predictions of several."
        )
    return Diagnosis("right", text)


def examine_part(
    student: Student, part: str, train: Callable | None = None
) -> Diagnosis | None:
    try:
        return (
            check_train(student, train) if part == "train" else PARTS[part](student)
        )
    except Trouble as trouble:
        return Diagnosis(trouble.status, str(trouble), part)


@contextlib.contextmanager
def surroundings_kept(dtype: torch.dtype) -> Iterator[None]:
    """A default dtype for new networks, and no output; all is then as it was."""
    before = torch.get_default_dtype()
    with (
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        torch.random.fork_rng(devices=[]),
        torch.inference_mode(False),
        torch.enable_grad(),
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        torch.set_default_dtype(dtype)
        try:
            yield
        finally:
            torch.set_default_dtype(before)

"""The diagnosis of a network class, part by part."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch

from .by_hand import Watcher
from .calls import Caller, Trouble
from .check_backward import check_backward
from .check_forward import check_forward, suitable
from .check_loss import check_loss
from .check_update import check_train, check_update
from .losses import LOSSES
from .report import Diagnosis
from .student import Student

PARTS: dict[str, Callable] = {
    "forward": check_forward,
    "loss": check_loss,
    "backward": check_backward,
    "update": check_update,
    "train": check_train,
}

# What else has to be right before a part can be.
NEEDS = {
    "forward": [],
    "loss": ["forward"],
    "backward": ["forward"],
    "update": [],
    "train": ["forward", "backward", "update"],
}

# What a part is written from.
EQUATIONS = {
    "forward": ("eq-batch-pre-activation", "eq-batch-output"),
    "loss": ("eq-loss-batch", "eq-loss-gradient"),
    "backward": (
        "eq-batch-output-delta",
        "eq-batch-weights",
        "eq-batch-biases",
        "eq-batch-hidden-delta",
    ),
    "update": ("eq-update-weights", "eq-update-biases"),
    "train": ("eq-update-weights",),
}


NOT_EITHER = (
    "apply_gradients is not right either. With part='update', diagnose says what is wrong"
    " there."
)


def diagnose(
    network_class: type,
    part: str | None = None,
    train: Callable | None = None,
    by_hand: bool = False,
    loss: str = "squared error",
) -> Diagnosis:
    """Say what is wrong in a class that implements the network of this book.

    The class has the constructor, the methods and the parameters of
    `backprop.NeuralNetwork`; nothing else of it is used. Its ``loss`` is the 'squared
    error', or the 'cross-entropy' of the sigmoid at the output, a mean over samples and
    outputs as well. ``part`` is 'forward', 'loss',
    'backward', 'update' or 'train'; if None, the parts are checked in this order, up to
    the first that is not right. ``train`` is a function like `backprop.train`; without
    one, training is not checked. With ``by_hand`` a part that is right is not accepted
    where automatic differentiation, `torch.nn` or a network of a package does its work.

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
    if loss not in LOSSES:
        raise ValueError(f"loss must be one of {', '.join(LOSSES)}; got {loss!r}.")
    if part == "train" and train is None:
        raise ValueError("part is 'train', so pass the function too: train=train.")
    if train is not None and not callable(train):
        raise TypeError(f"train must be a function; got {train!r}.")
    parts = [part] if part else [p for p in PARTS if p != "train" or train]
    with Caller(Watcher() if by_hand else None) as caller:
        student = Student(network_class, torch.float64, caller, LOSSES[loss])
        found = examine(student, parts, train)
        if found.status == "error" and not found.mistakes:
            # The class may work in float32 only.
            student = Student(network_class, torch.float32, caller, LOSSES[loss])
            again = examine(student, parts, train)
            of_dtype = any(
                word in found.message for word in ("dtype", "Float", "Double")
            )
            return again if again.ok or of_dtype else found
    return found


def examine(
    student: Student, parts: list[str], train: Callable | None
) -> Diagnosis:
    """The first part that is not right, or that all are."""
    checked: list[str] = []
    student.part = parts[0] if len(parts) == 1 else None
    with surroundings_kept(student.dtype):
        for part in parts:
            found = examine_part(student, part, train)
            if found is None and student.caller.watcher:
                found = not_by_hand(part, student.caller.watcher.of_part(part))
            if found is None:
                checked.append(part)
                continue
            if parts == [part] and found.status in ("wrong", "error"):
                rest = [p for p in NEEDS[part] if examine_part(student, p)]
                if rest:
                    text = f"{rest[0]} is not right yet. Look at it first.\n"
                    found = replace(found, message=text + found.message)
            elif part == "backward" and found.status == "wrong":
                found = with_update(student, found)
            return found
        try:
            limits = not_checked(student)
        except Trouble as trouble:
            return Diagnosis(trouble.status, str(trouble), parts[-1])
    said = [f"Right, as far as was checked: {', '.join(checked)}.", *limits]
    return Diagnosis("right", " ".join(said))


def with_update(student: Student, found: Diagnosis) -> Diagnosis:
    """A wrong backward pass, and whether the update is wrong as well."""
    known = any(name.startswith("update") for name in found.mistakes)
    other = None if known else examine_part(student, "update")
    if other is None or other.status != "wrong":
        return found
    return replace(found, message=f"{found.message}\n{NOT_EITHER}")


def not_checked(student: Student) -> list[str]:
    """For what a class that is right was not checked, or for what alone."""
    said = []
    if not student.several or all(p.K == 1 for p in suitable(student)):
        said.append(
            "Only networks with one output were checked, because this class does not"
            " work with several."
        )
    if all(p.hidden_sizes for p in suitable(student)):
        said.append(
            "Networks without hidden layers were not checked, because this class does not"
            " predict right with none."
        )
    if student.half:
        number = "one digit was" if student.coarse else "two digits were"
        said.append(f"It computes in 16 bits, so only {number} compared.")
    return [*said, *dict.fromkeys(student.notes)]


def examine_part(
    student: Student, part: str, train: Callable | None = None
) -> Diagnosis | None:
    try:
        return (
            check_train(student, train) if part == "train" else PARTS[part](student)
        )
    except Trouble as trouble:
        return Diagnosis(trouble.status, str(trouble), part)


def not_by_hand(part: str, taken: list[str]) -> Diagnosis | None:
    """Said where something else than the student's code has done the work of a part."""
    if not taken:
        return None
    text = (
        f"The results are right, but the work is done by {taken[0]}. Here your own code is"
        " to do it, with operations on tensors only: write the equations below. Use what"
        " does the work now to compare with, outside of the class."
    )
    again = EQUATIONS[part]
    return Diagnosis(
        "right, but not by hand", text, part, equation=again[0], read_again=again
    )


@contextlib.contextmanager
def surroundings_kept(dtype: torch.dtype) -> Iterator[None]:
    """A default dtype for new networks, one thread for tiny tensors, and no output; all
    is then as it was."""
    before, threads = torch.get_default_dtype(), torch.get_num_threads()
    with (
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        torch.random.fork_rng(devices=[]),
        torch.inference_mode(False),
        torch.enable_grad(),
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        torch.set_default_dtype(dtype)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_default_dtype(before)
            torch.set_num_threads(threads)

"""What a backward pass does with a network and a batch."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from .calls import Trouble
from .problems import Gradients, Problem, loss_and_gradients
from .states import Evidence
from .student import Student
from .values import Values

Partial = list[tuple[Tensor | None, Tensor | None]]


@dataclass
class Seen:
    """What backward did with one problem: the gradients after a first and a second
    call, or the trouble with the first; and the parameters before and after."""

    problem: Problem
    first: Gradients | None
    second: Gradients | None
    trouble: Trouble | None
    start: Gradients
    after: Gradients

    @property
    def gradients(self) -> Partial:
        """The first ones; those that were filled before an error, if there was one."""
        return self.trouble.gradients if self.first is None else list(self.first)

    @cached_property
    def right(self) -> Gradients:
        return loss_and_gradients(self.problem)[1]

    @property
    def has_right_shapes(self) -> bool:
        return self.first is not None and all(
            ours.shape == theirs.shape
            for pair, other in zip(self.first, self.right)
            for ours, theirs in zip(pair, other)
        )

    @property
    def is_finite(self) -> bool:
        pairs = self.first or []
        return all(bool(g.isfinite().all()) for pair in pairs for g in pair)

    @property
    def changes_parameters(self) -> bool:
        return not all(
            torch.equal(new, old)
            for pair, other in zip(self.after, self.start)
            for new, old in zip(pair, other)
        )

    def evidence(self) -> Evidence:
        weights = [weight for weight, _ in self.after]
        gradients: Partial = [(None, None), *self.gradients]
        gradients += [(None, None)] * (len(weights) + 1 - len(gradients))
        filled = [w for w, _ in gradients]
        return Evidence(
            Values(self.problem, [torch.empty(0), *weights], filled), gradients
        )


def look_at(student: Student, problems: Sequence[Problem]) -> list[Seen]:
    seen: list[Seen] = []
    for one in problems:
        try:
            seen.append(look(student, one))
        except Trouble as trouble:
            if not trouble.slow or not seen:
                raise
            student.notes.append(SLOW)
            break
    return seen


SLOW = "Not everything was tried, because this class is slow."


def look(student: Student, problem: Problem) -> Seen:
    """Call backward on a network that has seen other samples before; and once more, if
    it left the parameters as they were."""
    net = student.network(problem)
    with contextlib.suppress(Trouble):
        student.run("forward", net, replace(problem, x=-problem.x))
    start = student.parameters(net, problem)
    try:
        first, trouble = student.backward(net, problem), None
    except Trouble as error:
        if error.status == "timeout":
            raise
        first, trouble = None, error
    try:
        after, second = student.parameters(net, problem), None
    except Trouble:
        if trouble:  # as where the layers are gone
            return Seen(problem, None, None, trouble, start, start)
        raise
    seen = Seen(problem, first, second, trouble, start, after)
    if first and not seen.changes_parameters:
        seen.second = student.backward(net, problem)
    return seen


def is_right(student: Student, seen: Seen) -> bool:
    return (
        seen.first is not None
        and student.same(seen.first, seen.right)
        and seen.second is not None
        and student.same(seen.second, seen.right)
    )

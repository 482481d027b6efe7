"""Check the forward pass and the loss."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from .calls import Trouble
from .findings import finding
from .mistakes import MISTAKES
from .problems import Problem, predict, problems
from .report import Diagnosis
from .steps import Steps
from .student import Student


def suitable(student: Student) -> list[Problem]:
    """The problems on which a class can be judged: those of several outputs only if it
    predicts several."""
    student.problems = student.problems or [
        problem
        for problem in problems()
        if problem.K == 1 or predicts_right(student, problem)
    ]
    return student.problems


def predicts_right(student: Student, problem: Problem) -> bool:
    try:
        return student.equal(prediction(student, problem), expected(problem))
    except Trouble as trouble:
        if trouble.status == "timeout":
            raise
        return False


def expected(problem: Problem) -> Tensor:
    """The right predictions: (n,) for one output, else (n, K)."""
    found = predict(problem.weights, problem.biases, problem.x)
    return found.squeeze(-1) if problem.K == 1 else found


def prediction(student: Student, problem: Problem) -> Tensor:
    return predict_with(student, student.network(problem), problem)


def predict_with(student: Student, net: Any, problem: Problem) -> Tensor:
    return student.tensor("forward", student.run("forward", net, problem))


def check_forward(student: Student) -> Diagnosis | None:
    for problem in problems():
        if problem.K > 1:
            continue
        net = student.network(problem)
        found, again = (predict_with(student, net, problem) for _ in range(2))
        right = expected(problem)
        if found.shape != right.shape:
            return finding(
                "forward",
                f"forward returns the shape {tuple(found.shape)} for n = {problem.n}"
                f" samples and one output; {tuple(right.shape)} was expected.",
                "eq-batch-output",
            )
        if not found.isfinite().all():
            text = "The predictions hold NaN or infinite values."
            return finding("forward", text, "eq-batch-output")
        if not student.equal(found, again):
            return finding(
                "forward",
                "Two calls of forward with the same samples give different predictions."
                " A forward pass has nothing random in it, and changes nothing.",
                "eq-batch-output",
            )
        if not student.equal(found, right):
            layer = first_wrong_layer(student, problem)
            return finding(
                "forward",
                "The predictions are wrong. Walking back from the output, layer"
                f" {layer} of {len(problem.weights)} is the first to be wrong. Look at"
                " its weighted sum, its bias and its activation function.",
                "eq-batch-pre-activation",
                layer=layer,
            )
    return None


def first_wrong_layer(student: Student, problem: Problem) -> int:
    """With the weights of a layer 0, nothing before it matters: the predictions depend
    on its bias and activation and on later layers."""
    for layer in range(len(problem.weights), 1, -1):
        weights = list(problem.weights)
        weights[layer - 1] = torch.zeros_like(weights[layer - 1])
        if not predicts_right(student, replace(problem, weights=weights)):
            return layer
    return 1


def check_loss(student: Student) -> Diagnosis | None:
    seen: list[tuple[Problem, Tensor]] = []
    for problem in suitable(student):
        net = student.network(problem)
        found = student.tensor("get_loss", student.run("get_loss", net, problem))
        if found.numel() != 1:
            return finding(
                "loss",
                f"get_loss returns a tensor of shape {tuple(found.shape)}; one number"
                " was expected.",
                "eq-loss-batch",
            )
        seen.append((problem, found.reshape(())))

    def explains(steps: Steps) -> bool:
        return all(
            student.equal(found, loss(steps, problem)) for problem, found in seen
        )

    if explains(Steps()):
        return None
    problem, found = next(
        (p, f) for p, f in seen if not student.equal(f, loss(Steps(), p))
    )
    text = (
        f"With n = {problem.n} samples and K = {problem.K} outputs, get_loss returns"
        f" {found:.4g}. The mean squared error is {loss(Steps(), problem):.4g}."
    )
    fits = [m for m in MISTAKES if any(map(explains, m.hypotheses))]
    return finding("loss", text, "eq-loss-batch", fits)


def loss(steps: Steps, problem: Problem) -> Tensor:
    p = predict(problem.weights, problem.biases, problem.x)
    return steps.loss(p, problem.y)

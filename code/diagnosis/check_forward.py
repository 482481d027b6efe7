"""Check the forward pass."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .calls import Trouble
from .findings import finding
from .formulas import Formula
from .forward_formulas import formulas_of_forward
from .problems import Problem, predict, problems
from .report import Diagnosis
from .stale import stale
from .student import Student
from .values import Values


def suitable(student: Student) -> list[Problem]:
    """The problems on which a class can be judged: those of several outputs, and those
    without hidden layers, only if it predicts there."""
    if not student.problems:
        for one in problems(student.loss):
            usual = one.K == 1 and len(one.sizes) > 2
            if usual or predicts_right(student, one):
                student.problems.append(one)
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
    for one in problems(student.loss):
        if one.K > 1 or len(one.sizes) == 2:
            continue
        net = student.network(one)
        found, again = (predict_with(student, net, one) for _ in range(2))
        right = expected(one)
        if found.shape != right.shape:
            return finding(
                "forward",
                f"forward returns the shape {tuple(found.shape)} for n = {one.n}"
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
            return wrong_predictions(student, one)
    before = "The predictions of a new network are right."
    kept = stale(student, "forward", predict_with, before, partial(fault, student))
    return kept or stored_outputs(student)


def wrong_predictions(student: Student, problem: Problem) -> Diagnosis:
    layer = first_wrong_layer(student, problem)
    text = (
        "The predictions are wrong. Walking back from the output, layer"
        f" {layer} of {len(problem.weights)} is the first to be wrong."
    )
    formulas: list[Formula] = []
    with contextlib.suppress(Trouble):
        three = [
            p for p in problems(student.loss) if p.K == 1 and len(p.weights) == 3
        ]
        seen = [(one, prediction(student, one)) for one in three]
        formulas = formulas_of_forward(seen, student.equal)
    if any(formula.label == "eq-batch-output" for formula in formulas):
        text += " In hidden layers σ^(ℓ) is tanh, and σ^(L) is the sigmoid."
    elif not formulas:
        text += " Look at its weighted sum, its bias and its activation function."
    equation = "eq-batch-pre-activation"
    return finding("forward", text, equation, (), formulas, layer=layer)


def first_wrong_layer(student: Student, problem: Problem) -> int:
    """With the weights of a layer 0, nothing before it matters: the predictions depend
    on its bias and activation and on later layers."""
    for layer in range(len(problem.weights), 1, -1):
        weights = list(problem.weights)
        weights[layer - 1] = torch.zeros_like(weights[layer - 1])
        if not predicts_right(student, replace(problem, weights=weights)):
            return layer
    return 1


def fault(student: Student, one: Problem, found: Tensor) -> dict[str, Any]:
    """What is wrong with predictions after a change."""
    if student.equal(found, expected(one)):
        return {}
    again = ": the earlier ones come again" * (len(found) != one.n)
    return {"words": f"they are not{again}", "equation": "eq-batch-output"}


def overrides(owner: Any, name: str) -> bool:
    """Whether a class replaces a method of one that it is made from. Only then is it
    known what the method should do."""
    kind = type(owner)
    own = getattr(kind, name, None)
    return any(vars(base).get(name) not in (None, own) for base in kind.__mro__[1:])


def stored_outputs(student: Student) -> Diagnosis | None:
    """Whether `forward_pass`, where a class has replaced it, gives all outputs."""
    one = problems()[0]
    net = student.network(one)
    if overrides(net, "forward") or not overrides(net, "forward_pass"):
        return None
    x = student.data(net, one)[0]
    outputs = student.call("forward_pass", one, lambda: net.forward_pass(x))
    v, count = Values(one), len(one.weights)
    if not isinstance(outputs, Sequence) or not all(
        isinstance(out, Tensor) for out in outputs
    ):
        text = f"forward_pass returns a {type(outputs).__name__}; a list of tensors was expected."
        return finding("forward", text, "eq-batch-output", status="error")
    found = [out.detach().double() for out in outputs]
    if len(found) != count + 1:
        text = (
            f"For {count} layers forward_pass returns {len(found)} tensors; {count + 1}"
            " were expected: the input, and the output of each layer."
        )
        if found and found[0].shape != one.x.shape:
            text += " The input is missing."
        return finding("forward", text, "eq-batch-output")
    for layer, out in enumerate(found):
        if student.equal(out, v.z_out[layer]):
            continue
        text = f"The predictions are right, but of the outputs that forward_pass returns number {layer} is wrong."
        if layer and student.equal(out, v.z_in[layer]):
            text += (
                f" It is what goes into layer {layer}, before the activation function;"
                " what comes out was expected."
            )
        return finding("forward", text, "eq-batch-output", layer=layer or None)
    return None

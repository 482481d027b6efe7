"""Check the loss, and its gradient where a class has one of its own."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import Tensor

from .calls import Trouble
from .check_forward import overrides, suitable
from .factors import ONE, factor
from .findings import finding
from .formulas import Formula, compared
from .losses import LOSSES, SQUARED_ERROR, Loss
from .mistakes import atoms, facts, named
from .problems import Problem, predict
from .report import Diagnosis
from .stale import stale
from .states import State
from .student import Student, filled
from .terms import RESIDUALS
from .values import Values

Value = Callable[[Tensor, Tensor], Tensor]  # of predictions and labels (n, K)

# What may stand in place of the right loss.
OTHERS: list[tuple[str, Value]] = [
    *((loss.name, loss.value) for loss in LOSSES.values()),
    ("absolute", lambda p, y: (p - y).abs().mean()),
    ("root", lambda p, y: ((p - y) ** 2).mean().sqrt()),
    ("not squared", lambda p, y: (p - y).mean()),
    ("one term", lambda p, y: -(y * p.log()).mean()),
]
SAID = {
    "absolute": "It is the mean absolute error.",
    "root": "It is the root of the mean squared error.",
    "not squared": "It is the mean of the residuals, without a square.",
    "one term": "It is the cross-entropy without what labels of 0 give.",
    "cross-entropy": "It is the cross-entropy, another loss. If your class is to have it, call"
    " diagnose with loss='cross-entropy'.",
    "squared error": "It is the mean squared error, another loss. If your class is to have it,"
    " call diagnose without loss='cross-entropy'.",
}


def in_place_of(loss: Loss) -> list[tuple[str, Value]]:
    """What a loss may be instead, the loss itself first, for factors beside it."""
    value = loss.value
    pairs: list[tuple[str, Value]] = [
        ("pairs", lambda p, y: value(p.unsqueeze(1), y)),
        ("pairs", lambda p, y: value(p, y.T if p.shape[1] == 1 else y)),
    ]
    return [("", value), *pairs, *((k, v) for k, v in OTHERS if k != loss.name)]


def right_loss(problem: Problem) -> Tensor:
    p = predict(problem.weights, problem.biases, problem.x)
    return problem.loss.value(p, problem.y)


def check_loss(student: Student) -> Diagnosis | None:
    seen = [
        (one, loss_of(student, student.network(one), one))
        for one in suitable(student)
    ]
    for one, found in seen:
        if found.numel() != 1:
            text = f"get_loss returns a tensor of shape {tuple(found.shape)}; one number was expected."
            return finding("loss", text, student.loss.label)

    def right(one: Problem, loss: Tensor) -> bool:
        return student.equal(loss.reshape(()), right_loss(one))

    wrong = [pair for pair in seen if not right(*pair)]
    if not wrong:
        again = stale(
            student,
            "loss",
            loss_of,
            "The loss of a new network is right.",
            lambda one, loss: (
                {}
                if right(one, loss)
                else {"words": "it is not", "equation": student.loss.label}
            ),
        )
        return again or (
            check_gradient(student) if student.part == "loss" else None
        )
    if whole_labels_do(
        lambda one: right(one, loss_of(student, student.network(one), one)),
        [one for one, _ in wrong],
    ):
        student.notes.append(WHOLE_LABELS.format(student.loss.title))
        return None
    one, loss = wrong[0]
    text = (
        f"With n = {one.n} samples and K = {one.K} output{'s' * (one.K > 1)}, get_loss returns {loss.item():.4g}."
        f" The {student.loss.title} is {right_loss(one):.4g}."
    )
    key, parts = explanation(student, seen)
    mistakes, _ = named(parts, student.loss, of_loss=True)
    return finding("loss", [text, SAID.get(key, "")], student.loss.label, mistakes)


WHOLE_LABELS = (
    "It is right for labels that are 0 or 1; other labels, which the {} would allow, are"
    " treated as if they were."
)


def loss_of(student: Student, net: Any, problem: Problem) -> Tensor:
    return student.tensor("get_loss", student.run("get_loss", net, problem))


def whole(problem: Problem) -> Problem:
    """The same with labels 0 and 1."""
    return replace(problem, y=(problem.y > 0.5).double())


def whole_labels_do(right: Callable[[Problem], bool], wrong: list[Problem]) -> bool:
    """Whether what is wrong is right for labels 0 and 1. Who is too slow for all of it is
    not judged, if some is."""
    some = False
    try:
        for one in wrong:
            if not right(whole(one)):
                return False
            some = True
    except Trouble as trouble:
        if trouble.slow and some:
            raise
        return False
    return True


def explanation(
    student: Student, seen: list[tuple[Problem, Tensor]]
) -> tuple[str, set[str]]:
    """What the loss is instead, as facts."""
    sizes = tuple((p.n, p.K, p.sizes[-2], p.K) for p, _ in seen)
    for key, formula in in_place_of(student.loss):
        values = [formula(predict(p.weights, p.biases, p.x), p.y) for p, _ in seen]
        ratios = tuple(
            (found / value).item() for (_, found), value in zip(seen, values)
        )
        found = factor(ratios, sizes, student.tolerance)
        if found is not None and (key == "" or found == ONE):
            return key, {f"factor: {atom}" for atom in atoms(found)} | (
                {key} if key else set()
            )
    return "", set()


# ---------------------------------------------------------------- the gradient


def check_gradient(student: Student) -> Diagnosis | None:
    """The gradient of the loss, if a class has written its own. Where all parts are
    asked for, what the backward pass makes of it is told instead. That of the
    cross-entropy may be with respect to predictions or to pre-activations."""
    if student.loss is not SQUARED_ERROR:
        return None
    seen = []
    for one in suitable(student):
        gradient = own_gradient(student.network(one))
        if gradient is None:
            return None
        v = Values(one)
        dtype = student.dtype
        found = student.call(
            "the loss's gradient",
            one,
            filled(gradient),
            one.y.to(dtype, copy=True),
            v.p.to(dtype, copy=True),
        )
        seen.append((v, student.tensor("the loss's gradient", found)))
    wrong = [(v, g) for v, g in seen if not student.equal(g, (v.p - v.y) * v.scale)]
    if not wrong:
        return None
    v, found = wrong[0]
    if found.shape != v.p.shape:
        text = (
            f"The gradient of the loss has shape {tuple(found.shape)}; that of the"
            f" predictions, {tuple(v.p.shape)}, was expected."
        )
        return finding("loss", text, "eq-loss-gradient")
    for term in RESIDUALS:
        ratios = []
        for v, g in seen:
            made = term.value(v) * v.scale
            if made.shape != g.shape:
                break
            ratio = ((made * g).sum() / (made * made).sum()).item()
            if not student.equal(g, ratio * made):
                break
            ratios.append(ratio)
        else:
            sizes = tuple((v.n, v.K, v.sizes[-2], v.K) for v, _ in seen)
            own = factor(tuple(ratios), sizes, student.tolerance)
            if own is not None:
                rule = {(v.L, "residual"): term, (v.L, "loss factor"): own}
                state = State(rule=rule)
                mistakes, _ = named(facts(state, v.L), student.loss)
                return finding_of_gradient(mistakes, compared(state, v.L))
    text = (
        f"The gradient of the loss is wrong. For n = {v.n} and K = {v.K} its first entry"
        f" is {found.flatten()[0]:.4g}, and {((v.p - v.y) * v.scale).flatten()[0]:.4g} was"
        " expected."
    )
    return finding("loss", text, "eq-loss-gradient")


def own_gradient(net: Any) -> Callable | None:
    """A method `loss_gradient`, or `gradient` of an object `loss`, that replaces another."""
    if overrides(net, "loss_gradient"):
        return net.loss_gradient
    loss = getattr(net, "loss", None)
    return loss.gradient if overrides(loss, "gradient") else None


def finding_of_gradient(mistakes: list, formulas: list[Formula]) -> Diagnosis:
    text = "The loss is right, its gradient is not."
    texts = [m.text for m in mistakes]
    found = finding("loss", [text, *texts], "eq-loss-gradient", (), formulas)
    return replace(found, mistakes=tuple(m.name for m in mistakes))

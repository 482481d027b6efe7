"""A tiny network in which what a class computes can be redone by hand."""

from torch import Tensor

from .calls import Trouble
from .findings import first_difference
from .problems import Gradients, Problem, loss_and_gradients, tiny
from .student import Student
from .values import Values


def to_redo(student: Student) -> str:
    """The first wrong stage in a network of sizes 2, 2, 1 with one sample, or where that
    is right in the next larger; empty if no such one is wrong."""
    for n, K in ((1, 1), (1, 2), (2, 1)):
        problem = tiny(student.loss, n, K)
        try:
            net = student.network(problem)
            gradients = student.backward(net, problem)
        except Trouble:
            return ""
        right = loss_and_gradients(problem)[1]
        if not student.same(gradients, right):
            return table(student, problem, gradients, right)
    return ""


def table(
    student: Student, problem: Problem, gradients: Gradients, right: Gradients
) -> str:
    v = Values(problem)
    rows = [("x", problem.x), ("y", problem.y)]
    for l in (1, 2):
        rows += [(f"W^({l})", v.W[l]), (f"b^({l})", v.b[l])]
    for l in (1, 2):
        rows += [(f"z_in^({l})", v.z_in[l]), (f"z_out^({l})", v.z_out[l])]
    layer, name, _ = first_difference(student, gradients, right)
    index = ("weight", "bias").index(name)
    letter = ("W", "b")[index]
    rows.append((f"∇_{letter}^({layer}) of yours", gradients[layer - 1][index]))
    rows.append(("expected", right[layer - 1][index]))
    width = max(len(head) for head, _ in rows)
    count = {1: "one sample", 2: "two samples, a row each"}[problem.n]
    sizes = ", ".join(map(str, problem.sizes))
    lines = [
        f"  To redo by hand: sizes {sizes}, {count}. The first wrong stage comes last."
    ]
    lines += [f"  {head:{width}}  {numbers(value)}" for head, value in rows]
    return "\n".join(lines)


def numbers(value: Tensor) -> str:
    """A small matrix in one line, its rows behind each other."""
    rows = value.reshape(-1, value.shape[-1]) if value.ndim else value.reshape(1, 1)
    return "; ".join(
        " ".join(f"{entry:.4g}" for entry in row.tolist()) for row in rows
    )

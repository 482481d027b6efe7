"""Say what is wrong in a backward pass where no formula fits."""

from dataclasses import replace

from .case import CHANGES, Case, of_trouble
from .factors import factor
from .findings import EQUATIONS, finding, first_difference
from .formulas import Formula, compared, scale
from .mistakes import MISTAKES, Mistake, facts, named
from .notation import Piece
from .redo import to_redo
from .report import Diagnosis
from .seen import Seen
from .student import Student
from .terms import USES, WEIGHTS

UNKNOWN = "No formula is known that gives these numbers."
COARSE = (
    "It computes in bfloat16, which is too coarse to find the formula. Let it compute in"
    " float64 to be told more."
)


DECAY = (
    "The gradients of the weights are the book's, and have a multiple of the weights beside"
    " them: they are those of a loss that grows with the weights, known as weight decay. The"
    " loss here has no such term."
)


def of_another_depth(student: Student, seen: Seen) -> Diagnosis:
    """Networks of three layers are right, one of another depth is not."""
    sizes = ", ".join(map(str, seen.problem.sizes))
    count = len(seen.problem.weights)
    text = f"For three layers backward is right; for {count}, with sizes {sizes}, it is not."
    if seen.trouble:
        return finding("backward", [text, str(seen.trouble)], None, status="error")
    if seen.second is None:
        return finding("backward", [text, CHANGES], "eq-update-weights")
    wrong_first = not student.same(seen.first, seen.right)
    return first_wrong(
        student, seen, seen.first if wrong_first else seen.second, [text]
    )


def first_wrong(student: Student, seen: Seen, gradients, said, *behind, **more):
    """Where gradients first differ from the right ones, in words."""
    layer, name, what = first_difference(student, gradients, seen.right)
    count = len(seen.right)
    text = (
        "Walking back from the output, the first wrong gradient is that of the"
        f" {EQUATIONS[name]} of layer {layer} of {count}: it {what}. (n ="
        f" {seen.problem.n}, K = {seen.problem.K})"
    )
    equation = f"eq-batch-{EQUATIONS[name]}"
    # Where weights and biases are both wrong, what they come from is.
    if not any(map(student.equal, gradients[layer - 1], seen.right[layer - 1])):
        equation = f"eq-batch-{'output' if layer == count else 'hidden'}-delta"
    return finding(
        "backward",
        [*said, text, *behind],
        equation,
        **more,
        layer=layer,
        parameter=name,
    )


def unexplained(case: Case) -> Diagnosis:
    """No formula fits everything. The first stage that is wrong is told for a network that
    can be redone by hand, and what fits above it."""
    student = case.student
    wrong = (one for one in case.wrong if one.first is not None)
    one = next((o for o in wrong if not student.same(o.first, o.right)), None)
    if one is None:
        return of_trouble(case)
    early = too_early(student, case.seen)
    decay = decayed(case)
    if decay:
        return finding("backward", [DECAY, *case.again], None, (), [decay])
    mistakes, formulas = certain(case)
    if early:
        mistakes = [m for m in MISTAKES if m.name == "updated-too-early"]
        formulas, behind = [], []
    elif formulas:
        behind = ["For what is not said here, no formula is known."]
    else:
        behind = [COARSE if student.coarse else UNKNOWN]
    behind += case.again
    if case.changes_parameters and not early:
        behind.append(CHANGES)
    table = "" if case.again else to_redo(student)
    return first_wrong(
        student,
        one,
        one.first,
        [],
        *behind,
        *(["\n" + table] if table else []),
        found=mistakes,
        formulas=formulas,
    )


def decayed(case: Case) -> Formula | None:
    """The formula for the gradient of the weights, if it is the book's and a multiple of
    the weights, and nothing else is wrong."""
    shares, sizes = [], []
    for one in case.seen:
        if not one.has_right_shapes or one.changes_parameters:
            return None
        pairs = zip(one.first, one.right, one.problem.weights)
        for (weight_grad, bias_grad), (right, right_bias_grad), W in pairs:
            more = weight_grad - right
            share = ((more * W).sum() / (W * W).sum()).item()
            shares.append(share)
            sizes.append((one.problem.n, one.problem.K, *W.shape))
            if not case.student.equal(weight_grad, right + share * W):
                return None
            if not case.student.equal(bias_grad, right_bias_grad):
                return None
    own = factor(tuple(shares), tuple(sizes), case.student.narrow)
    if own is None or own.fan:
        return None
    weights, sign = r"\mathbf{W}^{(\ell)}", "+" if own.c > 0 else "-"
    book = WEIGHTS[0].tex.replace("{}", USES[0].tex)
    added = f" {sign} {scale(replace(own, c=abs(own.c)))}{weights}"
    return Formula(
        "eq-batch-weights",
        rf"\nabla_{{{weights}}} \mathcal{{L}} = ",
        (Piece(book), Piece(added, True)),
        (Piece(book),),
    )


def certain(case: Case) -> tuple[list[Mistake], list[Formula]]:
    """The mistakes, and the formulas, that every explanation of what is explained has."""
    mistakes, formulas = [], []
    for state in [case.state, *case.found.others]:
        unknown = state.unexplained
        known = {
            f for f in facts(state, 3) if f.split()[0].strip(":") not in unknown
        }
        found, left = named(known | case.calls, case.student.loss)
        mistakes.append([] if left else found)
        formulas.append(compared(state, 3))
    return in_all(mistakes), in_all(formulas)


def in_all(lists: list[list]) -> list:
    return [one for one in lists[0] if all(one in other for other in lists)]


def too_early(student: Student, seen: list[Seen]) -> bool:
    """Whether backward takes a step of its own, by the gradients that it leaves."""
    for one in seen:
        if not one.has_right_shapes or not one.changes_parameters:
            return False
        rates = []
        for gradients, new, old in zip(one.first, one.after, one.start):
            for gradient, b, a in zip(gradients, new, old):
                rate = ((a - b) * gradient).sum() / (gradient * gradient).sum()
                if not student.equal(a - b, rate * gradient, 1e-3):
                    return False
                rates.append(rate.item())
        if min(rates) <= 0 or max(rates) - min(rates) > 1e-3 * max(rates):
            return False
    return bool(seen)

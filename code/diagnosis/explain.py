"""Say what is wrong in a backward pass, by the formulas that it computes."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import torch

from .calls import Trouble
from .check_update import step_factor
from .findings import EQUATIONS, finding, first_difference
from .formulas import Formula, compared
from .mistakes import MISTAKES, Mistake, facts, named
from .problems import loss_and_gradients
from .redo import to_redo
from .report import Diagnosis
from .search import Factor, Found, State, computable, search
from .seen import Seen, is_right
from .student import Student

CHANGES = (
    "backward changes the parameters. It should only fill the gradients: what is computed"
    " after a change belongs to another network than the forward pass."
)
UNNAMED = "The formula below is not the book's. It has no name here."
ONE_MORE = "The formulas show one more place that is not the book's."
BEFORE = "What was filled before the error is not the book's. It is below."
WHERE_IT_RUNS = "What your code computes where it raises no error is below."
CANCEL = (
    "The update has the inverse of this factor. The two cancel: parameters move as they"
    " should, though neither is right."
)


@dataclass
class Evidence:
    """What is known of a class that is wrong: all that was seen, what of it is wrong, the
    formulas that were found; and of second calls what to say and which facts."""

    student: Student
    seen: list[Seen]
    wrong: list[Seen]
    found: Found = field(default_factory=lambda: Found([State()], 4, 3))
    again: list[str] = field(default_factory=list)
    calls: set[str] = field(default_factory=set)

    @property
    def state(self) -> State:
        return self.found.states[0]

    @property
    def trouble(self) -> Trouble | None:
        return next((one.trouble for one in self.wrong if one.trouble), None)

    @property
    def facts(self) -> set[str]:
        return facts(self.state, 3) | self.calls

    @property
    def where(self) -> str:
        """Of what the formulas are, where errors are raised."""
        return WHERE_IT_RUNS if any(one.first for one in self.seen) else BEFORE

    @property
    def changes_parameters(self) -> bool:
        return any(one.changes_parameters for one in self.seen)


def explained(student: Student, seen: list[Seen], wrong: list[Seen]) -> Diagnosis:
    """What is wrong, by the formulas that fit if there are any."""
    three = [one for one in seen if len(one.problem.weights) == 3]
    if all(is_right(student, one) for one in three):
        return of_another_depth(student, wrong[0])
    case = Evidence(student, seen, wrong)
    earlier = None if case.trouble else of_an_earlier_forward(student, seen)
    if earlier:
        return earlier
    if not all(one.is_finite for one in three):
        return unexplained(case)
    case.found = search([one.evidence() for one in three], student.narrow)
    raised = any(one.trouble for one in three)
    if case.found.stopped and raised:
        # Who works through the samples one by one has filled what the first one gives.
        three = [one for one in three if one.first or one.problem.n == 1]
        case.found = search([one.evidence() for one in three], student.narrow)
    case.again, case.calls = second_calls(student, seen)
    differs = bool(facts(case.state, 3))
    if not differs and not case.found.stopped:
        if case.calls or case.again or not case.trouble:
            return only_calls(case)
        return of_trouble(case)
    if raised and not explains_errors(case.found, three, differs):
        return of_trouble(case)
    if case.found.stopped or any("unexplained" in fact for fact in case.facts):
        return unexplained(case)
    return by_formula(case)


def by_formula(case: Evidence) -> Diagnosis:
    """The formulas fit everything that was seen."""
    mistakes, left = named(case.facts, case.student.loss)
    said: list[str] = list(everywhere(case.state))
    if case.trouble:
        said.append(str(case.trouble))
    if left and mistakes:
        said.append(ONE_MORE)
    elif left and case.trouble:
        said.append(
            WHERE_IT_RUNS if any(one.first for one in case.seen) else BEFORE
        )
    elif left:
        said.append(UNNAMED)
    said += case.again
    early = any(mistake.name == "updated-too-early" for mistake in mistakes)
    if case.changes_parameters and not early:
        said.append(CHANGES)
    alternatives = []
    for other in case.found.states[1:]:
        names, rest = named(facts(other, 3) | case.calls, case.student.loss)
        if names and names != mistakes and not rest:
            alternatives.append(" and ".join(m.name for m in names))
            said.append("What was seen fits another mistake as well:")
            said += [m.text for m in names]
        else:
            said.append("What was seen fits another formula as well:")
            said += [formula.words() for formula in compared(other, 3)]
    undone = step_that_cancels(case)
    if undone:
        said.append(CANCEL)
        mistakes = mistakes + [m for m in MISTAKES if m.name == "update-adds"] * (
            undone.c < 0
        )
    return told(
        case, said, mistakes, alternatives=tuple(dict.fromkeys(alternatives))
    )


def told(
    case: Evidence, said: Iterable[str], mistakes: list[Mistake], **more
) -> Diagnosis:
    """A finding with the formulas, and where they first differ."""
    layer, parameter = first_place(case.state)
    return finding(
        "backward",
        said,
        None,
        mistakes,
        compared(case.state, 3),
        status="error" if case.trouble else "wrong",
        layer=layer,
        parameter=parameter,
        **more,
    )


def first_place(state: State) -> tuple[int | None, str | None]:
    """The layer, walking back from the output, and the parameter that are first wrong."""
    places = [
        p for p, choice in state.rule.items() if not state.is_book(p[1], choice)
    ]
    if not places:
        return None, None
    layer = max(layer for layer, _ in places)
    kinds = {slot.split()[0] for at, slot in places if at == layer}
    return layer, "bias" if kinds == {"biases"} else "weight"


def everywhere(state: State) -> Iterable[str]:
    """By how much all gradients are wrong, if one factor is all that is wrong."""
    wrong = {
        slot: c for (_, slot), c in state.rule.items() if not state.is_book(slot, c)
    }
    if wrong.keys() == {"loss factor"}:
        yield (
            f"All gradients, of weights and biases in every layer, are"
            f" {in_words(wrong['loss factor'])}: one factor at the loss travels back"
            " through all layers."
        )


def in_words(factor: Factor) -> str:
    sizes = (("n", factor.n), ("K", factor.K))
    above = [power(letter, p) for letter, p in sizes if p > 0]
    below = [power(letter, -p) for letter, p in sizes if p < 0]
    number = [f"{factor.c:.6g}"] if factor.c != 1 or not above else []
    text = " · ".join(number + above) + "".join(f" / {size}" for size in below)
    always = "" if above or below else ", whatever n and K"
    return f"{text} times what they should be{always}"


def power(letter: str, p: int) -> str:
    return letter if p == 1 else f"{letter}^{p}"


def step_that_cancels(case: Evidence) -> Factor | None:
    """The factor of the update, if it undoes one of all gradients."""
    own = case.state.rule.get((3, "loss factor"))
    if not isinstance(own, Factor) or own == Factor():
        return None
    with contextlib.suppress(Trouble):
        step = step_factor(case.student)
        if step and abs(own.c * step.c - 1) < 1e-4 and own.n == -step.n:
            return step if own.K == -step.K else None
    return None


# ---------------------------------------------------------------- more than one call


def second_calls(student: Student, seen: list[Seen]) -> tuple[list[str], set[str]]:
    """What a second call of backward gives, in words and as facts."""
    both = [one for one in seen if one.first is not None and one.second is not None]
    if all(student.same(one.second, one.first) for one in both):
        return [], set()
    ratios = []
    for one in both:
        first, second = (
            torch.cat([gradient.flatten() for pair in call for gradient in pair])
            for call in (one.first, one.second)
        )
        if first.shape != second.shape or not first.any():
            return ["A second call of backward gives other gradients."], set()
        ratios.append(((first @ second) / (first @ first)).item())
        if not student.equal(second, ratios[-1] * first):
            text = (
                "A second call of backward, with the same samples, gives other gradients."
                " Either something is random, or something is kept from the first call."
            )
            return [text], set()
    if max(ratios) - min(ratios) < 1e-4 and abs(ratios[0] - 2) < 1e-4:
        return [], {"second call: 2"}
    text = (
        f"A second call of backward gives {ratios[0]:.4g} times the gradients of the"
        " first: something of the first call is kept."
    )
    return [text], set()


def only_calls(case: Evidence) -> Diagnosis:
    """The gradients of the first call are right."""
    mistakes, _ = named(case.calls, case.student.loss)
    if mistakes or case.again:
        said = ["The gradients of the first call are right.", *case.again]
        return finding("backward", said, "eq-batch-weights", mistakes)
    said = [f"The gradients are right, but {CHANGES}"]
    return finding("backward", said, "eq-update-weights")


def of_an_earlier_forward(student: Student, seen: list[Seen]) -> Diagnosis | None:
    """Whether the gradients are those of the samples that `forward` saw before."""
    for one in seen:
        earlier = replace(one.problem, x=-one.problem.x)
        right = loss_and_gradients(earlier)[1]
        if one.first is None or not student.same(one.first, right):
            return None
    text = (
        "backward uses the samples of an earlier call of forward, instead of its own"
        " argument x: forward was called with other samples just before, and the gradients"
        " are right for these. backward has to run a forward pass of its own."
    )
    return finding("backward", text, "eq-batch-output")


# ---------------------------------------------------------------- errors


def explains_errors(found: Found, seen: list[Seen], differs: bool) -> bool:
    """Whether formulas that fit where no error was raised, and what was filled before it
    where one was, say why it was raised."""
    if not differs or found.stopped:
        return False
    raised = [one.evidence().v for one in seen if one.first is None]
    if len(raised) == len(seen):
        return True  # what was filled is wrong, and all below comes from it
    state = found.states[0]
    return found.reached == 1 and not any(computable(state, v) for v in raised)


def of_trouble(case: Evidence) -> Diagnosis:
    """An error that no formula explains."""
    case.trouble.fixed = fixed_sizes([one for one in case.wrong if one.trouble])
    mistakes, left = named(facts(case.state, 3), case.student.loss)
    said = [str(case.trouble)]
    if compared(case.state, 3):
        said.append(case.where)
    return told(case, said, [] if left else mistakes)


def fixed_sizes(seen: list[Seen]) -> list[int]:
    """The sizes that are met in every error, and that are not the same thing in all the
    networks."""
    seen = [one for one in seen if one.trouble.shapes]
    if len(seen) < 2:
        return []
    met = [{size for shape in one.trouble.shapes for size in shape} for one in seen]

    def meaning(size: int, one: Seen) -> tuple[int, ...]:
        sizes = (one.problem.n, *one.problem.sizes)
        return tuple(i for i, other in enumerate(sizes) if other == size)

    common = set.intersection(*met) - {1}
    return [s for s in sorted(common) if len({meaning(s, one) for one in seen}) > 1]


# ---------------------------------------------------------------- where nothing fits


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


def unexplained(case: Evidence) -> Diagnosis:
    """No formula fits everything. The first stage that is wrong is told for a network that
    can be redone by hand, and what fits above it."""
    student = case.student
    wrong = (one for one in case.wrong if one.first is not None)
    one = next((o for o in wrong if not student.same(o.first, o.right)), None)
    if one is None:
        return of_trouble(case)
    early = too_early(student, case.seen)
    mistakes, formulas = certain(case)
    if early:
        mistakes = [m for m in MISTAKES if m.name == "updated-too-early"]
        formulas, behind = [], []
    elif formulas:
        behind = ["For what is not said here, no formula is known."]
    else:
        behind = ["No formula is known that gives these numbers."]
    behind += case.again
    if case.changes_parameters and not early:
        behind.append(CHANGES)
    table = to_redo(student)
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


def certain(case: Evidence) -> tuple[list[Mistake], list[Formula]]:
    """The mistakes, and the formulas, that every explanation of what is explained has."""
    mistakes, formulas = [], []
    for state in [case.state, *case.found.others]:
        known = {f for f in facts(state, 3) | case.calls if "unexplained" not in f}
        found, left = named(known, case.student.loss)
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

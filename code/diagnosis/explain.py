"""Say what is wrong in a backward pass, by the formulas that it computes."""

import contextlib
from collections.abc import Iterable

from .calls import Trouble
from .case import CHANGES, Case, of_trouble, told
from .check_update import step_factor
from .factors import Factor
from .formulas import compared
from .mistakes import MISTAKES, facts, named
from .more_calls import of_an_earlier_forward, only_calls, second_calls
from .report import Diagnosis
from .search import Found, search
from .seen import Seen, is_right
from .states import State, computable
from .student import Student
from .unexplained import of_another_depth, unexplained

UNNAMED = "The formula below is not the book's. It has no name here."
ONE_MORE = "The formulas show one more place that is not the book's."
CANCEL = (
    "The update has the inverse of this factor. The two cancel: parameters move as they"
    " should, though neither is right."
)


def explained(student: Student, seen: list[Seen], wrong: list[Seen]) -> Diagnosis:
    """What is wrong, by the formulas that fit if there are any."""
    three = [one for one in seen if len(one.problem.weights) == 3]
    if all(is_right(student, one) for one in three):
        return of_another_depth(student, wrong[0])
    case = Case(student, seen, wrong)
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


def by_formula(case: Case) -> Diagnosis:
    """The formulas fit everything that was seen."""
    mistakes, left = named(case.facts, case.student.loss)
    said: list[str] = list(everywhere(case.state))
    if case.trouble:
        said.append(str(case.trouble))
    if left and mistakes:
        said.append(ONE_MORE)
    elif left and case.trouble:
        said.append(case.where)
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
    number = (
        [f"{factor.c:.6g}".replace("-", "−")] if factor.c != 1 or not above else []
    )
    text = " · ".join(number + above) + "".join(f" / {size}" for size in below)
    always = "" if above or below else ", whatever n and K"
    return f"{text} times what they should be{always}"


def power(letter: str, p: int) -> str:
    return letter if p == 1 else f"{letter}^{p}"


def step_that_cancels(case: Case) -> Factor | None:
    """The factor of the update, if it undoes one of all gradients."""
    own = case.state.rule.get((3, "loss factor"))
    if not isinstance(own, Factor) or own == Factor():
        return None
    with contextlib.suppress(Trouble):
        step = step_factor(case.student)
        if step and abs(own.c * step.c - 1) < 1e-4 and own.n == -step.n:
            return step if own.K == -step.K else None
    return None


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

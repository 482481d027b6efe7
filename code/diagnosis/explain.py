"""Say what is wrong in a backward pass, by the formulas that it computes."""

import contextlib
import math
from collections.abc import Iterable

from .calls import Trouble
from .case import CHANGES, Case, of_trouble, told
from .check_update import step_factors
from .factors import ONE, Factor
from .formulas import compared
from .mistakes import MISTAKES, facts, named
from .more_calls import EARLIER, of_an_earlier_forward, only_calls, second_calls
from .operands import state_of_error
from .report import Diagnosis
from .search import Found, search
from .seen import Seen, is_right
from .states import State, computable
from .student import Student
from .unexplained import of_another_depth, unexplained

UNNAMED = "The formula below is not the book's. It has no name here."
ONE_MORE = "The formulas show one more place that is not the book's."
CANCEL = (
    "The update has the inverse of the factor of the gradients. The two cancel: parameters"
    " move as they should, though neither is right."
)
CANCEL_IN_PART = (
    "The update has the inverse of the factor of the loss's gradient. The two cancel, but"
    " what else is wrong does not."
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
    case.again, case.calls = second_calls(student, seen)
    if student.coarse and not case.trouble:
        of_first = all(student.same(one.first, one.right) for one in seen)
        return only_calls(case) if of_first else unexplained(case)
    case.three, case.found = (
        three,
        search([o.evidence() for o in three], student.narrow),
    )
    raised = any(one.trouble for one in three)
    if case.found.stopped and raised:
        # Who works through the samples one by one has filled what the first one gives.
        three = [one for one in three if one.first or one.problem.n == 1]
        case.three = three
        case.found = search([one.evidence() for one in three], student.narrow)
    differs = bool(facts(case.state, 3))
    if not differs and not case.found.stopped:
        if case.calls or case.again or not case.trouble:
            return only_calls(case)
        return of_error(case)
    if raised and not explains_errors(case.found, three, differs):
        return of_error(case)
    if case.found.stopped or any("unexplained" in fact for fact in case.facts):
        return unexplained(case)
    return by_formula(case)


def of_error(case: Case) -> Diagnosis:
    """An error that what was filled does not explain; what met in it may."""
    state = state_of_error(case)
    if state is None:
        return of_trouble(case)
    case.found = Found([state], 1)
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
    if any(fact.endswith(": earlier") for fact in case.facts):
        said.append(EARLIER)
    said += case.again
    early = any(mistake.name == "updated-too-early" for mistake in mistakes)
    if case.changes_parameters and not early:
        said.append(CHANGES)
    alternatives = []
    shown = [compared(case.state, 3)]
    for other in case.found.states[1:]:
        formulas = compared(other, 3)
        if formulas in shown:
            continue
        shown.append(formulas)
        names, rest = named(facts(other, 3) | case.calls, case.student.loss)
        if names and names != mistakes and not rest:
            alternatives.append(" and ".join(m.name for m in names))
        said.append("What was seen fits other formulas as well:")
        said += [f"  {f.words()}" for f in formulas if f not in shown[0]]
    text, climbs = steps_that_cancel(case)
    if text:
        said.append(text)
        mistakes += [m for m in MISTAKES if m.name == "update-adds" and climbs]
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
    return letter if p == 1 else f"{letter}²"


def steps_that_cancel(case: Case) -> tuple[str, bool]:
    """What to say where the steps undo a factor of the gradients, and whether they climb."""
    steps: list[Factor] = []
    with contextlib.suppress(Trouble):
        steps = step_factors(case.student)
    rule = case.state.rule
    loss = rule.get((3, "loss factor"), ONE)
    own = [rule.get((3, f"{name} factor"), ONE) for name in ("weights", "biases")]
    if not steps:
        return "", False
    climbs = any(step.c < 0 for step in steps)
    factors = {slot for _, slot in rule if slot.endswith("s factor")}
    wrong = {
        slot for (_, slot), c in rule.items() if not case.state.is_book(slot, c)
    }
    same = all(
        rule[l, slot] == rule[3, slot] for l, slot in rule if slot in factors
    )
    all_undone = all(undo(loss, *pair) for pair in zip(own, steps))
    if wrong <= factors and same and all_undone:
        return CANCEL, climbs
    if loss != ONE and all(undo(loss, step) for step in steps):
        return CANCEL_IN_PART, climbs
    return "", False


def undo(*factors: Factor) -> bool:
    """Whether the product of these factors is 1."""
    c = math.prod(one.c for one in factors)
    sizes = sum(one.n for one in factors), sum(one.K for one in factors)
    units = any(one.fan for one in factors)
    return abs(c - 1) < 1e-4 and sizes == (0, 0) and not units


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

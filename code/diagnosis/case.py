"""What is known of a backward pass that is wrong, and how it is told."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from .calls import Trouble
from .findings import finding
from .formulas import compared
from .losses import SQUARED_ERROR
from .mistakes import Mistake, facts, named
from .report import Diagnosis
from .search import Found
from .seen import Seen
from .states import State
from .student import Student

CHANGES = (
    "backward changes the parameters. It should only fill the gradients: what is computed"
    " after a change belongs to another network than the forward pass."
)
BEFORE = "What was filled before the error is not the book's. It is below."
WHERE_IT_RUNS = "What your code computes where it raises no error is below."


@dataclass
class Case:
    """What is known of a class that is wrong: all that was seen, what of it is wrong, the
    formulas that were found, and the networks of ``three`` layers that tell them; and of
    second calls what to say and which facts."""

    student: Student
    seen: list[Seen]
    wrong: list[Seen]
    found: Found = field(default_factory=lambda: Found([State()], 4, 3))
    three: list[Seen] = field(default_factory=list)
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


def told(
    case: Case, said: Iterable[str], mistakes: list[Mistake], **more
) -> Diagnosis:
    """A finding with the formulas, and where they first differ."""
    layer, parameter = first_place(case.state)
    of_loss = {SQUARED_ERROR.gradient_label: case.student.loss.gradient_label}
    return finding(
        "backward",
        said,
        None,
        [replace(m, label=of_loss.get(m.label, m.label)) for m in mistakes],
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


def of_trouble(case: Case) -> Diagnosis:
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

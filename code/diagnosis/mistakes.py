"""The mistakes that a diagnosis can name. They are data: ``mistakes.toml``.

A name is a pattern of facts: of what stands in the formulas that were found in place of
the book's terms.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from .factors import Factor
from .losses import Loss
from .states import Choice, State

DATA = Path(__file__).with_name("mistakes.toml")


@dataclass(frozen=True)
class Mistake:
    """``label`` is that of the equation that ``tex`` replaces, on its right side. Each of
    the ``facts`` is a way of making it, ``loss`` the same in the loss itself. One that is a
    mistake under a certain loss only names this in ``under``."""

    name: str
    label: str
    tex: str
    text: str
    facts: tuple[frozenset[str], ...]
    loss: tuple[frozenset[str], ...] = ()
    loss_text: str = ""
    under: str = ""


def read(path: Path) -> list[Mistake]:
    with path.open("rb") as file:
        entries = tomllib.load(file)["mistake"]
    ways = ("facts", "loss")
    return [
        Mistake(
            **entry | {k: tuple(map(frozenset, entry.get(k, ()))) for k in ways}
        )
        for entry in entries
    ]


MISTAKES = read(DATA)


def named(
    facts: Iterable[str], loss: Loss, of_loss: bool = False
) -> tuple[list[Mistake], set[str]]:
    """The mistakes that these facts are under a loss, in the order of the list; and the
    facts that are of none. What needs the most facts is looked for first."""
    left, found = set(facts), []
    ways = [
        (m, way)
        for m in MISTAKES
        if m.under in ("", loss.name)
        for way in (m.loss if of_loss else m.facts)
    ]
    for mistake, way in sorted(
        ways, key=lambda pair: (-len(pair[1]), "*" in str(pair[1]))
    ):
        used = [next((f for f in left if fnmatchcase(f, p)), None) for p in way]
        if None in used or not left:
            continue
        left -= set(used)
        if mistake not in found:
            found.append(mistake)
    return sorted(found, key=MISTAKES.index), left


def facts(state: State, L: int) -> set[str]:
    """What differs from the book in the formulas of an explanation."""
    layers: dict[tuple[str, str], list[int]] = {}
    known: dict[str, list[int]] = {}
    for (layer, slot), choice in state.rule.items():
        known.setdefault(slot, []).append(layer)
        for key in () if state.is_book(slot, choice) else keys(choice):
            layers.setdefault((slot, key), []).append(layer)
    return {
        f"{slot}: {key}{where(slot, ls, known[slot], L)}"
        for (slot, key), ls in layers.items()
    }


def where(slot: str, layers: list[int], known: list[int], L: int) -> str:
    """In which layers of those that are known: nothing is said where it is in all that
    have such a place."""
    if slot in ("source", "matrix") or slot.startswith("hidden"):
        if layers == [1] and L > 2:
            return " @first"
        return "" if len(layers) == len(known) or slot == "source" else " @some"
    of_parameters = slot.endswith("s factor") and slot != "loss factor"
    return " @some" if of_parameters and len(layers) < len(known) else ""


@cache
def keys(choice: Choice) -> tuple[str, ...]:
    """The parts of a factor, or the name of a term."""
    return atoms(choice) if isinstance(choice, Factor) else (choice.key,)


def atoms(factor: Factor) -> tuple[str, ...]:
    found = ["-1"] if factor.c < 0 else []
    size = abs(factor.c)
    if size != 1:
        found.append({2: "2", 0.5: "1/2"}.get(size, "number"))
    if factor.n == factor.K == 1:
        return (*found, "nK")
    for letter, power in (("n", factor.n), ("K", factor.K)):
        if power:
            found.append(letter if power > 0 else f"1/{letter}")
            found += ["power"] * (abs(power) > 1)
    return (*found, "units") if factor.fan else tuple(found)

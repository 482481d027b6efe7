"""The speech of the formulas of a chapter: of a display row by row, with its reasons."""

from ..chains import Chain, Placed, add_row, pieces
from ..check import world_of
from ..extract import Chapter, Display, Inline
from ..nodes import EquationError
from ..parse import parse_row
from ..reasons.words import Named, named
from ..results import Said
from .say import say
from .texts import read
from .words import Vocabulary

DEFINITION = [Named("a definition")]


def vocabulary(chapter: Chapter) -> Vocabulary:
    return Vocabulary(world_of(chapter), frozenset(chapter.names))


def of_formula(formula: Display | Inline, chapter: Chapter) -> list[Said]:
    """The rows of a formula in words; an inline formula has one. Raises EquationError
    where neither a grammar nor a comment says it, or both do."""
    parts, reasons = [formula.tex], {}
    if isinstance(formula, Display):
        parts, reasons = (
            [tex for *_, tex in pieces(formula.tex)],
            reasons_of(formula),
        )
    try:
        rows = [read(tex) for tex in parts]
    except EquationError as error:
        if formula.said:
            return [Said(formula.said)]
        raise EquationError(
            f"no words for it: {error}; write <!-- said: the words --> beside it"
        ) from error
    if formula.said:
        raise EquationError(
            f"the words are known; leave out 'said: {formula.said}'"
        )
    known = vocabulary(chapter)
    return [spoken(row, known, reasons.get(at, {})) for at, row in enumerate(rows)]


def spoken(row, known: Vocabulary, reasons: dict[int, list[Named]]) -> Said:
    """A row with the reasons of its relations. What equals its definition is said to be
    defined, and needs no other."""
    defined = {place for place, names in reasons.items() if names == DEFINITION}
    names = [
        name
        for place, found in reasons.items()
        if place not in defined
        for name in found
    ]
    return Said(
        say(row, known, frozenset(defined)),
        tuple(dict.fromkeys(in_words(n, known) for n in names if not n.label)),
        tuple(dict.fromkeys(name.label for name in names if name.label)),
    )


def in_words(name: Named, known: Vocabulary) -> str:
    if not name.symbol:
        return name.text
    return f"the definition of {say(read(name.symbol), known, frozenset())}"


def reasons_of(display: Display) -> dict[int, dict[int, list[Named]]]:
    """What each reason names, by the part of the display and the relation in it. The
    reasons follow the chains, of which two can stand side by side."""
    chains: list[Chain] = []
    columns: dict[int, Chain] = {}
    places: dict[int, tuple[int, int]] = {}
    if display.exempt or not display.reasons:
        return {}
    for at, (number, _, column, tex) in enumerate(pieces(display.tex)):
        known = {id(side) for chain in chains for side in chain.sides}
        add_row(parse_row(tex), Placed(None, number, 0), column, chains, columns)
        new = [
            s for c in chains for s in c.sides if id(s) not in known and s.relation
        ]
        places |= {id(side): (at, place) for place, side in enumerate(new)}
    equal = [
        places[id(side)]
        for chain in chains
        if not chain.of_decimals
        for side in chain.sides
        if side.relation == "="
    ]
    found: dict[int, dict[int, list[Named]]] = {}
    for (at, place), reason in zip(equal, display.reasons):
        found.setdefault(at, {})[place] = named(reason)
    return found

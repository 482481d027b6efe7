"""Write the script that judges formulas which readers type in place of those of the book."""

import json
from pathlib import Path
from typing import Any

from diagnosis.mistakes import MISTAKES, Mistake
from equations.feedforward import FEEDFORWARD
from equations.nodes import Quantity, walk
from equations.symbols import Place
from equations.world import LOSS

from .chosen import ACTIVATIONS, Book, Claim
from .layout import BATCH, DERIVATIVES, LOSSES, QUANTITIES, SAMPLE, Slot
from .script import Equation, equations, tex
from .tables import tables
from .wrong import WRONG

PARTS = [Path(__file__).with_name(name) for name in ("parser.js", "judge.js")]
SQUARED_ERROR = "squared error"  # the loss of the script's equations


def write_typed(book: Book) -> str:
    """The script; its errors are those of `write`."""
    found = equations(book)
    labels = {each.label for each in found}
    slopes = {label: tex(claim) for label, claim in definitions(book).items()}
    data = {
        "TABLES": tables(),
        "DERIVATIVES": derivatives(),
        "BARE": {
            name: Place(FEEDFORWARD.models()[0], None, (), loss).loss(loss)[0].key
            for name, loss in (
                (Path(each.claim.chapter.file).stem, each.claim.chapter.loss)
                for each in found
            )
            if loss
        },
        "DEFINITIONS": slopes,
        "MISTAKES": {
            label: [[m.name, m.tex] for m in named_mistakes() if m.label == label]
            for label in sorted(labels | slopes.keys())
        },
    }
    constants = [f"const {name} = {written(each)};" for name, each in data.items()]
    constants += [
        f"const {name} = ofRows({written(rows(each))});"
        for name, each in (("SYMBOLS", symbols(found)), ("LOSSES", losses()))
    ]
    return "\n".join(
        [
            '"use strict";\n(() => {',
            *constants,
            *(part.read_text(encoding="utf-8") for part in PARTS),
            "globalThis.BookFormulas = {parse, judge, FormulaError};",
            "})();\n",
        ]
    )


def written(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def rows(dicts: list[dict[str, Any]]) -> list[list[Any]]:
    """The names of the fields that all have, then the values of each."""
    return [list(dicts[0]), *(list(each.values()) for each in dicts)]


def definitions(book: Book) -> dict[str, Claim]:
    """The slopes that are given as functions of z, by the labels of their equations."""
    return {
        each.slope: book.claims(each.slope)[-1]
        for each in ACTIVATIONS
        if list(each.given) == ["z"]
    }


def named_mistakes() -> list[Mistake]:
    """Those of the diagnosis that are mistakes with this loss."""
    return [m for m in MISTAKES if m.under in ("", SQUARED_ERROR)]


def mistakes() -> dict[str, str]:
    """What to tell of each mistake, by its name."""
    told = {mistake.name: mistake.text for mistake in named_mistakes()}
    return told | {name: mistake.text for name, mistake in WRONG.items()}


def path(slot: Slot | None) -> list[str] | None:
    """Where a quantity stands in the state: its name, the layer, the sample."""
    if slot is None:
        return None
    return slot.base.removeprefix("S.").replace("]", "").split("[")


def symbols(equations: list[Equation]) -> list[dict[str, Any]]:
    """``stands`` says whether one of the equations has the letter, or what has no numbers."""
    letters = {
        node.letter
        for each in equations
        for node in walk((each.claim.left.node, each.claim.right.node))
        if isinstance(node, Quantity)
    }
    return [
        {
            "letter": symbol.letter,
            "key": symbol.key,
            "kind": symbol.kind,
            "layered": symbol.layered,
            "part": symbol.part,
            "bold": symbol.bold,
            "sample": symbol.sample,
            "row": symbol.row,
            "axes": symbol.axes,
            "path": path(QUANTITIES.get(symbol.key)),
            "stands": symbol.letter in letters or symbol.kind != "leaf",
        }
        for symbol in FEEDFORWARD.symbols
        if symbol.key in QUANTITIES or symbol.kind in ("function", "variable")
    ]


def losses() -> list[dict[str, Any]]:
    return [
        {
            "key": symbol.key,
            "word": symbol.word,
            "arguments": symbol.arguments,
            "said": " and ".join(
                FEEDFORWARD.named(a).said for a in symbol.arguments
            ),
            "axes": symbol.axes,
            "path": path(LOSSES[symbol.key]),
        }
        for symbol in FEEDFORWARD.of_letter(LOSS)
    ]


def derivatives() -> list[dict[str, Any]]:
    """Those that equations of the script give, for all layers; those by what goes into a
    layer are the deltas, by definition."""
    found = DERIVATIVES | {
        (SAMPLE, "z_out"): Slot("S.douts[{}][one]", ""),
        (BATCH, "Z_out"): Slot("S.Douts[{}]", ""),
        (SAMPLE, "z_in"): QUANTITIES["delta"],
        (BATCH, "Z_in"): QUANTITIES["Delta"],
    }
    return [
        {"loss": path(loss), "by": by, "path": path(slot)}
        for (loss, by), slot in found.items()
    ]

"""Change each row at one place in every way that a slip of the pen would, and see that
the check rejects it."""

import dataclasses
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import torch
from lark import Token, Tree

from .chains import pieces
from .check import check_display, world_of
from .extract import Chapter, Display, read_chapter
from .feedforward import FEEDFORWARD
from .parse import tree
from .proofs import Library, check_steps
from .world import World

# Changed rows that are true, listed by hand beside the chapters.
TRUE_MUTANTS = "true_mutants.txt"

OPPOSITES = {
    "+": "-",
    "-": "+",
    r"\mathrm{in}": r"\mathrm{out}",
    r"\mathrm{out}": r"\mathrm{in}",
    "in": "out",
    "out": "in",
}
LAYERS = (r"\ell", r"\ell-1", "L")
ENDS = ("L-1", "L", "L+1")


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A display with one change: ``name`` says where it is and what was changed."""

    name: str
    display: Display


@dataclasses.dataclass(frozen=True)
class Edit:
    kind: str
    start: int
    end: int
    new: str


def mutants(display: Display, world: World = FEEDFORWARD) -> Iterator[Mutant]:
    """All mutants of a displayed equation, with the letters of its world."""
    seen: Counter[str] = Counter()
    for number, place, _, text in pieces(display.tex):
        for edit in sorted(
            set(edits(text, world)), key=lambda e: (e.start, e.end, e.kind)
        ):
            start, end = place + edit.start, place + edit.end
            tex = display.tex[:start] + edit.new + display.tex[end:]
            old = " ".join(display.tex[start:end].split())
            change = f"{old} -> {edit.new}" if edit.new else f"drop {old}"
            name = f"{display.label}, row {number}: {edit.kind}: {change}"
            seen[name] += 1
            if seen[name] > 1:
                name += f" ({seen[name]})"
            yield Mutant(name, dataclasses.replace(display, tex=tex))


def edits(text: str, world: World) -> Iterator[Edit]:
    """The changes of a row, with their places in its text."""
    root = tree(text)
    letters = sorted({str(t) for t in root.scan_values(is_index) if t.isalpha()})
    for node in root.iter_subtrees_topdown():
        yield from edits_of_rule(node, text, letters)
        if node.data in ("layer", "range"):
            continue
        for token in node.children:
            if isinstance(token, Token):
                yield from edits_of_token(token, node, letters, world)


def edits_of_rule(node: Tree, text: str, letters: list[str]) -> Iterator[Edit]:
    children, place = node.children, node.meta
    match node.data:
        case "below":
            yield from index_swaps(tokens(children, "LETTER", "INTEGER"))
        case "layer_mark":
            yield from other_layers("layer", children[0], text, LAYERS)
        case "range":
            for layer in (child for child in children if isinstance(child, Tree)):
                yield from other_layers("range", layer, text, ENDS)
        case "summed":
            body = children[-1]
            yield Edit("sum", place.start_pos, body.meta.start_pos, "")
        case "above":
            kinds = {"PRIME": "prime", "TRANSPOSE": "transpose", "INTEGER": "power"}
            for token in tokens(children, *kinds):
                ends = span(token)
                if len(children) == 1:
                    ends = place.start_pos, place.end_pos
                yield Edit(kinds[token.type], *ends, "")
        case "adjacent" if len(children) > 1:
            for child in children:
                yield Edit("factor", child.meta.start_pos, child.meta.end_pos, "")
        case "product":
            yield from without_factor(children)
            yield from other_products(children, text, place)
        case "sum":
            yield from without_term(children)


def other_layers(
    kind: str, layer: Tree, text: str, names: tuple[str, ...]
) -> Iterator[Edit]:
    """A number one off, or another one of these names."""
    start, end = layer.meta.start_pos, layer.meta.end_pos
    old = text[start:end].replace(" ", "")
    if old.isdigit():
        names = str(int(old) - 1), str(int(old) + 1)
    for new in names:
        if new != old:
            yield Edit(kind, start, end, new)


def edits_of_token(
    token: Token, node: Tree, letters: list[str], world: World
) -> Iterator[Edit]:
    place = span(token)
    if token.type in ("PLUS", "MINUS", "IN", "OUT"):
        new = OPPOSITES[str(token).replace(r"\text", r"\mathrm")]
        if token.type == "MINUS" and node.children[0] is token:
            new = ""
        kind = "sign" if token.type in ("PLUS", "MINUS") else "in/out"
        yield Edit(kind, *place, new)
    if token.type == "NAME":
        old = bare(token)
        new = other_case(old)
        if {old, new} <= world.letters:
            yield Edit("case", *place, str(token).replace(old, new))
    if node.data == "number":
        yield Edit("number", *place, token[:-1] + str((int(token[-1]) + 2) % 10))
    if is_index(token) and node.data in ("below", "summed"):
        kind = "index" if node.data == "below" else "summation index"
        if token.isdigit():
            for position, digit in enumerate(token):
                new = "2" if digit == "1" else "1"
                text = token[:position] + new + token[position + 1 :]
                yield Edit(kind, *place, text)
        else:
            for letter in [*letters, next(c for c in "pqc" if c not in letters)]:
                if letter != token:
                    yield Edit(kind, *place, letter)


def other_case(letter: str) -> str:
    """z and Z, delta and Delta."""
    return letter[:1].swapcase() + letter[1:]


def span(part: Token) -> tuple[int, int]:
    """Where a token begins and ends in the text."""
    assert part.start_pos is not None and part.end_pos is not None
    return part.start_pos, part.end_pos


def index_swaps(indices: list[Token]) -> Iterator[Edit]:
    """Neighbouring indices in the other order."""
    for token in indices:
        for k in range(len(token) - 1):
            swapped = token[:k] + token[k + 1] + token[k] + token[k + 2 :]
            if swapped != token:
                yield Edit("indices", *span(token), swapped)
    for one, two in pairwise(indices):
        if one != two:
            yield Edit("indices", span(one)[0], span(two)[1], f"{two}{one}")


def without_factor(children: list) -> Iterator[Edit]:
    factors = [child for child in children if isinstance(child, Tree)]
    if len(factors) < 2:
        return
    for factor, after in zip(factors, [*factors[1:], None]):
        if after is not None:  # with the sign behind it
            end = after.meta.start_pos
            yield Edit("factor", factor.meta.start_pos, end, "")
        else:
            before = factors[-2].meta.end_pos
            yield Edit("factor", before, factor.meta.end_pos, "")


def other_products(children: list, text: str, place) -> Iterator[Edit]:
    """\\odot for every \\cdot of a product of vectors or matrices, or the reverse."""
    whole = text[place.start_pos : place.end_pos]
    signs = tokens(children, "CDOT", "ODOT")
    if signs and (r"\mathbf" in whole or r"\boldsymbol" in whole):
        new = r"\cdot" if signs[0].type == "ODOT" else r"\odot"
        for sign in reversed(signs):
            start = sign.start_pos - place.start_pos
            whole = whole[:start] + new + whole[start + len(sign) :]
        yield Edit("product", place.start_pos, place.end_pos, whole)


def without_term(children: list) -> Iterator[Edit]:
    terms = [child for child in children if isinstance(child, Tree)]
    for one, two in pairwise(terms):
        yield Edit("term", one.meta.end_pos, two.meta.end_pos, "")


def tokens(children: list, *types: str) -> list[Token]:
    return [c for c in children if isinstance(c, Token) and c.type in types]


def is_index(child) -> bool:
    return isinstance(child, Token) and child.type in ("LETTER", "INTEGER")


def bare(token: Token) -> str:
    return str(token).rpartition("{")[2].strip("{}\\")


# ---------------------------------------------------------------- run


@dataclasses.dataclass
class Outcome:
    """Names of mutants: ``survivors`` that no list explains, ``true`` ones that a list
    does, and ``stale`` names in a list that are no survivors."""

    total: int
    survivors: list[str]
    true: list[str]
    stale: list[str]

    @property
    def killed(self) -> int:
        return self.total - len(self.survivors) - len(self.true)


def survives(task: tuple[Chapter, Mutant]) -> bool:
    """Whether neither the numbers nor the reasons object."""
    chapter, mutant = task
    result = check_display(mutant.display, chapter)
    if not result.failures:
        check_steps(mutant.display, chapter, Library([chapter]), result)
    return not result.failures


def run(paths: list[str], name: str | None = None) -> Outcome:
    """Check all mutants of all displayed equations, on two processes. ``name`` is the
    world of the files that name none.

    Raises OSError and ValueError as `read_chapter`, and ValueError where a display
    does not pass as it stands, or a list of true mutants is not in order.
    """
    tasks = []
    for chapter in (read_chapter(path, name) for path in paths):
        world = world_of(chapter)
        for display in chapter.displays:
            if display.exempt:
                continue
            failures = check_display(display, chapter).failures
            if failures:
                raise ValueError(f"without any change: {failures[0]}")
            tasks += [(chapter, mutant) for mutant in mutants(display, world)]
    if len(tasks) < 200:  # to start processes would take longer
        alive = [*map(survives, tasks)]
    else:
        context = multiprocessing.get_context("spawn")
        with context.Pool(2, torch.set_num_threads, (1,)) as pool:
            alive = pool.map(survives, tasks, chunksize=20)
    names = [mutant.name for (_, mutant), lives in zip(tasks, alive) if lives]
    listed = true_mutants(paths)
    return Outcome(
        len(tasks),
        [name for name in names if name not in listed],
        [name for name in names if name in listed],
        [name for name in listed if name not in names],
    )


def true_mutants(paths: list[str]) -> dict[str, str]:
    """Names and reasons in the lists beside the files: a name, then an indented line
    with its reason."""
    reasons: dict[str, str] = {}
    for folder in sorted({Path(path).parent for path in paths}):
        listing = folder / TRUE_MUTANTS
        if not listing.is_file():
            continue
        name = ""
        lines = listing.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            if line.startswith("#") or not line.strip():
                continue
            if line.startswith(" ") and name:
                reasons[name], name = line.strip(), ""
            elif not line.startswith(" ") and not name:
                name = line
            else:
                raise ValueError(f"{listing}:{number}: a mutant, then its reason")
        if name:
            raise ValueError(f"{listing}: no reason for {name}")
    return reasons

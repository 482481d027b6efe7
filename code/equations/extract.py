"""The formulas of a chapter, displayed and inline, and what its text declares."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TypeGuard, TypeVar

from chapters import markdown, pieces
from chapters.parser import front_matter

from .networks import PencilNetwork
from .nodes import EquationError, Loss
from .parse import parse_row

EXEMPT = re.compile(r"<!--\s*not executed:\s*(\S.*?)\s*-->", re.DOTALL)
CLAIM = re.compile(
    r"<!--\s*((?::?=|\\(?:equiv|approx|neq?|leq?|geq?|in)\b|<|>).*?)\s*-->",
    re.DOTALL,
)
SAID = re.compile(r"(?:;\s*|(?<=<!--)\s*)said:\s*(\S.*?)\s*(?=-->)", re.DOTALL)
REASON = "*Reason:* "
STANDS_FOR = re.compile(r"\s+stands\s+for\s+")
LEARNING_RATE = re.compile(r"\\eta = (\d+(?:\.\d+)?)")


@dataclass
class Display:
    """A displayed equation: ``tex`` is what stands in the file, from ``line`` on. Where
    no grammar reads it, a comment above has how it is ``said``."""

    file: str
    line: int
    tex: str
    label: str | None = None
    exempt: str | None = None
    reasons: list[str] = field(default_factory=list)
    said: str = ""

    @property
    def place(self) -> tuple[str, int]:
        return self.file, self.line


@dataclass
class Inline:
    """An inline formula; ``before`` and ``after`` are the words around it. ``claim`` is
    what a comment right behind it claims of it, such as '= 1'; ``exempt`` is why it is
    not executed, and ``said`` how it is said where no grammar reads it; ``unread`` is a
    comment there that says none of this."""

    file: str
    line: int
    tex: str
    before: str = ""
    after: str = ""
    claim: str = ""
    exempt: str = ""
    unread: str = ""
    said: str = ""


@dataclass
class Chapter:
    """What a file says: its formulas, and what its text declares about them."""

    file: str
    displays: list[Display]
    inlines: list[Inline]
    loss: Loss | None  # what a bare loss stands for
    learning_rate: float | None
    numbers: dict[str, list] | None  # the network of the cell tagged `pencil`
    world: str | None  # of the front matter: the model in which it is evaluated
    names: dict[str, str]  # of the front matter: letters of its own, with meanings

    @property
    def formulas(self) -> list[Display | Inline]:
        return [*self.displays, *self.inlines]


def read_chapter(path: str, world: str | None = None) -> Chapter:
    """Read a Markdown file; ``world`` is its world if its front matter names none.

    Raises OSError where it cannot be opened, and ValueError where it is no text, where
    a formula stands in a form that is not read, or where what the chapter declares
    cannot be understood.
    """
    try:
        source = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text file in UTF-8") from error
    chapter = parse_chapter(path, source)
    return replace(chapter, world=chapter.world or world)


def parse_chapter(path: str, source: str) -> Chapter:
    """As `read_chapter`, from the text of the file."""
    try:
        found = list(markdown.of_file(source))
        world, names = settings(front_matter(source))
    except ValueError as error:
        raise ValueError(f"{path}:{error}") from error
    for unread in of_kind(pieces.Unread, found):
        raise ValueError(f"{path}:{unread.line}: {unread.message}")
    displays = of_kind(pieces.Display, found)
    inlines = of_kind(pieces.Inline, found)
    attached = [piece.words.comment for piece in inlines]
    for html in of_kind(pieces.Html, found):
        comment = html.content.strip()
        if comment in attached:
            attached.remove(comment)
        elif CLAIM.match(comment):
            raise ValueError(
                f"{path}:{html.line}: no formula stands right before: {comment}"
            )
    directives = of_kind(pieces.Directive, found)
    return Chapter(
        path,
        [display(path, piece) for piece in displays],
        [inline(path, piece) for piece in inlines],
        declared(path, losses(inlines), "a loss with its arguments", loss),
        declared(path, rates(inlines), "a learning rate", float),
        declared(path, pencils(directives), "W1, b1, ..., x, y that fit", numbers),
        world,
        names,
    )


Kind = TypeVar("Kind", bound=pieces.Piece)


def of_kind(kind: type[Kind], found: list[pieces.Piece]) -> list[Kind]:
    return [piece for piece in found if isinstance(piece, kind)]


def inline(path: str, piece: pieces.Inline) -> Inline:
    words = piece.words
    comment, said = without_words(words.comment)
    claim, exempt = CLAIM.fullmatch(comment), EXEMPT.fullmatch(comment)
    is_comment = comment.startswith("<!--")  # and no other HTML
    return Inline(
        path,
        piece.line,
        piece.tex,
        words.before,
        words.after,
        claim[1] if claim else "",
        exempt[1] if exempt else "",
        comment if is_comment and not (claim or exempt) else "",
        said,
    )


def without_words(comment: str) -> tuple[str, str]:
    """A comment without how a formula is said, and that; none where it says no more."""
    said = SAID.search(comment)
    if not said:
        return comment, ""
    left = comment[: said.start()] + comment[said.end() :]
    return ("" if left == "<!---->" else left), said[1]


def display(path: str, piece: pieces.Display) -> Display:
    comment, said = without_words(piece.above.strip())
    exempt = EXEMPT.fullmatch(comment)
    reasons = piece.below
    if isinstance(reasons, str):
        is_reason = reasons.startswith(REASON)
        reasons = [reasons.removeprefix(REASON).strip()] if is_reason else []
    why = exempt[1] if exempt else None
    return Display(path, piece.line, piece.tex, piece.label, why, reasons, said)


def settings(front: dict) -> tuple[str | None, dict[str, str]]:
    """The name of the world in which a chapter's equations are evaluated, and the
    letters that its text uses for its own, with what they mean."""
    match front.get("equations", {}):
        case {**found} if found.keys() <= {"world", "names"}:
            world, names = found.get("world"), found.get("names", {})
            if isinstance(world, str | None) and is_text(names):
                return world, names
    raise ValueError(
        "1: the front matter says 'equations: {world: NAME, names: {p: a prediction}}',"
        f" each where it is needed, but here {front['equations']!r}"
    )


def is_text(names: object) -> TypeGuard[dict[str, str]]:
    """Whether letters and their meanings stand here."""
    return isinstance(names, dict) and all(
        part and isinstance(part, str) for pair in names.items() for part in pair
    )


Declaration = tuple[int, str]  # its line, and what is to be read there


def losses(inlines: list[pieces.Inline]) -> Iterator[Declaration]:
    for name, other in pairwise(inlines):
        if name.tex == r"\mathcal{L}" and STANDS_FOR.fullmatch(other.words.before):
            yield name.line, other.tex


def rates(inlines: list[pieces.Inline]) -> Iterator[Declaration]:
    for piece in inlines:
        match = LEARNING_RATE.fullmatch(piece.tex)
        if match:
            yield piece.line, match[1]


def pencils(directives: list[pieces.Directive]) -> Iterator[Declaration]:
    for each in directives:
        if each.name == "code-cell" and "pencil" in (
            each.options.get("tags") or []
        ):
            yield each.line, "\n".join(each.body)


def declared(
    path: str, places: Iterable[Declaration], expected: str, read: Callable
):
    """What a chapter declares, None where it does not; a ValueError where that cannot
    be read, or where there are two."""
    found = None
    for line, written in places:
        place = f"{path}:{line}"
        try:
            value = read(written)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            raise ValueError(f"{place}: expected {expected}; {problem}") from error
        if found not in (None, value):
            raise ValueError(f"{place}: {expected}, but another stands above")
        found = value
    return found


def loss(tex: str) -> Loss:
    (side,) = parse_row(tex).sides
    if not isinstance(side, Loss) or not side.arguments:
        raise EquationError(f"{tex} is none")
    return side


def numbers(cell: str) -> dict[str, list]:
    """The numbers that the code cell tagged `pencil` assigns to W1, b1, ..., x and y."""
    found = {}
    for statement in ast.parse(cell).body:
        match statement:
            case ast.Assign([ast.Name(name)], ast.Call(args=[values])) if (
                re.fullmatch(r"[Wb]\d+|[xy]", name)
            ):
                found[name] = ast.literal_eval(values)
    PencilNetwork(found, None)  # raises where they are too few or do not fit
    return found

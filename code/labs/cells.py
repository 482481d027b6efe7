"""The lines of a cell in the solution and in the question."""

from itertools import dropwhile
from pathlib import Path

from . import include
from .answers import marked
from .fault import Fault, one_line
from .stubs import STATEMENT, compiled, stub
from .tags import Line, Part, append, is_blank
from .template import check_line


def text_cell(
    parts: list[Part], is_question: bool, is_marked: bool = False
) -> list[Line]:
    """A Markdown cell, or a raw one; ``is_marked`` says whether answers have marks
    around them."""
    done: list[Line] = []
    for part in parts:
        tags = {line.tag.name: line.number for line in part.lines if line.tag}
        if "INCLUDE" in tags:
            raise Fault(tags["INCLUDE"], "INCLUDE outside a code cell")
        if "MARKS" in tags and "MSG" not in tags:
            raise Fault(
                tags["MARKS"], "MARKS without MSG: nothing asks for an answer"
            )
        is_hidden = part.homework and is_question
        shown = messages(part) if is_hidden else untagged(part)
        append(done, marked(part, shown) if part.homework and is_marked else shown)
    return done


def messages(part: Part) -> list[Line]:
    """What the question shows of homework in a Markdown cell. It is as far from the
    text around as the homework is, for it may belong to a list or a paragraph."""
    shown = [
        Line(line.number, (line.tag.indent + line.tag.argument).rstrip())
        for line in part.lines
        if line.tag and line.tag.name == "MSG"
    ]
    hidden, gap = untagged(part), [Line(part.number, "")]
    before = gap if hidden and is_blank(hidden[0]) else []
    after = gap if hidden and is_blank(hidden[-1]) else []
    return before + shown + after if shown else before or after


def untagged(part: Part) -> list[Line]:
    return [line for line in part.lines if not line.tag]


def without_skip(lines: list[Line]) -> tuple[list[Line], bool]:
    """A code cell without the tags at its head, and whether there were any."""
    rest, skipped = list(dropwhile(is_blank, lines)), False
    while rest and rest[0].tag and rest[0].tag.name == "SKIPQUESTEXEC":
        rest, skipped = list(dropwhile(is_blank, rest[1:])), True
    return (rest if skipped else lines), skipped


def code_cell(
    parts: list[Part], python: bool, folder: Path, is_question: bool
) -> list[Line]:
    """A code cell. Raises Fault where the code of either version does not compile,
    unless it is not ``python``."""
    for line in (line for part in parts for line in part.lines):
        if line.tag and line.tag.name == "MARKS":
            raise Fault(line.number, "MARKS in a code cell: tag the check marks=…")
    shown = [solved(part, folder) for part in parts]
    if python:
        check(shown)
    for place, part in enumerate(parts):
        if is_question and part.homework:
            shown[place] = to_do(part, folder)
            if python:
                fill(shown, place, part)
    return flat(shown)


def flat(shown: list[list[Line]]) -> list[Line]:
    return [line for lines in shown for line in lines]


def texts(shown: list[list[Line]]) -> list[str]:
    return [line.text for line in flat(shown)]


def check(shown: list[list[Line]]) -> None:
    lines = list(dropwhile(is_blank, flat(shown)))  # as IPython does
    try:
        compiled([line.text for line in lines])
    except (SyntaxError, ValueError) as error:
        place = getattr(error, "lineno", None) or 1
        number = lines[min(place, len(lines)) - 1].number
        message = getattr(error, "msg", None) or one_line(error)
        raise Fault(number, f"the code does not compile: {message}") from None


def solved(part: Part, folder: Path) -> list[Line]:
    """What the solution shows of a part of a code cell."""
    shown = []
    for line in part.lines:
        if line.tag is None:
            shown.append(line)
        elif line.tag.name == "INCLUDE":
            shown += at(line, include.source(line, folder))
    return shown


def to_do(part: Part, folder: Path) -> list[Line]:
    """What the question shows of homework in a code cell, but for a stub that may be
    needed: messages, and included functions with a stub as their body."""
    shown: list[Line] = []
    indent = None  # of the body of an included function, until its stub is there
    for line in part.lines:
        if indent is not None and not (line.tag and line.tag.name == "MSG"):
            shown.append(Line(line.number, indent + STATEMENT))
            indent = None
        if line.tag and line.tag.name == "MSG":
            before = line.tag.indent if indent is None else indent
            shown.append(
                Line(line.number, f"{before}# {line.tag.argument}".rstrip())
            )
        elif line.tag:
            opening, indent = include.opening(line, folder)
            shown += at(line, opening)
    if indent is not None:
        shown.append(Line(part.lines[-1].number, indent + STATEMENT))
    return shown


def at(line: Line, lines: list[str]) -> list[Line]:
    """Lines that stand in place of one of the template."""
    for text in lines:
        check_line(line.number, text)
    return [Line(line.number, text) for text in lines]


def fill(shown: list[list[Line]], place: int, part: Part) -> None:
    """Put a stub behind the messages of homework if the code needs one there. What
    follows in the cell still is as in the solution."""
    before, after = texts(shown[: place + 1]), texts(shown[place + 1 :])
    indent = margin(part)
    homework = [line.text for line in untagged(part)]
    word = stub(before, indent, homework, after)
    if word:
        shown[place].append(Line(part.number, indent + word))
    try:
        compiled(texts(shown))
    except (SyntaxError, ValueError):
        message = "the question does not compile without this homework"
        raise Fault(part.number, message) from None


def margin(part: Part) -> str:
    """What stands before the first line of code of homework."""
    codes = (
        line.text for line in part.lines if not is_blank(line) and not line.tag
    )
    first = next((code for code in codes if not code.lstrip().startswith("#")), "")
    return first[: len(first) - len(first.lstrip())]

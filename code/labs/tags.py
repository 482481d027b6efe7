"""The tags of a template, and the homework between them."""

import re
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import NamedTuple, TypeVar

from .fault import Fault

TAG = re.compile(r"(\s*)#!([A-Z]+)\b\s*(.*?)\s*")
MARKDOWN_TAG = re.compile(rf"(?:%\s*)?{TAG.pattern}")  # % begins a comment of MyST
# Anywhere in a line, and misspelt.
LIKE_TAG = re.compile(
    r"#\s*!\s*(?:TAG|MSG|INCLUDE|MARKS)\b|\b(?:HWBEGIN|HWEND|SKIPQUESTEXEC)\b",
    re.IGNORECASE,
)
SPAN = re.compile(r"(`+).+?\1")

NAMES = {"HWBEGIN", "HWEND", "SKIPQUESTEXEC"}


class Tag(NamedTuple):
    """A tag: 'MSG', 'INCLUDE', 'MARKS' or one of ``NAMES``; and what stands before and after."""

    name: str
    argument: str
    indent: str


class Line(NamedTuple):
    """A line of a template or of a version: its number in the template, from 1."""

    number: int
    text: str
    tag: Tag | None = None


AnyLine = TypeVar("AnyLine", Line, str)


@dataclass
class Part:
    """Consecutive lines of a cell that are homework, or are not. ``number`` is the line
    where homework begins."""

    homework: bool = False
    number: int = 0
    lines: list[Line] = field(default_factory=list)


def like_tag(line: str) -> bool:
    """Whether a line seems to have a tag. In backticks, tags are what a text is about."""
    return bool(LIKE_TAG.search(SPAN.sub("", line)))


def tagged(number: int, text: str, kind: str) -> Line:
    """A line of a cell, with the tag that it is."""
    pattern = TAG if kind == "code" else MARKDOWN_TAG
    match = pattern.fullmatch(text)
    if not match:
        if like_tag(text):
            raise Fault(
                number, "a tag is not spelt right, or not alone on its line"
            )
        return Line(number, text)
    indent, name, argument = match.groups()
    known = {"MSG", "INCLUDE", "MARKS"}
    if name == "TAG":
        name, argument, known = argument.rstrip("'\""), "", NAMES
    if name not in known:
        raise Fault(number, f"unknown tag {text.strip()}")
    return Line(number, text, Tag(name, argument, indent))


def split(lines: list[Line], since: int) -> list[Part]:
    """The parts of one cell, in order. It begins in homework that began in an earlier
    cell, in the line ``since``, unless that is 0; and may end in homework that goes on
    in the next one."""
    parts = [Part(bool(since), since)]
    for line in lines:
        is_open = parts[-1].homework
        name = line.tag.name if line.tag else ""
        if name == "HWBEGIN":
            if is_open:
                where = f"the homework that begins in line {parts[-1].number}"
                raise Fault(line.number, f"HWBEGIN inside {where}")
            parts.append(Part(True, line.number))
        elif name == "HWEND":
            if not is_open:
                raise Fault(line.number, "HWEND without HWBEGIN")
            parts.append(Part())
        elif name == "SKIPQUESTEXEC":
            raise Fault(line.number, "SKIPQUESTEXEC not at the head of a code cell")
        elif name in {"MSG", "MARKS"} and not is_open:
            raise Fault(line.number, f"{name} outside homework")
        else:
            parts[-1].lines.append(line)
    return parts


def is_blank(line: Line | str) -> bool:
    return not (line if isinstance(line, str) else line.text).strip()


def append(shown: list[AnyLine], more: list[AnyLine]) -> None:
    """Add lines to others. Where something has vanished between them, no blank lines
    pile up."""
    if not shown or is_blank(shown[-1]):
        more = list(dropwhile(is_blank, more))
    shown += more

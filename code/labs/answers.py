"""The answers in words: in a notebook, each is a cell of its own, tagged `answer`."""

import re
from collections.abc import Iterator
from itertools import groupby

import nbformat
from nbformat import NotebookNode

from .tags import Line, Part, is_blank

# Around an answer, in the text of a version that is to become a notebook.
BEGIN, END = "<!-- labs: answer {} -->", "<!-- labs: end of the answer -->"
MARKER = re.compile(r"<!-- labs: (?:answer (\S*)|end of the answer) -->")


def marked(part: Part, shown: list[Line]) -> list[Line]:
    """What is shown of homework in words, between marks. Blank lines stay outside."""
    places = [place for place, line in enumerate(shown) if not is_blank(line)]
    if not places:
        return shown
    first, last = places[0], places[-1] + 1
    tags = (line.tag for line in part.lines if line.tag)
    marks = [tag.argument for tag in tags if tag.name == "MARKS"]
    begin = Line(part.number, BEGIN.format(marks[0] if marks else "-"))
    end = Line(part.number, END)
    return [*shown[:first], begin, *shown[first:last], end, *shown[last:]]


def split(cell: NotebookNode) -> Iterator[NotebookNode]:
    """The cells of a Markdown cell with marks. An answer within a paragraph or a list
    cannot be a cell of its own; then the whole cell is the answer."""
    lines = cell.source.split("\n")
    places = [
        place for place, line in enumerate(lines) if MARKER.fullmatch(line.strip())
    ]
    if not places:
        yield cell
    elif all(stands_alone(lines, place, even) for even, place in enumerate(places)):
        number, marks = 0, {}
        numbers = []
        for line in lines:
            match = MARKER.fullmatch(line.strip())
            number += bool(match)
            numbers.append(number)
            if match and match[1]:
                marks[number] = match[1]
        pairs = zip(numbers, lines, strict=True)
        for number, group in groupby(pairs, key=lambda pair: pair[0]):
            kept = [line for _, line in group if not MARKER.fullmatch(line.strip())]
            source = "\n".join(kept).strip("\n")
            if source.strip():
                yield piece(cell, source, marks.get(number))
    else:
        found = [MARKER.fullmatch(lines[place].strip())[1] for place in places]
        given = [word for word in found if word]
        kept = [line for line in lines if not MARKER.fullmatch(line.strip())]
        yield piece(cell, "\n".join(kept), given[0])


def stands_alone(lines: list[str], place: int, number: int) -> bool:
    """Whether what is outside of a mark is a blank line, or the end of the cell, and
    whether no fence or formula is open there."""
    outside = place - 1 if number % 2 == 0 else place + 1
    is_blank_there = not 0 <= outside < len(lines) or not lines[outside].strip()
    before = [line.strip() for line in lines[:place]]
    fences = sum(line.startswith(("```", "~~~")) for line in before)
    formulas = sum(line.count("$$") for line in before)
    margin = not lines[place].startswith((" ", "\t"))
    return is_blank_there and margin and fences % 2 == formulas % 2 == 0


def piece(cell: NotebookNode, source: str, marks: str | None) -> NotebookNode:
    """A part of a cell; an answer, if it has marks."""
    made = nbformat.v4.new_markdown_cell(source, metadata=dict(cell.metadata))
    if marks is not None:
        tags = [*(cell.metadata.get("tags") or []), "answer"]
        made.metadata["tags"] = tags if marks == "-" else [*tags, f"marks={marks}"]
    return made

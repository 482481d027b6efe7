"""The two versions of a template, as text in its own Markdown.

In the solution, homework stands without its tags; in the question, messages and stubs
stand in its place. Whatever has no tag stays as it is, MyST's directives included.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from .cells import code_cell, text_cell, without_skip
from .fault import Fault
from .myst import directives
from .tags import Line, Part, like_tag, split, tagged
from .template import Cell, Template, parse


@dataclass(frozen=True)
class Version:
    """The lines of a version, and which of its code cells (from 0) are not executed."""

    is_question: bool
    lines: list[Line]
    skipped: frozenset[int]

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines) + "\n"

    def with_images(self, places: dict[str, str]) -> "Version":
        """The version with images at other places than in the template."""
        lines = list(self.lines)
        for path, place in places.items():
            if path != place:
                shown, to = link_to(path), quote(place)  # without backslashes
                lines = [
                    line._replace(text=shown.sub(to, line.text)) for line in lines
                ]
        return replace(self, lines=lines)


def link_to(path: str) -> re.Pattern[str]:
    """What the path of an image looks like in Markdown and in HTML."""
    words = "|".join(map(re.escape, sorted({path, quote(path)})))
    return re.compile(rf"(?<=[(<\"'])(?:{words})(?=[)>\"'\s])")


def solution(text: str, folder: Path) -> str:
    """The solution of a template, given as text; includes are relative to ``folder``.

    Raises Fault, with the line, if a tag is not right or code does not compile.
    """
    return build(parse(text), folder, is_question=False).text


def question(text: str, folder: Path) -> str:
    """The question of a template, as `solution`."""
    return build(parse(text), folder, is_question=True).text


def shown(text: str, folder: Path) -> str:
    """What a page shows of a text: the solution, if it is a template. Raises Fault."""
    return solution(text, folder) if is_template(text) else text


def is_template(text: str) -> bool:
    """Whether a text has tags."""
    return any(map(like_tag, text.split("\n")))


def build(
    template: Template, folder: Path, is_question: bool, is_marked: bool = False
) -> Version:
    """A version of a template. Raises Fault. ``is_marked`` says whether answers in words
    have marks around them, by which a notebook finds them."""
    lines: list[Line] = []
    texts: list[Line] = []  # of cells without code, as they are in the template
    skipped, position, code_cells, since = set(), 0, 0, 0
    for cell in template.cells:
        lines += between_cells(template, position, cell.start)
        source, is_skipped, parts = parts_of(template, cell, since)
        since = parts[-1].number
        lines += version_of(cell, parts, folder, is_question, is_marked)
        if cell.kind == "code":
            if is_skipped and is_question:
                skipped.add(code_cells)
            code_cells += 1
        else:
            texts += source
        position = cell.stop
    if since:
        raise not_closed(since)
    lines += between_cells(template, position, len(template.lines))
    if is_question and template.flavour == "myst":
        lines = without_empty_solutions(template, texts, lines)
    return Version(is_question, lines, frozenset(skipped))


def parts_of(
    template: Template, cell: Cell, since: int
) -> tuple[list[Line], bool, list[Part]]:
    """The lines of a cell, whether the question does not run it, and its parts.
    ``since`` is the line of a HWBEGIN in an earlier cell, 0 if none is open."""
    source, is_skipped = cell_lines(template, cell), False
    if cell.kind == "code":
        source, is_skipped = without_skip(source)
    return source, is_skipped, split(source, since)


def version_of(
    cell: Cell, parts: list[Part], folder: Path, is_question: bool, is_marked: bool
) -> list[Line]:
    """The lines of a cell in a version."""
    if cell.kind == "code":
        return code_cell(parts, cell.python, folder, is_question)
    return text_cell(parts, is_question, is_marked and cell.kind == "markdown")


def not_closed(line: int) -> Fault:
    return Fault(line, "HWBEGIN without HWEND")


def faults(template: Template, folder: Path) -> list[Fault]:
    """What is wrong in the cells of a template: of each cell the first."""
    found, since = [], 0
    for cell in template.cells:
        try:
            _, _, parts = parts_of(template, cell, since)
            since = parts[-1].number
            for is_question in False, True:
                version_of(cell, parts, folder, is_question, False)
        except Fault as fault:
            found.append(fault)
    if since:
        found.append(not_closed(since))
    return sorted(found, key=lambda fault: fault.line)


def cell_lines(template: Template, cell: Cell) -> list[Line]:
    return [
        tagged(number, text, cell.kind)
        for number, text in enumerate(
            template.lines[cell.start : cell.stop], cell.start + 1
        )
    ]


def between_cells(template: Template, start: int, stop: int) -> list[Line]:
    """Lines that belong to no cell: fences, metadata, blank ones."""
    lines = []
    for number, text in enumerate(template.lines[start:stop], start + 1):
        if like_tag(text):
            raise Fault(number, "a tag outside the cells")
        lines.append(Line(number, text))
    return lines


def without_empty_solutions(
    template: Template, texts: list[Line], kept: list[Line]
) -> list[Line]:
    """The lines of a question without the directives around solutions whose text was
    all homework. Their code cells stay."""
    shown = {line.number for line in kept if line.text.strip()}
    dropped: set[int] = set()
    start = None
    everything = [Line(n, text) for n, text in enumerate(template.lines, 1)]
    for directive in directives(everything):
        if directive.name == "solution-start":
            start = directive
        elif directive.name == "solution-end" and start:
            inside = range(start.last + 1, directive.line)
            written = [line for line in texts if line.number in inside]
            had_homework = any(line.tag for line in written)
            if had_homework and not any(line.number in shown for line in written):
                dropped.update(range(start.line, start.last + 1))
                dropped.update(range(directive.line, directive.last + 1))
            start = None
    return [line for line in kept if line.number not in dropped]

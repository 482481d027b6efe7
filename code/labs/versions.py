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
from .tags import Line, like_tag, tagged
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
    skipped, position, code_cells = set(), 0, 0
    for cell in template.cells:
        lines += between_cells(template, position, cell.start)
        shown, is_skipped = version_of(
            template, cell, folder, is_question, is_marked
        )
        lines += shown
        if cell.kind == "code":
            if is_skipped and is_question:
                skipped.add(code_cells)
            code_cells += 1
        else:
            texts += cell_lines(template, cell)
        position = cell.stop
    lines += between_cells(template, position, len(template.lines))
    if is_question and template.flavour == "myst":
        lines = without_empty_solutions(template, texts, lines)
    return Version(is_question, lines, frozenset(skipped))


def version_of(
    template: Template, cell: Cell, folder: Path, is_question: bool, is_marked: bool
) -> tuple[list[Line], bool]:
    """The lines of a cell in a version, and whether the question does not run it."""
    source = cell_lines(template, cell)
    if cell.kind == "code":
        source, is_skipped = without_skip(source)
        return code_cell(source, cell.python, folder, is_question), is_skipped
    return text_cell(
        source, is_question, is_marked and cell.kind == "markdown"
    ), False


def faults(template: Template, folder: Path) -> list[Fault]:
    """What is wrong in the cells of a template: of each cell the first."""
    found = []
    for cell in template.cells:
        try:
            for is_question in False, True:
                version_of(template, cell, folder, is_question, False)
        except Fault as fault:
            found.append(fault)
    return found


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

"""MyST written out as the Markdown that every Jupyter shows."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin

from .fault import Fault
from .tags import Line, append

PARSER = MarkdownIt("commonmark").use(front_matter_plugin).use(myst_block_plugin)
PARSER.use(colon_fence_plugin).use(dollarmath_plugin)

FENCES = {"fence", "colon_fence"}
MATHS = {"math_block", "math_block_label"}
VERBATIM = {*FENCES, *MATHS, "front_matter", "code_block", "html_block"}
INVISIBLE = {"myst_target", "myst_line_comment"}

CELLS = {"code-cell", "raw-cell"}  # Jupytext reads them
LINKS = {"ref", "doc"}
NUMBERS = {"eq", "numref"}

DIRECTIVE = re.compile(r"\{([^}\s]+)\}\s*(.*)")
OPTIONS = re.compile(r"(?:---\n(?:.*\n)*?---\n|(?:[ ]*:[\w-]+:.*\n)*)")
EQUATION_LABEL = re.compile(r"\$\$\s*\([^()]+\)\s*$")
# A role, or the span of code that it would be without its name, in one paragraph.
ROLE = re.compile(
    r"(?:\{([\w:+-]+)\})?(?<!`)(`+)(?!`)((?:(?!\n\s*\n).)+?)(?<!`)\2(?!`)",
    re.DOTALL,
)
LABELLED = re.compile(r"(.*?)\s*<[^<>]+>", re.DOTALL)


class Directive(NamedTuple):
    """A directive, and its lines from ``start`` up to ``stop``, counted from 0."""

    name: str
    argument: str
    start: int
    stop: int


def tokens(lines: list[Line]) -> list[Token]:
    return PARSER.parse("\n".join(line.text for line in lines) + "\n")


def directives(lines: list[Line]) -> Iterator[Directive]:
    """The directives of a text, in order, but for those inside others."""
    found = (directive(token, lines) for token in tokens(lines))
    return filter(None, found)


def directive(token: Token, lines: list[Line]) -> Directive | None:
    """The directive that a token is. Raises Fault if it has no end, or is in a list."""
    match = DIRECTIVE.fullmatch(token.info.strip())
    if token.type not in FENCES or not match:
        return None
    start, stop = token.map
    number, name = lines[start].number, match[1]
    if token.level:
        raise Fault(number, f"{{{name}}} inside a list or a quotation")
    if stop - start < 2 or not lines[stop - 1].text.startswith(token.markup):
        raise Fault(number, f"{{{name}}} is not closed")
    return Directive(name, match[2], start, stop)


def plain(lines: list[Line]) -> list[str]:
    """The lines of a version without what only MyST understands. Raises Fault for a
    directive or a role that is not known here."""
    shown: list[str] = []
    position = 0
    for token in tokens(lines):
        if token.type not in VERBATIM | INVISIBLE:
            continue
        start, stop = token.map
        append(shown, prose(lines[position:start]))
        append(shown, block(token, lines))
        position = stop
    append(shown, prose(lines[position:]))
    return shown


def block(token: Token, lines: list[Line]) -> list[str]:
    """What stands in place of a directive, of an equation, or of anything that is as
    it is in plain Markdown."""
    found = directive(token, lines)
    if found and found.name not in CELLS:
        return expanded(found, lines)
    if token.type in INVISIBLE:
        return []
    texts = [line.text for line in lines[slice(*token.map)]]
    if token.type in MATHS:
        texts[-1] = EQUATION_LABEL.sub("$$", texts[-1])
    return texts


def expanded(found: Directive, lines: list[Line]) -> list[str]:
    line = lines[found.start]
    title = "\n".join(prose([Line(line.number, found.argument)]))
    if found.name == "exercise-start":
        return ["", f"### Exercise: {title}" if title else "### Exercise", ""]
    if found.name == "solution-start":
        return ["", "### Answer", ""]
    if found.name in {"exercise-end", "solution-end", "only"}:  # only: for the page
        return [""]
    if found.name == "admonition":
        body = lines[found.start + 1 : found.stop - 1]
        text = "".join(f"{line.text}\n" for line in body)
        options = OPTIONS.match(text)[0].count("\n")
        return ["", f"**{title}**", "", *plain(body[options:]), ""]
    raise Fault(line.number, f"the directive {{{found.name}}} is not known")


def prose(lines: list[Line]) -> list[str]:
    """Paragraphs, headings, lists and tables without roles."""
    text = "\n".join(line.text for line in lines)

    def shown(match: re.Match) -> str:
        name, content = match[1], match[3]
        if name is None:
            return match[0]
        labelled = LABELLED.fullmatch(content)
        if name in NUMBERS:
            wrong = "shows a number that only the page has"
        elif name in LINKS and not labelled:
            wrong = "has no text of its own: write `text <target>`"
        elif name not in {*LINKS, "term"}:
            wrong = "is not known"
        else:
            return labelled[1] if labelled else content
        number = lines[text.count("\n", 0, match.start())].number
        raise Fault(number, f"the role {{{name}}} {wrong}")

    return ROLE.sub(shown, text).split("\n") if lines else []

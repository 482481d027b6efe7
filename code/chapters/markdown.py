"""What a text in MyST Markdown holds, each thing with its line and its place: formulas,
roles, directives, labels, headings, images. Cells are directives, too."""

import re
from collections.abc import Iterator
from dataclasses import replace

from markdown_it import MarkdownIt

from .parser import front_matter, parser, usual
from .pieces import Directive, Display, Inline, Piece, Unread
from .source import CELLS, HTML, MATHS_IN_HTML, WITHOUT_ARGUMENT, display, pieces

# What these hold is no Markdown.
CODE = {*CELLS, "code", "code-block", "sourcecode", "literalinclude", "highlight"}
CODE |= {"raw", "eval-rst", "include", "toctree", "bibliography"}

# A formula in Markdown, or what may be one.
MATHS = re.compile(r"\$[^$]+\$|\{math\}", re.IGNORECASE)
MATHS_IN_RST = re.compile(r"\bmath\b|^\s*\.\. +(?:raw|include)::", re.MULTILINE)


def of_file(text: str) -> Iterator[Piece]:
    """The pieces of a file, as `everything`. Raises ValueError, with the line, where its
    front matter cannot be read."""
    front = front_matter(text)
    if MATHS.search(str(front | {"equations": None})):
        raise ValueError("1: a formula in the front matter is not read")
    settings = front.get("myst")
    md = parser(settings) if settings else usual()
    yield from with_inside(pieces(text, 1, md, is_file=True), md)


def everything(text: str, first: int = 1) -> Iterator[Piece]:
    """The pieces of a text of which the first line has this number, in the order of the
    page, also those inside directives, and in captions. A directive that shows an
    equation is a `Display`."""
    md = usual()
    yield from with_inside(pieces(text, first, md), md)


def with_inside(found: Iterator[Piece], md: MarkdownIt) -> Iterator[Piece]:
    for piece in found:
        if isinstance(piece, Directive):
            yield from inside(piece, md)
        else:
            yield piece


def inside(found: Directive, md: MarkdownIt) -> Iterator[Piece]:
    """A directive, and what it holds."""
    if found.name == "math":
        yield equation(found)
        return
    yield found
    message = refusal(found)
    if message:
        yield Unread(found.line, found.start, found.stop, message)
    if found.name not in CODE:
        if found.name not in WITHOUT_ARGUMENT:
            yield from with_inside(pieces(found.argument, found.line, md), md)
        body = "\n".join(found.body)
        if found.name == "glossary":  # its text is as far right as one likes
            body = re.sub("^ +", "", body, flags=re.MULTILINE)
        yield from with_inside(pieces(body, found.body_line, md), md)
    yield from in_caption(found, md)


def equation(found: Directive) -> Display:
    """The equation that a directive {math} shows."""
    gap = found.body_line - found.line  # of lines, so that those of the TeX stay
    lines = "\n" * gap + "\n".join(found.body)
    label = found.options.get("label", found.options.get("name"))
    place = found.line, found.start, found.stop, found.above, found.below
    return display(place, found.argument + lines, label)


def refusal(found: Directive) -> str | None:
    """Why a directive is not read, if it may show a formula."""
    body = "\n".join(found.body)
    match found.name:
        case "include":
            return "{include} shows a text that is not read; write it in this file"
        case "glue:math":
            return "{glue:math} shows what is not read; write the formula itself"
        case "raw" | "raw-cell" if MATHS_IN_HTML.search(body):
            return HTML
        case "role":
            return "{role} makes roles that are not read"
        case "eval-rst" if MATHS_IN_RST.search(body):
            return "a formula in {eval-rst} is not read; write it in Markdown"
    if found.name not in CELLS:
        for name, option in found.options.items():
            if name not in ("alt", "caption") and MATHS.search(str(option)):
                return f"a formula in the option {name} is not read; write it in the text"
    return None


def in_caption(found: Directive, md: MarkdownIt) -> Iterator[Piece]:
    """The pieces of a caption among the options, each with its line if it is there as
    YAML gives it."""
    text = caption(found)
    position = 0
    for piece in with_inside(pieces(text, found.line, md), md) if text else ():
        if isinstance(piece, Inline):
            words = r"\s+".join(map(re.escape, piece.tex.split()))
            written = re.compile(rf"[$`]\s*{words}\s*[$`]")
            match = written.search(found.head, position)
            if match:
                position = match.end()
                line = found.line + 1 + found.head.count("\n", 0, match.start())
                piece = replace(piece, line=line)
        yield piece


def caption(found: Directive) -> str | None:
    """The caption among the options of a directive, or of a cell's figure."""
    if found.name == "toctree":
        return None
    options = found.options
    if found.name in CELLS:
        for key in "mystnb", "figure":
            options = options.get(key) or {}
            if not isinstance(options, dict):
                return None
    text = options.get("caption")
    return None if text is None else str(text)

"""Reads a text in MyST Markdown, but for what is inside directives."""

import itertools
import re
from collections.abc import Callable, Iterator
from itertools import accumulate, chain

from docutils.parsers.rst import Directive as AnyDirective
from docutils.parsers.rst.directives import unchanged
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from myst_parser.parsers.directives import (
    DirectiveParsingResult,
    ParseWarnings,
    parse_directive_text,
)
from yaml import YAMLError

from .parser import usual
from .pieces import (
    Comment,
    Directive,
    Display,
    Heading,
    Html,
    Image,
    Inline,
    Piece,
    Role,
    Target,
    Unread,
    Words,
)

CELLS = {"code-cell", "raw-cell"}
# The text of these may begin on their first line.
WITHOUT_ARGUMENT = {"attention", "caution", "danger", "error", "hint", "important"}
WITHOUT_ARGUMENT |= {"note", "tip", "warning", "seealso", "compound", "glossary"}
WITHOUT_ARGUMENT |= {"epigraph", "highlights", "pull-quote", "legend"}

MATHS = {"math_block", "math_block_label", "math_inline_double", "amsmath"}
WORDS = {"text", "text_special", "code_inline", "softbreak", "hardbreak"}

# Cells need no space behind their name.
DIRECTIVE = re.compile(r"\{((?:code|raw)-cell)\}|\{([^\s}]+)\}(?:\s|$)")
LABELLED = re.compile(r"(.+?)\s*<([^<>]+)>", re.DOTALL)
NO_DISPLAY = re.compile(r"\\begin\{\w+\*?\}|\\{1,2}[\[(]")
# Code that begins with a space, and holds a formula: two backticks that were none of code.
STRAY = re.compile(r"`\s[^`$]*\$[^`$]+\$[^`]*`")
MATHS_IN_HTML = re.compile(r"<(?:math|su[bp])\b", re.IGNORECASE)


Place = tuple[int, int, int]  # of a piece: its line, and from where to where
BlockPlace = tuple[int, int, int, str, str | list[str]]


class Options(dict):
    """Options of any name, as text."""

    def __missing__(self, name: str) -> Callable:
        return unchanged


class Anything(AnyDirective):
    """A directive of which nothing is known."""

    has_content = True
    option_spec = Options(name=unchanged)


def options(content: str, as_yaml: bool) -> DirectiveParsingResult:
    """The options at the head of a directive, and how many lines they take."""
    try:
        return parse_directive_text(
            Anything, "", content, validate_options=not as_yaml
        )
    except YAMLError as error:
        warning = ParseWarnings(f"Invalid options format ({error})")
        return DirectiveParsingResult([], {}, [], 0, [warning])


def pieces(
    text: str, first: int = 1, md: MarkdownIt | None = None, is_file: bool = False
) -> Iterator[Piece]:
    """The pieces of a text of which the first line has this number, in order, but for
    those inside directives. Only a file has front matter."""
    md = md or usual()
    with md.reset_rules():
        if not is_file:
            md.disable("front_matter")
        tokens = md.parse(text + "\n")
    yield from Reading(text, first).of(SyntaxTreeNode(tokens))


class Reading:
    """Turns the nodes of a text into its pieces."""

    def __init__(self, text: str, first: int):
        self.text, self.first = text, first
        self.lines = text.split("\n")
        # Where each line begins, and where the one behind the last would.
        lengths = (len(line) + 1 for line in self.lines)
        self.starts = list(accumulate(lengths, initial=0))
        self.read: dict[int, int] = {}  # of each line, up to where

    def of(self, node: SyntaxTreeNode) -> Iterator[Piece]:
        match node.type:
            case "inline":
                yield from self.of_paragraph(node)
                return
            case "fence" | "colon_fence":
                yield from self.of_fence(node)
            case name if name in MATHS:
                label = node.info if name == "math_block_label" else None
                yield display(self.block(node), node.content, label)
            case "html_block":
                yield from html(self.place(node), node.content)
            case "myst_target":
                line, start, stop = self.place(node)
                yield Target(line, start, stop + 1, node.content)
            case "myst_line_comment":
                line, start, stop = self.place(node)
                yield Comment(line, start, stop + 1)
            case "footnote_reference":
                for piece in chain.from_iterable(map(self.of, node.children)):
                    hidden = isinstance(piece, Inline | Display)
                    yield Unread(*self.place(node), FOOTNOTE) if hidden else piece
                return
            case "heading":
                inner = node.children[0].children if node.children else []
                words = "".join(map(spoken, inner))
                yield Heading(*self.place(node), int(node.tag[1:]), words)
        for child in node.children:
            yield from self.of(child)

    def place(self, node: SyntaxTreeNode) -> Place:
        first, last = node.map or (0, 0)
        end = max(self.starts[min(last, len(self.lines))] - 1, 0)
        return self.first + first, self.starts[first], end

    def block(self, node: SyntaxTreeNode) -> BlockPlace:
        above, below = neighbour(node, -1), neighbour(node, 1)
        comment = above.content if above and above.type == "html_block" else ""
        return *self.place(node), comment, texts(below)

    def of_fence(self, node: SyntaxTreeNode) -> Iterator[Piece]:
        info = node.info.strip()
        opening = DIRECTIVE.match(info)
        if info == "math":
            yield Unread(*self.place(node), f"```math is no equation here; {WRITE}")
        if opening:
            name = (opening[1] or opening[2]).lower()
            argument = info[opening.end() :].strip()
        elif node.type == "colon_fence":  # a part of the page, without a name
            name, argument = "div", ""
        else:
            return
        lines = node.content.split("\n")[:-1]
        found = options(node.content, as_yaml=name in CELLS)
        for warning in found.warnings:
            if warning.msg.startswith("Invalid"):
                yield Unread(*self.place(node), f"{{{name}}}: {warning.msg}")
        line, offset = self.first + node.map[0], found.body_offset
        body, body_line = lines[offset:], line + 1 + offset
        if name in WITHOUT_ARGUMENT and argument:
            body, body_line = [argument, *[""] * offset, *body], line
        last = self.lines[min(node.map[1], len(self.lines)) - 1].lstrip("> \t")
        yield Directive(
            *self.block(node),
            self.first + node.map[1] - 1,
            name,
            argument,
            found.options,
            "\n".join(lines[:offset]),
            body,
            body_line,
            node.level > 0,
            node.map[1] - node.map[0] > 1 and last.startswith(node.markup),
        )

    # ------------------------------------------------------------ paragraphs

    def of_paragraph(self, node: SyntaxTreeNode) -> Iterator[Piece]:
        """The pieces of a paragraph, a heading, or a cell of a table."""
        owner = node
        while not owner.map:
            owner = owner.parent
        first, content = owner.map[0], node.content
        places = []
        for number, line in enumerate(content.split("\n"), first):
            column = self.lines[number].find(line, self.read.get(number, 0))
            self.read[number] = max(column, 0) + len(line)
            places.append(self.starts[number] + max(column, 0))

        def place(child: SyntaxTreeNode) -> Place:
            span = child.meta.get("span", (len(content), len(content)))
            start, stop = (origin(content, at, places) for at in span)
            row = first + content.count("\n", 0, span[0])
            written = content[slice(*span)]
            # Shifted by a tab, or by a | that is escaped in a table.
            if "\n" not in written and self.text[start:stop] != written:
                start = max(self.text.find(written, self.starts[row]), 0)
                stop = start + len(written)
            return self.first + row, start, stop

        parts = list(leaves(node))
        before = ""
        for number, child in enumerate(parts, start=1):
            words = Words(before, *behind(parts[number:]))
            yield from of_leaf(child, place(child), content, words)
            before = "" if is_formula(child) else before + spoken(child)


def display(place: BlockPlace, tex: str, label: str | None) -> Display:
    """A display of which the TeX, with space around, begins in the line of its place."""
    line = place[0] + tex[: len(tex) - len(tex.lstrip())].count("\n")
    return Display(line, *place[1:], tex.strip(), label)


def origin(content: str, at: int, places: list[int]) -> int:
    """Where a place in the content of a paragraph is in the text; ``places`` are where
    its lines begin there."""
    begin = content.rfind("\n", 0, at) + 1
    return places[content.count("\n", 0, at)] + at - begin


def behind(parts: list[SyntaxTreeNode]) -> tuple[str, str]:
    """The words up to the next formula, and the comment right behind."""
    while parts and not parts[0].content.strip() and parts[0].type == "text":
        parts = parts[1:]
    until = itertools.takewhile(lambda part: not is_formula(part), parts)
    words = "".join(map(spoken, until))
    is_comment = bool(parts) and parts[0].type == "html_inline"
    return words, parts[0].content if is_comment else ""


def of_leaf(
    node: SyntaxTreeNode, place: Place, content: str, words: Words
) -> Iterator[Piece]:
    """The pieces that a part of a paragraph makes."""
    previous = node.previous_sibling
    after_dollar = (
        previous and previous.type == "text" and previous.content.endswith("$")
    )
    match node.type:
        case "math_inline" if after_dollar:
            yield Unread(*place, DOLLARS)
        case "math_inline" | "math_single":
            yield Inline(*place, node.content, words)
        case "math_inline_double":
            yield display((*place, "", ""), node.content, None)
        case "myst_role":
            name, (start, stop) = node.meta["name"].lower(), node.meta["span"]
            if name == "math":
                yield Inline(*place, node.content, words)
            if name in RAISED:
                yield Unread(
                    *place, f"a formula in {{{name}}} is not read; {WRITE}"
                )
            written = content[start:stop].partition("}")[2]
            written = written.strip("`")
            labelled = LABELLED.fullmatch(written)
            label = labelled.groups() if labelled else (None, written)
            yield Role(*place, name, *label)
        case "html_inline":
            yield from html(place, node.content)
        case "image":
            yield Image(*place, str(node.attrs["src"]))
        case "code_inline" if STRAY.match(content, node.meta["span"][0]):
            yield Unread(*place, TICK)
        case "text_special":
            opening = NO_DISPLAY.match(content, node.meta["span"][0])
            if opening:
                yield Unread(*place, f"{opening[0]} begins no equation; {WRITE}")
        case "text" if "$$" in node.content:
            yield Unread(*place, DOLLARS)


FOOTNOTE = "a formula in a footnote is not read; write it in the text"
WRITE = "write $ ... $ or $$ ... $$"
HTML = "a formula in HTML is not read; write $...$ or $$...$$"
RAISED = {"sub", "sup", "subscript", "superscript"}
DOLLARS = (
    "this equation does not end, or is inside a paragraph; give each $$ a line of its"
    " own, and leave a line free above"
)
TICK = (
    r"the formula between these backticks is shown as code; write a backtick as \`"
)


def html(place: Place, content: str) -> Iterator[Piece]:
    yield Html(*place, content)
    if MATHS_IN_HTML.search(content):
        yield Unread(*place, HTML)


def is_formula(node: SyntaxTreeNode) -> bool:
    name = node.meta.get("name", "") if node.type == "myst_role" else node.type
    return name.lower() in {"math", "math_inline", "math_single"}


def leaves(node: SyntaxTreeNode) -> Iterator[SyntaxTreeNode]:
    """The parts of a paragraph. The text of an image is none: no page shows it."""
    for child in node.children:
        if child.children and child.type != "image":
            yield from leaves(child)
        else:
            yield child


def spoken(node: SyntaxTreeNode) -> str:
    """The words of a part of a paragraph."""
    if node.children:
        return "".join(map(spoken, node.children))
    if node.type in {"softbreak", "hardbreak"}:
        return " "
    return node.content if node.type in {*WORDS, "math_inline"} else ""


def neighbour(node: SyntaxTreeNode, step: int) -> SyntaxTreeNode | None:
    """What stands above or below, but for comments; if nothing does in a list or a
    quotation, what stands above or below that."""
    found: SyntaxTreeNode | None = node
    while found and not found.is_root:
        beside = found.next_sibling if step > 0 else found.previous_sibling
        if beside and beside.type != "myst_line_comment":
            return beside
        found = beside or found.parent
    return None


def texts(node: SyntaxTreeNode | None) -> str | list[str]:
    """The text of a paragraph, or those of the items of a numbered list."""

    def text(part: SyntaxTreeNode) -> str:
        inner = [each for each in part.walk() if each.type == "inline"]
        return " ".join(" ".join(each.content.split()) for each in inner)

    if node and node.type == "ordered_list":
        return [text(item) for item in node.children]
    return text(node) if node and node.type == "paragraph" else ""

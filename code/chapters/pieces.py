"""The pieces of a text: what `chapters.markdown` finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """Part of a text, which stands from ``start`` up to ``stop`` in it; ``line`` is
    where it begins, in the file, from 1."""

    line: int
    start: int
    stop: int


@dataclass(frozen=True)
class Words:
    """What stands around an inline formula: the words between it and the formulas
    ``before`` and ``after``, or the ends of the paragraph; and a ``comment`` right
    behind it."""

    before: str
    after: str
    comment: str


@dataclass(frozen=True)
class Inline(Piece):
    """An inline formula."""

    tex: str
    words: Words


@dataclass(frozen=True)
class Role(Piece):
    """A role. What is written as `text <target>` has a text of its own."""

    name: str
    text: str | None
    target: str


@dataclass(frozen=True)
class Target(Piece):
    """A label above what it names."""

    name: str


@dataclass(frozen=True)
class Comment(Piece):
    """Lines that begin with %."""


@dataclass(frozen=True)
class Html(Piece):
    content: str


@dataclass(frozen=True)
class Image(Piece):
    path: str


@dataclass(frozen=True)
class Heading(Piece):
    level: int
    words: str


@dataclass(frozen=True)
class Unread(Piece):
    """Mathematics, or what is meant to be, in a form that is not read."""

    message: str


@dataclass(frozen=True)
class Block(Piece):
    """``above`` is HTML that stands right above, such as a comment. ``below`` is the
    paragraph that follows, or the items of the numbered list that follows."""

    above: str
    below: str | list[str]


@dataclass(frozen=True)
class Display(Block):
    """A displayed equation: ``tex`` begins in ``line``."""

    tex: str
    label: str | None


@dataclass(frozen=True)
class Directive(Block):
    """A directive, with its ``last`` line. Its ``body`` is without options, and begins
    in ``body_line``; what stands between that and ``line`` is its ``head``."""

    last: int
    name: str
    argument: str
    options: dict
    head: str
    body: list[str]
    body_line: int
    nested: bool  # in a list or a quotation
    closed: bool

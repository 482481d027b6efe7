"""What a diagnosis says."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from .formulas import Formula
from .pages import page


@dataclass(frozen=True)
class Diagnosis:
    """The outcome of `diagnose`.

    ``status`` is 'right', 'right, but not by hand', 'wrong', 'unfilled', 'error' or
    'timeout'. ``part`` is the part that was not right: 'forward', 'loss', 'backward', 'update' or 'train'.
    ``mistakes`` are the names of the mistakes that were found, all at once;
    ``alternatives`` those that explain what was seen as well. ``layer`` (from 1),
    ``parameter`` ('weight' or 'bias') and ``equation`` (its label in the book) say where
    to look, as far as that is known. ``message`` says it in words, and ``formulas`` what
    the class computes, beside the book. Chapter ``mistakes``.
    """

    status: str
    message: str
    part: str | None = None
    mistakes: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    layer: int | None = None
    parameter: str | None = None
    equation: str | None = None
    formulas: tuple[Formula, ...] = ()
    read_again: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.status == "right"

    @property
    def mistake(self) -> str | None:
        """The names of all that was found, None if no known mistake was."""
        return " and ".join(self.mistakes) or None

    @property
    def title(self) -> str:
        names = " or ".join(filter(None, (self.mistake, *self.alternatives)))
        part = f"{self.part}: " if self.part else ""
        return f"{part}{self.status}{f' ({names})' if names else ''}"

    def __str__(self) -> str:
        """As in a terminal: what differs is underlined."""
        parts = [self.title, self.message, *map(str, self.formulas)]
        if self.read_again:
            parts.append(f"Read again: {references(self.read_again)}.")
        return "\n".join(parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """How a notebook shows it: what differs is marked."""
        lines = "".join(shown(part) for part in self.message.split("\n\n"))
        formulas = "".join(formula._repr_html_() for formula in self.formulas)
        links = references(self.read_again, as_html=True)
        again = f"<p>Read again: {links}.</p>" if links else ""
        title = f"<p><strong>{escape(self.title)}</strong></p>"
        return f"<blockquote>{title}{lines}{formulas}{again}</blockquote>"


def shown(part: str) -> str:
    """Lines of text, each a paragraph; a table keeps its columns."""
    if part.startswith("  "):
        return f"<pre>{escape(part)}</pre>"
    return "".join(f"<p>{escape(line)}</p>" for line in part.split("\n"))


def references(labels: Sequence[str], as_html: bool = False) -> str:
    """Equations, as the pages of the book name them."""
    chapters: dict[str, list[str]] = {}
    for found in map(page, labels):
        number = f"({found.number})"
        if as_html:
            number = f'<a href="{escape(found.link)}">{number}</a>'
        chapters.setdefault(found.chapter, []).append(number)
    return "; ".join(
        f"equation{'s' * (len(numbers) > 1)} {', '.join(numbers)} in the chapter '{title}'"
        for title, numbers in chapters.items()
    )

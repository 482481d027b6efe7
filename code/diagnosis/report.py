"""What a diagnosis says."""

from dataclasses import dataclass
from html import escape

# The chapters in which equations stand, by the beginning of their labels.
CHAPTERS = {
    "eq-batch-pre-activation": "Notation and tools",
    "eq-batch-output": "Notation and tools",
    "eq-batch-output-delta": "A batch, with matrices",
    "eq-batch": "A batch, with matrices",
    "eq-loss": "Notation and tools",
    "eq-tanh": "Notation and tools",
    "eq-update": "Training on five points",
}


@dataclass(frozen=True)
class Diagnosis:
    """The outcome of `diagnose`.

    ``status`` is 'right', 'wrong', 'unfilled', 'error' or 'timeout'. ``part`` is the
    part that was not right: 'forward', 'loss', 'backward', 'update' or 'train'.
    ``mistake`` is the name of the mistake that fits best, None where no known one fits,
    and ``alternatives`` the names of others that fit as well. ``layer`` (from 1),
    ``parameter`` ('weight' or 'bias') and ``equation`` (its label in the book) say where
    to look, as far as that is known. ``message`` says it in words. Chapter ``mistakes``.
    """

    status: str
    message: str
    part: str | None = None
    mistake: str | None = None
    alternatives: tuple[str, ...] = ()
    layer: int | None = None
    parameter: str | None = None
    equation: str | None = None

    @property
    def ok(self) -> bool:
        return self.status == "right"

    @property
    def title(self) -> str:
        names = " or ".join(filter(None, (self.mistake, *self.alternatives)))
        part = f"{self.part}: " if self.part else ""
        return f"{part}{self.status}{f' ({names})' if names else ''}"

    def __str__(self) -> str:
        return f"{self.title}\n{self.message}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        lines = "".join(
            f"<p>{escape(line)}</p>" for line in self.message.split("\n")
        )
        title = f"<p><strong>{escape(self.title)}</strong></p>"
        return f"<blockquote>{title}{lines}</blockquote>"


def chapter(equation: str) -> str:
    """The title of the chapter in which an equation stands."""
    fitting = [start for start in CHAPTERS if equation.startswith(start)]
    return CHAPTERS[max(fitting, key=len)]


def read_again(equation: str) -> str:
    return f"Read again: {equation}, in the chapter '{chapter(equation)}'."

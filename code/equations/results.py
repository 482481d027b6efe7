"""What the check of one equation finds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from .nodes import EquationError


class Spot(Protocol):
    """What stands in a row of a display."""

    @property
    def row(self) -> int: ...
    @property
    def line(self) -> int: ...


@dataclass
class Steps:
    """How many '=' their reasons close for every depth and width, and which hold a
    construct that no proof reaches, by their number in the display."""

    closed: int = 0
    out_of_reach: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """A row in words, the rules by which it follows from the row above, and the labels
    of the equations that its reason cites."""

    words: str
    rules: tuple[str, ...] = ()
    cited: tuple[str, ...] = ()


@dataclass
class Result:
    """What the check of one equation found. ``values`` counts comparisons of numbers
    that are not both zero. ``error`` is the largest relative difference; None where
    only decimal numbers or finite differences were compared, which are not exact."""

    file: str
    line: int
    label: str | None
    tex: str
    rows: int = 0
    networks: int = 0
    values: int = 0
    error: float | None = None
    package: bool = False
    exempt: str | None = None
    kind: str = ""  # of a formula in the text
    in_words: bool = False  # whether only words make a claim of it
    said: list[Said] = field(default_factory=list)  # its rows in words
    by_hand: bool = False  # whether a comment has these words
    remarks: list[str] = field(
        default_factory=list
    )  # words of reasons, not checked
    failures: list[str] = field(default_factory=list)
    steps: Steps = field(default_factory=Steps)

    def fail(self, message: str, line: int | None = None, row: int | None = None):
        place = f"{self.file}:{line or self.line}"
        label = f" ({self.label})" if self.label else ""
        at_row = f", row {row}" if row else ""
        self.failures.append(f"{place}{label}{at_row}: {message}")

    @contextmanager
    def noting(self, spot: Spot) -> Iterator[None]:
        """Notes what fails inside, at the spot unless it names its own."""
        try:
            with at(spot):
                yield
        except Failure as failure:
            self.fail(str(failure), failure.line, failure.row)


class Failure(Exception):
    """A claim that does not hold, with its line in the file and its row."""

    def __init__(self, message: str, line: int, row: int):
        super().__init__(message)
        self.line, self.row = line, row


@contextmanager
def at(spot: Spot, where: str = "") -> Iterator[None]:
    """Makes what goes wrong inside a Failure at a spot, which has a line and a row.
    What no check foresees, such as a number that overflows, is named by its type: it
    may be a fault of the formula or of this package."""
    try:
        yield
    except Failure:
        raise
    except EquationError as error:
        raise Failure(f"{error}{where}", spot.line, spot.row) from error
    except Exception as error:
        message = f"{type(error).__name__}: {error}{where}"
        raise Failure(message, spot.line, spot.row) from error


def fault(spot: Spot, message: str) -> Failure:
    return Failure(message, spot.line, spot.row)


def refuse(*others: Spot) -> None:
    """Numbers that are not exact take no conditions and no shapes: none evaluates
    them there."""
    for other in others:
        raise fault(
            other, "beside decimal numbers or an order nothing else is claimed"
        )


def where(model: object, ell: int | None = None) -> str:
    return f" ({model}{'' if ell is None else f'; ℓ = {ell}'})"

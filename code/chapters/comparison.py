"""When two outputs of a cell are the same: to rounding, and to nothing else.

Processors round differently. So the last digit of a number with many digits may be one
off, and what is drawn may move by a pixel. All else must be equal.

nbval compares and prints outputs as strings, hence the base class of both.
"""

import base64
import re
from decimal import Decimal
from io import BytesIO

import numpy as np
from PIL import Image

DIGITS = 4  # significant ones, from which on the last may be one off
NUMBER = re.compile(
    r"( *)(?<![\w.])([-+]?\d+(?:\.\d+)?(?:e[-+]\d+)?)(?!\w|\.\d)", re.IGNORECASE
)

LEVELS = 26  # of 255, by which a channel of a pixel may be off


class Text(str):
    """Printed text, equal to another that a processor with other rounding prints."""

    def __eq__(self, other):
        return isinstance(other, Text) and same_text(str(self), str(other))

    def __ne__(self, other):
        return not self == other

    __hash__ = None  # equal within a tolerance, so no hash fits


def same_text(one: str, other: str) -> bool:
    if one == other:
        return True
    # Text, blanks, number, text, blanks, number, ..., text
    parts, others = NUMBER.split(one), NUMBER.split(other)
    if len(parts) != len(others) or parts[::3] != others[::3]:
        return False
    numbers = zip(parts[1::3], parts[2::3], others[1::3], others[2::3])
    return all(same_number(*pair) for pair in numbers)


def same_number(blanks: str, one: str, other_blanks: str, other: str) -> bool:
    """Whether two numbers are equal, or differ by one in the last of at least four
    digits. Whole numbers count something, and are equal or not. Of 9.999 and 10.000
    one takes a blank more, where columns are aligned."""
    if (blanks, one) == (other_blanks, other):
        return True
    if blanks != other_blanks and len(blanks + one) != len(other_blanks + other):
        return False
    places, other_places = decimals(one), decimals(other)
    if places != other_places or places == 0:
        return False
    a, b = Decimal(one).as_tuple(), Decimal(other).as_tuple()
    if min(len(a.digits), len(b.digits)) < DIGITS:
        return False
    unit = Decimal(1).scaleb(int(min(a.exponent, b.exponent)))
    return abs(Decimal(one) - Decimal(other)) <= unit


def decimals(number: str) -> int:
    """How many digits a number has behind its point."""
    return len(number.lower().partition("e")[0].partition(".")[2])


class Figure(str):
    """A PNG in base64, equal to another that looks the same; as text it is a short
    description."""

    def __new__(cls, png):
        image = Image.open(BytesIO(base64.b64decode(png))).convert("RGBA")
        figure = super().__new__(
            cls, "a figure of {} x {} pixels".format(*image.size)
        )
        figure.png, figure.pixels = png.strip(), np.asarray(image).astype(np.int16)
        return figure

    @staticmethod
    def is_png(output):
        """Whether an output is the base64 text of a PNG."""
        return isinstance(output, str) and output.startswith("iVBORw0KGgo")

    def difference(self, other):
        """How this figure differs from another one, in words; empty if each pixel of
        both finds its like in the other, there or beside it."""
        if self.png == other.png:
            return ""
        if self.pixels.shape != other.pixels.shape:
            return f"{self} and {other}"
        lost = without_like(self.pixels, other.pixels)
        lost |= without_like(other.pixels, self.pixels)
        if not lost.any():
            return ""
        y, x = np.argwhere(lost)[0]
        return f"{lost.sum()} pixels differ, the first in column {x} of row {y}"

    def __eq__(self, other):
        return isinstance(other, Figure) and not self.difference(other)

    def __ne__(self, other):
        return not self == other

    __hash__ = None


def without_like(pixels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Where a pixel is like none of the nine in and around its place in another image
    of the same size, (height, width, channels)."""
    height, width, _ = pixels.shape
    around = np.pad(others, ((1, 1), (1, 1), (0, 0)), mode="edge")
    lost = np.ones((height, width), dtype=bool)
    for y in range(3):
        for x in range(3):
            near = around[y : y + height, x : x + width]
            lost &= np.abs(pixels - near).max(axis=2) > LEVELS
    return lost


def as_compared(output):
    """An output, or a part of one, as what is compared in its place."""
    if Figure.is_png(output):
        return Figure(output)
    return Text(output) if isinstance(output, str) else output

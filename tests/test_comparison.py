"""Outputs are equal to rounding, and in nothing else."""

import base64
from io import BytesIO

import matplotlib.pyplot as plt
import pytest
from chapters.comparison import Figure, Text, as_compared
from PIL import Image, ImageDraw


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("loss 0.06372", "loss 0.06373"),
        ("tensor([0.9930, 0.0066])", "tensor([0.9931, 0.0066])"),
        ("1.234e-05", "1.235e-05"),
        ("9.999e-05 and", "1.000e-04 and"),
        ("-0.9999, -12.34", "-1.0000, -12.35"),
        ("x  9.999 y", "x 10.000 y"),
        ("9.999", "10.000"),
        ("The value is 0.1234.", "The value is 0.1235."),
        ("<td>1.0000</td>", "<td>0.9999</td>"),
    ],
)
def test_a_last_digit_may_be_one_off(one, other):
    for a, b in (Text(one), Text(other)), (Text(other), Text(one)):
        assert (a == b, a != b) == (True, False)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.06372", "0.06374"),
        ("0.1234", "0.1239"),
        ("0.1234", "-0.1234"),
        ("0.123", "0.124"),  # three digits
        ("0.0066", "0.0067"),  # two
        ("0.0000", "0.0001"),
        ("-0.0000", "0.0000"),
        ("1e-05", "2e-05"),
        ("1.234e-05", "1.234e-06"),
        ("1995 of 2000", "1996 of 2000"),  # counts
        ("1234", "1234.0"),
        ("1.0000", "1.000"),
        ("0.1234 a", "0.1234 b"),
        ("W12.345", "W12.346"),
        ("1.2345.6", "1.2346.6"),
        ("0.1234", "0.1234 0.5"),
        ("x 0.1234", "x  0.1234"),
        ("True", "False"),
        ("", "0.1234"),
    ],
)
def test_all_else_must_be_equal(one, other):
    for a, b in (Text(one), Text(other)), (Text(other), Text(one)):
        assert (a == b, a != b) == (False, True)


def test_what_is_compared():
    assert isinstance(as_compared("0.1234"), Text)
    assert isinstance(as_compared(png()), Figure)
    assert as_compared({"a": 1}) == {"a": 1}
    assert Text("0.1234") != "0.1234"


def encoded(image):
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def png(colour="navy", size=(640, 480), moved=0, level=255):
    """A thin line on white, with a lower level of blue in the first row."""
    image = Image.new("RGB", size, "white")
    line = [(20, 460 + moved), (620, 20 + moved)]
    ImageDraw.Draw(image).line(line, fill=colour)
    ImageDraw.Draw(image).line([(0, 0), (size[0], 0)], fill=(255, 255, level))
    return encoded(image)


def drawn(
    colour="C0", marker="o", label="loss", ticks=(0, 1, 2), line="-", second=True
):
    """A figure as a chapter draws it."""
    fig, ax = plt.subplots(figsize=(5, 3), layout="constrained")
    ax.plot([0, 1, 2], [0.5, 1, 0], color=colour, marker=marker, linestyle=line)
    if second:
        ax.axhline(0.3, color="black", linestyle=":")
    ax.set(xlabel="epoch", ylabel=label, xticks=ticks)
    buffer = BytesIO()
    fig.savefig(buffer, dpi=72)
    plt.close(fig)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture(scope="module")
def figure():
    return Figure(drawn())


def test_a_figure_drawn_again_is_the_same(figure):
    assert figure == Figure(drawn())


@pytest.mark.parametrize("other", [{}, {"moved": 1}, {"level": 255 - 26}], ids=str)
def test_figures_that_look_the_same(other):
    figure, other = Figure(png()), Figure(png(**other))
    assert (figure == other, figure != other) == (True, False)


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ({"moved": 2}, "pixels differ"),
        ({"level": 255 - 27}, "640 pixels differ, the first in column 0 of row 0"),
        (
            {"colour": "darkgreen"},
            "601 pixels differ, the first in column 620 of row 20",
        ),
        (
            {"size": (640, 481)},
            "a figure of 640 x 480 pixels and a figure of 640 x 481 pixels",
        ),
    ],
    ids=str,
)
def test_figures_that_differ(other, difference):
    figure, other = Figure(png()), Figure(png(**other))
    assert (figure == other, figure != other) == (False, True)
    assert difference in figure.difference(other)


@pytest.mark.parametrize(
    "other",
    [
        {"colour": "C1"},
        {"marker": ""},
        {"marker": "s"},
        {"line": "--"},
        {"second": False},
        {"ticks": (0, 1, 3)},
        {"ticks": (0, 1, 2.1)},
        {"ticks": (0, 2)},
        {"label": "lost"},
        {"label": "  loss"},
        {"label": ""},
    ],
    ids=str,
)
def test_a_figure_drawn_otherwise_differs(figure, other):
    other = Figure(drawn(**other))
    assert (figure == other, figure != other) == (False, True)
    assert "pixels differ" in figure.difference(other)


def test_a_pixel_alone_is_a_difference():
    """In whichever of the two it is."""
    plain = Image.new("RGB", (9, 9), "white")
    spotted = plain.copy()
    spotted.putpixel((0, 8), (0, 0, 0))
    one, other = Figure(encoded(plain)), Figure(encoded(spotted))
    assert (
        one.difference(other) == "1 pixels differ, the first in column 0 of row 8"
    )
    assert other.difference(one) == one.difference(other)

"""What the chapters promise to each other: one pencil network, the labels, and arithmetic that is right."""

import math
import re

import nbformat
import pytest
import references
from chapters import code_cells, tagged_source, text

CHAPTERS = [name for name in references.chapters(references.ROOT) if name not in ("intro", "references")]
FORMS = ["pencil", "scalar", "vector", "batch", "network"]
RESULTS = [
    f"eq-{form}-{result}"
    for form in ("scalar", "vector", "batch")
    for result in ("output-delta", "weights", "biases", "hidden-delta")
]


@pytest.mark.parametrize("chapter", [*FORMS[1:], "notation"])
def test_the_pencil_network_is_the_same_in_every_chapter(chapter):
    assert tagged_source(chapter, "pencil") == tagged_source("pencil", "pencil")


def printed_gradients(chapter):
    """The lines from 'dL/dW1' on, in the one stored output of the chapter that has them."""
    notebook = nbformat.read(references.reference(references.ROOT, chapter), as_version=4)
    outputs = [o.text for cell in notebook.cells for o in cell.get("outputs", []) if "text" in o]
    (found,) = [output for output in outputs if output.startswith("dL/dW1")]
    return found


@pytest.mark.parametrize("chapter", FORMS[1:])
def test_every_form_prints_the_gradients_of_the_pencil(chapter):
    assert printed_gradients(chapter) == printed_gradients("pencil")


def equations(chapter):
    """Label and TeX of every displayed equation."""
    return [(m[2], m[1]) for m in re.finditer(r"^\$\$\n(.*?)\n\$\$(?: \((eq-[\w-]+)\))?$", text(chapter), re.M | re.S)]


@pytest.mark.parametrize("chapter", ["intro", *CHAPTERS])
def test_every_displayed_equation_has_a_label_of_its_chapter(chapter):
    assert text(chapter).count("\n$$") == 2 * len(equations(chapter))
    assert all(label for label, _ in equations(chapter))
    assert not re.search(r"\\begin\{(align|equation)\*?\}", text(chapter))


def test_the_twelve_results_are_there_with_their_ranges():
    tex = {label: source for chapter in ("scalar", "vector", "batch") for label, source in equations(chapter)}
    for label in RESULTS:
        first_layer = {"output": None, "hidden": "2"}.get(label.split("-")[2], "1")
        ranges = re.findall(r"\\quad \\ell = (\d), \\dots, L", tex[label])
        assert ranges == ([first_layer] if first_layer else [])


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_opens_and_closes_as_promised(chapter):
    source = text(chapter)
    parts = [source.find(part) for part in ("**What this chapter shows.**", "**What it needs.**", "## Summary", "exercise-start")]
    assert -1 not in parts
    assert parts == sorted(parts)
    exercises = re.findall(r"\{exercise-start\}\n:label: (\S+)", source)
    assert len(exercises) >= 3
    assert re.findall(r"\{solution-start\} (\S+)\n:class: dropdown", source) == exercises


@pytest.mark.parametrize("chapter", ["intro", *CHAPTERS])
def test_every_figure_has_a_caption_and_alt_text(chapter):
    for cell in code_cells(chapter):
        if "plt.show()" in cell.source:
            mystnb = cell.metadata["mystnb"]
            assert mystnb["figure"]["name"].startswith("fig-")
            assert mystnb["figure"]["caption"].strip()
            assert len(mystnb["image"]["alt"]) > 40


ARITHMETIC = {r"\cdot": "*", r"\tanh": "tanh", r"\operatorname{sigmoid}": "sigmoid", "^": "**", "&": "", "\n": " "}
FUNCTIONS = {"__builtins__": {}, "tanh": math.tanh, "sigmoid": lambda z: 1 / (1 + math.exp(-z))}


def wrong_steps(tex):
    """The steps of a chain of numbers that do not hold: '=' exactly, '≈' to the digits of the rounded side."""
    wrong = []
    for row in re.split(r"\\\\|(?<=\d) &\n", tex.replace(r"\begin{aligned}", "").replace(r"\end{aligned}", "")):
        sides = re.split(r"(=|\\approx)", row)
        for left, relation, right in zip(sides[0::2], sides[1::2], sides[2::2]):
            values = [_value(side) for side in (left, right)]
            if None not in values:
                digits = len(right.strip().rpartition(".")[2])
                tolerance = 1e-12 if relation == "=" else 0.501 * 10**-digits
                if abs(values[0] - values[1]) > tolerance:
                    wrong.append(f"{left.strip()} {relation} {right.strip()}")
    return wrong


def _value(tex):
    """The value of an arithmetic expression in TeX, or None where there are letters in it."""
    for symbol, python in ARITHMETIC.items():
        tex = tex.replace(symbol, python)
    if re.fullmatch(r"(tanh|sigmoid|[\d\s.+*()-])+", tex) and re.search(r"\d", tex):
        return eval(tex.strip(), FUNCTIONS)
    return None


def test_the_arithmetic_of_the_pencil_is_right():
    assert [(label, step) for label, tex in equations("pencil") for step in wrong_steps(tex)] == []


def test_the_arithmetic_check_reads_every_number_of_the_pencil():
    """Changing the last number of any step by one digit is noticed."""
    missed, changed = [], 0
    for label, tex in equations("pencil"):
        for number in re.finditer(r"(?<=[=x] )-?\d+\.\d+(?=\s|$)", tex):
            last = str((int(number[0][-1]) + 2) % 10)
            if not wrong_steps(tex[: number.end() - 1] + last + tex[number.end() :]):
                missed.append((label, number[0]))
            changed += 1
    assert missed == [("eq-pencil-hidden-parameters", "-0.0438"), ("eq-pencil-hidden-parameters", "0.1272")]
    assert changed > 20

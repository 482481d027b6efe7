"""The check of the equations: the book passes it, and each kind of mistake is named."""

import json
import re
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import backprop
import pytest
import torch
from backprop import NeuralNetwork
from equation_cases import LOOK_RIGHT, PENCIL
from equations import check_files, compare, mutants
from equations.__main__ import main
from equations.check import check_display
from equations.extract import parse_chapter, read_chapter
from equations.networks import networks
from equations.nodes import EquationError
from equations.parse import parse_row
from sources import ROOT
from test_chapters import CHAPTERS, RESULTS

DERIVATIONS = ["pencil", "notation", "scalar", "vector", "batch"]

SAMPLE = r"$\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$"
BATCH = r"$\mathcal{L}$ stands for $\mathcal{L}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}})$"
ALL = r", \quad \ell = 1, \dots, L"
HIDDEN = r", \quad \ell = 2, \dots, L"
LOSS = r"\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})"
BATCH_LOSS = r"\mathcal{L}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}})"


def failures(tex, below="*Reason:* definition.", above=SAMPLE):
    """What the check says of one equation in a chapter of its own."""
    chapter = parse_chapter("a.md", f"{above}\n\n$$\n{tex}\n$$ (eq-a)\n\n{below}\n")
    (display,) = chapter.displays
    return check_display(display, chapter).failures


def message(tex, **parts):
    (found,) = failures(tex, **parts)
    return found


# ---------------------------------------------------------------- the book


@pytest.fixture(scope="module")
def report():
    return check_files(
        [str(ROOT / "book" / f"{chapter}.md") for chapter in CHAPTERS]
    )


def test_every_equation_of_the_book_holds(report):
    assert report.failures == []


def test_every_equation_is_counted_and_compares_something(report):
    for result in report.displays:
        assert result.label
        if result.exempt:  # what states no equality; a range does not count
            tex = re.sub(r"\\ell ?= ?\d", "", result.tex)
            assert "=" not in tex, result.label
            continue
        assert result.values > 0, result.label
        assert result.networks > 0
    assert len(report.displays) >= 60
    assert len(report.executed) >= 70
    assert report.error < compare.TOLERANCE / 10


def test_no_equality_of_a_derivation_is_exempt(report):
    exempt = {result.label for result in report.exempt}
    for chapter in DERIVATIONS:
        displays = read_chapter(str(ROOT / "book" / f"{chapter}.md")).displays
        assert not exempt & {d.label for d in displays if "=" in d.tex}


def test_results_and_definitions_agree_with_the_package(report):
    compared = {result.label for result in report.displays if result.package}
    forward = [
        f"eq-{form}-pre-activation" for form in ("scalar", "vector", "batch")
    ]
    forward += [f"eq-{form}-output" for form in ("scalar", "vector", "batch")]
    updates = ["eq-update-weights", "eq-update-biases"]
    assert {*RESULTS, *forward, *updates, "eq-glorot"} <= compared


# ---------------------------------------------------------------- what is right


DELTA = r"\delta^{(\ell)}_i &= \frac{\partial \mathcal{L}}{\partial z^{(\ell)}_{i,\mathrm{in}}}"
RIGHT = {
    "a definition": rf"z^{{(\ell)}}_{{i,\mathrm{{in}}}} = \sum_j W^{{(\ell)}}_{{ji}} z^{{(\ell-1)}}_{{j,\mathrm{{out}}}} + b^{{(\ell)}}_i{ALL}",
    "other fonts": rf"\textbf{{z}}^{{(\ell)}}_{{out}} = \sigma^{{(\ell)}}(\textbf{{z}}^{{(\ell)}}_{{in}}){ALL}",
    "a gradient": rf"\nabla_{{\mathbf{{b}}^{{(\ell)}}}} {LOSS} = \boldsymbol{{\delta}}^{{(\ell)}}{ALL}",
    "a row of a matrix": rf"\nabla_{{\mathbf{{b}}^{{(\ell)}}}} {BATCH_LOSS} = \sum_s {{\boldsymbol{{\Delta}}^{{(\ell)}}_s}}^T{ALL}",
    "an element": rf"(\boldsymbol{{\Delta}}^{{(\ell)\top}})_{{is}} = \Delta^{{(\ell)}}_{{si}}{ALL}",
    "a condition": r"\delta^{(3)}_i = \frac{\partial \mathcal{L}}{\partial z^{(3)}_{i,\mathrm{in}}}, \quad L \ge 3",
    "a range downwards": r"\delta^{(\ell)}_i = \left( \sum_k \delta^{(\ell+1)}_k W^{(\ell+1)}_{ik} \right) \sigma'^{(\ell)}(z^{(\ell)}_{i,\mathrm{in}}), \quad \ell = L-1, \dots, 1",
    "a range in its own column": rf"\begin{{aligned}} {DELTA}, && \ell = 1, \dots, L \end{{aligned}}",
    "a range without a comma": rf"{DELTA} \qquad \text{{for }} \ell = 1, \dots, L",
    "large parentheses": rf"z^{{(\ell)}}_{{i,\mathrm{{out}}}} = \sigma^{{(\ell)}}\bigl(z^{{(\ell)}}_{{i,\mathrm{{in}}}}\bigr){ALL}",
    "a sum with its end": rf"z^{{(\ell)}}_{{i,\mathrm{{in}}}} = \sum_{{j=1}}^{{N^{{(\ell-1)}}}} W^{{(\ell)}}_{{ji}} z^{{(\ell-1)}}_{{j,\mathrm{{out}}}} + b^{{(\ell)}}_i{ALL}",
    "a square of a function": r"\tanh'(z) = 1 - \tanh^2(z)",
    "one over a function": r"\frac{1}{\operatorname{sigmoid}(z)} = \operatorname{sigmoid}(z)^{-1}",
    "a row with a dot": rf"\nabla_{{\mathbf{{b}}^{{(\ell)}}}} {BATCH_LOSS} = \sum_s \boldsymbol{{\Delta}}^{{(\ell)\top}}_{{s,\cdot}}{ALL}",
    "the loss of a sample of the batch": rf"\frac{{\partial \mathcal{{L}}(\mathbf{{y}}_s, \mathbf{{z}}^{{(L)}}_{{s,\mathrm{{out}}}})}}{{\partial b^{{(\ell)}}_i}} = \delta^{{(\ell)}}_{{si}}{ALL}",
}


@pytest.mark.parametrize("tex", RIGHT.values(), ids=RIGHT)
def test_what_is_right_passes(tex):
    assert failures(tex) == []


# ---------------------------------------------------------------- what is wrong

IN = r"z^{(\ell)}_{i,\mathrm{in}}"
FORWARD = r"\sum_{j} W^{(\ell)}_{ji} z^{(\ell-1)}_{j,\mathrm{out}} + b^{(\ell)}_i"
WEIGHTS = rf"\nabla_{{\mathbf{{W}}^{{(\ell)}}}} {LOSS}"
OUTER = (
    r"\mathbf{z}^{(\ell-1)}_{\mathrm{out}} \cdot \boldsymbol{\delta}^{(\ell)\top}"
)
BIASES = (
    rf"\nabla_{{\mathbf{{b}}^{{(\ell)}}}} {LOSS} = \boldsymbol{{\delta}}^{{(\ell)}}"
)
BACK = (
    r"\boldsymbol{\delta}^{(\ell-1)} = (\mathbf{W}^{(\ell)} \cdot \boldsymbol{\delta}^{(\ell)})"
    r" \odot \sigma'^{(\ell-1)}(\mathbf{z}^{(\ell-1)}_{\mathrm{in}})"
)
SHAPES = r"\\ (N^{(\ell-1)} \times N^{(\ell)}) &= (N^{(\ell-1)} \times 1) \cdot (1 \times N^{(\ell)})"
Z_IN = r"\mathbf{z}^{(\ell)}_{\mathrm{in}}"
DIFFERENCE = r"\frac{\partial \mathcal{L}}{\partial w} \approx \frac{\mathcal{L}(w + h) - \mathcal{L}(w)}{h}, \quad \text{error of order }"
CHANGING = r", \quad \text{changing } \mathbf{z}^{(\ell)}_{\mathrm{in}}"
CHANGE = r"d\mathcal{L} = \boldsymbol{\delta}^{(\ell)\top} \cdot d\mathbf{z}^{(\ell)}_{\mathrm{in}}"

WRONG = {
    "a lost sum": (
        f"{IN} = {FORWARD}{ALL}".replace(r"\sum_{j} ", ""),
        "index j is free on the right side only",
    ),
    "swapped indices": (
        f"{IN} = {FORWARD}{ALL}".replace("_{ji}", "_{ij}"),
        "runs to",
    ),
    "another summation index": (
        f"{IN} = {FORWARD}{ALL}".replace(r"\sum_{j}", r"\sum_{k}"),
        "summation index k does not occur",
    ),
    "a wrong sign": (
        f"{IN} = {FORWARD}{ALL}".replace("+ b", "- b"),
        "right side is",
    ),
    "a lost transpose": (
        f"{WEIGHTS} = {OUTER}{ALL}".replace(r"\top", ""),
        "a product of shapes",
    ),
    "the wrong order": (
        rf"{WEIGHTS} = \boldsymbol{{\delta}}^{{(\ell)}} \cdot \mathbf{{z}}^{{(\ell-1)\top}}_{{\mathrm{{out}}}}{ALL}",
        "right side is (N^(1), N^(0)), left side is (N^(0), N^(1))",
    ),
    "a lost prime": (
        f"{BACK}{HIDDEN}".replace(r"\sigma'", r"\sigma"),
        "right side is",
    ),
    "the slope of the wrong layer": (
        f"{BACK}{HIDDEN}".replace(r"\sigma'^{(\ell-1)}", r"\sigma'^{(\ell)}"),
        "right side is",
    ),
    "in for out": (
        f"{WEIGHTS} = {OUTER}{ALL}".replace(r"out}} \cdot", r"in}} \cdot"),
        "z^(ℓ−1)_in does not exist for layer 0",
    ),
    "unequal shapes at ⊙": (
        f"{WEIGHTS} = {OUTER}{ALL}".replace(r"\cdot", r"\odot"),
        "⊙ of shapes (N^(0), 1) and (1, N^(1))",
    ),
    "the loss of another layer": (
        f"{BIASES}{ALL}".replace("(L)", r"(\ell)"),
        "the loss takes the outputs of layer L",
    ),
    "labels of the batch": (
        f"{BIASES}{ALL}".replace(r"\mathbf{y}", r"\mathbf{Y}"),
        "the arguments of the loss",
    ),
    "the loss of the batch": (
        f"{BIASES}{ALL}".replace(LOSS, BATCH_LOSS),
        "right side is",
    ),
    "no range": (BIASES, "without a range"),
    "a range too long": (f"{BACK}{ALL}", "does not exist for layer 0"),
    "a range too short at its start": (
        f"{BIASES}{HIDDEN}",
        "the range is too small: this holds for ℓ = 1 too",
    ),
    "a range too short at its end": (
        f"{BIASES}{ALL}".replace(r"\dots, L", r"\dots, L-1"),
        "this holds for ℓ = L too",
    ),
    "an empty range": (
        rf"{BIASES}, \quad \ell = 7, \dots, L",
        "fewer than two networks meet",
    ),
    "a range without ℓ": (
        rf"\delta^{{(L)}}_i = \frac{{\partial \mathcal{{L}}}}{{\partial z^{{(L)}}_{{i,\mathrm{{in}}}}}}{ALL}",
        "no ℓ stands here",
    ),
    "a needless condition": (
        r"\delta^{(1)}_i = \frac{\partial \mathcal{L}}{\partial z^{(1)}_{i,\mathrm{in}}}, \quad L \ge 2",
        "without the condition too",
    ),
    "a missing condition": (
        r"\delta^{(3)}_i = \frac{\partial \mathcal{L}}{\partial z^{(3)}_{i,\mathrm{in}}}",
        "does not exist for layer 3",
    ),
    "a condition of no network": (
        rf"{BIASES}{ALL}, \quad L \ge 9",
        "fewer than two networks meet",
    ),
    "an unknown symbol": (
        f"{IN} = {FORWARD} + q_i{ALL}".replace("q_i", r"\lambda"),
        "unknown symbol 'lambda'",
    ),
    "an unknown sign": (
        f"{IN} \\ne {FORWARD}{ALL}",
        r"cannot be read from here: \ne",
    ),
    "half a formula": (f"{IN} = \\sum_{{j}}", "the formula ends too early"),
    "no relation": (IN + ALL, "the row claims nothing"),
    "nothing above": (
        rf"\begin{{aligned}} &= {FORWARD}{ALL} \end{{aligned}}",
        "none stands above",
    ),
    "0 = 0": (f"{IN} - {IN} = {IN} - {IN}{ALL}", "both sides are 0"),
    "a brace": (
        rf"{IN} = \underbrace{{{FORWARD}}}_{{z^{{(\ell)}}_{{i,\mathrm{{out}}}}}}{ALL}",
        "its label is",
    ),
    "mixed products": (
        f"{BACK}{HIDDEN}".replace("(\\mathbf{W}", "\\mathbf{W}").replace(
            "{(\\ell)})", "{(\\ell)}"
        ),
        "cannot be read from here: \\odot",
    ),
    "a row of shapes that continues": (
        rf"\begin{{aligned}} {WEIGHTS} &= {OUTER}{ALL} {SHAPES} \end{{aligned}}".replace(
            r"\\ (N^{(\ell-1)} \times N^{(\ell)})", r"\\"
        ),
        "a row of shapes does not continue the equation",
    ),
    "in twice": (
        f"{IN} = {FORWARD}{ALL}".replace(r"\mathrm{in}", r"\mathrm{in}\mathrm{in}"),
        "'in' or 'out' stands twice at one symbol",
    ),
    "a dot beside an index": (
        f"{IN} = {FORWARD}{ALL}".replace("b^{(\\ell)}_i", r"b^{(\ell)}_{i\cdot}"),
        "a dot stands beside an index",
    ),
    "a range from ℓ to L": (
        rf"{IN} = {FORWARD}, \quad \ell = \ell, \dots, L",
        "ℓ stands in its own range",
    ),
    "a number behind its factor": (
        rf"2 \delta^{{(\ell)}}_i = \delta^{{(\ell)}}_i 2{ALL}",
        "a number stands behind a factor",
    ),
    "an inverse function": (
        r"\tanh^{-1}(z) = \frac{1}{\tanh(z)}",
        "an exponent below 0 at tanh reads as its inverse; write a fraction",
    ),
    "an inverse slope in braces": (
        rf"{{\sigma'^{{(\ell)}}}}^{{-1}}({IN}) = \frac{{1}}{{\sigma'^{{(\ell)}}({IN})}}{ALL}",
        "an exponent below 0 at sigma reads as its inverse",
    ),
    "an inverse logarithm": (
        r"\log^{-1}(3) = 1",
        "cannot be read from here: ^{-1}",
    ),
    "an inverse sine": (r"\sin^{-1}(z) = z", r"cannot be read from here: \sin"),
    "a decimal exponent": (
        rf"(\delta^{{(\ell)}}_i)^{{2.0}} = \delta^{{(\ell)}}_i \delta^{{(\ell)}}_i{ALL}",
        "cannot be read from here: .0",
    ),
    "a swapped shape": (
        rf"\begin{{aligned}} {WEIGHTS} &= {OUTER}{ALL} {SHAPES} \end{{aligned}}".replace(
            r"(1 \times N^{(\ell)})", r"(N^{(\ell)} \times 1)"
        ),
        "the row of shapes says (N^(1), 1), the term above is (1, N^(1))",
    ),
    "the size of another layer": (
        rf"\begin{{aligned}} {WEIGHTS} &= {OUTER}{ALL} {SHAPES} \end{{aligned}}".replace(
            r"(N^{(\ell-1)} \times 1)", r"(N^{(\ell)} \times 1)"
        ),
        "the row of shapes says",
    ),
    "shapes without a factor": (
        rf"\begin{{aligned}} {WEIGHTS} &= {OUTER}{ALL} {SHAPES} \end{{aligned}}".replace(
            r"\cdot (1 \times N^{(\ell)})", ""
        ),
        "one shape for a product",
    ),
    "a change of something else": (
        f"{CHANGE}{ALL}{CHANGING}".replace("in}}", "out}}"),
        "right side is",
    ),
    "an element of a batch in lower case": (
        rf"z^{{(\ell)}}_{{si,\mathrm{{in}}}} = Z^{{(\ell)}}_{{si,\mathrm{{in}}}}{ALL}",
        "index s counts N^(1)",
    ),
    "two different shapes": (
        rf"\mathbf{{W}}^{{(\ell)}} = \mathbf{{W}}^{{(\ell)\top}}{ALL}",
        "right side is (N^(1), N^(0)), left side is (N^(0), N^(1))",
    ),
    "a layer without parentheses": (
        f"{BIASES}{ALL}".replace(r"\delta}^{(\ell)}", r"\delta}^\ell"),
        r"cannot be read from here: \ell",
    ),
    "a derivative by what has no effect": (
        r"\frac{\partial z^{(1)}_{i,\mathrm{in}}}{\partial W^{(2)}_{jk}} = 0 \cdot W^{(2)}_{jk} b^{(1)}_i, \quad L \ge 2",
        "does not depend on it",
    ),
    "a step the wrong way": (
        rf"\mathbf{{W}}^{{(\ell)}} \leftarrow \mathbf{{W}}^{{(\ell)}} + \eta \, \nabla_{{\mathbf{{W}}^{{(\ell)}}}} {BATCH_LOSS}{ALL}",
        "right side is",
    ),
    "an update of an output": (
        r"\mathbf{Z}^{(L)}_{\mathrm{out}} \leftarrow \mathbf{Z}^{(L)}_{\mathrm{out}}",
        "← updates a weight or a bias",
    ),
    "a wrong order": (
        r"\frac{\partial \mathcal{L}}{\partial w} \approx \frac{\mathcal{L}(w + h) - \mathcal{L}(w)}{h}, \quad \text{error of order } h^2",
        "the error is of order h^1.0, not h^2",
    ),
    "no order": (
        r"\frac{\partial \mathcal{L}}{\partial w} \approx \frac{\mathcal{L}(w + h) - \mathcal{L}(w)}{h}",
        "needs one claim",
    ),
    "an order beside a condition": (
        f"{DIFFERENCE} h, \\quad L \\ge 9",
        "nothing else is claimed",
    ),
    "an order beside another claim": (
        rf"{DIFFERENCE} h, \quad \mathbf{{x}} = \mathbf{{b}}^{{(1)}}",
        "a second claim stands behind the first",
    ),
    "an order above shapes": (
        rf"\begin{{aligned}} {DIFFERENCE} h \\ (n \times n) &= (n \times 7) \end{{aligned}}",
        "row 2: beside decimal numbers or an order nothing else is claimed",
    ),
    "a false brace beside an order": (
        f"{DIFFERENCE} h".replace(
            r"\mathcal{L}(w)}{h}", r"\underbrace{\mathcal{L}(w)}_{n}}{h}"
        ),
        "its label is 7",
    ),
    "a negative order": (f"{DIFFERENCE} -h", "an order is a power of h"),
    "an order that is a matrix": (
        rf"{DIFFERENCE} \mathbf{{W}}^{{(1)}}",
        "an order is a power of h",
    ),
    "no error": (
        r"\frac{\partial \mathcal{L}}{\partial w} \approx \frac{\partial \mathcal{L}}{\partial w}, \quad \text{error of order } h",
        "no error whose order can be measured",
    ),
    "an error of 0 over 0": (
        f"{DIFFERENCE} h".replace("}{h}", "}{h - h}"),
        "of order h^nan",
    ),
    "a range downwards": (
        rf"{IN} = {FORWARD}, \quad \ell = L, \dots, 2",
        "this holds for ℓ = 1 too",
    ),
    "a claim for one layer, downwards": (
        r"\mathbf{z}^{(\ell)}_{\mathrm{in}} = \mathbf{W}^{(\ell)\top} \cdot \mathbf{x} + \mathbf{b}^{(\ell)}, \quad \ell = L, \dots, 1",
        "a product of shapes",
    ),
    "a condition that all meet": (
        rf"{BIASES}{ALL}, \quad L \ge 1",
        "every network meets this",
    ),
    "a second claim": (
        rf"{BIASES}{ALL}, \quad \mathbf{{x}} = \mathbf{{z}}^{{(0)}}_{{\mathrm{{out}}}}",
        "a second claim stands behind the first",
    ),
    "unless": (
        rf"{BIASES}{ALL}, \quad \text{{unless }} L \ge 3",
        r"cannot be read from here: \text{unless }",
    ),
    "a brace in a condition": (
        rf"{BIASES}{ALL}, \quad \underbrace{{L}}_{{n}} \ge 2",
        "a brace with a formula below (in the condition)",
    ),
    "a condition without a meaning": (
        rf"\begin{{aligned}} {BIASES}{ALL}, \\{chr(10)}\text{{if }} K &= \mathbf{{b}}^{{(1)}} \end{{aligned}}",
        "a.md:5 (eq-a), row 2: right side is",
    ),
    "changes that are no causes": (
        rf"{CHANGE} + \boldsymbol{{\delta}}^{{(\ell-1)\top}} \cdot d\mathbf{{z}}^{{(\ell-1)}}_{{\mathrm{{in}}}}{HIDDEN}{CHANGING} \text{{ and }} \mathbf{{z}}^{{(\ell-1)}}_{{\mathrm{{in}}}}",
        "z^(ℓ)_in depends on z^(ℓ−1)_in",
    ),
    "a change of a number": (
        rf"{CHANGE}{HIDDEN}{CHANGING} \text{{ and }} 2",
        "row 1: what changes is a quantity",
    ),
    "a change of itself": (
        rf"d{Z_IN} = d{Z_IN}{ALL}{CHANGING}",
        "this change stands on the right, too",
    ),
    "a summation index that is free": (
        rf"\delta^{{(\ell)}}_i z^{{(\ell-1)}}_{{j,\mathrm{{out}}}} = \delta^{{(\ell)}}_i \cdot \frac{{\partial}}{{\partial W^{{(\ell)}}_{{ji}}}} \left( {FORWARD} \right){ALL}",
        "j is summed over, and stands outside the sum",
    ),
    "an index summed over twice": (
        rf"{IN} = \sum_j ({FORWARD}){ALL}",
        "j is summed over twice",
    ),
    "the wrong end of a sum": (
        f"{IN} = {FORWARD}{ALL}".replace(r"\sum_{j}", r"\sum_{j=1}^{N^{(\ell)}}"),
        "the index j of the sum runs to N^(0)",
    ),
    "a sum from 2": (
        f"{IN} = {FORWARD}{ALL}".replace(r"\sum_{j}", r"\sum_{j=2}^{N^{(\ell-1)}}"),
        "a sum begins at 1, not at 2",
    ),
    "a sample as unit": (
        rf"\sum_s b^{{(\ell)}}_s = \sum_i b^{{(\ell)}}_i{ALL}",
        "index s counts N^(1)",
    ),
    "another index for samples": (
        rf"\nabla_{{\mathbf{{b}}^{{(\ell)}}}} {BATCH_LOSS} = \sum_k \boldsymbol{{\Delta}}^{{(\ell)\top}}_k{ALL}",
        "index k counts n",
    ),
    "n as an index": (
        rf"\delta^{{(\ell)}}_n = b^{{(\ell)}}_n{ALL}",
        "n is a size",
    ),
    "a vector that is not bold": (
        rf"z^{{(\ell)}}_{{\mathrm{{out}}}} = \sigma^{{(\ell)}}({Z_IN}){ALL}",
        "z^(ℓ)_out is a vector or a matrix, and not bold",
    ),
    "a bold element": (
        f"{IN} = {FORWARD}{ALL}".replace("W^", r"\mathbf{W}^"),
        "W^(ℓ)_ji is a number, and bold",
    ),
    "a bold number of a layer": (
        rf"\frac{{\partial \mathcal{{L}}}}{{\partial b^{{(\ell)}}_i}} = \boldsymbol{{\delta}}^{{(\ell)}}_i{ALL}",
        "δ^(ℓ)_i is a number, and bold",
    ),
    "a bold element of a change": (
        rf"d{IN} = d\mathbf{{b}}^{{(\ell)}}_i{ALL}, \quad \text{{changing }} \mathbf{{b}}^{{(\ell)}}",
        "b^(ℓ)_i is a number, and bold",
    ),
    "a bold sample and unit": (
        rf"Z^{{(\ell)}}_{{si,\mathrm{{in}}}} = \mathbf{{Z}}^{{(\ell)}}_{{si,\mathrm{{in}}}}{ALL}",
        "Z^(ℓ)_si,in is a number, and bold",
    ),
    "any number, bold": (
        r"\tanh'(\mathbf{z}) = 1 - \tanh^2(\mathbf{z})",
        "z is no symbol in this font, or with this layer",
    ),
    "a loss of what is not bold": (
        f"{BIASES}{ALL}".replace(r"\mathbf{y}", "y"),
        "y is a vector or a matrix, and not bold",
    ),
    "a lost backslash": (
        f"{BIASES}{ALL}".replace(r"{\delta}", "{delta}"),
        r"cannot be read from here: \boldsymbol{delta}",
    ),
    "sizes of the rules": (r"p + q = 2 r", "right side is"),
    "numbers as sizes of the rules": (
        r"\begin{aligned} d\mathbf{u} &= \frac{\partial \mathbf{u}}{\partial \mathbf{v}} \cdot d\mathbf{v}, \quad \text{changing } \mathbf{v} \\ (q \times 1) &= (7 \times r) \cdot (r \times 1) \end{aligned}",
        "the row of shapes says",
    ),
    "a brace of 0": (
        rf"{IN} = {FORWARD} + \underbrace{{b^{{(\ell)}}_i - b^{{(\ell)}}_i}}_{{{IN} - {IN}}}{ALL}",
        "the brace and its label are 0",
    ),
    "a double superscript": (
        f"{BACK}{HIDDEN}".replace(
            r"\mathbf{W}^{(\ell)}", r"\mathbf{W}^{(\ell)}^{\top}"
        ),
        "a double superscript",
    ),
    "a prime behind a superscript": (
        f"{BACK}{HIDDEN}".replace(r"\sigma'^{(\ell-1)}", r"\sigma^{(\ell-1)}'"),
        "a double superscript",
    ),
    "a double subscript": (
        f"{IN} = {FORWARD}{ALL}".replace("_{ji}", "_j_i"),
        "a double subscript",
    ),
    r"\left alone": (
        f"{BACK}{HIDDEN}".replace(r"(\mathbf{W}", r"\left(\mathbf{W}"),
        r"\left is not closed in its cell",
    ),
    r"\right alone": (
        f"{BACK}{HIDDEN}".replace(r") \odot", r"\right) \odot"),
        r"\right closes nothing in its cell",
    ),
    "& in a script": (
        f"{BIASES}{ALL}".replace(r"{(\ell)}} ", r"{& (\ell)}} "),
        "{ is not closed in its cell",
    ),
    "two indices and a dot": (
        f"{IN} = {FORWARD}{ALL}".replace("_{ji}", r"_{ji\cdot}"),
        "a dot stands beside an index",
    ),
    "an environment without its end": (
        rf"\begin{{aligned}} {IN} &= {FORWARD}{ALL}",
        r"\begin{aligned} and \end{aligned} do not match",
    ),
    "parentheses without end": (
        f"{'(' * 400}{IN}{')' * 400} = {FORWARD}{ALL}",
        "row 1: RecursionError",
    ),
    "a power beyond all numbers": (
        rf"(b^{{(1)}}_i)^{{{10**30}}} = b^{{(1)}}_i",
        "row 1: OverflowError",
    ),
    "a false brace in a sum over layers": (
        r"\sum_{\ell=1}^{L} \underbrace{N^{(\ell)}}_{7 n} = \sum_{\ell=1}^{L} N^{(\ell)}",
        "its label is",
    ),
    "an inequality of sizes": (r"n \le 8", "it is no claim"),
    "half the difference": (
        r"\frac{\partial \mathcal{L}}{\partial w} \approx \frac{\mathcal{L}(w + h) - \mathcal{L}(w)}{2 h}, \quad \text{error of order } h",
        "the error is of order h^0.0",
    ),
}


@pytest.mark.parametrize(("tex", "says"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(tex, says):
    assert says in message(tex)


def test_a_sum_over_samples_does_not_hide_the_mean():
    tex = (
        rf"\Delta^{{(\ell)}}_{{si}} = \frac{{1}}{{n}} \delta^{{(\ell)}}_{{si}}{ALL}"
    )
    mean = rf", \quad \text{{if }} {BATCH_LOSS} = \frac{{1}}{{n}} \sum_s \mathcal{{L}}(\mathbf{{y}}_s, \mathbf{{z}}^{{(L)}}_{{s,\mathrm{{out}}}})"
    assert "right side is" in message(tex)
    assert failures(tex + mean) == []
    assert "right side is" in message(tex.replace(r"\frac{1}{n} ", "") + mean)


@pytest.mark.parametrize("size", [9, 10, 11, 12, 13])
@pytest.mark.parametrize(
    "term", [r"\cdot b^{(\ell)}_i", r"\cdot z^{(\ell)}_{i,\mathrm{out}}", ""]
)
def test_a_small_term_is_no_rounding(size, term):
    """Where numbers are of the order of 1, one of 1e-13 is refused."""
    small = rf"\frac{{1}}{{1{'0' * size}}} {term}"
    brace = rf"\underbrace{{{FORWARD}}}_{{{FORWARD} - {small}}}"
    for right in (f"{FORWARD} + {small}", brace):
        found = message(f"{IN} = {right}{ALL}")
        assert "of the largest number" in found
        assert ("in most networks: that is no rounding" in found) == (size > 12)


@pytest.mark.parametrize(
    ("differences", "fails"),
    [([1e-16] * 3 + [9e-13] * 2, False), ([1e-16] * 2 + [2e-14] * 3, True)],
)
def test_rounding_is_small_in_most_networks(differences, fails):
    with pytest.raises(EquationError) if fails else nullcontext():
        compare.check_rounding(differences)


@pytest.mark.parametrize(
    ("tex", "says"),
    [
        (r"\tanh(z) < 1", None),
        (r"e^{z} > 0", None),
        (r"\operatorname{sigmoid}(z) > 0", None),
        (r"|x_j| \ge -x_j", None),
        (r"x_j < 4", "not < (layers of sizes 3, 4, 2, 3, 2, 2, 4, n = 5, numbers times 30)"),
        (r"x_j > -1000", "not > (layers of sizes 3, 4, 2, 3, 2, 2, 4, n = 5, numbers times -1e+06)"),
        (rf"{IN} \le 1000{ALL}", "not ≤"),
        (r"\mathcal{L} < 100", "not <"),
        (r"\mathcal{L} \ge 0", "not ≥"),
        (r"|x_j| > 0", "left side is 0, right side is 0: not >"),
        (r"\operatorname{sigmoid}(|z|) > 1/2", "left side is 0.5, right side is 0.5: not >"),
        (r"\max(z, -20) = z", "numbers times 30"),
        (r"z \cdot \operatorname{sign}(z) > 0", "not >"),
    ],
)  # fmt: skip
def test_an_inequality_holds_for_large_numbers_and_at_0(tex, says):
    found = failures(tex)
    assert [says in text for text in found] == ([True] if says else [])


DELTAS_OF_CHANGES = r"\sum_{k} \delta^{(\ell)}_k \cdot db^{(\ell)}_k"


@pytest.mark.parametrize(
    ("tex", "changing", "says"),
    [
        # All entries of a cause that a sum binds, or that stands without an index.
        (rf"d\mathcal{{L}} = {DELTAS_OF_CHANGES}", "", None),
        (rf"d\mathcal{{L}} = {DELTAS_OF_CHANGES}", r"\mathbf{b}^{(\ell)}", None),
        (r"d\mathcal{L} = \delta^{(\ell)}_1 \cdot db^{(\ell)}_1", r"\mathbf{b}^{(\ell)}", "right side is"),
        # One entry, of which the number stands at the cause.
        (r"d\mathcal{L} = \delta^{(\ell)}_1 \cdot db^{(\ell)}_1", "", None),
        (r"d\mathcal{L} = \delta^{(\ell)}_1 \cdot db^{(\ell)}_1", r"b^{(\ell)}_1", None),
        (rf"d\mathcal{{L}} = {DELTAS_OF_CHANGES}", r"b^{(\ell)}_1", None),
        (rf"d\mathcal{{L}} = {DELTAS_OF_CHANGES} + db^{{(\ell)}}_1", r"b^{(\ell)}_1", "right side is"),
        (r"d\mathcal{L} = \delta^{(\ell)}_1 \cdot dW^{(\ell)}_{11}", r"W^{(\ell)}_{11}", "right side is"),
        (r"d\mathcal{L} = \delta^{(\ell)}_1 \cdot z^{(\ell-1)}_{1,\mathrm{out}} \cdot dW^{(\ell)}_{11}", r"W^{(\ell)}_{11}", None),
        (rf"d{Z_IN} = d\mathbf{{b}}^{{(\ell)}}", r"b^{(\ell)}_1", None),
        (r"d\mathcal{L} = \delta^{(\ell)}_9 \cdot db^{(\ell)}_9", "", "no such entry"),
        # Any one entry, of which the letter stands at the cause.
        (r"d\mathcal{L} = \delta^{(\ell)}_i \cdot db^{(\ell)}_i", r"b^{(\ell)}_i", None),
        (rf"d{IN} = db^{{(\ell)}}_i", r"b^{(\ell)}_i", None),
        (r"d\mathcal{L} = \delta^{(\ell)}_i \cdot z^{(\ell-1)}_{j,\mathrm{out}} \cdot dW^{(\ell)}_{ji}", r"W^{(\ell)}_{ji}", None),
        (r"d\mathcal{L} = \delta^{(\ell)}_i \cdot z^{(\ell-1)}_{j,\mathrm{out}} \cdot dW^{(\ell)}_{ji}", r"\mathbf{W}^{(\ell)}", "is free on the right side only"),
        (rf"d\mathcal{{L}} = {DELTAS_OF_CHANGES} + \delta^{{(\ell)}}_i \cdot db^{{(\ell)}}_i", r"b^{(\ell)}_i", "right side is"),
        # Two entries, which change together.
        (r"d\mathcal{L} = \delta^{(1)}_1 \cdot db^{(1)}_1 + \delta^{(1)}_2 \cdot db^{(1)}_2, \quad N^{(1)} \ge 2", "", None),
    ],
)  # fmt: skip
def test_only_the_entries_of_a_cause_change(tex, changing, says):
    ends = "" if "(1)" in tex else ALL
    if changing:
        ends += rf", \quad \text{{changing }} {changing}"
    found = failures(tex + ends, below="*Reason:* linearity.")
    assert [says in text for text in found] == ([True] if says else [])


def test_the_loss_without_arguments_must_be_declared():
    tex = rf"\frac{{\partial \mathcal{{L}}}}{{\partial b^{{(\ell)}}_i}} = \delta^{{(\ell)}}_i{ALL}"
    assert failures(tex) == []
    assert "has not said what the loss" in message(tex, above="")
    assert "right side is" in message(tex, above=BATCH)


def test_a_message_names_file_line_label_and_row():
    tex = (
        rf"\begin{{aligned}}{IN} &= {FORWARD}{ALL} \\{chr(10)}&= 2 \end{{aligned}}"
    )
    below = "1. Definition.\n2. Definition."
    assert message(tex, below=below).startswith(
        "a.md:5 (eq-a), row 2: right side is 2, left side is "
    )


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("tex", "says"),
    [
        (r"z^{(1)}_{1,\mathrm{in}} = 0.5 \cdot 1 + 0.2 \cdot 2 + 0.1 = 1.0", None),
        (r"z^{(1)}_{2,\mathrm{in}} = 0.5 \cdot 1 + 0.2 \cdot 2 + 0.1 = 1.0", "right side is 1, left side is 0.3"),
        (r"z^{(1)}_{1,\mathrm{in}} = 0.5 \cdot 1 - 0.2 \cdot 2 + 0.1 = 1.0", "right side is 0.2"),
        (r"z^{(2)}_{1,\mathrm{out}} \approx 0.6283", "right side is 0.6283, left side is 0.628"),
        (r"\tanh(0.3) \approx 0.2914", "right side is 0.2914"),
        (r"\tanh(0.31) \approx 0.3004", "0.31 is neither given nor a result"),
        (r"b^{(2)}_1 \leftarrow 0.3869", None),
        (r"b^{(2)}_1 \leftarrow 0.3872", "right side is 0.3872, left side is 0.386"),
        (r"z^{(2)}_{1,\mathrm{out}} \approx 0.3 + 1 - 1", "right side is 0.3"),
        (r"z^{(1)}_{1,\mathrm{in}} = 1.0, \quad L \ge 9", "row 1: beside decimal numbers or an order nothing else"),
        (r"z^{(1)}_{1,\mathrm{in}} = 1.0, \quad z^{(1)}_{2,\mathrm{in}} = 0.9", "row 1: a second claim stands behind the first"),
        (r"\begin{aligned} z^{(1)}_{1,\mathrm{in}} &= 1.0 \\ (n \times 7) &= (n \times n) \end{aligned}", "row 2: beside decimal numbers or an order nothing else"),
        (r"z^{(1)}_{1,\mathrm{in}} = \underbrace{0.5 \cdot 1 + 0.2 \cdot 2}_{z^{(2)}_{1,\mathrm{out}}} + 0.1 = 1.0", "right side is 0.628061, left side is 0.9 (a brace"),
        (r"z^{(1)}_{1,\mathrm{out}} = \underbrace{\tanh(1)}_{0.7616} \approx 0.7616", None),
        (r"\begin{aligned} \tanh(1) &\approx 0.7616 \\ \tanh(0.7616) &\approx 0.6420 \end{aligned}", None),
        (r"\begin{aligned} \tanh(0.7616) &\approx 0.6420 \\ \tanh(1) &\approx 0.7616 \end{aligned}", "row 1: 0.7616 is neither given nor a result"),
        (r"z^{(1)}_{1,\mathrm{out}} \approx 0.38080 \cdot 2 \approx 0.7616", "0.38080 is neither given nor a result"),
    ],
)  # fmt: skip
def test_decimal_numbers_are_those_of_the_chapter(tex, says):
    found = failures(tex, above=PENCIL + r"$\eta = 0.5$")
    assert [says in text for text in found] == ([True] if says else [])


def test_numbers_and_symbols_need_a_network():
    tex = r"z^{(1)}_{1,\mathrm{in}} = 1.0"
    assert "no cell tagged `pencil`" in message(tex)
    assert failures(r"0.5 \cdot 2 = 1.0", above=r"$\eta = 0.5$") == []


def test_what_a_chapter_declares_is_one(tmp_path):
    for source, says in {
        rf"{SAMPLE} {BATCH}": r"a.md:1: a loss with its arguments, but another stands above",
        r"$\mathcal{L}$ stands for $\mathcal{L}(\ldots)$": r"a.md:1: expected a loss with its arguments; EquationError",
        "$\\eta = 0.5$\n$\\eta = 0.25$": "a.md:2: a learning rate, but another stands above",
        PENCIL + PENCIL.replace("0.3]", "0.9]"): "a.md:13: W1, b1, ..., x, y that fit, but another stands above",
        PENCIL.replace("W1 =", "%time W1 ="): "a.md:2: expected W1, b1, ..., x, y that fit; SyntaxError",
        PENCIL.replace("[0.3]", "other"): "expected W1, b1, ..., x, y that fit; ValueError",
        PENCIL.replace("b1 =", "B1 ="): "that fit; KeyError: 'b1'",
        PENCIL.replace("W", "V"): "that fit; IndexError",
        PENCIL.replace("[1.0]", "[1.0, 2.0]"): "that fit; ValueError: a vector of 1 numbers is [1.0, 2.0]",
    }.items():  # fmt: skip
        with pytest.raises(ValueError, match=re.escape(says)):
            check_file(tmp_path, source)
    again = f"{SAMPLE}\n{SAMPLE}\n{PENCIL}\n{PENCIL}\n"
    assert check_file(tmp_path, again).failures == []


# ---------------------------------------------------------------- reasons

CHAIN = (
    r"\frac{\partial \mathcal{L}}{\partial b^{(\ell)}_k} = \sum_{s}"
    r" \frac{\partial \mathcal{L}}{\partial Z^{(\ell)}_{sk,\mathrm{in}}}"
    r" \cdot \frac{\partial Z^{(\ell)}_{sk,\mathrm{in}}}{\partial b^{(\ell)}_k}"
    + ALL
)


def test_a_reason_for_each_equals_sign():
    assert failures(CHAIN, above=BATCH, below="*Reason:* chain rule.") == []
    assert "1 '=' need 1 reasons below, but 0" in message(
        CHAIN, above=BATCH, below=""
    )
    two = "1. Chain rule.\n2. Linearity."
    assert "but 2 are given" in message(CHAIN, above=BATCH, below=two)
    empty = "*Reason:* as one can see."
    assert "the reason names no definition" in message(
        CHAIN, above=BATCH, below=empty
    )


@pytest.mark.parametrize(
    ("below", "says"),
    [
        ("  *Reason:* definition.", None),
        ("1) Definition.", None),
        ("*Reason:* as in [](#eq-a).", "an equation is cited as {eq}`eq-...`"),
        ("*Reason:* definition, {numref}`eq-a`.", "an equation is cited as {eq}`eq-...`"),
    ],
)  # fmt: skip
def test_reasons_are_found_in_every_form(below, says):
    found = failures(f"{BIASES}{ALL}", below=below)
    assert [says in text for text in found] == ([True] if says else [])


def test_blank_lines_stand_between_reasons_and_no_other_list_follows():
    tex = rf"{BIASES} = \boldsymbol{{\delta}}^{{(\ell)}}{ALL}"
    assert failures(tex, below="1. Definition.\n\n2. Definition.") == []
    other = "*Reason:* definition.\n\n1. An exercise."
    assert failures(f"{BIASES}{ALL}", below=other) == []


def write_book(folder, *chapters):
    """A book of these chapters, in this order."""
    for name, source in chapters:
        (folder / f"{name}.md").write_text(source, encoding="utf-8")
    files = "".join(f"  - file: {name}\n" for name, _ in chapters[1:])
    (folder / "_toc.yml").write_text(
        f"format: jb-book\nroot: {chapters[0][0]}\nchapters:\n{files}"
    )
    return [str(folder / f"{name}.md") for name, _ in chapters]


DERIVED = "chain rule, definition of delta and of the pre-activation, linearity."


def equation(label, reason):
    return f"{SAMPLE}\n\n$$\n{BIASES}{ALL}\n$$ ({label})\n\n*Reason:* {reason}\n"


def test_a_cited_equation_stands_earlier(tmp_path):
    one = ("one", equation("eq-one", DERIVED))
    two = ("two", equation("eq-two", "{eq}`eq-one`."))
    assert check_files(write_book(tmp_path, one, two)).failures == []
    for chapters in ((two, one), (("two", equation("eq-two", "{eq}`eq-two`.")),)):
        (found,) = check_files(write_book(tmp_path, *chapters)).failures
        assert "which does not stand earlier" in found
    for citation in ("{eq}`eq-lost`", "{eq}`that <eq-lost>`", "{eq}` eq-lost `"):
        lost = ("one", equation("eq-one", f"{citation}."))
        assert (
            "cites eq-lost" in check_files(write_book(tmp_path, lost)).failures[0]
        )


@pytest.mark.parametrize("table", ["[", "- file: one\n", "format: jb-book\n"])
def test_a_table_of_contents_that_cannot_be_read_is_named(tmp_path, capsys, table):
    (file,) = write_book(tmp_path, ("one", equation("eq-one", "definition.")))
    (tmp_path / "_toc.yml").write_text(table, encoding="utf-8")
    assert main([file]) == 2
    assert f"{tmp_path / '_toc.yml'}:1: expected " in capsys.readouterr().err


# ---------------------------------------------------------------- files


def check_file(tmp_path, source):
    path = tmp_path / "a.md"
    path.write_text(source, encoding="utf-8")
    return check_files([str(path)])


@pytest.mark.parametrize(
    "source",
    [
        "$$\n{}\n$$\n",
        "$${}$$ (eq-a)\n",
        "$$ {}\n$$\n",
        "```{{math}}\n:label: eq-a\n{}\n```\n",
        "```{{math}}\n:nowrap:\n:label: eq-a\n{}\n```\n",
        "``` {{math}} {}\n```\n",
        "~~~{{math}}\n{}\n~~~\n",
        "- item\n\n  ```{{math}}\n  {}\n  ```\n",
        "- ```{{math}}\n  {}\n  ```\n",
        "1. ```{{math}}\n   {}\n   ```\n",
        "- ```python\n  x = 1\n  ```\n\n$$\n{}\n$$\n",
        "A listing:\n\n    ```\n\n$$\n{}\n$$\n",
        "::: {{note}}\n\n$$\n{}\n$$\n:::\n",
        "```x``` is code.\n\n$$\n{}\n$$\n",
        "```{{admonition}} Result\n\n$$\n{}\n$$\n```\n",
    ],
)
def test_every_form_of_a_displayed_equation_is_found(tmp_path, source):
    wrong = f"{BIASES}{ALL}".replace(r"\delta", r"\Delta")
    report = check_file(tmp_path, source.format(wrong))
    assert len(report.displays) == 1
    assert "right side is" in report.failures[0]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("\\begin{align}\nx = 1\n\\end{align}\n", r"1: \begin{align} begins no"),
        (
            "\\[\nx = 1\n\\]\n",
            r"1: \[ begins no equation; write $ ... $ or $$ ... $$",
        ),
        ("Here \\(x = 1\\).\n", r"1: \( begins no equation"),
        ("Here \\\\(x = 1\\\\).\n", r"1: \\( begins no equation"),
        ("```math\nx = 1\n```\n", "1: ```math is no equation here"),
        ("```{role} m(math)\n```\n\n{m}`x`\n", "1: {role} makes roles"),
        (
            ":::{csv-table}\n:header: >\n:  $x$, y\n\na, b\n:::\n",
            "1: a formula in the option header is not read",
        ),
        (
            "```{sidebar} A\n:subtitle: '{math}`x`'\n\nText.\n```\n",
            "1: a formula in the option subtitle is not read",
        ),
        (
            "```{raw-cell}\n:format: text/html\n\n<math></math>\n```\n",
            "1: a formula in HTML is not read",
        ),
        ("It is W<sup>T</sup>.\n", "1: a formula in HTML is not read"),
        ("It is x{sub}`1`.\n", "1: a formula in {sub} is not read"),
        ("---\nabstract: Here $x$.\n---\n", "1: a formula in the front matter"),
        (
            "---\nmyst: {enable_extensions: [html_admonition]}\n---\n",
            "1: in the front matter: html_admonition hides",
        ),
        (
            "It is $K$\n<!-- = 1 -->.\n",
            "2: no formula stands right before: <!-- = 1",
        ),
        ("It is `K`<!-- = 1 -->.\n", "1: no formula stands right before: <!-- = 1"),
        (
            "$K$<!-- = K -->, and <!-- = K -->.\n",
            "1: no formula stands right before",
        ),
        ("Text\n\n$$\nx = 1\n", "3: this equation does not end"),
        ("Text\n$$\nx = 1\n$$\n", "2: this equation does not end, or is inside a"),
        (
            "Here $$x = 1$$ stands.\n",
            "1: this equation does not end, or is inside a",
        ),
        (
            "A\nsign ` and $x$ and ` again.\n",
            "2: the formula between these backticks",
        ),
        ("```{include} a.txt\n```\n", "1: {include} shows a text that is not read"),
        ("```{glue:math} a\n```\n", "1: {glue:math} shows what is not read"),
        (
            "\n```{raw} html\n<math><mi>b</mi></math>\n```\n",
            "2: a formula in HTML is",
        ),
        ("<p>\n<MATH><mi>b</mi></MATH></p>\n", "1: a formula in HTML is not read"),
        ("It is <math>b</math>.\n", "1: a formula in HTML is not read"),
        (
            "```{eval-rst}\nIt is :math:`x`.\n```\n",
            "1: a formula in {eval-rst} is not",
        ),
        (
            "```{eval-rst}\n.. include:: a\n```\n",
            "1: a formula in {eval-rst} is not",
        ),
        (
            "Text[^1].\n\n[^1]: Here $x$.\n",
            "3: a formula in a footnote is not read",
        ),
        ("- ```{note}\n  Here $$x$$.\n  ```\n", "2: this equation does not end"),
        ("```{code-cell}\n:a: [\n```\n", "1: {code-cell}: Invalid options format"),
        ("```{code-cell}\n:a: *b\n```\n", "1: {code-cell}: Invalid options format"),
        (
            "---\nequations: softmax\n---\n",
            "1: the front matter says 'equations: {",
        ),
        ("---\na: [\n---\n", "1: the front matter is not YAML"),
        ("---\nmyst: {enable_extensions: [a]}\n---\n", "1: in the front matter: "),
    ],
)
def test_what_is_not_read_is_refused(source, says):
    with pytest.raises(ValueError, match=re.escape(f"a.md:{says}")):
        parse_chapter("a.md", source)


def test_a_chapter_names_its_world():
    chapter = parse_chapter(
        "a.md", "---\nequations: {world: softmax}\n---\nText.\n"
    )
    assert chapter.world == "softmax"
    assert parse_chapter("a.md", "Text.\n").world is None


def test_code_is_no_text(tmp_path):
    source = (
        "---\nx: $$\n---\n```python\n$$\nx\n```\n\n`$$`\n```{code-cell}\n$$\n```\n"
    )
    assert check_file(tmp_path, source).displays == []


def test_lines_are_those_of_an_editor(tmp_path):
    source = f"a\x0cb\u2028c\n\n$$\n{BIASES}\n$$\n"
    assert "a.md:4, row 1: " in check_file(tmp_path, source).failures[0]


def test_a_comment_is_no_text(tmp_path):
    wrong = f"{BIASES}{ALL}".replace(r"\delta", r"\Delta")
    assert check_file(tmp_path, f"% $$\n% {wrong}\n% $$\n").displays == []


def test_an_exemption_gives_its_reason(tmp_path):
    source = (
        "<!-- not executed: a statement about sets -->\n$$\nx \\in M\n$$ (eq-a)\n"
    )
    report = check_file(tmp_path, source)
    assert report.failures == []
    assert [result.exempt for result in report.exempt] == ["a statement about sets"]
    other = source.replace("not executed: a", "a")
    assert "cannot be read" in check_file(tmp_path, other).failures[0]


FALSE = r"\boldsymbol{\delta}^{(\ell)} = \mathbf{b}^{(\ell)}"


@pytest.mark.parametrize(
    "source",
    [
        f"Text\n${FALSE}$ text.\n",
        f"It costs $5.\n\n${FALSE}$ text.\n",
        f"- It costs $5.\n- Here ${FALSE}$.\n",
        f"Text\n{{math}}`{FALSE}` text.\n",
        f"Text\n{{math}}``{FALSE}`` text.\n",
        f"Text {{MATH}}`{FALSE}`.\n",
        f"A \\` sign,\n${FALSE}$ and \\` again.\n",
        f"```{{code-cell}}\n---\nmystnb:\n  figure:\n    caption: ${FALSE}$\n---\nx = '${FALSE}$'\n```\n",
    ],
)
def test_a_wrong_inline_formula_is_found_and_named(tmp_path, source):
    (found,) = check_file(tmp_path, source).failures
    line = source[: source.index(FALSE)].count("\n") + 1
    assert f"a.md:{line}, row 1: right side is" in found


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        (f"{FALSE}{ALL}", "right side is"),
        (rf"{BIASES}{HIDDEN}", "the range is too small"),
        (rf"{FALSE} \text{{ for all layers}}", r"cannot be read from here: \text"),
        (r"\delta^{(\ell)}_i = \bigl(b^{(\ell)}_i\bigr)", "right side is"),
        (r"\boldsymbol\delta^{(\ell)} = \mathbf{b}^{(\ell)}", "cannot be read from here"),
        (r"\boldsymbol{delta}^{(\ell)} = \mathbf{b}^{(\ell)}", "cannot be read from here"),
        (r"\mathbf{W}^{(\ell)} = \operatorname{diag}(\boldsymbol{\delta}^{(\ell)})", "right side is"),
        (r"\delta^{(\ell)}_i = \sqrt{b^{(\ell)}_i}", "right side is"),
        (r"\mathbf{Z}^{(\ell)}_{\mathrm{in}} = \textbf{1} \mathbf{b}^{(\ell)\top}", "right side is"),
        (r"\mathbf{b}^{(\ell)} = \mathbf{b}^{(\ell)} - \eta \boldsymbol{\delta}^{(\ell)}", "right side is"),
        (r"z^{(1)}_{i,\mathrm{out}} = \tanh(b^{(1)}_i)", "right side is"),
        (r"\delta^{(\ell)}_i \approx b^{(\ell)}_i", "right side is"),
        (rf"{BIASES}, \boldsymbol{{\delta}}^{{(\ell)}} = \mathbf{{b}}^{{(\ell)}}", "a second claim stands behind the first"),
    ],
)  # fmt: skip
def test_what_inline_formulas_claim_is_checked(tmp_path, formula, says):
    assert says in check_file(tmp_path, f"Here ${formula}$.\n").failures[0]


# ---------------------------------------------------------------- the package


def test_a_package_that_differs_from_the_page_is_named(monkeypatch):
    right = NeuralNetwork.backward_pass

    def wrong(self, outputs, y):
        right(self, outputs, y)
        for layer in self.layers:
            layer.linear.bias_grad = layer.linear.bias_grad / len(y)

    batch = rf"\nabla_{{\mathbf{{b}}^{{(\ell)}}}} {BATCH_LOSS} = \boldsymbol{{\Delta}}^{{(\ell)\top}} \cdot \mathbf{{1}}{ALL}"
    assert failures(batch) == []
    monkeypatch.setattr(NeuralNetwork, "backward_pass", wrong)
    assert "the package's value is" in message(batch)


def test_a_delta_that_differs_from_the_page_is_named(monkeypatch):
    delta = rf"\boldsymbol{{\Delta}}^{{(\ell)}} = \nabla_{{\mathbf{{Z}}^{{(\ell)}}_{{\mathrm{{in}}}}}} {BATCH_LOSS}{ALL}"
    assert failures(delta) == []
    monkeypatch.setattr(backprop.TanH, "derivative", lambda self, z_out: 1 - z_out)
    assert "the package's value is" in message(delta)


# ---------------------------------------------------------------- networks


def test_the_networks_hide_no_mistake():
    """Deep ones, equal sizes and sizes of 1; no two activations or outputs alike; losses
    of a batch that are means, and such that are not made of the samples' losses."""
    found = [network for network in networks() if network.net is None]
    assert {network.L for network in found} == {1, 2, 3, 4, 5, 6}
    sizes = [(*network.layer_sizes, network.n) for network in networks()]
    assert any(len(set(each)) < len(each) for each in sizes if 1 not in each)
    assert {1} < {network.n for network in found}
    assert {1} < {size for network in found for size in network.layer_sizes[1:-1]}
    assert {1} < {network.K for network in found}
    kinds = set()
    for network in found:
        assert network.W[1].dtype == torch.float64
        assert all(bias.abs().min() > 0 for bias in network.b[1:])
        functions = network.activations[1:]
        assert len(set(functions)) == len(functions)
        if network.K > 1:
            order = torch.arange(network.K).roll(1)
            y, z = network.y, network.z_out[-1]
            swapped = network.sample_loss(y[order], z[order])
            assert not torch.isclose(swapped, network.loss)
        if network.n > 1:
            outputs = network.Z_out[-1]
            (ours,) = torch.autograd.grad(
                network.sum_of_losses, outputs, retain_graph=True
            )
            (batch,) = torch.autograd.grad(
                network.loss_of_batch, outputs, retain_graph=True
            )
            # The rows of both point the same way where the batch's loss is made of them.
            cosines = torch.cosine_similarity(ours, batch, dim=1)
            kinds.add(bool((cosines > 1 - 1e-12).all()) or network.K == 1)
    assert kinds == {True, False}


@pytest.mark.slow
def test_values_do_not_depend_on_the_order_of_equations(report):
    """Numbers are drawn by a key: alone, an equation meets the numbers that it meets
    in the book."""
    chapter = read_chapter(str(ROOT / "book" / "vector.md"))
    display = chapter.displays[-1]
    program = (
        "import sys; from equations.check import check_display;"
        " from equations.extract import read_chapter;"
        " c = read_chapter(sys.argv[1]); print(check_display(c.displays[-1], c).error)"
    )
    command = [sys.executable, "-c", program, display.file]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (inside,) = [r for r in report.displays if r.label == display.label]
    assert float(done.stdout) == inside.error


# ---------------------------------------------------------------- mutants


def names_of_mutants(tex):
    chapter = parse_chapter("a.md", f"$$\n{tex}\n$$ (eq-a)\n")
    return [
        m.name.partition(", row 1: ")[2]
        for m in mutants.mutants(chapter.displays[0])
    ]


def test_mutants_of_every_kind_are_made():
    names = names_of_mutants(f"{BACK}{HIDDEN}")
    for name in (
        r"layer: \ell -> \ell-1",
        r"layer: \ell-1 -> \ell",
        r"layer: \ell -> L",
        "prime: drop '",
        r"in/out: \mathrm{in} -> \mathrm{out}",
        r"case: \mathbf{z} -> \mathbf{Z}",
        r"case: \boldsymbol{\delta} -> \boldsymbol{\Delta}",
        r"factor: drop \mathbf{W}^{(\ell)} \cdot",
        "range: 2 -> 1",
        "range: 2 -> 3",
        "range: L -> L-1",
        "range: L -> L+1",
    ):
        assert name in names
    assert any(name.startswith("product: ") for name in names)
    names = names_of_mutants(f"{IN} = {FORWARD}{ALL}")
    for name in ("indices: ji -> ij", r"sum: drop \sum_{j}", "sign: + -> -", "summation index: j -> i", "index: j -> i"):  # fmt: skip
        assert name in names
    names = names_of_mutants(rf"{BIASES}, \quad \ell = L, \dots, 1")
    assert {"range: L -> L-1", "range: 1 -> 2"} <= set(names)
    assert "transpose: drop ^{\\top}" in names_of_mutants(
        r"(\mathbf{W}^{(1)})^{\top} = 1"
    )


def test_all_mutants_of_a_result_are_rejected():
    chapter = read_chapter(str(ROOT / "book" / "vector.md"))
    display = next(
        d for d in chapter.displays if d.label == "eq-vector-hidden-delta"
    )
    made = list(mutants.mutants(display))
    assert len(made) > 40
    assert [m.name for m in made if mutants.survives((chapter, m))] == []


@pytest.mark.slow
def test_all_mutants_of_the_book_are_rejected(capsys):
    outcome = mutants.run([str(ROOT / "book" / f"{c}.md") for c in CHAPTERS])
    with capsys.disabled():
        print(f"\n{outcome.killed} of {outcome.total} changed equations rejected,"
              f" {len(outcome.true)} are true")  # fmt: skip
    assert outcome.survivors == []
    assert outcome.stale == []
    assert outcome.total > 2000


def test_a_mutant_that_is_not_rejected_is_reported(tmp_path, capsys):
    tex = rf"1 \cdot \delta^{{(\ell)}}_i = \frac{{\partial \mathcal{{L}}}}{{\partial {IN}}}{ALL}"
    source = f"{SAMPLE}\n\n$$\n{tex}\n$$ (eq-a)\n\n*Reason:* definition.\n"
    (tmp_path / "a.md").write_text(source, encoding="utf-8")
    assert main(["--mutants", str(tmp_path / "a.md")]) == 1
    assert (
        r"not rejected: eq-a, row 1: factor: drop 1 \cdot"
        in capsys.readouterr().out
    )
    listing = "eq-a, row 1: factor: drop 1 \\cdot\n    A factor 1.\nx\n    Gone.\n"
    (tmp_path / "true_mutants.txt").write_text(listing, encoding="utf-8")
    assert main(["--mutants", str(tmp_path / "a.md")]) == 1
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first == "listed as true, but rejected or gone: x"
    assert last.endswith("1 true and listed, 0 not rejected")


def test_a_list_of_true_mutants_gives_reasons(tmp_path):
    (tmp_path / "true_mutants.txt").write_text("eq-a, row 1: x\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no reason for eq-a"):
        mutants.true_mutants([str(tmp_path / "a.md")])


# ---------------------------------------------------------------- command


def test_the_command_reports_and_fails(tmp_path, capsys):
    right, wrong = str(tmp_path / "right.md"), str(tmp_path / "wrong.md")
    source = equation("eq-right", DERIVED)
    Path(right).write_text(source, encoding="utf-8")
    source = equation("eq-wrong", DERIVED).replace("= 1", "= 2")
    Path(wrong).write_text(source, encoding="utf-8")
    assert main([right]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:3] == ["eq-right", "1", "13"]
    assert lines[-1].endswith(", 0 failed")
    (tmp_path / "text.md").write_text("Text.\n", encoding="utf-8")
    assert main([str(tmp_path / "text.md")]) == 0
    assert capsys.readouterr().out.endswith(
        "no equation stands here: nothing is checked\n"
    )
    assert main([right, wrong]) == 1
    said = capsys.readouterr().out
    assert "wrong.md:4 (eq-wrong), row 1: the range is too small" in said
    assert main(["--json", right, wrong]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [d["label"] for d in found["displays"]] == ["eq-right", "eq-wrong"]
    assert found["failures"] == found["displays"][1]["failures"] != []


@pytest.mark.parametrize(
    ("name", "says"), [("bytes.md", "not a text file"), ("lost.md", "No such file")]
)
def test_the_command_refuses_what_is_no_chapter(tmp_path, capsys, name, says):
    (tmp_path / "bytes.md").write_bytes(b"\xff\xfe\x00")
    assert main([str(tmp_path / name)]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_can_be_run(tmp_path):
    (tmp_path / "a.md").write_text(equation("eq-a", DERIVED), encoding="utf-8")
    command = [sys.executable, "-m", "equations", str(tmp_path / "a.md")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "1 equations in 1 rows" in done.stdout


def test_a_row_that_cannot_be_read_says_where():
    with pytest.raises(EquationError, match="cannot be read from here: ⇒ b"):
        parse_row("a = 1 ⇒ b")


# ---------------------------------------------------------------- what looks right


@pytest.mark.parametrize("case", LOOK_RIGHT)
def test_what_looks_right_is_refused(tmp_path, case):
    found = check_file(tmp_path, LOOK_RIGHT[case]).failures
    assert re.search(r"a\.md:\d+ \(eq-a\), row \d: ", found[0])

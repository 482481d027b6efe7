"""Formulas in the text: of which kind each is, and what its kind is checked for."""

import pytest
from equation_cases import PENCIL
from equations import check_files
from test_equations import SAMPLE

DELTA = r"\boldsymbol{\delta}^{(\ell)}"


def check(tmp_path, text, front=""):
    head = (
        f"---\nequations: {{names: {{{front}: a number}}}}\n---\n" if front else ""
    )
    path = tmp_path / "a.md"
    path.write_text(f"{head}{SAMPLE}\n{PENCIL}\n{text}\n", encoding="utf-8")
    return check_files([str(path)])


@pytest.mark.parametrize(
    ("formula", "kind"),
    [
        (r"W^{(\ell)}_{ji}", "symbol"),
        (r"\mathbf{W}", "symbol"),
        (r"\mathbf{z}_s", "symbol"),
        (r"\mathcal{L}", "symbol"),
        ("i", "symbol"),
        (r"\ell - 1", "symbol"),
        (r"N^{(0)}, \dots, N^{(L)}", "symbol"),
        (r"W^{(1)}_{11}, W^{(1)}_{21}", "symbol"),
        (r"\odot \, \sigma'", "sign"),
        (r"N^{(\ell-1)} \times N^{(\ell)}", "shape"),
        (r"(n, N^{(\ell)})", "shape"),
        (r"\mathbf{W}^{(\ell)} \in \mathbb{R}^{N^{(\ell-1)} \times N^{(\ell)}}", "shapes"),
        (r"\mathbf{b}^{(\ell)} \in \mathbb{R}^{N^{(\ell)}}", "shapes"),
        (r"(3 \times 5) = (3 \times 1) \cdot (1 \times 5)", "shapes"),
        (r"\ell = 1, \dots, L", "range"),
        (r"m = j", "range"),
        (r"\ell \ge 2", "range"),
        (r"i = 1, \dots, N^{(\ell-1)}", "range"),
        (r"s = 1, 2, \dots, n", "range"),
        (r"\ell = L, L - 1, \dots, 1", "range"),
        (r"1 \le \ell < L", "range"),
        (r"1, \dots, K", "range"),
        (r"\ell = 12", "range"),
        ("n = 1", "condition"),
        (r"\text{if } L \ge 3", "range"),
        ("n = K = 1", "condition"),
        ("N^{(0)} K = 2", "condition"),
        (r"N^{(\ell)} = 12", "condition"),
        ("0.5 > 0.3", "arithmetic"),
        (r"0.1 \cdot 3 \cdot 1000000 = 300000", "arithmetic"),
        ("0.25", "number"),
        (r"10^{-5}", "number"),
        (r"100 \cdot 100 = 10\,000", "arithmetic"),
        (r"0.6281^2 \approx 0.3945", "arithmetic"),
        (r"W^{(1)}_{21} = 0.2", "value"),
        ("x_2 = 2", "value"),
        (r"z^{(1)}_{1,\mathrm{out}} \approx 0.7616", "value"),
        (r"\eta = 0.5", "given"),
        ("K = N^{(L)}", "equality"),
        (r"|x_j| \ge x_j", "equality"),
        (r"z^{(0)}_{j,\mathrm{out}} = x_j", "equality"),
        (r"\mathbf{V}^{(\ell)} = \mathbf{W}^{(\ell)\top}", "equality"),
        (r"d\mathbf{z}^{(\ell)}_{\mathrm{in}} = d\mathbf{b}^{(\ell)}, \text{ changing } \mathbf{b}^{(\ell)}", "equality"),
        (r"\sum_{\ell=2}^{L} N^{(\ell-1)} N^{(\ell)}", "term"),
        (r"\mathbf{W}^{(\ell)} \cdot \boldsymbol{\delta}^{(\ell)}", "term"),
        (r"\mathbf{W} \boldsymbol{\delta}", "shorthand"),
        ("q (1 - q)", "own names"),
    ],
)  # fmt: skip
def test_each_formula_is_of_a_kind(tmp_path, formula, kind):
    report = check(tmp_path, f"Text ${formula}$ text.", front="q")
    assert report.failures == []
    assert report.inlines[-1].kind == kind


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("W^{(1)}_{21} = 0.3", "right side is 0.3, left side is 0.2"),
        (r"\boldsymbol{\delta}^{(L)} \equiv \mathbf{b}^{(L)}", "right side is"),
        (r"\delta^{(L)}_i \le b^{(L)}_i", "not ≤"),
        ("K = N^{(0)}", "right side is"),
        (r"\mathbf{x} = \mathbf{z}^{(1)}_{\mathrm{out}}", "right side is"),
        (r"\frac{\partial \mathcal{L}}{\partial W^{(\ell)}_{ji}} = \delta^{(\ell)}_j + \lambda W^{(\ell)}_{ji}", "index j runs to"),
        (r"\boldsymbol{\Delta}^{(\ell)\top} \cdot \mathbf{1} \cdot \mathbf{1}", "a product of shapes"),
        (r"\mathbf{W}^{(\ell)} \in \mathbb{R}^{N^{(\ell)} \times N^{(\ell-1)}}", "its shape is (N^(0), N^(1)), not (N^(1), N^(0))"),
        (r"\mathbf{W}^{(\ell)}_{\mathrm{new}} = \mathbf{b}^{(\ell)}", "takes no word as index"),
        (r"3 \cdot 100 = 400", "right side is 400, left side is 300"),
        (r"\boldsymbol{\delta}^{(L)} = \mathbf{b}^{(L)} \Rightarrow \mathbf{b}^{(L)} = \mathbf{x}", "cannot be read from here"),
        (r"\operatorname{rank} \nabla_{\mathbf{W}^{(\ell)}} \mathcal{L} = 2", "cannot be read from here"),
        (r"(3 \times 5) = (3 \times 1) \cdot (2 \times 5)", "(3, 1) · (2, 5)"),
        (r"(3 \times 5) = (5 \times 3)", "the shapes are (3, 5) and (5, 3)"),
        (r"(n, w)", "w is no size"),
        (r"\mathbf{Q}^{(\ell)}", "unknown symbol 'Q'"),
        (r"\delta^{(\ell)}", "is a vector or a matrix, and not bold"),
        (r"\mathbf{n}", "is a number, and bold"),
        (r"\mathbf{W}_{ji}", "W_ji is a number, and bold"),
        (r"\mathbf{z}_i", "z_i is a number, and bold"),
        (r"\mathbf{n} = 5", "n is a number, and bold"),
        (r"\mathbf{N}", "N is a number, and bold"),
        (r"\boldsymbol{\sigma}", "σ is a number, and bold"),
        (r"\boldsymbol{\sigma}^{(L)}(\mathbf{z}^{(L)}_{\mathrm{in}})", "σ^(L) is a function, and bold"),
        (r"{1 + 2} \cdot 3 = 9", "cannot be read from here: + 2}"),
        (r"{2^3}^2 = 64", "no page shows braces"),
        (r"e^{2}^2 > 1", "cannot be read from here: ^2 > 1"),
        (r"\mathbf{1}_n", "an index of n is s, and no other"),
        (r"\sqrt{\mathbf{1}}", "a number is needed here"),
        (r"1 + \mathbf{1}", "a sum of shapes"),
        (r"2 \mathbf{1}", "this is no number"),
        (r"\sigma_i", "σ_i has 1 indices; it needs 0"),
        (r"W_{jik}", "W_jik has 3 indices; it needs 2"),
        (r"\log(|z| + 2)^2 = \log((|z| + 2)^2)", "right side is"),
        (r"i = 1, \dots, n", "the index i does not run to n"),
        (r"s = 1, \dots, K", r"the index s does not run to K"),
        (r"\ell = 1, \dots, n", r"the index \ell does not run to n"),
        (r"i \le L", "the index i does not run to L"),
        (r"\ell = 1, \dots, L + 1", r"no \ell is of this range"),
        (r"\ell > L", r"no \ell is of this range"),
        (r"\ell - 1 = L", r"no \ell is of this range"),
        (r"s \ge n + 1", "no s is of this range"),
        ("i = 0", "no i is of this range"),
        (r"5 \le \ell \le 2", r"no \ell is of this range"),
        ("2 = 3, \\dots, 4", "cannot be read from here"),
        (r"\boldsymbol{\eta}", "η is a number, and bold"),
        (r"(\mathbf{n}, K)", "is no size"),
        (r"1/(1 + )", "cannot be read from here"),
        ("1 = 2", "right side is 2, left side is 1"),
        ("3 < 2", "left side is 3, right side is 2: not <"),
        (r"1.04 < 1.0", "not <"),
        (r"10^{-13} = 10^{-14}", "right side is 1e-14"),
        (r"\mathbf{x} = \eta", "right side is (1, 1), left side is"),
        (r"x_1 = 2 x_1 = 0.9", "right side is"),
        ("n = n + 1 = 1", "right side is"),
        (r"\mathcal{L} = 0", "right side is 0"),
        (r"\mathbf{x} = 2 \mathbf{x} \in \mathbb{R}^{N^{(0)}}", "makes one claim"),
        (r"\mathbf{W}^{(\ell)} \in \mathbb{R}^{N^{(0)} \times N^{(1)}}", "its shape is (N^(1), N^(2)), not (N^(0), N^(1))"),
        (r"\mathbf{x} \equiv \mathbf{y}, n", "the formula ends too early"),
        (r"\mathbf{W}^{(1)} \leftarrow \mathbf{b}^{(1)}, n", "the formula ends too early"),
        ("(n = K)", "cannot be read from here"),
        (r"\mathbf{x}, n \ge K", "makes one claim"),
        (r"(3 \times 5) = (3 \times 5), n \ge K", "makes one claim"),
        (r"\underbrace{1 + 1}_{3} = 2", "right side is 3"),
        (r"\underbrace{\mathbf{x}}_{2 \mathbf{x}}", "its label is"),
        ("N^{(6)} = K", "fewer than two networks"),
        (r"|z| = \begin{cases} |z| & z^2 < 16 \\ 0 & z^2 \ge 16 \end{cases}", "right side is 0, left side is"),
        (r"|z| = \begin{cases} |z| & z^2 \ge 0 \\ 0 & z^2 < 0 \end{cases}", "case 2 never occurs here"),
        (r"\max(z, -20) = z", "numbers times 30"),
        (r"0.6281^2 \approx 0.3946", "right side is 0.3946"),
    ],
)  # fmt: skip
def test_what_is_false_or_no_formula_is_refused(tmp_path, formula, says):
    (found,) = check(tmp_path, f"Here ${formula}$.").failures
    assert "a.md:14" in found
    assert says in found


@pytest.mark.parametrize(
    ("formula", "size"),
    [
        ("n = 5", 1),
        (r"L \ge 3", 2),
        ("nK = 12", 1),
        ("K < 1", 1),
        ("N^{(0)} = 3", 2),
    ],
)
def test_sizes_are_those_of_the_chapter_unless_a_word_says_if(
    tmp_path, formula, size
):
    (found,) = check(tmp_path, f"Here ${formula}$.").failures
    assert f"a.md:14: left side is {size} in the network of the cell" in found
    for word in ("if", "For", "With", "Let", "unless"):
        assert check(tmp_path, f"{word} ${formula}$.").failures == []


NOT_MET = "no network that is tried meets this condition"


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        (r"\eta = 3", NOT_MET),
        (r"\eta = 0.5", None),
        (r"\eta \ge 0.6", NOT_MET),
        (r"\eta \ge 0.4", None),
        ("L = 99", NOT_MET),
        ("L = 2", None),
        (r"\mathbf{x} = 2 \mathbf{x}", NOT_MET),
        (r"K = \mathbf{x}", "right side is"),
    ],
)
def test_a_condition_alone_is_met_somewhere(tmp_path, condition, says):
    rate = "We take $\\eta = 0.5$."
    found = check(tmp_path, f"{rate}\n\n$\\text{{if }} {condition}$").failures
    assert [says in text for text in found] == ([True] if says else [])


def test_a_comment_makes_a_claim_of_a_formula(tmp_path):
    right = rf"${DELTA}$<!-- = \nabla_{{\mathbf{{b}}^{{(\ell)}}}} \mathcal{{L}} -->"
    report = check(tmp_path, f"The gradient of the biases is {right}.")
    assert report.failures == []
    assert report.inlines[-1].kind == "annotated"
    assert report.inlines[-1].values > 0
    wrong = right.replace("{b}", "{W}")
    assert "left side is" in check(tmp_path, f"It is {wrong}.").failures[0]
    named = right.replace(r"\nabla", r"q \nabla")
    said = check(tmp_path, f"It is {named}.", front="q").failures[0]
    assert "the claim in the comment cannot be executed" in said


@pytest.mark.parametrize(
    "comment",
    [
        r"2 \mathbf{b}^{(\ell)} = 1",
        r"equals \nabla_{\mathbf{b}^{(\ell)}} \mathcal{L}",
        r"\propto \mathbf{b}^{(\ell)}",
        "not executed:",
        "not executed",
        "Not checked: why",
        "mind this",
        "",
    ],
)
def test_a_comment_behind_a_formula_that_says_something_else_is_refused(
    tmp_path, comment
):
    for blank in ("", " "):
        (found,) = check(
            tmp_path, f"It is ${DELTA}${blank}<!-- {comment} -->."
        ).failures
        assert "a.md:14: behind a formula stands a claim, such as <!-- = 1" in found


@pytest.mark.parametrize(
    "text",
    [
        f"<!-- mind this --> It is ${DELTA}$.",
        f"It is ${DELTA}$, as above <!-- mind this -->.",
        f"It is ${DELTA}$<br>\nand more.",
        f"It is ${DELTA}$<!--\nnot executed: it is\ntoo long\n-->.",
        f"It is ${DELTA}$<!--\n= {DELTA} -->.",
        f"It is ${DELTA}$.\n\n<!-- mind this -->\n",
    ],
)
def test_comments_elsewhere_are_free(tmp_path, text):
    assert check(tmp_path, text).failures == []


def test_what_only_words_claim_is_listed(tmp_path):
    """A symbol of which words say something, a longer term, and what the text calls by
    names of its own; not what is executed, nor a symbol in passing."""
    symbol = rf"From here on ${DELTA}$ is something else."
    bare = r"It is $\mathbf{W} \boldsymbol{\delta}$."
    for text in (symbol, rf"It is ${DELTA} + {DELTA}$.", bare, "It is $q$."):
        assert check(tmp_path, text, front="q").in_words != {}
    for text in (rf"With ${DELTA}$ it goes on.", "It is $1 + 1 = 2$."):
        assert check(tmp_path, text).in_words == {}


@pytest.mark.parametrize("between", [", ", " is ", " (", ", of shape "])
def test_a_shape_right_behind_a_symbol_is_that_of_the_symbol(tmp_path, between):
    def checked(symbol, shape):
        return check(tmp_path, f"Here ${symbol}${between}${shape}$.")

    weights, right = r"\mathbf{W}^{(\ell)}", r"N^{(\ell-1)} \times N^{(\ell)}"
    report = checked(weights, right)
    assert report.failures == [] and report.inlines[-1].kind == "shapes"
    (found,) = checked(weights, r"N^{(\ell)} \times N^{(\ell-1)}").failures
    assert "a.md:14: its shape is (N^(0), N^(1)), not (N^(1), N^(0))" in found
    assert "not (n, N^(0))" in checked(r"\mathbf{Y}", "(n, N^{(0)})").failures[0]
    for symbol, shape in (
        (r"\mathbf{W}", right),  # of any layer
        (weights, r"3 \times 2"),  # of an example
        (r"\ell = 1, \dots, L", right),
    ):
        assert checked(symbol, shape).inlines[-1].kind == "shape"


def test_words_under_a_brace_are_listed(tmp_path):
    brace = r"\underbrace{\mathbf{b}^{(\ell)}}_{\text{biases}}"
    tex = rf"\mathbf{{b}}^{{(\ell)}} = {brace}, \quad \ell = 1, \dots, L"
    report = check(tmp_path, f"$$\n{tex}\n$$\n\n*Reason:* definition.\n")
    assert list(report.in_words.values()) == [[15]]


@pytest.mark.parametrize(
    "text",
    [
        "{names: [p]}",
        "{names: {p: 1}}",
        "{names: {p: ''}}",
        "{letters: {p: a}}",
        "{world: 1}",
    ],
)
def test_front_matter_that_says_something_else_is_refused(tmp_path, text):
    path = tmp_path / "a.md"
    path.write_text(f"---\nequations: {text}\n---\nText.\n", encoding="utf-8")
    with pytest.raises(ValueError, match="a.md:1: the front matter says"):
        check_files([str(path)])


def test_an_unknown_world_is_named(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("---\nequations: {world: flat}\n---\n$x$\n", encoding="utf-8")
    with pytest.raises(
        ValueError, match="no world is called flat; there are feedfor"
    ):
        check_files([str(path)])


WHOLE = r"\mathcal{L}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}})"
OUT_IN = r"\in \mathbb{R}^{N^{(\ell)} \times N^{(\ell-1)}}"
INTO = r"\mathbf{z}^{(L)}_{\mathrm{in}}"


@pytest.mark.parametrize(
    ("formula", "claim", "words"),
    [
        (r"\mathcal{L}", f"= {WHOLE}", "is the loss of the whole batch"),
        (r"\mathbf{W}^{(\ell)}", OUT_IN, "is stored as outputs times inputs"),
        (rf"\sigma^{{(L)}}({INTO})", rf"= \operatorname{{softmax}}({INTO})", "is softmax"),
    ],
)  # fmt: skip
def test_what_words_make_false_is_listed_and_with_a_comment_refused(
    tmp_path, formula, claim, words
):
    assert check(tmp_path, f"Now ${formula}$ {words}.").in_words != {}
    (found,) = check(tmp_path, f"Now ${formula}$<!-- {claim} --> {words}.").failures
    assert "a.md:14" in found

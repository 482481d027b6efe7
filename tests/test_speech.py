"""Formulas in words: the words alone give the formula back, for every formula of the book."""

import logging
import re
from collections import Counter
from functools import cache

import pytest
from chapters import reading
from equation_cases import TRUE
from equations import chains, check_files
from equations.chains import Placed, pieces
from equations.check import check_values
from equations.extract import parse_chapter, read_chapter
from equations.nodes import EquationError, Power, Product, Row, walk
from equations.parse import parse_row
from equations.results import Result
from equations.speech import of_formula
from equations.speech.formulas import vocabulary
from equations.speech.hear import grammar, hear
from equations.speech.say import say
from equations.speech.texts import read
from equations.speech.tree import plain
from equations.speech.words import Vocabulary
from equations.worlds import WORLDS
from lark import GrammarError, Lark, logger
from sources import ROOT
from test_worlds import ROWS

BOOK = Vocabulary(WORLDS["feedforward"])
CHAPTERS = reading.chapters(ROOT)


@cache
def chapter(name):
    return read_chapter(str(CHAPTERS[name]))


def is_text(tex):
    """Whether no equation can be written so."""
    try:
        parse_row(tex)
    except EquationError:
        return True
    return False


def parts(name):
    """The TeX of each row of each formula of a chapter, once."""
    found = chapter(name)
    rows = [tex for display in found.displays for *_, tex in pieces(display.tex)]
    return dict.fromkeys(rows + [inline.tex for inline in found.inlines])


def round_trip(tex, known):
    tree = read(tex)
    spoken = say(tree, known)
    heard = hear(spoken, known, is_text(tex))
    assert plain(heard) == plain(tree), f"{tex}\n{spoken}"
    assert say(heard, known) == spoken
    has_power = any(
        isinstance(node, Power) and node.exponent not in (2, 3)
        for node in walk(tree.sides if isinstance(tree, Row) else tree)
    )
    assert ("power" in spoken) <= (has_power or "error of order" in spoken)
    return spoken


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_words_of_each_formula_give_it_back(name):
    known = vocabulary(chapter(name))
    for tex in parts(name):
        round_trip(tex, known)


@pytest.mark.slow
def test_so_do_those_of_each_world():
    count = 0
    for world, groups in ROWS.items():
        for tex in (tex for group in groups for tex in group):
            for *_, row in pieces(tex):
                if not is_text(row):
                    round_trip(row, Vocabulary(WORLDS[world]))
                    count += 1
    for tex in TRUE.values():
        if not is_text(tex):
            round_trip(tex, BOOK)
            count += 1
    assert count > 100


def test_every_formula_of_the_book_has_words_and_none_by_hand():
    count = Counter()
    for name in CHAPTERS:
        for formula in chapter(name).formulas:
            assert all(row.words for row in of_formula(formula, chapter(name)))
            count["formulas"] += 1
            count["by hand"] += bool(formula.said)
    assert count["formulas"] > 900
    assert count["by hand"] == 0


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == "vector" else pytest.mark.slow)
        for name in CHAPTERS
        if "\n$$ (eq-" in CHAPTERS[name].read_text(encoding="utf-8")
    ],
)
def test_what_is_heard_is_evaluated_to_the_same(name, monkeypatch):
    """The check compares as many numbers of what is heard as of what is written."""
    known = vocabulary(chapter(name))

    def heard(tex):
        row = parse_row(tex)
        signs = {node.sign for node in walk(row.sides) if isinstance(node, Product)}
        back = hear(say(row, known), known)
        # A number before a matrix has no sign between them, which is not heard.
        return back if signs != {""} else without_signs(back)

    for display in chapter(name).displays:
        if not display.exempt:
            written = checked(display, name)
            with monkeypatch.context() as patch:
                patch.setattr(chains, "parse_row", heard)
                spoken = checked(display, name)
            assert written.values == spoken.values > 0


def checked(display, name):
    result = Result(display.file, display.line, display.label, display.tex)
    with result.noting(Placed(None, 0, display.line)):
        check_values(display, chapter(name), result)
    assert not result.failures
    return result


def without_signs(node):
    for part in walk(node.sides):
        if isinstance(part, Product) and part.sign == "·":
            object.__setattr__(part, "sign", "")
    return node


# What is wrong, and what it is made of.
SLIPS = {
    "a dropped transposed": (r", transposed", ""),
    "a transposed too many": (r"(of layer ell)(?=,)", r"\1, transposed"),
    "a shifted layer": (r"layer ell(?! (?:plus|minus))", "layer ell minus one"),
    "a layer that is not shifted": (r"ell minus one", "ell"),
    "swapped factors": (r"(?P<a>[^,]+(?:, transposed)?), times (?P<b>.+)", r"\g<b>, times \g<a>"),
    "another layer": ("capital L", "ell"),
    "in for out": (" out(?= of)", " in"),
    "out for in": (" in(?= of layer)", " out"),
    "another unit": ("unit i", "unit k"),
    "swapped units": (r"from unit (\w) to unit (\w)", r"from unit \2 to unit \1"),
    "the batch for a sample": ("capital ", ""),
    "dropped brackets": ("the quantity |, end quantity", ""),
    "a product of elements": (" times", " elementwise times"),
    "a derivative for a gradient": ("the gradient", "the derivative"),
    "a dropped prime": (" prime", ""),
    "minus for plus": ("plus", "minus"),
    "a dropped square": (", squared", ""),
    "another relation": ("equals", "is at least"),
    "another font": ("bold ", ""),
    "a dropped sum": (r"the sum over \w of ", ""),
    "a closed fraction": ("fraction ", ""),
    "another range": ("from 2 to", "from 1 to"),
    "another loss": ("MSE loss", "loss"),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_wrong_words_are_another_formula_or_none(slip):
    seen = 0
    for name in CHAPTERS:
        known = vocabulary(chapter(name))
        for tex in parts(name):
            tree = plain(read(tex))
            spoken = say(read(tex), known)
            wrong = re.sub(*SLIPS[slip], spoken, count=0 if "br" in slip else 1)
            if wrong != spoken and not harmless(wrong, spoken):
                seen += 1
                try:
                    heard = hear(wrong, known, is_text(tex))
                except EquationError:
                    continue
                assert plain(heard) != tree, f"{tex}\n{spoken}\n{wrong}"
    assert seen


def harmless(wrong, spoken):
    """Whether only factors that are equal have changed their places."""
    return sorted(wrong.split(", times ")) == sorted(spoken.split(", times ")) and (
        len(set(wrong.split(", times "))) == 1
    )


@pytest.mark.parametrize(
    ("tex", "spoken"),
    [
        (r"\delta^{(\ell-1)}_i", "delta of layer ell minus one, unit i"),
        (
            r"\mathbf{W}^{(\ell)\top} \cdot \boldsymbol{\delta}^{(\ell)}",
            "W of layer ell, transposed, times delta of layer ell",
        ),
        (
            r"\nabla_{\mathbf{W}^{(\ell)}} \mathcal{L}",
            "the gradient of the loss by W of layer ell",
        ),
        (r"\mathbf{z}^{(L)}_{s,\mathrm{out}}", "z out of layer capital L, sample s"),
        (r"W^{(\ell)}_{ji}", "W of layer ell, from unit j to unit i"),
        (r"\Delta^{(\ell)}_{s,\cdot}", "plain capital delta of layer ell, sample s, every unit"),
        (r"N^{(\ell)} + 1", "the quantity capital N of layer ell, end quantity, plus 1"),
        (
            r"n + N^{(\ell)} + 1",
            "n plus the quantity capital N of layer ell, end quantity, plus 1",
        ),
        (r"N^{(\ell+1)}", "capital N of layer ell plus one"),
        (r"\frac{1}{n}", "1 divided by n"),
        (r"\frac{n + 1}{n}", "fraction n plus 1, over n, end fraction"),
        (r"\frac{\frac{n + 1}{n}}{K}", "fraction fraction n plus 1, over n, end fraction, over capital K, end fraction"),
        (r"x_{i+k-1}", "x, input quantity i plus k minus 1 end quantity"),
        (r"(-0.8) \cdot n", "the quantity minus 0.8, end quantity, times n"),
        (r"n \cdot (-0.8)", "n times minus 0.8"),
        (r"10^{-5}", "10 to the power minus 5"),
        (r"\underbrace{n}_{\text{samples}}", 'the quantity n, which is "samples", end quantity'),
        (r"\odot \, \sigma'", "elementwise times sigma prime"),
        (r"\|\mathbf{W}^{(\ell)}\|_2", "2-norm of W of layer ell"),
        (r"\ell =", "ell equals"),
        (r"(n, N^{(\ell)})", "tuple n comma capital N of layer ell, end tuple"),
        (r"\mathbf{W}^{(1)} \in \mathbb{R}^{2 \times n}", "W of layer 1, is in real arrays of 2 by n"),
        (r"\sqrt[3]{n}", "root 3 of n"),
        (r"e^0 = 1", "exponential of 0, equals 1"),
        (r"\partial f / \partial u_1", "the derivative of f by u, index 1"),
        (r"[m = j]", "indicator of m equals j"),
    ],
)  # fmt: skip
def test_how_formulas_are_said(tex, spoken):
    assert round_trip(tex, BOOK) == spoken


def test_letters_of_a_chapter_are_its_own():
    known = Vocabulary(WORLDS["feedforward"], frozenset("y"))
    assert say(read("y"), BOOK) == "plain y"
    assert say(read("y"), known) == "y"
    assert round_trip(r"\mathbf{y}", known) == "bold y"


def test_what_is_no_speech_is_refused():
    for spoken in (
        "",
        "delta delta",
        "W times",
        "fraction n over n",
        "n of layer one",
    ):
        with pytest.raises(EquationError, match="no formula is said so"):
            hear(spoken, BOOK)


def conflicts(rules, start):
    """The places where a parser with one word of look-ahead would have to guess."""
    found = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        Lark(rules, parser="lalr", start=start, debug=True)
    except GrammarError as error:
        found.append(str(error))
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    return [text for text in found if re.search("conflict|collision", text.lower())]


@pytest.mark.parametrize("start", ["row", "text"])
def test_no_words_mean_two_things(start):
    rules = grammar(tuple(BOOK.index_words), tuple(BOOK.loss_words))
    assert conflicts(rules, start) == []
    # Without its end a fraction could end in two places.
    open_ended = rules.replace(
        'side "over" side "end fraction"', 'side "over" side'
    )
    assert open_ended != rules
    assert conflicts(open_ended, start)


# ---------------------------------------------------------------- in chapters


LOSS = r"$\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$."
CHAIN = rf"""{LOSS}

$$
\begin{{aligned}}
\delta^{{(L)}}_i
&= \frac{{\partial \mathcal{{L}}}}{{\partial z^{{(L)}}_{{i,\mathrm{{in}}}}}} \\
&= \frac{{\partial \mathcal{{L}}}}{{\partial z^{{(L)}}_{{i,\mathrm{{out}}}}}}
   \cdot \frac{{\partial z^{{(L)}}_{{i,\mathrm{{out}}}}}}{{\partial z^{{(L)}}_{{i,\mathrm{{in}}}}}}
\end{{aligned}}
$$ (eq-a)

1. Definition.
2. Chain rule {{eq}}`eq-b`, one path, and definition of $\mathbf{{W}}^{{(\ell)\top}}$.
"""


def test_a_chain_is_said_row_by_row_with_its_reasons():
    found = parse_chapter("a.md", CHAIN)
    first, second = of_formula(found.displays[0], found)
    assert (
        " is defined as the derivative of the loss by z in of layer" in first.words
    )
    assert not first.rules
    assert second.words.startswith("equals the derivative of the loss by z out of")
    assert second.rules == (
        "the chain rule",
        "the definition of W of layer ell, transposed",
    )
    assert second.cited == ("eq-b",)


COLUMNS = r"""
$$
\begin{aligned}
n &= n & K &= K \\
&= n \cdot 1
\end{aligned}
$$ (eq-a)

1. Definition.
2. Chain rule.
3. Linearity.
"""


def test_reasons_follow_the_chains_of_columns():
    found = parse_chapter("a.md", COLUMNS)
    left, right, below = of_formula(found.displays[0], found)
    assert left.words == "n is defined as n"
    assert right.rules == ("linearity",)
    assert below.rules == ("the chain rule",)


UNREAD = r"$n \star n$<!-- not executed: a test{} -->"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (UNREAD.format("; said: n star n"), None),
        (UNREAD.format(""), "no words for it: cannot be read from here: \\star n"),
        ("$n$<!-- said: n -->", "the words are known; leave out 'said: n'"),
        ("$n$<!-- said: -->", "behind a formula stands a claim"),
        ("<!-- not executed: a test; said: n star n -->\n\n$$\nn \\star n\n$$\n", None),
        ("<!-- not executed: a test -->\n\n$$\nn \\star n\n$$\n", "no words for it"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_needs_words(tmp_path, text, says):
    path = tmp_path / "a.md"
    path.write_text(f"# Title\n\nHere:\n\n{text}\n", encoding="utf-8")
    report = check_files([str(path)])
    (result,) = report.results
    if says is None:
        assert report.failures == []
        assert result.by_hand
        assert [row.words for row in result.said] == ["n star n"]
    else:
        (failure,) = report.failures
        assert says in failure

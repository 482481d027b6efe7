"""Formulas that readers type: read as the check reads them, and judged by what the book says."""

import json
from dataclasses import fields, is_dataclass, replace

import explorer
import pytest
from equations.chains import pieces
from equations.check import world_of
from equations.evaluate import Evaluator
from equations.mutants import mutants
from equations.nodes import EquationError, Layer, Range, walk
from equations.parse import parse_row
from explorer.chosen import ACTIVATIONS, Book
from explorer.script import equations
from explorer.typed import named_mistakes
from py_mini_racer import MiniRacer
from sources import BOOK
from test_explorer import COMPILED, TABLE, deep_model, read

CHAPTERS = sorted(path.stem for path in BOOK.glob("*.md"))
DRIVER = r"""
function trees(list) {
  return JSON.stringify(list.map((tex) => {
    try {
      return BookFormulas.parse(tex);
    } catch (error) {
      if (!(error instanceof BookFormulas.FormulaError)) throw error;
      return error.message;
    }
  }));
}
const judged = (list) => JSON.stringify(list.map(([label, tex, network]) => BookFormulas.judge(label, tex, network)));
"""
RIGHT = {each.label: each for each in equations(Book(read, TABLE))}


@pytest.fixture(scope="module")
def typed():
    return explorer.write_typed(Book(read, TABLE))


@pytest.fixture(scope="module")
def engine(typed):
    with MiniRacer() as engine:
        for script in (explorer.write(Book(read, TABLE)), typed, DRIVER):
            engine.eval(script)
        yield engine


def trees(engine, texts):
    return json.loads(engine.eval(f"trees({json.dumps(texts)})"))


def judge(engine, *tasks):
    return json.loads(engine.eval(f"judged({json.dumps(tasks)})"))


# ---------------------------------------------------------------- reading


def dump(part):
    """A tree as JavaScript has it."""
    if isinstance(part, Range):
        return {"kind": "Range", "first": dump(part.first), "last": dump(part.last)}
    if isinstance(part, tuple):
        return [dump(each) for each in part]
    if isinstance(part, Layer):
        return {"base": part.base, "offset": part.offset}
    if is_dataclass(part):
        named = {
            f.name: dump(getattr(part, f.name))
            for f in fields(part)
            if f.name != "span"
        }
        return {"kind": type(part).__name__, **named}
    return part


def read_by_the_check(tex):
    try:
        return dump(parse_row(tex))
    except EquationError as error:
        return str(error)


def differing(engine, texts):
    found = zip(texts, trees(engine, texts), strict=True)
    return [tex for tex, tree in found if tree != read_by_the_check(tex)]


def formulas(chapter):
    """All rows of displays, and the formulas of the text with what is claimed of them."""
    for display in read(chapter).displays:
        yield from (tex for *_, tex in pieces(display.tex))
    for inline in read(chapter).inlines:
        yield f"{inline.tex} {inline.claim}"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_formula_of_the_book_has_the_tree_of_the_check(engine, chapter):
    assert differing(engine, [*formulas(chapter)]) == []


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_mutant_has_the_tree_of_the_check(engine, chapter):
    world = world_of(read(chapter))
    wrong = [
        tex
        for display in read(chapter).displays
        if not display.exempt
        for mutant in mutants(display, world)
        for *_, tex in pieces(mutant.display.tex)
    ]
    print(f"{len(wrong)} rows")
    assert differing(engine, [*dict.fromkeys(wrong)]) == []


def test_what_mixes_products_is_refused_as_by_the_check(engine):
    mixed = [
        r"b \cdot \mathbf{1} \odot \mathbf{1}",
        r"b \odot b \cdot c",
        r"b + \odot c",
    ]
    assert differing(engine, mixed) == []
    hints = ["parentheses" in text for text in trees(engine, mixed)]
    assert hints == [True, True, False]


def test_what_reaches_further_than_it_seems_is_read_as_by_the_check(engine):
    forms = [
        r"{1 + 2} \cdot 3",
        r"{z^2}^3",
        r"{W^{(1)}_{ji}}^2",
        r"\ln(z)^2",
        r"\begin{cases} z & z > 0 \\ 0, & \text{otherwise} \end{cases}",
        r"\operatorname{softmax}(\mathbf{p})_i",
        r"\begin{cases} z & z = 0 \\ 0 & \text{otherwise} \end{cases}",
        r"\begin{cases} 0 & \text{otherwise} \\ z & z \ne 0 \end{cases}",
        r"e^z + \max\{0, z\} + \lVert \mathbf{x} \rVert + \|\mathbf{X}\|_F^2",
    ]
    assert differing(engine, forms) == []
    assert [isinstance(tree, str) for tree in trees(engine, forms)] == [True] * 2 + [False] * 4 + [False, True, False]  # fmt: skip


def test_another_tree_is_noticed(typed):
    wrong = typed.replace(
        'kind: "Sum", terms', 'kind: "Sum", terms: terms.reverse()'
    )
    assert wrong != typed
    with MiniRacer() as engine:
        engine.eval(wrong)
        engine.eval(DRIVER)
        assert differing(engine, [*formulas("notation")])


# ---------------------------------------------------------------- judging


def test_every_right_side_of_the_book_is_right(engine):
    tasks = [(label, each.claim.right.tex) for label, each in RIGHT.items()]
    tasks += [
        (each.slope, Book(read, TABLE).claims(each.slope)[-1].right.tex)
        for each in ACTIVATIONS[:2]
    ]
    assert {found["verdict"] for found in judge(engine, *tasks)} == {"right"}


@pytest.mark.parametrize(
    "mistake", named_mistakes(), ids=lambda mistake: mistake.name
)
def test_every_mistake_is_named(engine, mistake):
    (found,) = judge(engine, (mistake.label, mistake.tex))
    assert found["verdict"] == "mistake" and mistake.name in found["mistakes"]
    assert mistake.name in explorer.mistakes()


@pytest.mark.parametrize(
    ("label", "tex"),
    [
        ("eq-batch-hidden-delta", r"(\mathbf{W}^{(\ell)} \cdot \boldsymbol{\Delta}^{(\ell)\top})^{\top} \odot \sigma'^{(\ell-1)}(\mathbf{Z}^{(\ell-1)}_{\mathrm{in}})"),
        ("eq-batch-hidden-delta", r"\nabla_{\mathbf{Z}^{(\ell-1)}_{\mathrm{out}}} \mathcal{L}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}}) \odot \sigma'^{(\ell-1)}(\mathbf{Z}^{(\ell-1)}_{\mathrm{in}})"),
        ("eq-scalar-hidden-delta", r"\sigma'^{(\ell-1)}(z^{(\ell-1)}_{i,in}) \sum_m W^{(\ell)}_{im} \delta^{(\ell)}_m"),
        ("eq-scalar-weights", r"\frac{\partial \mathcal{L}}{\partial z^{(\ell)}_{i,\mathrm{in}}} z^{(\ell-1)}_{j,\mathrm{out}}"),
        ("eq-loss-batch", r"\frac{1}{n} \sum_s \mathcal{L}(\mathbf{y}_s, \mathbf{z}^{(L)}_{s,out})"),
        ("eq-loss-sample", r"\frac{\|\mathbf{z}^{(L)}_{\mathrm{out}} - \mathbf{y}\|^2}{K}"),
        ("eq-tanh-derivative", r"(1 - \tanh(z)) (1 + \tanh(z))"),
    ],
)  # fmt: skip
def test_another_way_to_write_it_is_right(engine, label, tex):
    (found,) = judge(engine, (label, tex))
    assert found["verdict"] == "right", found


@pytest.mark.parametrize(
    ("label", "tex", "verdict", "text"),
    [
        ("eq-scalar-weights", r"\delta^{(\ell)}_i +", "unread", "the formula ends too early"),
        (
            "eq-vector-hidden-delta",
            r"\mathbf{W}^{(\ell)} \cdot \boldsymbol{\delta}^{(\ell)} \odot \mathbf{b}^{(1)}",
            "unread",
            r"cannot be read from here: \odot \mathbf{b}^{(1)}; where · and ⊙ meet, put one product in parentheses",
        ),
        ("eq-tanh-derivative", "1 - x^2", "unfit", "x stands in no equation here"),
        ("eq-tanh-derivative", "1 - y_k", "unfit", "y_k stands in no equation of z"),
        ("eq-scalar-biases", "x", "unfit", "x stands in no equation here"),
        ("eq-scalar-weights", r"\delta^{(\ell)}_i = 1", "unread", "only the right side of the equation"),
        ("eq-scalar-weights", r"\delta^{(\ell)}_i \kappa", "unfit", "unknown symbol 'kappa'"),
        ("eq-scalar-weights", r"\delta_i", "unfit", "'δ' needs a layer"),
        ("eq-scalar-weights", r"\delta^{(\ell)}_i z^{(\ell-1)}_j", "unfit", "'z' needs 'in' or 'out' here"),
        ("eq-scalar-weights", r"\delta^{(\ell)}_k z^{(\ell-1)}_{j,\mathrm{out}}", "unfit", "k stands on the right only"),
        ("eq-scalar-weights", r"\delta^{(\ell)}_j z^{(\ell-1)}_{j,\mathrm{out}}", "unfit", "index j runs to N^(0) in one place and to N^(1) in another"),
        ("eq-vector-weights", r"\boldsymbol{\delta}^{(\ell)} \cdot \mathbf{z}^{(\ell-1)}_{\mathrm{out}}", "unfit", "a product of shapes (N^(1), 1) and (N^(0), 1)"),
        ("eq-vector-weights", r"\boldsymbol{\delta}^{(\ell)} \cdot \mathbf{z}^{(\ell-1)\top}_{\mathrm{out}}", "unfit", "this is (N^(1), N^(0)), the left side (N^(0), N^(1))"),
    ],
)  # fmt: skip
def test_what_is_not_read_or_does_not_fit_is_said(
    engine, label, tex, verdict, text
):
    (found,) = judge(engine, (label, tex))
    assert (found["verdict"], found["text"]) == (verdict, text)


PENCIL = {
    "N": [2, 2, 1],
    "eta": 0.5,
    "act": [None, "TanH", "Sigmoid"],
    "X": [[1, 2]],
    "Y": [[1]],
    "W": [None, [[0.5, -0.3], [0.2, 0.4]], [[0.6], [-0.8]]],
    "b": [None, [0.1, -0.2], [0.3]],
}


def test_where_a_formula_differs_both_numbers_are_told(engine):
    task = (
        "eq-scalar-pre-activation",
        r"\sum_j W^{(\ell)}_{ji} z^{(\ell-1)}_{j,\mathrm{out}}",
        PENCIL,
    )
    (found,) = judge(engine, task)
    assert found["verdict"] == "other" and found["mistakes"] == []
    assert found["place"] == {"l": 1, "s": 0, "indices": {"i": 0}}
    assert found["yours"] == pytest.approx(0.9) and found["book"] == pytest.approx(
        1
    )
    assert found["own"]


def test_the_sample_that_is_shown_is_compared_first(engine):
    """And another, where that one gives the same."""
    label, tex = (
        "eq-loss-sample",
        r"\frac{1}{K} \sum_k (z^{(L)}_{k,\mathrm{out}})^2",
    )
    several = PENCIL | {"X": [[1, 2], [0, 1], [1, 0]], "Y": [[1], [1], [1]]}
    last = several | {"Y": [[0], [0], [1]]}
    tasks = [(label, tex, several | {"one": s}) for s in range(3)]
    tasks.append((label, tex, last | {"one": 0}))
    found = judge(engine, *tasks)
    assert [each["place"]["s"] for each in found] == [0, 1, 2, 2]


def test_a_formula_may_differ_in_another_network_only(engine):
    task = ("eq-loss-gradient", r"2 (\mathbf{Z}^{(L)}_{\mathrm{out}} - \mathbf{Y})")
    (found,) = judge(engine, (*task, PENCIL))
    assert found["mistakes"] == ["sum-not-mean"] and not found["own"]


def test_blanks_and_symbols_are_those_of_what_can_be_judged():
    found = {each.label: each for each in explorer.blanks(Book(read, TABLE))}
    assert found.keys() == RIGHT.keys() | {each.slope for each in ACTIVATIONS[:2]}
    symbols = explorer.symbols(Book(read, TABLE))
    assert symbols.keys() == {each.form for each in found.values()}
    vector = {each.typed: each.speech for each in symbols["vector"]}
    assert vector[r"\boldsymbol{\delta}^{(\ell)}"] == "delta of layer ell"
    assert r"\sigma^{(\ell)}(|)" in vector


def test_a_sum_can_be_written_with_buttons_alone(engine):
    """Over each letter of the form, whole."""
    book = Book(read, TABLE)
    by_form = {
        form: {each.speech: each.typed for each in found}
        for form, found in explorer.symbols(book).items()
    }
    sums = {
        form: [speech[-1] for speech in found if speech.startswith("sum over")]
        for form, found in by_form.items()
    }
    assert sums == {
        "scalar": ["i", "j", "k", "s"],
        "vector": [],
        "batch": ["k", "s"],
        "function": [],
    }
    names = (
        "sum over j",
        "W of layer ell, from unit j to unit i",
        "z out of layer ell minus one, unit j",
    )
    tex = "".join(by_form["scalar"][name] for name in names)
    tex += f"+ {by_form['scalar']['b of layer ell, unit i']}"
    (found,) = judge(engine, ("eq-scalar-pre-activation", tex))
    assert found["verdict"] == "right"


def test_a_symbol_can_be_read(engine):
    """By itself, around something, or before it."""
    typed = [
        each.typed.replace("|", "z") + "a_s" * each.typed.endswith(" ")
        for found in explorer.symbols(Book(read, TABLE)).values()
        for each in found
    ]
    assert [tree for tree in trees(engine, typed) if isinstance(tree, str)] == []
    assert isinstance(trees(engine, [r"\sigma^{(\ell)}("])[0], str)


def without_labels(part):
    """A tree without what stands below braces: there it is said again, and not compiled."""
    if isinstance(part, list):
        return [without_labels(each) for each in part]
    if isinstance(part, dict):
        return {
            key: without_labels(each)
            for key, each in part.items()
            if key != "label"
        }
    return part


def wrong_sides(label):
    """The right sides of the mutants of an equation."""
    chapter = read(TABLE[label][1])
    (display,) = (d for d in chapter.displays if d.label == label)
    right = RIGHT[label].claim.right
    for mutant in mutants(display, world_of(chapter)):
        displays = [mutant.display if d is display else d for d in chapter.displays]
        book = Book(
            lambda name, found=displays: replace(chapter, displays=found), TABLE
        )
        try:
            side = book.claims(label)[-1].right
        except ValueError:
            continue
        if without_labels(dump(side.node)) != without_labels(dump(right.node)):
            yield mutant.name, side


@pytest.mark.slow
@pytest.mark.parametrize("label", COMPILED)
def test_no_mutant_is_right_and_what_the_check_refuses_is_refused(engine, label):
    names, sides = zip(*wrong_sides(label))
    found = judge(engine, *((label, side.tex) for side in sides))
    claim = RIGHT[label].claim
    model = deep_model()
    for name, side, verdict in zip(names, sides, found):
        assert verdict["verdict"] != "right", name
        parts = (claim.left.node, side.node)
        try:
            Evaluator(model, 2, walk(parts), claim.chapter.loss).value(side.node)
        except EquationError:
            assert verdict["verdict"] in ("unread", "unfit") or verdict["text"], (
                name
            )

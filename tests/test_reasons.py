"""The check of reasons: the book's close every step, and a false one is refused."""

import dataclasses
import json
from functools import cached_property

import pytest
import torch
from equations import check_files
from equations.chains import read_display
from equations.classifiers import CLASSIFIER
from equations.extract import parse_chapter, read_chapter
from equations.feedforward import FEEDFORWARD
from equations.nodes import Layer, Range
from equations.proofs import Library
from equations.reasons import Construct, judge
from equations.reasons.canonical import canonical, equal
from equations.reasons.constructs import Unfit
from equations.reasons.facts import Layers
from equations.reasons.terms import (
    Entry,
    Index,
    Kron,
    Size,
    fresh,
    scaled,
    single,
    summed,
    times,
)
from equations.reasons.words import (
    CALCULUS,
    RULES,
    Named,
    named,
    remarks,
    said,
)
from equations.report import Report, as_json, as_text
from equations.results import Result, Steps
from equations.worlds import WORLDS
from sources import BOOK, ROOT
from test_chapters import CHAPTERS
from test_equations import ALL, BATCH, BATCH_LOSS, BIASES, HIDDEN, LOSS, SAMPLE

TRUE = ROOT / "tests" / "true_reasons.txt"

# What a trial closed with five rules: the numbers of the steps of each display.
TRIAL = {
    "eq-scalar-pre-activation": [1],
    "eq-scalar-output": [1],
    "eq-vector-pre-activation": [1],
    "eq-vector-output": [1],
    "eq-batch-pre-activation": [1],
    "eq-batch-output": [1],
    "eq-scalar-delta": [1],
    "eq-scalar-output-delta": [1, 2, 3],
    "eq-scalar-weights": [1, 2, 3],
    "eq-scalar-biases": [1, 2, 3],
    "eq-scalar-hidden-delta": [1, 2, 3, 4, 5, 6],
    "eq-scalar-three-layers": [1],
    "eq-vector-delta": [1],
    "eq-vector-output-delta": [1],
    "eq-vector-activation-jacobian": [1],
    "eq-vector-weights": [1],
    "eq-vector-biases": [1],
    "eq-vector-hidden-delta": [1],
    "eq-vector-jacobian": [1],
    "eq-batch-delta": [1],
    "eq-batch-output-delta": [1],
    "eq-batch-weights-steps": [1, 2, 3],
    "eq-batch-weights": [1],
    "eq-batch-biases-steps": [1, 2],
    "eq-batch-biases": [1],
    "eq-batch-hidden-delta-steps": [1],
    "eq-batch-hidden-delta": [1],
    "eq-lab-delta": [1],
    "eq-lab-output-delta": [1, 2],
    "eq-lab-weights": [1, 2],
    "eq-lab-biases": [1, 2],
    "eq-lab-hidden-delta": [1, 2],
    "eq-lab-outer-product": [1],
    "eq-lab-vector-hidden-delta": [1],
    "eq-lab-batch-weights": [1, 2, 3],
    "eq-cost-order": [1, 2],
}

# Steps that no proof reaches, and why.
OPEN = {
    "eq-softmax-batch-delta, step 1": Construct.UNDEFINED,
    "eq-softmax-of-two, step 1": Construct.SIZE,
    "eq-digits-relu, step 1": Construct.CASES,
    "eq-digits-relu, step 2": Construct.CASES,
    "eq-digits-start, step 1": Construct.UNDEFINED,
    "eq-digits-start, step 2": Construct.CASES,
    "eq-digits-momentum, step 1": Construct.INDEX,
    "eq-digits-momentum, step 2": Construct.INDEX,
}


class Book:
    """The steps of the book by their names, and what judges a reason of each."""

    def __init__(self):
        chapters = [read_chapter(str(BOOK / f"{name}.md")) for name in CHAPTERS]
        library = Library(chapters)
        self.find = lambda label: library.cited(label, chapters[-1])
        self.steps = {}  # a step, its reason, and the labels above it
        labels = []
        for chapter in chapters:
            for display in chapter.displays:
                if display.exempt:
                    continue
                found = list(library.steps(display, chapter))
                for number, (step, _, reason) in enumerate(found, start=1):
                    name = f"{display.label}, step {number}"
                    self.steps[name] = step, reason, tuple(labels)
                if found:
                    labels.append(display.label)

    def verdict(self, name, reason):
        return judge(self.steps[name][0], reason, self.find)

    @cached_property
    def closed(self):
        """The names of the steps that their reasons close."""
        return {
            n for n, (_, r, _) in self.steps.items() if self.verdict(n, r).closed
        }


@pytest.fixture(scope="module")
def book():
    return Book()


def test_the_reasons_of_the_book_close_its_steps(book):
    open_steps = {
        name: book.verdict(name, reason)
        for name, (_, reason, _) in book.steps.items()
        if name not in book.closed
    }
    assert [v.fault for v in open_steps.values() if v.fault] == []
    assert {name: v.construct for name, v in open_steps.items()} == OPEN
    assert len(book.closed) == 98


def test_no_step_that_a_trial_closed_is_lost(book):
    trial = {f"{label}, step {n}" for label, steps in TRIAL.items() for n in steps}
    assert len(trial) == 57
    assert trial <= book.steps.keys()


# ---------------------------------------------------------------- mutants


def true_reasons():
    """Replacements that are as true as what they replace, with why."""
    lines = [line for line in TRUE.read_text(encoding="utf-8").splitlines()
             if line and not line.startswith("#")]  # fmt: skip
    names, reasons = lines[::2], lines[1::2]
    assert all(reason.startswith("    ") for reason in reasons)
    assert not any(name.startswith(" ") for name in names)
    return dict(zip(names, reasons, strict=True))


def rule_in_words(rule):
    known = "known derivative"
    return "the derivative of a square" if rule == known else said(rule)


def replacements(book, name):
    """Each rule by itself, a definition of nothing in particular, and each equation
    above, unless the printed reason names just that."""
    _, printed, above = book.steps[name]
    other = ["a definition", *map(rule_in_words, sorted(RULES))]
    other += [f"{{eq}}`{label}`" for label in above]
    names = {name.text for name in named(printed)}
    return [text for text in other if {name.text for name in named(text)} != names]


@pytest.mark.slow
def test_each_other_reason_is_refused_wherever_it_is_false(book, capsys):
    tried = [
        (name, text) for name in book.closed for text in replacements(book, name)
    ]
    kept = {
        f"{n}: {text}" for n, text in tried if book.verdict(n, text).fault is None
    }
    with capsys.disabled():
        print(f"\n{len(tried) - len(kept)} of {len(tried)} other reasons refused,"
              f" {len(kept)} are true")  # fmt: skip
    assert len(tried) > 3000
    assert kept == true_reasons().keys()


@pytest.mark.slow
def test_a_rule_too_many_is_refused(book):
    kept = {
        (name, rule)
        for name, (_, printed, _) in book.steps.items()
        if name in book.closed
        for rule in {*CALCULUS, "tanh", "sigmoid"}
        - {n.rule for n in named(printed)}
        if book.verdict(name, f"{printed}; and {rule_in_words(rule)}").fault is None
    }
    # A square is a product: it can be differentiated in two ways.
    assert kept == {
        ("eq-loss-gradient, step 1", "product rule"),
        ("eq-softmax-squared, step 1", "product rule"),
        ("eq-digits-decay, step 1", "product rule"),
    }


# ---------------------------------------------------------------- single reasons


def failures(tmp_path, *displays, above=SAMPLE):
    """What the check says of displays (TeX and reason), labelled eq-a, eq-b, ..."""
    return checked(tmp_path, *displays, above=above).failures


def checked(tmp_path, *displays, above=SAMPLE):
    source = above + "".join(
        f"\n\n$$\n{tex}\n$$ (eq-{letter})\n\n{reason}\n"
        for letter, (tex, reason) in zip("abc", displays)
    )
    (tmp_path / "a.md").write_text(source, encoding="utf-8")
    return check_files([str(tmp_path / "a.md")])


FULL = "*Reason:* chain rule, definition of delta and of the pre-activation, linearity."
SLOPE = r"\sigma'^{(\ell-1)}(\mathbf{z}^{(\ell-1)}_{\mathrm{in}})"
HIDDEN_DELTA = (
    r"\boldsymbol{\delta}^{(\ell-1)} = (\mathbf{W}^{(\ell)} \cdot"
    rf" \boldsymbol{{\delta}}^{{(\ell)}}) \odot {SLOPE}{HIDDEN}"
)
TANH = r"\tanh'(z) = 1 - \tanh(z)^2"
TANH_REASON = (
    "*Reason:* definition of $\\tanh$, quotient rule, the derivative of $e^{z}$."
)
SWAPPED = (
    r"\frac{\partial \mathcal{L}}{\partial z^{(L)}_{i,\mathrm{out}}} \cdot"
    r" \frac{\partial z^{(L)}_{i,\mathrm{out}}}{\partial z^{(L)}_{i,\mathrm{in}}} ="
    r" \frac{\partial z^{(L)}_{i,\mathrm{out}}}{\partial z^{(L)}_{i,\mathrm{in}}} \cdot"
    r" \frac{\partial \mathcal{L}}{\partial z^{(L)}_{i,\mathrm{out}}}"
)

REFUSED = {
    "a definition of what is derived": (HIDDEN_DELTA, "definition.", "closes only with the chain rule, linearity, the definition of the output"),
    "a definition of no symbol": (r"\tanh'(z) = 1 - \tanh(z)^2", "definition.", "no side is a symbol that is defined"),
    "a sentence that denies": (f"{BIASES}{ALL}", "none; neither a definition nor linearity gives this.", "the reason denies linearity"),
    "no product": (f"{BIASES}{ALL}", "product rule.", "closes only with the chain rule"),
    "one rule too many": (f"{BIASES}{ALL}", "chain rule, definition of delta and of the pre-activation, linearity, product rule.", "names the product rule, which the step does not need"),
    "no quotient": (f"{BIASES}{ALL}", "quotient rule.", "closes only with the chain rule"),
    "nothing is passed on": (SWAPPED, "chain rule.", "names the chain rule, which the step does not need"),
    "a rule is missing": (f"{BIASES}{ALL}", "chain rule, definition of delta and of the pre-activation.", "closes only with linearity, which the reason does not name"),
    "an unknown definition": (f"{BIASES}{ALL}", "definition of the frog.", "a definition of 'frog'"),
    "an unknown citation and a denial": (f"{BIASES}{ALL}", "not {eq}`eq-lost`.", "the reason denies eq-lost"),
}  # fmt: skip


@pytest.mark.parametrize(("tex", "reason", "says"), REFUSED.values(), ids=REFUSED)
def test_a_false_reason_is_refused(tmp_path, tex, reason, says):
    (found,) = failures(tmp_path, (tex, f"*Reason:* {reason}"))
    assert "a.md:4 (eq-a), row 1: " in found
    assert says in found


NABLA_W = r"\nabla_{{\mathbf{{W}}^{{(\ell)}}}}"
CLOSED = {
    "in one go": (f"{BIASES}{ALL}", FULL),
    "a rule for numbers": (TANH, TANH_REASON),
    "words of the definition": (r"\delta^{(\ell)}_i = \frac{\partial \mathcal{L}}{\partial z^{(\ell)}_{i,\mathrm{in}}}" + ALL, "*Reason:* Definition of $\\delta$."),
    "the other way round": (r"\frac{\partial \mathcal{L}}{\partial z^{(\ell)}_{i,\mathrm{in}}} = \delta^{(\ell)}_i" + ALL, "*Reason:* definition."),
}  # fmt: skip


@pytest.mark.parametrize(("tex", "reason"), CLOSED.values(), ids=CLOSED)
def test_a_true_reason_closes_its_step(tmp_path, tex, reason):
    assert failures(tmp_path, (tex, reason)) == []


SQUARE = r"\frac{\partial}{\partial z} \tanh(z)^2 = 2 \tanh(z) \cdot \tanh'(z)"
PRODUCT = r"\frac{\partial}{\partial z} (e^{z} \cdot \tanh(z)) = e^{z} \cdot \tanh(z) + e^{z} \cdot \tanh'(z)"  # fmt: skip


@pytest.mark.parametrize(
    ("tex", "reason", "closed"),
    [
        (PRODUCT, "product rule, and the derivative of $e^{z}$.", True),
        (PRODUCT, "linearity, and the derivative of $e^{z}$.", False),
        (SQUARE, "product rule.", True),
        (SQUARE, "the derivative of a square.", True),
        (SQUARE, "linearity.", False),
    ],
)
def test_a_product_is_differentiated_by_its_rule(tex, reason, closed):
    assert alone(tex, reason).closed is closed


def test_a_missing_sum_over_paths_is_refused():
    chain = (
        r"\frac{\partial \mathcal{L}}{\partial b^{(\ell)}_k} ="
        r" \frac{\partial \mathcal{L}}{\partial Z^{(\ell)}_{sk,\mathrm{in}}} \cdot"
        r" \frac{\partial Z^{(\ell)}_{sk,\mathrm{in}}}{\partial b^{(\ell)}_k}" + ALL
    )
    assert "no rule that is known here" in alone(chain, "chain rule.", BATCH).fault
    assert alone(chain.replace("=", r"= \sum_{s}", 1), "chain rule.", BATCH).closed


def alone(tex, reason, above=SAMPLE):
    """The verdict on one step, whatever its numbers say."""
    chapter = parse_chapter(
        "a.md", f"{above}\n\n$$\n{tex}\n$$\n\n*Reason:* {reason}\n"
    )
    library = Library([chapter])
    ((step, _, text),) = library.steps(chapter.displays[0], chapter)
    return judge(step, text, lambda label: library.cited(label, chapter))


# Without numbers: what the types of the indices, and the ends of sums, refuse.
UNFIT = {
    "an index of two layers": (r"\sum_{j} W^{(\ell)}_{jj} = 0", "counts different things"),
    "the end of a sum": (r"\sum_{j=1}^{n} W^{(\ell)}_{ji} = 0", "counts different things"),
    "a sum over nothing": (r"\sum_{j} b^{(\ell)}_{i} = 0", "does not occur"),
    "inner sizes": (r"\mathbf{W}^{(\ell)} \cdot \mathbf{b}^{(\ell-1)} = \mathbf{b}^{(\ell)}", "shapes that do not fit"),
    "a sum of shapes": (r"\mathbf{b}^{(\ell)} + \mathbf{b}^{(\ell-1)} = \mathbf{b}^{(\ell)}", "a sum of different shapes"),
    "⊙ of shapes": (r"\mathbf{b}^{(\ell)} \odot \mathbf{b}^{(\ell-1)} = \mathbf{b}^{(\ell)}", "different shapes"),
    "two sides": (r"\mathbf{b}^{(\ell)} = \mathbf{b}^{(\ell-1)}", "the sides have different shapes"),
    "a number and a vector": (r"\mathbf{b}^{(\ell)} = 0", "one side is a number"),
    "a number behind": (r"\mathbf{b}^{(\ell)} b^{(\ell)}_i = \mathbf{b}^{(\ell)}", "behind a matrix"),
}  # fmt: skip


@pytest.mark.parametrize(("tex", "says"), UNFIT.values(), ids=UNFIT)
def test_what_does_not_fit_closes_no_step(tex, says):
    assert says in alone(f"{tex}{ALL}", "linearity.").fault


REACH = {
    "another letter": (r"\frac{\partial \mathcal{L}}{\partial b^{(\ell)}_i} = \lambda \cdot b^{(\ell)}_i" + ALL, "linearity.", Construct.SYMBOLS),
    "a definition of another letter": (r"\mathbf{V}^{(\ell)} = \mathbf{W}^{(\ell)\top}" + ALL, "definition.", Construct.SYMBOLS),
    "another argument": (r"z^{(\ell)}_{i,\mathrm{out}} = \sigma^{(\ell)}(b^{(\ell)}_i)" + ALL, "definition.", Construct.ARGUMENT),
    "two derivatives": (r"\frac{\partial}{\partial b^{(\ell)}_i} ( \frac{\partial \mathcal{L}}{\partial b^{(\ell)}_i} ) = b^{(\ell)}_i" + ALL, "linearity.", Construct.SECOND),
    "both ends": (r"\frac{\partial z^{(L)}_{i,\mathrm{in}}}{\partial z^{(1)}_{j,\mathrm{in}}} = 1", "linearity.", Construct.LAYERS),
    "one entry": (r"d\mathcal{L} = \delta^{(\ell)}_1 \cdot db^{(\ell)}_1" + ALL, FULL[10:], Construct.ENTRIES),
    "not at hand": (f"{BIASES}{ALL}", "{eq}`eq-elsewhere`.", Construct.ELSEWHERE),
}  # fmt: skip


@pytest.mark.parametrize(("tex", "reason", "construct"), REACH.values(), ids=REACH)
def test_what_is_out_of_reach_is_a_construct(tex, reason, construct):
    verdict = alone(tex, reason)
    assert (verdict.fault, verdict.construct) == (None, construct)


@pytest.mark.parametrize(
    "tex",
    [
        r"z^{(L)}_{i,\mathrm{out}} = \frac{e^{z^{(L)}_{i,\mathrm{in}}}}{\sum_{k} e^{z^{(L)}_{k,\mathrm{in}}}}",
        r"\mathbf{b}^{(L)} = \mathbf{W}^{(L)} \cdot \mathbf{z}^{(L-1)}_{\mathrm{out}}",
    ],
)  # fmt: skip
def test_what_another_model_names_alike_is_out_of_reach_unless_it_closes(tex):
    def verdict(tex, world):
        chapter = parse_chapter(
            "a.md", f"$$\n{tex}\n$$\n\n*Reason:* the chain rule.\n"
        )
        library = Library([chapter])
        ((step, _, _),) = library.steps(chapter.displays[0], chapter)
        step.context = dataclasses.replace(step.context, world=world)
        return judge(step, "definition of the output.", library.cited)

    assert verdict(tex, FEEDFORWARD).fault
    assert verdict(tex, CLASSIFIER).construct == Construct.SYMBOLS
    right = r"z^{(L)}_{i,\mathrm{out}} = \sigma^{(L)}(z^{(L)}_{i,\mathrm{in}})"
    assert verdict(right, CLASSIFIER).closed


def test_a_change_of_one_entry_is_one_of_all():
    tex = r"d\mathcal{L} = \sum_{k} \frac{\partial \mathcal{L}}{\partial b^{(\ell)}_k} \cdot db^{(\ell)}_k"
    entry = r", \quad \text{changing } b^{(\ell)}_1"
    assert alone(f"{tex}{ALL}{entry}", "definition of the Jacobian.").closed


def test_a_definition_out_of_reach_defines_a_symbol():
    tex = rf"\nabla_{{\mathbf{{b}}^{{(\ell)}}}} {LOSS} = \lambda \mathbf{{b}}^{{(\ell)}}{ALL}"
    assert "no side is a symbol" in alone(tex, "definition.").fault
    delta = r"\boldsymbol{\delta}^{(L)} = \mathbf{p} - \mathbf{y}"
    assert "a delta is defined as a derivative" in alone(delta, "definition.").fault
    assert alone(delta, "chain rule, definition of delta.").construct


@pytest.mark.parametrize(
    ("right", "fault"),
    [
        (r"\lambda \cdot b^{(\ell)}_i", True),
        (r"\lambda \cdot \frac{\partial \mathcal{L}}{\partial x_i} \cdot \frac{\partial x_i}{\partial b^{(\ell)}_i}", False),
        (r"\lambda \cdot \frac{\partial x_i}{\partial b^{(\ell)}_i} \cdot \underbrace{\frac{\partial \mathcal{L}}{\partial x_i}}_{\text{delta}}", False),
    ],
)  # fmt: skip
def test_a_chain_rule_out_of_reach_has_a_product_of_derivatives(right, fault):
    tex = rf"\frac{{\partial \mathcal{{L}}}}{{\partial b^{{(\ell)}}_i}} = {right}{ALL}"
    verdict = alone(tex, "chain rule.")
    assert (verdict.fault or "").endswith("stands here") is fault
    assert (verdict.construct == Construct.SYMBOLS) is not fault


def test_a_brace_is_closed_with_its_step():
    brace = r"\underbrace{z^{(\ell)}_{i,\mathrm{out}}}_{\sigma^{(\ell)}(z^{(\ell)}_{i,\mathrm{in}})}"
    step = rf"\delta^{{(\ell)}}_i \cdot z^{{(\ell)}}_{{i,\mathrm{{out}}}} = \delta^{{(\ell)}}_i \cdot {brace}{ALL}"
    assert alone(step, "definition of the output.").closed
    assert "closes only with the definition of the output" in alone(step, "linearity.").fault  # fmt: skip


# ---------------------------------------------------------------- citations

DELTA = r"\delta^{(\ell)}_i = \frac{\partial \mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})}{\partial z^{(\ell)}_{i,\mathrm{in}}}" + ALL  # fmt: skip
SCALAR_BIASES = r"\frac{\partial \mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})}{\partial b^{(\ell)}_i} = \delta^{(\ell)}_i"  # fmt: skip
BATCH_DELTA = rf"\boldsymbol{{\Delta}}^{{(\ell)}} = \nabla_{{\mathbf{{Z}}^{{(\ell)}}_{{\mathrm{{in}}}}}} {BATCH_LOSS}{ALL}"  # fmt: skip
DEFINED = "*Reason:* definition."
CITES = "*Reason:* {eq}`eq-a` for all $i$."


def test_a_cited_equation_is_put_in(tmp_path):
    first = f"{SCALAR_BIASES}{ALL}", FULL
    assert failures(tmp_path, first, (f"{BIASES}{ALL}", CITES)) == []


def test_a_cited_equation_holds_in_its_range_only():
    def said(ends):
        chapter = parse_chapter(
            "a.md",
            f"$$\n{SCALAR_BIASES}{ends}\n$$ (eq-a)\n\n{FULL}\n\n"
            f"$$\n{BIASES}{ALL}\n$$ (eq-b)\n\n{CITES}\n",
        )
        library = Library([chapter])
        ((step, _, reason),) = library.steps(chapter.displays[1], chapter)
        return judge(
            step, reason, lambda label: library.cited(label, chapter)
        ).fault

    assert said(ALL) is None
    for narrower in (HIDDEN, r", \quad \ell = 1, \dots, L-1"):
        assert "closes only with" in said(narrower)


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ((TANH, TANH_REASON), (f"{BIASES}{ALL}", CITES), "closes only with the chain rule"),
        ((DELTA, DEFINED), (BATCH_DELTA, "*Reason:* {eq}`eq-a` for all samples."), "closes only with the definition of delta of the batch"),
        ((BATCH_DELTA, DEFINED), (DELTA, CITES), "closes only with the definition of delta,"),
        ((r"\mathcal{L}_{\mathrm{MSE}}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}}) = \frac{1}{K} \sum_{k} (z^{(L)}_{k,\mathrm{out}} - y_k)^2", DEFINED), (DELTA, CITES), "closes only with"),
    ],
)  # fmt: skip
def test_a_citation_that_has_nothing_to_do_with_a_step_is_refused(
    tmp_path, first, second, says
):
    (found,) = failures(tmp_path, first, second)
    assert "a.md:11 (eq-b), row 1: " in found
    assert says in found


def test_an_equation_that_is_not_executed_is_no_reason(tmp_path):
    source = (
        f"{SAMPLE}\n\n<!-- not executed: an inequality -->\n\n$$\n1 \\le 0\n$$ (eq-a)\n\n"
        f"$$\n{BIASES}{ALL}\n$$ (eq-b)\n\n{CITES}\n"
    )
    (tmp_path / "a.md").write_text(source, encoding="utf-8")
    (found,) = check_files([str(tmp_path / "a.md")]).failures
    assert "eq-a is not executed, so it is no reason" in found


@pytest.mark.parametrize(
    "label", ["pencil-output", "update-biases", "centred-difference"]
)
def test_no_equation_of_another_kind_excuses_a_step(book, label):
    verdict = book.verdict("eq-vector-biases, step 1", f"{{eq}}`eq-{label}`.")
    assert "closes only with the chain rule" in verdict.fault


def test_steps_of_one_sample_hold_for_each_sample_if_that_can_be_proved(book):
    hidden = "eq-batch-hidden-delta-steps, step 1"
    steps = "{eq}`eq-scalar-hidden-delta`"
    assert book.verdict(hidden, f"{steps}, for sample $s$.").closed
    assert "closes only" in book.verdict(hidden, f"{steps}.").fault
    weights = "eq-batch-weights, step 1"
    lifted = "{eq}`eq-scalar-weights`, for sample $s$."
    assert "closes only" in book.verdict(weights, lifted).fault


# ---------------------------------------------------------------- terms


def test_sums_of_products_have_one_form():
    one, other = Layer("ell"), Layer("ell", -1)
    i, j, k = Index("i", one), Index("j", other), Index("k", other)
    weight = lambda index: single(Entry("W", one, (index, i)))
    assert equal(summed(weight(j), j), summed(weight(k), k))
    assert not equal(weight(j), weight(k))
    square = times(summed(weight(j), j), summed(weight(k), k))
    assert not equal(square, summed(times(weight(j), weight(j)), j))
    assert equal(square, times(summed(weight(k), k), summed(weight(j), j)))
    assert equal(summed(times(single(Kron(j, k)), weight(k)), k), weight(j))
    assert canonical(weight(j) + scaled(weight(j), -1)) == ()
    assert equal(summed(weight(j), fresh("samples")), times(single(Size("samples")), weight(j)))  # fmt: skip
    assert canonical(single(Kron(Index("1", one), Index("2", one)))) == ()
    with pytest.raises(Unfit, match="count different things"):
        canonical(single(Kron(i, j)))


@pytest.mark.parametrize(
    ("layer", "first", "last", "inside"),
    [
        (Layer("ell"), Layer(2), Layer("L"), True),
        (Layer("ell", -1), Layer(2), Layer("L"), False),
        (Layer("ell", -1), Layer(1), Layer("L", -1), True),
        (Layer("ell", 1), Layer(1), Layer("L"), False),
        (Layer(3), Layer(1), Layer("L"), True),
        (Layer(4), Layer(1), Layer("L"), False),
        (Layer("L"), Layer(1), Layer(3), False),
    ],
)
def test_a_layer_lies_in_a_range_for_every_depth(layer, first, last, inside):
    here = Layers(Range(Layer(2), Layer("L")), depth=3)
    assert here.within(layer, Range(first, last)) is inside


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("reason", "rules"),
    [
        ("Chain-rule, twice.", {"chain rule"}),
        ("Definition of delta, {eq}`eq-a`, and of the pre-activation.", {"delta", "pre-activation", None}),
        ("Definition of the output; the loss is linear.", {"output"}),
        ("definitions of $\\tanh$ and of the sigmoid", {"tanh", "sigmoid"}),
        ("Definition of $\\boldsymbol{\\Delta}$.", {"delta of the batch"}),
        ("definition of the delta of a sample", {"delta of a sample"}),
        ("Definition: delta.", {None}),
        ("{eq}`of the quotient rule <eq-chain-rule>`", {None}),
    ],
)  # fmt: skip
def test_a_reason_names_rules(reason, rules):
    assert {one.rule for one in named(reason)} == rules


@pytest.mark.parametrize(
    ("reason", "left"),
    [
        ("chain rule, definition of delta and of the pre-activation, linearity.", []),
        ("Definitions of $\\tanh$ and of the sigmoid; {eq}`the one <eq-a>`.", []),
        ("The derivative of $e^{z}$, and the quotient rule.", []),
        ("Chain rule, one path.", ["one path"]),
        ("Chain rule: two paths, of which no\nother is. Add them.", ["two paths", "of which no other is", "Add them"]),
        ("{eq}`eq-a`, twice.", ["twice"]),
        ("{eq}`eq-a` for all $i$ and $j$, with {eq}`eq-b`.", []),
        ("Chain rule, but $a, b$ rest.", ["but $a, b$ rest"]),
        ("Definition of delta, as pigs fly", ["as pigs fly"]),
    ],
)  # fmt: skip
def test_words_beyond_rules_are_remarks(reason, left):
    assert remarks(reason) == left


def test_remarks_are_listed(tmp_path):
    for words, listed in (("", []), (", on nine paths", [[4]])):
        report = checked(
            tmp_path, (f"{BIASES}{ALL}", f"{FULL.rstrip('.')}{words}.")
        )
        assert report.failures == []
        assert list(report.remarks.values()) == listed
        assert ("reasons with words beyond rules" in as_text(report)) == bool(
            listed
        )


def test_a_definition_of_nothing_in_particular_is_one_name():
    assert named("definition, by definition") == [Named("a definition")]


# ---------------------------------------------------------------- other worlds

TO_LOSS = r"\frac{\partial \mathcal{L}}{\partial "
NORMALISED = r"$\mu_k = \frac{1}{n} \sum_{s} z_{sk}$ and $\hat{z}_{sk} = \frac{z_{sk} - \mu_k}{\sqrt{v_k + \epsilon}}$"
BLOCK = r"$\delta_i = \frac{\partial \mathcal{L}}{\partial a_i}$, $a_i = \sum_{k} W_{ki} x_k$, $y_i = x_i + \tanh(a_i)$"
TO_ONE = r", \quad \text{if } \sum_{k} y_k = 1"
OTHERS = {
    "a definition in the text": (
        "graph", r"$\mathbf{P} = \mathbf{X} \cdot \mathbf{W}$",
        r"\nabla_{\mathbf{X}} \mathcal{L} = (\nabla_{\mathbf{P}} \mathcal{L}) \cdot \mathbf{W}^{\top}",
        r"chain rule, definition of $\mathbf{P}$ and of the matrix product, linearity.",
        "the definition of product"),
    "a logarithm": (
        "softmax", r"$-\sum_{k} y_k \log p_k$<!-- = \mathcal{L}_{\mathrm{CE}}(\mathbf{y}, \mathbf{p}) -->",
        r"\frac{\partial \mathcal{L}_{\mathrm{CE}}(\mathbf{y}, \mathbf{p})}{\partial p_i} = -\frac{y_i}{p_i}",
        r"definition of $\mathcal{L}_{\mathrm{CE}}(\mathbf{y}, \mathbf{p})$, linearity, the derivative of the logarithm.",
        "the definition of cross-entropy"),
    "a quotient below a logarithm": (
        "softmax", r"$p_i = \frac{e^{a_i}}{\sum_{k} e^{a_k}}$",
        r"\log p_i = a_i - \log \sum_{k} e^{a_k}", "definition of $p_i$.",
        "the definition of probabilities"),
    "two ways": (
        "graph", "", 
        r"\nabla_{\mathbf{v}} \mathcal{L} = \left( \frac{\partial \mathbf{u}}{\partial \mathbf{v}} \right)^{\top} \cdot \nabla_{\mathbf{u}} \mathcal{L} + \left( \frac{\partial \mathbf{w}}{\partial \mathbf{v}} \right)^{\top} \cdot \nabla_{\mathbf{w}} \mathcal{L}",
        "chain rule.", "the chain rule"),
    "shares": (
        "machines", "",
        r"\sum_{j} \sum_{s} a_{js} \cdot c_s = \sum_{s} c_s", "definition of $a_{js}$.",
        "the definition of 1 where a process has a sample, else 0"),
    "a brace": (
        "machines", "",
        r"\frac{1}{n} \sum_{s} a_{js} \cdot \frac{\partial c_s}{\partial \theta_k} = \frac{m_j}{n} \cdot \underbrace{\frac{1}{m_j} \sum_{s} a_{js} \cdot \frac{\partial c_s}{\partial \theta_k}}_{g_{jk}}",
        "definition of $g_{jk}$.", "the definition of gradient of the mean loss of the samples of a process"),
    "a root": (
        "attention", r"$\mathbf{S} = \frac{1}{\sqrt{m}} \mathbf{Q} \cdot \mathbf{K}^{\top}$",
        r"\nabla_{\mathbf{Q}} \mathcal{L} = \frac{1}{\sqrt{m}} (\nabla_{\mathbf{S}} \mathcal{L}) \cdot \mathbf{K}",
        r"chain rule, definition of $\mathbf{S}$ and of the matrix product, linearity.",
        "the definition of scores"),
    "the derivative of a root": (
        "batch_normalisation", NORMALISED,
        r"\frac{\partial \hat{z}_{sk}}{\partial v_k} = -\frac{z_{sk} - \mu_k}{2 (v_k + \epsilon) \sqrt{v_k + \epsilon}}",
        r"definition of $\hat{z}_{sk}$, quotient rule, the derivative of the root.",
        "the definition of normalised"),
    "a function of each number": (
        "graph", r"$\mathbf{F} = \tanh(\mathbf{A})$",
        r"\nabla_{\mathbf{A}} \mathcal{L} = (\nabla_{\mathbf{F}} \mathcal{L}) \odot \tanh'(\mathbf{A})",
        r"chain rule, definition of $\mathbf{F}$.",
        "the definition of hidden outputs of a block"),
    "a delta": (
        "residual", BLOCK,
        r"\frac{\partial \mathcal{L}}{\partial x_k} = \frac{\partial \mathcal{L}}{\partial y_k} + \sum_{i} W_{ki} \delta_i",
        r"chain rule, definition of $\delta_i$, of $y_i$ and of $a_i$, linearity.",
        "the definition of deltas"),
    "a letter that another world defines": (
        "graph", r"$G_{sk} = H_{sk} + B_{sk}$",
        r"G_{sk} - H_{sk} = B_{sk}", "definition of $G_{sk}$.", "the definition of outputs of a block"),
    "nothing but algebra": (
        "softmax", "", r"\sum_{k} y_k (p_i - a_k) = p_i \sum_{k} y_k - \sum_{k} y_k a_k",
        "algebra.", None),
}  # fmt: skip


def in_world(world, above, *displays):
    """The verdicts on one step in each of some displays, in a world of the package."""
    text = "".join(f"$$\n{tex}\n$$\n\n*Reason:* {why}\n\n" for tex, why in displays)
    chapter = dataclasses.replace(
        parse_chapter("a.md", f"{above}\n\n{text}"), world=world
    )
    library = Library([chapter])
    steps = [
        step for one in chapter.displays for step in library.steps(one, chapter)
    ]
    return [judge(step, reason, library.cited) for step, _, reason in steps]


@pytest.mark.parametrize(
    ("world", "above", "tex", "reason", "needs"), OTHERS.values(), ids=OTHERS
)
def test_steps_of_other_worlds_are_closed_by_what_their_reasons_name(
    world, above, tex, reason, needs
):
    (verdict,) = in_world(world, above, (tex, reason))
    assert verdict.closed
    for other in ("the quotient rule.", "algebra.", "linearity."):
        (verdict,) = in_world(world, above, (tex, other))
        if needs is None:
            assert verdict.closed is (other == "algebra.")
        else:
            assert "closes only with" in verdict.fault
            assert needs in verdict.fault


FALSE_ELSEWHERE = {
    "a way too few": ("graph", r"\nabla_{\mathbf{v}} \mathcal{L} = \left( \frac{\partial \mathbf{u}}{\partial \mathbf{v}} \right)^{\top} \cdot \nabla_{\mathbf{w}} \mathcal{L}", "chain rule.", "the step does not close"),
    "another weight": ("graph", r"\nabla_{\mathbf{H}} \mathcal{L} = \mathbf{H}", "chain rule.", "no rule that is known here"),
    "a definition of a derivative": ("softmax", r"\frac{\partial \mathcal{L}}{\partial a_i} = p_i", "definition.", "no side is a symbol that is defined"),
    "a symbol by itself": ("softmax", r"p_i = p_i", "definition.", "no rule that is known here"),
    "a definition that is not there": ("softmax", r"\log p_i = a_i", "definition of $p_i$.", "no formula above defines p_i"),
    "a definition of no symbol": ("softmax", r"\log p_i = a_i", "definition of $p_i + 1$.", "which is no symbol"),
    "a definition of a symbol of no world": ("softmax", r"\log p_i = a_i", "definition of $q_i$.", "q_i, which is no symbol"),
    "a definition of a sum of indices": ("softmax", r"\log p_i = a_i", "definition of $p_{i-1}$.", "which is no symbol"),
    "an index too many": ("softmax", r"\log p_i = a_i", "definition of $p_{ik}$.", "which is no symbol"),
    "a definition of an equation": ("softmax", r"\log p_i = a_i", "definition of $p_i = a_i$.", "which is no symbol"),
    "a definition that cannot be read": ("softmax", r"\log p_i = a_i", "definition of $p_{$.", "the reason defines p_{: "),
}  # fmt: skip


@pytest.mark.parametrize(("world", "tex", "reason", "says"), FALSE_ELSEWHERE.values(), ids=FALSE_ELSEWHERE)  # fmt: skip
def test_false_steps_of_other_worlds_are_refused(world, tex, reason, says):
    (verdict,) = in_world(world, "", (tex, reason))
    assert says in (verdict.fault or "")


FALSE_WITH_DEFINITIONS = {
    "past a block": ("residual", BLOCK, r"\frac{\partial \mathcal{L}}{\partial x_i} = \sum_{k} \frac{\partial \mathcal{L}}{\partial a_k} \frac{\partial a_k}{\partial x_i}", "chain rule."),
    "a cause for which its definition stands": ("residual", BLOCK, r"\frac{\partial y_i}{\partial a_i} = 0", "definition of $y_i$ and of $a_i$."),
    "a mean for which its definition stands": ("batch_normalisation", NORMALISED, r"\frac{\partial \hat{z}_{sk}}{\partial \mu_k} = 0", r"definition of $\hat{z}_{sk}$ and of $\mu_k$."),
    "a condition of a definition": ("softmax", r"$p_1 = \frac{1}{1 + e^{a_2 - a_1}}, \quad \text{if } K = 2$", r"p_1 = \frac{1}{1 + e^{a_2 - a_1}}", "definition of $p_1$."),
    "roots of different numbers": ("softmax", "", r"\sqrt{y_i} \sqrt{y_k} = y_i", "algebra."),
}  # fmt: skip


@pytest.mark.parametrize(
    ("world", "above", "tex", "reason"),
    FALSE_WITH_DEFINITIONS.values(),
    ids=FALSE_WITH_DEFINITIONS,
)
def test_false_steps_are_not_closed_by_definitions(world, above, tex, reason):
    (verdict,) = in_world(world, above, (tex, reason))
    assert "no rule that is known here" in verdict.fault


def test_a_function_of_what_depends_on_the_cause_needs_the_chain_rule():
    slope = r"\frac{\partial y_i}{\partial %s} = %s"
    inner = slope % ("x_k", r"[i = k] + \tanh'(a_i) W_{ki}")
    own = slope % ("a_i", r"\tanh'(a_i)")
    both = "definition of $y_i$ and of $a_i$, linearity"
    verdicts = in_world(
        "residual",
        BLOCK,
        (inner, f"chain rule, {both}."),
        (inner, f"{both}."),
        (own, "definition of $y_i$, linearity."),
    )
    assert [one.closed for one in verdicts] == [True, False, True]
    assert verdicts[1].fault.startswith("closes only with the chain rule,")


def test_a_delta_is_defined_by_its_derivative():
    delta = r"\delta_i = \frac{\partial \mathcal{L}}{\partial a_i}"
    assert in_world("relu", "", (delta, "definition."))[0].closed


def test_like_factors_vanish_before_shares_are_added_up():
    left = r"-\sum_{k} \frac{y_k}{p_k} p_k ([k = i] - p_i)"
    true, false = in_world(
        "softmax",
        "",
        (f"{left} = p_i - y_i{TO_ONE}", "algebra."),
        (f"{left} = p_i - y_i", "algebra."),
    )
    assert true.closed and not false.closed


def test_what_comes_later_defines_nothing():
    softmax = r"p_i = \frac{e^{a_i}}{\sum_{k} e^{a_k}}"
    log = r"\log p_i = a_i - \log \sum_{k} e^{a_k}"
    of_p = "definition of $p_i$."
    first, second = in_world("softmax", "", (softmax, "definition."), (log, of_p))
    assert first.closed and second.closed
    first, second = in_world("softmax", "", (log, of_p), (softmax, "definition."))
    assert "no formula above defines p_i" in first.fault and second.closed


def test_a_symbol_is_defined_once():
    softmax = r"\frac{e^{a_i}}{\sum_{k} e^{a_k}}"
    other = r"\frac{2 e^{a_i}}{2 \sum_{k} e^{a_k}}"
    first, again = in_world(
        "softmax",
        "",
        (f"p_i = {softmax}", "definition."),
        (f"p_i = {other}", "definition."),
    )
    assert first.closed and again.closed  # it follows from the first
    first, again = in_world(
        "softmax",
        "",
        (f"p_i = {softmax}", "definition."),
        ("p_i = a_i", "definition."),
    )
    assert first.closed and "no rule that is known" in again.fault


BEYOND = {
    "words define it": ("digits", r"q_{\mathrm{out}} = \frac{1}{2} q_{\mathrm{in}}", Construct.UNDEFINED),
    "a sum written out": ("classifier", r"\sum_{k} y_k = y_1 + y_2, \quad \text{if } K = 2", Construct.SIZE),
    "cases": ("relu", r"\frac{\partial z_i}{\partial a_i} = \begin{cases} 1 & \text{if } a_i > 0 \\ 0 & \text{if } a_i < 0 \end{cases}", Construct.CASES),
    "a step before": ("digits", r"\mathbf{u}_t = \mu \mathbf{u}_{t-1} + \mathbf{g}_t", Construct.INDEX),
    "what a network names alike": ("classifier", r"z^{(L)}_{i,\mathrm{out}} = q_i", Construct.UNDEFINED),
}  # fmt: skip


@pytest.mark.parametrize(("world", "tex", "construct"), BEYOND.values(), ids=BEYOND)
def test_what_is_out_of_reach_in_other_worlds(world, tex, construct):
    (verdict,) = in_world(world, "", (tex, "linearity."))
    assert (verdict.fault, verdict.construct) == (None, construct)


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_shares_add_up_to_one(world):
    for row in world.symbols:
        if row.shares is not None:
            for model in world.models():
                total = model.values(row).sum(row.shares)
                assert torch.allclose(total, torch.ones_like(total))


# ---------------------------------------------------------------- the report


def test_the_report_counts_steps_and_lists_those_out_of_reach():
    steps = Steps(closed=2, out_of_reach={3: "decimal numbers"})
    report = Report([Result("a.md", 5, "eq-a", "", steps=steps)], [])
    text = as_text(report)
    assert "not proved: a.md:5, step 3: decimal numbers" in text
    assert "2 steps closed by their reasons, 1 out of reach" in text
    found = json.loads(as_json(report))
    assert (found["closed"], found["out_of_reach"]) == (2, 1)
    assert found["displays"][0]["steps"]["out_of_reach"] == {"3": "decimal numbers"}


def test_each_row_of_a_refused_step_is_named(tmp_path):
    tex = rf"\begin{{aligned}} {BIASES}{ALL} \\ &= \boldsymbol{{\delta}}^{{(\ell)}} \end{{aligned}}"
    chapter = parse_chapter("a.md", f"$$\n{tex}\n$$")
    assert read_display(chapter.displays[0], Result("a.md", 1, None, ""))
    (found,) = failures(tmp_path, (tex, f"1. {FULL[10:]}\n2. Linearity."))
    assert (
        "row 2: the reason names linearity, which the step does not need" in found
    )

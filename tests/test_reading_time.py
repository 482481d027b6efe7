"""What there is to read is counted as a reader meets it."""

import re

import pytest
from reading_time import Count, core, of_book, of_chapter, problems
from sources import ROOT, text
from test_chapters import BACK_MATTER
from tiny_book import FRONT


def page(*lines):
    return "\n".join([FRONT, *lines, ""])


CODE = ["```{code-cell}", "x = 1", "", "# two", "```"]
EXERCISE = ["```{exercise-start}", ":label: a", "```", "One.", "```{exercise-end}"]
SOLUTION = ["```{solution-start} a", ":class: dropdown", "```", "", "$$", "x", "$$"]
FIGURE = ["---", "mystnb:", "  figure: {name: fig-a, caption: Three short words}"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["# A *title*", "", "(label)=", "One two -- three."], Count(words=5)),
        (["<!-- no word -->", "", "% none", "", "One."], Count(words=1)),
        (["The $a = b$-axis of {ref}`a b <c>`, {eq}`eq-a`."], Count(words=6)),
        (["One", "", "$$", "a = b", "$$ (eq-a)", "", "two"], Count(2, displays=1)),
        (["```{math}", "a = b", "```"], Count(displays=1)),
        (["| a | $b$ |", "|---|---|", "| c d | e |"], Count(words=5)),
        (["![Not read](a.png)", "One."], Count(words=1, figures=1)),
        (["```{figure} a.png", "One two.", "```"], Count(words=2, figures=1)),
        (["```{admonition} One", "two", "```", "three"], Count(words=3)),
        (["```{note} One", "two", "```"], Count(words=2)),
        (["```{only} html", "One.", "```"], Count(words=1)),
        (CODE, Count(code=2)),
        ([CODE[0], ":tags: [hide-input]", *CODE[1:]], Count()),
        ([CODE[0], ":tags: [hide-cell]", *CODE[1:]], Count()),
        ([CODE[0], *FIGURE, "---", *CODE[1:]], Count(words=3, figures=1, code=2)),
        (["```{literalinclude} some.py", "```"], Count(code=4)),
        (
            ["```{literalinclude} some.py", ":pyobject: A.f", "```"],
            Count(code=2),
        ),
        (
            [
                "```{admonition} One two",
                ":class: tip dropdown",
                "$$",
                "a",
                "$$",
                "x",
            ]
            + ["```", "Two three."],
            Count(words=2, folded=3),
        ),
        (
            ["One.", *EXERCISE[:4], "", *CODE, "", *EXERCISE[4:], "```", "Two."],
            Count(words=2),
        ),
        ([*SOLUTION, "", "```{solution-end}", "```", "One."], Count(words=1)),
    ],
)
def test_what_is_counted(tmp_path, lines, expected):
    code = "class A:\n    def f(self):\n        return 1\n\nx = 1\n"
    (tmp_path / "some.py").write_text(code, encoding="utf-8")
    source = tmp_path / "a.md"
    source.write_text(page(*lines), encoding="utf-8")
    assert of_chapter(source) == expected


def test_minutes_add_up():
    assert Count(words=300).minutes == 2
    assert Count(displays=2).minutes == 3
    assert Count(code=8, figures=1).minutes == 2
    assert Count(1, 2, 3, 4, 5) + Count(1, 1, 1, 1, 1) == Count(2, 3, 4, 5, 6)


# A book of which the core takes as long as it may, and folds as much.
LONGEST = {
    "intro": Count(words=1500, folded=750),
    "network": Count(displays=193),
    "lab": Count(words=75),
    "cost": Count(words=10**6),
}


def test_what_is_within_the_bounds_is_no_problem():
    assert list(problems(LONGEST)) == []


@pytest.mark.parametrize(
    ("chapter", "more", "says"),
    [
        ("lab", Count(words=300), "intro to lab: 302 minutes, more than 300"),
        ("intro", Count(folded=60), "intro: 35% of the words are folded"),
        ("cost", Count(folded=10**6), "cost: 50% of the words are folded"),
    ],
)
def test_what_is_too_long_is_named(chapter, more, says):
    longer = LONGEST | {chapter: LONGEST[chapter] + more}
    assert list(problems(longer)) == [says]


def test_the_book_is_not_too_long():
    assert list(problems(of_book(ROOT))) == []


def test_the_core_ends_with_the_lab():
    counts = {name: Count(words=1) for name in ["intro", "scalar", "lab", "cost"]}
    assert core(counts) == Count(words=3)


PLAN = re.compile(
    r"^\d+\. \{ref\}`([\w-]+)`: .* \((\d+)(?: minutes)?\)$", re.MULTILINE
)


def wrong_minutes(plan, counts):
    """The chapters for which the plan is off by more than the rounding to fives."""
    said = {name.replace("-", "_"): int(number) for name, number in plan}
    return [name for name in said if abs(said[name] - counts[name].minutes) > 4]


def test_the_plan_says_how_long_each_chapter_takes():
    counts = of_book(ROOT)
    plan = PLAN.findall(text("intro"))
    assert wrong_minutes(plan, counts) == []
    numbered = [name for name in counts if name not in BACK_MATTER]
    assert [name.replace("-", "_") for name, _ in plan] == numbered[1:]


def test_a_plan_that_is_out_of_date_is_noticed():
    plan = PLAN.findall("1. {ref}`a-b`: one (30 minutes)\n2. {ref}`c`: two (10)\n")
    counts = {"a_b": Count(words=3900), "c": Count(words=2200)}
    assert wrong_minutes(plan, counts) == ["c"]

"""What the chapters promise to each other: one pencil network, and labels."""

import ast
import re

import pytest
import torch
from chapters import reading, stored
from sources import ROOT, code_cells, tagged_source, text

BACK_MATTER = [
    "explorer",
    "symbols",
    "equations",
    "checking",
    "screen_reader",
    "elsewhere",
    "api",
    "glossary",
    "references",
]
CHAPTERS = [c for c in reading.chapters(ROOT) if c not in BACK_MATTER]
FORMS = ["pencil", "scalar", "vector", "batch", "network"]
BATCH_RESULTS = ["output-delta", "weights", "biases", "hidden-delta"]
RESULTS = [
    f"eq-{form}-{result}"
    for form in ("scalar", "vector", "batch")
    for result in BATCH_RESULTS
]


@pytest.mark.parametrize("chapter", [*FORMS[1:], "notation", "gradient_checking"])
def test_the_pencil_network_is_the_same_in_every_chapter(chapter):
    assert tagged_source(chapter, "pencil") == tagged_source("pencil", "pencil")


def printed_gradients(chapter):
    """The lines from 'dL/dW1' on, in the one stored output of the chapter that has them."""
    outputs = [
        o.text
        for cell in stored.read(ROOT, chapter).cells
        for o in cell.get("outputs", [])
        if "text" in o
    ]
    (found,) = [output for output in outputs if output.startswith("dL/dW1 tensor")]
    return found


def test_the_network_prints_the_gradients_of_the_pencil():
    assert printed_gradients("network") == printed_gradients("pencil")


@pytest.mark.parametrize("chapter", ["scalar", "vector", "batch"])
def test_every_form_computes_the_gradients_of_the_pencil(chapter):
    """In the words of the chapter pencil, from the function that the chapter prints."""
    names = {"torch": torch}
    exec(tagged_source(chapter, "pencil"), names)  # noqa: S102 (the book's own text)
    exec(tagged_source(chapter, "form"), names)  # noqa: S102
    x, y = names["x"], names["y"]
    *_, weights, biases = names[f"{chapter}_gradients"](
        [names["W1"], names["W2"]],
        [names["b1"], names["b2"]],
        *((x.unsqueeze(0), y.unsqueeze(0)) if chapter == "batch" else (x, y)),
    )
    layers = zip("12", weights, biases, strict=True)
    said = [f"dL/dW{n} {weight}\ndL/db{n} {bias}\n" for n, weight, bias in layers]
    assert "".join(said) == printed_gradients("pencil")


def equations(chapter):
    """Label and TeX of every displayed equation."""
    return [
        (m[2], m[1])
        for m in re.finditer(
            r"^\$\$\n(.*?)\n\$\$(?: \((eq-[\w-]+)\))?$",
            text(chapter),
            re.MULTILINE | re.DOTALL,
        )
    ]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_displayed_equation_has_a_label_of_its_chapter(chapter):
    assert text(chapter).count("\n$$") == 2 * len(equations(chapter))
    assert all(label for label, _ in equations(chapter))
    assert not re.search(r"\\begin\{(align|equation)\*?\}", text(chapter))


def test_the_twelve_results_are_there_with_their_ranges():
    tex = {
        label: source
        for chapter in ("scalar", "vector", "batch")
        for label, source in equations(chapter)
    }
    for label in RESULTS:
        first_layer = {"output": None, "hidden": "2"}.get(label.split("-")[2], "1")
        ranges = re.findall(r"\\quad \\ell = (\d), \\dots, L", tex[label])
        assert ranges == ([first_layer] if first_layer else [])


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_opens_and_closes_as_promised(chapter):
    source = text(chapter)
    promised = [
        "**What this chapter shows.**",
        "**What it needs.**",
        "## Summary",
        "exercise-start",
    ]
    if chapter == "lab":  # which is made of exercises
        promised = [*promised[:2], "exercise-start", "## Summary"]
    parts = [source.find(part) for part in promised]
    assert -1 not in parts
    assert parts == sorted(parts)
    exercises = re.findall(r"\{exercise-start\}.*\n:label: (\S+)", source)
    assert len(exercises) >= 2
    assert (
        re.findall(r"\{solution-start\} (\S+)\n:class: dropdown", source)
        == exercises
    )


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_figure_has_a_caption_and_alt_text(chapter):
    for cell in code_cells(chapter):
        if "plt.show()" in cell.source:
            mystnb = cell.metadata["mystnb"]
            assert mystnb["figure"]["name"].startswith("fig-")
            assert mystnb["figure"]["caption"].strip()
            assert len(mystnb["image"]["alt"]) > 40


def links_to_code():
    """(label, function) of every displayed equation that is followed by a link."""
    reasons = r"(?:(?:\*Reason:\*|\d+\.) (?:.+\n)+\n?)*"
    link = (
        rf"^\$\$ \((eq-[\w-]+)\)\n\n{reasons}"
        r"In the code: \{ref\}`([\w.]+) <code-[\w-]+>`\.$"
    )
    return [p for c in CHAPTERS for p in re.findall(link, text(c), re.MULTILINE)]


def labels_in_code(source):
    """(label, function) of every comment that names an equation."""
    lines, found = source.splitlines(), []
    for owner in ast.parse(source).body:
        for node in getattr(owner, "body", []):
            if isinstance(owner, ast.ClassDef) and isinstance(
                node, ast.FunctionDef
            ):
                body = "\n".join(lines[node.lineno - 1 : node.end_lineno])
                for label in re.findall(r"\S  # (eq-[\w-]+)$", body, re.MULTILINE):
                    found.append((label, f"{owner.name}.{node.name}"))
    return found


def test_equations_and_code_name_each_other():
    """A link beside an equation, a comment in the code, and a row of the index."""
    package = sorted((ROOT / "code" / "backprop").glob("*.py"))
    sources = {path.stem: path.read_text(encoding="utf-8") for path in package}
    comments = {name: labels_in_code(source) for name, source in sources.items()}
    for name, source in sources.items():
        assert len(comments[name]) == source.count("# eq-")
    again = comments.pop("many")  # the same lines, for many networks
    comments = [pair for pairs in comments.values() for pair in pairs]
    assert sorted(comments) == sorted(links_to_code())
    assert {label for label, _ in again} <= dict(comments).keys()
    assert {f"eq-batch-{result}" for result in BATCH_RESULTS} <= dict(
        comments
    ).keys()

    place = r"`([\w.]+) <code-[\w-]+>`"
    row = rf"\{{eq\}}`(eq-[\w-]+)`\n  - \{{ref\}}{place}\n\n    `(eq-[\w-]+)`\n"
    rows = re.findall(row, table("tab-code"))
    assert len(rows) == table("tab-code").count("* - ") - 1
    assert all(shown == label for shown, _, label in rows)
    assert {(label, where) for label, where, _ in rows} == set(comments)


def table(name):
    return text("network").split(f":name: {name}\n")[1].split("```")[0]


def lines_shown(table, source):
    """Of each result in the table its label, and its lines with what stands behind."""
    for row in table.split("* - ")[2:]:
        shown = re.findall(r"^    `(.+)`$", row, re.MULTILINE)
        found = [
            re.findall(rf"^ *{re.escape(s)}(.*)$", source, re.MULTILINE)
            for s in shown
        ]
        yield re.findall(r"\{eq\}`(.+)`", row)[0], found


def test_the_table_of_the_results_shows_their_lines():
    path = ROOT / "code" / "backprop" / "network.py"
    shown = dict(
        lines_shown(table("tab-results"), path.read_text(encoding="utf-8"))
    )
    assert list(shown) == [
        f"eq-batch-{result}"
        for result in ("output-delta", "weights", "biases", "hidden-delta")
    ]
    for label, lines in shown.items():
        assert all(lines)  # each stands in the code
        assert any(behind.endswith(f"# {label}") for behind in lines[-1])


def test_a_line_that_is_not_in_the_code_is_found():
    rows = "* - number\n* - {eq}`eq-a`\n  - $a$\n\n    `a = b`\n"
    assert list(lines_shown(rows, "    a = b  # eq-a\n")) == [
        ("eq-a", [["  # eq-a"]])
    ]
    assert list(lines_shown(rows, "    a = c  # eq-a\n")) == [("eq-a", [[]])]


def test_a_comment_without_an_equation_is_found():
    source = "class A:\n    def f(self):\n        return 1  # eq-lost\n"
    assert labels_in_code(source) == [("eq-lost", "A.f")]


def test_every_term_of_the_glossary_is_linked_from_a_chapter():
    terms = re.findall(r"^(\w[\w ]*)$", text("glossary"), re.MULTILINE)
    linked = re.findall(
        r"\{term\}`(?:[^`<]*<)?([\w ]+)>?`", "".join(map(text, CHAPTERS))
    )
    assert len(terms) > 20
    assert set(terms) == set(linked)


def test_every_slip_found_elsewhere_is_false_as_printed_and_true_as_mended():
    places = re.findall(r"^\| \[([\d, ]+)\]", text("elsewhere"), re.MULTILINE)
    lines = [number for place in places for number in place.split(", ")]
    shown = "".join(
        output.text
        for cell in stored.read(ROOT, "elsewhere").cells
        for output in cell.get("outputs", [])
    )
    judged = re.findall(r"^line (\d+) +(.+?) +(\w+)$", shown, re.MULTILINE)
    assert [number for number, _, _ in judged] == lines
    assert {printed for _, printed, _ in judged} == {"differs", "no product"}
    assert {true for _, _, true in judged} == {"agrees"}

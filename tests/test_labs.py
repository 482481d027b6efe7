"""The labs: question and solution from one template, and submissions that are run."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unicodedata
from functools import cache
from pathlib import Path

import nbformat
import numpy
import psutil
import pypdf
import pytest
import torch
from labs.__main__ import main
from labs.execute import impersonal
from labs.fault import Fault
from labs.make import notebook_of
from labs.nbgrader import asserting
from labs.stubs import compiled
from labs.template import parse, read
from labs.versions import build, is_template, question, solution

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = Path(__file__).parent / "lab_templates"
NAMES = ["shapes", "page"]
VERSIONS = [f"{name}-{kind}" for name in NAMES for kind in ("question", "solution")]

# What stands before the cells of the small templates below: 12 lines each.
MARKDOWN = """\
---
jupyter:
  jupytext:
    text_representation:
      extension: .md
      format_name: markdown
  kernelspec:
    display_name: Python 3
    language: python
    name: python3
---

"""
# 7 lines.
MYST = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
---

"""


def code(*lines):
    return MARKDOWN + "\n".join(["```python", *lines, "```"]) + "\n"


def in_myst(*lines):
    return MYST + "\n".join(lines) + "\n"


def shown(text):
    """The lines of the only code cell of a version."""
    return text.split("```python\n")[1].split("```")[0].rstrip("\n").split("\n")


def plain(text):
    """The cells of a solution, written out for Jupyter."""
    template = parse(text)
    return [
        cell.source
        for cell in notebook_of(template, build(template, TEMPLATES, False)).cells
    ]


# ------------------------------------------------------------- the text of versions


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ["def f():", "  #!TAG HWBEGIN", "  return 1", "  #!TAG HWEND"],
            ["def f():", "  raise NotImplementedError"],
        ),
        (
            ["x = [", "#!TAG HWBEGIN", "    1,", "    2,", "#!TAG HWEND", "]"],
            ["x = [", "    ...", "]"],
        ),
        (
            ["f(a=1,", "    #!TAG HWBEGIN", "    b=2", "    #!TAG HWEND", ")"],
            ["f(a=1,", ")"],
        ),
        (
            ["x = {1: 2,", "    #!TAG HWBEGIN", "    3: 4", "    #!TAG HWEND", "}"],
            ["x = {1: 2,", "}"],
        ),
        (
            ["x = (1", "     #!TAG HWBEGIN", "     + 2", "     #!TAG HWEND", ")"],
            ["x = (1", ")"],
        ),
        (
            ["for x in y:", "    #!TAG HWBEGIN", "    # why", "    x()"]
            + [
                "    #!TAG HWEND",
                "    #!TAG HWBEGIN",
                "    y()",
                "    #!TAG HWEND",
            ],
            ["for x in y:", "    raise NotImplementedError"],
        ),
        (
            ["try:", "    a()", "#!TAG HWBEGIN", "except E:", "    b()"]
            + ["#!TAG HWEND", "finally:", "    c()"],
            ["try:", "    a()", "finally:", "    c()"],
        ),
        (["#!TAG HWBEGIN", "x = 1", "#!TAG HWEND"], [""]),
        (
            [
                "class A:",
                "    #!TAG HWBEGIN",
                "    x = 1",
                "    #!TAG HWEND",
                "A()",
            ],
            ["class A:", "    pass", "A()"],
        ),
        (
            ["class A(", "    #!TAG HWBEGIN", "    B", "    #!TAG HWEND", "):"]
            + ["    x = 1"],
            ["class A(", "):", "    x = 1"],
        ),
        (
            ["x = dict(", "    #!TAG HWBEGIN", "    a=1,", "    #!TAG HWEND", ")"],
            ["x = dict(", ")"],
        ),
        (
            ["x = {", "    #!TAG HWBEGIN", "    1: 2", "    #!TAG HWEND", "}"],
            ["x = {", "    ...: ...", "}"],
        ),
        (
            ["x = {", "    #!TAG HWBEGIN", "    1, 2", "    #!TAG HWEND", "}"],
            ["x = {", "    ...", "}"],
        ),
        (
            ["x = {", "    #!TAG HWBEGIN", "    a: b", "    for a, b in c"]
            + ["    #!TAG HWEND", "}"],
            ["x = {", "    ...: ...", "}"],
        ),
        (
            ["f(1 +", "    #!TAG HWBEGIN", "    2", "    #!TAG HWEND", ")"],
            ["f(1 +", "    ...", ")"],
        ),
        (
            ["text = '''", "#!TAG HWBEGIN", "a", "#!TAG HWEND", "'''", "%magic"],
            ["text = '''", "'''", "%magic"],
        ),
        (
            ["#!TAG SKIPQUESTEXEC'", "", "%%time", "#!TAG HWBEGIN", "x = ("]
            + ["#!MSG Try.", '#!TAG HWEND"'],
            ["%%time", "# Try."],
        ),
        (
            [
                "async with a:",
                "    #!TAG HWBEGIN",
                "    await b",
                "    #!TAG HWEND",
            ],
            ["async with a:", "    raise NotImplementedError"],
        ),
    ],
)
def test_stubs_stand_where_code_is_needed(lines, expected):
    assert shown(question(code(*lines), TEMPLATES)) == expected
    whole = [line for line in lines if not re.match(r"\s*#!", line)]
    assert shown(solution(code(*lines), TEMPLATES)) == whole or "%%time" in lines


def test_tags_in_backticks_are_text():
    text = (
        MARKDOWN + "Write `#!TAG HWBEGIN`, or ``a ` #!MSG``, and `HWEND` below.\n"
    )
    assert not is_template(text)
    assert question(text, TEMPLATES) == solution(text, TEMPLATES) == text


def test_lines_end_where_editors_end_them(tmp_path):
    path = tmp_path / "lab-template.md"
    path.write_text(in_myst("a  ", "b ", "", "c \t", "+++", "d"), newline="\r\n")
    assert plain(read(path)) == ["a  \nb \n\nc", "d"]
    (tmp_path / "f.py").write_text(
        "\f\ndef f():\n    return '\u2028'\n\n\ndef g():\n    return 1\n",
        encoding="utf-8",
    )
    text = solution(code("#!INCLUDE f.py g"), tmp_path)
    assert shown(text) == ["def g():", "    return 1"]
    with pytest.raises(Fault, match="14: character U.2028 would end the line"):
        solution(code("#!INCLUDE f.py f"), tmp_path)


def test_the_rest_of_a_text_stays_as_it_is():
    for chapter in (TEMPLATES.parents[1] / "book").glob("*.md"):
        text = chapter.read_text(encoding="utf-8")
        if "format_name: myst" in text and not is_template(text):
            template = parse(text)
            for is_question in False, True:
                assert build(template, chapter.parent, is_question).text == text


def test_a_template_of_the_book_keeps_its_directives():
    text = (TEMPLATES / "page-template.md").read_text(encoding="utf-8")
    made = solution(text, TEMPLATES)
    assert is_template(text) and not is_template(made)
    for directive in (
        "exercise-start",
        "solution-start",
        "solution-end",
        "admonition",
    ):
        assert made.count(f"{{{directive}}}") == text.count(f"{{{directive}}}")
    assert "#!" not in made
    made = question(text, TEMPLATES)
    # The solution without a message is gone, the other is not.
    assert made.count("{solution-start}") == made.count("{solution-end}") == 1
    assert made.count("{exercise-start}") == text.count("{exercise-start}")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("1. a|(|2. b|#!MSG 2. ?|)|3. c", "1. a|2. ?|3. c"),
        ("- a|  (|  - b|  #!MSG - ?|  )|- c", "- a|  - ?|- c"),
        ("$$|a|(|= b|#!MSG = ?|)|$$", "$$|a|= ?|$$"),
        ("(||x||)||a", "a"),
        ("a||(|x|#!MSG b|)||c", "a||b||c"),
        ("a|(||x|#!MSG b||)|c", "a||b||c"),
        ("a|(|x||)|c", "a||c"),
        ("a|(||x||)|c", "a||c"),
        ("a|(|x|)|c", "a|c"),
    ],
)
def test_messages_in_text_stand_where_the_homework_was(lines, expected):
    lines = lines.replace("(", "#!TAG HWBEGIN").replace(")", "#!TAG HWEND")
    made = question(MARKDOWN + lines.replace("|", "\n") + "\n", TEMPLATES)
    assert made.removeprefix(MARKDOWN).strip("\n").split("\n") == expected.split(
        "|"
    )


def test_homework_may_run_over_cells():
    lines = ["One", "", "#!TAG HWBEGIN", "#!MARKS 2", "#!MSG Yours.", "Secret A"]
    lines += ["", "", "Secret B", "", "```python", "secret = 1", "```", ""]
    lines += [
        "```python",
        "#!TAG SKIPQUESTEXEC",
        "secret = 2",
        "#!MSG Here.",
        "#!TAG HWEND",
    ]
    lines += ["print(secret)", "```", ""]
    text = MARKDOWN + "\n".join(lines)
    asked, solved = question(text, TEMPLATES), solution(text, TEMPLATES)
    assert asked.removeprefix(MARKDOWN) == (
        "One\n\nYours.\n\n\n\n```python\n```\n\n```python\n# Here.\nprint(secret)\n```\n"
    )
    kept = [line for line in lines if not line.startswith("#!")]
    assert solved.removeprefix(MARKDOWN).split("\n") == kept
    cells = notebook_of(
        parse(text), build(parse(text), TEMPLATES, is_question=True, is_marked=True)
    ).cells
    kinds = [(cell.cell_type, cell.metadata.get("tags")) for cell in cells]
    answer = ("markdown", ["answer", "marks=2"])
    assert kinds == [("markdown", None), answer, ("code", None), ("code", None)]


def test_code_of_the_package_can_be_included():
    text = code(
        "#!TAG HWBEGIN",
        "#!INCLUDE ../../code/backprop/network.py NeuralNetwork.backward_pass",
        "#!MSG TODO",
        "#!TAG HWEND",
    )
    assert "  # eq-batch-weights" in solution(text, TEMPLATES)
    made = shown(question(text, TEMPLATES))
    assert made[0].startswith("def backward_pass(")
    assert made[-2:] == ["    # TODO", "    raise NotImplementedError"]
    assert not any("eq-" in line for line in made)


# ----------------------------------------------------------------------- MyST


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["(label)=", "# Title", "% comment", "Text."], "# Title\nText."),
        (["$$", "a", "$$ (eq-a)"], "$$\na\n$$"),
        (["{term}`a`, {term}`a b <c>`, ``{eq}`x` ``"], "a, a b, ``{eq}`x` ``"),
        (["a lone ` and", "", "{ref}`b <c>`"], "a lone ` and\n\nb"),
        (["    {ref}`indented code`"], "    {ref}`indented code`"),
        (
            ["a", ":::{admonition} T {ref}`x <u>`", "---", "class: tip", "---"]
            + ["{ref}`y <z>`", "", "```", "{ref}`z`", "```", ":::", "b"],
            "a\n\n**T x**\n\ny\n\n```\n{ref}`z`\n```\n\nb",
        ),
        (
            ["```{exercise-start}", ":label: a", "```", "Do.", "```{exercise-end}"]
            + ["```", "", "```{solution-start} a", "```", "Done."]
            + ["```{solution-end}", "```"],
            "### Exercise\n\nDo.\n\n### Answer\n\nDone.",
        ),
    ],
)
def test_myst_is_written_out(lines, expected):
    assert plain(in_myst(*lines)) == [expected]


# ----------------------------------------------------------------------- faults

FAULTS = [
    (code("#!TAG HWBEGIN", "x"), 14, "HWBEGIN without HWEND"),
    (code("x", "#!TAG HWEND"), 15, "HWEND without HWBEGIN"),
    (
        code("#!TAG HWBEGIN", "#!TAG HWBEGIN"),
        15,
        "HWBEGIN inside the homework that begins in line 14",
    ),
    (
        MARKDOWN + "#!TAG HWBEGIN\n#!MARKS 3\nx\n#!TAG HWEND\n",
        14,
        "MARKS without MSG",
    ),
    (
        MARKDOWN + "#!TAG HWBEGIN\n\n\na\n#!TAG HWBEGIN\n",
        17,
        "HWBEGIN inside the homework that begins in line 13",
    ),
    (code("x", "#!MSG y"), 15, "MSG outside homework"),
    (MARKDOWN + "#!MARKS 3\n", 13, "MARKS outside homework"),
    (code("#!TAG HWBEGIN", "#!MARKS 3", "#!TAG HWEND"), 15, "MARKS in a code cell"),
    (code("x", "#!TAG HWBEGN"), 15, "unknown tag #!TAG HWBEGN"),
    (code("x", "#!HWBEGIN"), 15, "unknown tag #!HWBEGIN"),
    (code("x", "#!SKIP"), 15, "unknown tag #!SKIP"),
    (code("x", "#!TAG SKIPQUESTEXEC"), 15, "not at the head of a code cell"),
    (code("x  #!TAG HWBEGIN"), 14, "not spelt right, or not alone"),
    (code("x", "#! tag HWBEGIN"), 15, "not spelt right, or not alone"),
    *(
        (text, line, "not spelt right, or not alone")
        for word in ("# TAG HWBEGIN", "#! HWBEGIN", "#TAG HWEND", "#skipquestexec")
        for text, line in (
            (code("x", word), 15),
            (code("x", f"y  {word}"), 15),
            (MARKDOWN + f"{word}\n", 13),
            (MARKDOWN + f"<!-- {word} -->\n", 13),
            (MARKDOWN + f"`a` {word} `b`\n", 13),
            (in_myst("a", f"% {word[1:]}"), 9),
        )
    ),
    (MARKDOWN + "a\n\n\f\n", 15, "character U+000C would end the line"),
    (code("x = '\u2028'"), 14, "character U+2028 would end the line"),
    (code("x", "", "y ="), 16, "the code does not compile: invalid syntax"),
    (code("x", "return 1"), 15, "'return' outside function"),
    (
        code("x = 1", "#!TAG HWBEGIN", "if x:", "#!TAG HWEND", "    x"),
        15,
        "the question does not compile without this homework",
    ),
    (MARKDOWN + "#!TAG HWBEGIN\n", 13, "HWBEGIN without HWEND"),
    (MARKDOWN + "#!TAG SKIPQUESTEXEC\n", 13, "not at the head of a code cell"),
    (MARKDOWN + "a\n#!INCLUDE parts.py Layer\n", 14, "INCLUDE outside a code cell"),
    (MARKDOWN + "> #!TAG HWBEGIN\n", 13, "not spelt right, or not alone"),
    (
        MARKDOWN + "<!-- #region #!TAG HWBEGIN -->\na\n",
        13,
        "a tag outside the cells",
    ),
    (code("#!INCLUDE parts.py Lair"), 14, "parts.py defines Lair 0 times"),
    (code("#!INCLUDE parts.py"), 14, "Is a directory"),
    (code("#!INCLUDE nothing.py Layer"), 14, "nothing.py: No such file"),
    (code("#!INCLUDE page-template.md a"), 14, "page-template.md: invalid"),
    (
        code("#!TAG HWBEGIN", "#!INCLUDE parts.py Layer", "#!TAG HWEND"),
        15,
        "homework is a function, but Layer a class",
    ),
    ("", 1, "is empty"),
    ("# No front matter\n", 1, "is not a notebook: no front matter"),
    ("---\na: [\n---\n", 1, "is not a notebook: while parsing"),
    (in_myst("```{code-cell}", ":tags: [", "```"), 8, "is not a notebook"),
    (MARKDOWN, 1, "has no cells"),
    (
        in_myst("```{code-cell}", ":tags: check", "1", "```"),
        1,
        "is not of type 'array'",
    ),
    (MARKDOWN.replace("python\n", "julia\n"), 1, "is not a notebook in Python"),
    (in_myst(" ```{code-cell}", " x", " ```"), 9, "does not begin at the margin"),
    (
        in_myst("a", "```{mermaid}", "```"),
        9,
        "the directive {mermaid} is not known",
    ),
    (in_myst("a", "b {math}`x`"), 9, "the role {math} is not known"),
    (in_myst("a", "b {eq}`eq-x`"), 9, "{eq} shows a number that only the page has"),
    (in_myst("a", "b {numref}`fig`"), 9, "{numref} shows a number"),
    (in_myst("a", "b {ref}`lab`"), 9, "{ref} has no text of its own"),
    (in_myst("- ```{admonition} a", "  ```"), 8, "{admonition} inside a list"),
    (in_myst("a", "```{admonition} a", "b"), 9, "{admonition} is not closed"),
    (
        in_myst("```", "% #!TAG HWBEGIN", "```", "% #!TAG HWEND", "```{code-cell}")
        + "x\n```\n",
        1,
        "changes what is a code cell",
    ),
]


@pytest.mark.parametrize(("text", "line", "message"), FAULTS)
def test_faults_are_found(text, line, message):
    with pytest.raises(Fault) as caught:
        template = parse(text)
        for is_question in False, True:
            notebook_of(template, build(template, TEMPLATES, is_question))
    assert caught.value.line == line
    assert message in str(caught.value)


def test_an_included_body_needs_lines_of_its_own(tmp_path):
    (tmp_path / "f.py").write_text("def f(x): return x\n", encoding="utf-8")
    text = code("#!TAG HWBEGIN", "#!INCLUDE f.py f", "#!TAG HWEND")
    with pytest.raises(Fault, match="15: the body of f is not on lines of its own"):
        question(text, tmp_path)


def test_of_an_included_function_only_the_opening_is_shown(tmp_path):
    lines = [
        "class A:",
        "    @staticmethod",
        "    def f(",
        "  x):  # secret 1",
        "        # secret 2",
        '        """Größe.',
        '        """; y = "secret 3"  # secret 4',
        "        return y",
        "",
        "    def g(x, y):  # secret",
        "        return x",
    ]
    (tmp_path / "f.py").write_text("\n".join(lines), encoding="utf-8")

    def included(name):
        text = code("#!TAG HWBEGIN", f"#!INCLUDE f.py A.{name}", "#!TAG HWEND")
        return shown(question(text, tmp_path))

    body = ['    """Größe.', '    """', "    raise NotImplementedError"]
    assert included("f") == ["@staticmethod", "def f(", "  x):", *body]
    assert included("g") == ["def g(x, y):", "    raise NotImplementedError"]


# ----------------------------------------------------------------------- the files


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The files of both templates of this folder, made once."""
    out = tmp_path_factory.mktemp("labs") / "to be" / "made"
    paths = [str(TEMPLATES / f"{name}-template.md") for name in NAMES]
    assert main(["make", *paths, "--out", str(out)]) == 0
    return out


def notebook(folder, name):
    return nbformat.read(folder / f"{name}.ipynb", as_version=4)


def code_cells(folder, name):
    cells = notebook(folder, name).cells
    return [cell for cell in cells if cell.cell_type == "code"]


def test_all_files_are_made(made):
    files = {
        f"{name}.{kind}" for name in VERSIONS for kind in ("md", "ipynb", "pdf")
    }
    assert {path.name for path in made.iterdir()} == files | {"pictures"}
    assert [path.name for path in made.parent.iterdir()] == ["made"]


@pytest.mark.parametrize("name", NAMES)
def test_no_homework_is_in_the_question(made, name):
    for kind in "md", "ipynb":
        hidden = (made / f"{name}-question.{kind}").read_text(encoding="utf-8")
        given = (made / f"{name}-solution.{kind}").read_text(encoding="utf-8")
        assert given.lower().count("secret") > 3
        assert hidden.lower().count("secret") == (name == "shapes")  # given whole
        for tag in "#!TAG", "#!MSG", "#!INCLUDE", "SKIPQUESTEXEC", "HWEND":
            assert tag not in hidden + given


@pytest.mark.parametrize("name", VERSIONS)
def test_code_compiles_and_cells_are_plain(made, name):
    for number, cell in enumerate(notebook(made, name).cells, 1):
        assert cell.id == f"cell-{number:02d}"
        assert cell.metadata.keys() <= {"tags"}
        if cell.cell_type == "code":
            compiled(cell.source.split("\n"))


def test_messages_and_stubs_stand_in_place_of_homework(made):
    text = (made / "shapes-question.md").read_text(encoding="utf-8")
    for part in (
        "    def forward(self, x):\n        # TODO return the prediction.\n",
        '        """The loss."""\n        # Two lines\n        # of advice.\n',
        "        # of advice.\n        raise NotImplementedError\n",
        "the prediction.\n        raise NotImplementedError\n",
        "        y = self.forward(x)\n        # Use y.\n        return y\n",
        "    else:\n        raise NotImplementedError\n",
        "x = (\n    # A sum.\n    ...\n)\ny = max(\n    x,\n)\n",
        "    3\n    *\n    ...\n)\n",
        "```python\n# Define whatever you need.\n```\n",
        (
            '2. second.\n\n<!-- #region tags=["answer"] -->\nDerive it\non paper.\n<!-- #endregion -->'
            "\n\nText after it.\n"
        ),
    ):
        assert part in text
    text = (made / "page-question.md").read_text(encoding="utf-8")
    assert (
        '@functools.cache\ndef square(x: int) -> int:\n    """The square of x."""\n'
        "    # Multiply\n    # with care.\n    raise NotImplementedError\n" in text
    )
    assert (
        "class Model:\n    def backward(\n        self,\n        x,\n        delta,\n"
        "    ):\n        # Multiply.\n        raise NotImplementedError\n" in text
    )
    assert text.count("### Exercise") == 2
    shown = '### Answer\n\n+++ {"tags": ["answer"]}\n\nYour answer.'
    assert text.count(shown) == text.count("### Answer") == 1


def test_cells_are_executed_unless_skipped(made):
    def counts(name):
        return [cell.execution_count for cell in code_cells(made, name)]

    assert counts("shapes-solution") == [1, 2, 3, 4, 5, 6]
    assert counts("shapes-question") == [1, None, None, 2, 3, 4]
    assert counts("page-solution") == [1, 2, 3]
    assert counts("page-question") == [1, None, None]
    first, network, *_ = code_cells(made, "shapes-solution")
    figure, warning, printed = sorted(
        first.outputs, key=lambda o: o.output_type + o.get("name", "")
    )
    assert "image/png" in figure.data
    assert printed.text == "done      \n"
    assert warning.text.startswith("<cell>:7: UserWarning: careful")
    assert network.outputs[0].text == "3 0.5\n"


@pytest.mark.slow
def test_checks_of_the_question_may_raise(tmp_path):
    text = code("def f():", "    #!TAG HWBEGIN", "    return 1", "    #!TAG HWEND")
    for check in "assert f()", "1", "f() == 1":
        cell = code(check).replace("```python", '```python tags=["check"]')
        text += cell.replace(MARKDOWN, "\n")
    (tmp_path / "lab.md").write_text(text, encoding="utf-8")
    words = ["make", str(tmp_path / "lab.md"), "--out", str(tmp_path), "--no-pdf"]
    assert main(words) == 0
    _, *checks = code_cells(tmp_path, "lab-question")
    assert [bool(cell.outputs) for cell in checks] == [False, True, False]
    assert [cell.execution_count for cell in checks] == [None, 3, None]
    assert all(cell.metadata == {"tags": ["check"]} for cell in checks)
    *_, last = code_cells(tmp_path, "lab-solution")
    assert last.outputs[0].data["text/plain"] == "True"
    solved = text.replace("f() == 1", "1 / 0")
    (tmp_path / "lab.md").write_text(solved, encoding="utf-8")
    assert main(words) == 2  # the solution may not


def test_captions_and_tags_of_cells(made):
    cells = notebook(made, "page-solution").cells
    assert cells[-1].source == "*A line with slope $s$.*"
    assert [
        cell.metadata.get("tags") for cell in code_cells(made, "page-solution")
    ] == [
        None,
        ["check"],
        ["figure"],
    ]


def pages(pdf):
    return int(re.search(rb"NPages>(\d+)<", pdf)[1])


@pytest.mark.parametrize(
    ("start", "line", "end", "short", "tall"),
    [
        ("```python", "x = 1", "```", 15, 200),
        ("$$\n\\begin{aligned}", "a &= b \\\\", "\\end{aligned}\n$$", 13, 120),
    ],
)
def test_what_fits_a_page_is_on_one(tmp_path, start, line, end, short, tall):
    def printed(name, count, lines):
        text = "\n".join(["", start, *[line] * lines, end, ""]) * count
        (tmp_path / f"{name}.md").write_text(MARKDOWN + text, encoding="utf-8")
        words = [
            "make",
            str(tmp_path / f"{name}.md"),
            "--out",
            str(tmp_path / "out"),
        ]
        assert main([*words, "--no-execute"]) == 0
        return pages((tmp_path / "out" / f"{name}-solution.pdf").read_bytes())

    assert printed("one", 3, short) == 1
    assert printed("four", 4, short) == 2
    assert printed("seven", 7, short) == 3
    assert printed("tall", 1, tall) > 2


@pytest.mark.parametrize("name", VERSIONS)
def test_pages_are_printed(made, name):
    pdf = (made / f"{name}.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert pages(pdf) == (1 if name.startswith("page") else 3)
    assert b"LibertinusSerif" in pdf and b"DejaVuSansMono" in pdf
    # The picture, and the figure.
    assert pdf.count(b"/Subtype /Image") >= 2 * name.startswith("shapes")


# What is in the text of a version and is not meant to be read: its front matter, tags of
# HTML and of cells, TeX's commands and columns, targets of links, texts for images.
SYNTAX = re.compile(
    r"\A---.*?\n---\n|<[^>]*>|^(?:```|\+\+\+|:tags:)[^\n]*|!\[[^]]*\]\(.*?\)|\]\(.*?\)"
    r"|\\(?:begin|end|label|(?:eq)?ref)\{[\w:]+\*?\}(?:\{.*?\})?|\\[A-Za-z]+",
    re.DOTALL | re.MULTILINE,
)


def words_of(text):
    """The words of a text, and each letter that is none of an alphabet."""
    text = unicodedata.normalize("NFKC", text)
    return set(re.findall(r"[^\W\d_]{3,}|[^\x00-\u024f\s]", text))


@pytest.mark.parametrize("kind", ["question", "solution"])
@pytest.mark.parametrize(
    "path",
    [TEMPLATES / "print-template.md", TEMPLATES / "shapes-template.md"]
    + [TEMPLATES / "page-template.md", TEMPLATES / "line-template.md"]
    + [pytest.param(ROOT / "book" / "lab.md", marks=pytest.mark.slow)],
    ids=lambda path: path.stem,
)
def test_no_word_is_lost_in_print(unexecuted, path, kind):
    out = unexecuted(path)
    stem = path.stem.removesuffix("-template")
    text = (out / f"{stem}-{kind}.md").read_text(encoding="utf-8")
    read = pypdf.PdfReader(out / f"{stem}-{kind}.pdf")
    printed = "".join(page.extract_text() for page in read.pages)
    # Lines end anywhere, words may be divided, and code may be broken.
    printed = re.sub(r"[\s\u200b\xad]|-$", "", printed, flags=re.MULTILINE)
    printed = unicodedata.normalize("NFKC", printed)
    lost = {word for word in words_of(SYNTAX.sub(" ", text)) if word not in printed}
    assert not lost


@pytest.fixture(scope="module")
def unexecuted(tmp_path_factory):
    """Makes the files of a template once, without running it."""

    @cache
    def make(path):
        out = tmp_path_factory.mktemp(path.stem)
        assert main(["make", str(path), "--out", str(out), "--no-execute"]) == 0
        return out

    return make


@pytest.mark.slow
def test_numbers_colours_and_names_are_printed_as_they_are_meant(tmp_path):
    path = str(TEMPLATES / "print-template.md")
    assert main(["make", path, "--out", str(tmp_path)]) == 0
    read = pypdf.PdfReader(tmp_path / "print-solution.pdf")
    printed = "\n".join(page.extract_text() for page in read.pages)
    for line in (
        "Before the formulas: (1) is referred to as 1, and star by its name.",
        "colourless plain 中文 😀 ✓",
        "ValueError: wrongly",
        "The folder C:\\users and the sign \\n stay",
        "\\mystery{enigma}",
    ):
        assert line in printed
    assert "[31m" not in printed.replace('"\\x1b[31m', "")


UNPRINTABLE = {
    "a \\ref{eq:x} b": "no formula has the label eq:x",
    "\\begin{theorem}\nx\n\\end{theorem}": "the environment theorem cannot be",
    "\\begin{center}\n\\includegraphics{a.png}\n\\end{center}": "TeX shows an image",
    "$x \\in \\R$": "this formula cannot be printed: unexpected control sequence \\R",
    "a 𒀀 b": "no font has the character U+12000",
    "$a + 𒀀$": "no font has the character U+12000",
    "`a 𒀀 b`": "no font has the character U+12000",
    '<iframe src="https://a.org"></iframe>': "paper has no <iframe>",
    'a <video src="a.mp4"></video> b': "paper has no <video>",
    "<div><script>1</script></div>": "paper has no <script>",
}
OUTPUTS = {
    "IFrame('https://a.org', 9, 9)": "paper has no <iframe>",
    "HTML('<img src=\"https://a.org/a.png\">')": "an image on the web cannot be printed",
    "Math(r'\\mystery')": "this formula cannot be printed: unexpected control",
    "display({'application/x-own': 'x'}, raw=True)": "this output cannot be printed",
    "print(chr(0x12000))": "no font has the character U+12000",
}


def test_what_cannot_be_printed_is_told_with_its_line(tmp_path, capsys):
    paths, expected = [], []
    for number, (text, message) in enumerate(UNPRINTABLE.items()):
        paths.append(tmp_path / f"lab{number}.md")
        paths[-1].write_text(MARKDOWN + f"a\n\n{text}\n", encoding="utf-8")
        expected.append(f"{paths[-1]}:15: {message}")
    words = ["make", *map(str, paths), "--out", str(tmp_path / "out")]
    assert main([*words, "--no-execute"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == len(expected)
    for line, start in zip(said, expected, strict=True):
        # The second line of an environment may be rarer than the first.
        assert line.replace(":16: ", ":15: ").startswith(start)


@pytest.mark.slow
@pytest.mark.parametrize("sources", [list(OUTPUTS)[:-1], list(OUTPUTS)[-1:]])
def test_outputs_that_cannot_be_printed_are_told_with_the_line_of_their_cell(
    tmp_path, capsys, sources
):
    """The last one is found when all else is printed."""
    path = tmp_path / "lab.md"
    text = code("from IPython.display import HTML, IFrame, Math")
    path.write_text(text + "".join(map(code, sources)).replace(MARKDOWN, "\n"))
    assert main(["make", str(path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == len(sources)
    for number, (line, source) in enumerate(zip(said, sources, strict=True)):
        assert line.startswith(f"{path}:{18 + 4 * number}: {OUTPUTS[source]}")


@pytest.mark.slow
def test_what_jupyter_shows_is_printed(tmp_path, monkeypatch):
    """The page in the language of Typst, in place of the PDF."""
    monkeypatch.setattr("labs.pdf.typeset", Path.read_bytes)
    text = ["```", "# no title", "```", "", "# **Bold** `code` $x^2$", ""]
    text += ["Note[^1] one.<br>Two.", "", "[^1]: Below.", ""]
    text += ["<table><tr><td>in a table</td></tr></table>", "", "```python"]
    text += ["from IPython.display import HTML, Latex, Markdown, Math, display"]
    text += ["display(Math(r'\\frac{a}{b}'), Latex('$c^2$'), Markdown('*d*'))"]
    text += ["display(HTML('<b>e</b>'))", "class Table:"]
    text += ["    _repr_html_ = lambda self: '<table></table>'"]
    text += ["    __repr__ = lambda self: 'a plain table'", "Table()", "```"]
    (tmp_path / "a.md").write_text(MARKDOWN + "\n".join(text), encoding="utf-8")
    assert (
        main(["make", str(tmp_path / "a.md"), "--out", str(tmp_path / "out")]) == 0
    )
    page = (tmp_path / "out" / "a-solution.pdf").read_text(encoding="utf-8")
    assert "#set document(title: [Bold code x^2], date: date)" in page
    assert "Note#footnote[Below.] one. \\\nTwo." in page
    for shown in "[in a table]", "$a / b$", "$c^2$", "#emph[d]", "#strong[e]":
        assert shown in page
    assert "```\na plain table\n```" in page
    assert "<IPython" not in page


def test_pictures_are_beside_the_files(made):
    picture = Path("pictures", "two units.png")
    assert (made / picture).read_bytes() == (TEMPLATES / picture).read_bytes()


@pytest.mark.slow
def test_the_same_template_gives_the_same_bytes(made, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "svg")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("TZ", "UTC-14")
    monkeypatch.chdir(tmp_path)
    path = str(TEMPLATES / "shapes-template.md")
    assert main(["make", path, "--out", "again"]) == 0
    for again in Path("again").glob("shapes-*"):
        assert again.read_bytes() == (made / again.name).read_bytes(), again


@pytest.mark.slow
def test_cells_run_in_a_copy_of_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("labs.execute.BYTES_COPIED", 13)
    home = tmp_path / "home"
    for name in "data/deep.txt", "large.txt", ".git/hidden", "env/pyvenv.cfg":
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(name, encoding="utf-8")
    (home / "large.txt").write_text("longer than that", encoding="utf-8")
    (home / "linked").symlink_to("data")
    (home / "lost").symlink_to("nothing")
    os.mkfifo(home / "pipe")
    cell = [
        "import os",
        "from pathlib import Path",
        "#!TAG HWBEGIN",
        "Path('answer.txt').write_text('secret')",
        "Path('data/deep.txt').write_text('secret')",
        "#!TAG HWEND",
        "print(sorted(os.listdir('.')), os.getcwd(), Path('data').resolve())",
        "print(*(Path(name).read_text() for name in ('data/deep.txt', 'large.txt')))",
    ]
    (home / "lab.md").write_text(code(*cell), encoding="utf-8")
    before = sorted(home.rglob("*"))
    out = tmp_path / "out"
    assert main(["make", str(home / "lab.md"), "--out", str(out), "--no-pdf"]) == 0
    assert sorted(home.rglob("*")) == before
    assert (home / "data/deep.txt").read_text(encoding="utf-8") == "data/deep.txt"
    files = "'data', 'lab.md', 'large.txt', 'linked'"
    (solved,), (asked,) = (
        code_cells(out, f"lab-{kind}") for kind in ("solution", "question")
    )
    assert solved.outputs[-1].text == (
        f"['answer.txt', {files}] . data\nsecret longer than that\n"
    )
    assert asked.outputs[-1].text == (
        f"[{files}] . data\ndata/deep.txt longer than that\n"
    )


@pytest.mark.slow
def test_outputs_name_no_place_in_memory_nor_of_this_run(tmp_path):
    (tmp_path / "beside.py").write_text(
        "import warnings\n\n\ndef warn():\n    warnings.warn('careful')\n",
        encoding="utf-8",
    )
    cell = [
        "import beside",
        "beside.warn()",
        "print(object(), 'at 0x10')",
        "display(object())",
        "raise ValueError(object())",
    ]
    text = code(*cell).replace("```python", '```python tags=["raises-exception"]')
    (tmp_path / "lab.md").write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    assert (
        main(["make", str(tmp_path / "lab.md"), "--out", str(out), "--no-pdf"]) == 0
    )
    (cell,) = code_cells(out, "lab-solution")
    whole = str(cell.outputs)
    assert "beside.py:5: UserWarning: careful" in whole
    assert tempfile.gettempdir() not in whole
    assert "'<object object> at 0x10\\n'" in whole
    assert "'text/plain': '<object>'" in whole
    assert "'evalue': '<object object>'" in whole
    assert not re.search("0x[0-9a-f]{8}", whole)


def test_a_long_line_takes_no_time():
    start = time.process_time()
    assert len(impersonal("x" * 200_000, Path("/away"))) == 200_000
    assert time.process_time() - start < 2


def test_without_pdf_and_outputs(tmp_path, capsys):
    path = str(TEMPLATES / "page-template.md")
    words = ["make", path, "--out", str(tmp_path), "--no-pdf", "--no-execute"]
    assert main(words) == 0
    assert {path.suffix for path in tmp_path.iterdir()} == {".md", ".ipynb"}
    assert not any(cell.outputs for cell in code_cells(tmp_path, "page-solution"))
    assert capsys.readouterr().out.splitlines()[-1] == f"The labs are in {tmp_path}"


# ----------------------------------------------------------------------- bad templates


def test_files_that_are_no_templates(tmp_path, capsys):
    good, latin = tmp_path / "good-template.md", tmp_path / "latin.md"
    good.write_text(code("1 + 1"), encoding="utf-8")
    latin.write_bytes("# Größe\n".encode("latin-1"))
    bad = [tmp_path / "missing.md", tmp_path, latin]
    out = tmp_path / "out"
    options = ["--out", str(out), "--no-pdf", "--no-execute"]
    assert main(["make", *map(str, [*bad, good]), *options]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{bad[0]}:1: cannot be read: No such file or directory",
        f"{bad[1]}:1: cannot be read: Is a directory",
        f"{bad[2]}:1: is not text",
    ]
    made = sorted(path.name for path in out.iterdir())
    assert made == [
        f"good-{kind}"
        for kind in (
            "question.ipynb",
            "question.md",
            "solution.ipynb",
            "solution.md",
        )
    ]


RUNS = {
    "raises": (
        code("1", "", "1 / 0"),
        14,
        "cell raises ZeroDivisionError: division by",
    ),
    "needs": (
        code("#!TAG HWBEGIN", "x = 1", "#!TAG HWEND") + "\n\n```python\nx\n```\n",
        21,
        "cell raises NameError: name 'x' is not defined (in the question)",
    ),
    "stub": (
        code(
            "def f():", "    #!TAG HWBEGIN", "    1", "    #!TAG HWEND", "", "f()"
        ),
        14,
        "cell raises NotImplementedError, for homework is not filled in: begin it",
    ),
    "dies": (code("import os", "os._exit(1)"), 14, "cell ends its kernel"),
    "endless": (code("while True: pass"), 14, "cell does not end within 2 seconds"),
    "long": (
        code("1", "for n in range(10_000): print('x' * 1_000)"),
        14,
        "cell puts out more than 200000 characters",
    ),
    "formula": (
        MARKDOWN + "a\n\n$$\na \\nonsense b\n$$\n",
        16,
        "this formula cannot be printed: unexpected control sequence \\nonsense",
    ),
}


@pytest.mark.slow
def test_templates_that_do_not_run_leave_nothing(tmp_path, capsys):
    paths = [tmp_path / f"{name}.md" for name in RUNS]
    for path, (text, _, _) in zip(paths, RUNS.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    words = ["make", *map(str, paths), "--out", str(out), "--seconds", "2"]
    assert main(words) == 2
    errors = capsys.readouterr().err.splitlines()
    for path, (_, line, message), error in zip(
        paths, RUNS.values(), errors, strict=True
    ):
        assert error.startswith(f"{path}:{line}: {message}")
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("![a](no.png)", "there is no image no.png"),
        ('<img src="no.png">', "there is no image no.png"),
        (
            "![a](../a.png)",
            "the image ../a.png is not below the template's folder (see --images)",
        ),
        (
            "![a](https://a.org/a.png)",
            "the image https://a.org/a.png is no file: save it beside the template",
        ),
        (
            "![a](attachment:a.png)",
            "the image attachment:a.png is no file: save it beside the template",
        ),
    ],
)
def test_images_that_cannot_be_shown(tmp_path, capsys, image, message):
    path = tmp_path / "a.md"
    path.write_text(f"{MARKDOWN}a\n\n| b |\n|---|\n| {image} |\n", encoding="utf-8")
    assert main(["make", str(path), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == f"{path}:17: {message}\n"


def test_images_of_a_shared_folder_and_of_answers(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "labs").mkdir()
    for name in "shared/a b.png", "labs/answer.png", "labs/swer.png":
        (tmp_path / name).write_text(name, encoding="utf-8")
    path = tmp_path / "labs" / "lab.md"
    lines = ["![a](../shared/a%20b.png)", "![a](answer.png)"]
    lines += ["", "#!TAG HWBEGIN", "#!MSG ?", "![b](swer.png)", "#!TAG HWEND", ""]
    path.write_text(MARKDOWN + "\n".join(lines), encoding="utf-8")
    out = tmp_path / "out"
    words = ["make", str(path), "--out", str(out), "--no-pdf", "--no-execute"]
    assert main([*words, "--images", str(tmp_path / "shared")]) == 0
    images = {str(file.relative_to(out)) for file in out.rglob("*.png")}
    assert images == {
        "shared/a b.png",
        "answer.png",
        "lab-solution-images/swer.png",
    }
    asked, solved = (
        (out / f"lab-{kind}.md").read_text(encoding="utf-8")
        for kind in ("question", "solution")
    )
    assert "(shared/a%20b.png)" in asked and "(answer.png)" in asked
    assert "(lab-solution-images/swer.png)" in solved
    assert "swer.png" not in asked.replace("answer.png", "")


def test_a_template_may_be_a_notebook(tmp_path, capsys):
    cell = nbformat.v4.new_code_cell
    cells = [
        nbformat.v4.new_markdown_cell(
            "# Lab\n\n#!TAG HWBEGIN\nsecret\n#!TAG HWEND"
        ),
        cell("def f():\n    #!TAG HWBEGIN\n    return 'secret'\n    #!TAG HWEND"),
        cell("#!TAG SKIPQUESTEXEC\nassert f()", metadata={"tags": ["check"]}),
    ]
    path = tmp_path / "lab-template.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    words = ["make", str(path), "--out", str(tmp_path), "--no-pdf", "--no-execute"]
    assert main(words) == 0
    asked, solved = (
        code_cells(tmp_path, f"lab-{kind}") for kind in ("question", "solution")
    )
    assert [each.source for each in asked] == [
        "def f():\n    raise NotImplementedError",
        "assert f()",
    ]
    assert asked[1].metadata.tags == ["check"]
    assert solved[0].source == "def f():\n    return 'secret'"
    path.write_text("{", encoding="utf-8")
    assert main(words) == 2
    assert f"{path}:1: is not a notebook" in capsys.readouterr().err


def test_a_question_for_nbgrader(tmp_path):
    path = str(TEMPLATES / "line-template.md")
    words = ["--out", str(tmp_path), "--no-pdf", "--no-execute", "--to", "nbgrader"]
    assert main(["make", path, *words]) == 0
    cells = notebook(tmp_path, "line-nbgrader").cells
    told = [cell.metadata.get("nbgrader") for cell in cells]
    kinds = [(t["grade"], t["locked"], t.get("points")) for t in told if t]
    student, check = (False, False, None), (True, True)
    assert kinds == [
        *((True, False, 3), student, (*check, 4), student, (*check, 2)),
        *(student, (*check, 1)),
    ]
    ids = [t["grade_id"] for t in told if t]
    assert ids[0] == "Paper-04" and ids[2] == "slope-08" and len({*ids}) == len(ids)
    checks = [
        c.source for c, t in zip(cells, told, strict=True) if t and t["locked"]
    ]
    names = {"Line": lambda x, y: Fixed(), "x": 1, "y": 1, "np": numpy}
    with pytest.raises(AssertionError, match="The first prediction is 3.000"):
        exec(checks[1], names)  # noqa: S102


@pytest.mark.parametrize(
    ("value", "marks"),
    [
        *(("True", 3), ("None", 3), ("0.5, 'half'", 1.5), ("numpy.bool_(True)", 3)),
        *(("False", None), ("numpy.bool_(False)", None), ("(0, 'no')", None)),
        *(("Said(True)", 3), ("Said(False)", None)),
    ],
)
def test_what_nbgrader_reads_of_a_check(value, marks):
    """The last expression is what the cell puts out."""
    *lines, last = asserting(f"1\n{value}", 3).split("\n")
    names = {"numpy": numpy, "Said": Ok}
    if marks is None:
        with pytest.raises(AssertionError):
            exec("\n".join(lines), names)  # noqa: S102
    else:
        exec("\n".join(lines), names)  # noqa: S102
        assert eval(last, names) == marks


class Ok:
    def __init__(self, ok):
        self.ok = ok


class Fixed:
    def predict(self, x):
        return numpy.array([3.0])


def test_all_faults_of_a_template_are_told_at_once(tmp_path, capsys):
    path = tmp_path / "lab.md"
    text = code("#!TAG HWBEGIN", "x") + "\n" + code("y =")[len(MARKDOWN) :]
    path.write_text(text, encoding="utf-8")
    assert main(["make", str(path), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{path}:14: HWBEGIN without HWEND",
        f"{path}:19: the code does not compile: invalid syntax",
    ]


@pytest.mark.parametrize(("directive", "status"), [("only", 0), ("admonition", 2)])
def test_images_in_directives_belong_to_what_is_kept(
    tmp_path, capsys, directive, status
):
    path = tmp_path / "a.md"
    lines = ["a", "", f"```{{{directive}}} b", "![c](no.png)", "```"]
    path.write_text(in_myst(*lines), encoding="utf-8")
    options = ["--out", str(tmp_path / "out"), "--no-pdf", "--no-execute"]
    assert main(["make", str(path), *options]) == status
    line = MYST.count("\n") + 4
    message = f"{path}:{line}: there is no image no.png\n"
    assert capsys.readouterr().err == (message if status else "")


def test_files_of_another_template_are_not_replaced(tmp_path, capsys):
    paths = [tmp_path / folder / "lab-template.md" for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(code(f"'{path.parent.name}'"), encoding="utf-8")
    options = ["--out", str(tmp_path / "out"), "--no-pdf", "--no-execute"]
    assert main(["make", *map(str, paths), *options]) == 2
    target = tmp_path / "out" / "lab-question.ipynb"
    message = f"{paths[1]}:1: {target} has just been made of {paths[0]}\n"
    assert capsys.readouterr().err == message
    assert code_cells(tmp_path / "out", "lab-solution")[0].source == "'a'"


def test_a_place_that_is_taken(tmp_path, capsys):
    path = tmp_path / "lab.md"
    path.write_text(code("1"), encoding="utf-8")
    assert main(["make", str(path), "--out", str(path)]) == 2
    assert capsys.readouterr().err == f"labs: {path} is not a folder\n"
    assert main(["make", str(path), "--out", str(path / "below" / "out")]) == 2
    assert capsys.readouterr().err.startswith(f"{path}:1: Not a directory: ")
    (tmp_path / "lab-question.md").mkdir()
    options = ["--out", str(tmp_path), "--no-pdf", "--no-execute"]
    assert main(["make", str(path), *options]) == 2
    assert "there is a folder" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_nothing(tmp_path, number):
    path, started = tmp_path / "lab.md", tmp_path / "started"
    cell = f"from pathlib import Path; import os; Path({str(started)!r})"
    text = code(f"{cell}.write_text(str(os.getpid()))", "while True: pass")
    path.write_text(text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "labs",
        "make",
        path,
        "--out",
        tmp_path / "out",
    ]
    away = tmp_path / "away"
    away.mkdir()
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "code"),
        "TMPDIR": str(away),
    }
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        while not (started.exists() and started.read_text(encoding="utf-8")):
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
    assert said == f"labs: stopped by {number.name}\n"
    assert process.returncode == 128 + number
    assert sorted(tmp_path.iterdir()) == [away, path, started]
    assert not list(away.iterdir())
    assert not psutil.pid_exists(int(started.read_text(encoding="utf-8")))


# ---------------------------------------------------------------- the lab of the book


def test_the_lab_of_the_book_checks_each_part():
    text = (ROOT / "book" / "lab.md").read_text(encoding="utf-8")
    assert re.findall(r'diagnose\(Network, part="(\w+)"', text) == [
        "forward",
        "loss",
        "backward",
        "update",
        "train",
    ]


def test_the_marks_of_the_lab_are_those_that_it_promises():
    text = (ROOT / "book" / "lab.md").read_text(encoding="utf-8")
    for part, _, minutes, marks in re.findall(
        r"^\| ([ABC]) \| (.*) \| (\d+) \| (\d+) \|$", text, re.MULTILINE
    ):
        section = re.split(r"^## ", text, flags=re.MULTILINE)
        (section,) = [each for each in section if each.startswith(f"{part}: ")]
        promised = re.findall(r"\*(\d+) minutes, (\d+) marks\.\*", section)
        given = re.findall(r"#!MARKS (\d+)|marks=(\d+)", section)
        assert sum(int(time) for time, _ in promised) == int(minutes)
        assert sum(int(mark) for _, mark in promised) == int(marks)
        assert sum(int(one or other) for one, other in given) == int(marks)


def test_the_question_of_the_lab_has_no_answer():
    text = (ROOT / "book" / "lab.md").read_text(encoding="utf-8")
    asked = question(text, ROOT / "book")
    for line in (
        "@ delta",
        ".mean()",
        "get_loss(x, y))",
        "outputs.append",
        "= 18$ of",
    ):
        assert line in solution(text, ROOT / "book")
        assert line not in asked


def test_the_base_of_the_lab_computes_nothing():
    """An emptied class, a misspelt method and one that calls super find nothing."""
    text = (ROOT / "book" / "lab.md").read_text(encoding="utf-8")
    cells = notebook_of(parse(text), build(parse(text), ROOT / "book", False)).cells
    base = next(cell.source for cell in cells if "class Base" in cell.source)
    for body in (
        "pass",
        "def forwardpass(self, x): return [x]",
        "def forward_pass(self, x): return super().forward_pass(x)",
    ):
        names = {}
        lines = f"{base}\n\nclass Network(Base):\n    {body}\n"
        with default_dtype_kept():
            exec(compile(lines, "<cell>", "exec"), names)  # noqa: S102
            for part in "forward", "loss", "backward", "update":
                found = names["diagnose"](names["Network"], part=part)
                assert found.status == "unfilled", (body, part, found)


@contextlib.contextmanager
def default_dtype_kept():
    before = torch.get_default_dtype()
    try:
        yield
    finally:
        torch.set_default_dtype(before)

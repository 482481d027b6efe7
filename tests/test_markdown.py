"""The reader of chapters finds what Sphinx shows, and where it stands."""

import json
import subprocess
import sys

import pytest
import yaml
from chapters import markdown, pieces
from chapters.parser import EXTENSIONS
from sources import ROOT

CONF = f"""
import json

from docutils import nodes

extensions = ["myst_parser"]
myst_enable_extensions = {sorted(EXTENSIONS)}
suppress_warnings = ["image.not_readable"]


def show(app, doctree):
    kinds = [nodes.math, nodes.math_block]
    found = [[" ".join(n.astext().split()) for n in doctree.findall(k)] for k in kinds]
    name = app.env.docname
    (app.outdir / f"{{name}}.json").write_text(json.dumps(found), encoding="utf-8")


def setup(app):
    app.connect("doctree-read", show)
"""

# Each on a page of its own. The line of a formula is that on which its first word stands.
PAGES = {
    "dollars": "# Title $a$\n\nText ($b$)[x.md], **$c$**, *$d$*, $ e $, 1$f$2, \\$5 and $g\nh$.",
    "roles": "{math}`a`, {MATH}``b``,\n{math}`c\nd` and {math}```e```.",
    "code": "`$a$` and `` `$b$` `` and ``` $c$```\n\n    $d$\n\n```\n$e$\n```\n\n~~~python\n$$f$$\n~~~",
    "links": "[text $a$](https://x.y) and ![alt $b$](c.png) and [span $c$]{.class}",
    "tables": "| $a$ | b |\n|---|---|\n| $c$ | $d$ and `$e$` |\n| $c$ | $c$ |",
    "definitions": "term $a$\n: text $b$\n\n  $$\n  c\n  $$",
    "displays": "$$a$$\n\n$$ b\nc $$ (eq-c)\n\n$$\n\nd\n\ne\n$$\n\n> Text\n>\n> $$ f\n> g $$",
    "directives": "```{math} a\nb\n```\n\n~~~{MATH}\n:label: eq-c\n\nc\n~~~\n\n:::{math}\n---\nlabel: eq-d\n---\nd\n\ne\n:::",
    "lists": "- ```{math}\n  a\n  ```\n- $b$\n\n  $$c$$\n\n1. ```{math} d\n   :label: eq-d\n   e\n   ```\n   1. :::{note}\n      $$f$$\n      :::",
    "after_code": "- ```python\n  x = 1\n  ```\n\n$$a$$\n\nSo:\n\n    ```\n\n$$b$$",
    "notes": ":::{note} a $b$\nc $d\ne$\n:::\n\n:::{tip}\n:class: x\n$f$\n:::\n\n:::{warning} $$g$$\n:::",
    "admonitions": "::::{admonition} Title $a$\n:class: tip\n\n:::{admonition} Title $b$\n$$c$$\n:::\n::::",
    "divisions": ":::\n$b$\n:::\n\n::: name\n$$c$$\n:::",
    "captions": "```{figure} a.png\n:alt: $a$\n\nCaption $b$.\n\nLegend $c$.\n```\n\n```{code-block} python\n:caption: $d$ and\n\nx = '$e$'\n```",
    "more_tables": "```{list-table} Caption $a$\n:name: tab\n\n* - $b$\n  - two\n```\n\n```{table} Caption $c$\n| $d$ |\n|---|\n| $e$ |\n```\n\n```{csv-table} Caption $f$\n$g$, $h$\n```",
    "glossary": "```{glossary}\nterm $a$\n    definition $b$\n\nother\n  $c$\n```",
    "others": "```{only} html\n$a$\n```\n\n```{rubric} $b$\n```\n\n```{topic} $c$\n$d$\n```\n\n```{epigraph} $e$\n```\n\n```{versionadded} 1.0 with $f$\n```\n\n```{raw} html\n<p>$g$</p>\n```",
    "comments": "% $a$\n\n<!-- $b$ -->\n\n<p>$c$</p>\n\nText <i>$d$</i> <!-- $e$ -->\n\n---\n\n---\n\n$f$",
    "quotations": "> $a$\n> > $$b$$\n\n- > ```{note}\n  > $c$\n  > ```",
    "settings": "---\nmyst:\n  enable_extensions: [amsmath, dollarmath]\n  dmath_double_inline: true\n---\n\nIn $$a$$ text.\n\n\\begin{align}\nb\n\\end{align}",
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Of each page the formulas that Sphinx shows, inline and displayed."""
    folder = tmp_path_factory.mktemp("forms")
    (folder / "conf.py").write_text(CONF, encoding="utf-8")
    for name, text in PAGES.items():
        (folder / f"{name}.md").write_text(f"{text}\n", encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "dummy", ".", "out"]
    command += ["-D", f"root_doc={next(iter(PAGES))}"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return {
        name: json.loads((folder / "out" / f"{name}.json").read_text())
        for name in PAGES
    }


@pytest.mark.parametrize("name", PAGES)
def test_what_sphinx_shows_is_read_with_its_line(shown, name):
    lines = PAGES[name].split("\n")
    found = list(markdown.of_file(PAGES[name]))
    assert not [piece for piece in found if isinstance(piece, pieces.Unread)]
    kinds = pieces.Inline, pieces.Display
    read = [[p for p in found if isinstance(p, kind)] for kind in kinds]
    assert [[" ".join(p.tex.split()) for p in group] for group in read] == shown[
        name
    ]
    assert any(read) or name == "code"
    for piece in read[0] + read[1]:
        assert piece.tex.split()[0] in lines[piece.line - 1]


def test_the_parser_has_the_settings_of_the_book():
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert set(settings["parse"]["myst_enable_extensions"]) == EXTENSIONS
    assert not [name for name in settings["sphinx"]["config"] if "myst" in name]


TEXT = """\
(top)=
# Title of `x` $y$

| a | {eq}`one` | {eq}`one` |
|---|---|---|
| `{eq}` | {ref}`that
| {eq}``two`` | x |

- Text {ref}`with
  two lines <two>` and ``{eq}`none` ``.

  > Quoted {term}`three`.
"""


def test_each_role_stands_where_it_is_said_to():
    found = [p for p in markdown.pieces(TEXT, 11) if isinstance(p, pieces.Role)]
    written = [TEXT[role.start : role.stop] for role in found]
    assert written == [
        "{eq}`one`",
        "{eq}`one`",
        "{eq}``two``",
        "{ref}`with\n  two lines <two>`",
        "{term}`three`",
    ]
    assert [(role.text, role.target) for role in found][2:4] == [
        (None, "two"),
        ("with\ntwo lines", "two"),
    ]
    assert [role.line for role in found] == [14, 14, 17, 19, 22]
    assert len({role.start for role in found}) == len(found)


@pytest.mark.parametrize(
    "text",
    ["-\ta\n\tb {eq}`one`", "| a |\n|---|\n| b \\| {eq}`one` |", "# {eq}`one` #"],
)
def test_tabs_and_signs_shift_no_role(text):
    (role,) = (p for p in markdown.pieces(text) if isinstance(p, pieces.Role))
    assert text[role.start : role.stop] == "{eq}`one`"


def test_a_cell_has_options_a_caption_and_a_body():
    source = (
        "---\nkernelspec: {name: python3}\n---\nText.\n\n```{code-cell} ipython3\n---\n"
        "tags: [a]\nmystnb:\n  figure:\n    caption: >-\n      Here i and\n      $i\n"
        "      j$ and {math}`k`.\n---\n\nx = '$y$'\n```\n"
    )
    (cell, one, two, _) = markdown.of_file(source)
    assert (cell.name, cell.argument, cell.line) == ("code-cell", "ipython3", 6)
    assert cell.options["tags"] == ["a"]
    assert (cell.body, cell.body_line) == (["x = '$y$'"], 17)
    assert [(piece.line, piece.tex) for piece in (one, two)] == [(13, "i j"), (14, "k")]  # fmt: skip


def test_what_stands_around_a_display_belongs_to_it():
    source = (
        "<!-- why -->\n% comment\n$$\na\n$$ (eq-a)\n% comment\n\n*Reason:* b\nc.\n\n"
        "```{note}\n- $$d$$\n\n1. e\n   f\n2. g\n```\n\n$$h$$\n\n- no\n"
    )
    found = markdown.of_file(source)
    one, two, three = (p for p in found if isinstance(p, pieces.Display))
    assert (one.above.strip(), one.below) == ("<!-- why -->", "*Reason:* b c.")
    assert (one.label, one.line) == ("eq-a", 4)
    assert (two.above, two.below) == ("", ["e f", "g"])
    assert (three.above, three.below) == ("", "")

"""The notebooks that the pages offer: plain Markdown, and the numbers of the page."""

import re
import sys
from collections import Counter

import nbformat
import pytest
from chapters import reading, stored
from docutils import nodes
from sources import ROOT

sys.path.insert(0, str(ROOT / "book" / "extensions"))
from chapter_notebooks import DIRECTIVE, ROLE, Chapter

CHAPTERS = list(reading.with_code(ROOT))


class Known(Chapter):
    """A chapter of a book in which every cross-reference has the same text."""

    def __init__(self):
        self.listings = iter(["a = 1\n", "b = 2\n"])

    def resolve(self, role, target):
        return nodes.inline("", "(4.3)" if role == "eq" else f"{role} of {target}")

    def linked(self, match):
        return match[2] or self.text(match[1], match[4])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("(label)=\n# Title", "# Title"),
        ("See {eq}`eq-one`, {ref}`the *end* <end>`.", "See (4.3), the *end*."),
        ("by {cite}`someone`", "by cite of someone"),
        ("$$\nx = 1\n$$ (eq-one)", "$$\nx = 1\n\\tag{4.3}\n$$"),
        (
            "```{admonition} Result\n:class: important\n\n$$\nx\n$$ (eq-one)\n```\nText",
            "**Result**\n\n$$\nx\n\\tag{4.3}\n$$\nText",
        ),
        (
            "::::{note}\n```{literalinclude} a.py\n:pyobject: a\n```\n::::",
            "**Note**\n\n```python\na = 1\n```",
        ),
        (
            "```{exercise-start}\n:label: ex\n```\nDo.\n```{exercise-end}\n```",
            "### numref of ex\n\nDo.",
        ),
        (
            "```{solution-start} ex\n:class: dropdown\n```\nSo.\n```{solution-end}\n```",
            "### Solution to numref of ex\n\nSo.",
        ),
        (
            "```{list-table} A caption.\n:name: tab\n\n* - a\n  - $b$\n* -\n  - c|d\n```",
            (
                "**numref of tab.** A caption.\n\n"
                "| a | $b$ |\n| --- | --- |\n|  | c\\|d |"
            ),
        ),
        ("```python\nx = 1\n```", "```python\nx = 1\n```"),
    ],
)
def test_what_only_the_book_understands_is_written_out(source, expected):
    assert Known().markdown(source) == expected


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_notebook_agrees_with_its_page(sites, chapter):
    """Its equations, references, captions and exercises carry the numbers of the page."""
    page = (sites[0] / "book" / f"{chapter}.html").read_text(encoding="utf-8")
    assert f'href="../_sources/../notebooks/{chapter}.ipynb"' in page
    assert f'href="../_sources/book/{chapter}.md"' in page
    notebook = nbformat.read(
        sites[0] / "notebooks" / f"{chapter}.ipynb", as_version=4
    )
    nbformat.validate(notebook)
    text = "\n\n".join(
        cell.source for cell in notebook.cells if cell.cell_type == "markdown"
    )

    assert not DIRECTIVE.search(text)
    assert not ROLE.search(text)
    shown = re.findall(r'class="eqno">\(([\d.]+)\)', page)
    assert re.findall(r"\\tag\{([\d.]+)\}", text) == shown
    shown = re.findall(r'caption-number">(Fig\. [\d.]+|Table [\d.]+) ', page)
    written = re.findall(r"^\*\*(\w+\.? [\d.]+)\.\*\* ", text, re.MULTILINE)
    assert Counter(written) == Counter(shown)
    shown = re.findall(r'admonition-title">(?:<[^>]*>)*(Exercise [\d.]+)', page)
    assert re.findall(r"^### (Exercise .*)", text, re.MULTILINE) == shown
    shown = re.findall(r'href="[^"]*#equation-[^"]*">(\([\d.]+\))<', page)
    prose = re.sub(r"(?s)\$\$.*?\$\$|\$.*?\$|```.*?```|`.*?`", "", text)
    assert Counter(re.findall(r"\([\d]+\.[\d]+\)", prose)) == Counter(shown)


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_notebook_holds_the_cells_and_outputs_that_are_stored(sites, chapter):
    offered = nbformat.read(
        sites[0] / "notebooks" / f"{chapter}.ipynb", as_version=4
    )
    one, other = (
        [
            (cell.id, cell.source, cell.outputs)
            for cell in notebook.cells
            if cell.cell_type == "code"
        ]
        for notebook in (offered, stored.read(ROOT, chapter))
    )
    assert one == other

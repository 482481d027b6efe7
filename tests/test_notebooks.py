"""The notebooks that the pages offer: plain Markdown, and the numbers of the page."""

import sys

import pytest
from docutils import nodes
from sources import ROOT, with_code

sys.path.insert(0, str(ROOT / "book" / "extensions"))
from chapter_notebooks import Chapter

CHAPTERS = with_code()


class Known(Chapter):
    """A chapter of a book in which every cross-reference has the same text."""

    def __init__(self):
        self.listings = iter(["a = 1\n", "b = 2\n"])

    def resolve(self, role, target):
        return nodes.inline("", "(4.3)" if role == "eq" else f"{role} of {target}")

    def linked(self, role):
        return role.text or self.text(role.name, role.target)


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

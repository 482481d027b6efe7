"""The site as the Makefile builds it, in two places."""

import re
from collections import Counter

import nbformat
import pytest
from chapters import pieces, stored
from chapters.markdown import everything
from copies import build_command, first_difference, run_in_copies
from sources import ROOT, with_code
from test_site import unspoken

CHAPTERS = with_code()


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    """The site, built in two copies of this tree."""
    trees = run_in_copies(tmp_path_factory.mktemp("sites"), build_command())
    return [tree / "_build" / "html" for tree in trees]


@pytest.mark.slow
def test_two_builds_of_the_site_are_the_same(sites):
    assert (sites[0] / "index.html").is_file()
    assert first_difference(*sites) == ""


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_notebook_agrees_with_its_page(sites, chapter):
    """Its equations, references, captions and exercises carry the numbers of the page."""
    page = (sites[0] / "book" / f"{chapter}.html").read_text(encoding="utf-8")
    assert f'href="../_sources/../notebooks/{chapter}.ipynb"' in page
    # The source of a lab is a template, and no text.
    is_text = f'href="../_sources/book/{chapter}.md"' in page
    assert is_text == (chapter != "lab")
    notebook = nbformat.read(
        sites[0] / "notebooks" / f"{chapter}.ipynb", as_version=4
    )
    nbformat.validate(notebook)
    text = "\n\n".join(
        cell.source for cell in notebook.cells if cell.cell_type == "markdown"
    )

    of_the_book = pieces.Directive | pieces.Role | pieces.Target
    assert not [
        piece for piece in everything(text) if isinstance(piece, of_the_book)
    ]
    shown = re.findall(r'class="eqno">\(([\d.]+)\)', page)
    assert re.findall(r"\\tag\{([\d.]+)\}", text) == shown
    shown = re.findall(r'caption-number">(Fig\. [\d.]+|Table [\d.]+) ', page)
    written = re.findall(r"^\*\*(\w+\.? [\d.]+)\.\*\* ", text, re.MULTILINE)
    assert Counter(written) == Counter(shown)
    shown = re.findall(r'admonition-title">(?:<[^>]*>)*(Exercise [\d.]+)', page)
    assert re.findall(r"^### (Exercise .*)", text, re.MULTILINE) == shown
    # What a diagnosis prints is not the chapter's own text; its links go by the anchor.
    links = (
        r'<a class="reference internal" href="[^"]*#equation-[^"]*">(\([\d.]+\))<'
    )
    shown = re.findall(links, page)
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


@pytest.mark.slow
def test_each_formula_is_spoken(sites):
    pages = list((sites[0] / "book").glob("*.html"))
    assert pages
    for page in pages:
        assert unspoken(page.read_text(encoding="utf-8")) == [], page.name


@pytest.mark.slow
def test_the_lab_offers_its_versions(sites):
    html = (sites[0] / "book" / "lab.html").read_text(encoding="utf-8")
    for name in ("question", "solution"):
        for kind in ("ipynb", "pdf"):
            (link,) = re.findall(
                rf'href="\.\./(_downloads/\w+/lab-{name}\.{kind})"', html
            )
            assert (sites[0] / link).stat().st_size > 10_000
    assert "#!" not in html  # no tag is shown

"""The appendix of symbols: it is what the tables say, and misses nothing."""

import shutil

import pytest
from equations import appendix
from equations.__main__ import main
from equations.extract import parse_chapter, read_chapter
from equations.feedforward import FEEDFORWARD
from markdown_it import MarkdownIt
from sources import ROOT
from test_equations import write_book

MARKS = f"{appendix.BEGIN}\n{appendix.END}\n"
COMMAND = "python -m equations --symbols book/symbols.md"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A copy of the chapters."""
    folder = tmp_path_factory.mktemp("symbols")
    shutil.copy(ROOT / "_toc.yml", folder)
    shutil.copytree(
        ROOT / "book", folder / "book", ignore=shutil.ignore_patterns("outputs")
    )
    return folder / "book"


def is_current(file):
    """Whether the command would change nothing in it."""
    before = file.read_text(encoding="utf-8")
    assert main(["--symbols", str(file)]) == 0
    return file.read_text(encoding="utf-8") == before


def test_the_appendix_is_what_the_tables_say(book):
    assert is_current(book / "symbols.md"), f"run {COMMAND}"


def test_a_row_that_is_missing_or_changed_is_noticed(book):
    file = book / "symbols.md"
    right = changed = file.read_text(encoding="utf-8")
    for old, new in (
        ("* - $\\eta$\n  - learning rate\n  - number\n", ""),
        ("weights: from", "weights from"),
        ("$K \\times 1$", "$1 \\times K$"),
        ("* - $\\lambda$", "* - $\\mu$"),
        ("{ref}`pencil`, ", ""),
    ):
        assert old in changed
        changed = changed.replace(old, new, 1)
    file.write_text(changed, encoding="utf-8")
    assert not is_current(file)
    assert file.read_text(encoding="utf-8") == right  # so each change was undone


def tables(text, front=""):
    head = f"---\nequations: {{{front}}}\n---\n" if front else ""
    return appendix.tables([parse_chapter("some_chapter.md", f"{head}{text}\n")])


@pytest.mark.parametrize(
    ("text", "front", "says"),
    [
        (r"It is $\kappa$.", "", "some_chapter.md: nothing explains kappa"),
        (r"It is $\lfloor x \rfloor$.", "", "nothing explains lfloor, rfloor"),
        (r"It is $n_{\text{some}}$.", "", "nothing explains _some"),
        ("It is $x$.", "names: {q: a share}", "no formula has q"),
    ],
)
def test_a_letter_without_meaning_and_a_meaning_without_letter(text, front, says):
    with pytest.raises(ValueError, match=says):
        tables(text, front)


def test_each_table_is_one_for_a_reader_of_markdown(book):
    """A link in a title, say, may not hide where the table begins."""
    text = (book / "symbols.md").read_text(encoding="utf-8")
    fences = [t for t in MarkdownIt().parse(text) if t.type == "fence"]
    begun = [t for t in fences if t.info.startswith("{list-table}")]
    assert len(begun) == text.count("{list-table}")
    broken = text.replace("~~~", "```")
    assert len(MarkdownIt().parse(broken)) != len(MarkdownIt().parse(text))


def test_only_what_stands_in_a_formula_is_listed():
    found = tables(r"Of $\mathbf{x}$ and $|q|$.", "names: {q: a share}")
    assert r"$\mathbf{x}$, $x_{j}$" in found
    assert "- a share\n  - {ref}`some-chapter`" in found
    assert "absolute value" in found
    for other in (r"\mathbf{W}", r"\mathbf{t}", r"\odot \mathbf{B}", "size of"):
        assert other not in tables(r"Of $\mathbf{x}$ and $t$.")


def test_a_chapter_of_another_world_has_a_table_of_its_own():
    found = tables(r"The logits $\mathbf{a}$.", "world: softmax")
    assert ":name: tab-symbols-softmax" in found
    assert "- logits" in found
    assert ":name: tab-symbols\n" not in found
    assert r"$K \times 1$<!-- not executed" in found  # K is another in the book


def test_what_a_world_has_from_that_of_the_book_is_not_listed_again():
    found = tables(r"Of $\mathbf{p}$ and $\mathbf{y}$.", "world: classifier")
    assert "predictions of a softmax" in found
    assert "labels of a sample" not in found


def test_every_symbol_of_the_table_says_what_it_is():
    assert all(symbol.said for symbol in FEEDFORWARD.symbols)


def test_a_file_without_marks_is_refused(tmp_path, capsys):
    (file, _) = write_book(tmp_path, ("one", "Text.\n"), ("two", "$x_1$\n"))
    assert main(["--symbols", file]) == 2
    assert "one.md: expected two lines, <!--" in capsys.readouterr().err


def test_the_tables_are_written_between_the_marks(tmp_path):
    (file, _) = write_book(
        tmp_path, ("one", f"Above.\n\n{MARKS}\nBelow.\n"), ("two", "$x_1$\n")
    )
    assert main(["--symbols", file]) == 0
    written = (tmp_path / "one.md").read_text(encoding="utf-8")
    assert written.startswith(f"Above.\n\n{appendix.BEGIN}\n")
    assert written.endswith(f"{appendix.END}\n\nBelow.\n")
    assert "- inputs of a sample" in written
    assert is_current(tmp_path / "one.md")
    assert read_chapter(file).inlines

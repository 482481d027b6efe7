"""What chapters put out in two places is the same byte for byte; and a difference is seen."""

import pytest
from chapters import stored
from chapters.reading import with_code
from copies import copy_of_this_tree, first_difference
from sources import ROOT
from tiny_book import nbval


@pytest.fixture
def folders(tmp_path):
    """Two folders alike."""
    for name in "one", "other":
        (tmp_path / name / "book").mkdir(parents=True)
        (tmp_path / name / "book" / "page.html").write_bytes(b"first\nsecond\n")
        (tmp_path / name / "index.html").write_bytes(b"third\n")
    return tmp_path / "one", tmp_path / "other"


def test_equal_folders_do_not_differ(folders):
    assert first_difference(*folders) == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"first\nsecxnd\n", "book/page.html, line 2:\nb'second\\n'\nb'secxnd\\n'"),
        (b"first\nsecond\r\n", "line 2:\nb'second\\n'\nb'second\\r\\n'"),
        (b"first\nsecond", "line 2:\nb'second\\n'\nb'second'"),
        (b"first\nsecond\n\n", "line 3:\nb''\nb'\\n'"),
        (b"", "line 1:\nb'first\\n'\nb''"),
    ],
)
def test_a_changed_byte_is_a_difference(folders, content, message):
    one, other = folders
    (other / "book" / "page.html").write_bytes(content)
    assert message in first_difference(one, other)


@pytest.mark.parametrize("lacking", [0, 1])
def test_a_missing_file_is_a_difference(folders, lacking):
    (folders[lacking] / "book" / "page.html").unlink()
    message = f"book/page.html is missing in {folders[lacking]}"
    assert first_difference(*folders) == message


def test_a_difference_far_into_a_line_is_shown(folders):
    for folder, last in zip(folders, b"xy"):
        (folder / "index.html").write_bytes(b"-" * 100_000 + bytes([last]))
    assert first_difference(*folders).split("\n") == [
        "index.html, line 1:",
        repr(b"-" * 40 + b"x"),
        repr(b"-" * 40 + b"y"),
    ]


def kept(tree, environment):
    """The outputs of all chapters, executed in a tree by its tests."""
    folder = tree / "_build" / "outputs"
    two = ("--numprocesses", "2", "--dist", "loadfile")
    options = ("book/outputs", "--keep-outputs", str(folder), *two)
    status, output = nbval(tree, *options, **environment)
    assert status == 0, output
    return folder


def is_of_this_tree(folder):
    """Whether outputs are there that were put out since the tree was last changed."""
    parts = [ROOT / "conftest.py", *(ROOT / "book").rglob("*")]
    parts += (ROOT / "code").rglob("*.py")
    changed = max(path.stat().st_mtime for path in parts if path.is_file())
    files = list(folder.rglob("*.json"))
    cells = [
        cell
        for chapter in with_code(ROOT)
        for cell in stored.read(ROOT, chapter).cells
        if cell.cell_type == "code"
    ]
    return len(files) == len(cells) and all(
        file.stat().st_mtime > changed for file in files
    )


@pytest.mark.slow
def test_chapters_put_out_the_same_in_another_place(tmp_path):
    """In another folder and another time zone; here, `make test` has executed them."""
    here = ROOT / "_build" / "outputs"
    if not is_of_this_tree(here):
        here = kept(copy_of_this_tree(tmp_path / "one"), {})
    other = copy_of_this_tree(tmp_path / "a longer way" / "to another")
    there = kept(other, {"TZ": "UTC-14"})
    assert list(there.iterdir())
    assert first_difference(here, there) == ""

"""The stored chapters belong to their chapters, and each way in which they can be wrong is seen.

The second is shown on a tiny book.
"""

import base64
import json
import re
import shutil
from io import BytesIO

import nbformat
import numpy as np
import pytest
import torch
from chapters import reading as book
from chapters import stored
from chapters.store import files_of
from PIL import Image, ImageColor
from sources import ROOT
from tiny_book import (
    CHAPTER,
    CODE_CELLS,
    DRAWN,
    LINE,
    MARKERS,
    PRINT,
    STORED,
    edit,
    editing,
    nbval,
    store,
)


def test_the_stored_chapters_of_this_tree():
    assert stored.problems(ROOT) == []


def test_the_build_executes_nothing_of_this_tree():
    """All chapters are stored with the code, and the packages, of this tree."""
    notebooks = book.with_code(ROOT)
    assert [
        chapter
        for chapter, notebook in notebooks.items()
        if stored.current_digest(ROOT, chapter, notebook) is None
    ] == []


SMALL = ["pencil", "scalar", "vector", "batch", "training"]


@pytest.mark.parametrize("chapter", SMALL)
def test_a_small_explorer_is_in_the_page_only(chapter, tmp_path):
    """The notebook of a chapter is, to the byte, that of a chapter without it."""
    source = ROOT / "book" / f"{chapter}.md"
    text = source.read_text(encoding="utf-8")
    bare, count = re.subn(
        r"^````\{small-explorer\}.*?^````\n\n",
        "",
        text,
        flags=re.MULTILINE | re.DOTALL,
    )
    assert count == 1
    copy = tmp_path / source.name
    copy.write_text(bare, encoding="utf-8")
    one, other = book.notebook(source), book.notebook(copy)
    for notebook in one, other:
        for number, cell in enumerate(notebook.cells):
            cell.id = f"cell-{number}"
    assert nbformat.writes(one) == nbformat.writes(other)
    offered = stored.path(ROOT, chapter).read_text(encoding="utf-8")
    assert "small-explorer" in text and "small-explorer" not in offered


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\n\n```{gone}\nb\n```\n\nc\n", "a\n\nc\n"),
        ("````{gone} x\n```{kept}\n```\n````\n", ""),
        (":::{gone}\n:::\n\n\n# b\n", "# b\n"),
        ("```{kept}\ngone\n```\n", "```{kept}\ngone\n```\n"),
        ("```python\n{gone}\n```\n", "```python\n{gone}\n```\n"),
    ],
)
def test_what_is_left_without_a_directive(text, left):
    assert book.without("gone", text) == left


def test_a_template_that_is_not_right_is_a_problem(tree):
    chapter = tree / CHAPTER
    text = chapter.read_text(encoding="utf-8")
    chapter.write_text(f"{text}\n% #!TAG HWEND\n", encoding="utf-8")
    (found,) = stored.problems(tree)
    line = text.count("\n") + 2
    assert found.endswith(f"{CHAPTER}:{line}: HWEND without HWBEGIN")


def test_a_cell_that_cannot_be_read_is_a_problem(tree):
    edit(tree / CHAPTER, ":tags: [hide-input]", ":tags: [hide-input")
    (found,) = stored.problems(tree)
    assert re.search(
        r"drawn.md: Code cell \d+ at line \d+ could not be read", found
    )


def test_code_is_no_package():
    """With `code/__init__.py` the folder would hide the standard library's module `code`."""
    assert not (ROOT / "code" / "__init__.py").exists()


def test_torch_runs_in_one_thread():
    """The environment of the tests was set before anything imported torch."""
    assert torch.get_num_threads() == 1


# What nbval compares


@pytest.mark.slow
def test_a_stored_chapter_passes(made):
    status, output = nbval(made)
    assert status == 0, output
    assert len(re.findall(r"::Cell \d+ PASSED", output)) == CODE_CELLS
    assert f" {CODE_CELLS + 1} passed in " in output


def another_digit(tree):
    edit(tree / STORED, "0.1234", "0.1239")


def repainted(png, old, new):
    """A stored figure with one colour in place of another."""
    pixels = np.array(Image.open(BytesIO(base64.b64decode(png))).convert("RGB"))
    places = (pixels == ImageColor.getrgb(old)).all(axis=2)
    assert places.sum() > 10
    pixels[places] = ImageColor.getrgb(new)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.slow
def test_what_is_tampered_with_fails(tree):
    """A digit, a line in another colour, markers that are gone: the report names chapter
    and cell, and shows both outputs."""
    another_digit(tree)
    with editing(tree / STORED) as notebook:
        for place, colour in (LINE, "#ff7f0e"), (MARKERS, "#ffffff"):
            (data,) = (o.data for o in notebook.cells[place].outputs if "data" in o)
            old = "#1f77b4" if place == LINE else "#d62728"
            data["image/png"] = repainted(data["image/png"], old, colour)

    status, output = nbval(tree)
    assert status == pytest.ExitCode.TESTS_FAILED, output
    assert " 3 failed, 2 passed in " in output
    one, two, three = output.split(f"\n{CHAPTER}, cell ")[1:]
    assert one.startswith(
        f"{PRINT + 1}: Cell outputs differ\n    print(tinypkg.NUMBER)"
    )
    assert "stdout, stored:\n    0.1239\nstdout, now:\n    0.1234\n" in one
    pixels = r"image/png: \d+ pixels differ, the first in column \d+ of row \d+"
    for place, report in (LINE, two), (MARKERS, three):
        assert report.startswith(f"{place + 1}: Cell outputs differ")
        assert re.search(pixels, report), report


@pytest.mark.slow
def test_a_report_fits_one_screen(tree):
    """Of long outputs it shows where they differ; an error is shown whole."""
    edit(tree / CHAPTER, "print(tinypkg.NUMBER)", "print(*range(100), sep='\\n')")
    assert store(tree)[0] == 0
    edit(tree / STORED, "70\\n", "x\\n")
    edit(tree / "code/tinypkg/__init__.py", "COLOUR, MARKER", "COLOUR, M")
    status, output = nbval(tree, "book/outputs")
    assert status == pytest.ExitCode.TESTS_FAILED
    long, raises = output.split(f"\n{CHAPTER}, cell ")[1:]
    assert "stdout, stored, from line 64:\n    63\n" in long
    assert "\n    x\n" in long and "\n    70\n" in long
    assert long.count("\n") < 45
    assert raises.startswith(f"{MARKERS + 1}: Cell execution caused an exception")
    assert "AttributeError" in raises


@pytest.mark.slow
def test_a_changed_package_fails(made, tree):
    """The tree's own package runs, in cells and in tests, even where another copy of it is on the path already."""
    edit(tree / "code/tinypkg/__init__.py", "0.1234", "0.1239")
    status, output = nbval(tree, PYTHONPATH=str(made / "code"))
    assert status == pytest.ExitCode.TESTS_FAILED, output
    assert " 2 failed, 3 passed in " in output
    assert "stdout, stored:\n    0.1234\nstdout, now:\n    0.1239" in output
    assert "assert 0.1239 == 0.1234" in output


@pytest.mark.slow
def test_outputs_can_be_kept(tree):
    assert nbval(tree, "--keep-outputs", "kept")[0] == 0
    files = sorted((tree / "kept").rglob("*.*"))
    assert [file.name for file in files] == [
        "00.json",
        "01.json",
        "02.json",
        "03.json",
    ]
    (printed,) = json.loads(files[PRINT - 1].read_text())
    assert printed["text"] == "0.1234\n"
    assert "image/png" in files[LINE - 2].read_text()


# What stops a run before nbval


def unexecuted(tree):
    with editing(tree / STORED) as notebook:
        notebook.cells[PRINT].execution_count = None


def code_edited(tree):
    edit(tree / CHAPTER, "print(tinypkg.NUMBER)", "print(2 * tinypkg.NUMBER)")


def prose_edited(tree):
    edit(tree / CHAPTER, "Some prose.", "Other prose.")


def tag_edited(tree):
    edit(tree / CHAPTER, "hide-input", "hide-cell")


def cell_added(tree):
    edit(tree / CHAPTER, DRAWN, DRAWN + "\nThe end.\n")


def missing(tree):
    (tree / STORED).unlink()


def extra(tree):
    shutil.copy(tree / STORED, tree / "book/outputs/gone.ipynb")


def extra_without_code(tree):
    shutil.copy(tree / STORED, tree / "book/outputs/intro.ipynb")


def marker(tree):
    edit(tree / CHAPTER, "print(", "# NBVAL_IGNORE_OUTPUT\nprint(")
    with editing(tree / STORED) as notebook:
        notebook.cells[PRINT].source = (
            "# NBVAL_IGNORE_OUTPUT\n" + notebook.cells[PRINT].source
        )


def marker_tag(tree):
    edit(tree / CHAPTER, "hide-input", "nbval-skip")
    with editing(tree / STORED) as notebook:
        notebook.cells[LINE].metadata.tags = ["nbval-skip"]


def error_stored(tree):
    with editing(tree / STORED) as notebook:
        notebook.cells[PRINT].outputs = [
            nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])
        ]


def stderr_stored(tree):
    with editing(tree / STORED) as notebook:
        for place in PRINT, LINE:
            notebook.cells[place].outputs = [
                nbformat.v4.new_output("stream", name="stderr", text="careful")
            ]


def no_notebook(tree):
    (tree / STORED).write_text("{}", encoding="utf-8")


def chapter_lost(tree):
    (tree / CHAPTER).unlink()


# What `problems` says of each.
PROBLEMS = {
    unexecuted: f"{STORED}: cell 3: not executed; run make reference",
    code_edited: f"{STORED}: stale, cell 3 is not as in the chapter; run make reference",
    prose_edited: f"{STORED}: stale, cell 4 is not as in the chapter; run make reference",
    tag_edited: f"{STORED}: stale, cell 5 is not as in the chapter",
    cell_added: f"{STORED}: stale, cell 7 is not as in the chapter",
    missing: f"{STORED}: missing; run make reference",
    extra: "book/outputs/gone.ipynb: no chapter with code cells has this name; run make reference",
    extra_without_code: "book/outputs/intro.ipynb: no chapter with code cells has this name",
    marker: f"{STORED}: cell 3: carries a marker that changes what nbval checks",
    marker_tag: f"{STORED}: cell 5: carries a marker that changes what nbval checks",
    error_stored: f"{STORED}: cell 3: stored an error",
    stderr_stored: f"{STORED}: cell 3, cell 5: wrote to stderr",
    no_notebook: f"{STORED}: not a notebook",
    chapter_lost: f"{CHAPTER}: named in _toc.yml but missing",
}


@pytest.mark.slow
def test_a_run_of_what_is_not_executed_aborts(tree):
    aborts(tree, unexecuted)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "options"),
    [(code_edited, ["--numprocesses", "2", "--dist", "loadfile"]), (extra, [])],
)
def test_a_run_aborts(tree, spoil, options):
    aborts(tree, spoil, *options)


def aborts(tree, spoil, *options):
    spoil(tree)
    status, output = nbval(tree, *options)
    assert status == pytest.ExitCode.USAGE_ERROR, output
    assert PROBLEMS[spoil] in output
    assert STORED + "::" not in output  # no cell has run


@pytest.mark.parametrize(
    ("spoil", "message"),
    PROBLEMS.items(),
    ids=[spoil.__name__ for spoil in PROBLEMS],
)
def test_problem_is_found(tree, spoil, message):
    spoil(tree)
    problems = stored.problems(tree)
    assert len(problems) == 1
    assert problems[0].startswith(message)


def test_marker_can_be_allowed(tree, monkeypatch):
    marker(tree)
    monkeypatch.setattr(stored, "ALLOWED_MARKERS", {("drawn", PRINT + 1)})
    assert stored.problems(tree) == []


# How chapters are stored


def contents(tree):
    return {
        path.name: path.read_bytes() for path in (tree / "book/outputs").iterdir()
    }


def read_by_a_cell(tree):
    (tree / "book/data.txt").write_text("other\n")


def package_changed(tree):
    edit(tree / "code/tinypkg/__init__.py", "NUMBER", "# Why\nNUMBER")


def digest_lost(tree):
    with editing(tree / STORED) as notebook:
        del notebook.metadata["executed"]


def with_a_cell_that_reads(tree):
    (tree / "book/data.txt").write_text("some\n")
    cell = "```{code-cell} ipython3\nopen('data.txt').read()\n```\n"
    edit(tree / CHAPTER, "Some prose.", f"{cell}\nSome prose.")
    return book.with_code(tree)["drawn"]


@pytest.fixture
def reading(tree):
    """The tiny book with a cell that reads a file, stored as if it had been executed."""
    notebook = with_a_cell_that_reads(tree)
    notebook.metadata = stored.read(tree, "drawn").metadata
    executed = notebook.metadata.executed
    executed.files = sorted([*executed.files, "book/data.txt"])
    parts = executed.files, executed.packages
    executed.digest = stored.digest_of(tree, notebook, *parts)
    nbformat.write(notebook, tree / STORED)
    return tree


@pytest.mark.slow
def test_what_cells_read_and_import_is_recorded(tree):
    with_a_cell_that_reads(tree)
    assert store(tree)[0] == 0
    executed = stored.read(tree, "drawn").metadata.executed
    assert {"book/data.txt", "code/tinypkg/__init__.py"} <= set(executed.files)
    assert "matplotlib" in executed.packages
    # What the kernel imports is not the chapter's.
    assert not {"ipython", "jupyter_client", "psutil"} & set(executed.packages)
    assert not [file for file in executed.files if "chapters/" in file]


def test_what_an_installation_leaves_is_not_recorded(tree):
    left = tree / "code/book.egg-info/entry_points.txt"
    left.parent.mkdir()
    left.touch()
    found = [str(left), str(tree / CHAPTER)]
    assert files_of(tree, found) == [CHAPTER]


@pytest.mark.parametrize(
    "change", [code_edited, read_by_a_cell, package_changed, missing, digest_lost]
)
def test_a_change_is_noticed(reading, change):
    assert digest(reading)
    change(reading)
    assert digest(reading) is None


def digest(tree):
    return stored.current_digest(tree, "drawn", book.with_code(tree)["drawn"])


@pytest.mark.slow
def test_what_has_changed_is_executed_and_stored(tree):
    code_edited(tree)
    status, output = store(tree)
    assert status == 0, output
    assert "1 of 1 chapters have changed" in output
    assert "0.2468" in (tree / STORED).read_text()
    assert stored.problems(tree) == []
    assert digest(tree)


@pytest.mark.slow
def test_what_is_as_it_was_is_not_executed(tree):
    """A changed text is stored beside the old outputs."""
    another_digit(tree)
    prose_edited(tree)
    tag_edited(tree)
    status, output = store(tree)
    assert status == 0, output
    assert "0 of 1 chapters have changed" in output
    assert stored.problems(tree) == []
    assert "0.1239" in (tree / STORED).read_text()


def test_other_versions_of_packages_are_a_change(made, monkeypatch):
    assert digest(made)
    version = stored.version
    monkeypatch.setattr(stored, "version", lambda name: f"{version(name)}+cpu")
    assert digest(made)
    monkeypatch.setattr(stored, "version", lambda name: f"{version(name)}1")
    assert digest(made) is None


@pytest.mark.slow
def test_another_user_stores_the_same(made, tree, tmp_path):
    """Byte for byte, whatever settings and kernels the user has; what belongs to no chapter goes."""
    files = {
        "matplotlib/matplotlibrc": "lines.linewidth: 9\n",
        "jupyter/kernels/python3/kernel.json": '{"argv": ["nothing"], "display_name": "mine", "language": "python"}',
        "ipython/profile_default/ipython_kernel_config.py": 'c.InlineBackend.figure_formats = {"retina"}\n',
        "startup.py": "print = None\n",
    }
    for file, text in files.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    extra(tree)
    missing(tree)
    status, output = store(
        tree,
        MPLCONFIGDIR=str(tmp_path / "matplotlib"),
        MPLBACKEND="agg",
        JUPYTER_DATA_DIR=str(tmp_path / "jupyter"),
        JUPYTER_PATH=str(tmp_path / "jupyter"),
        JUPYTER_PREFER_ENV_PATH="0",
        IPYTHONDIR=str(tmp_path / "ipython"),
        PYTHONSTARTUP=str(tmp_path / "startup.py"),
    )
    assert status == 0, output
    assert contents(tree) == contents(made)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "print(",
            "1 / 0\nprint(",
            [
                "drawn: code cell 2: cell raises ZeroDivisionError",
                "print(tinypkg.NUMBER)",
            ],
        ),
        ("hide-input", "raises-exception", ["drawn: cell 5: carries a marker"]),
    ],
    ids=["error", "marker"],
)
def test_of_a_bad_chapter_nothing_is_stored(made, tree, old, new, said):
    edit(tree / CHAPTER, old, new)
    status, output = store(tree)
    assert status == 1, output
    assert all(words in output for words in said), output
    assert contents(tree) == contents(made)

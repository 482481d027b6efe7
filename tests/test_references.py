"""The references belong to their chapters, and each way in which they can be wrong is seen.

The second is shown on a tiny book: a tree of its own with this tree's conftest, helper and script.
"""

import base64
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from io import BytesIO

import nbformat
import pytest
import references
import torch
from PIL import Image, ImageDraw
from references import ROOT, Figure

COPIED = [
    "pyproject.toml",
    "tests/conftest.py",
    "tests/references.py",
    "tests/make_reference.py",
]

TOC = """\
format: jb-book
root: book/intro
parts:
- caption: One
  chapters:
  - file: book/drawn
"""

# A block of code in prose is no code cell.
INTRO = """\
# No code cells

```python
number = 1
```
"""

DRAWN = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# Code cells

```{code-cell} ipython3
import matplotlib.pyplot as plt
import tinypkg
```

```{code-cell} ipython3
print(tinypkg.NUMBER)
```

Some prose.

```{code-cell} ipython3
:tags: [hide-input]
plt.plot([0, 1], [0, 1], color=tinypkg.COLOUR)
plt.show()
```

```{code-cell} ipython3
plt.contourf([[0, 1], [2, 3]], cmap=tinypkg.CMAP)
plt.show()
```
"""
CODE_CELLS = 4
# The places of three of them in the notebook, from 0.
PRINT, LINE, CONTOUR = 2, 4, 5

PACKAGE = 'NUMBER, COLOUR, CMAP = 0.1234, "C0", "viridis"\n'

# An ordinary test beside the reference.
TEST = """\
import tinypkg


def test_number():
    assert tinypkg.NUMBER == 0.1234
"""

CHAPTER = "book/drawn.md"
REFERENCE = "tests/reference/drawn.ipynb"


def run(tree, *arguments, **environment):
    """Run Python in a tree; its exit status and all that it printed."""
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return result.returncode, result.stdout


def make_reference(tree, **environment):
    return run(tree, "tests/make_reference.py", **environment)


def nbval(tree, *options, **environment):
    command = ["-m", "pytest", "--nbval", "-v", "--color=no", *options]
    return run(tree, *command, **environment)


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@contextmanager
def editing(path):
    """A notebook to change in place."""
    notebook = nbformat.read(path, as_version=4)
    yield notebook
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The tiny book with its reference; tests that change it take `tree`."""
    root = tmp_path_factory.mktemp("made")
    texts = {"_toc.yml": TOC, "book/intro.md": INTRO, CHAPTER: DRAWN}
    texts |= {"code/tinypkg/__init__.py": PACKAGE, "tests/test_tinypkg.py": TEST}
    texts |= {name: (ROOT / name).read_text(encoding="utf-8") for name in COPIED}
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    status, output = make_reference(root)
    assert status == 0, output
    return root


@pytest.fixture
def tree(made, tmp_path):
    """A copy of the tiny book, without the bytecode of its package."""
    return shutil.copytree(
        made, tmp_path / "tree", ignore=shutil.ignore_patterns("__pycache__")
    )


def test_references_of_this_tree():
    assert references.problems(ROOT) == []


def test_a_template_that_is_not_right_is_a_problem(tree):
    chapter = tree / CHAPTER
    text = chapter.read_text(encoding="utf-8")
    chapter.write_text(f"{text}\n% #!TAG HWEND\n", encoding="utf-8")
    (found,) = references.problems(tree)
    line = text.count("\n") + 2
    assert found.endswith(f"{CHAPTER}:{line}: HWEND without HWBEGIN in this cell")


def test_code_is_no_package():
    """With `code/__init__.py` the folder would hide the standard library's module `code`."""
    assert not (ROOT / "code" / "__init__.py").exists()


def test_torch_runs_in_one_thread():
    """The environment of the tests was set before anything imported torch."""
    assert torch.get_num_threads() == 1


# What nbval compares


def test_reference_passes(made):
    status, output = nbval(made)
    assert status == 0, output
    assert len(re.findall(r"::Cell \d+ PASSED", output)) == CODE_CELLS
    assert f" {CODE_CELLS + 1} passed in " in output


def test_changed_outputs_fail(tree):
    """A number off by one digit, a line of another colour, another colour map: stored as they would be drawn."""
    other = shutil.copytree(tree, tree.with_name("other"))
    edit(
        other / "code/tinypkg/__init__.py",
        PACKAGE,
        'NUMBER, COLOUR, CMAP = 0.1235, "C1", "plasma"\n',
    )
    status, output = make_reference(other)
    assert status == 0, output
    changed = nbformat.read(other / REFERENCE, as_version=4)
    with editing(tree / REFERENCE) as notebook:
        for place in PRINT, LINE, CONTOUR:
            assert notebook.cells[place].outputs != changed.cells[place].outputs
            notebook.cells[place].outputs = changed.cells[place].outputs

    status, output = nbval(tree)
    assert status == pytest.ExitCode.TESTS_FAILED, output
    assert " 3 failed, 2 passed in " in output
    failures = output.split("Notebook cell execution failed")
    assert "'0.1235\\n' == '0.1234\\n'" in failures[1]
    for failure in failures[2:4]:
        assert "mismatch 'image/png'" in failure
        assert "pixels differ" in failure


def test_changed_package_fails(made, tree):
    """The tree's own package runs, in cells and in tests, even where another copy of it is on the path already."""
    edit(tree / "code/tinypkg/__init__.py", "0.1234", "0.1235")
    status, output = nbval(tree, PYTHONPATH=str(made / "code"))
    assert status == pytest.ExitCode.TESTS_FAILED, output
    assert " 2 failed, 3 passed in " in output
    assert "'0.1234\\n' == '0.1235\\n'" in output
    assert "assert 0.1235 == 0.1234" in output


# What another processor rounds differently

# Without the vector instructions of newer processors, torch and MKL round differently.
OTHER_PROCESSOR = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}
ROUNDED = (
    "import torch\n\nNUMBER = torch.linspace(-3, 3, 1000).tanh().sum().item().hex()"
)


@pytest.fixture(scope="module")
def other_processor(tmp_path_factory):
    """The environment of another processor, if this one does not round as it does."""
    folder, numbers = tmp_path_factory.mktemp("rounded"), set()
    for environment in ({}, OTHER_PROCESSOR):
        status, output = run(
            folder, "-c", f"{ROUNDED}\nprint(NUMBER)", **environment
        )
        assert status == 0, output
        numbers.add(output)
    if len(numbers) == 1:
        pytest.skip("this processor rounds in the same way")
    return OTHER_PROCESSOR


@pytest.mark.slow
def test_references_hold_on_another_processor(other_processor):
    two = ("--numprocesses", "2", "--dist", "loadfile")
    status, output = nbval(ROOT, "tests/reference", *two, **other_processor)
    assert status == 0, output


@pytest.mark.slow
def test_what_another_processor_rounds_differently_fails(tree, other_processor):
    edit(tree / "code/tinypkg/__init__.py", "NUMBER, ", f"{ROUNDED}\n")
    edit(tree / "code/tinypkg/__init__.py", "0.1234, ", "")
    status, output = make_reference(tree)
    assert status == 0, output
    status, output = nbval(tree, "tests/reference")
    assert status == 0, output
    status, output = nbval(tree, "tests/reference", **other_processor)
    assert status == pytest.ExitCode.TESTS_FAILED, output
    assert " 1 failed, 3 passed in " in output
    assert "mismatch 'stdout'" in output


# What stops a run before nbval


def unexecuted(tree):
    with editing(tree / REFERENCE) as notebook:
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
    (tree / REFERENCE).unlink()


def extra(tree):
    shutil.copy(tree / REFERENCE, tree / "tests/reference/gone.ipynb")


def extra_without_code(tree):
    shutil.copy(tree / REFERENCE, tree / "tests/reference/intro.ipynb")


def marker(tree):
    edit(tree / CHAPTER, "print(", "# NBVAL_IGNORE_OUTPUT\nprint(")
    with editing(tree / REFERENCE) as notebook:
        notebook.cells[PRINT].source = (
            "# NBVAL_IGNORE_OUTPUT\n" + notebook.cells[PRINT].source
        )


def marker_tag(tree):
    edit(tree / CHAPTER, "hide-input", "nbval-skip")
    with editing(tree / REFERENCE) as notebook:
        notebook.cells[LINE].metadata.tags = ["nbval-skip"]


def error_stored(tree):
    with editing(tree / REFERENCE) as notebook:
        notebook.cells[PRINT].outputs = [
            nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])
        ]


def stderr_stored(tree):
    with editing(tree / REFERENCE) as notebook:
        for place in PRINT, LINE:
            notebook.cells[place].outputs = [
                nbformat.v4.new_output("stream", name="stderr", text="careful")
            ]


def no_notebook(tree):
    (tree / REFERENCE).write_text("{}", encoding="utf-8")


def chapter_lost(tree):
    (tree / CHAPTER).unlink()


# What `problems` says of each.
PROBLEMS = {
    unexecuted: f"{REFERENCE}: cell 3: not executed; run make reference",
    code_edited: f"{REFERENCE}: stale, cell 3 is not as in the chapter; run make reference",
    prose_edited: f"{REFERENCE}: stale, cell 4 is not as in the chapter; run make reference",
    tag_edited: f"{REFERENCE}: stale, cell 5 is not as in the chapter",
    cell_added: f"{REFERENCE}: stale, cell 7 is not as in the chapter",
    missing: f"{REFERENCE}: missing; run make reference",
    extra: "tests/reference/gone.ipynb: no chapter with code cells has this name; run make reference",
    extra_without_code: "tests/reference/intro.ipynb: no chapter with code cells has this name",
    marker: f"{REFERENCE}: cell 3: carries a marker that changes what nbval checks",
    marker_tag: f"{REFERENCE}: cell 5: carries a marker that changes what nbval checks",
    error_stored: f"{REFERENCE}: cell 3: stored an error",
    stderr_stored: f"{REFERENCE}: cell 3, cell 5: wrote to stderr",
    no_notebook: f"{REFERENCE}: not a notebook",
    chapter_lost: f"{CHAPTER}: named in _toc.yml but missing",
}


@pytest.mark.parametrize(
    ("spoil", "options"),
    [
        (unexecuted, []),
        (code_edited, ["--numprocesses", "2", "--dist", "loadfile"]),
        (extra, []),
    ],
)
def test_run_aborts(tree, spoil, options):
    spoil(tree)
    status, output = nbval(tree, *options)
    assert status == pytest.ExitCode.USAGE_ERROR, output
    assert PROBLEMS[spoil] in output
    assert REFERENCE + "::" not in output  # no cell has run


@pytest.mark.parametrize(
    ("spoil", "message"),
    PROBLEMS.items(),
    ids=[spoil.__name__ for spoil in PROBLEMS],
)
def test_problem_is_found(tree, spoil, message):
    spoil(tree)
    problems = references.problems(tree)
    assert len(problems) == 1
    assert problems[0].startswith(message)


def test_marker_can_be_allowed(tree, monkeypatch):
    marker(tree)
    monkeypatch.setattr(references, "ALLOWED_MARKERS", {("drawn", PRINT + 1)})
    assert references.problems(tree) == []


# How references are made


def contents(tree):
    return {
        path.name: path.read_bytes()
        for path in (tree / "tests/reference").iterdir()
    }


def test_another_user_makes_the_same_reference(made, tree, tmp_path):
    """Byte for byte, whatever settings and kernels the user has; a reference without a chapter goes."""
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
    status, output = make_reference(
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


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "print(",
            "1 / 0\nprint(",
            ["drawn: cell 3 failed", "print(tinypkg.NUMBER)", "ZeroDivisionError"],
        ),
        ("hide-input", "raises-exception", ["drawn: cell 5: carries a marker"]),
    ],
    ids=["error", "marker"],
)
def test_bad_chapter_changes_no_reference(made, tree, old, new, said):
    edit(tree / CHAPTER, old, new)
    status, output = make_reference(tree)
    assert status == 1, output
    assert all(words in output for words in said), output
    assert contents(tree) == contents(made)


# When figures are equal


def png(colour="navy", size=(640, 480), spots=0, level=255):
    """A thin line on white as base64 PNG, with some black pixels in the first row and another level of blue there."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).line([(20, 460), (620, 20)], fill=colour)
    for x in range(size[0]):
        image.putpixel((x, 0), (0, 0, 0) if x < spots else (255, 255, level))
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


# 0.01 % of 640 x 480 pixels are 30.
@pytest.mark.parametrize(
    "other", [{}, {"spots": 1}, {"spots": 30}, {"level": 255 - 26}], ids=str
)
def test_equal_figures(other):
    figure, other = Figure(png()), Figure(png(**other))
    assert (figure == other, figure != other) == (True, False)


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ({"spots": 31}, "31 of 307200 pixels differ"),
        ({"level": 255 - 27}, "640 of 307200 pixels differ"),
        ({"colour": "darkgreen"}, "601 of 307200 pixels differ"),
        (
            {"size": (640, 481)},
            "a figure of 640 x 480 pixels and a figure of 640 x 481 pixels",
        ),
    ],
    ids=str,
)
def test_unequal_figures(other, difference):
    figure, other = Figure(png()), Figure(png(**other))
    assert (figure == other, figure != other) == (False, True)
    assert figure.difference(other) == difference

"""The build shows stored outputs where they fit, and executes the other chapters."""

import shutil
import sysconfig
from pathlib import Path

import jupytext
import pytest
from chapters.cache import fill
from jupyter_cache import get_cache
from sources import ROOT
from tiny_book import CHAPTER, STORED, edit, run


def is_cached(tree):
    """Whether Jupyter Book finds the chapter in its cache."""
    try:
        notebook = jupytext.read(tree / CHAPTER, fmt="md:myst")
        get_cache(tree / "_build/.jupyter_cache").match_cache_notebook(notebook)
    except KeyError:
        return False
    return True


def cell_changed(tree):
    edit(tree / CHAPTER, "print(", "print(2 * ")


def package_changed(tree):
    edit(tree / "code/tinypkg/__init__.py", "0.1234", "0.1239")


def not_stored(tree):
    (tree / STORED).unlink()


@pytest.mark.parametrize("change", [cell_changed, package_changed, not_stored])
def test_what_has_changed_is_left_to_the_build(tree, change):
    assert fill(tree) == []
    assert is_cached(tree)
    change(tree)
    assert fill(tree) == ["drawn"]
    assert not is_cached(tree)


def test_changed_prose_changes_no_output(tree):
    edit(tree / CHAPTER, "Some prose.", "Other prose.")
    assert fill(tree) == []
    assert is_cached(tree)


def test_what_the_build_has_executed_is_kept_until_something_changes(tree):
    cell_changed(tree)
    fill(tree)
    executed = tree / "_build/.jupyter_cache/executed"
    executed.parent.mkdir(exist_ok=True)
    executed.touch()
    assert fill(tree) == ["drawn"]
    assert executed.exists()
    # The chapter may by now read what it did not when it was stored.
    (tree / "code/tinypkg/other.py").write_text("")
    assert fill(tree) == ["drawn"]
    assert not executed.exists()


CONFIG = """\
title: Tiny
only_build_toc_files: true
execute:
  execute_notebooks: cache
sphinx:
  local_extensions:
    cell_environment: book/extensions
"""


@pytest.mark.slow
def test_the_build_executes_what_has_changed_and_nothing_else(tree):
    (tree / "_config.yml").write_text(CONFIG)
    extension = "book/extensions/cell_environment.py"
    (tree / extension).parent.mkdir()
    shutil.copy(ROOT / extension, tree / extension)
    script = str(Path(sysconfig.get_path("scripts"), "jupyter-book"))

    def built(chapters):
        shutil.rmtree(tree / "_build/html", ignore_errors=True)
        shutil.rmtree(tree / "_build/.doctrees", ignore_errors=True)
        assert fill(tree) == chapters
        code = str(tree / "code")
        options = ("-W", "-n", "--keep-going")
        status, output = run(tree, script, "build", ".", *options, PYTHONPATH=code)
        assert status == 0, output
        page = (tree / "_build/html/book/drawn.html").read_text(encoding="utf-8")
        return "Executing notebook" in output, "0.1239" in page

    edit(tree / STORED, "0.1234", "0.1239")
    assert built([]) == (False, True)
    cell_changed(tree)
    assert built(["drawn"]) == (True, False)
    assert built(["drawn"]) == (False, False)

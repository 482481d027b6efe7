"""What the tests of several files need."""

import shutil

import pytest
import tiny_book
from copies import run_in_copies, site_commands


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The tiny book, stored; tests that change it take `tree`."""
    root = tmp_path_factory.mktemp("made")
    tiny_book.write(root)
    status, output = tiny_book.store(root)
    assert status == 0, output
    return root


@pytest.fixture
def tree(made, tmp_path):
    """A copy of the tiny book."""
    return shutil.copytree(made, tmp_path / "tree", ignore=tiny_book.MADE)


@pytest.fixture(scope="session")
def sites(tmp_path_factory):
    """The site, built in two copies of this tree; for slow tests."""
    trees = run_in_copies(tmp_path_factory.mktemp("sites"), *site_commands())
    return [tree / "_build" / "html" for tree in trees]

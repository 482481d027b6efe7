"""What the tests of several files need."""

import shutil

import pytest
import tiny_book


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

"""Tests run this tree in the environment of cells; nbval compares the stored chapters
with what their cells put out now.

Here and not below `tests`, because pytest applies hooks of collection to the folders
below their file, and the stored chapters lie in `book/outputs`.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# A copy of the tree tests itself, whatever tree is installed.
sys.path.insert(0, str(ROOT / "code"))

import matplotlib
import nbval.plugin
import pytest
from chapters import environment, stored
from chapters.comparison import Figure, Text, as_compared
from nbval.plugin import IPyNbCell, IPyNbFile


def pytest_addoption(parser):
    parser.addoption(
        "--noise",
        type=int,
        metavar="SEED",
        help="run the chapters with rounding at random, from this seed",
    )


def pytest_configure(config):
    """Before anything imports torch, which then reads the number of threads."""
    seed = config.option.noise
    start = [] if seed is None else [f"__import__('chapters.noise').noise.start({seed})"]
    environment.enter(ROOT, start)
    matplotlib.use("agg")  # tests that draw open no window
    nbval.plugin.RunningKernel = in_book


def in_book(kernel_name, cwd, **options):
    """A kernel that works in the folder in which a reader opens the chapters."""
    return RUNNING_KERNEL(kernel_name, cwd=str(Path(cwd).parent), **options)


RUNNING_KERNEL = nbval.plugin.RunningKernel


def pytest_sessionstart(session):
    """Before nbval runs anything, stop at stored chapters from which its verdict would
    mean nothing."""
    # Processes of pytest-xdist are started by a session that has looked.
    is_worker = hasattr(session.config, "workerinput")
    if session.config.option.nbval and not is_worker:
        problems = stored.problems(ROOT)
        if problems:
            pytest.exit(
                "\n".join(["the stored chapters cannot be tested:", *problems, ""]),
                pytest.ExitCode.USAGE_ERROR,
            )
        import matplotlib.font_manager  # noqa: F401  (made in a kernel, its cache may announce itself in a cell)


def pytest_collectstart(collector):
    """Compare pictures, which nbval skips."""
    if isinstance(collector, IPyNbFile):
        collector.skip_compare = tuple(
            key for key in collector.skip_compare if not key.startswith("image/")
        )


def pytest_itemcollected(item):
    """Compare to rounding; `sanitize` is what nbval does to both sides."""
    if isinstance(item, IPyNbCell):
        item.sanitize = as_compared


def pytest_assertrepr_compare(left, right):
    """Say how outputs differ."""
    if isinstance(left, Figure) and isinstance(right, Figure):
        return [left.difference(right)]

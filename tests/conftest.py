"""Tests run this tree, in a fixed environment; the references are checked before nbval runs them."""

import sys

import matplotlib
import pytest
import references
from nbval.plugin import IPyNbCell, IPyNbFile
from references import ROOT, Figure

# Here and not in a fixture: the number of threads is read when torch is imported.
references.set_environment(ROOT)
sys.path.insert(0, str(ROOT / "code"))
matplotlib.use("agg")  # tests that draw open no window


def pytest_sessionstart(session):
    """Before nbval runs anything, stop at references from which its verdict would mean nothing."""
    # Processes of pytest-xdist are started by a session that has looked.
    is_worker = hasattr(session.config, "workerinput")
    if session.config.option.nbval and not is_worker:
        problems = references.problems(ROOT)
        if problems:
            pytest.exit(
                "\n".join(["the references cannot be tested:", *problems, ""]),
                pytest.ExitCode.USAGE_ERROR,
            )
        import matplotlib.font_manager  # noqa: F401  (the font cache, made in a kernel, may announce itself in a cell)


def pytest_collectstart(collector):
    """Compare pictures, which nbval skips."""
    if isinstance(collector, IPyNbFile):
        collector.skip_compare = tuple(
            key for key in collector.skip_compare if not key.startswith("image/")
        )


def pytest_itemcollected(item):
    """Compare PNG outputs as figures; `sanitize` is what nbval does to both sides of a comparison."""
    if isinstance(item, IPyNbCell):
        sanitize = item.sanitize
        item.sanitize = lambda output: (
            Figure(output) if Figure.is_png(output) else sanitize(output)
        )


def pytest_assertrepr_compare(left, right):
    """Say how figures differ."""
    if isinstance(left, Figure) and isinstance(right, Figure):
        return [left.difference(right)]


@pytest.fixture(scope="session")
def sites(tmp_path_factory):
    """The site, built in two copies of this tree; for slow tests."""
    # Imported here, because the tiny book of test_references.py has this file without the other.
    from copies import run_in_copies, site_commands

    trees = run_in_copies(tmp_path_factory.mktemp("sites"), *site_commands())
    return [tree / "_build" / "html" for tree in trees]

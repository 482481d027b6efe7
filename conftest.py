"""Tests run this tree in the environment of cells; nbval compares the stored chapters
with what their cells put out now.

Here and not in `tests`, because pytest applies hooks of collection to what lies below
the folder of their file, and the stored chapters are in `book/outputs`.
"""

import gc
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# A copy of the tree tests itself, whatever tree is installed.
sys.path.insert(0, str(ROOT / "code"))

import matplotlib
import nbval.plugin
import pytest
from chapters import environment, stored
from chapters.comparison import Figure, as_compared
from chapters.execution import SECONDS_PER_CELL
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError, RunningKernel

LINES_SHOWN = (
    15  # of a source or an output in a report, so that all fits one screen
)
# With several processes, what takes longest begins first, and the others fill the end.
LONGEST = ["experiments", "training", "test_equations", "mistakes", "test_labs"]


def pytest_addoption(parser):
    group = parser.getgroup("chapters")
    group.addoption(
        "--noise",
        type=int,
        metavar="SEED",
        help="round at random in the kernels that run the chapters",
    )
    group.addoption(
        "--keep-outputs",
        metavar="DIR",
        help="write what each cell of a chapter puts out to a file below DIR",
    )


def pytest_configure(config):
    """Before anything imports torch, which then reads the number of threads."""
    seed = config.option.noise
    start = f"__import__('chapters.noise').noise.start({seed})"
    environment.enter(ROOT, [] if seed is None else [start])
    matplotlib.use("agg")  # tests that draw open no window
    config.option.nbval_cell_timeout = SECONDS_PER_CELL
    nbval.plugin.RunningKernel = kernel_in_book


def kernel_in_book(kernel_name, cwd, **options):
    """A kernel that works where a reader opens the chapters, one folder up."""
    return RunningKernel(kernel_name, cwd=str(Path(cwd).parent), **options)


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
        import matplotlib.font_manager  # noqa: F401  (the font cache, made in a kernel, may announce itself in a cell)


def pytest_collectstart(collector):
    """Compare pictures, which nbval skips."""
    if isinstance(collector, IPyNbFile):
        collector.skip_compare = tuple(
            key for key in collector.skip_compare if not key.startswith("image/")
        )


def pytest_collection_modifyitems(items):
    def place(item):
        name = item.path.stem
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=place)


def pytest_collection_finish():
    """Whatever there is by now stays: no search for garbage is to look at it again."""
    gc.collect()
    gc.freeze()


def pytest_itemcollected(item):
    """Compare to rounding (`sanitize` is what nbval does to both sides), and say in one
    screen what differs."""
    if isinstance(item, IPyNbCell):
        item.sanitize = as_compared
        item.colors = nbval.plugin.nocolors
        item.format_output_compare = lambda *found: (
            item.comparison_traceback.extend(difference(*found))
        )
        usual = item.repr_failure
        item.repr_failure = lambda failure: (
            report(item, failure.value) or usual(failure)
        )


def difference(kind, old, new):
    """Lines that show a stored output and the one that differs from it."""
    if isinstance(old, Figure) and isinstance(new, Figure):
        yield f"{kind}: {old.difference(new)}"
        return
    lines, others = str(old).splitlines(), str(new).splitlines()
    same = next((n for n, (a, b) in enumerate(zip(lines, others)) if a != b), 0)
    start = max(0, same - LINES_SHOWN // 2)
    for title, part in (("stored", lines), ("now", others)):
        yield f"{kind}, {title}{f', from line {start + 1}' if start else ''}:"
        yield from (f"    {line}" for line in part[start : start + LINES_SHOWN])


def report(item, error):
    """What is wrong with a cell of a chapter; nothing if that is not known."""
    if not isinstance(error, NbCellError):
        return ""
    codes = [
        n for n, c in enumerate(item.parent.nb.cells, 1) if c.cell_type == "code"
    ]
    source = item.cell.source.splitlines()
    if len(source) > LINES_SHOWN:
        source = [*source[:LINES_SHOWN], "…"]
    return "\n".join(
        [
            f"book/{item.path.stem}.md, cell {codes[item.cell_num]}: {error}",
            *(f"    {line}" for line in source),
            error.inner_traceback or "",
        ]
    )


def pytest_runtest_teardown(item):
    """Keep what a cell has put out, if that is asked for."""
    folder = item.config.option.keep_outputs
    if folder and isinstance(item, IPyNbCell):
        file = Path(folder, item.path.stem) / f"{item.cell_num:02}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(item.test_outputs, indent=1, sort_keys=True)
        file.write_text(text, encoding="utf-8")

"""All cells run in one environment, however they are run."""

import ast
import html
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import nbformat
import pytest
from chapters import stored
from sources import ROOT
from tiny_book import CHAPTER, FRONT, MADE, edit, nbval, run, store

# A cell that tells of its environment.
PROBE = """\
import ctypes, os, time
import matplotlib, torch
from pathlib import Path

library = Path(torch.__path__[0], "lib", "libtorch_cpu.so")
branch = getattr(ctypes.CDLL(library), "mkl_serv_cbwr_get", None)
found = dict(
    threads=torch.get_num_threads(),
    hash=hash("a"),
    zone=time.tzname[0],
    date=os.environ["SOURCE_DATE_EPOCH"],
    line=matplotlib.rcParams["lines.linewidth"],
    mine=globals().get("mine"),
    kernels=torch.backends.cpu.get_cpu_capability(),
    mkl=branch and branch(1),
    folder=Path.cwd().name,
)
"""
CONFIG = """\
title: Probe
only_build_toc_files: true
execute:
  execute_notebooks: cache
  raise_on_error: true
sphinx:
  local_extensions:
    cell_environment: book/extensions
"""
TEMPLATE = "#!TAG HWBEGIN\n1\n#!TAG HWEND\n"


@pytest.fixture(scope="module")
def tree(tmp_path_factory, made):
    """The tiny book with a chapter that tells of its environment, not yet stored; a lab,
    and a submission, that do."""
    root = shutil.copytree(
        made, tmp_path_factory.mktemp("environment") / "tree", ignore=MADE
    )
    cell = "```{{code-cell}} ipython3\n{}```\n".format
    text = f"{FRONT}\n# Probe\n\n" + cell(f"{PROBE}print(found)\n")
    (root / CHAPTER).write_text(text, encoding="utf-8")
    lab = f"{text}\n{cell(TEMPLATE)}"
    (root / "lab-template.md").write_text(lab, encoding="utf-8")
    check = nbformat.v4.new_code_cell(f"{PROBE}raise ValueError(found)")
    check.metadata.tags = ["check"]
    nbformat.write(
        nbformat.v4.new_notebook(cells=[check]), root / "submission.ipynb"
    )
    (root / "_config.yml").write_text(CONFIG, encoding="utf-8")
    extensions = root / "book" / "extensions"
    extensions.mkdir()
    shutil.copy(ROOT / "book" / "extensions" / "cell_environment.py", extensions)
    return root


def by_storing(tree, **outside):
    (tree / "book/outputs/drawn.ipynb").unlink(missing_ok=True)
    status, output = store(tree, **outside)
    assert status == 0, output
    return str(stored.read(tree, "drawn").cells[-1].outputs)


def by_the_tests(tree, **outside):
    by_storing(tree, **outside)
    options = ("book/outputs", "--keep-outputs", "kept")
    status, output = nbval(tree, *options, **outside)
    assert status == 0, output
    return (tree / "kept/drawn/00.json").read_text(encoding="utf-8")


def by_the_build(tree, **outside):
    shutil.rmtree(tree / "_build", ignore_errors=True)
    (tree / "book/outputs/drawn.ipynb").unlink(missing_ok=True)  # else it is shown
    script = str(Path(sysconfig.get_path("scripts"), "jupyter-book"))
    code = str(tree / "code")
    status, output = run(tree, script, "build", ".", PYTHONPATH=code, **outside)
    assert status == 0, output
    page = (tree / "_build/html/book/drawn.html").read_text(encoding="utf-8")
    return html.unescape(re.sub("<[^>]*>", "", page))


def labs(tree, *words, **outside):
    code = str(tree / "code")
    status, output = run(tree, "-m", "labs", *words, PYTHONPATH=code, **outside)
    assert status == 0, output


def by_making_a_lab(tree, **outside):
    labs(tree, "make", "lab-template.md", "--out", "out", "--no-pdf", **outside)
    return (tree / "out/lab-question.ipynb").read_text(encoding="utf-8")


def by_grading(tree, **outside):
    words = "submission.ipynb", "--question", "submission.ipynb", "--unsafe"
    labs(tree, "grade", *words, "--out", "graded", **outside)
    return (tree / "graded/exercises.csv").read_text(encoding="utf-8")


def by_changing_the_package(tree, **outside):
    """As the tests see it that judge changes of the package."""
    root, found = tree / "changed", tree / "found"
    texts = {"code/backprop/__init__.py": "X = 1\n"}
    harmless = "# Unused.\n__init__.py \n- X = 1\n+ X = 2\n"
    texts["tests/harmless_mutants.txt"] = harmless
    texts["tests/test_it.py"] = (
        f"{PROBE}\n\ndef test_it():\n    Path({str(found)!r}).write_text(str(found))\n"
    )
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    script = str(ROOT / "tests" / "mutants.py")
    code = str(tree / "code")
    words = (script, str(root), "tests/test_it.py")
    output = run(tree, *words, PYTHONPATH=code, **outside)[1]
    assert "mutants killed / total: 0 / 3" in output
    return found.read_text(encoding="utf-8")


def told(text):
    """What a cell has told."""
    return ast.literal_eval(re.findall(r"{'threads.*?}", text)[-1])


WAYS = [
    by_storing,
    by_the_tests,
    by_the_build,
    by_making_a_lab,
    by_grading,
    by_changing_the_package,
]

# What a user has set, for other work.
OUTSIDE = {
    "OMP_NUM_THREADS": "3",
    "PYTHONHASHSEED": "7",
    "TZ": "EST+5",
    "SOURCE_DATE_EPOCH": "99",
    "MATPLOTLIBRC": "user.rc",
    "IPYTHONDIR": "user",
    "MPLBACKEND": "agg",
}
# As these are set by the one definition.
EXPECTED = {"threads": 1, "zone": "UTC", "date": "0", "line": 1.5, "mine": None}


def settings_of_a_user(tree):
    (tree / "user.rc").write_text("lines.linewidth: 9\n")
    file = tree / "user/profile_default/ipython_kernel_config.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("c.InteractiveShellApp.exec_lines = ['mine = 1']\n")
    return OUTSIDE | {
        "MATPLOTLIBRC": str(tree / "user.rc"),
        "IPYTHONDIR": str(tree / "user"),
    }


def hash_with(seed):
    command = [sys.executable, "-c", "print(hash('a'))"]
    return int(subprocess.check_output(command, env={"PYTHONHASHSEED": seed}))


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_cell_sees_the_one_environment(tree, way):
    """None of the settings of a user; in the folder in which a reader runs a chapter."""
    found = told(way(tree, **settings_of_a_user(tree)))
    assert found.items() >= EXPECTED.items()
    if way is not by_changing_the_package:  # whose process has begun before
        assert found["hash"] == hash_with("0")
    if way in (by_storing, by_the_tests, by_the_build):
        assert found["folder"] == "book"


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_each_setting_takes_effect(tree, tmp_path, way):
    """Other values in the one definition, and in a cell they are seen."""
    tree = shutil.copytree(tree, tmp_path / "tree", ignore=MADE)
    (tree / "other.rc").write_text("lines.linewidth: 7\n")
    definition = tree / "code/chapters/environment.py"
    edit(definition, '"OMP_NUM_THREADS": "1"', '"OMP_NUM_THREADS": "2"')
    edit(definition, '"PYTHONHASHSEED": "0"', '"PYTHONHASHSEED": "5"')
    edit(definition, '"TZ": "UTC"', '"TZ": "CET-1"')
    edit(definition, '"SOURCE_DATE_EPOCH": "0"', '"SOURCE_DATE_EPOCH": "4"')
    edit(definition, "os.devnull", repr(str(tree / "other.rc")))
    found = told(way(tree))
    if way is not by_changing_the_package:
        assert found["hash"] == hash_with("5")
    other = {"threads": 2, "zone": "CET", "date": "4", "line": 7.0}
    assert found.items() >= other.items()


@pytest.mark.slow
@pytest.mark.parametrize("way", [by_storing, by_the_tests, by_the_build])
def test_how_kernels_round_is_left_to_the_user(tree, way):
    plainest = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}
    plain = told(way(tree, **plainest))
    assert plain["kernels"] in ("DEFAULT", "NO AVX")
    assert plain["mkl"] in (3, None)  # other processors have no such library

"""What the distribution says that its packages need is what they import."""

import ast
import importlib
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import distribution, packages_distributions

import nbformat
import pytest
from sources import BOOK, ROOT, code_cells

NAME = "backpropagation-book"
STUDENTS = {"backprop", "diagnosis"}
TOOLS = {
    "autograd",
    "bench",
    "chapters",
    "equations",
    "explorer",
    "labs",
    "machines",
    "website",
}

PROVIDERS = packages_distributions()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8")


def imports(source):
    """The full names of the modules that Python code imports, but for relative ones."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


def of_files(paths):
    return {
        name for path in paths for name in imports(path.read_text(encoding="utf-8"))
    }


@cache
def of_packages(*packages):
    folders = (ROOT / "code" / package for package in packages)
    return of_files(path for folder in folders for path in folder.rglob("*.py"))


def normal(name):
    return re.sub("[-_.]+", "-", name).lower()


def own(modules):
    """Those of the packages of this distribution that are among the modules."""
    return {name.partition(".")[0] for name in modules} & (STUDENTS | TOOLS)


def distributions(modules):
    """The names of those that are installed and provide modules: neither the standard
    library nor what is in this tree."""
    return {
        normal(provider(name))
        for name in modules
        if name.partition(".")[0] in PROVIDERS.keys() - STUDENTS - TOOLS
    }


def provider(module):
    """The distribution of a module; of those that share a namespace, such as
    sphinxcontrib, the one with its files."""
    top, _, rest = module.partition(".")
    names = PROVIDERS[top]
    if len(names) > 1:
        place = f"{top}/{rest.partition('.')[0]}"
        names = [
            name
            for name in names
            if any(str(file).startswith(place) for file in distribution(name).files)
        ]
    (name,) = set(names)
    return name


@cache
def of_all():
    """What the code, the tests, the extensions and the cells import."""
    files = [ROOT / "conftest.py"]
    for folder in "code", "book/extensions", "tests":
        files += (ROOT / folder).rglob("*.py")
    chapters = [code_cells(chapter.stem) for chapter in BOOK.glob("*.md")]
    cells = [cell for chapter in chapters for cell in chapter]
    return of_files(files).union(*(imports(cell.source) for cell in cells))


def unlike(what, said, needed):
    """What is said too little or too much, in words."""
    for names, wrong in (
        (needed - said, "lacks"),
        (said - needed, "has for nothing"),
    ):
        if names:
            yield f"{what} {wrong} {', '.join(sorted(names))}"


def problems(project, requirements):
    """What a pyproject.toml, and a requirements.txt, do not say right, in words."""
    base = {normal(name) for name in project["project"]["dependencies"]}
    yield from unlike("the base", base, distributions(of_packages(*STUDENTS)))
    extras = project["project"]["optional-dependencies"]
    needy = {
        tool
        for tool in TOOLS
        if distributions(of_packages(tool)) - base
        or own(of_packages(tool)) & TOOLS - {tool}
    }
    yield from unlike("the list of extras", set(extras), needy)
    for extra in needy & set(extras):
        needed = of_packages(extra)
        said = {normal(name.partition(";")[0]) for name in extras[extra]}
        yield from unlike(
            extra,
            said | base,
            distributions(needed)
            | {f"{NAME}[{name}]" for name in own(needed) & needy - {extra}}
            | base,
        )
    lines = [line for line in requirements.splitlines() if re.match(r"\w", line)]
    pins = [re.fullmatch(r"([\w.-]+)==[\w.]+( ; .*)?", line) for line in lines]
    yield from (
        f"{line} is not pinned" for line, pin in zip(lines, pins) if not pin
    )
    missing = distributions(of_all()) - {normal(pin[1]) for pin in pins if pin}
    yield from (f"requirements.txt lacks {name}" for name in sorted(missing))


def test_what_is_imported_is_required():
    assert list(problems(PROJECT, REQUIREMENTS)) == []


def changed(change):
    """A copy of pyproject.toml, as Python reads it, after a change of its part about the
    project."""
    project = json.loads(json.dumps(PROJECT))
    change(project["project"])
    return project


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda p: p["dependencies"].remove("tqdm"), "the base lacks tqdm"),
        (
            lambda p: p["dependencies"].append("lark"),
            "the base has for nothing lark",
        ),
        (lambda p: extra(p, "labs").remove("psutil"), "labs lacks psutil"),
        (
            lambda p: extra(p, "bench").append("pandas"),
            "bench has for nothing pandas",
        ),
        (
            lambda p: extra(p, "equations").remove(f"{NAME}[chapters]"),
            f"equations lacks {NAME}[chapters]",
        ),
        (
            lambda p: p["optional-dependencies"].pop("chapters"),
            "the list of extras lacks chapters",
        ),
    ],
)
def test_an_extra_that_is_not_what_its_package_needs_is_named(change, says):
    assert says in list(problems(changed(change), REQUIREMENTS))


def extra(project, name):
    return project["optional-dependencies"][name]


@pytest.mark.parametrize(
    "line", ["mini-racer==", "sphinxcontrib-katex==", "pytest=="]
)
def test_what_requirements_lack_is_named(line):
    """What an extension imports, from a namespace that others share, and what a test
    does."""
    kept = [each for each in REQUIREMENTS.split("\n") if not each.startswith(line)]
    found = list(problems(PROJECT, "\n".join(kept)))
    assert found == [f"requirements.txt lacks {line.removesuffix('==')}"]


def test_what_is_not_pinned_is_named():
    found = list(problems(PROJECT, REQUIREMENTS.replace("lark==", "lark>=")))
    assert found[0].startswith("lark>=") and found[0].endswith("is not pinned")


def test_the_commands_can_be_loaded():
    scripts = PROJECT["project"]["scripts"]
    assert set(scripts) == {
        "bench-network",
        "check-equations",
        "grade-labs",
        "make-labs",
    }
    for entry in scripts.values():
        module, _, name = entry.partition(":")
        assert callable(getattr(importlib.import_module(module), name))


LOADED = """
import sys
import labs.submission  # what runs a notebook, in a process of its own
from labs.__main__ import {command}

sys.argv = ["", *{words!r}]
assert {command}() == 0
print("loaded:", *sys.modules.keys() & {{"pypandoc", "typst", "jupytext"}})
"""


def loaded(folder, command, *words):
    """What a command imports of what makes labs and prints them."""
    code = LOADED.format(command=command, words=words)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split("loaded:")[1].split())


def test_grading_needs_nothing_that_prints(tmp_path):
    (tmp_path / "a.ipynb").write_text("{", encoding="utf-8")
    check = nbformat.v4.new_code_cell("f()", metadata={"tags": ["check"]})
    asked = nbformat.v4.new_notebook(cells=[check])
    nbformat.write(asked, tmp_path / "asked.ipynb")
    words = "a.ipynb", "--question", "asked.ipynb", "--out", "out", "--unsafe"
    assert loaded(tmp_path, "grade_labs", *words) == set()
    table = (tmp_path / "out/exercises.csv").read_text(encoding="utf-8")
    assert "is not a notebook" in table


def test_what_prints_is_seen(tmp_path):
    template = ROOT / "tests" / "lab_templates" / "page-template.md"
    words = str(template), "--out", ".", "--no-pdf", "--no-execute"
    found = loaded(tmp_path, "make_labs", *words)
    assert found == {"pypandoc", "typst", "jupytext"}

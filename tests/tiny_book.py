"""A book of one chapter with code: a tree of its own, with this tree's tools."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

import nbformat
from sources import ROOT

FRONT = """\
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
"""

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

DRAWN = f"""{FRONT}
# Code cells

```{{code-cell}} ipython3
import matplotlib.pyplot as plt
import tinypkg
```

```{{code-cell}} ipython3
print(tinypkg.NUMBER)
```

Some prose.

```{{code-cell}} ipython3
:tags: [hide-input]
plt.plot([0, 1], [0, 1], tinypkg.COLOUR)
plt.show()
```

```{{code-cell}} ipython3
plt.plot([0, 1, 3], [0, 1, 1], marker="o", markerfacecolor=tinypkg.MARKER)
plt.show()
```
"""
CODE_CELLS = 4
# The places of three of them in the notebook, from 0.
PRINT, LINE, MARKERS = 2, 4, 5

PACKAGE = 'NUMBER, COLOUR, MARKER = 0.1234, "C0", "C3"\n'

# An ordinary test beside the chapters.
TEST = """\
import tinypkg


def test_number():
    assert tinypkg.NUMBER == 0.1234
"""

CHAPTER = "book/drawn.md"
STORED = "book/outputs/drawn.ipynb"

MADE = shutil.ignore_patterns(
    "__pycache__", ".pytest_cache", "_build", "*.egg-info"
)


def write(root):
    """Write the tiny book, not yet executed."""
    texts = {"_toc.yml": TOC, "book/intro.md": INTRO, CHAPTER: DRAWN}
    texts |= {"code/tinypkg/__init__.py": PACKAGE, "tests/test_tinypkg.py": TEST}
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in "conftest.py", "pyproject.toml", "requirements.txt":
        shutil.copy(ROOT / name, root)
    for package in "chapters", "labs", "diagnosis":
        shutil.copytree(
            ROOT / "code" / package, root / "code" / package, ignore=MADE
        )


def run(tree, *arguments, **environment):
    """Run Python in a tree; its exit status and all that it printed."""
    # As from a shell, without what these tests have set for the tree that they test.
    outside = {
        name: os.environ[name] for name in os.environ.keys() - {"PYTHONPATH"}
    }
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env=outside | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return result.returncode, result.stdout


def store(tree, **environment):
    code = str(tree / "code")
    return run(tree, "-m", "chapters", "store", PYTHONPATH=code, **environment)


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

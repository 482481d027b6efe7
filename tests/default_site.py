"""The same chapters as Jupyter Book's default theme shows them, to measure the site beside it."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import yaml
from copies import copy_of_this_tree

# What makes the site what it is, and what the chapters do not need.
OWN_EXTENSIONS = [
    "build_time_katex",
    "chapter_notebooks",
    "light_pages",
    "no_build_info",
]
OWN_SETTINGS = ["extensions", "html_", "numfig_secnum_depth"]
# Directives that the chapters use; Jupyter Book sets up all else by itself.
NEEDED = ["sphinx.ext.autodoc", "sphinx_exercise"]
MATHJAX = "https://cdn.jsdelivr.net/npm/mathjax@3/"


def default_config(config: dict) -> dict:
    """The settings of the book without those that are its own."""
    sphinx = config["sphinx"]
    settings = {
        name: value
        for name, value in sphinx["config"].items()
        if not name.startswith(tuple(OWN_SETTINGS))
    }
    local = {
        name: place
        for name, place in sphinx["local_extensions"].items()
        if name not in OWN_EXTENSIONS
    }
    return config | {
        "sphinx": sphinx
        | {
            "local_extensions": local,
            "extra_extensions": NEEDED,
            "config": settings,
        }
    }


def build(tree: Path, mathjax: str) -> Path:
    """Copy this tree, build its book with the default theme; where the pages are.

    MathJax is loaded from the address ``mathjax`` in place of a content delivery network.
    Raises RuntimeError with what the build said if it fails.
    """
    copy_of_this_tree(tree)
    path = tree / "_config.yml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(
        yaml.safe_dump(default_config(config), sort_keys=False), encoding="utf-8"
    )
    command = [
        sys.executable,
        str(Path(sysconfig.get_path("scripts"), "jupyter-book")),
        "build",
        ".",
    ]
    done = subprocess.run(
        command,
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree / "code")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    site = tree / "_build" / "html"
    if done.returncode or not site.is_dir():
        raise RuntimeError(done.stdout)
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace(MATHJAX, mathjax), encoding="utf-8")
    return site

"""Copies of this tree, and the commands of the Makefile run in them."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from itertools import zip_longest

from sources import ROOT

# Of different length and depth, and in time zones that never have the same date: a path or a
# date that finds its way into a page shows.
COPIES = {"one": "UTC+12", "a longer way/to/another": "UTC-14"}


def build_command():
    """The arguments of Python with which the Makefile builds the site."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", "")
    (line,) = re.findall(
        r"^\t\$\(VENV_PYTHON\) (.* build .*)$", makefile, re.MULTILINE
    )
    scripts = sysconfig.get_path("scripts")
    return [word.replace(".venv/bin", scripts) for word in shlex.split(line)]


def run_in_copies(folder, *commands):
    """Run Python with each of these lists of arguments in copies of this tree; where the
    copies are."""
    return [
        run_in_copy(folder / name, zone, commands) for name, zone in COPIES.items()
    ]


def copy_of_this_tree(tree):
    """Copy this tree without what the commands of the Makefile have made."""
    made = shutil.ignore_patterns(".*", "_build", "__pycache__", "*.egg-info")
    return shutil.copytree(ROOT, tree, ignore=made)


def run_in_copy(tree, zone, commands):
    """Copy this tree, and run Python there."""
    copy_of_this_tree(tree)
    # As in a clone, the packages, too, are imported from a path in the tree.
    packages = tree / ".packages"
    shutil.copytree(sysconfig.get_path("purelib"), packages, copy_function=link)
    path = os.pathsep.join(map(str, [tree / "code", packages]))
    for arguments in commands:
        result = subprocess.run(
            [sys.executable, *arguments],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": path, "TZ": zone},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        assert result.returncode == 0, result.stdout
    return tree


def link(source, copy):
    """Copy a file without its content if both places are on one disk."""
    try:
        os.link(source, copy)
    except OSError:
        shutil.copy2(source, copy)


def first_difference(one, other):
    """The first file, and in it the first line, in which two folders differ; empty if they
    do not."""
    files = {
        path.relative_to(folder)
        for folder in (one, other)
        for path in folder.rglob("*")
        if path.is_file()
    }
    for file in sorted(files):
        for folder in (one, other):
            if not (folder / file).is_file():
                return f"{file.as_posix()} is missing in {folder}"
        contents = [(folder / file).read_bytes() for folder in (one, other)]
        if contents[0] != contents[1]:
            lines = [content.splitlines(keepends=True) for content in contents]
            for number, pair in enumerate(zip_longest(*lines, fillvalue=b""), 1):
                if pair[0] != pair[1]:
                    return "\n".join(
                        [f"{file.as_posix()}, line {number}:", *excerpts(*pair)]
                    )
    return ""


def excerpts(one, other):
    """The places at which two lines begin to differ; lines of a site can be very long."""
    start = max(0, len(os.path.commonprefix([one, other])) - 40)
    return [repr(line[start : start + 100]) for line in (one, other)]

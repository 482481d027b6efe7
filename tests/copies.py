"""Copies of this tree, and the commands of the Makefile run in them."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig

from sources import ROOT

# Of different length and depth, and in time zones that never have the same date: a path or a
# date that finds its way into a page shows.
COPIES = {"one": "UTC+12", "a longer way/to/another": "UTC-14"}


def site_commands():
    """The arguments of Python with which the Makefile writes the labs and builds the
    site."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", "")
    scripts = sysconfig.get_path("scripts")
    return [
        [
            argument.replace(".venv/bin", scripts).replace("$(@D)", "_build/labs")
            for argument in shlex.split(line)
        ]
        for line in re.findall(
            r"^\t@?\$\(VENV_PYTHON\) (.*(?: build | labs make | chapters cache).*)$",
            makefile,
            re.MULTILINE,
        )
    ]


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

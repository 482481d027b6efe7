"""Runs the code cells of a version in a copy of the template's folder."""

import os
import re
import shutil
import sysconfig
import tempfile
from collections.abc import Container
from contextlib import suppress
from pathlib import Path

from chapters import execution
from chapters.environment import of_cells, write_profile
from chapters.execution import text_of
from nbformat import NotebookNode

# The file of a cell, in warnings, is named after the kernel's process.
CELL_FILE = re.compile(r"(?<!\S)\S*[\\/]ipykernel_\d+[\\/]\d+\.py")
# Where an object without a name of its own happens to be in memory.
ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]{8,}")

# What no cell needs, apart from what is hidden and virtual environments.
NOT_COPIED = {"_build", "__pycache__", "node_modules"}
BYTES_COPIED = 10_000_000  # larger files are linked


def execute(
    notebook: NotebookNode, folder: Path, skipped: Container[int], seconds: float
) -> None:
    """Run the code cells of a notebook, but for those whose places are in ``skipped``,
    and store their outputs in it; each may take some ``seconds``. They run in a copy of ``folder``, so that nothing
    that they write reaches it, or another run. Raises CellError."""
    with (
        tempfile.TemporaryDirectory() as profile,
        # Hidden, so that a copy of the folder of such folders is without it.
        tempfile.TemporaryDirectory(prefix=".labs-") as workplace,
    ):
        write_profile(profile)
        place_of_run = Path(workplace).resolve()
        copy(folder, place_of_run)
        environment = of_cells(profile)
        for cell in execution.execute(
            notebook, place_of_run, environment, skipped, seconds
        ):
            for output in cell.outputs:
                clean(output, place_of_run)


def copy(folder: Path, target: Path) -> None:
    """Copy what the cells of a template in ``folder`` may read. Links to folders stay
    links, for they may lead anywhere."""
    for here, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = [name for name in folders if is_copied(name)]
        there = target / Path(here).relative_to(folder)
        there.mkdir(exist_ok=True)
        for name in folders:
            if Path(here, name).is_symlink():
                (there / name).symlink_to(Path(here, name).resolve())
        for name in filter(is_copied, files):
            copy_file(Path(here, name), there / name)


def is_copied(name: str) -> bool:
    return not name.startswith(".") and name not in NOT_COPIED


def copy_file(source: Path, target: Path) -> None:
    # Cells cannot read either what is closed to the user, or has just vanished.
    with suppress(PermissionError, FileNotFoundError):
        if source.is_file():  # neither a pipe nor a socket
            if source.stat().st_size > BYTES_COPIED:
                target.symlink_to(source.resolve())
            else:
                shutil.copy(source, target)


def clean(output: NotebookNode, folder: Path) -> None:
    """Make an output of a cell that ran in ``folder`` that of any run."""
    if output.output_type == "stream":
        output.text = impersonal(output.text, folder)
    elif output.output_type == "error":
        output.evalue = impersonal(output.evalue, folder)
        output.traceback = [impersonal(text, folder) for text in output.traceback]
    else:
        for kind, text in text_of(output.data):
            output.data[kind] = impersonal(text, folder)


def impersonal(text: str, folder: Path) -> str:
    """Text without the places of files of this run and of this computer, nor of
    objects in memory. ``folder`` is where it ran."""
    packages = sysconfig.get_path("purelib") + os.sep
    text = ADDRESS.sub("", CELL_FILE.sub("<cell>", text)).replace(packages, "")
    return text.replace(f"{folder}{os.sep}", "").replace(str(folder), ".")

"""Runs the code cells of a notebook in a kernel, alike for everyone."""

import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Container
from contextlib import suppress
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import (
    CellExecutionError,
    CellTimeoutError,
    DeadKernelError,
)
from nbformat import NotebookNode

SECONDS_PER_CELL = 300
CHARACTERS_PER_CELL = 200_000  # of text in its outputs

# What would bring something of the user's own into the outputs.
PERSONAL = {"MPLBACKEND", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONWARNINGS"}
# The file of a cell, in warnings, is named after the kernel's process.
CELL_FILE = re.compile(r"(?<!\S)\S*[\\/]ipykernel_\d+[\\/]\d+\.py")
# Where an object without a name of its own happens to be in memory.
ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]{8,}")

# What no cell needs, apart from what is hidden and virtual environments.
NOT_COPIED = {"_build", "__pycache__", "node_modules"}
BYTES_COPIED = 10_000_000  # larger files are linked


class CellError(Exception):
    """A cell that cannot be executed: its place among the code cells, from 0, what it
    raised, if anything, and one line of text."""

    def __init__(self, place: int, name: str, message: str):
        super().__init__(message)
        self.place, self.name = place, name


class Client(NotebookClient):
    """A client that keeps no more text of a cell than may be, for the kernel could fill
    the memory, and nbclient takes minutes for a line of a million characters."""

    characters = 0  # so far, of the cell that runs

    def output(self, outs, msg, display_id, cell_index):
        content = msg["content"]
        texts = [content.get("text", "")]
        texts += [value for kind, value in text_of(content.get("data", {}))]
        self.characters += sum(map(len, texts))
        if self.characters > CHARACTERS_PER_CELL:
            return None
        return super().output(outs, msg, display_id, cell_index)


def text_of(data: dict) -> list[tuple[str, str]]:
    """What is text in an output, with its kind."""
    return [(kind, data[kind]) for kind in data if kind.startswith("text/")]


def execute(notebook: NotebookNode, folder: Path, skipped: Container[int]) -> None:
    """Run the code cells of a notebook, but for those whose places are in ``skipped``,
    and store their outputs in it. They run in a copy of ``folder``, so that nothing
    that they write reaches it, or another run. Raises CellError."""
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    with (
        tempfile.TemporaryDirectory() as settings,
        # Hidden, so that a copy of the folder of such folders is without it.
        tempfile.TemporaryDirectory(prefix=".labs-") as workplace,
    ):
        place_of_run = Path(workplace).resolve()
        copy(folder, place_of_run)
        client = Client(
            notebook,
            km=manager(),
            timeout=SECONDS_PER_CELL,
            record_timing=False,
            coalesce_streams=True,  # one long print may arrive in several parts
            resources={"metadata": {"path": str(place_of_run)}},
        )
        with client.setup_kernel(
            env=environment(settings),
            stderr=subprocess.DEVNULL,  # its log; what cells write arrives all the same
            cleanup_kc=True,
        ):
            for place, cell in enumerate(codes):
                if place not in skipped and cell.source.strip():
                    execute_cell(client, cell, place)
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


def manager() -> AsyncKernelManager:
    """A manager of the kernel of this Python, whatever else is registered."""
    specs = KernelSpecManager(kernel_dirs=[])
    return AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs)


def environment(settings: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in os.environ.keys() - PERSONAL}
    return kept | {
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",  # sums depend on the number of threads
        "SOURCE_DATE_EPOCH": "0",  # the date in figures
        "MATPLOTLIBRC": os.devnull,
        "IPYTHONDIR": settings,
    }


def execute_cell(client: Client, cell: NotebookNode, place: int) -> None:
    client.characters = 0
    try:
        client.execute_cell(cell, client.nb.cells.index(cell))
    except CellExecutionError as error:
        said = " ".join(f"{error.ename}: {error.evalue}".split()).removesuffix(":")
        raise CellError(place, error.ename, f"cell raises {said}") from None
    except CellTimeoutError:
        message = f"cell does not end within {SECONDS_PER_CELL} seconds"
        raise CellError(place, "", message) from None
    except DeadKernelError:
        raise CellError(place, "", "cell ends its kernel") from None
    if client.characters > CHARACTERS_PER_CELL:
        message = f"cell puts out more than {CHARACTERS_PER_CELL} characters"
        raise CellError(place, "", message)


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

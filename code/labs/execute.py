"""Runs the code cells of a notebook in a kernel, alike for everyone."""

import os
import re
import subprocess
import sysconfig
import tempfile
from collections.abc import Container
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

# What would bring something of the user's own into the outputs.
PERSONAL = {"MPLBACKEND", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONWARNINGS"}
# The file of a cell, in warnings, is named after the kernel's process.
CELL_FILE = re.compile(r"\S*[\\/]ipykernel_\d+[\\/]\d+\.py")


class CellError(Exception):
    """A cell that cannot be executed: its place among the code cells, from 0, what it
    raised, if anything, and one line of text."""

    def __init__(self, place: int, name: str, message: str):
        super().__init__(message)
        self.place, self.name = place, name


def execute(notebook: NotebookNode, folder: Path, skipped: Container[int]) -> None:
    """Run the code cells of a notebook, but for those whose places are in ``skipped``,
    and store their outputs in it; they run in ``folder``. Raises CellError."""
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    with tempfile.TemporaryDirectory() as settings:
        client = NotebookClient(
            notebook,
            km=manager(),
            timeout=SECONDS_PER_CELL,
            record_timing=False,
            coalesce_streams=True,  # one long print may arrive in several parts
            resources={"metadata": {"path": str(folder)}},
        )
        with client.setup_kernel(
            env=environment(settings),
            stderr=subprocess.DEVNULL,  # its log; what cells write arrives all the same
            cleanup_kc=True,
        ):
            for place, cell in enumerate(codes):
                if place not in skipped and cell.source.strip():
                    execute_cell(client, cell, place)


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


def execute_cell(client: NotebookClient, cell: NotebookNode, place: int) -> None:
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
    for output in cell.outputs:
        if output.output_type == "stream":
            output.text = impersonal(output.text)


def impersonal(text: str) -> str:
    """Text without the places of files of this run and of this computer."""
    packages = sysconfig.get_path("purelib") + os.sep
    return CELL_FILE.sub("<cell>", text).replace(packages, "")

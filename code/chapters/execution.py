"""Runs the code cells of a notebook in a kernel, alike for everyone."""

import subprocess
from collections.abc import Container, Iterator
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


class CellError(Exception):
    """A cell that cannot be executed: its place among the code cells, from 0, its
    source, what it raised, if anything, and one line of text."""

    def __init__(self, place: int, source: str, name: str, message: str):
        super().__init__(message)
        self.place, self.source, self.name = place, source, name


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


def execute(
    notebook: NotebookNode,
    folder: Path,
    environment: dict[str, str],
    skipped: Container[int] = (),
    seconds: float = SECONDS_PER_CELL,
) -> Iterator[NotebookNode]:
    """Run the code cells of a notebook in ``folder``, but for those whose places are in
    ``skipped``, each for at most some ``seconds``. Yields each cell that has run, with its outputs. Raises CellError."""
    client = Client(
        notebook,
        km=manager(),
        timeout=seconds,
        record_timing=False,
        coalesce_streams=True,  # one long print may arrive in several parts
        resources={"metadata": {"path": str(folder)}},
    )
    with client.setup_kernel(
        env=environment,
        stderr=subprocess.DEVNULL,  # its log; what cells write arrives all the same
        cleanup_kc=True,
    ):
        codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for place, cell in enumerate(codes):
            if place not in skipped and cell.source.strip():
                execute_cell(client, cell, place)
                yield cell


def manager() -> AsyncKernelManager:
    """A manager of the kernel of this Python, whatever else is registered."""
    specs = KernelSpecManager(kernel_dirs=[])
    return AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs)


def execute_cell(client: Client, cell: NotebookNode, place: int) -> None:
    def failed(message: str, name: str = "") -> CellError:
        return CellError(place, cell.source, name, message)

    client.characters = 0
    try:
        client.execute_cell(cell, client.nb.cells.index(cell))
    except CellExecutionError as error:
        said = " ".join(f"{error.ename}: {error.evalue}".split()).removesuffix(":")
        raise failed(f"cell raises {said}", error.ename) from None
    except CellTimeoutError:
        message = f"cell does not end within {client.timeout:g} seconds"
        raise failed(message) from None
    except DeadKernelError:
        raise failed("cell ends its kernel") from None
    if client.characters > CHARACTERS_PER_CELL:
        raise failed(f"cell puts out more than {CHARACTERS_PER_CELL} characters")

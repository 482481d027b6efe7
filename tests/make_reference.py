"""Rewrite the executed references of all chapters: `python tests/make_reference.py`, or `make reference`.

Nothing is written unless every chapter has run without an error.
"""

import subprocess
import sys
import time

import nbformat
import references
from nbclient import NotebookClient
from nbclient.exceptions import (
    CellControlSignal,
    CellExecutionError,
    DeadKernelError,
)
from references import ROOT

SECONDS_PER_CELL = 300
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def execute(chapter, notebook):
    """Run a chapter's cells in a fresh kernel, and keep nothing that depends on when or where they ran."""
    started = []
    client = NotebookClient(
        notebook,
        kernel_name=KERNEL["name"],
        timeout=SECONDS_PER_CELL,
        record_timing=False,
        coalesce_streams=True,  # one long print may arrive in several parts
        resources={
            "metadata": {"path": references.reference(ROOT, chapter).parent}
        },  # where nbval runs it
        on_cell_start=lambda cell, cell_index: started.append(cell),
    )
    try:
        client.execute(
            stderr=subprocess.DEVNULL
        )  # the kernel's own log; what cells write arrives all the same
    except (CellControlSignal, DeadKernelError) as error:
        # A CellExecutionError shows the source itself.
        source = (
            ""
            if isinstance(error, CellExecutionError)
            else f"{started[-1].source}\n\n"
        )
        sys.exit(
            f"{chapter}: cell {len(started)} failed, no reference has been changed\n\n{source}{error}"
        )
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{number:02d}"
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    notebook.nbformat, notebook.nbformat_minor = (
        4,
        5,
    )  # the first minor version with cell ids


def main():
    references.set_environment(ROOT)
    import matplotlib.font_manager  # noqa: F401  (the font cache, made in a kernel, may announce itself in a cell)

    notebooks = references.with_code(ROOT)
    folder = references.reference(ROOT, "any").parent
    folder.mkdir(exist_ok=True)
    faults = []
    for chapter, notebook in notebooks.items():
        start = time.perf_counter()
        execute(chapter, notebook)
        cells = sum(cell.cell_type == "code" for cell in notebook.cells)
        print(
            f"{chapter:20} {cells:3} cells {time.perf_counter() - start:6.1f} s",
            flush=True,
        )
        faults += [
            f"{chapter}: {fault}" for fault in references.faults(chapter, notebook)
        ]
    if faults:
        sys.exit("\n".join(["No reference has been changed:", *faults]))

    for path in references.extra(ROOT):
        path.unlink()
    for chapter, notebook in notebooks.items():
        text = nbformat.writes(notebook) + "\n"  # indent 1, keys sorted
        references.reference(ROOT, chapter).write_text(
            text, encoding="utf-8", newline="\n"
        )
    print(f"The references are in {folder}")


if __name__ == "__main__":
    main()

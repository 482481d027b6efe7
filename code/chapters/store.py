"""Executes the chapters that have changed, and stores them (`make reference`).

Nothing is written unless every chapter has run without an error.
"""

import base64
import json
import os
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
import oxipng
from nbformat import NotebookNode

from . import numbers, stored
from .environment import of_cells, write_profile
from .execution import CellError, execute
from .reading import with_code

# With `language_info`, pages highlight a stored chapter as one that they execute.
METADATA = {
    "kernelspec": {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    },
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}


class Unfit(Exception):
    """Chapters that cannot be stored, and why."""


def store(root: Path) -> None:
    """Execute the chapters of the tree at ``root`` that have changed since they were
    stored, and store them. Raises Unfit."""
    notebooks = with_code(root)
    numbers.write(root)
    changed = {
        chapter: notebook
        for chapter, notebook in notebooks.items()
        if stored.current_digest(root, chapter, notebook) is None
    }
    print(
        f"{len(changed)} of {len(notebooks)} chapters have changed since they were stored."
    )
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {
            pool.submit(executed, root, notebook): chapter
            for chapter, notebook in changed.items()
        }
        try:
            for run in as_completed(runs):
                print(f"{runs[run]:20} {run.result():6.1f} s", flush=True)
        except CellError as error:
            pool.shutdown(cancel_futures=True)
            raise Unfit(
                f"{runs[run]}: code cell {error.place + 1}: {error}; nothing is stored\n\n"
                f"{error.source}"
            ) from None
    for chapter in notebooks.keys() - changed.keys():
        # What is not executed can have changed: text, tags and captions.
        add_outputs(notebooks[chapter], stored.read(root, chapter))
    faults = [
        f"{chapter}: {fault}"
        for chapter, notebook in notebooks.items()
        for fault in stored.faults(chapter, notebook)
    ]
    if faults:
        raise Unfit("\n".join(["nothing is stored:", *faults]))

    stored.folder(root).mkdir(exist_ok=True)
    for path in stored.extra(root, notebooks):
        path.unlink()
    for chapter, notebook in notebooks.items():
        for number, cell in enumerate(notebook.cells, 1):
            cell.id = f"cell-{number:02d}"
        # The first minor version with cell ids.
        notebook.nbformat, notebook.nbformat_minor = 4, 5
        text = nbformat.writes(notebook) + "\n"  # indent 1, keys sorted
        stored.path(root, chapter).write_text(text, encoding="utf-8", newline="\n")


def executed(root: Path, notebook: NotebookNode) -> float:
    """Run a chapter's cells in a fresh kernel, and keep nothing that depends on when or
    where they ran. Returns the seconds that it took."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        profile, record = Path(folder, "profile"), Path(folder, "record")
        write_profile(
            profile,
            [f"__import__('chapters.record').record.start({str(record)!r})"],
        )
        for _ in execute(notebook, root / "book", of_cells(profile)):
            pass
        compress_figures(notebook)
        found = json.loads(record.read_text(encoding="utf-8"))
    files, packages = (
        files_of(root, found["files"]),
        packages_of(root, found["modules"]),
    )
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.metadata["executed"] = {
        "files": files,
        "packages": packages,
        "digest": stored.digest_of(root, notebook, files, packages),
    }
    return time.perf_counter() - start


def compress_figures(notebook: NotebookNode) -> None:
    """The same pixels in fewer bytes."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                png = base64.b64decode(output.data["image/png"])
                smaller = oxipng.optimize_from_memory(png, level=2)
                output.data["image/png"] = base64.b64encode(smaller).decode()


def files_of(root: Path, found: list[str]) -> list[str]:
    """Those of the files that belong to the book. What records them does not, nor what
    an installation leaves in the tree."""
    inside = [Path(file) for file in found if Path(file).is_relative_to(root)]
    relative = [
        file.relative_to(root).as_posix() for file in inside if file.is_file()
    ]
    return sorted(
        file
        for file in relative
        if file.startswith(("book/", "code/"))
        and not file.startswith("code/chapters/")
        and "__pycache__" not in file
        and ".egg-info/" not in file
    )


def packages_of(root: Path, modules: list[str]) -> list[str]:
    """Those of the book's requirements that provide one of the modules."""
    text = (root / "requirements.txt").read_text(encoding="utf-8")
    required = set(re.findall(r"^([\w.-]+)==", text, re.MULTILINE))
    providers = packages_distributions()
    imported = {name for module in modules for name in providers.get(module, [])}
    return sorted(required & imported)


def add_outputs(notebook: NotebookNode, old: NotebookNode) -> None:
    """Give a chapter as it is now written the outputs of its code cells as stored."""
    codes, before = (
        [cell for cell in each.cells if cell.cell_type == "code"]
        for each in (notebook, old)
    )
    for cell, stored_cell in zip(codes, before, strict=True):
        cell.outputs = stored_cell.outputs
        cell.execution_count = stored_cell.execution_count
    notebook.metadata = old.metadata

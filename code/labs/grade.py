"""Runs submitted notebooks and tells which of their exercises are right."""

import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import psutil
from chapters.environment import SET

from .table import COLUMNS, as_text, columns, is_row

LARGEST_TABLE = 10**6  # bytes, of one notebook

# What a submission gets to know of the environment.
KEPT = ["LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "SYSTEMROOT"]

MARK = "LABS_SUBMISSION"  # in the environment of all processes of a submission


def run_all(
    notebooks: list[Path], table: Path, seconds: float, question: Path | None
) -> None:
    """Run notebooks, one after the other, each for at most some seconds, and write the
    table of their exercises: of those in the question, if it is given."""
    results: Counter[str] = Counter()
    with table.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for number, notebook in enumerate(notebooks, 1):
            found = submitted(notebook, seconds, question)
            for row in found:
                row["notebook"] = str(notebook)
                writer.writerow({name: as_text(row[name]) for name in COLUMNS})
            file.flush()
            counted = Counter(row["result"] for row in found)
            results += counted
            print(f"{number}/{len(notebooks)} {notebook}: {in_words(counted)}")
            sys.stdout.flush()
    print(f"{len(notebooks)} notebooks: {in_words(results)}. The table is {table}")


def in_words(results: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(results.items()))


def submitted(
    notebook: Path, seconds: float, question: Path | None
) -> list[dict[str, str]]:
    """What the checks in a notebook say, and why there is no more, if there is not."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        work, results = Path(folder, "work"), Path(folder, "results")
        work.mkdir()
        arguments = [notebook.name, results, str(seconds)]
        try:
            shutil.copyfile(notebook, work / notebook.name)
            if question:
                asked = Path(folder, "question.ipynb")
                arguments.append(shutil.copyfile(question, asked))
        except OSError as error:
            return [columns("", "error", "", f"cannot be read: {error.strerror}")]
        trouble = run(arguments, work, seconds)
        found, is_whole = read(results)
    if not is_whole:
        message = trouble or "ends before all its cells have run"
        found.append(columns("", "error", "", message))
    return found


def read(results: Path) -> tuple[list[dict[str, str]], bool]:
    """The rows in a file, which a submission may have changed, and whether all are
    there."""
    try:
        if not results.is_file() or results.stat().st_size > LARGEST_TABLE:
            return [], False
        lines = results.read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines]
    except (OSError, ValueError, RecursionError):
        return [], False
    is_whole = bool(found) and found[-1] is None
    found = found[:-1] if is_whole else found
    return (found, is_whole) if all(map(is_row, found)) else ([], False)


def run(arguments: list, work: Path, seconds: float) -> str:
    """Run a notebook in the folder ``work``, and end all that it has started; what went
    wrong, if anything."""
    process = subprocess.Popen(
        [sys.executable, "-m", "labs.submission", *arguments],
        cwd=work,
        env=environment(work),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return f"does not end within {seconds:g} seconds"
    finally:
        end(process, work)
    return f"ends its process with status {status}" if status else ""


def environment(work: Path) -> dict[str, str]:
    """Nothing private, and a home of its own beside ``work``."""
    home = str(work.with_name("home"))
    Path(home).mkdir()
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    own = {
        "HOME": home,
        "TMPDIR": home,
        "USERPROFILE": home,  # Windows' word for it
        MARK: str(work),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return kept | SET | own


def end(process: subprocess.Popen, work: Path) -> None:
    """Kill a process, its group, and what has left the group but kept the mark."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    for _ in range(10):  # what is killed may just have started another
        left = [
            other for other in psutil.process_iter() if mark(other) == str(work)
        ]
        for other in left:
            with contextlib.suppress(psutil.Error):
                other.kill()
        if not left:
            return


def mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None  # of another user, or gone

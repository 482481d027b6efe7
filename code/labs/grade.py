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

COLUMNS = ["notebook", "exercise", "result", "mistake", "message"]
LONGEST = 1000  # characters of a message
LARGEST_TABLE = 10**6  # bytes, of one notebook

# What a submission gets to know of the environment.
KEPT = ["LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "SYSTEMROOT"]

# Folders that programs write to.
FOLDERS = [
    "HOME",
    "IPYTHONDIR",
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "MPLCONFIGDIR",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
]
MARK = "LABS_SUBMISSION"  # in the environment of all processes of a submission


def run_all(notebooks: list[Path], table: Path, seconds: float) -> None:
    """Run notebooks, one after the other, each for at most some seconds, and write the
    table of their exercises."""
    results: Counter[str] = Counter()
    with table.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for number, notebook in enumerate(notebooks, 1):
            found = submitted(notebook, seconds)
            for row in found:
                row["notebook"] = str(notebook)
                writer.writerow({name: as_text(row[name]) for name in COLUMNS})
            file.flush()
            counted = Counter(row["result"] for row in found)
            results += counted
            print(f"{number}/{len(notebooks)} {notebook}: {in_words(counted)}")
            sys.stdout.flush()
    print(f"{len(notebooks)} notebooks: {in_words(results)}. The table is {table}")


def columns(
    exercise: str, result: str, mistake: str, message: str
) -> dict[str, str]:
    """A row of the table but for its first column; the message is on one line."""
    values = exercise, result, mistake, " ".join(message.split())[:LONGEST]
    return dict(zip(COLUMNS[1:], values, strict=True))


def in_words(results: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(results.items()))


def as_text(value: str) -> str:
    """A value that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@")) else value


def submitted(notebook: Path, seconds: float) -> list[dict[str, str]]:
    """What the checks in a notebook say, or the one row that says why they cannot."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        work, results = Path(folder, "work"), Path(folder, "results.json")
        work.mkdir()
        try:
            shutil.copyfile(notebook, work / notebook.name)
        except OSError as error:
            return [columns("", "error", "", f"cannot be read: {error.strerror}")]
        trouble = run([notebook.name, results], work, seconds)
        found = [] if trouble else read(results)
    return found or [columns("", "error", "", trouble or "ends without results")]


def read(results: Path) -> list[dict[str, str]]:
    """The rows in a file, which a submission may have changed; [] if it has others."""
    try:
        if not results.is_file() or results.stat().st_size > LARGEST_TABLE:
            return []
        found = json.loads(results.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    return found if isinstance(found, list) and all(map(is_row, found)) else []


def is_row(value: object) -> bool:
    """Whether a value has the columns of a row, with text in them."""
    return (
        isinstance(value, dict)
        and list(value) == COLUMNS[1:]
        and all(isinstance(text, str) for text in value.values())
    )


def run(arguments: list, work: Path, seconds: float) -> str:
    """Run a notebook in the folder ``work``, and end all that it has started; what went
    wrong, if anything."""
    process = subprocess.Popen(
        [sys.executable, "-m", "labs.submission", *arguments, str(seconds)],
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
    """Nothing private, and all folders that programs write to in one beside ``work``."""
    home = str(work.with_name("home"))
    Path(home).mkdir()
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return (
        kept
        | dict.fromkeys(FOLDERS, home)
        | {
            MARK: str(work),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "OMP_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
        }
    )


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

"""Grades submitted notebooks: runs each in a sandbox, and says what its exercises are."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from chapters.environment import SET

from .fault import one_line
from .question import (
    ANSWER,
    CHECK,
    STUDENT,
    Cell,
    Exercise,
    Question,
    Unusable,
    bound,
    cells,
    copy_of,
    files_of,
    imported,
    imports,
    needed,
    read,
    same,
    stubs,
    tree,
    used,
    value,
)
from .sandbox import Sandbox
from .table import Row
from .verdict import DOES_NOT_HOLD

# What a submission gets to know of the environment.
KEPT = ["LANG", "LC_ALL", "LD_LIBRARY_PATH"]
LONGEST = 10_000_000  # bytes that one notebook may say


@dataclass(frozen=True)
class Limits:
    """Seconds for a cell and for all of them; bytes of memory and of files; processes."""

    seconds: float = 30
    total: float = 300
    memory: int = 4 * 2**30
    disk: int = 64 * 2**20
    processes: int = 50


@dataclass
class Submission:
    """A student's notebook. ``note`` says, for example, that there are earlier ones."""

    path: Path
    student: str
    note: str = ""
    rows: list[Row] = field(default_factory=list)
    seconds: float = 0.0
    trouble: str = ""


class Grader:
    """Grades submissions of one question."""

    def __init__(
        self,
        question: Path,
        solution: Path | None,
        sandbox: Sandbox,
        limits: Limits,
    ):
        self.path = question
        self.question = read(question, solution)
        self.sandbox, self.limits = sandbox, limits
        self.processes: set[subprocess.Popen] = set()
        self.is_stopped = threading.Event()

    def files(self) -> list[Path]:
        """The files beside the question that its cells read or import."""
        return files_of(self.question.cells, self.path.resolve().parent)

    def check(self, solution: Path | None) -> list[str]:
        """What is wrong with the question: no check passes in it, and all pass in the
        solution."""
        wrong = []
        for path, right in ((self.path, False), (solution, True)):
            if path is None:
                continue
            submission = Submission(path, "")
            self.grade(submission)
            for row in submission.rows:
                if right and row.is_check and row.result != "passed":
                    said = f"{row.result}: {row.message}"
                    wrong.append(f"{path}:1: {row.exercise} is {said}")
                if not right and row.result in ("passed", "partly", "forged"):
                    wrong.append(
                        f"{path}:1: {row.exercise} passes with nothing filled in"
                    )
                if not right and row.result == "not reached":
                    wrong.append(
                        f"{path}:1: {row.exercise} is not reached: {row.message}"
                    )
        return wrong

    def grade_all(
        self,
        submissions: list[Submission],
        jobs: int,
        done: Callable[[Submission], None],
    ) -> None:
        """Grade submissions, some at the same time."""
        with ThreadPoolExecutor(jobs) as pool:
            try:
                for submission in pool.map(self.grade, submissions):
                    done(submission)
            except BaseException:
                self.stop()
                pool.shutdown(cancel_futures=True)
                raise

    def stop(self) -> None:
        """End all that runs."""
        self.is_stopped.set()
        for process in list(self.processes):
            end(process)

    def grade(self, submission: Submission) -> Submission:
        """Fill in the rows of a submission: one for each exercise, always."""
        start = time.monotonic()
        exercises = self.question.exercises
        try:
            theirs = cells(submission.path)
        except Unusable as error:
            submission.trouble = str(error)
            submission.rows = [
                Row(
                    each.name,
                    each.marks,
                    "error",
                    str(error),
                    is_check=each.is_check,
                )
                for each in exercises
            ]
            return submission
        checks = [exercise for exercise in exercises if exercise.is_check]
        placed = places(theirs, checks)
        found, errors, trouble = (
            self.run(theirs, checks, placed) if checks else ({}, {}, "")
        )
        submission.trouble = trouble
        rows = []
        for exercise in exercises:
            if not exercise.is_check:
                rows.append(self.read_answer(exercise, theirs))
                continue
            said = found.get(checks.index(exercise))
            rows.append(self.row(exercise, said, errors, trouble, theirs))
        submission.rows = rows
        submission.seconds = time.monotonic() - start
        return submission

    def row(
        self,
        exercise: Exercise,
        said: dict | None,
        errors: dict[int, str],
        trouble: str,
        theirs: list[Cell],
    ) -> Row:
        """The row of a check. Where it has not passed, the errors of cells that should
        have made what it needs belong to it."""
        said = said or {"result": "not reached", "message": trouble}
        result, message = str(said["result"]), str(said["message"])
        if result not in ("passed", "partly", "forged"):
            names, _ = needed(exercise.cell.source, self.question.given)
            guilty = [
                f"code cell {number}{', ' if text.startswith('line ') else ' '}{text}"
                for number, text in guilty_of(names, errors, theirs)
            ]
            if guilty:
                result = "error" if result == "unfilled" else result
                message = "; ".join([*guilty, message] if message else guilty)
        if exercise.hidden and message.startswith(DOES_NOT_HOLD):
            message = DOES_NOT_HOLD
        share = said.get("share", 0)
        share = float(share) if isinstance(share, int | float) else 0.0
        marks = exercise.marks * min(max(share, 0.0), 1.0)
        mistakes = str(said.get("mistakes", ""))
        return Row(exercise.name, exercise.marks, result, message, mistakes, marks)

    def read_answer(self, exercise: Exercise, theirs: list[Cell]) -> Row:
        """The row of an answer in words."""
        text = answer_of(exercise, theirs, self.question.cells)
        result = "to be read" if text else "unfilled"
        return Row(
            exercise.name, exercise.marks, result, text, marks=0, is_check=False
        )

    def run(
        self,
        theirs: list[Cell],
        checks: list[Exercise],
        placed: dict[int, list[int]],
    ) -> tuple[dict[int, dict], dict[int, str], str]:
        """What the checks say, the errors of cells by their numbers, and what stopped
        the notebook, if anything."""
        given = self.question.given
        imported = imports([*given, *(check.cell for check in checks)])
        exercises = []
        for check in checks:
            names, cells_of_stubs = needed(check.cell.source, given)
            exercises.append(
                {
                    "source": check.cell.source,
                    "needed": sorted(names),
                    "stubs": [cell.source for cell in cells_of_stubs],
                    "asked": sorted(stubs(cells_of_stubs)),
                    "imports": imported,
                }
            )
        steps = []
        for cell in theirs:
            if cell.kind == "code":
                is_check = any(
                    same(cell.source, check.cell.source) for check in checks
                )
                steps.append(
                    {
                        "number": cell.number,
                        "source": None if is_check else cell.source,
                        "exercises": placed.get(cell.number, []),
                    }
                )
        job = {
            "cells": steps,
            "exercises": exercises,
            "imports": imported,
            **vars(self.limits),
        }
        with tempfile.TemporaryDirectory(
            prefix="labs-", ignore_cleanup_errors=True
        ) as name:
            return self.run_job(job, Path(name).resolve())

    def run_job(self, job: dict, folder: Path) -> tuple[dict, dict, str]:
        for file in self.files():
            target = folder / file.relative_to(self.path.resolve().parent)
            copy_of(file, target)
        given, away = self.sandbox.places(folder)
        job |= {"given": given, "work": f"{away}/work", "kind": self.sandbox.kind}
        words = [sys.executable, "-m", "labs.submission"]
        limits = self.limits
        longest = limits.total + (2 * limits.seconds + 6) * (
            2 * len(job["exercises"]) + 1
        )
        process = subprocess.Popen(
            self.sandbox.command(folder, words, limits.disk),
            cwd=folder,
            env=environment(away),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.processes.add(process)
        try:
            if self.is_stopped.is_set():
                return {}, {}, "stopped"
            said, _ = process.communicate(
                (json.dumps(job) + "\n").encode(), longest
            )
            trouble = (
                "" if process.returncode == 0 else "the notebook ends its process"
            )
        except subprocess.TimeoutExpired:
            end(process)
            said, _ = process.communicate()
            trouble = f"does not end within {longest:g} seconds"
        finally:
            end(process)
            self.processes.discard(process)
        return parsed(said[:LONGEST], trouble)


def parsed(said: bytes, trouble: str) -> tuple[dict, dict, str]:
    found: dict[int, dict] = {}
    errors: dict[int, str] = {}
    for line in said.splitlines():
        with contextlib.suppress(ValueError, TypeError):
            words = json.loads(line)
            if "exercise" in words:
                found[words.pop("exercise")] = words
            elif "cell" in words:
                errors[words["cell"]] = words["message"]
            elif "trouble" in words:
                trouble = words["trouble"]
    return found, errors, trouble


def end(process: subprocess.Popen) -> None:
    """End a process with all that it has started: it waits for these."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def environment(away: str) -> dict[str, str]:
    """Nothing of the user's own, but for where Python finds its packages."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    paths = os.pathsep.join(
        path for path in sys.path if path and os.path.isdir(path)
    )
    own = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": paths,
        "HOME": f"{away}/home",
        "TMPDIR": f"{away}/tmp",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return kept | SET | own


def places(theirs: list[Cell], checks: list[Exercise]) -> dict[int, list[int]]:
    """The code cells, by number, at which checks stand: of copies of one, the last."""
    found: dict[int, list[int]] = {}
    codes = [cell for cell in theirs if cell.kind == "code"]
    for number, check in enumerate(checks):
        asked = check.cell

        def is_copy(cell: Cell, asked: Cell = asked) -> bool:
            name = value(asked, "name")
            return (
                same(cell.source, asked.source)
                or bool(name and CHECK in cell.tags and value(cell, "name") == name)
                or (CHECK in cell.tags and bool(asked.id) and cell.id == asked.id)
            )

        copies = [cell.number for cell in codes if is_copy(cell)]
        if copies:
            found.setdefault(copies[-1], []).append(number)
    return found


def guilty_of(
    names: set[str], errors: dict[int, str], theirs: list[Cell]
) -> list[tuple[int, str]]:
    """The errors of cells that should have made names, or what those cells use in turn."""
    found: dict[int, str] = {}
    failed = [
        cell for cell in theirs if cell.kind == "code" and cell.number in errors
    ]
    for cell in reversed(failed):
        if names & (bound_if_broken(cell.source) | imported([cell.source])):
            found[cell.number] = errors[cell.number]
            names = names | used(cell.source)
    return sorted(found.items())


def bound_if_broken(source: str) -> set[str]:
    """The names that a cell binds; where it is no Python, those that seem to be."""
    names = bound(source)
    if names or tree(source).body:
        return names
    words = source.replace("(", " ").replace(":", " ").replace("=", " = ").split()
    defined = {after for word, after in pairwise(words) if word in ("def", "class")}
    return defined | {word for word, after in pairwise(words) if after == "="}


def answer_of(exercise: Exercise, theirs: list[Cell], asked: list[Cell]) -> str:
    """What a student has written for an answer, empty if that is nothing. It is in the
    cell of the question, or else it is what the question does not have."""
    texts = [cell for cell in theirs if cell.kind == "markdown"]
    cell = exercise.cell
    own = [t for t in texts if ANSWER in t.tags and t.id == cell.id and t.id]
    if not own:
        answers = [t for t in texts if ANSWER in t.tags]
        places = [t for t in asked if ANSWER in t.tags and t.kind == "markdown"]
        if len(answers) == len(places):
            own = [answers[[place.number for place in places].index(cell.number)]]
    text = "\n\n".join(t.source for t in own or texts).strip()
    if not own:  # what is not the question's, for cells may have been merged
        for given in sorted((t.source for t in asked), key=len, reverse=True):
            whole = rf"^\s*{re.escape(given.strip())}\s*$"
            text = re.sub(whole, "", text, flags=re.MULTILINE).strip()
    return "" if " ".join(text.split()) == " ".join(cell.source.split()) else text


def submissions_of(paths: list[Path], question: Path) -> list[Submission]:
    """One submission for each student, the latest. A student is known by a cell tagged
    ``student``, or else by the name of the file."""
    asked = read(question)
    by_student: dict[str, list[Path]] = {}
    for path in paths:
        by_student.setdefault(student_of(path, asked, question), []).append(path)
    found = []
    for student, files in by_student.items():
        *earlier, last = sorted(
            files, key=lambda path: (path.stat().st_mtime, path)
        )
        count = len(files)
        note = f"the latest of {count}: {last.name}" if earlier else ""
        found.append(Submission(last, student, note))
    return sorted(found, key=lambda submission: submission.student)


def student_of(path: Path, asked: Question, question: Path) -> str:
    with contextlib.suppress(Unusable):
        known = {cell.source.strip() for cell in asked.cells}
        for cell in cells(path):
            text = cell.source.strip()
            if STUDENT in cell.tags and text and text not in known:
                return one_line(ValueError(text.split("\n")[-1].rpartition(":")[2]))
    name = path.stem.replace(question.stem, "").strip(" -_.")
    return name or path.resolve().parent.name

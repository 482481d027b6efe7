"""The tables of graded exercises."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

LONG = [
    "student",
    "exercise",
    "result",
    "marks",
    "by hand",
    "of",
    "mistake",
    "message",
    "note",
    "file",
]
LONGEST = 1000  # characters of a message in a table
ENCODING = "utf-8-sig"  # with the mark by which spreadsheets know it


@dataclass
class Row:
    """What became of one exercise of a student: ``marks`` of ``possible``, or those that
    the instructor has entered ``by_hand``."""

    exercise: str
    possible: float
    result: str
    message: str = ""
    mistakes: str = ""
    marks: float = 0.0
    is_check: bool = True
    by_hand: str = ""

    @property
    def counted(self) -> float | None:
        """The marks that count; None as long as nobody has read the answer."""
        try:
            return float(self.by_hand.replace(",", "."))
        except ValueError:
            return None if self.result == "to be read" else self.marks


def number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def one_line(text: str) -> str:
    """Text without line breaks and control characters, and not too long."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(shown.split())[:LONGEST]


def as_text(value: str) -> str:
    """A value that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@")) else value


def write(path: Path, header: list[str], rows: Iterable[list[str]]) -> None:
    with path.open("w", encoding=ENCODING, errors="replace", newline="") as file:
        writer = csv.writer(file)
        for row in [header, *rows]:
            writer.writerow([as_text(one_line(value)) for value in row])


def long_rows(submissions) -> Iterator[list[str]]:
    """A row for each exercise of each student."""
    for each in submissions:
        for row in each.rows:
            marks = "" if row.result == "to be read" else number(row.marks)
            yield [
                *(each.student, row.exercise, row.result, marks, row.by_hand),
                *(number(row.possible), row.mistakes, row.message),
                *(each.note, each.file),
            ]


def wide_rows(submissions) -> Iterator[list[str]]:
    """A row for each student, a column for each exercise. Answers that nobody has read
    are empty, and count nothing."""
    for each in submissions:
        marks = [row.counted for row in each.rows]
        total = sum(mark for mark in marks if mark is not None)
        yield [each.student, *map(number, marks), number(total), each.note]


def wide_header(exercises) -> list[str]:
    whole = sum(each.marks for each in exercises)
    names = [f"{each.name} ({number(each.marks)})" for each in exercises]
    return ["student", *names, f"total ({number(whole)})", "note"]


def marks_by_hand(path: Path) -> dict[tuple[str, str], str]:
    """The marks that an instructor has entered in a long table, if there is one."""
    if not path.is_file():
        return {}
    with path.open(encoding=ENCODING, newline="") as file:
        sample = file.readline()  # a spreadsheet may have saved it with semicolons
        file.seek(0)
        delimiter = ";" if sample.count(";") > sample.count(",") else ","
        return {
            (as_read(row["student"]), as_read(row["exercise"])): row[
                "by hand"
            ].strip()
            for row in csv.DictReader(file, delimiter=delimiter)
            if row.get("by hand") and row.get("student") and row.get("exercise")
        }


def as_read(value: str) -> str:
    return value.removeprefix("'")

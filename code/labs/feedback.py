"""Pages of what was graded: one for each student, and a summary."""

import re
from collections import Counter
from html import escape
from pathlib import Path

from .table import number

# Where an error is, which differs from notebook to notebook.
PLACE = re.compile(r"(?:in )?code cell \d+,? (?:line \d+: )?")

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ font: 1rem/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
td, th {{ border-bottom: 1px solid grey; padding: .4rem; text-align: left; vertical-align: top }}
td.said {{ white-space: pre-wrap; overflow-wrap: anywhere }}
.bar {{ background: #0072B2; display: inline-block; height: .8rem }}
</style>
<h1>{title}</h1>
{body}
</html>
"""


def page(title: str, body: list[str]) -> str:
    return PAGE.format(title=escape(title), body="\n".join(body))


def cells(values: list[str]) -> str:
    *first, last = values
    shown = "".join(f"<td>{escape(value)}</td>" for value in first)
    return f'<tr>{shown}<td class="said">{escape(last)}</td></tr>'


def heads(values: list[str]) -> str:
    return (
        "<tr>" + "".join(f"<th>{escape(value)}</th>" for value in values) + "</tr>"
    )


def of_student(submission) -> str:
    """What a student gets to read. It is made of what their own notebook said, so there
    is nothing of the solution in it."""
    lines = [f"<p>{escape(submission.note)}</p>"] if submission.note else []
    lines += ["<table>", heads(["exercise", "result", "marks", ""])]
    for row in submission.rows:
        marks = f"{number(row.counted) or '–'} of {number(row.possible)}"
        said = row.message if row.is_check else ""
        lines.append(cells([row.exercise, row.result, marks, said]))
    found = [row.counted for row in submission.rows]
    total = sum(mark for mark in found if mark is not None)
    whole = sum(row.possible for row in submission.rows)
    lines += ["</table>", f"<p>Total: {number(total)} of {number(whole)}."]
    if None in found:
        lines.append("Answers in words are still to be read.")
    if any("code cell " in row.message for row in submission.rows if row.is_check):
        lines.append("Code cells are counted from the top, checks included.")
    return page(submission.student, [*lines, "</p>"])


def file_name(student: str, taken: set[str]) -> str:
    """A name for the page of a student, not one that is taken."""
    name = re.sub(r"[^\w.-]+", "_", student).strip("._") or "student"
    first, count = name, 1
    while name.lower() in taken:
        count += 1
        name = f"{first}_{count}"
    taken.add(name.lower())
    return f"{name}.html"


def summary(submissions, exercises) -> str:
    """How many solved each exercise, and what went wrong most often."""
    lines = [f"<p>{len(submissions)} students.</p>"]
    for place, exercise in enumerate(exercises):
        rows = [each.rows[place] for each in submissions]
        lines += [f"<h2>{escape(exercise.name)}</h2>", "<table>"]
        for result, count in Counter(row.result for row in rows).most_common():
            share = 100 * count / len(rows)
            lines.append(
                f"<tr><td>{escape(result)}</td><td>{count}</td><td style='width:60%'>"
                f"<span class='bar' style='width:{share:.0f}%'></span></td></tr>"
            )
        lines.append("</table>")
        wrong = Counter(
            row.mistakes or PLACE.sub("", row.message.split("\n")[0])[:200]
            for row in rows
            if row.is_check and row.result in ("failed", "partly", "error")
        )
        if wrong:
            lines += ["<p>The commonest mistakes:</p>", "<ul>"]
            lines += [
                f"<li>{count} × {escape(text)}</li>"
                for text, count in wrong.most_common(5)
            ]
            lines.append("</ul>")
    return page("Summary", lines)


def write(folder: Path, submissions, exercises) -> None:
    """Write the pages of all students, and the summary."""
    pages = folder / "feedback"
    pages.mkdir(exist_ok=True)
    taken: set[str] = set()
    for each in submissions:
        (pages / file_name(each.student, taken)).write_text(
            of_student(each), encoding="utf-8", errors="replace"
        )
    text = summary(submissions, exercises)
    (folder / "summary.html").write_text(text, encoding="utf-8", errors="replace")

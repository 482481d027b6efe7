"""Check files, and report: a row for each equation, then the totals."""

import dataclasses
import json
from collections.abc import Iterable

from .check import read_and_check
from .extract import Chapter, Display, Inline, read_chapter
from .inline import EXECUTED, Kinds
from .nodes import EquationError
from .package import ADAPTERS
from .proofs import check_reasons
from .results import Result
from .speech import of_formula
from .steps import check_citations


@dataclasses.dataclass
class Report:
    """Results of the displayed equations, and of the formulas in the text."""

    displays: list[Result]
    inlines: list[Result]

    @property
    def results(self) -> list[Result]:
        return self.displays + self.inlines

    @property
    def failures(self) -> list[str]:
        return [failure for result in self.results for failure in result.failures]

    @property
    def exempt(self) -> list[Result]:
        return [result for result in self.displays if result.exempt]

    @property
    def executed(self) -> list[Result]:
        """The formulas in the text that are compared with numbers."""
        return [result for result in self.inlines if result.kind in EXECUTED]

    @property
    def in_words(self) -> dict[str, list[int]]:
        """Where only words make a claim of a formula: the lines of each file."""
        return lines_of(result for result in self.results if result.in_words)

    @property
    def remarks(self) -> dict[str, list[int]]:
        """Where a reason says more than names of rules: the lines of each file."""
        return lines_of(result for result in self.results if result.remarks)

    @property
    def closed(self) -> int:
        """The equals signs that their reasons close for every depth and width."""
        return sum(result.steps.closed for result in self.displays)

    @property
    def out_of_reach(self) -> list[tuple[Result, int, str]]:
        """The others, with their numbers in their display, and what keeps them."""
        return [
            (result, number, construct)
            for result in self.displays
            for number, construct in result.steps.out_of_reach.items()
        ]

    @property
    def values(self) -> int:
        return sum(result.values for result in self.results)

    @property
    def error(self) -> float:
        return max((result.error or 0.0 for result in self.results), default=0.0)


def lines_of(results: Iterable[Result]) -> dict[str, list[int]]:
    lines: dict[str, set[int]] = {}
    for result in results:
        lines.setdefault(result.file, set()).add(result.line)
    return {file: sorted(found) for file, found in lines.items()}


def check_files(paths: list[str], world: str | None = None) -> Report:
    """Check every displayed equation of these files, and every formula in the text, in
    the world that a file names, or in this one.

    Raises OSError where a file cannot be opened, and ValueError where one is no text
    or a display in it does not end.
    """
    chapters = [read_chapter(path, world) for path in paths]
    checked = {
        display.place: read_and_check(display, chapter)
        for chapter in chapters
        for display in chapter.displays
    }
    by_place = {place: result for place, (result, _) in checked.items()}
    check_citations(chapters, by_place)
    check_reasons(
        chapters,
        by_place,
        {(*place, found.tex): read for place, (found, read) in checked.items()},
    )
    inlines = []
    for chapter in chapters:
        kinds = Kinds(chapter)
        inlines += [kinds.check(inline) for inline in chapter.inlines]
    report = Report(list(by_place.values()), inlines)
    check_said(chapters, report)
    return report


def check_said(chapters: list[Chapter], report: Report) -> None:
    """Say each formula that holds in words; what has none is a failure."""
    formulas: list[tuple[Display | Inline, Chapter]] = [
        *((each, chapter) for chapter in chapters for each in chapter.displays),
        *((each, chapter) for chapter in chapters for each in chapter.inlines),
    ]
    for result, (formula, chapter) in zip(report.results, formulas):
        if not result.failures:
            try:
                result.said = of_formula(formula, chapter)
            except EquationError as error:
                result.fail(str(error))
            result.by_hand = bool(formula.said)


def as_text(report: Report) -> str:
    """The table and the totals."""
    head = ("equation", "rows", "networks", "values", "error", "package")
    table = [head, *map(cells, report.displays)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in table
    ]
    lines += [
        f"exempt: {place(result)}: {result.exempt}" for result in report.exempt
    ]
    lines += [f"page and code differ: {text}" for text in ADAPTERS.values()]
    for what, places in (
        ("claims in words, not executed", report.in_words),
        ("reasons with words beyond rules, not checked", report.remarks),
    ):
        lines += [
            f"{what}: {file}, lines {', '.join(map(str, found))}"
            for file, found in places.items()
        ]
    lines += [
        f"not proved: {place(result)}, step {number}: {construct}"
        for result, number, construct in report.out_of_reach
    ]
    lines += report.failures
    return "\n".join([*lines, totals(report)])


def cells(result: Result) -> tuple[str, ...]:
    name = result.label or place(result)
    if result.exempt:
        return (name, "exempt", "", "", "", "")
    return (
        name,
        str(result.rows),
        str(result.networks),
        str(result.values),
        "FAILED" if result.failures else scientific(result.error),
        "yes" if result.package else "",
    )


def totals(report: Report) -> str:
    failed = sum(bool(result.failures) for result in report.results)
    checked = [result for result in report.displays if not result.exempt]
    if not report.results:
        return "no equation stands here: nothing is checked"
    return (
        f"{len(checked)} equations in {sum(result.rows for result in checked)} rows and"
        f" {len(report.executed)} of {len(report.inlines)} formulas in the text,"
        f" {len(report.exempt)} exempt, {sum(r.in_words for r in report.results)} with a"
        f" claim in words, {sum(r.by_hand for r in report.results)} said by hand:"
        f" {report.values} values compared, largest relative error {scientific(report.error)},"
        f" {report.closed} steps closed by their reasons,"
        f" {len(report.out_of_reach)} out of reach, {failed} failed"
    )


def as_json(report: Report) -> str:
    """The same for machines."""
    return json.dumps(
        {
            "displays": [dataclasses.asdict(result) for result in report.displays],
            "inlines": [dataclasses.asdict(result) for result in report.inlines],
            "adapters": ADAPTERS,
            "values": report.values,
            "error": report.error,
            "closed": report.closed,
            "out_of_reach": len(report.out_of_reach),
            "failures": report.failures,
        },
        indent=1,
        ensure_ascii=False,
    )


def scientific(error: float | None) -> str:
    """One digit, which is all that matters of a rounding error."""
    return "" if error is None else f"{error:.0e}" if error else "0"


def place(result: Result) -> str:
    return f"{result.file}:{result.line}"

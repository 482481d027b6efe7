"""Check the reasons that a text gives for its equals signs.

A display with one '=' is followed by a paragraph '*Reason:* ...', one with several
by a numbered list, an item for each. A reason names a definition, a rule, or an
earlier equation. What it names must close the step (see the package `reasons`).
"""

import re
from pathlib import Path

from .extract import Chapter, Display, read_chapter
from .reasons import CITED

RULE = re.compile(
    r"\b(definitions?|linearity|(chain|product|quotient)[\s-]+rule)\b",
    re.IGNORECASE,
)
CITED_OTHERWISE = re.compile(r"\]\(#eq-|\{(?:num)?ref\}`[^`]*\beq-")


def check(display: Display, chains: list, result) -> None:
    """Each '=' has its reason, and each reason the form that it needs."""
    equals = [
        (chain, side)
        for chain in chains
        for side in chain.sides
        if side.relation == "="
    ]
    given = len(display.reasons)
    if equals and given != len(equals):
        result.fail(
            f"{len(equals)} '=' need {len(equals)} reasons below, but {given} are given;"
            " write '*Reason:* ...', or a numbered list for several"
        )
        return
    for (chain, side), reason in zip(equals, display.reasons):
        if CITED_OTHERWISE.search(reason):
            result.fail(
                f"an equation is cited as {{eq}}`eq-...`: {reason}",
                side.line,
                side.row,
            )
        elif not RULE.search(reason) and not CITED.search(reason):
            result.fail(
                "the reason names no definition, no rule and no earlier equation:"
                f" {reason}",
                side.line,
                side.row,
            )


def check_citations(chapters: list[Chapter], results: dict) -> None:
    """A cited equation stands earlier: above in the file, or in an earlier chapter of
    the table of contents. ``results`` has the result of each display by its place."""
    for chapter in chapters:
        book = table_of_contents(chapter.file)
        earlier = earlier_labels(Path(chapter.file), book)
        here: list[str | None] = [display.label for display in chapter.displays]
        for position, display in enumerate(chapter.displays):
            for label in CITED.findall(" ".join(display.reasons)):
                known = label in here[:position] or label in earlier
                if not known and (book or label in here):
                    results[display.file, display.line].fail(
                        f"a reason cites {label}, which does not stand earlier"
                    )


def table_of_contents(file: str) -> list[Path]:
    """The chapters of the book that a file belongs to, in reading order; none if it
    stands alone."""
    place = Path(file).resolve()
    for folder in place.parents:
        table = folder / "_toc.yml"
        if table.is_file():
            names = re.findall(
                r"^[\s-]*(?:root|file): *(\S+)",
                table.read_text(encoding="utf-8"),
                re.MULTILINE,
            )
            files = [folder / f"{name.removesuffix('.md')}.md" for name in names]
            return files if place in files else []
    return []


def earlier_labels(file: Path, book: list[Path]) -> set[str]:
    labels: set[str] = set()
    for path in book:
        if path == file.resolve():
            break
        if path.is_file():
            displays = read_chapter(str(path)).displays
            labels |= {display.label for display in displays if display.label}
    return labels

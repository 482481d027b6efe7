"""Check the reasons that a text gives for its equals signs.

A display with one '=' is followed by a paragraph '*Reason:* ...', one with several
by a numbered list, an item for each. A reason names a definition, a rule, or an
earlier equation. What it names must close the step (see the package `reasons`).
"""

import re
from pathlib import Path

from chapters import reading

from .extract import Chapter, Display, read_chapter
from .reasons import CITED, remarks

RULE = re.compile(
    r"\b(definitions?|linearity|algebra|(chain|product|quotient)[\s-]+rule)\b",
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
        result.remarks += remarks(reason)
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
    read = {Path(chapter.file).resolve(): chapter for chapter in chapters}
    for chapter in chapters:
        before = reading.before(Path(chapter.file))
        earlier = earlier_labels(before or [], read)
        here: list[str | None] = [display.label for display in chapter.displays]
        for position, display in enumerate(chapter.displays):
            for label in CITED.findall(" ".join(display.reasons)):
                known = label in here[:position] or label in earlier
                if not known and (before is not None or label in here):
                    results[display.place].fail(
                        f"a reason cites {label}, which does not stand earlier"
                    )


def earlier_labels(before: list[Path], read: dict[Path, Chapter]) -> set[str]:
    """The labels of the displays in these files, of which some have been read."""
    labels: set[str] = set()
    for path in filter(Path.is_file, before):
        read[path] = read.get(path) or read_chapter(str(path))
        displays = read[path].displays
        labels |= {display.label for display in displays if display.label}
    return labels

"""Check the reasons that a text gives for its equals signs.

A display with one '=' is followed by a paragraph '*Reason:* ...', one with several
by a numbered list, an item for each. A reason names a definition, a rule, or an
earlier equation. What it names must close the step (see the package `reasons`).
"""

import re
from pathlib import Path

from .chains import Chain, read_display
from .extract import Chapter, Display, read_chapter
from .nodes import Equality
from .reasons import CITED, Cited, Construct, Context, OutOfReach, Step, judge
from .results import Result

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


def check_reasons(chapters: list[Chapter], results: dict) -> None:
    """Each step of a display whose numbers are right is closed by its reason, or holds
    a construct that no proof reaches. ``results`` as above."""
    library = Library(chapters)
    for chapter in chapters:
        for display in chapter.displays:
            result = results[display.file, display.line]
            if not result.exempt and not result.failures:
                check_steps(display, chapter, library, result)


def check_steps(
    display: Display, chapter: Chapter, library, result: Result
) -> None:
    chains = library.chains(display)
    steps = [
        (
            Step(left.node, side.node, context(display, chain, chapter, library)),
            side,
        )
        for chain in chains
        if not chain.of_decimals
        for left, side in chain.relations
        if side.relation == "="
    ]
    for number, ((step, side), reason) in enumerate(zip(steps, display.reasons), 1):
        verdict = judge(step, reason, lambda label: library.cited(label, chapter))
        if verdict.fault is not None:
            result.fail(f"{verdict.fault}: {reason}", side.line, side.row)
        elif verdict.construct is not None:
            result.steps.out_of_reach[number] = verdict.construct.value
        else:
            result.steps.closed += 1


def context(
    display: Display, chain: Chain, chapter: Chapter, library: "Library"
) -> Context:
    return Context(
        chapter.loss, chain.range, library.conditions(display), tuple(chain.causes)
    )


class Library:
    """The displays of some chapters, and of the book that they belong to."""

    def __init__(self, chapters: list[Chapter]):
        self.chapters = {Path(c.file).resolve(): c for c in chapters}
        self.read: dict[tuple, tuple] = {}

    def contents(self, display: Display) -> tuple[list[Chain], tuple]:
        key = display.file, display.line
        if key not in self.read:
            unused = Result(display.file, display.line, None, display.tex)
            self.read[key] = read_display(display, unused)
        return self.read[key]

    def chains(self, display: Display) -> list[Chain]:
        return self.contents(display)[0]

    def conditions(self, display: Display) -> tuple[Equality, ...]:
        placed = self.contents(display)[1]
        return tuple(p.what for p in placed if isinstance(p.what, Equality))

    def cited(self, label: str, chapter: Chapter) -> list[Cited]:
        """The equations of a display. Raises OutOfReach, or ValueError in words."""
        for path in [
            Path(chapter.file).resolve(),
            *table_of_contents(chapter.file),
        ]:
            if path not in self.chapters:
                self.chapters[path] = read_chapter(str(path))
            there = self.chapters[path]
            for display in there.displays:
                if display.label == label:
                    return self.equations(display, there)
        raise OutOfReach(Construct.ELSEWHERE)

    def equations(self, display: Display, chapter: Chapter) -> list[Cited]:
        if display.exempt:
            raise ValueError(
                f"{display.label} is not executed, so it is no reason for an equality"
            )
        chains = self.chains(display)
        if any(chain.of_decimals for chain in chains):
            raise OutOfReach(Construct.DECIMALS)
        for relation, construct in (
            ("≈", Construct.ORDER),
            ("←", Construct.UPDATE),
        ):
            if any(side.relation == relation for c in chains for side in c.sides):
                raise OutOfReach(construct)
        return [
            Cited(
                chain.sides[0].node,
                chain.sides[-1].node,
                len(chain.sides) == 2,
                context(display, chain, chapter, self),
            )
            for chain in chains
        ]


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

"""Prove the steps of chapters by their reasons, with what the reasons cite."""

from collections.abc import Iterator
from pathlib import Path

from chapters import reading

from .chains import Chain, Side, read_display
from .extract import Chapter, Display, read_chapter
from .feedforward import FEEDFORWARD
from .nodes import Equality
from .reasons import Cited, Construct, Context, OutOfReach, Step, judge
from .results import Result

Read = dict[tuple[str, int], list[Chain]]  # the chains of displays, by their places


def check_reasons(chapters: list[Chapter], results: dict, read: Read) -> None:
    """Each step of a display whose numbers are right is closed by its reason, or holds
    a construct that no proof reaches. ``results`` has the result of each display by its
    place, ``read`` what has been read there."""
    library = Library(chapters, read)
    for chapter in chapters:
        for display in chapter.displays:
            result = results[display.place]
            if not result.exempt and not result.failures:
                check_steps(display, chapter, library, result)


def check_steps(
    display: Display, chapter: Chapter, library: "Library", result: Result
) -> None:
    steps = library.steps(display, chapter)
    for number, (step, side, reason) in enumerate(steps, start=1):
        verdict = judge(step, reason, lambda label: library.cited(label, chapter))
        if verdict.fault is not None:
            result.fail(f"{verdict.fault}: {reason}", side.line, side.row)
        elif verdict.construct is not None:
            result.steps.out_of_reach[number] = verdict.construct.value
        else:
            result.steps.closed += 1


class Library:
    """The displays of some chapters, and of the book that they belong to. Those of which
    ``read`` has no chains are read when they are needed."""

    def __init__(self, chapters: list[Chapter], read: Read | None = None):
        self.chapters = {Path(c.file).resolve(): c for c in chapters}
        self.read = read or {}
        self.known: dict[tuple[str, int], list[Cited]] = {}

    def chains(self, display: Display) -> list[Chain]:
        if display.place not in self.read:
            unused = Result(*display.place, None, display.tex)
            self.read[display.place] = read_display(display, unused)
        return self.read[display.place]

    def context(self, chain: Chain, chapter: Chapter) -> Context:
        stated = [placed.what for placed in chain.conditions]
        equalities = tuple(what for what in stated if isinstance(what, Equality))
        ours = chapter.world in (None, FEEDFORWARD.name)
        return Context(chapter.loss, chain.range, equalities, chain.causes, ours)

    def steps(
        self, display: Display, chapter: Chapter
    ) -> Iterator[tuple[Step, Side, str]]:
        """Each '=' between symbols: the step, its right side, and its reason."""
        found = [
            (
                Step(left.node, side.node, self.context(chain, chapter)),
                side,
            )
            for chain in self.chains(display)
            if not chain.of_decimals
            for left, side in chain.relations
            if side.relation == "="
        ]
        for (step, side), reason in zip(found, display.reasons):
            yield step, side, reason

    def cited(self, label: str, chapter: Chapter) -> list[Cited]:
        """The equations of a display. Raises OutOfReach, or ValueError in words."""
        for path in [
            Path(chapter.file).resolve(),
            *(reading.before(Path(chapter.file)) or []),
        ]:
            if path not in self.chapters:
                self.chapters[path] = read_chapter(str(path))
            there = self.chapters[path]
            for display in there.displays:
                if display.label == label:
                    if display.place not in self.known:
                        cited = self.equations(display, there)
                        self.known[display.place] = cited
                    return self.known[display.place]
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
                self.context(chain, chapter),
            )
            for chain in chains
        ]

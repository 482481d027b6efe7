"""Prove the steps of chapters by their reasons, with what the reasons cite."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from chapters import reading

from .chains import Chain, Side, read_display
from .check import world_of
from .extract import Chapter, Display, Inline, read_chapter
from .feedforward import FEEDFORWARD
from .nodes import (
    Equality,
    Node,
    Underbrace,
    walk,
)
from .reasons import (
    Cited,
    Construct,
    Context,
    OutOfReach,
    Own,
    Step,
    judge,
    kind_named,
    names_definition_only,
)
from .results import Result
from .world import World

CAN_BE_DEFINED = {"definition", "derivative", "loss"}  # kinds of symbols

Read = dict[tuple[str, int, str], list[Chain]]  # of displays, by place and text


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
        self.defined: dict[str, dict[str, tuple[int, Cited]]] = {}

    def chains(self, display: Display) -> list[Chain]:
        key = *display.place, display.tex  # a changed one stands at the same place
        if key not in self.read:
            unused = Result(*display.place, None, display.tex)
            self.read[key] = read_display(display, unused)
        return self.read[key]

    def context(self, chain: Chain, chapter: Chapter) -> Context:
        stated = [placed.what for placed in chain.conditions]
        equalities = tuple(what for what in stated if isinstance(what, Equality))
        return Context(
            chapter.loss, chain.range, equalities, chain.causes, world_of(chapter)
        )

    def steps(
        self, display: Display, chapter: Chapter
    ) -> Iterator[tuple[Step, Side, str]]:
        """Each '=' between symbols: the step, its right side, and its reason."""
        definitions = {
            kind: cited
            for kind, (line, cited) in self.definitions(chapter).items()
            if line <= display.line  # what comes later defines nothing here
        }
        for (chain, left, side), reason in zip(
            self.equalities(display), display.reasons
        ):
            context = replace(self.context(chain, chapter), definitions=definitions)
            yield Step(left.node, side.node, context), side, reason

    def equalities(self, display: Display) -> list[tuple[Chain, Side, Side]]:
        return [
            (chain, left, side)
            for chain in self.chains(display)
            if not chain.of_decimals
            for left, side in chain.relations
            if side.relation == "="
        ]

    def definitions(self, chapter: Chapter) -> dict[str, tuple[int, Cited]]:
        """What a chapter defines of a world of its own, by kinds, with the line: the
        first formula in its text, or equation with the reason 'definition', that has
        the symbol alone on a side."""
        if chapter.file not in self.defined:
            world = world_of(chapter)
            found: dict[str, tuple[int, Cited]] = {}
            self.defined[chapter.file] = found
            # All symbols of the network are defined by its table.
            parts = [] if world is FEEDFORWARD else chapter.formulas
            for part in sorted(parts, key=lambda part: part.line):
                for left, right, context in self.candidates(part, chapter):
                    kind = own_kind(left, world)
                    if kind and kind not in found:
                        found[kind] = part.line, Cited(left, right, True, context)
        return self.defined[chapter.file]

    def candidates(
        self, part: Display | Inline, chapter: Chapter
    ) -> Iterator[tuple[Node, Node, Context]]:
        """The two sides of what may be definitions, with the layers and the conditions
        for which they hold."""
        if part.exempt:
            return
        if isinstance(part, Display):
            equalities = zip(self.equalities(part), part.reasons)
            for (chain, left, side), reason in equalities:
                context = self.context(chain, chapter)
                if names_definition_only(reason):
                    yield left.node, side.node, context
                for brace in braces(side.node):
                    yield *brace, context
            return
        alone = Display(part.file, part.line, f"{part.tex} {part.claim}")
        for chain, left, side in self.equalities(alone):
            if len(chain.sides) == 2:
                context = self.context(chain, chapter)
                yield left.node, side.node, context
                if part.claim:  # what the text says has a name in the comment
                    yield side.node, left.node, context

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


def own_kind(side: Node, world: World) -> str | None:
    """The kind of a symbol that only this world has, where one stands alone."""
    kind = kind_named(side, world)
    if isinstance(kind, Own) and kind.row.kind in CAN_BE_DEFINED:
        return kind
    return None


def braces(side: Node) -> Iterator[tuple[Node, Node]]:
    """What stands under braces, and what it names."""
    for node in walk(side):
        if isinstance(node, Underbrace) and node.label:
            yield node.label, node.body

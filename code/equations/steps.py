"""Check the reasons that a text gives for its equals signs.

A display with one '=' is followed by a paragraph '*Reason:* ...', one with several
by a numbered list, an item for each. A reason names a definition, a rule, or an
earlier equation. Whether it is a good reason, no program can tell.
"""

import re
from collections.abc import Iterator
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

from chapters import reading

from .calculus import jacobian
from .extract import Chapter, Display, read_chapter
from .nodes import Derivative, Node, Product, Quantity, SumOver, Underbrace
from .symbols import Place
from .world import Model

RULE = re.compile(
    r"\b(definition|linearity|(chain|product|quotient)[\s-]+rule)\b", re.IGNORECASE
)
CHAIN_RULE = re.compile(r"\bchain[\s-]+rule\b", re.IGNORECASE)
CITED = re.compile(r"\{eq\}`(?:[^`<]*<)?\s*([\w:-]+)\s*>?\s*`")
CITED_OTHERWISE = re.compile(r"\]\(#eq-|\{(?:num)?ref\}`[^`]*\beq-")


def check(display: Display, chains: list, model: Model, result) -> None:
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
        elif CHAIN_RULE.search(reason):
            fault = chain_rule_fault(side.node, chain, model)
            if fault:
                result.fail(fault, side.line, side.row)


def chain_rule_fault(node: Node, chain, model: Model) -> str | None:
    """What a side lacks that is said to come from the chain rule."""
    products = list(derivative_products(node, ()))
    if not products:
        return (
            "the reason is the chain rule, but no product of two derivatives"
            " stands here"
        )
    for between, cause, sums in products:
        summed = set(sums) & set(between.indices)
        if (
            between.indices
            and not summed
            and paths(between, cause, chain, model) > 1
        ):
            return "several paths lead on, but there is no sum over them"
    return None


def derivative_products(
    node, sums: tuple[str, ...]
) -> Iterator[tuple[Quantity, Quantity, tuple[str, ...]]]:
    """Of neighbours ∂a/∂b · ∂b/∂c, in either order, b and c, with the indices of the
    sums around. Braces are looked through."""
    if isinstance(node, SumOver):
        sums = (*sums, node.index)
    if isinstance(node, Product):
        for pair in pairwise(map(without_brace, node.factors)):
            for factors in (pair, pair[::-1]):
                match factors:
                    case (
                        Derivative(by=Quantity() as between),
                        Derivative(of=of, by=Quantity() as cause),
                    ) if of == between:
                        yield between, cause, sums
    if isinstance(node, tuple):
        for part in node:
            yield from derivative_products(part, sums)
    elif isinstance(node, Node):
        for item in fields(node):
            yield from derivative_products(getattr(node, item.name), sums)


def without_brace(node: Node) -> Node:
    return node.body if isinstance(node, Underbrace) else node


def paths(between: Quantity, cause: Quantity, chain, model: Model) -> int:
    """How many elements of a quantity one element of another moves."""
    layers = chain.range
    place = Place(model, None)
    there = Place(model, None if layers is None else place.layer(layers.last))
    effects, causes = there.tensor(between)[0], there.tensor(cause)[0]
    found = jacobian(there, effects, causes, cause)
    moved = found.reshape(effects.numel(), causes.numel()).abs() > 0
    return int(moved.sum(dim=0).max())


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
                    results[display.file, display.line].fail(
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

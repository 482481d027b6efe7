"""TeX in which each symbol says what it reads or writes, for KaTeX's ``\\htmlData``."""

import re
from collections.abc import Iterator

from equations.nodes import Node, Underbrace, children

from .chosen import Claim, Part
from .terms import Leaf, Scope

RELATIONS = {"=": "=", "←": r"\leftarrow"}
JAVASCRIPT = {"S.L": "L", "one": "s"}  # as letters of the page


def tex(claim: Claim, scope: Scope) -> str:
    """An equation as it is compiled: its left side, and what stands last."""
    left, right = (
        side(claim.left, scope, "writes"),
        side(claim.right, scope, "reads"),
    )
    found = f"{left} {RELATIONS[claim.relation]} {right}"
    if claim.range is None:
        return found
    first, last = claim.range
    return rf"{found}, \quad \ell = {first}, \dots, {last}"


def side(part: Part, scope: Scope, attribute: str) -> str:
    text = part.tex
    for node, leaf in sorted(
        leaves(part.node, scope), key=lambda found: -found[0].span[0]
    ):
        start, end = (place - part.start for place in node.span)
        mark = rf"\htmlData{{{attribute}={name(leaf)}}}"
        text = f"{text[:start]}{mark}{{{text[start:end]}}}{text[end:]}"
    return in_a_line(text)


def in_a_line(text: str) -> str:
    """A piece of a display without its columns and its line breaks."""
    return " ".join(text.replace("&", "").split())


def leaves(node: Node, scope: Scope) -> Iterator[tuple[Node, Leaf]]:
    """What reads or writes, with its place in the TeX."""
    leaf = scope.leaf(node)
    if leaf is not None:
        yield node, leaf
        return
    if isinstance(node, Underbrace):
        yield from leaves(node.body, scope)
        return
    for child in children(node):
        yield from leaves(child, scope)


def name(leaf: Leaf) -> str:
    """The name of the entries, with letters in place of numbers."""
    return re.sub(
        r"\$\{(.*?)\}",
        lambda found: JAVASCRIPT.get(found[1], found[1]),
        leaf.slot.entry(leaf.indices),
    )

"""Turn the TeX of a row into a tree, with the grammar of ``grammar.lark``."""

import itertools
import re
from functools import cache
from pathlib import Path

from lark import Lark, Token, Tree, UnexpectedInput
from lark.exceptions import UnexpectedEOF, VisitError

from .build import Build
from .nodes import EquationError, Row

PAIRS = {"{": "}", r"\left": r"\right"}
CASES = re.compile(r"\\begin\{cases\}.*?\\end\{cases\}", re.DOTALL)


@cache
def parse_row(tex: str) -> Row:
    """The tree of a row, or an EquationError that says where reading stopped."""
    parsed = tree(tex)
    for cell in inner_blanked(tex).split("&"):
        check_pairs(cell)
    check_scopes(parsed)
    try:
        return Build().transform(parsed)
    except VisitError as error:
        raise error.orig_exc from None


def check_pairs(cell: str) -> None:
    """Braces, and \\left and \\right, enclose each other inside one cell, or TeX
    does not set it."""
    open_signs = []
    for sign in re.findall(r"\\(?:left|right)(?![A-Za-z])|(?<!\\)[{}]", cell):
        if sign in PAIRS:
            open_signs.append(sign)
        elif not open_signs or PAIRS[open_signs.pop()] != sign:
            raise EquationError(f"{sign} closes nothing in its cell")
    if open_signs:
        raise EquationError(f"{open_signs[-1]} is not closed in its cell")


def inner_blanked(tex: str) -> str:
    """The TeX with blanks in place of `cases`, whose rows and cells are its own."""
    return CASES.sub(lambda match: " " * len(match[0]), tex)


def check_scopes(parsed: Tree) -> None:
    """An operator or a function without parentheses takes one factor. With another
    behind it a reader cannot tell how far it reaches."""
    for row in parsed.find_data("adjacent"):
        for factor in row.children[:-1]:
            atom = factor.children[0]
            if atom.data in ("operator", "named") and not enclosed(atom):
                raise EquationError(
                    "put what is differentiated, or what a function takes, in"
                    " parentheses where more factors follow"
                )


def enclosed(atom: Tree) -> bool:
    """Whether what an operator takes ends where everyone sees it."""
    if atom.data == "named" and isinstance(atom.children[-1], Token):
        return True
    inner = atom.children[-1].children[0]
    while inner.data in ("operator", "named"):
        inner = inner.children[-1].children[0]
    return inner.data in ("group", "underbrace", "function", "absolute", "norm")


def tree(tex: str) -> Tree:
    """The parse tree of a row, with its tokens and their places."""
    try:
        return parser().parse(with_signs_told_apart(tex))
    except UnexpectedEOF as error:
        raise EquationError("the formula ends too early") from error
    except UnexpectedInput as error:
        place = getattr(error, "pos_in_stream", None)
        rest = "" if place is None else " ".join(tex[place:].split())
        if not rest or getattr(error, "token", None) == "":
            raise EquationError("the formula ends too early") from error
        short = rest if len(rest) <= 30 else rest[:30] + " ..."
        for sign, other in (r"\cdot", r"\odot"), (r"\odot", r"\cdot"):
            if rest.startswith(sign) and other in tex[:place]:
                short += "; where · and ⊙ meet, put one product in parentheses"
        raise EquationError(f"cannot be read from here: {short}") from error


def with_signs_told_apart(tex: str) -> str:
    """The TeX with signs that open and close in place of | and \\|, and with another
    sign for & in `cases`. All stay in their places."""
    tex = CASES.sub(lambda match: match[0].replace("&", "¦"), tex)
    for bar in (r"(\\)\|", r"(?<!\\)()\|"):
        first, *others = re.split(bar, tex)
        if len(others) % 4:
            raise EquationError("a | is not closed")
        pairs = zip(itertools.cycle("⟦⟧"), others[::2], others[1::2])
        tex = first + "".join(f"{slash}{sign}{text}" for sign, slash, text in pairs)
    return tex


@cache
def parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        grammar,
        parser="lalr",
        start="row",
        propagate_positions=True,
        maybe_placeholders=False,
    )

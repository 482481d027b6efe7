"""Check inline formulas that equate what is made of the network's quantities."""

import re

from .chains import read_display
from .check import Checker
from .extract import Chapter, Display, Inline
from .results import Failure, Result

CORE = {"W", "b", "z", "Z", "delta", "Delta", r"\mathcal{L}"}
KNOWN = CORE | {"x", "X", "y", "Y", "G", "N", "n", "K", "L", "d", "T", r"\ell"}
SIGN = re.compile(
    r"\\math(?:bf|rm|cal)\{[^}]*\}|\\(?:textbf|boldsymbol|text|operatorname)\{[^}]*\}"
    r"|\\[A-Za-z]+|[A-Za-z]"
)
OTHER_NAME = re.compile(r"_\{\\(?:mathrm|text)\{(?!in\}|out\}|MSE\})")
SIGNS = {
    r"\mathrm{in}",
    r"\mathrm{out}",
    r"\mathrm{MSE}",
    r"\text{in}",
    r"\text{out}",
}
SIGNS |= {r"\mathbf{1}", r"\sigma", r"\sum", r"\cdot", r"\odot", r"\top", r"\prime"}
SIGNS |= {r"\frac", r"\partial", r"\nabla", r"\left", r"\right", r"\underbrace"}


def claims(tex: str) -> bool:
    """Whether an inline formula equates what is made of W, b, z, δ, Z, Δ, 𝓛.

    Others state conditions (n = 5), give numbers, or name things of their own.
    """
    if OTHER_NAME.search(tex):
        return False
    sides = re.sub(r"_\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|_[a-z]", "", tex).split("=")
    found = [{bare(sign) for sign in SIGN.findall(side)} for side in sides]
    return len(found) > 1 and all(
        names & CORE and names <= KNOWN | SIGNS for names in found
    )


def bare(sign: str) -> str:
    """A letter without its font."""
    match = re.fullmatch(r"\\(?:mathbf|textbf|boldsymbol)\{\\?([A-Za-z]+)\}", sign)
    if match:
        return match[1]
    return sign[1:] if sign in (r"\delta", r"\Delta") else sign


def check_inline(inline: Inline, chapter: Chapter) -> Result | None:
    """The check of an inline formula, None where it claims nothing."""
    if not claims(inline.tex):
        return None
    result = Result(inline.file, inline.line, None, inline.tex, rows=1)
    display = Display(inline.file, inline.line, inline.tex)
    chains, conditions = read_display(display, result)
    if not result.failures:
        checker = Checker(chapter, result, conditions)
        try:
            for chain in chains:
                checker.check_where_defined(chain)
        except Failure as failure:
            result.fail(str(failure), failure.line)
    return result

"""Check inline formulas that equate what is made of the network's quantities."""

import re

from .chains import Placed, read_display
from .check import Checker
from .extract import Chapter, Display, Inline
from .nodes import Equality, EquationError, Order
from .results import Result

CORE = {"W", "b", "z", "Z", "delta", "Delta", "mathcal{L}"}
KNOWN = CORE | {"x", "X", "y", "Y", "G", "N", "n", "K", "L", "d", "T"}
GREEK = {"alpha", "beta", "gamma", "epsilon", "varepsilon", "theta", "kappa"}
GREEK |= {"lambda", "mu", "nu", "xi", "pi", "rho", "tau", "phi", "psi", "omega"}
FONT = re.compile(
    r"\\(?:mathbf|textbf|boldsymbol)(?![A-Za-z])"
    r"|\\(?:mathrm|text|operatorname)\{[^}]*\}"
)
SIGN = re.compile(r"\\mathcal\{L\}|\\?[dD]elta|\\[A-Za-z]+|[A-Za-z]")
SUBSCRIPT = re.compile(r"_\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|_[a-z]")
OTHER_NAME = re.compile(r"_\{\\(?:mathrm|text)\{(?!in\}|out\}|MSE\})")
CONDITION = re.compile(r"\\q?quad|\\text\{")
RELATION = re.compile(r"=|\\approx|\\leftarrow|\\gets")


def claims(tex: str) -> bool:
    """Whether an inline formula equates what is made of W, b, z, δ, Z, Δ, 𝓛.

    Others state conditions (n = 5), give numbers, or name things of their own.
    """
    if OTHER_NAME.search(tex):
        return False
    equation = CONDITION.split(SUBSCRIPT.sub("", tex))[0]
    found = [names(side) for side in RELATION.split(FONT.sub("", equation))]
    return len(found) > 1 and all(side & CORE and side <= KNOWN for side in found)


def names(side: str) -> set[str]:
    """The letters of a formula. All other commands are signs, for the parser."""
    signs = {sign.removeprefix("\\") for sign in SIGN.findall(side)}
    return {sign for sign in signs if len(sign) == 1 or sign in CORE | GREEK}


def check_inline(inline: Inline, chapter: Chapter) -> Result | None:
    """The check of an inline formula, None where it claims nothing."""
    if not claims(inline.tex):
        return None
    result = Result(inline.file, inline.line, None, inline.tex, rows=1)
    with result.noting(Placed(None, 0, inline.line)):
        display = Display(inline.file, inline.line, inline.tex)
        chains = read_display(display, result)
        checker = Checker(chapter, result)
        for chain in chains if not result.failures else ():
            if chain.of_kind(Equality) or chain.of_kind(Order):
                raise EquationError("a formula in the text makes one claim")
            if chain.range is None:
                checker.check_where_defined(chain)
            else:
                checker.check(chain)
    return result

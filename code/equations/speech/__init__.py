"""Say formulas in words, from the trees that are checked."""

from .formulas import of_formula

__all__ = ["of_formula"]

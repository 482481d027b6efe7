"""The book's equations as a script for pages: each is a function that computes what stands
on its left, made from the tree of its TeX.
"""

from .script import formulas, write
from .typed import write_typed

__all__ = ["formulas", "write", "write_typed"]

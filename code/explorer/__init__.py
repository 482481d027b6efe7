"""The book's equations as a script for pages: each is a function that computes what stands
on its left, made from the tree of its TeX.
"""

from .script import formulas, write
from .typed import mistakes, write_typed

__all__ = ["formulas", "mistakes", "write", "write_typed"]

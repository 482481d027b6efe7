"""The book's equations as a script for pages: each is a function that computes what stands
on its left, made from the tree of its TeX.
"""

from .blanks import blanks, symbols
from .chosen import Book
from .script import formulas, write
from .typed import mistakes, write_typed

__all__ = [
    "Book",
    "blanks",
    "formulas",
    "mistakes",
    "symbols",
    "write",
    "write_typed",
]

"""Reads the equations of chapters from their TeX, and evaluates them."""

from .report import Report, check_files

__all__ = ["Report", "check_files"]

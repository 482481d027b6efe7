"""Examines a network class, part by part, and names the mistake in it."""

from .diagnose import diagnose
from .report import Diagnosis

__all__ = ["Diagnosis", "diagnose"]

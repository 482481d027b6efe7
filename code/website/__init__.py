"""What Sphinx has built, made light: one style sheet, one script, no more than is used, and a strict policy."""

from .finish import finish

__all__ = ["finish"]

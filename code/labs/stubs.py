"""Whether code compiles, and what to put where homework was."""

import ast
import warnings
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

STATEMENT, EXPRESSION = "raise NotImplementedError", "..."
IN_CLASS, IN_DICT = "pass", "...: ..."
MARK = "_homework_"


def compiled(lines: list[str], flags: int = 0):
    """What a cell compiles to. It may hold magics. Raises SyntaxError or ValueError."""
    text = TransformerManager().transform_cell("\n".join(lines) + "\n")
    with warnings.catch_warnings(action="ignore"):
        allowed = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | flags
        return compile(text, "cell", "exec", allowed, dont_inherit=True)


def tree(lines: list[str]) -> Any:
    """The syntax tree of a cell, None where it has none."""
    try:
        return compiled(lines, ast.PyCF_ONLY_AST)
    except (SyntaxError, ValueError):
        return None


def stub(
    before: list[str], indent: str, homework: list[str], after: list[str]
) -> str | None:
    """What must stand between lines from which homework was taken, None if nothing.

    A body of which nothing but a docstring is left needs a statement; brackets of which
    nothing is left, and an operator that has lost its operand, need an expression. The
    brackets of a call, or behind the name of a class, may be empty.
    """
    marked = tree([*before, indent + MARK, *after])
    place = place_of_mark(marked) if marked else None
    if place is None:
        return None
    parent, children = place
    if isinstance(children[0], ast.stmt):
        left = [child for child in children if not is_mark(child) | is_text(child)]
        if left or isinstance(parent, ast.Module):
            return None
        # What raises an error in the body of a class is the definition.
        return IN_CLASS if isinstance(parent, ast.ClassDef) else STATEMENT
    may_be_empty = isinstance(parent, ast.Call | ast.ClassDef)
    if (len(children) > 1 or may_be_empty) and tree([*before, *after]) is not None:
        return None
    had_pairs = isinstance(parent, ast.Set) and is_dict(homework)
    return IN_DICT if had_pairs else EXPRESSION


def is_dict(lines: list[str]) -> bool:
    """Whether lines stand for a dictionary if they are between braces."""
    braces = tree(["{", *lines, "}"])
    kinds = ast.Dict | ast.DictComp
    return bool(braces) and isinstance(braces.body[0].value, kinds)


def place_of_mark(root: ast.AST) -> tuple[ast.AST, list[ast.AST]] | None:
    """The node in which the mark stands, and the children of it among which it is."""
    for node in ast.walk(root):
        for _, value in ast.iter_fields(node):
            children = value if isinstance(value, list) else [value]
            if any(map(is_mark, children)):
                if isinstance(node, ast.Call):
                    children = [*node.args, *node.keywords]
                return node, children
    return None


def is_mark(node) -> bool:
    name = node.value if isinstance(node, ast.Expr) else node
    return isinstance(name, ast.Name) and name.id == MARK


def is_text(node: ast.AST) -> bool:
    """Whether a statement is a docstring."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )

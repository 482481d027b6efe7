"""Functions and classes of files, included in a template."""

import ast
import io
import tokenize
from pathlib import Path
from typing import Any

from .fault import Fault, one_line
from .tags import Line

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def source(line: Line, folder: Path) -> list[str]:
    """The lines of the object that an include names, as far right as its tag."""
    lines, node = find(line, folder)
    return listing(lines, node, line.tag.indent)


def opening(line: Line, folder: Path) -> tuple[list[str], str]:
    """The decorators, the signature and the docstring of the function that an include
    names, as far right as its tag; and the indentation of the function's body."""
    lines, node = find(line, folder)
    if isinstance(node, ast.ClassDef):
        raise Fault(line.number, f"homework is a function, but {node.name} a class")
    body, has_docstring = node.body[0], ast.get_docstring(node) is not None
    if has_docstring:
        text = lines[body.end_lineno - 1].encode()[: body.end_col_offset]
        lines[body.end_lineno - 1] = text.decode()
    shown = listing(lines, node, "")
    length, column = signature_end(shown)
    if not length:
        raise Fault(
            line.number, f"the body of {node.name} is not on lines of its own"
        )
    shown[length - 1] = shown[length - 1][:column]
    first = first_line(node)
    rows = range(body.lineno - first, body.end_lineno - first + 1)
    docstring = [shown[row] for row in rows if has_docstring]
    indent = line.tag.indent
    return (
        [(indent + text).rstrip() for text in shown[:length] + docstring],
        indent + " " * (body.col_offset - node.col_offset),
    )


def find(line: Line, folder: Path) -> tuple[list[str], ast.FunctionDef]:
    """The lines of the file that an include names, and the definition in it."""
    file, _, name = line.tag.argument.rpartition(" ")
    try:
        text = (folder / file.strip()).read_text(encoding="utf-8")
        node: Any = ast.parse(text)
    except OSError as error:
        raise Fault(line.number, f"{file or name}: {error.strerror}") from None
    except (SyntaxError, ValueError) as error:
        raise Fault(line.number, f"{file}: {one_line(error)}") from None
    for part in name.split("."):
        found = [
            child
            for child in node.body
            if isinstance(child, DEFINITIONS) and child.name == part
        ]
        if len(found) != 1:
            raise Fault(line.number, f"{file} defines {name} {len(found)} times")
        node = found[0]
    return text.split("\n"), node


def first_line(node) -> int:
    return min(part.lineno for part in (node, *node.decorator_list))


def listing(lines: list[str], node, indent: str) -> list[str]:
    margin = " " * node.col_offset
    found = lines[first_line(node) - 1 : node.end_lineno]
    return [(indent + text.removeprefix(margin)).rstrip() for text in found]


def signature_end(lines: list[str]) -> tuple[int, int]:
    """The line (from 1) and the column where a signature ends; the line is 0 if it is
    shared with the body. Comments that follow the signature belong to the body."""
    end = last = 0, 0
    for token in tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline):
        if token.type == tokenize.INDENT:
            return end
        if token.type == tokenize.NEWLINE:
            end = last
        elif token.type != tokenize.COMMENT:
            last = token.end
    return 0, 0

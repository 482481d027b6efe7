"""A displayed formula in pieces, between which a narrow page may break it."""

import re
from dataclasses import dataclass

ALIGNED = re.compile(
    r"\s*\\begin\{aligned\}(?P<rows>.*)\\end\{aligned\}(?P<rest>.*)", re.DOTALL
)
SPACE = re.compile(r"^\[[\d.]+em\]")  # what \\[0.5em] adds; rows have theirs
TOKEN = re.compile(r"\\(?:begin|end)\{\w+\}|\\[A-Za-z]+|\\.|.", re.DOTALL)
OPENING = re.compile(r"\{|\\left|\\begin\{\w+\}")
CLOSING = re.compile(r"\}|\\right|\\end\{\w+\}")


@dataclass
class Row:
    """What stands left of the sign at which rows are aligned, what right of it, and the range or condition behind."""

    left: str
    right: str
    behind: str


def rows(tex: str) -> list[Row]:
    """The rows of a formula. None are found in one that is aligned at more than one place."""
    aligned = ALIGNED.fullmatch(tex)
    if not aligned:
        return [_row(["", tex])]
    lines = [
        split(SPACE.sub("", line), "&") for line in split(aligned["rows"], r"\\")
    ]
    lines = [cells for cells in lines if any(cell.strip() for cell in cells)]
    if any(len(cells) > 2 for cells in lines):
        return []
    lines[-1][-1] += aligned["rest"]
    return [_row(cells if len(cells) == 2 else [*cells, ""]) for cells in lines]


def _row(cells: list[str]) -> Row:
    left, right = cells
    main, *behind = split(right, r"\quad")
    return Row(left.strip(), main.strip(), r"\quad".join(behind).strip())


def split(tex: str, mark: str) -> list[str]:
    """The parts between the marks that stand in no braces."""
    parts, depth = [""], 0
    for token in TOKEN.findall(tex):
        depth += bool(OPENING.fullmatch(token)) - bool(CLOSING.fullmatch(token))
        if token == mark and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    return parts

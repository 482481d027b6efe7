"""Where lines may break a formula: between its rows, behind its signs, and nowhere else."""

import re
from dataclasses import dataclass
from html import unescape

ALIGNED = re.compile(
    r"\s*\\begin\{aligned\}(?P<rows>.*)\\end\{aligned\}(?P<rest>.*)", re.DOTALL
)
SPACE = re.compile(r"^\[[\d.]+em\]")  # what \\[0.5em] adds; rows have theirs
TOKEN = re.compile(r"\\(?:begin|end)\{\w+\}|\\[A-Za-z]+|\\.|.", re.DOTALL)
OPENING = re.compile(r"\{|\\left|\\begin\{\w+\}")
CLOSING = re.compile(r"\}|\\right|\\end\{\w+\}")
# What KaTeX makes of a formula: bases, each of which ends with the sign behind it.
BASE = '<span class="base">'
OPENED, CLOSED = (re.compile(rf'<span class="{each}</span>') for each in (r'mopen">[(\[{]', r'mclose">[)\]}]'))  # fmt: skip
TAG = re.compile(r"<[^>]*>|\u200b")
SMALL = re.compile(r'mtight">([^<]+)<')  # in an index
SHORT = 16  # letters and signs that fit a line, on any phone


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


def breakable(html: str) -> str:
    """The HTML of a formula, with the places marked at which a line may break.

    What is short stays whole. Else it breaks behind relations; what is then still long,
    behind other signs, but for those in parentheses; and only what is long within these,
    there, too.
    """
    before, *bases = html.split(BASE)
    ranked, depth = [], 0
    for base in bases:
        depth += len(OPENED.findall(base)) - len(CLOSED.findall(base))
        is_relation = base.rfind('"mrel">') > base.rfind('"mbin">')
        ranked.append((2 if depth else 0 if is_relation else 1, base))
    pieces = _pieces(ranked, 0)
    return before + "<wbr>".join(
        "".join(BASE + base for _, base in piece) for piece in pieces
    )


def _pieces(bases: list[tuple[int, str]], rank: int) -> list[list[tuple[int, str]]]:
    html = "".join(base for _, base in bases)
    small = sum(map(len, SMALL.findall(html)))
    if rank > 2 or len(unescape(TAG.sub("", html))) - small / 2 <= SHORT:
        return [bases]
    groups: list[list[tuple[int, str]]] = [[]]
    for base in bases:
        groups[-1].append(base)
        if base[0] <= rank:
            groups.append([])
    return [piece for g in groups if g for piece in _pieces(g, rank + 1)]

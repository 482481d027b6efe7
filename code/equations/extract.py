"""Find the formulas of a chapter: displayed and inline, with their lines in the file."""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .networks import PencilNetwork
from .nodes import EquationError, Loss
from .parse import parse_row

# Directives of which the text is code or output, not mathematics.
CODE = {"code-cell", "code-block", "code", "literalinclude", "eval-rst", "raw"}

FENCE = re.compile(r"^\s*(`{3,}(?=[^`]*$)|~{3,}|:{3,})\s*(?:\{([\w:-]+)\})?(.*)$")
FORMS = ("dollars", "brackets", "environment", "directive")
ENVIRONMENTS = r"(?:align|alignat|eqnarray|equation|flalign|gather|multline)\*?"
DISPLAY = re.compile(
    r"\$\$(?P<dollars>.+?)\$\$(?: *\((?P<label>[\w:-]+)\))?"
    r"|\\\[(?P<brackets>.+?)\\\]"
    rf"|\\begin\{{(?P<name>{ENVIRONMENTS})\}}"
    r"(?P<environment>.+?)\\end\{(?P=name)\}"
    r"|^[ \t]*(?P<fence>`{3,}|~{3,}|:{3,})[ \t]*\{math\}"
    r"(?P<directive>.+?)^[ \t]*(?P=fence)[`~:]*[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
UNCLOSED = re.compile(
    rf"\$\$|\\[\[\]]|\\(?:begin|end)\{{{ENVIRONMENTS}\}}"
    r"|^[ \t]*(?:`{3,}|~{3,}|:{3,})[ \t]*\{math\}",
    re.MULTILINE,
)
LABEL = re.compile(r"\\label\{([\w:-]+)\}|^[ \t]*:label:[ \t]*(\S+)", re.MULTILINE)
OPTION = re.compile(r"^[ \t]*:[\w-]+:.*$", re.MULTILINE)
CODE_SPAN = re.compile(r"(\{[\w:-]+\}`[^`]+`)|(?<![`\\])(`+)(?!`).+?(?<!`)\2(?!`)")
EXEMPT = re.compile(r"^<!-- not executed: *(.+?) *-->$")
REASON = re.compile(r"^\s*\*Reason:\* *(?P<reason>.*)$")
ITEM = re.compile(r"^\s*(?P<number>\d+)[.)] +(?P<reason>.*)$")
# No blank line and no new item of a list stands in a formula. The second form is a role.
INLINE = re.compile(
    r"(?<![\\$])\$(?!\$)(?P<dollars>(?:[^$\n]|\n(?!\s*(?:\n|[-*+] |\d+[.)] )))+?)(?<!\\)\$(?!\$)"
    r"|\{math\}`(?P<role>[^`]+)`"
)
STANDS_FOR = re.compile(r"\$\\mathcal\{L\}\$\s+stands\s+for\s+\$([^$]+)\$")
PENCIL_CELL = re.compile(
    r"^```\{code-cell\}[^\n]*\n:tags: \[pencil\]\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
WORLD = re.compile(r"^equations: *\{world: *(\w+)\}$", re.MULTILINE)
LEARNING_RATE = re.compile(r"\$\\eta = (\d+(?:\.\d+)?)\$")


@dataclass
class Display:
    """A displayed equation: ``tex`` is what stands in the file, from ``line`` on."""

    file: str
    line: int
    tex: str
    label: str | None = None
    exempt: str | None = None
    reasons: list[str] = field(default_factory=list)


@dataclass
class Inline:
    """An inline formula."""

    file: str
    line: int
    tex: str


@dataclass
class Chapter:
    """What a file says: its formulas, and what its text declares about them."""

    file: str
    displays: list[Display]
    inlines: list[Inline]
    loss: Loss | None  # what a bare loss stands for
    learning_rate: float | None
    numbers: dict[str, list] | None  # the network of the cell tagged `pencil`
    world: str | None = None


def read_chapter(path: str) -> Chapter:
    """Read a Markdown file.

    Raises OSError where it cannot be opened, and ValueError where it is no
    text, where a displayed equation does not end, or where what the chapter declares
    cannot be understood.
    """
    try:
        source = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text file in UTF-8") from error
    return parse_chapter(path, source)


def parse_chapter(path: str, source: str) -> Chapter:
    """As `read_chapter`, from the text of the file."""
    lines = without_code(source.split("\n"))
    displays, text = split_displays(path, "\n".join(lines))
    return Chapter(
        path,
        displays,
        [
            Inline(path, line_of(match, text), match["dollars"] or match["role"])
            for match in INLINE.finditer(text)
        ],
        declared(path, text, STANDS_FOR, "a loss with its arguments", loss),
        declared(path, text, LEARNING_RATE, "a learning rate", float),
        declared(path, source, PENCIL_CELL, "W1, b1, ..., x, y that fit", numbers),
        declared(path, source, WORLD, "a world", str),
    )


def line_of(match: re.Match, text: str) -> int:
    return text.count("\n", 0, match.start()) + 1


def declared(
    path: str, text: str, pattern: re.Pattern, expected: str, read: Callable
):
    """What a chapter declares, None where it does not; a ValueError where that cannot
    be read, or where there are two."""
    found = None
    for match in pattern.finditer(text):
        place = f"{path}:{line_of(match, text)}"
        try:
            value = read(match[1])
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            raise ValueError(f"{place}: expected {expected}; {problem}") from error
        if found not in (None, value):
            raise ValueError(f"{place}: {expected}, but another stands above")
        found = value
    return found


def loss(tex: str) -> Loss:
    (side,) = parse_row(tex).sides
    if not isinstance(side, Loss) or not side.arguments:
        raise EquationError(f"{tex} is none")
    return side


def without_code(lines: list[str]) -> list[str]:
    """The lines, with code and comments blanked, so that line numbers stay."""
    kept = []
    open_fences: list[tuple[str, bool]] = []  # its sign, and whether it holds code
    if lines and lines[0] == "---" and "---" in lines[1:]:  # front matter
        end = lines.index("---", 1)
        lines = [""] * (end + 1) + lines[end + 1 :]
    in_head = False  # of a code cell: YAML, with captions, between two lines '---'
    for line, above in zip(lines, ["", *lines]):
        fence = FENCE.match(line)
        in_code = bool(open_fences) and open_fences[-1][1]
        if in_code and line.strip() == "---":
            in_head = not in_head and "{code-cell}" in above
        if fence and open_fences and is_end(fence, open_fences[-1][0]):
            open_fences.pop()
            in_head = False
        elif fence and not in_code:
            # A fence without the name of a directive is a listing.
            is_code = fence[2] in CODE or fence[2] is None
            open_fences.append((fence[1], is_code))
            in_code = is_code
        is_text = (in_head or not in_code) and not line.lstrip().startswith("%")
        kept.append(CODE_SPAN.sub(r"\1", line) if is_text else "")
    return kept


def is_end(fence: re.Match, opened: str) -> bool:
    return fence[1].startswith(opened) and not fence[2] and not fence[3].strip()


def split_displays(path: str, text: str) -> tuple[list[Display], str]:
    """The displayed equations, and the text with them blanked."""
    lines = text.split("\n")
    displays = []

    def take(match: re.Match) -> str:
        form = next(name for name in FORMS if match[name] is not None)
        tex, label = match[form], match["label"]
        inside = LABEL.search(tex)
        if inside:
            label, tex = inside[1] or inside[2], LABEL.sub(blanks, tex)
        if form == "directive":
            tex = OPTION.sub(blanks, tex)
        start = match.start(form) + len(tex) - len(tex.lstrip())
        first = text.count("\n", 0, match.start())
        last = text.count("\n", 0, match.end())
        displays.append(
            Display(
                path,
                text.count("\n", 0, start) + 1,
                tex.strip(),
                label,
                exemption(lines, first),
                reasons_below(lines, last + 1),
            )
        )
        return "\n" * match[0].count("\n")

    rest = DISPLAY.sub(take, text)
    unclosed = UNCLOSED.search(rest)
    if unclosed:
        raise ValueError(
            f"{path}:{line_of(unclosed, rest)}: this equation does not end, or does"
            " not begin"
        )
    return displays, rest


def blanks(match: re.Match) -> str:
    return " " * len(match[0])


def exemption(lines: list[str], number: int) -> str | None:
    """The reason in a comment above a display: why it is not executed."""
    above = number - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    match = EXEMPT.match(lines[above].strip()) if above >= 0 else None
    return match[1] if match else None


def reasons_below(lines: list[str], number: int) -> list[str]:
    """The reasons that stand below a display: one paragraph, or a list."""
    while number < len(lines) and not lines[number].strip():
        number += 1
    reasons: list[str] = []
    while number < len(lines):
        line = lines[number]
        start = REASON.match(line) if not reasons else None
        start = start or ITEM.match(line)
        after = lines[number + 1] if number + 1 < len(lines) else ""
        item = ITEM.match(after)
        if start:
            reasons.append(start["reason"])
        elif not line.strip() and item and item["number"] == str(len(reasons) + 1):
            pass  # a blank line before the next item
        elif reasons and line.strip() and not line.startswith("```"):
            reasons[-1] += " " + line.strip()
        else:
            break
        number += 1
    return reasons


def numbers(cell: str) -> dict[str, list]:
    """The numbers that the code cell tagged `pencil` assigns to W1, b1, ..., x and y."""
    found = {}
    for statement in ast.parse(cell).body:
        match statement:
            case ast.Assign([ast.Name(name)], ast.Call(args=[values])) if (
                re.fullmatch(r"[Wb]\d+|[xy]", name)
            ):
                found[name] = ast.literal_eval(values)
    PencilNetwork(found, None)  # raises where they are too few or do not fit
    return found

"""Find the formulas of a chapter: displayed and inline, with their lines in the file."""

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

# Directives of which the text is code or output, not mathematics.
CODE = {"code-cell", "code-block", "code", "literalinclude", "eval-rst", "raw"}

FENCE = re.compile(r"^\s*(`{3,}|~{3,}|:{3,})(?:\{([\w:-]+)\})?(.*)$")
ENVIRONMENT = re.compile(r"\\begin\{(align|equation|gather)(\*?)\}")
CODE_SPAN = re.compile(r"(\{[\w:-]+\}`[^`]+`)|(?<!`)(`+)(?!`).+?(?<!`)\2(?!`)")
EXEMPT = re.compile(r"^<!-- not executed: *(.+?) *-->$")
REASON = re.compile(r"^\*Reason:\* *(.*)$")
ITEM = re.compile(r"^\d+\. +(.*)$")
INLINE = re.compile(r"(?<![\\$])\$(?!\$)([^$]+?)(?<!\\)\$(?!\$)")
STANDS_FOR = re.compile(r"\$\\mathcal\{L\}\$\s+stands\s+for\s+\$([^$]+)\$")
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
    loss: str | None  # what a bare loss stands for
    learning_rate: float | None
    numbers: dict[str, list] | None  # the network of the cell tagged `pencil`


def read_chapter(path: str) -> Chapter:
    """Read a Markdown file.

    Raises OSError where it cannot be opened, and ValueError where it is no
    text or a displayed equation does not end.
    """
    try:
        source = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text file in UTF-8") from error
    return parse_chapter(path, source)


def parse_chapter(path: str, source: str) -> Chapter:
    """As `read_chapter`, from the text of the file."""
    lines = without_code(source.splitlines())
    displays, rest = split_displays(path, lines)
    text = "\n".join(rest)
    loss, rate = STANDS_FOR.search(text), LEARNING_RATE.search(text)
    return Chapter(
        path,
        displays,
        [
            Inline(path, text.count("\n", 0, match.start()) + 1, match[1])
            for match in INLINE.finditer(text)
        ],
        loss and loss[1],
        rate and float(rate[1]),
        pencil_numbers(source),
    )


def without_code(lines: list[str]) -> list[str]:
    """The lines, with those of code blanked, so that line numbers stay."""
    kept = []
    open_fences: list[tuple[str, bool]] = []  # its sign, and whether it holds code
    if lines and lines[0] == "---" and "---" in lines[1:]:  # front matter
        end = lines.index("---", 1)
        lines = [""] * (end + 1) + lines[end + 1 :]
    for line in lines:
        fence = FENCE.match(line)
        in_code = bool(open_fences) and open_fences[-1][1]
        if fence and open_fences and is_end(fence, open_fences[-1][0]):
            open_fences.pop()
        elif fence and not in_code:
            # A fence without the name of a directive is a listing.
            is_code = fence[2] in CODE or fence[2] is None
            open_fences.append((fence[1], is_code))
            in_code = is_code
        kept.append("" if in_code else CODE_SPAN.sub(r"\1", line))
    return kept


def is_end(fence: re.Match, opened: str) -> bool:
    return fence[1].startswith(opened) and not fence[2] and not fence[3].strip()


def split_displays(path: str, lines: list[str]) -> tuple[list[Display], list[str]]:
    """The displayed equations, and the lines without them."""
    displays, rest, number = [], list(lines), 0
    while number < len(lines):
        found = display_at(lines, number)
        if found is None:
            number += 1
            continue
        first, last, end, tex, label = found
        if end >= len(lines):
            raise ValueError(f"{path}:{number + 1}: this equation does not end")
        displays.append(
            Display(
                path,
                first + 1,
                tex,
                label,
                exemption(lines, number),
                reasons_below(lines, end + 1),
            )
        )
        rest[number : end + 1] = [""] * (end + 1 - number)
        number = end + 1
    return displays, rest


def display_at(lines: list[str], number: int):
    """The display that starts in a line: (first line of its TeX, last line, line of
    its closing, TeX, label); None if none starts there. An end beyond the lines
    means that it is not closed."""
    line = lines[number].strip()
    closings = {"$$": r"\$\$(?: *\(([\w:-]+)\))?", r"\[": r"\\\]()"}
    environment = ENVIRONMENT.match(line)
    single = re.fullmatch(r"\$\$(.+?)\$\$(?: *\(([\w:-]+)\))?", line)
    if single:
        return number, number, number, single[1], single[2]
    if re.match(r"(`{3,}|:{3,})\{math\}", line):
        fence = re.match(r"`+|:+", line)[0]
        end, first, label = number + 1, number + 1, None
        while end < len(lines) and lines[end].strip() != fence:
            option = re.fullmatch(r":label: *(\S+)", lines[end].strip())
            if option:
                label, first = option[1], end + 1
            end += 1
        return first, end - 1, end, "\n".join(lines[first:end]), label
    if environment:
        closing = re.compile(
            rf"\\end\{{{environment[1]}{re.escape(environment[2])}\}}"
        )
        closings, label_group = {line: closing.pattern + "()"}, 1
    if line not in closings:
        return None
    end = number + 1
    while end < len(lines):
        closed = re.fullmatch(closings[line], lines[end].strip())
        if closed:
            tex = "\n".join(lines[number + 1 : end])
            return number + 1, end - 1, end, tex, closed[1] or None
        end += 1
    return number + 1, end, end, "", None


def exemption(lines: list[str], number: int) -> str | None:
    """The reason in a comment above a display: why it is not executed."""
    above = number - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    match = EXEMPT.match(lines[above].strip()) if above >= 0 else None
    return match and match[1]


def reasons_below(lines: list[str], number: int) -> list[str]:
    """The reasons that stand below a display: one paragraph, or a list."""
    while number < len(lines) and not lines[number].strip():
        number += 1
    reasons: list[str] = []
    while number < len(lines):
        line = lines[number]
        start = REASON.match(line) if not reasons else None
        start = start or ITEM.match(line)
        if start:
            reasons.append(start[1])
        elif reasons and line.strip() and not line.startswith("```"):
            reasons[-1] += " " + line.strip()
        else:
            break
        number += 1
    return reasons


def pencil_numbers(source: str) -> dict[str, list] | None:
    """The numbers in the code cell tagged `pencil`: what it assigns to W1, b1, ..., x, y."""
    cell = re.search(
        r"^```\{code-cell\}[^\n]*\n:tags: \[pencil\]\n(.*?)^```$",
        source,
        re.MULTILINE | re.DOTALL,
    )
    if cell is None:
        return None
    return {
        statement.targets[0].id: ast.literal_eval(statement.value.args[0])
        for statement in ast.parse(cell[1]).body
    }

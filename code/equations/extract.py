"""Find the formulas of a chapter: displayed and inline, with their lines in the file."""

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

# Directives of which the text is code or output, not mathematics.
CODE = {"code-cell", "code-block", "code", "literalinclude", "eval-rst", "raw"}

FENCE = re.compile(r"^\s*(`{3,}|~{3,}|:{3,})(?:\{([\w:-]+)\})?(.*)$")
FORMS = ("dollars", "brackets", "environment", "directive")
DISPLAY = re.compile(
    r"\$\$(?P<dollars>.+?)\$\$(?: *\((?P<label>[\w:-]+)\))?"
    r"|\\\[(?P<brackets>.+?)\\\]"
    r"|\\begin\{(?P<name>(?:align|equation|gather)\*?)\}"
    r"(?P<environment>.+?)\\end\{(?P=name)\}"
    r"|^(?P<fence>`{3,}|:{3,})\{math\}[^\n]*\n(?::label: *(?P<option>\S+)\n)?"
    r"(?P<directive>.+?)^(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)
UNCLOSED = re.compile(
    r"\$\$|\\[\[\]]|\\(?:begin|end)\{(?:align|equation|gather)\*?\}|^[`:]{3,}\{math\}",
    re.MULTILINE,
)
LABEL = re.compile(r"\\label\{([\w:-]+)\}")
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
    displays, text = split_displays(path, "\n".join(lines))
    loss = STANDS_FOR.search(text)
    rate = LEARNING_RATE.search(text)
    return Chapter(
        path,
        displays,
        [
            Inline(path, text.count("\n", 0, match.start()) + 1, match[1])
            for match in INLINE.finditer(text)
        ],
        loss[1] if loss else None,
        float(rate[1]) if rate else None,
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


def split_displays(path: str, text: str) -> tuple[list[Display], str]:
    """The displayed equations, and the text with them blanked."""
    lines = text.splitlines()
    displays = []

    def take(match: re.Match) -> str:
        form = next(name for name in FORMS if match[name] is not None)
        tex, label = match[form], match["label"] or match["option"]
        inside = LABEL.search(tex)
        if inside:
            label, tex = inside[1], LABEL.sub(lambda m: " " * len(m[0]), tex)
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
        line = rest.count("\n", 0, unclosed.start()) + 1
        raise ValueError(
            f"{path}:{line}: this equation does not end, or does not begin"
        )
    return displays, rest


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
    numbers = {}
    for statement in ast.parse(cell[1]).body:
        match statement:
            case ast.Assign([ast.Name(name)], ast.Call(args=[values])):
                numbers[name] = ast.literal_eval(values)
    return numbers

"""How long it takes to read the book: ``python tests/reading_time.py``

Exercises and their solutions are not counted, and what is folded is not, either: how much
of a chapter that is stands beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from chapters import reading
from chapters.markdown import CODE
from chapters.pieces import (
    Comment,
    Directive,
    Display,
    Heading,
    Html,
    Image,
    Piece,
    Role,
    Target,
)
from chapters.source import WITHOUT_ARGUMENT, pieces
from sphinx.pycode import ModuleAnalyzer

WORDS_A_MINUTE = 150
MINUTES_A_DISPLAY = 1.5
CODE_LINES_A_MINUTE = 8
MINUTES_A_FIGURE = 1

CORE = "intro", "lab"  # from which chapter to which
MOST_MINUTES = 300  # for the core
MOST_FOLDED = 1 / 3  # of the words of a chapter

FIGURES = {"figure", "image"}
# What these have as an argument, or as a body, is no text.
NO_TEXT = CODE | FIGURES | {"only", "math"}


@dataclass
class Count:
    """What there is to read, and how many words more are folded."""

    words: int = 0
    displays: int = 0
    figures: int = 0
    code: int = 0
    folded: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(
            *(
                getattr(self, field.name) + getattr(other, field.name)
                for field in fields(Count)
            )
        )

    @property
    def minutes(self) -> float:
        return (
            self.words / WORDS_A_MINUTE
            + self.displays * MINUTES_A_DISPLAY
            + self.code / CODE_LINES_A_MINUTE
            + self.figures * MINUTES_A_FIGURE
        )

    @property
    def share_folded(self) -> float:
        return self.folded / max(self.words + self.folded, 1)


class Reader:
    """Counts what a chapter has, cell by cell."""

    def __init__(self, folder: Path):
        self.folder, self.total, self.in_exercise = folder, Count(), False

    def add(self, folded: bool, **found: int) -> None:
        if folded:
            found = {"folded": found.get("words", 0)}
        if not self.in_exercise:
            self.total += Count(**found)

    def cell(self, cell) -> None:
        if cell.cell_type == "markdown":
            self.text(cell.source, folded=False)
            return
        tags = cell.metadata.get("tags", [])
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        self.add(
            "hide-input" in tags or "hide-cell" in tags, code=lines(cell.source)
        )
        self.add("hide-cell" in tags, figures=bool(figure))
        self.text(figure.get("caption", ""), folded="hide-cell" in tags)

    def text(self, source: str, folded: bool) -> None:
        """Count what a text in Markdown holds. Formulas in it are words."""
        shown, position = "", 0
        for piece in pieces(source):
            if piece.start < position:  # in a heading that has been counted
                continue
            shown += source[position : piece.start] + spoken(piece)
            position = piece.stop
            match piece:
                case Display():
                    self.add(folded, displays=1)
                case Image():
                    self.add(folded, figures=1)
                case Directive():
                    self.add(folded, words=words(shown))
                    shown = ""
                    self.directive(piece, folded)
        self.add(folded, words=words(shown + source[position:]))

    def directive(self, found: Directive, folded: bool) -> None:
        folded = folded or "dropdown" in found.options.get("class", "").split()
        match found.name:
            case "exercise-start" | "solution-start":
                self.in_exercise = True
            case "exercise-end" | "solution-end":
                self.in_exercise = False
            case "literalinclude":
                self.add(folded, code=lines(included(self.folder, found)))
            case "math":
                self.add(folded, displays=1)
            case name if name in FIGURES:
                self.add(folded, figures=1)
        if found.name not in NO_TEXT | WITHOUT_ARGUMENT:
            self.text(found.argument, folded)
        if found.name not in CODE | {"math"}:
            self.text("\n".join(found.body), folded)


def spoken(piece: Piece) -> str:
    """What is read in place of a piece in a paragraph."""
    match piece:
        case Heading():
            return f"{piece.words}\n"
        case Role(text=str()):
            return piece.text
        case Directive() | Display() | Image() | Html() | Comment() | Target():
            return ""
    return "x"


def words(text: str) -> int:
    return sum(any(map(str.isalnum, word)) for word in text.split())


def lines(code: str) -> int:
    """The lines of code in which something stands."""
    return sum(bool(line.strip()) for line in code.splitlines())


def included(folder: Path, found: Directive) -> str:
    """The code that a literalinclude shows."""
    path = folder / found.argument
    code = path.read_text(encoding="utf-8").splitlines()
    if "pyobject" in found.options:
        tags = ModuleAnalyzer.for_file(path, "").find_tags()
        _, first, last = tags[found.options["pyobject"]]
        code = code[first - 1 : last]
    return "\n".join(code)


def of_chapter(source: Path) -> Count:
    """What there is to read in a chapter, as its page shows it."""
    reader = Reader(source.parent)
    for cell in reading.notebook(source).cells:
        reader.cell(cell)
    return reader.total


def of_book(root: Path) -> dict[str, Count]:
    """What there is to read in each chapter of the tree at ``root``, in reading order."""
    chapters = reading.chapters(root)
    return {name: of_chapter(source) for name, source in chapters.items()}


def core(counts: dict[str, Count]) -> Count:
    """The chapters that every reader reads, together."""
    names = list(counts)
    first, last = map(names.index, CORE)
    return sum((counts[name] for name in names[first : last + 1]), Count())


def problems(counts: dict[str, Count]) -> Iterator[str]:
    """What is too long, or folded too much."""
    minutes = core(counts).minutes
    if minutes > MOST_MINUTES:
        yield (
            f"{' to '.join(CORE)}: {minutes:.0f} minutes, more than {MOST_MINUTES}"
        )
    for name, count in counts.items():
        if count.share_folded > MOST_FOLDED:
            yield f"{name}: {count.share_folded:.0%} of the words are folded"


def row(name: str, count: Count) -> str:
    cells = count.words, count.displays, count.figures, count.code
    numbers = "".join(f"{cell:10}" for cell in cells)
    return f"{name:20}{numbers}{count.minutes:10.0f}{count.share_folded:10.0%}"


def main() -> None:
    counts = of_book(Path(__file__).resolve().parent.parent)
    heads = "words", "displays", "figures", "code", "minutes", "folded"
    print(" " * 20 + "".join(f"{head:>10}" for head in heads))
    for name, count in counts.items():
        print(row(name, count))
    print(row(" to ".join(CORE), core(counts)))
    print(row("all", sum(counts.values(), Count())))


if __name__ == "__main__":
    main()

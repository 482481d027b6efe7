"""MyST written out as the Markdown that every Jupyter shows."""

from collections.abc import Iterator

from chapters.pieces import Comment, Directive, Display, Role, Target
from chapters.source import CELLS, pieces

from .fault import Fault
from .tags import Line, append

LINKS = {"ref", "doc"}
NUMBERS = {"eq", "numref"}


def text_of(lines: list[Line]) -> str:
    return "".join(f"{line.text}\n" for line in lines)


def directives(lines: list[Line]) -> Iterator[Directive]:
    """The directives of a template, in order, but for those inside others. Their lines
    are places in ``lines``, from 1."""
    for piece in pieces(text_of(lines), is_file=True):
        if isinstance(piece, Directive):
            check(piece, lines)
            yield piece


def check(found: Directive, lines: list[Line]) -> None:
    """Raise Fault if a directive has no end, or is in a list."""
    number = lines[found.line - 1].number
    if found.nested:
        raise Fault(number, f"{{{found.name}}} inside a list or a quotation")
    if not found.closed:
        raise Fault(number, f"{{{found.name}}} is not closed")


def plain(lines: list[Line], is_file: bool = False) -> list[str]:
    """The lines of a version, or of a part of it, without what only MyST understands.
    Raises Fault for a directive or a role that is not known here."""
    text = text_of(lines)
    shown: list[str] = []
    kept, position = "", 0

    def put(block: list[str]) -> None:
        append(shown, kept.split("\n")[:-1])
        append(shown, block)

    for piece in pieces(text, is_file=is_file):
        match piece:
            case Role():
                number = lines[piece.line - 1].number
                kept += text[position : piece.start] + word(piece, number)
                position = piece.stop
            case Display(label=str()):
                kept += text[position : text.rindex("$$", 0, piece.stop) + 2]
                position = piece.stop
            case Directive():
                check(piece, lines)
                if piece.name not in CELLS:
                    kept += text[position : piece.start]
                    put(expanded(piece, lines))
                    kept, position = "", piece.stop + 1
            case Target() | Comment():
                kept += text[position : piece.start]
                put([])
                kept, position = "", piece.stop
    kept += text[position:]
    put([])
    return shown


def expanded(found: Directive, lines: list[Line]) -> list[str]:
    """What stands in place of a directive."""
    line = lines[found.line - 1]
    title = "\n".join(plain([Line(line.number, found.argument)]))
    if found.name == "exercise-start":
        return ["", f"### Exercise: {title}" if title else "### Exercise", ""]
    if found.name == "solution-start":
        return ["", "### Answer", ""]
    if found.name in {"exercise-end", "solution-end", "only"}:  # only: for the page
        return [""]
    if found.name == "admonition":
        first = found.body_line - 1
        body = lines[first : first + len(found.body)]
        return ["", f"**{title}**", "", *plain(body), ""]
    raise Fault(line.number, f"the directive {{{found.name}}} is not known")


def word(role: Role, number: int) -> str:
    """The text in place of a role, which is in a line of this number."""
    if role.name in NUMBERS:
        wrong = "shows a number that only the page has"
    elif role.name in LINKS and not role.text:
        wrong = "has no text of its own: write `text <target>`"
    elif role.name not in {*LINKS, "term"}:
        wrong = "is not known"
    else:
        return role.text or role.target
    raise Fault(number, f"the role {{{role.name}}} {wrong}")

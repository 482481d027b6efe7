"""Formulas of the book for a terminal and for a notebook, from their TeX."""

import re
from html import escape
from typing import NamedTuple

SIGNS = {
    r"\Delta": "Δ",
    r"\delta": "δ",
    r"\nabla": "∇",
    r"\sigma": "σ",
    r"\eta": "η",
    r"\ell": "ℓ",
    r"\odot": " ⊙ ",
    r"\cdot": " · ",
    r"\top": "ᵀ",
    r"\tanh": "tanh",
    r"\ ": " ",
    r"\leftarrow": " ← ",
    "'": "′",
    "-": "−",
    "~": " ",
}
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[\s\S]")
ONE_SIGN = re.compile(
    r"\d+|\w[²³]?"
)  # needs no parentheses below a fraction's line
JOINED = "\N{WORD JOINER}"  # no line begins with an index


class Piece(NamedTuple):
    """A part of a formula, and whether it is where two formulas differ."""

    tex: str
    differs: bool = False


def plain(tex: str) -> str:
    """A formula as text: Z_out^(ℓ−1)."""
    return tidy(Reader(tex, as_html=False).all())


def html(tex: str) -> str:
    """A formula with the tags for what is bold, raised or lowered, and no others: they
    are shown everywhere."""
    return tidy(Reader(tex, as_html=True).all())


def tidy(text: str) -> str:
    text = re.sub(r" {2,}", " ", text)
    return text.replace("( ", "(").replace(" )", ")").strip()


def with_marks(pieces: list[Piece]) -> tuple[str, str]:
    """A formula as text, and a line to stand below it that underlines what differs."""
    text, marks = "", ""
    for piece in pieces:
        part = plain(f"x{piece.tex}x")[1:-1] if piece.tex else ""
        text += part
        inner = part.strip()
        lead = len(part) - len(part.lstrip())
        mark = "^" if piece.differs else " "
        marks += (
            " " * lead + mark * len(inner) + " " * (len(part) - lead - len(inner))
        )
    return text, marks.rstrip()


class Reader:
    """Reads the TeX that this package writes: letters in fonts, indices, fractions."""

    def __init__(self, tex: str, as_html: bool):
        self.tokens = TOKEN.findall(tex)
        self.as_html = as_html
        self.place = 0

    def all(self) -> str:
        text = ""
        while self.place < len(self.tokens):
            text += self.part()
        return text

    def next(self) -> str:
        token = self.tokens[self.place]
        self.place += 1
        return token

    def group(self) -> str:
        """What stands in braces, or the next sign alone."""
        while self.tokens[self.place] == " ":
            self.place += 1
        if self.tokens[self.place] != "{":
            return self.part()
        self.place += 1
        text = ""
        while self.tokens[self.place] != "}":
            text += self.part()
        self.place += 1
        return text

    def part(self) -> str:
        token = self.next()
        match token:
            case r"\mathbf" | r"\boldsymbol":
                text = self.group()
                return f"<b>{text}</b>" if self.as_html else text
            case r"\mathrm":
                return self.group()
            case r"\mathcal":
                self.group()
                return "𝓛"
            case r"\frac":
                above, below = self.group(), self.group().replace(" ", "")
                return f"{above}/{below if ONE_SIGN.fullmatch(below) else f'({below})'} "
            case "^" | "_":
                return self.index(token)
            case "{" | "}":
                return ""
        text = SIGNS.get(token, token)
        if token in "+-":
            return f" {text} " if self.has_left_side() else text
        return escape(text) if self.as_html else text

    def has_left_side(self) -> bool:
        """Whether what stands before a sign is what it adds to."""
        before = [t for t in self.tokens[: self.place - 1] if t != " "]
        return bool(before) and before[-1] not in "(={x"

    def index(self, token: str) -> str:
        text = tidy(self.group()).replace(" ", "")
        above = ""
        # The lower one first, as one says it.
        if (
            token == "^"
            and self.place < len(self.tokens)
            and self.tokens[self.place] == "_"
        ):
            self.place += 1
            above, text, token = text, tidy(self.group()).replace(" ", ""), "_"
        if self.as_html:
            tag = "sub" if token == "_" else "sup"
            text, above = text.replace("ᵀ", "⊤"), above.replace("ᵀ", "⊤")
            low = f"{JOINED}<{tag}>{text}</{tag}>"
            return low + (f"<sup>{above}</sup>" if above else "")
        if token == "_":
            low = f"_{text}" if text.isalnum() else f"_[{text}]"
            return low + (raised(above) if above else "")
        return raised(text)


def raised(text: str) -> str:
    return {"2": "²", "3": "³"}.get(
        text, text if text in ("ᵀ", "′") else f"^{text}"
    )

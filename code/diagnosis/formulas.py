"""The formulas that a class computes, beside the book's, for what differs."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from .factors import ONE, Factor
from .losses import CROSS_ENTROPY, SQUARED_ERROR
from .notation import Piece, html, plain, with_marks
from .states import BOOK, Choice, State, same
from .values import z_in, z_out


@dataclass(frozen=True)
class Formula:
    """An equation of the book with this label, and what stands in its place. ``where`` says
    in which layers, empty where it is all of them."""

    label: str
    left: str
    yours: tuple[Piece, ...]
    book: tuple[Piece, ...]
    where: str = ""

    def rows(self) -> tuple[tuple[str, list[Piece]], ...]:
        where = f" ({self.where})" if self.where else ""
        return (
            (f"Your code{where}:", [Piece(self.left), *self.yours]),
            ("The book:", [Piece(self.left), *self.book]),
        )

    def __str__(self) -> str:
        rows = self.rows()
        width = max(len(head) for head, _ in rows) + 1
        lines = []
        for head, pieces in rows:
            text, marks = with_marks(pieces)
            lines.append(f"  {head:{width}}{text}")
            if marks:
                lines.append(" " * (width + 2) + marks)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return "".join(
            f"<p>{head} {''.join(map(shown, pieces))}</p>"
            for head, pieces in self.rows()
        )

    @property
    def tex(self) -> str:
        """What the code computes, as TeX."""
        return self.left + "".join(piece.tex for piece in self.yours)

    def words(self) -> str:
        return plain(self.tex)


def shown(piece: Piece) -> str:
    """A part of a formula in HTML; blanks at its ends are not marked."""
    text = html(f"x{piece.tex}x")[1:-1] if piece.tex else ""
    inner = text.strip()
    if not piece.differs or not inner:
        return text
    return text.replace(inner, f"<mark>{inner}</mark>", 1)


def scale(
    factor: Factor, start: tuple[float, int, int] = (1, 0, 0), units: str = ""
) -> str:
    """The TeX of a factor times the book's own, empty for 1."""
    c, n, K = start
    value = Fraction(factor.c * c).limit_denominator(1000)
    exact = abs(value - Fraction(factor.c * c)) <= 1e-6 * abs(factor.c * c)
    above = [str(abs(value.numerator)) if exact else f"{abs(factor.c * c):.4g}"]
    below = [str(value.denominator)] if exact and value.denominator > 1 else []
    for letter, power in (("n", n + factor.n), ("K", K + factor.K)):
        raised = letter if abs(power) == 1 else f"{letter}^{abs(power)}"
        if power:
            (above if power > 0 else below).append(raised)
    if factor.fan:
        below.append(rf"N^{{({units})}}")
    if len(above) > 1 and above[0] == "1":
        above = above[1:]
    sign = "-" if factor.c < 0 else ""
    top = " ".join(above)
    if below:
        return rf"{sign}\frac{{{top}}}{{{' '.join(below)}}} "
    return (
        f"{sign}{'' if top == '1' else top} ".lstrip()
        if (sign or top != "1")
        else ""
    )


def units(factor: Factor) -> str:
    return r"\ell-1" if factor.fan == "in" else r"\ell"


Get = Callable[[str], Choice]
GRADIENT = rf"\nabla_{{{z_out('L')}}} \mathcal{{L}}"


def of_loss(get: Get) -> list[Piece]:
    factor, residual = get("loss factor"), get("residual")
    return [
        Piece(scale(factor, (2, -1, -1)), factor != ONE),
        Piece(residual.tex, not same(residual, BOOK["residual"])),
    ]


def of_cross_entropy(get: Get) -> list[Piece]:
    factor, residual, slope = (
        get("loss factor"),
        get("residual"),
        get("output slope"),
    )
    has_slope = slope is not None and slope.key != "none"
    return [
        Piece(scale(factor, (1, -1, -1)), factor != ONE),
        Piece(residual.tex, not same(residual, BOOK["residual"])),
        Piece(rf" \odot {slope.tex}" if has_slope else "", has_slope),
    ]


def of_output(get: Get) -> list[Piece]:
    slope = get("output slope")
    if slope is None or slope.key == "own":
        tex = r" \odot \sigma'^{(L)}(" + z_in("L") + ")"
        return [Piece(GRADIENT), Piece(tex, slope is None)]
    differing = Piece("" if slope.key == "none" else rf" \odot {slope.tex}", True)
    return [Piece(GRADIENT), differing]


def of_parameter(name: str) -> Callable[[Get], list[Piece]]:
    def pieces(get: Get) -> list[Piece]:
        form, use, factor = get(name), get(f"{name} of"), get(f"{name} factor")
        before, *behind = form.tex.split("{}")
        differs = not same(form, BOOK[name])
        found = [Piece(scale(factor, units=units(factor)), factor != ONE)]
        found.append(Piece(before, differs))
        for part in behind:
            whole = part.startswith("^") and use.key != "delta"
            tex = f"({use.tex})" if whole else use.tex
            found += [Piece(tex, use.key != "delta"), Piece(part, differs)]
        return found

    return pieces


def of_hidden(get: Get) -> list[Piece]:
    source, matrix = get("source"), get("matrix")
    slope, factor = get("hidden slope"), get("hidden factor")
    before, *behind = matrix.tex.split("{}")
    differs = not same(matrix, BOOK["matrix"])
    sent = [Piece(before, differs)]
    for part in behind:
        sent += [Piece(source.tex, source.key != "delta"), Piece(part, differs)]
    found = [Piece(scale(factor, units=units(factor)), factor != ONE)]
    if slope is not None and slope.key == "none":
        return [*found, *sent, Piece("", True)]
    own = r"\sigma'^{(\ell-1)}(" + z_in(r"\ell-1") + ")"
    tex = own if slope is None else slope.tex
    marked = slope is not None and slope.key != "own"
    if matrix.tex == "{}":
        return [*found, *sent, Piece(r" \odot "), Piece(tex, marked)]
    return [*found, Piece("("), *sent, Piece(r") \odot "), Piece(tex, marked)]


W, B = r"\mathbf{W}^{(\ell)}", r"\mathbf{b}^{(\ell)}"
# The label of an equation, its left side, its slots, and how its right side is written.
Equation = tuple[str, str, tuple[str, ...], Callable]
TOP: dict[str, list[Equation]] = {
    SQUARED_ERROR.name: [
        (SQUARED_ERROR.gradient_label, f"{GRADIENT} = ", ("loss factor", "residual"), of_loss),
        ("eq-batch-output-delta", r"\boldsymbol{\Delta}^{(L)} = ", ("output slope",), of_output),
    ],
    CROSS_ENTROPY.name: [
        (CROSS_ENTROPY.gradient_label, r"\boldsymbol{\Delta}^{(L)} = ", ("loss factor", "residual", "output slope"), of_cross_entropy),
    ],
}  # fmt: skip
REST: list[Equation] = [
    ("eq-batch-weights", rf"\nabla_{{{W}}} \mathcal{{L}} = ", ("weights", "weights of", "weights factor"), of_parameter("weights")),
    ("eq-batch-biases", rf"\nabla_{{{B}}} \mathcal{{L}} = ", ("biases", "biases of", "biases factor"), of_parameter("biases")),
    ("eq-batch-hidden-delta", r"\boldsymbol{\Delta}^{(\ell-1)} = ", ("source", "matrix", "hidden slope", "hidden factor"), of_hidden),
]  # fmt: skip


def compared(state: State, L: int) -> list[Formula]:
    """The formulas of an explanation that are not the book's, each beside that."""
    found = []
    for label, left, slots, written in (*TOP[state.loss.name], *REST):
        if state.unexplained & {*slots}:
            continue
        book = written(lambda slot: BOOK.get(slot))
        by_text: dict[tuple[Piece, ...], list[int]] = {}
        layers = sorted({l for l, slot in state.rule if slot == slots[0]})
        for l in layers:
            chosen = {s: state.rule[l, s] for s in slots}
            if all(state.is_book(slot, choice) for slot, choice in chosen.items()):
                continue
            pieces = tuple(written(lambda slot, chosen=chosen: chosen.get(slot)))
            by_text.setdefault(pieces, []).append(l)
        for pieces, at in by_text.items():
            step = 1 if label == "eq-batch-hidden-delta" else 0
            where = (
                ""
                if at == layers
                else "ℓ = " + ", ".join(str(l + step) for l in at)
            )
            found.append(Formula(label, left, pieces, marked(book, pieces), where))
    return found


def marked(book: list[Piece], yours: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The book's pieces, with marks where the other formula has something else."""
    theirs = {piece.tex.strip() for piece in yours if not piece.differs}
    return tuple(
        Piece(
            piece.tex,
            bool(piece.tex)
            and piece.tex.strip() not in theirs
            and piece.tex not in ("(", r") \odot "),
        )
        for piece in book
    )

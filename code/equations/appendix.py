"""The appendix of symbols: every letter and sign of a book, written from the tables by
which its equations are checked, and from what its chapters say of letters of their own.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from chapters import reading

from .check import world_of
from .extract import Chapter, parse_chapter, read_chapter
from .feedforward import FEEDFORWARD
from .forms import letters
from .symbols import GREEK
from .world import LOSS, Symbol, World

BEGIN = "<!-- The tables below are written by python -m equations --symbols. -->"
END = "<!-- The tables end here. -->"
OUTSIDE = "<!-- not executed: no symbol of the table -->"

# Signs, what they mean, and the letters and commands that are read as part of them.
SIGNS = {
    r"\ell": ("index of a layer; where nothing else is said, from 1 to the number of layers", "ell"),
    "s": ("index of a sample", "s"),
    "i, j, k, m": ("indices of units, from 1 to the size of their layer", "i j k m"),
    r"\mathbf{1}": ("column of ones, one for each sample", ""),
    r"\mathbf{A}^{\top}": ("transpose: rows become columns", "top"),
    r"\mathbf{A} \cdot \mathbf{B}": ("product of two matrices, or of two numbers; the dot may be missing", "cdot"),
    r"\mathbf{A} \odot \mathbf{B}": ("product element by element, of two arrays of equal shape", "odot square"),
    r"\operatorname{diag}(\mathbf{a})": ("matrix with a vector on its diagonal, and zeros", "_diag"),
    r"(n \times K)": ("a shape: rows × columns", "times"),
    r"\sum_i, \prod_\ell": ("sum over all values of an index; product", "sum prod"),
    r"\frac{\partial f}{\partial t}": ("derivative with respect to one of several numbers; of vectors, the Jacobian", "partial frac"),
    r"\nabla_{\mathbf{A}} f": ("gradient: the derivatives with respect to all elements, in the shape of the array", "nabla"),
    r"d\mathbf{v}": ("a small change", "d"),
    r"\sigma', \tanh'": ("derivative of a function of one number", ""),
    r"\tanh, \operatorname{sigmoid}": ("the activation functions of the examples", "tanh _sigmoid"),
    r"e^z, \exp, \log, \sin, \cos": ("functions of calculus", "e exp log sin cos"),
    r"\sqrt{a}, |a|, \max": ("root, absolute value, largest value", "sqrt | max"),
    r"\|\mathbf{A}\|": ("norm: root of the sum of all squared elements", r"\|"),
    r"\|\mathbf{A}\|_2": ("the largest factor by which a matrix stretches a vector", ""),
    r"\approx, \leftarrow": ("equals to the digits shown; becomes", "approx leftarrow"),
    r"\ne, \ge, \le, \dots": ("not equal, at least, at most, and so on", "ne ge le geq leq dots"),
}  # fmt: skip

# What says how a formula is set, or is words.
LAYOUT = {
    "begin",
    "end",
    "left",
    "right",
    "quad",
    "mathbf",
    "boldsymbol",
    "mathcal",
}
LAYOUT |= {
    "text",
    "underbrace",
    "_in",
    "_out",
    "_if",
    "_changing",
    "_error of order",
}
LAYOUT |= {"L"}  # of losses

INDEX = {
    "n": "s",
    "N": "i",
    "N-": "j",
    "N0": "j",
    "K": "k",
}  # of what counts units, …


def write(path: str) -> None:
    """Write the tables of the book of this file between its marks. Raises ValueError."""
    file = Path(path)
    text = file.read_text(encoding="utf-8")
    parts = re.split(rf"(?s)(?<={re.escape(BEGIN)}\n).*(?={re.escape(END)})", text)
    if len(parts) != 2:
        raise ValueError(f"{path}: expected two lines, {BEGIN} and {END}")
    others = [
        other for other in reading.book(file) or [] if other != file.resolve()
    ]
    chapters = [read_chapter(str(other)) for other in others]
    found = tables([*chapters, parse_chapter(path, "".join(parts))])
    file.write_text(f"{parts[0]}\n{found}\n{parts[1]}", encoding="utf-8")


def tables(chapters: list[Chapter]) -> str:
    """The tables of all symbols in the formulas of some chapters. Raises ValueError
    where a letter has no meaning, or a meaning no formula."""
    worlds = {world.name: world for world in map(world_of, chapters)}
    parts = [signs(chapters), names(chapters)]
    for world in reversed(worlds.values()):
        of_world = [c for c in chapters if world_of(c) is world]
        parts.insert(0, symbols(world, of_world))
    return "\n".join(parts)


def used(chapter: Chapter) -> Iterable[set[str]]:
    """The letters and commands of each formula."""
    for formula in chapter.formulas:
        tex = re.sub(r"\\(begin|end)\{\w+\}", "", formula.tex)
        tex = re.sub(r"\\(?:[lr]Vert|\|)", r"\\|", tex)
        bars = {r"\|"} if r"\|" in tex else {"|"} if "|" in tex else set()
        yield {re.sub(r"_ *(.*?) *$", r"_\1", part) for part in letters(tex)} | bars


def list_table(title: str, name: str, head: tuple[str, ...], rows: Iterable) -> str:
    # No backticks: in a title they would end the fence before it begins.
    lines = [f"~~~{{list-table}} {title}", f":name: {name}", ":header-rows: 1", ""]
    for row in (head, *rows):
        first, *others = row
        lines += [f"* - {first}", *(f"  - {cell}" for cell in others)]
    return "\n".join([*lines, "~~~", ""])


def formula(tex: str, outside: bool = False) -> str:
    return f"${tex}${OUTSIDE if outside else ''}"


def link(chapter: Chapter) -> str:
    return f"{{ref}}`{Path(chapter.file).stem.replace('_', '-')}`"


# ---------------------------------------------------------------- the symbols of a world


def symbols(world: World, chapters: list[Chapter]) -> str:
    """Those of its table whose letter stands in a formula, without those that are of
    the whole book."""
    is_main = world is FEEDFORWARD
    rows = []
    for symbol in world.symbols:
        ours = is_main or symbol not in FEEDFORWARD.symbols
        if ours and occurs(symbol, chapters):
            written = ", ".join(
                formula(tex, not is_main) for tex in forms(symbol, world)
            )
            rows.append((written, meaning(symbol, world), shape(symbol, is_main)))
    if is_main:
        return list_table(
            "Symbols of the whole book.",
            "tab-symbols",
            ("symbol", "meaning", "shape"),
            rows,
        )
    where = ", ".join(map(link, chapters))
    title = f"Symbols of the model that is called {world.name}: {where}."
    return list_table(
        title, f"tab-symbols-{world.name}", ("symbol", "meaning", "shape"), rows
    )


def occurs(symbol: Symbol, chapters: list[Chapter]) -> bool:
    letter = symbol.letter
    if letter == LOSS:
        return True
    bold = rf"\\(?:mathbf|boldsymbol)\{{{re.escape(command(letter))}\}}"
    for chapter in chapters:
        if letter in chapter.names:
            continue
        for found in chapter.formulas:
            plain = re.sub(bold, "", found.tex)
            is_bold, is_plain = plain != found.tex, letter in letters(plain)
            if (
                is_bold
                if symbol.bold
                else is_plain
                if symbol.bold is False
                else is_bold or is_plain
            ):
                return True
    return False


def command(letter: str) -> str:
    """A letter in TeX."""
    accent, _, name = letter.rpartition(" ")
    name = f"\\{name}" if name in GREEK else name
    return f"\\{accent}{{{name}}}" if accent else name


def forms(symbol: Symbol, world: World) -> list[str]:
    """How a symbol is written: as a whole, and an element of it."""
    if symbol.kind == "loss":
        given = (forms(world.named(name), world)[0] for name in symbol.arguments)
        word = rf"_{{\mathrm{{{symbol.word}}}}}" if symbol.word else ""
        arguments = ", ".join(given).replace(r"(\ell)", "(L)")
        return [rf"\mathcal{{L}}{word}" + (f"({arguments})" if arguments else "")]
    letter = command(symbol.letter)
    layer = r"^{(\ell)}" if symbol.layered else ""
    if symbol.kind == "function":
        return [letter + layer]
    indices = [INDEX.get(axis, "ijkm"[at]) for at, axis in enumerate(symbol.axes)]
    font = "mathbf" if letter.isalpha() else "boldsymbol"
    whole = rf"\{font}{{{letter}}}{layer}" + below(
        symbol, indices[:1] if symbol.sample else []
    )
    element = letter + layer + below(symbol, indices)
    if not indices:
        return [element]
    if len(indices) == 3:
        return [element]
    return [whole] if symbol.bold else [whole, element]


def below(symbol: Symbol, indices: list[str]) -> str:
    part = rf"\mathrm{{{symbol.part}}}" if symbol.part else ""
    found = ",".join(filter(None, ("".join(indices), part)))
    return f"_{{{found}}}" if found else ""


def meaning(symbol: Symbol, world: World) -> str:
    """In words, with the layers if the input has it, too."""
    said = re.sub(r"\b([stuv])\b", r"*\1*", symbol.said)
    with_input = symbol.layered and world.models()[0].values(symbol)[0] is not None
    return said + (r"; $\ell = 0, \dots, L$" if with_input else "")


def shape(symbol: Symbol, is_main: bool) -> str:
    axes = symbol.axes[1:] if symbol.sample else symbol.axes
    if symbol.kind == "function":
        return "keeps the shape"
    if not axes or symbol.kind == "loss":
        return "number"
    marks = {"N": r"N^{(\ell)}", "N-": r"N^{(\ell-1)}", "N0": "N^{(0)}"}
    sizes = [marks.get(axis, axis) for axis in axes]
    tex = r" \times ".join(sizes if len(sizes) > 1 else [*sizes, "1"])
    return formula(tex, not is_main)


# ---------------------------------------------------------------- signs, and other letters


def signs(chapters: list[Chapter]) -> str:
    """The table of the signs that stand in a formula. Raises ValueError where a formula has a letter or a command
    that neither it nor another table explains."""
    written: set[str] = set()
    known = LAYOUT.union(*(covered.split() for _, covered in SIGNS.values()))
    for chapter in chapters:
        world = world_of(chapter)
        words = {f"_{symbol.word}" for symbol in world.symbols}
        told = known | words | world.letters | chapter.names.keys()
        for found in used(chapter):
            if found - told:
                unknown = ", ".join(sorted(found - told))
                raise ValueError(f"{chapter.file}: nothing explains {unknown}")
            written |= found
    rows = (
        (formula(tex, True), said)
        for tex, (said, covered) in SIGNS.items()
        if not covered or written & set(covered.split())
    )
    return list_table("Signs.", "tab-signs", ("sign", "meaning"), rows)


def names(chapters: list[Chapter]) -> str:
    """The letters that single chapters use for their own, from their front matter.
    Raises ValueError where no formula of a chapter has one that it explains."""
    found: dict[tuple[str, str], list[str]] = {}
    for chapter in chapters:
        everything = set[str]().union(*used(chapter))
        for letter, said in chapter.names.items():
            if letter not in everything:
                raise ValueError(
                    f"{chapter.file}: no formula has {letter}, which names explains"
                )
            key = own(letter, chapter), said
            found.setdefault(key, []).append(link(chapter))
    rows = (
        (formula(tex, True), said, ", ".join(found[tex, said]))
        for tex, said in sorted(found, key=in_order)
    )
    return list_table(
        "Letters and signs that single chapters use for their own.",
        "tab-own-names",
        ("symbol", "meaning", "chapter"),
        rows,
    )


def in_order(row: tuple[str, str]) -> tuple[str, tuple[str, str]]:
    """By the letter, whatever its font."""
    letter = re.sub(r"\\(?:mathbf|text)\{(.*)\}", r"\1", row[0])
    return letter.strip("\\").lower(), row


def own(letter: str, chapter: Chapter) -> str:
    """A letter as its chapter writes it: a word, a command, or bold."""
    if letter.startswith("_"):
        return rf"\text{{{letter[1:]}}}"
    bold = rf"\mathbf{{{letter}}}"
    if any(bold in formula.tex for formula in chapter.formulas):
        return bold
    return letter if len(letter) == 1 else f"\\{letter}"

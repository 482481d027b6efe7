"""The words for letters, layers and indices, from the table of symbols of a world."""

import re
from dataclasses import dataclass

from ..nodes import EquationError, Layer, Quantity
from ..world import Symbol, World
from ..worlds import WORLDS

COUNTS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
]
RELATIONS = {
    "=": "equals",
    "≈": "is about",
    "←": "becomes",
    "≥": "is at least",
    "≤": "is at most",
    ">": "is more than",
    "<": "is less than",
    "≠": "is not equal to",
    "∈": "is in",
}
DEFINED = "is defined as"
NAMED = {
    "log": "log",
    "exp": "exp",
    "sin": "sine",
    "cos": "cosine",
    "max": "maximum",
    "softmax": "softmax",
    "sign": "sign",
    "abs": "absolute value",
    "E": "expectation",
}
EACH = "index"  # of an axis of which the table does not say what it counts


@dataclass(frozen=True)
class Vocabulary:
    """What is said for letters: by a world, but for those that a chapter uses for its
    ``own``, which have any font and any indices."""

    world: World
    own: frozenset[str] = frozenset()

    def name(self, letter: str) -> str:
        """A letter: the table's word for it, or its own name."""
        told = [s.spoken for s in self.symbols(letter) if s.spoken]
        return told[0] if told else own_name(letter)

    def symbols(self, letter: str) -> list[Symbol]:
        return [] if letter in self.own else self.world.of_letter(letter)

    def candidates(self, node: Quantity) -> list[Symbol]:
        """The symbols that a quantity can mean, whatever its font; those of the samples
        where its first index is one of a sample."""
        same_letter = self.symbols(node.letter)
        layered = node.layer is not None
        found = [
            s for s in same_letter if s.layered == layered and s.part == node.part
        ]
        found = found or same_letter
        of_sample = bool(node.indices) and node.indices[0] in self.world.counts
        return [s for s in found if s.sample == of_sample] or found

    def is_bold(self, node: Quantity) -> bool:
        """Whether one expects a vector or a matrix; another font is said."""
        found = self.candidates(node)
        return bool(found) and all(len(s.axes) > len(node.indices) for s in found)

    def each(self, node: Quantity) -> list[str]:
        """What the indices of a quantity count: a word for each of its dimensions, and
        for more."""
        found = self.candidates(node)
        axes = found[0].axes if found else ()
        words = {s.letter: s.each for s in self.world.symbols if s.each}
        words["N0"] = "input"
        if {"N", "N-"} <= set(axes):
            words |= {"N-": f"from {words['N']}", "N": f"to {words['N']}"}
        more = [EACH] * (len(node.indices) + node.dot - len(axes))
        return [*(words.get(axis, EACH) for axis in axes), *more]

    def is_kronecker(self, node: Quantity) -> bool:
        plain = node.letter == "delta" and node.layer is None and not node.bold
        return (
            plain
            and len(node.indices) == 2
            and not any(len(s.axes) > 1 for s in self.candidates(node))
        )

    @property
    def index_words(self) -> list[str]:
        """All that stand before an index, the longest first."""
        found = {s.each for s in self.world.symbols if s.each} | {EACH, "input"}
        found |= {f"{way} {word}" for way in ("from", "to") for word in found}
        return sorted(found, key=lambda word: (-len(word), word))

    @property
    def loss_words(self) -> list[str]:
        """All that stand before 'loss'; a text can speak of the losses of any world."""
        worlds = [self.world, *WORLDS.values()]
        found = {s.word for world in worlds for s in world.symbols if s.word}
        return sorted(
            found | {letter[1:] for letter in self.own if letter[0] == "_"}
        )


def own_name(letter: str) -> str:
    """A letter by itself. Of two fonts the second is said."""
    if letter.startswith("_"):
        return f"word {letter[1:]}"
    accent, _, base = letter.rpartition(" ")
    if base == "sigma":  # without an index it is a function
        base = "symbol sigma"
    elif base.startswith("var"):
        base = f"variant {base.removeprefix('var')}"
    elif base[0].isupper():
        base = f"capital {base if len(base) == 1 else base.lower()}"
    return f"{base} {accent}".strip()


def letter_of(spoken: str) -> str:
    """The letter that a name means; the other way of `own_name`."""
    accent = re.search(" (hat|bar|tilde)$", spoken)
    *before, base = re.sub(" (hat|bar|tilde)$", "", spoken).split()
    match before:
        case ["capital"]:
            base = base.capitalize()
        case ["variant"]:
            base = f"var{base}"
        case ["word"]:
            base = f"_{base}"
    return f"{accent[1]} {base}" if accent else base


def layer(layer: Layer) -> str:
    """'ell minus one', 'capital L', '2'."""
    if isinstance(layer.base, int):
        return str(layer.base + layer.offset)
    base = "ell" if layer.base == "ell" else "capital L"
    if not layer.offset:
        return base
    if abs(layer.offset) >= len(COUNTS):
        raise EquationError(f"no word for layer {layer}")
    sign = "minus" if layer.offset < 0 else "plus"
    return f"{base} {sign} {COUNTS[abs(layer.offset)]}"


LAYER = rf"(?:(?:ell|capital L)(?: (?:minus|plus) (?:{'|'.join(COUNTS[1:])}))?|\d+)"


def layer_of(spoken: str) -> Layer:
    """The layer that is said; the other way of `layer`."""
    if spoken.isdigit():
        return Layer(int(spoken))
    base, *offset = spoken.removeprefix("capital ").split()
    if not offset:
        return Layer(base)
    sign, count = offset
    return Layer(base, COUNTS.index(count) * (-1 if sign == "minus" else 1))

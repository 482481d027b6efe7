"""Which formulas of the book become functions, and where they stand in its text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from equations.chains import pieces, read_display
from equations.extract import Chapter, Display, Inline
from equations.marks import of_type
from equations.nodes import EquationError, Node, Range
from equations.parse import Tree, parse_row, tree
from equations.results import Result

# By the form in which they treat the network: one number at a time, one sample with
# vectors, a batch with matrices.
LABELS = {
    "scalar": [
        "eq-scalar-pre-activation",
        "eq-scalar-output",
        "eq-loss-sample",
        "eq-scalar-output-delta",
        "eq-scalar-hidden-delta",
        "eq-scalar-weights",
        "eq-scalar-biases",
        "eq-batch-delta-mean",
        "eq-batch-weights-steps",
        "eq-batch-biases-steps",
    ],
    "vector": [
        "eq-vector-pre-activation",
        "eq-vector-output",
        "eq-vector-output-delta",
        "eq-vector-hidden-delta",
        "eq-vector-weights",
        "eq-vector-biases",
    ],
    "batch": [
        "eq-batch-pre-activation",
        "eq-batch-output",
        "eq-loss-batch",
        "eq-loss-gradient",
        "eq-batch-output-delta",
        "eq-batch-hidden-delta",
        "eq-batch-weights",
        "eq-batch-biases",
        "eq-update-weights",
        "eq-update-biases",
        "eq-glorot",
    ],
}


@dataclass(frozen=True)
class Stated:
    """A formula in the text of a chapter: what it says of ``left``."""

    chapter: str
    left: str


# What no displayed equation says.
LOSS_SLOPE = Stated(
    "scalar",
    r"\frac{\partial \mathcal{L}_{\mathrm{MSE}}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})}"
    r"{\partial z^{(L)}_{i,\mathrm{out}}}",
)


@dataclass(frozen=True)
class Definition:
    """An activation function: what the page and what formulas call it, what the text says
    of its values (None where JavaScript has it), and which equation has its slope. ``left``
    stands on the left there, and ``given`` says what its letters are for the argument z."""

    kind: str
    name: str
    value: Stated | None
    slope: str
    left: str
    given: Mapping[str, str]


ACTIVATIONS = [
    Definition(
        "TanH", "tanh", None, "eq-tanh-derivative", r"\tanh'(z)", {"z": "z"}
    ),
    Definition(
        "Sigmoid",
        "sigmoid",
        Stated("notation", r"\operatorname{sigmoid}(z)"),
        "eq-sigmoid-derivative",
        r"\operatorname{sigmoid}'(z)",
        {"z": "z"},
    ),
    # Its slope is its delta where that of the loss is 1.
    Definition(
        "ReLU",
        "ReLU",
        Stated("digits", r"z_{i,\mathrm{out}}"),
        "eq-digits-relu",
        r"\delta_i",
        {
            r"z_{i,\mathrm{in}}": "z",
            r"\frac{\partial \mathcal{L}}{\partial z_{i,\mathrm{out}}}": "1",
        },
    ),
]


@dataclass(frozen=True)
class Part:
    """A side: its tree, its TeX, and where that begins in the text of the row, in which
    the nodes have their places."""

    node: Node
    tex: str
    start: int


@dataclass(frozen=True)
class Claim:
    """What is compiled of an equation: its left side and what stands last in its chain."""

    chapter: Chapter
    left: Part
    right: Part
    relation: str
    range: Range | None = None


class Book:
    """The chapters of the book, in which formulas are looked up: ``read`` gives one by its
    name, and ``numbers`` says of each label which number its equation has, and in which
    chapter."""

    def __init__(
        self, read: Callable[[str], Chapter], numbers: Mapping[str, tuple[str, str]]
    ):
        self.read, self.numbers = cache(read), numbers

    def claims(self, label: str) -> list[Claim]:
        """Those of a displayed equation. Raises ValueError where there is none with this
        label, or where it cannot be read."""
        if label in self.numbers:
            chapter = self.read(self.numbers[label][1])
            for display in chapter.displays:
                if display.label == label:
                    return claims_of(display, chapter)
        raise ValueError(f"no chapter has an equation {label}")

    def claim(self, label: str) -> Claim:
        """That of an equation with one."""
        claims = self.claims(label)
        if len(claims) > 1:
            raise ValueError(f"{label}: {len(claims)} claims, where one is needed")
        return claims[0]

    def stated(self, wanted: Stated) -> Claim:
        """What the text says of a quantity. Raises ValueError where it does not."""
        chapter, left = self.read(wanted.chapter), node(wanted.left)
        for inline in chapter.inlines:
            sides = parts_of(inline)
            for one, other in (sides, sides[::-1]) if len(sides) == 2 else ():
                if one.node == left:
                    return Claim(chapter, one, other, "=")
        raise ValueError(f"{chapter.file}: no formula says what {wanted.left} is")


def node(tex: str) -> Node:
    """The tree of a formula with one side."""
    return parse_row(f"{tex} = 0").sides[0]


def parts_of(inline: Inline) -> list[Part]:
    """The sides of an inline formula and of the claim behind it."""
    try:
        return parts(f"{inline.tex} {inline.claim}")
    except EquationError:  # such as those that are only said
        return []


def claims_of(display: Display, chapter: Chapter) -> list[Claim]:
    result = Result(display.file, display.line, display.label, display.tex)
    chains = read_display(display, result)
    if result.failures:
        raise ValueError(result.failures[0])
    texts = {number: tex for number, _, _, tex in pieces(display.tex)}
    return [
        Claim(
            chapter,
            parts(texts[chain.sides[0].row])[0],
            parts(texts[chain.sides[-1].row])[-1],
            chain.sides[-1].relation,
            chain.range,
        )
        for chain in chains
    ]


def parts(tex: str) -> list[Part]:
    """The sides of a row, each with its TeX and where that begins in the row."""
    found, start = [], 0
    nodes = iter(parse_row(tex).sides)
    for child in of_type(tree(tex).children, Tree):
        end = child.meta.end_pos
        if child.data == "side":
            found.append(Part(next(nodes), tex[start:end], start))
        start = end
    return found

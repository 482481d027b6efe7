"""Mistakes with which a page computes when it is asked to, compiled as equations are.

Each replaces one equation of the book. Its formula is that of the diagnosis, or what a
chapter says of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from diagnosis.mistakes import MISTAKES
from equations.feedforward import FEEDFORWARD
from equations.networks import Network
from equations.nodes import EquationError, Node, Product, SumOver
from equations.world import Model, Symbol
from torch.nn import functional

from .chosen import Book, Claim, Part, parts
from .marked import RELATIONS, in_a_line


def in_shards(net: Model) -> torch.Tensor:
    """Which of two machines has which sample: the first has one more if the number is odd."""
    n = net.sizes["n"]
    of = torch.arange(n) // ((n + 1) // 2)
    return functional.one_hot(of).T.double()


# That of the book's networks, and a batch that several machines share.
SHARDS = replace(
    FEEDFORWARD,
    name="shards",
    symbols=(
        *FEEDFORWARD.symbols,
        Symbol("P", "machines", "size", (), lambda net: net.count("P"), each="machine"),
        Symbol("a", "1 where a machine has a sample, else 0", "definition", ("P", "n"), in_shards),
        Symbol("m", "samples of each machine", "definition", ("P",), lambda net: in_shards(net).sum(1)),
    ),
)  # fmt: skip


class Square(Network):
    """One with square weights, in which what fits nowhere else does; its batch is in shards."""

    def __init__(self) -> None:
        of_losses = functional.mse_loss
        super().__init__([3, 3, 3, 3], 5, 0, [torch.tanh] * 3, of_losses, of_losses)
        self.world = SHARDS
        self.sizes |= {"P": 2, "N": 3}

    def axis(self, name: str, layer: int | None) -> str:
        return "N" if name in ("N", "N-") else name


@dataclass(frozen=True)
class Wrong:
    """``label`` is that of the equation which ``tex`` replaces, on its right side, and
    ``form`` that in which the page computes with it; ``text`` tells of it. ``square``
    says that its shapes fit square weights only."""

    label: str
    form: str
    tex: Callable[[Book], str]
    text: str
    square: bool = False

    def claim(self, book: Book) -> Claim:
        """As it would stand in the book."""
        claim = book.claim(self.label)
        head = f"{in_a_line(claim.left.tex)} {RELATIONS[claim.relation]}"
        left, right = parts(f"{head} {self.tex(book)}")
        return replace(claim, left=left, right=right)


def square_of_diagnosis(name: str) -> Wrong:
    (found,) = (mistake for mistake in MISTAKES if mistake.name == name)
    return Wrong(found.label, "batch", lambda book: found.tex, found.text, True)


def mean_of_means(book: Book) -> str:
    """The delta of a sample, with the weight that the mean of means gives to it."""
    (means,) = book.claims("eq-machines-means")
    weight, _ = factors(means.right, means.right.node)
    share = book.claim("eq-batch-delta-mean").right
    *_, delta = factors(share, share.node)
    return rf"\left( {weight} \right) \cdot {delta}"


def factors(part: Part, node: Node) -> Iterator[str]:
    """The TeX of the factors of a product, or of a sum of products."""
    match node:
        case SumOver(body=body):
            yield from factors(part, body)
        case Product(factors=found):
            for factor in found:
                start, end = (place - part.start for place in factor.span)
                yield in_a_line(part.tex[start:end])
        case _:
            raise EquationError("a product should stand here")


# No diagnosis names it: it looks at one machine.
MEANS = (
    "Two machines share the batch, and the step takes the mean of their two gradients. Each of these is right, and each"
    " counts alike, whatever the number of samples behind it. P is the number of machines, m that of the samples of each, and"
    " a is 1 where a machine has a sample, else 0. Compare what a sample weighs here with its share of the batch."
)
WRONG = {
    "missing-transpose": square_of_diagnosis("missing-transpose"),
    "mean-of-means": Wrong("eq-batch-delta-mean", "vector", mean_of_means, MEANS),
}

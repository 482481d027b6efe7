"""The world of classifiers: networks that end with sigmoids or a softmax, and the
cross-entropy that goes with them."""

from functools import cache, partial

import torch
from torch import Tensor

from .feedforward import FEEDFORWARD, GENERAL
from .networks import Network
from .tables import loss
from .world import SCALES, Symbol, World


def binary(y: Tensor, q: Tensor) -> Tensor:
    """The cross-entropy of each sample, over its outputs."""
    return -(y * q.log() + (1 - y) * (1 - q).log()).mean(-1)


def of_classes(y: Tensor, p: Tensor) -> Tensor:
    return -(y * p.log()).sum(-1)


# The last activation, the loss of a sample, and labels that go with both.
SIGMOIDS = torch.sigmoid, binary, torch.sigmoid
CLASSES = (
    partial(torch.softmax, dim=-1),
    of_classes,
    partial(torch.softmax, dim=-1),
)


class Classifier(Network):
    """A network with one of both losses. All have the predictions p of a softmax and q
    of sigmoids, whichever of them the loss takes."""

    def __init__(self, sizes: list[int], n: int, end, scale: float = 1.0):
        last, of_sample, labels = end
        activations = [torch.sin, torch.tanh][: len(sizes) - 2] + [last]
        super().__init__(
            sizes,
            n,
            len(sizes),
            activations,
            of_sample,
            lambda y, prediction: of_sample(y, prediction).mean(),
            labels=labels,
            scale=scale,
        )
        self.world = CLASSIFIER

    def forward(self) -> None:
        super().forward()
        z_in, Z_in = self.z_in[-1], self.Z_in[-1]
        assert z_in is not None and Z_in is not None  # there is a last layer
        self.p, self.P = torch.softmax(z_in, -1), torch.softmax(Z_in, -1)
        self.q, self.Q = torch.sigmoid(z_in), torch.sigmoid(Z_in)


@cache
def classifiers() -> tuple[Classifier, ...]:
    return (
        Classifier([3, 2, 5, 4], 6, CLASSES),
        Classifier([4, 5, 3], 2, CLASSES),
        Classifier([3, 2], 4, CLASSES),
        Classifier([5, 3, 2], 6, CLASSES),
        Classifier([4, 2, 5, 3], 6, SIGMOIDS),
        Classifier([2, 3, 1], 4, SIGMOIDS),
        Classifier([3, 4], 1, SIGMOIDS),
    )


@cache
def far_classifiers() -> tuple[Classifier, ...]:
    ends = CLASSES, SIGMOIDS
    return tuple(Classifier([3, 2], 4, end, s) for end in ends for s in SCALES)


CLASSIFIER = World(
    "classifier",
    (
        *(s for s in FEEDFORWARD.symbols if s.letter not in {*GENERAL, *"tuvfwh"} and s.word is None),
        Symbol("p", "predictions of a softmax at the last layer", "definition", ("K",), lambda net: net.p),
        Symbol("P", "the same for a batch, one row a sample", "definition", ("n", "K"), lambda net: net.P, row=True),
        Symbol("q", "predictions of sigmoids at the last layer", "definition", ("K",), lambda net: net.q),
        Symbol("Q", "the same for a batch, one row a sample", "definition", ("n", "K"), lambda net: net.Q, row=True),
        Symbol("c", "any number", "leaf", (), lambda net: net.drawn("c")),
        loss("cross-entropy", lambda net: of_classes(net.y, net.p), name="CE", word="CE", arguments=("y", "p")),
        loss("cross-entropy of the batch", lambda net: of_classes(net.Y, net.P).mean(), name="CE of the batch", word="CE", arguments=("Y", "P")),
        loss("binary cross-entropy", lambda net: binary(net.y, net.q), name="BCE", word="BCE", arguments=("y", "q")),
        loss("binary cross-entropy of the batch", lambda net: binary(net.Y, net.Q).mean(), name="BCE of the batch", word="BCE", arguments=("Y", "Q")),
        loss("mean squared error of a softmax", lambda net: ((net.p - net.y) ** 2).mean(), name="MSE of p", word="MSE", arguments=("y", "p")),
        loss("mean squared error of sigmoids", lambda net: ((net.q - net.y) ** 2).mean(), name="MSE of q", word="MSE", arguments=("y", "q")),
    ),
    classifiers,
    far_classifiers,
    counts={"s": "n"},
    ones="n",
)  # fmt: skip

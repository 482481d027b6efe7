"""The world of the book: what its symbols mean in a feed-forward network.

Every meaning is a definition, or a derivative that automatic differentiation takes of
one. None of the book's results is used.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .nodes import EquationError
from .tables import loss
from .world import Model, Symbol, World

GENERAL = {"p": 4, "q": 7, "r": 5}  # sizes of the vectors of the rules


def slopes(of: str, by: str):
    """The derivatives of a loss by the pre-activations of every layer."""

    def value(net: Any) -> list[Tensor | None]:
        return [
            None if z_in is None else net.jacobian(getattr(net, of), z_in)
            for z_in in getattr(net, by)
        ]

    return value


def number(value: float) -> Tensor:
    return torch.tensor(float(value), dtype=torch.float64)


def learning_rate(net: Any) -> Tensor:
    if net.eta is None:
        raise EquationError("the text has not said what η is")
    return number(net.eta)


def size_of(size: int, net: Any) -> Tensor:
    return number(size)


def entry(net: Any) -> Tensor:
    if net.entry is None:
        raise EquationError("unknown symbol 'w'; it goes with h")
    parameter, layer, place = net.entry
    return getattr(net, parameter)[layer][place]


def step(net: Any) -> Tensor:
    if net.step is None:
        raise EquationError("unknown symbol 'h'; it goes with ≈ and an order")
    return number(net.step)


def after_step(name: str):
    """A parameter after one step of torch's gradient descent."""
    return lambda net, layer, of_batch: net.updated(name, layer, of_batch)


def models() -> Sequence[Model]:
    from .networks import networks  # which need this table

    return networks()


def far() -> Sequence[Model]:
    from .networks import far_networks

    return far_networks()


FORWARD, BACKWARD = "forward_pass", "backward_pass"
IN: dict[str, Any] = {
    "layered": True,
    "part": "in",
    "proof": "z in",
    "definition": "pre-activation",
}
OUT: dict[str, Any] = {
    "layered": True,
    "part": "out",
    "proof": "z out",
    "definition": "output",
}
LAYERED: dict[str, Any] = {"layered": True}
SAMPLE: dict[str, Any] = {"sample": True}

FEEDFORWARD = World(
    "feedforward",
    (
        Symbol("L", "number of layers", "size", (), lambda net: number(net.L)),
        Symbol("N", "number of units in a layer", "size", (), lambda net: [number(size) for size in net.layer_sizes], **LAYERED, each="unit"),
        Symbol("n", "number of samples in the batch", "size", (), lambda net: number(net.n), each="sample"),
        Symbol("K", "number of outputs", "size", (), lambda net: number(net.K), each="output"),
        Symbol("eta", "learning rate", "number", (), learning_rate),
        Symbol("W", "weights: from a unit of the layer before (row) to one of this layer (column)", "leaf", ("N-", "N"), lambda net: net.W, row=True, package="linear.weight", after=after_step("W"), **LAYERED, proof="W", spoken="W"),
        Symbol("V", "the same weights, stored out × in", "definition", ("N", "N-"), lambda net: [None, *(weights.T for weights in net.W[1:])], row=True, **LAYERED),
        Symbol("b", "biases", "leaf", ("N",), lambda net: net.b, package="linear.bias", after=after_step("b"), **LAYERED, proof="b"),
        Symbol("x", "inputs of a sample", "leaf", ("N0",), lambda net: net.x, proof="z out"),
        Symbol("X", "inputs of a batch, one row a sample", "leaf", ("n", "N0"), lambda net: net.X, row=True, proof="z out"),
        Symbol("y", "labels of a sample", "leaf", ("K",), lambda net: net.y, proof="y"),
        Symbol("y", "labels of sample s", "leaf", ("n", "K"), lambda net: net.Y, "y of s", bold=True, **SAMPLE, proof="y"),
        Symbol("Y", "labels of a batch, one row a sample", "leaf", ("n", "K"), lambda net: net.Y, row=True, proof="y"),
        Symbol("z", "pre-activations, that is, what goes into a layer, for a sample", "definition", ("N",), lambda net: net.z_in, "z_in", package=FORWARD, **IN),
        Symbol("z", "pre-activations for sample s", "definition", ("n", "N"), lambda net: net.Z_in, "z_in of s", bold=True, **IN, **SAMPLE),
        Symbol("Z", "pre-activations for a batch", "definition", ("n", "N"), lambda net: net.Z_in, "Z_in", row=True, package=FORWARD, **IN),
        Symbol("z", "outputs of a layer for a sample", "definition", ("N",), lambda net: net.z_out, "z_out", package=FORWARD, **OUT),
        Symbol("z", "outputs of a layer for sample s", "definition", ("n", "N"), lambda net: net.Z_out, "z_out of s", bold=True, **OUT, **SAMPLE),
        Symbol("Z", "outputs of a layer for a batch", "definition", ("n", "N"), lambda net: net.Z_out, "Z_out", row=True, package=FORWARD, **OUT),
        Symbol("sigma", "activation function", "function", (), lambda net: net.activations, **LAYERED),
        Symbol("delta", "deltas of a sample: derivatives of its loss with respect to what goes into a layer", "derivative", ("N",), slopes("loss", "z_in"), package=BACKWARD, **LAYERED, of="loss of a sample", proof="delta", definition="delta"),
        Symbol("delta", "the same for sample s of a batch, of the loss of this sample", "derivative", ("n", "N"), slopes("sum_of_losses", "Z_in"), "delta of s", **LAYERED, **SAMPLE, of="loss of s", proof="delta of a sample", definition="delta of a sample"),
        Symbol("Delta", "deltas of a batch: derivatives of the loss of the batch", "derivative", ("n", "N"), slopes("loss_of_batch", "Z_in"), row=True, package=BACKWARD, **LAYERED, of="loss of the batch", proof="delta of the batch", definition="delta of the batch"),
        Symbol("G", "what each sample contributes to the gradient of the weights", "derivative", ("n", "N-", "N"), lambda net: net.all_contributions, **LAYERED, proof="G", definition="contribution"),
        Symbol("r", "bound of the initial weights", "definition", (), lambda net: net.glorot_bounds, "bound", package="Linear", **LAYERED, proof="r", definition="bound"),
        loss("loss of a sample", lambda net: net.loss, name="loss of a sample", arguments=("y", "z_out"), proof="loss"),
        loss("loss of the batch", lambda net: net.loss_of_batch, name="loss of the batch", arguments=("Y", "Z_out"), proof="loss of the batch"),
        Symbol("mathcal L", "loss of sample s", "loss", ("n",), lambda net: net.losses, "loss of s", arguments=("y of s", "z_out of s"), proof="loss of a sample"),
        loss("mean squared error", lambda net: functional.mse_loss(net.z_out[-1], net.y), name="MSE", word="MSE", arguments=("y", "z_out"), proof="mse", definition="loss"),
        loss("mean squared error of the batch", lambda net: functional.mse_loss(net.Z_out[-1], net.Y), name="MSE of the batch", word="MSE", arguments=("Y", "Z_out"), package="MSELoss", proof="mse of the batch", definition="loss of the batch"),
        # The rules of calculus, and finite differences
        Symbol("z", "any number", "variable", (), lambda net: net.scale * torch.linspace(-2.9, 3.1, 13, dtype=torch.float64), "any z", bold=False, proof="z"),
        Symbol("w", "a weight or a bias", "leaf", (), entry, "entry", spoken="small w"),
        Symbol("h", "step of a finite difference", "number", (), step),
        *(Symbol(letter, "size of a vector", "size", (), partial(size_of, size)) for letter, size in GENERAL.items()),
        Symbol("t", "a vector", "leaf", ("p",), lambda net: net.general["vector t"], "vector t", bold=True, proof="vector t"),
        Symbol("t", "a number", "leaf", (), lambda net: net.general["t"], bold=False, proof="t"),
        Symbol("v", "any vector", "definition", ("r",), lambda net: net.general["v"], proof="v"),
        Symbol("u", "a function of v and the number t", "definition", ("q",), lambda net: net.general["u"], proof="u"),
        Symbol("f", "a function of u", "definition", (), lambda net: net.general["f"], proof="f"),
    ),
    models,
    far,
    counts={"s": "n"},
    ones="n",
)  # fmt: skip

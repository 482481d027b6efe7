"""Where the quantities of the page stand in the state that a page keeps.

The state is described in ``README.md``. Names in JavaScript: ``S`` is the state, ``P`` the
place (sample, layer, units) at which an equation is taken, ``ell`` and ``one`` its layer and
its sample. Indices of formulas are single small letters, and keep their names.
"""

from dataclasses import dataclass

from equations.nodes import (
    Derivative,
    EquationError,
    Gradient,
    Layer,
    Loss,
    Quantity,
)
from equations.symbols import Place, describe


@dataclass(frozen=True)
class Slot:
    """``base`` is the array of a quantity, or its number; ``name`` begins the names of its
    entries. ``axes`` says what its indices count, as in the table of symbols. Braces stand
    for the layer."""

    base: str
    name: str
    axes: tuple[str, ...] = ()

    def at_layer(self, layer: str) -> "Slot":
        base, name = (text.replace("{}", layer) for text in (self.base, self.name))
        return Slot(base, name, self.axes)

    def element(self, indices: tuple[str, ...]) -> str:
        return self.base + "".join(f"[{index}]" for index in indices)

    def entry(self, indices: tuple[str, ...]) -> str:
        """The name of an element, as a template of JavaScript."""
        return self.name + "".join(f"/${{{index}}}" for index in indices)


# By the names of the rows of the table of symbols.
QUANTITIES = {
    "L": Slot("S.L", "L"),
    "N": Slot("S.N[{}]", "N/${{}}"),
    "n": Slot("S.n", "n"),
    "K": Slot("S.K", "K"),
    "eta": Slot("S.eta", "eta"),
    "W": Slot("S.W[{}]", "W/${{}}", ("N-", "N")),
    "b": Slot("S.b[{}]", "b/${{}}", ("N",)),
    "x": Slot("S.X[one]", "Zout/0/${one}", ("N0",)),
    "X": Slot("S.X", "Zout/0", ("n", "N0")),
    "y": Slot("S.Y[one]", "Y/${S.L}/${one}", ("K",)),
    "y of s": Slot("S.Y", "Y/${S.L}", ("n", "K")),
    "Y": Slot("S.Y", "Y/${S.L}", ("n", "K")),
    "z_in": Slot("S.Zin[{}][one]", "Zin/${{}}/${one}", ("N",)),
    "z_in of s": Slot("S.Zin[{}]", "Zin/${{}}", ("n", "N")),
    "Z_in": Slot("S.Zin[{}]", "Zin/${{}}", ("n", "N")),
    "z_out": Slot("S.Zout[{}][one]", "Zout/${{}}/${one}", ("N",)),
    "z_out of s": Slot("S.Zout[{}]", "Zout/${{}}", ("n", "N")),
    "Z_out": Slot("S.Zout[{}]", "Zout/${{}}", ("n", "N")),
    "delta": Slot("S.delta[{}][one]", "delta/${{}}/${one}", ("N",)),
    "delta of s": Slot("S.delta[{}]", "delta/${{}}", ("n", "N")),
    "Delta": Slot("S.Delta[{}]", "Delta/${{}}", ("n", "N")),
    "bound": Slot("S.r[{}]", "r/${{}}"),
    # Of a batch in shards: see `wrong`.
    "P": Slot("S.P", "P"),
    "a": Slot("S.a", "a", ("P", "n")),
    "m": Slot("S.m", "m", ("P",)),
}
SAMPLE = Slot("S.losses[one]", "loss/${one}")
BATCH = Slot("S.loss", "loss")
LOSSES = {
    "loss of a sample": SAMPLE,
    "MSE": SAMPLE,
    "loss of s": Slot("S.losses", "loss", ("n",)),
    "loss of the batch": BATCH,
    "MSE of the batch": BATCH,
}
# Derivatives of a loss, by where it stands and the quantity by which it is taken. Those by
# outputs are of the last layer.
DERIVATIVES = {
    (SAMPLE, "W"): Slot("S.gradWs[one][{}]", "gradW/${{}}", ("N-", "N")),
    (SAMPLE, "b"): Slot("S.gradbs[one][{}]", "gradb/${{}}", ("N",)),
    (SAMPLE, "z_out"): Slot("S.dout[one]", "dout/${{}}/${one}", ("N",)),
    (BATCH, "W"): Slot("S.gradW[{}]", "gradW/${{}}", ("N-", "N")),
    (BATCH, "b"): Slot("S.gradb[{}]", "gradb/${{}}", ("N",)),
    (BATCH, "Z_out"): Slot("S.Dout", "Dout/${{}}", ("n", "N")),
}


def layer(found: Layer) -> str:
    """A layer in JavaScript."""
    match found.base:
        case int():
            return str(found.base + found.offset)
        case "ell":
            base = "ell"
        case _:
            base = "S.L"
    return f"{base}{found.offset:+d}" if found.offset else base


def of_quantity(node: Quantity, place: Place) -> Slot:
    symbol = place.symbol(node)
    return found(QUANTITIES.get(symbol.key), describe(node), node)


def of_loss(node: Loss, place: Place) -> Slot:
    symbol, _ = place.loss(node)
    return found(LOSSES.get(symbol.key), symbol.said)


def of_derivative(node: Derivative | Gradient, place: Place) -> Slot:
    """Of a loss, by a parameter or by the outputs of the last layer."""
    if isinstance(node.of, Loss) and isinstance(node.by, Quantity):
        symbol = place.symbol(node.by)
        slot = DERIVATIVES.get((of_loss(node.of, place), symbol.key))
        if symbol.part != "out" or node.by.layer == Layer("L"):
            return found(slot, f"a derivative by {describe(node.by)}", node.by)
    raise EquationError("a derivative that no equation gives")


def found(slot: Slot | None, what: str, node: Quantity | None = None) -> Slot:
    if slot is None:
        raise EquationError(f"{what} has no place in the state of the page")
    if node is not None and node.layer is not None:
        return slot.at_layer(layer(node.layer))
    return slot


def size(axis: str, node: Quantity) -> str:
    """How far an index of a quantity runs, in JavaScript."""
    return {
        "n": "S.n",
        "K": "S.N[S.L]",
        "N0": "S.N[0]",
        "P": "S.P",
    }.get(axis) or f"S.N[{layer((node.layer or Layer('L')).up(-(axis == 'N-')))}]"

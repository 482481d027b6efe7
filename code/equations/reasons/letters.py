"""What the letters of a world are in proofs, by its table of symbols.

The kinds of the network's symbols are what its table calls them in proofs. A symbol
that only another world has is of a kind of its own, which knows its row.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Self

import torch
from torch.autograd.graph import get_gradient_edge

from equations.feedforward import FEEDFORWARD
from equations.nodes import Layer, Loss, Node, Quantity, walk
from equations.values import ANY, Undefined
from equations.world import Model, Symbol, World

from . import model
from .constructs import Construct, OutOfReach
from .facts import Shares
from .model import LAST, SAMPLES, VECTORS, up
from .terms import Entry, Index, Kind, fresh

ENDS = {"N0": Layer(0), "K": LAST}
COUNTED: dict[str, Kind] = {**VECTORS, **ENDS, "n": SAMPLES}  # outside of layers
PLAIN = re.compile(r"\w+")


class Own(str):
    """The kind of a symbol that only another world has."""

    world: World
    row: Symbol

    def __new__(cls, world: World, row: Symbol) -> Self:
        self = super().__new__(cls, f"{row.key} of {world.name}")
        self.world, self.row = world, row
        return self


def kind_of(row: Symbol, world: World) -> str:
    return row.proof or Own(world, row)


def counted(
    row: Symbol, world: World, layer: Layer | None = None
) -> tuple[Kind, ...]:
    """What the indices of a symbol count."""
    kinds = {"N": layer, "N-": up(layer, -1)} if layer else {}
    return tuple(kinds.get(axis, outside(axis, world)) for axis in row.axes)


def outside(axis: str, world: World) -> Kind:
    """What an axis counts that is not one of a layer's units."""
    return COUNTED.get(axis, axis) if world.layered else axis


def symbol(
    node: Quantity, world: World
) -> tuple[str, Layer | None, tuple[Kind, ...]]:
    """What a letter names: its kind, its layer, and what its indices count."""
    found = [
        row for row in world.fitting(node) if row.proof or world is not FEEDFORWARD
    ]
    if len(found) != 1:
        raise OutOfReach(Construct.SYMBOLS)
    if not all(map(PLAIN.fullmatch, node.indices)):
        raise OutOfReach(Construct.INDEX)
    (row,) = found
    if ANY in row.axes:  # its size is that of what it stands at
        raise OutOfReach(Construct.SYMBOLS)
    kind = kind_of(row, world)
    if node.layer is not None:
        layer = up(node.layer, 0)
        return kind, layer, counted(row, world, layer)
    end = next((ENDS[axis] for axis in row.axes if axis in ENDS), None)
    return kind, None if isinstance(kind, Own) else end, counted(row, world)


def size(node: Quantity, world: World) -> Kind | None:
    """What a letter counts, if it is a size."""
    found = world.fitting(node)
    if node.bold or node.indices or not found or found[0].kind != "size":
        return None
    if node.layer is not None:
        return up(node.layer, 0)
    return COUNTED.get(node.letter) if world.layered else node.letter


def loss(node: Loss, world: World) -> Entry:
    """A loss by its arguments; that of a sample of the batch carries its index."""
    quantities = [part for part in node.arguments if isinstance(part, Quantity)]
    keys = tuple(row.key for part in quantities for row in world.fitting(part))
    for row in world.symbols:
        if row.kind == "loss" and (row.word, row.arguments) == (node.word, keys):
            places = quantities[-1].indices if quantities else ()
            samples = tuple(Index(s, SAMPLES) for s in places)
            if len(samples) == len(row.axes):
                return Entry(kind_of(row, world), None, samples)
    raise OutOfReach(Construct.SYMBOLS)


def kind_named(node: Node, world: World) -> str | None:
    """The kind of what a node names; None if it is no symbol and no loss."""
    with suppress(OutOfReach):
        match node:
            case Quantity():
                kind, _, axes = symbol(node, world)
                return kind if len(node.indices) <= len(axes) else None
            case Loss():
                return loss(node, world).kind
    return None


def shares_of(kind: str) -> Shares | None:
    """What a symbol is if its numbers add up to 1 over an index, by the table."""
    if not isinstance(kind, Own) or kind.row.shares is None:
        return None
    places = tuple(map(fresh, counted(kind.row, kind.world)))
    return Shares(Entry(kind, None, places), places[kind.row.shares])


def ones(world: World) -> Kind:
    """What the column of ones counts."""
    if world.ones is None:
        raise OutOfReach(Construct.SYMBOLS)
    return outside(world.ones, world)


def indices(nodes: tuple[Node, ...], world: World) -> dict[str, set[Kind]]:
    """What each index counts that stands at a symbol."""
    found: dict[str, set[Kind]] = {}
    for node in walk(nodes):
        if isinstance(node, Quantity) and node.indices:
            with suppress(OutOfReach):  # of a letter that is no symbol
                for letter, axis in zip(node.indices, symbol(node, world)[2]):
                    found.setdefault(letter, set()).add(axis)
    return found


# ---------------------------------------------------------------- what depends on what


def depends(of: Entry, by: Entry) -> bool:
    """Whether one quantity comes after another on the way to the loss. In another world
    automatic differentiation tells."""
    own = next((e.kind for e in (of, by) if isinstance(e.kind, Own)), None)
    if own is None:
        return model.depends(of, by)
    made = own.world.models()[0]
    return of.kind != by.kind and any(
        leads(from_, to) for to in tensors(of, made) for from_ in tensors(by, made)
    )


def separate(levels: list[Entry], of: Entry, by: Entry) -> bool:
    """Whether every way from one quantity to another leads through some level. In the
    network each does; in another world the graph of automatic differentiation tells."""
    own = next((e.kind for e in (of, by) if isinstance(e.kind, Own)), None)
    if own is None:
        return True
    made = own.world.models()[0]

    def nodes(entries: Iterable[Entry]) -> set:
        found = chain.from_iterable(tensors(entry, made) for entry in entries)
        return {get_gradient_edge(t).node for t in found if t.requires_grad}

    walls, goal, ahead = nodes(levels), nodes([by]), nodes([of])
    while ahead:
        here = ahead.pop()
        if here in goal:
            return False
        walls.add(here)
        ahead |= {node for node, _ in here.next_functions if node} - walls
    return True


def takes(of: Entry, by: Entry) -> bool:
    """Whether a loss is written in terms of a quantity; if not, an inner derivative is
    one more rule. Of what is no loss it is none."""
    if isinstance(of.kind, Own):
        row = of.kind.row
        own = isinstance(by.kind, Own) and by.kind.row.key in row.arguments
        return row.kind != "loss" or not row.arguments or own
    return not of.kind.startswith("mse") or by.kind == "z out"


def tensors(entry: Entry, made: Model) -> Iterator[torch.Tensor]:
    """What a model has for an entry, of one sample and of a batch."""
    for row in made.world.symbols:
        if kind_of(row, made.world) == entry.kind:
            layer = None if entry.layer is None else placed(entry.layer, made.L)
            with suppress(Undefined):  # the input has no pre-activation
                value = made.value(row, layer if row.layered else None)
                if isinstance(value, torch.Tensor):
                    yield value


def placed(layer: Layer, depth: int) -> int:
    """A layer of a network that has ``depth`` of them; for any ℓ its first."""
    base = (
        {"L": depth, "ell": 1}[layer.base]
        if isinstance(layer.base, str)
        else layer.base
    )
    return min(max(base + layer.offset, 0), depth)


def leads(from_: torch.Tensor, to: torch.Tensor) -> bool:
    if not (from_.requires_grad and to.requires_grad):
        return False
    (found,) = torch.autograd.grad(
        to.sum(), from_, retain_graph=True, allow_unused=True
    )
    return found is not None

"""A world: a model in which equations are evaluated, by one table of its symbols.

Every other part asks this table what a letter means: the evaluation, the claims in the
text, the rows of shapes, the mutants and the comparison with the package.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor
from torch.optim.sgd import sgd

from .nodes import EquationError, Quantity
from .values import Undefined

Kind = Literal[
    "size",
    "number",
    "variable",
    "leaf",
    "definition",
    "derivative",
    "function",
    "loss",
]
LOSS = "mathcal L"  # the letter of every loss

# Where inequalities, and what has kinks, are tried as well: far from 0 on both sides, so
# that nothing holds because random numbers are small, and at 0.
SCALES = (30.0, -1e6, 0.0)
FAR = 1e3  # beyond which no equality is compared: rounding grows in a network


@dataclass(frozen=True)
class Symbol:
    """What a letter means.

    ``axes`` says what each dimension counts: a size of the world, or 'N' and 'N-'
    for the units of the symbol's layer and of the layer before. ``value`` takes a
    model and gives the tensor, or a list of them, one for each layer. ``sample``
    marks what the letter means with the index of samples first. ``row`` says that
    a matrix with one index leaves a row, not a column. ``first`` is the first value
    of its first index where that is not the world's.
    """

    letter: str
    said: str
    kind: Kind
    axes: tuple[str, ...]
    value: Callable[[Any], Any]
    name: str = ""  # where one letter has several meanings
    spoken: str = ""  # what a formula calls it, if not by its letter
    each: str = ""  # of a size: what one of them is called
    layered: bool = False
    part: str | None = None
    bold: bool | None = None  # where the font decides what the letter means
    sample: bool = False
    row: bool = False
    first: int | None = None
    word: str | None = None  # below a loss
    arguments: tuple[str, ...] = ()  # of a loss, by the names of their symbols
    package: str = ""  # its counterpart in the package
    of: str = ""  # of which loss it is the derivative, by the name of its symbol
    proof: str = ""  # what proofs call it, of a sample or of the batch
    definition: str = ""  # what reasons call its definition
    shares: int | None = None  # over which of its axes it adds up to 1
    # After one step of training, by the loss of the batch or of one sample.
    after: Callable[[Any, int | None, bool], Tensor] | None = None

    @property
    def key(self) -> str:
        return self.name or self.letter


class Model:
    """One instance of a world: sizes, and tensors drawn by a key, so that the order in
    which they are asked for changes nothing."""

    L = 0  # the number of layers
    entry: tuple[str, int, tuple] | None = (
        None  # what w means: parameter, layer, place
    )
    loss_key: str | None = None  # what a loss without arguments stands for

    def __init__(
        self,
        world: "World",
        sizes: Mapping[str, int],
        seed: int,
        scale: float = 1.0,
    ):
        self.world, self.sizes, self.seed = world, dict(sizes), seed
        self.scale = scale
        self.jacobians: dict[tuple[int, int], Tensor] = {}

    def random(self, key: object, *shape: int) -> Tensor:
        """Numbers of the normal distribution, the same for the same key."""
        seed = zlib.crc32(f"{self.seed} {key}".encode())
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    def drawn(self, key: object, *shape: int) -> Tensor:
        """The same for what is given freely: of the scale of the model."""
        return self.scale * self.random(key, *shape)

    @property
    def lasting(self) -> list[Tensor]:
        """The tensors that live as long as the model."""
        raise NotImplementedError

    @cached_property
    def lasting_ids(self) -> frozenset[int]:
        return frozenset(map(id, self.lasting))

    def count(self, axis: str) -> Tensor:
        return torch.tensor(float(self.sizes[axis]), dtype=torch.float64)

    def axis(self, name: str, layer: int | None) -> str:
        """What a dimension counts, for a symbol of this layer."""
        if name in ("N", "N-") and layer is not None:
            return f"N^({layer if name == 'N' else layer - 1})"
        return name

    def axes(self, symbol: Symbol, layer: int | None) -> tuple[str, ...]:
        return tuple(self.axis(name, layer) for name in symbol.axes)

    def value(self, symbol: Symbol, layer: int | None) -> Any:
        """The tensor (or function) of a symbol; Undefined where the layer has none."""
        found = self.values(symbol)
        if not symbol.layered:
            return found
        if layer is None or not 0 <= layer < len(found) or found[layer] is None:
            raise Undefined(f"does not exist for layer {layer} of {self.L} layers")
        return found[layer]

    def values(self, symbol: Symbol) -> Any:
        return symbol.value(self)

    def moved(self, entry: tuple[str, int, tuple], step: float) -> "Model":
        """The same model, with an entry of a parameter for w, and a value for h."""
        raise EquationError("this world has no w and h")

    def loss_moved(self, value: Tensor) -> Tensor:
        """The loss with another value of the entry that w means."""
        raise EquationError("a loss of one argument needs w")

    def jacobian(self, of: Tensor, by: Tensor) -> Tensor | None:
        """The derivatives of all elements by all elements, of.shape + by.shape; None
        where one does not depend on the other. Those of lasting tensors are kept."""
        key = id(of), id(by)
        if not self.lasting_ids.issuperset(key):
            return derivatives(of, by)
        if key not in self.jacobians:
            found = derivatives(of, by)
            if found is None:
                return None
            self.jacobians[key] = found
        return self.jacobians[key]

    def direction(self, key: tuple, like: Tensor) -> Tensor:
        """A small change of a quantity: a random direction, the same at each use."""
        return self.random(("change", *key), *like.shape)


@dataclass(frozen=True)
class World:
    """``models`` makes the instances in which equations are tried, ``far`` some of other
    ``SCALES``; ``counts`` names the
    index of an axis that has one name, and no other; ``first`` is the first value of
    an index; ``ones`` says what a column of ones counts."""

    name: str
    symbols: tuple[Symbol, ...]
    models: Callable[[], Sequence[Model]]
    far: Callable[[], Sequence[Model]] = tuple
    counts: Mapping[str, str] = field(default_factory=dict)
    first: int = 1
    ones: str | None = None
    differentiable: int = 1  # how often activation functions are
    found: dict[tuple, list[Symbol]] = field(
        init=False, compare=False, default_factory=dict
    )

    @cached_property
    def by_letter(self) -> dict[str, list[Symbol]]:
        found: dict[str, list[Symbol]] = {}
        for symbol in self.symbols:
            found.setdefault(symbol.letter, []).append(symbol)
        return found

    @cached_property
    def by_key(self) -> dict[str, Symbol]:
        return {symbol.key: symbol for symbol in self.symbols}

    def of_letter(self, letter: str) -> list[Symbol]:
        return self.by_letter.get(letter, [])

    def named(self, key: str) -> Symbol:
        return self.by_key[key]

    @property
    def letters(self) -> set[str]:
        return set(self.by_letter)

    @cached_property
    def layered(self) -> bool:
        """Whether it has layers."""
        return any(symbol.layered for symbol in self.symbols)

    @cached_property
    def sizes(self) -> set[str]:
        return {symbol.letter for symbol in self.symbols if symbol.kind == "size"}

    def fitting(self, node: Quantity) -> list[Symbol]:
        """The symbols that a quantity can mean."""
        of_sample = node.indices[:1] and node.indices[0] in self.counts
        layered = node.layer is not None
        key = node.letter, layered, node.part, node.bold, bool(of_sample)
        if key not in self.found:
            found = [
                symbol
                for symbol in self.of_letter(node.letter)
                if symbol.layered == layered
                and symbol.part == node.part
                and symbol.bold in (None, node.bold)
            ]
            batch = [symbol for symbol in found if symbol.sample]
            alone = [symbol for symbol in found if not symbol.sample]
            self.found[key] = batch if of_sample and batch else alone
        return self.found[key]


def derivatives(of: Tensor, by: Tensor) -> Tensor | None:
    """As `Model.jacobian`, by automatic differentiation."""
    gradients = []
    for part in of.reshape(-1):
        gradient = None
        if part.requires_grad and by.requires_grad:
            (gradient,) = torch.autograd.grad(
                part, by, retain_graph=True, create_graph=True, allow_unused=True
            )
        if gradient is None:
            return None
        gradients.append(gradient)
    return torch.stack(gradients).reshape(of.shape + by.shape)


def after_descent(
    parameter: Tensor, gradient: Tensor, lr: float, weight_decay: float = 0.0
) -> Tensor:
    """A parameter after one step of torch's gradient descent. Called as a function,
    because the class of the optimiser takes two seconds to import torch's compiler."""
    moved = parameter.detach().clone()
    descend(moved, gradient, None, 0.0, lr, weight_decay)
    return moved


def descend(
    parameter: Tensor,
    gradient: Tensor,
    buffer: Tensor | None,
    momentum: float,
    lr: float,
    weight_decay: float = 0.0,
) -> None:
    """The same in place, with what is kept as momentum."""
    sgd(
        [parameter],
        [gradient],
        [buffer],
        foreach=False,
        weight_decay=weight_decay,
        momentum=momentum,
        lr=lr,
        dampening=0.0,
        nesterov=False,
        maximize=False,
    )

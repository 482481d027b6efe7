"""Worlds that are tables: the rows, and the models that are made of them."""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from .world import LOSS, SCALES, Model, Symbol, World


def leaf(
    letter: str,
    axes: str,
    said: str,
    made: Callable[[Tensor], Tensor] = lambda drawn: drawn,
    **more: Any,
) -> Symbol:
    """Random numbers; ``made`` turns those of the normal distribution into others."""

    def value(model: Model) -> Tensor:
        shape = [model.sizes[axis] for axis in axes.split()]
        drawn = model.drawn(more.get("name", letter), *shape)
        return made(drawn).detach().requires_grad_()

    return Symbol(letter, said, "leaf", tuple(axes.split()), value, **more)


def defined(
    letter: str, axes: str, said: str, formula: Callable[[Any], Tensor], **more: Any
) -> Symbol:
    return Symbol(letter, said, "definition", tuple(axes.split()), formula, **more)


def derivative(
    letter: str, axes: str, said: str, by: str, of: str = LOSS, **more: Any
) -> Symbol:
    """The derivative of one symbol by another, by automatic differentiation."""

    def value(model: Any) -> Tensor:
        (slopes,) = torch.autograd.grad(
            model[of].sum(), model[by], create_graph=True, retain_graph=True
        )
        return slopes

    return Symbol(letter, said, "derivative", tuple(axes.split()), value, **more)


def loss(said: str, formula: Callable[[Any], Tensor], **more: Any) -> Symbol:
    return Symbol(LOSS, said, "loss", (), formula, **more)


class TableModel(Model):
    """A model of a world without layers: the values of its table, row by row."""

    def __init__(
        self, world: World, sizes: Mapping[str, int], seed: int, scale: float
    ):
        super().__init__(world, sizes, seed, scale)
        self.found: dict[str, Any] = {}
        for symbol in world.symbols:
            self.found[symbol.key] = symbol.value(self)

    @property
    def lasting(self) -> list[Tensor]:
        return [value for value in self.found.values() if isinstance(value, Tensor)]

    def __getitem__(self, key: str) -> Any:
        return self.found[key]

    def values(self, symbol: Symbol) -> Any:
        return self.found[symbol.key]

    def __str__(self):
        sizes = [f"{name} = {size}" for name, size in self.sizes.items()]
        return ", ".join(
            sizes + [f"numbers times {self.scale:g}"] * (self.scale != 1)
        )


def size(letter: str, said: str, each: str = "") -> Symbol:
    """A number that counts; ``each`` is one of what it counts."""
    return Symbol(
        letter, said, "size", (), lambda model: model.count(letter), each=each
    )


def world_of_table(
    name: str,
    rows: Sequence[Symbol],
    derived: Mapping[str, Callable[[dict[str, int]], int]] | None = None,
    models: int = 4,
    smallest: int = 1,
    **more: Any,
) -> World:
    """A world without layers. Sizes differ in each of its models; in the last one the
    first size is ``smallest``. ``derived`` gives the sizes that follow from others."""

    @cache
    def made(scale: float = 1.0) -> tuple[Model, ...]:
        counted = [
            s.letter for s in rows if s.kind == "size" and s.letter not in follow
        ]
        found = []
        for seed in range(models):
            drawn = random.Random(f"{name} {seed}").sample(
                range(2, 9), len(counted)
            )
            sizes = dict(zip(counted, drawn))
            if seed == models - 1 and counted:
                sizes[counted[0]] = smallest
            sizes |= {letter: formula(sizes) for letter, formula in follow.items()}
            found.append(TableModel(world, sizes, seed, scale))
        return tuple(found)

    def far() -> tuple[Model, ...]:
        return tuple(chain.from_iterable(map(made, SCALES)))

    follow = derived or {}
    world = World(name, tuple(rows), made, far, **more)
    return world

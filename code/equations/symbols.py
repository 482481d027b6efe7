"""What a quantity means at one place: its tensor, and what its indices count."""

import re
from collections.abc import Iterable

import torch
from torch import Tensor

from .nodes import (
    EquationError,
    Function,
    Layer,
    Loss,
    Node,
    Quantity,
    SumOver,
)
from .values import ONE, Undefined, Value, need, same_axis, taken, whole
from .world import LOSS, Model, Symbol

TERM = re.compile(r"([+-]?)([a-z]|\d+)")


class Place:
    """A model and a layer ℓ, with the axis of each index of the formulas there.

    ``bare_loss`` is what a loss without arguments stands for in the text.
    """

    def __init__(
        self,
        model: Model,
        ell: int | None,
        nodes: Iterable[Node] = (),
        bare_loss: Loss | None = None,
    ):
        self.model, self.ell, self.bare_loss = model, ell, bare_loss
        self.counted: dict[str, str] = {}
        nodes = list(nodes)
        self.bound = {node.index for node in nodes if isinstance(node, SumOver)}
        self.infer([node for node in nodes if isinstance(node, Quantity)])

    def layer(self, layer: Layer) -> int:
        if layer.base == "ell":
            if self.ell is None:
                raise EquationError("ℓ stands here, but no range says which it is")
            return self.ell + layer.offset
        if layer.base == "L":
            need(self.model.L, "this world has no layers")
            return self.model.L + layer.offset
        return int(layer.base) + layer.offset

    def layer_of(self, node: Quantity | Function) -> int | None:
        """The layer of a symbol, if one is written at it."""
        return None if node.layer is None else self.layer(node.layer)

    # ------------------------------------------------------------ indices

    def infer(self, nodes: list[Quantity]) -> None:
        """What each index counts, from the quantities at which it stands alone. Both
        indices of a Kronecker delta count the same."""
        pairs = []
        for node in nodes:
            if self.is_kronecker(node):
                pairs.append(node.indices)
            elif (symbol := self.meaning(node)) is not None:
                layer = self.layer_of(node)
                for index, axis in zip(
                    node.indices, self.model.axes(symbol, layer)
                ):
                    if index.isalpha():
                        self.count(index, axis)
        for one, other in pairs:
            for index, like in ((one, other), (other, one)):
                if like in self.counted and index.isalpha():
                    self.count(index, self.counted[like])

    def meaning(self, node: Quantity) -> Symbol | None:
        found = self.model.world.fitting(node)
        return found[0] if len(found) == 1 else None

    def count(self, index: str, axis: str) -> None:
        counts = self.model.world.counts
        need(
            axis == counts[index]
            if index in counts
            else axis not in counts.values(),
            f"index {index} counts {axis}; an index of"
            f" {', '.join(counts.values())} is {', '.join(counts)}, and no other",
        )
        need(
            index not in self.model.world.sizes,
            f"{index} is a size; an index has another name",
        )
        same_axis(index, self.counted.setdefault(index, axis), axis)

    def is_kronecker(self, node: Quantity) -> bool:
        return node.letter == "indicator" or (
            node.letter == "delta"
            and node.layer is None
            and len(node.indices) == 2
            and not node.bold
            and not any(len(s.axes) > 1 for s in self.model.world.fitting(node))
        )

    def is_index(self, node: Node) -> bool:
        """Whether the number of an element stands here, as in 'i = j'."""
        letters = self.counted.keys() - self.model.world.letters
        return any(node == Quantity(node.span, letter) for letter in letters)

    def kronecker(self, node: Quantity) -> Value:
        one, other = node.indices
        axis = self.counted.get(one) or self.counted.get(other)
        if axis is None:
            raise EquationError(f"nothing says how far {one} and {other} run")
        eye = torch.eye(self.model.sizes[axis], dtype=torch.float64)
        return taken(eye, (axis, axis), (one, other))

    def axis_of_size(self, node: Quantity) -> str:
        """What a size counts."""
        layer = self.layer_of(node)
        return self.model.axis(node.letter, layer)

    # ------------------------------------------------------------ quantities

    def symbol(self, node: Quantity) -> Symbol:
        """The row of the table that a quantity means."""
        world = self.model.world
        found = world.fitting(node)
        if not found:
            name, same_letter = shown(node.letter), world.of_letter(node.letter)
            need(same_letter, f"unknown symbol '{node.letter}'")
            layered = {symbol.layered for symbol in same_letter}
            if len(layered) == 1 and (node.layer is not None) not in layered:
                has = "needs a" if layered == {True} else "takes no"
                need(False, f"'{name}' {has} layer")
            is_layered = node.layer is not None
            parts = {s.part for s in same_letter if s.layered == is_layered}
            if node.part not in parts:
                has = "needs" if None not in parts else "takes no"
                need(False, f"'{name}' {has} 'in' or 'out' here")
            need(
                False,
                f"{describe(node)} is no symbol in this font, or with this layer",
            )
        return found[0]

    def tensor(self, node: Quantity) -> tuple[Tensor, tuple[str, ...], Symbol]:
        """All values of a quantity, as they stand in the graph of the model, and what
        their dimensions count."""
        symbol = self.symbol(node)
        layer = self.layer_of(node)
        try:
            tensor = self.model.value(symbol, layer)
        except Undefined as error:
            raise Undefined(f"{describe(node)} {error}") from None
        axes = self.model.axes(symbol, layer)
        check_font(node, len(axes))
        return tensor, axes, symbol

    def quantity(self, node: Quantity) -> Value:
        if self.is_kronecker(node):
            return self.kronecker(node)
        if self.is_index(node):
            axis, first = self.counted[node.letter], self.model.world.first
            values = torch.arange(first, first + self.model.sizes[axis])
            return Value(values.to(torch.float64), (node.letter,), (axis,))
        symbol = self.symbol(node)
        if symbol.kind == "variable":  # any number: some of them
            need(not node.indices, f"'{shown(node.letter)}' takes no index")
            data = self.model.value(symbol, None)
            return Value(data, (node.letter,), (f"any {node.letter}",))
        need(symbol.kind != "function", f"{describe(node)} needs an argument")
        tensor, axes, symbol = self.tensor(node)
        return self.picked(tensor, axes, node, symbol)

    def picked(
        self,
        tensor: Tensor,
        axes: tuple[str, ...],
        node: Quantity,
        symbol: Symbol,
        before: Value | None = None,
    ) -> Value:
        """The elements that the indices of a quantity name.

        ``before`` has the dimensions in front of the quantity's own. Fewer indices
        than dimensions leave a row of a matrix, or the vector of one sample.
        """
        names = before.indices if before else ()
        front = before.axes if before else ()
        need(
            not node.dot or len(node.indices) < len(axes),
            "a dot stands beside an index, where none is left out",
        )
        if not node.indices and not before:
            return whole(tensor, axes)
        tensor, axes, indices = self.shifted(tensor, axes, node, symbol, len(front))
        own = len(symbol.axes)
        if len(node.indices) == own:
            return taken(tensor, (*front, *axes), (*names, *indices))
        need(
            len(node.indices) == 1 and own == 2 and not before,
            f"{describe(node)} has {len(node.indices)} indices; it needs {own}",
        )
        rows = taken(tensor, axes, (*indices, None))
        if symbol.row:
            sides = (*rows.axes[:-1], ONE, rows.axes[-1])
            return Value(rows.data.unsqueeze(-2), rows.indices, sides)
        return Value(rows.data.unsqueeze(-1), rows.indices, (*rows.axes, ONE))

    def shifted(
        self,
        tensor: Tensor,
        axes: tuple[str, ...],
        node: Quantity,
        symbol: Symbol,
        front: int,
    ) -> tuple[Tensor, tuple[str, ...], tuple[str, ...]]:
        """With a dimension for each letter of indices such as i+k-1, or of one that does
        not begin where indices begin."""
        world = self.model.world
        new_axes: list[str] = []
        names: list[str] = []
        for position, (index, axis) in enumerate(zip(node.indices, axes)):
            first = symbol.first if position == 0 else None
            first = world.first if first is None else first
            plain = index.isalpha() or (
                index.isdigit() and world.first == first == 1
            )
            if plain and first == world.first:
                names.append(index)
                new_axes.append(axis)
                continue
            place = torch.tensor(-first)
            letters = []
            for sign, name in TERM.findall(index):
                if name.isdigit():
                    values = torch.tensor(int(name))
                else:
                    need(name in self.counted, f"nothing says how far {name} runs")
                    size = self.model.sizes[self.counted[name]]
                    values = torch.arange(world.first, world.first + size)
                    place = place[..., None]
                    letters.append(name)
                place = place - values if sign == "-" else place + values
            at = front + len(names)
            need(
                0 <= int(place.min()) and int(place.max()) < tensor.shape[at],
                f"{index} leaves the range of {describe(node)}",
            )
            tensor = tensor.movedim(at, 0)[place]
            count = range(len(letters))
            tensor = tensor.movedim([*count], [at + k for k in count])
            names += letters
            new_axes += [self.counted[letter] for letter in letters]
        return tensor, (*new_axes, *axes[len(node.indices) :]), tuple(names)

    # ------------------------------------------------------------ losses

    def loss(self, node: Loss) -> tuple[Symbol, tuple[str, ...]]:
        """The row of the table that a loss means, and its index of samples."""
        world = self.model.world
        losses = [s for s in world.of_letter(LOSS) if s.word == node.word]
        need(losses, f"unknown loss '{node.word}'")
        if not node.arguments:
            if self.model.loss_key and node.word is None:
                return world.named(self.model.loss_key), ()
            if len(losses) == 1 and not losses[0].layered:
                return losses[0], ()
            need(node.word is None, "this loss needs its arguments")
            if self.bare_loss is None:
                raise EquationError(
                    "the text has not said what the loss without arguments stands for"
                )
            node = self.bare_loss
        expected = "; or ".join(
            " and ".join(world.named(name).said for name in symbol.arguments)
            for symbol in losses
        )
        quantities = [part for part in node.arguments if isinstance(part, Quantity)]
        names = tuple(
            symbol.key
            for part in quantities
            if (symbol := self.meaning(part)) is not None
        )
        found = [symbol for symbol in losses if symbol.arguments == names]
        need(
            found and len(quantities) == len(node.arguments),
            f"the arguments of the loss must be {expected}",
        )
        for part in quantities:
            if part.layer is not None:
                need(
                    self.layer(part.layer) == self.model.L,
                    f"the loss takes the outputs of layer L, not of layer {part.layer}",
                )
            self.tensor(part)  # raises where the font does not fit
        indices = {part.indices for part in quantities}
        need(
            len(indices) == 1,
            "the arguments of the loss must be of one sample or of the whole batch",
        )
        (samples,) = indices
        need(
            len(samples) == len(found[0].axes),
            f"{found[0].said} takes {len(found[0].axes)} indices here",
        )
        return found[0], samples


def check_font(node: Quantity, axes: int) -> None:
    """Vectors and matrices are bold; numbers are not, nor elements, which are numbers."""
    if node.bold and len(node.indices) >= axes:
        raise EquationError(f"{describe(node)} is a number, and bold")
    if not node.bold and len(node.indices) < axes:
        raise EquationError(
            f"{describe(node)} is a vector or a matrix, and not bold"
        )


GREEK = dict(zip(
    ["alpha", "beta", "gamma", "delta", "Delta", "epsilon", "eta", "lambda", "mu", "sigma", "tau", "theta"],
    "αβγδΔεηλμστθ",
    strict=True,
))  # fmt: skip


def shown(letter: str) -> str:
    """A letter as the page shows it."""
    accent, _, name = letter.rpartition(" ")
    return f"{accent} {GREEK.get(name, name)}".strip()


def describe(node: Node) -> str:
    """A quantity in words, for messages."""
    match node:
        case Quantity():
            layer = "" if node.layer is None else f"^({node.layer})"
            below = ",".join(filter(None, ("".join(node.indices), node.part)))
            return shown(node.letter) + layer + (f"_{below}" if below else "")
        case Loss():
            return "the loss"
    return "this term"

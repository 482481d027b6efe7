"""The value of a formula in a model, with its free indices and its shape."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from . import calculus
from .nodes import (
    Cases,
    Comparison,
    Derivative,
    Diagonal,
    Differential,
    Element,
    EquationError,
    Exponential,
    Fraction,
    Function,
    Gradient,
    Inner,
    Loss,
    Named,
    Node,
    Number,
    Ones,
    Power,
    Product,
    Quantity,
    Root,
    Sum,
    SumOver,
    SumOverLayers,
    Trace,
    Transpose,
    Underbrace,
    walk,
)
from .symbols import Place, describe
from .values import (
    ONE,
    Undefined,
    Value,
    common_indices,
    diagonal,
    element,
    inner,
    need,
    number,
    of_number,
    power,
    product,
    summed,
    total,
    trace,
    transposed,
)
from .world import Model

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "ReLU": torch.relu,
    "log": torch.log,
    "exp": torch.exp,
    "abs": torch.abs,
    "sign": torch.sign,
}
COMPARISONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "=": torch.eq,
    "≠": torch.ne,
    "<": torch.lt,
    ">": torch.gt,
    "≤": torch.le,
    "≥": torch.ge,
}
ORDERS = COMPARISONS.keys() - {"=", "≠"}


@dataclass
class Claim:
    """Two values that a label under a brace says are equal."""

    left: Value
    right: Value


class Evaluator(Place):
    """Evaluates formulas in one model, for one layer ℓ.

    ``nodes`` are all the formulas in which one index counts one thing; ``causes``
    what changes by itself. What labels under braces say is collected.
    """

    def __init__(
        self,
        model: Model,
        ell: int | None,
        nodes: Iterable[Node] = (),
        bare_loss: Loss | None = None,
        causes: tuple[Quantity, ...] = (),
    ):
        self.nodes = list(nodes)
        super().__init__(model, ell, self.nodes, bare_loss)
        self.causes = causes
        self.claims: list[Claim] = []
        self.taken: set[tuple[int, int]] = set()  # branches of cases
        calculus.check_causes(self, self.causes)

    @property
    def of_batch(self) -> bool:
        """Whether something of the batch stands among the formulas."""
        found = [self.meaning(n) for n in self.nodes if isinstance(n, Quantity)]
        counts = set(self.model.world.counts.values())
        return any(symbol and counts & set(symbol.axes) for symbol in found)

    def take_claims(self) -> list[Claim]:
        claims, self.claims = self.claims, []
        return claims

    def value(self, node: Node) -> Value:
        value = self.visit(node)
        for index, axis in value.counted().items():
            if index not in self.counted and not axis.startswith("any "):
                self.count(index, axis)
        return value

    def visit(self, node: Node) -> Value:
        match node:
            case Number():
                return number(float(node.text))
            case Ones():
                axis = self.model.world.ones
                if axis is None:
                    raise EquationError("nothing says how many ones stand here")
                ones = torch.ones(self.model.sizes[axis], 1, dtype=torch.float64)
                return Value(ones, (), (axis, ONE))
            case Quantity():
                return self.quantity(node)
            case Loss():
                return self.value_of_loss(node)
            case Differential():
                return self.differential(node)
            case Derivative() | Gradient():
                return self.derivative(node)
            case Function():
                return self.function(node)
            case Named():
                return self.named(node)
            case Exponential(exponent=of):
                return of_number(self.value(of), torch.exp)
            case Root(radicand=of):
                return of_number(self.value(of), torch.sqrt)
            case Power(base=of, exponent=exponent):
                return power(self.value(of), exponent)
            case Fraction():
                below = of_number(self.value(node.denominator), torch.reciprocal)
                return product(below, self.value(node.numerator), "")
            case Diagonal(of=of):
                return diagonal(self.value(of))
            case Transpose(of=of):
                return transposed(self.value(of))
            case Trace(of=of):
                return trace(self.value(of))
            case Inner():
                return inner(self.value(node.left), self.value(node.right))
            case Element(of=of, indices=indices):
                return element(self.value(of), indices)
            case Underbrace():
                return self.underbrace(node)
            case Sum():
                return total(
                    [(sign, self.value(term)) for sign, term in node.terms]
                )
            case Product():
                values = self.factors(list(node.factors))
                return reduce(lambda a, b: product(a, b, node.sign), values)
            case SumOver():
                last = None if node.last is None else self.value(node.last)
                return summed(self.value(node.body), node.index, last)
            case SumOverLayers():
                return self.sum_over_layers(node)
            case Comparison():
                return self.comparison(node)
            case Cases():
                return self.cases(node)
        raise EquationError("a shape stands among numbers")

    # ------------------------------------------------------------ symbols

    def value_of_loss(self, node: Loss) -> Value:
        if len(node.arguments) == 1:
            moved = self.value(node.arguments[0])
            need(moved.is_number, "w is one number")
            return Value(self.model.loss_moved(moved.data))
        symbol, samples = self.loss(node)
        return Value(self.model.value(symbol, None), samples, symbol.axes)

    def after_step(self, node: Node) -> Value:
        """What stands on the left of an arrow, after one step of training."""
        symbol = self.symbol(node) if isinstance(node, Quantity) else None
        if not isinstance(node, Quantity) or symbol is None or symbol.after is None:
            raise EquationError("← updates a weight or a bias")
        _, axes, _ = self.tensor(node)  # raises where there is no such layer
        layer = self.layer_of(node)
        after = symbol.after(self.model, layer, self.of_batch)
        return self.picked(after, axes, node, symbol)

    def function(self, node: Function) -> Value:
        if node.name == "sigma":
            symbol = Quantity(node.span, "sigma", node.layer)
            function = self.model.value(self.symbol(symbol), self.layer_of(node))
            often = self.model.world.differentiable
            need(
                node.primes <= often,
                f"σ need not be differentiable more than {often} time",
            )
        else:
            function = FUNCTIONS[node.name]
        for _ in range(node.primes):
            function = calculus.differentiated(function)
        return self.value(node.argument).mapped(function)

    def factors(self, nodes: list[Node]) -> Iterator[Value]:
        """The values of factors. A letter that names a function takes the next one."""
        while nodes:
            node = nodes.pop(0)
            if isinstance(node, Quantity):
                found = self.meaning(node)
                if found is not None and found.kind == "function" and nodes:
                    need(not node.bold, f"{describe(node)} is a function, and bold")
                    layer = self.layer_of(node)
                    function = self.model.value(found, layer)
                    yield self.value(nodes.pop(0)).mapped(function)
                    continue
            yield self.value(node)

    # ------------------------------------------------------------ calculus

    def derivative(self, node: Derivative | Gradient) -> Value:
        by = calculus.as_quantity(node.by)
        if isinstance(node, Gradient):
            return calculus.gradient(self, self.value(node.of), by)
        if self.symbol(by).key == "entry":
            return self.derivative_by_entry(node.of)
        found = calculus.of_quantity(self, node)
        return found or calculus.of_value(self, self.value(node.of), by)

    def derivative_by_entry(self, of: Node) -> Value:
        """By the entry of a parameter that w means."""
        if self.model.entry is None:
            raise EquationError("w goes with h")
        parameter, layer, place = self.model.entry
        tensor = getattr(self.model, parameter)[layer]
        found = calculus.jacobian(self, self.value(of).data, tensor, of)
        return Value(found[place])

    def differential(self, node: Differential) -> Value:
        need(
            self.causes,
            "a small change needs a cause; say what changes by itself: \\quad"
            " \\text{changing } ...",
        )
        if isinstance(node.of, Quantity):
            return calculus.change(self, node.of, self.causes)
        of = self.value(node.of)
        need(of.is_number, "a small change is of a quantity, or of a loss")
        return calculus.effect(self, of.data, self.causes)

    # ------------------------------------------------------------ functions

    def named(self, node: Named) -> Value:
        values = [self.value(argument) for argument in node.arguments]
        first = values[0]
        if node.name == "softmax":
            need(first.matrix, "softmax takes a column, or a matrix by its rows")
            axis = -2 if first.sides[1] == ONE else -1
            return first.mapped(lambda data: torch.softmax(data, axis))
        if node.name == "max":
            need(len(values) > 1, "max takes two numbers or more")
            axes = common_indices(values)
            need(not any(v.matrix for v in values), "max takes numbers")
            parts = torch.broadcast_tensors(*(v.over(tuple(axes)) for v in values))
            data = torch.stack(parts).amax(0)
            return Value(data, tuple(axes), tuple(axes.values()))
        need(len(values) == 1, f"{node.name} takes one argument")
        return first.mapped(FUNCTIONS[node.name])

    def comparison(self, node: Comparison) -> Value:
        sides = [self.value(node.left), self.value(node.right)]
        axes = common_indices(sides)
        need(not any(side.matrix for side in sides), "numbers are compared here")
        if self.is_index(node.left) and self.is_index(node.right):
            need(
                sides[0].axes == sides[1].axes, "indices of two kinds are compared"
            )
        left, right = (side.over(tuple(axes)) for side in sides)
        data = COMPARISONS[node.relation](left, right).to(torch.float64)
        return Value(data, tuple(axes), tuple(axes.values()))

    def cases(self, node: Cases) -> Value:
        """In each place the value of the one comparison that holds there."""
        held = [self.value(comparison) for _, comparison in node.branches]
        self.taken |= {
            (id(node), place)
            for place, value in enumerate(held)
            if value.data.any()
        }
        values = [self.value(value) for value, _ in node.branches]
        axes = common_indices([*held, *values])
        counts = total([("+", value) for value in held]).data
        need(bool((counts <= 1).all()), "the cases overlap")
        if not bool((counts == 1).all()):
            # At 0 there may be a kink, of which nothing need be said.
            kind = EquationError if self.model.scale else Undefined
            raise kind("the cases leave something out")
        parts = [product(value, where, "") for value, where in zip(values, held)]
        result = total([("+", part) for part in parts])
        return Value(result.over(tuple(axes)), tuple(axes), tuple(axes.values()))

    def underbrace(self, node: Underbrace) -> Value:
        value = self.value(node.body)
        if node.label is not None:
            self.claims.append(Claim(value, self.value(node.label)))
        return value

    def sum_over_layers(self, node: SumOverLayers) -> Value:
        need(self.ell is None, "ℓ is summed over, and stands outside the sum")
        terms = []
        first, last = map(self.layer, node.range)
        for layer in range(first, last + 1):
            nodes = walk(node.body)
            there = Evaluator(self.model, layer, nodes, self.bare_loss, self.causes)
            terms.append(("+", there.value(node.body)))
            self.claims += there.claims
        if not terms:  # in a network with fewer layers
            return number(0.0)
        return total(terms)

"""Read the tree of a formula as a polynomial, or as a matrix of polynomials.

No rule is used here. What a notation means (matrix product, transpose, Jacobian,
gradient) is read, unless it is withheld: then it stays one opaque symbol.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction as Rational

from equations.nodes import (
    Cases,
    Derivative,
    Diagonal,
    Differential,
    Element,
    Exponential,
    Fraction,
    Function,
    Gradient,
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
    Transpose,
    Underbrace,
)
from equations.world import World

from . import terms
from .canonical import inverse
from .constructs import Construct, OutOfReach, Unfit
from .letters import loss, ones, size, symbol
from .matrices import Matrix, Meaning, added, diagonal, multiplied, transposed
from .model import FUNCTIONS, slope
from .terms import (
    ONE,
    Applied,
    Change,
    Derived,
    Entry,
    Index,
    Kind,
    Kron,
    Log,
    Opaque,
    Partial,
    Poly,
    Size,
    Term,
    indices,
    single,
    summed,
    times,
)


@dataclass(frozen=True)
class Reader:
    """``loss`` is what a loss without arguments stands for; ``known`` is what indices
    count, by the symbols of both sides."""

    world: World
    loss: Loss | None = None
    withheld: frozenset[str] = frozenset()
    known: Mapping[str, set[Kind]] = field(default_factory=dict)

    def read(self, node: Node) -> Meaning:
        match node:
            case Number(text=text):
                if "." in text:
                    raise OutOfReach(Construct.DECIMALS)
                return (Term(Rational(text)),)
            case Ones():
                return Matrix(ones(self.world), None, lambda row, column: ONE)
            case Underbrace(body=body):
                return self.read(body)
            case Quantity():
                return self.quantity(node)
            case Loss():
                return single(self.loss_entry(node))
            case Differential(of=Loss() as of):
                return single(Change(self.loss_entry(of)))
            case Differential(of=Quantity() as of):
                return self.arranged(of, Change)
            case Derivative(of=of, by=Quantity() as by):
                return self.derivative(node, of, by)
            case Gradient(of=of, by=Quantity() as by):
                return self.notation(
                    "gradient",
                    node,
                    self.arranged(by, lambda x: Partial(self.entry(of), x)),
                )
            case Function():
                return self.function(node)
            case Transpose(of=of):
                return self.notation("transpose", node, transposed(self.matrix(of)))
            case Diagonal(of=of):
                return diagonal(self.matrix(of))
            case Element(of=of, indices=letters):
                return self.element(self.matrix(of), letters)
            case Product():
                return self.product(node)
            case Sum(terms=parts):
                return added([(sign, self.read(part)) for sign, part in parts])
            case SumOver():
                return self.sum(node)
            case Fraction(numerator=above, denominator=below):
                return times(self.number(above), inverse(self.number(below)))
            case Power(base=base, exponent=exponent) if exponent > 0:
                return times(*[self.number(base)] * exponent)
            case Exponential(exponent=exponent):
                return single(terms.Exponential(self.number(exponent)))
            case Named(name="log", arguments=(argument,)):
                return single(Log(self.number(argument)))
            case Root(radicand=radicand):
                return single(terms.Root(self.number(radicand)))
            case Cases():
                raise OutOfReach(Construct.CASES)
        raise OutOfReach(Construct.SYMBOLS)

    def number(self, node: Node) -> Poly:
        value = self.read(node)
        if isinstance(value, Matrix):
            raise OutOfReach(Construct.SYMBOLS)
        return value

    def matrix(self, node: Node) -> Matrix:
        value = self.read(node)
        if not isinstance(value, Matrix):
            raise Unfit("a number stands where a matrix is needed")
        return value

    def notation(self, name: str, node: Node, value: Meaning) -> Meaning:
        """The value, or where the notation is withheld one symbol in its place."""
        if name not in self.withheld:
            return value
        if isinstance(value, Matrix):
            return replace(value, at=lambda i, j: single(Opaque(node, (i, j))))
        return single(Opaque(node, ()))

    # ------------------------------------------------------------ symbols

    def quantity(self, node: Quantity) -> Meaning:
        if node.letter == "indicator":
            return single(Kron(*(self.index(letter) for letter in node.indices)))
        kind = size(node, self.world)
        if kind:
            return single(Size(kind))
        return self.arranged(node, lambda entry: entry)

    def index(self, letter: str) -> Index:
        """An index that stands at no symbol."""
        kinds = self.known.get(letter, set())
        if len(kinds) != 1:
            raise Unfit(f"nothing says what the index {letter} counts")
        return Index(letter, *kinds)

    def loss_entry(self, node: Loss) -> Entry:
        if node == Loss(node.span) and self.world.layered:
            if self.loss is None:
                return Entry("loss")
            return loss(self.loss, self.world)
        return loss(node, self.world)

    def entry(self, node: Node) -> Entry:
        """A loss, or a number that a letter names."""
        if isinstance(node, Loss):
            return self.loss_entry(node)
        if isinstance(node, Quantity):
            value = self.arranged(node, lambda entry: entry)
            if not isinstance(value, Matrix):
                return self.placed(node)
        raise OutOfReach(Construct.SYMBOLS)

    def placed(self, node: Quantity, *more: Index | None) -> Entry:
        """A letter with its indices and some more behind them."""
        kind, layer, axes = symbol(node, self.world)
        own = [Index(name, axis) for name, axis in zip(node.indices, axes)]
        return Entry(kind, layer, (*own, *(index for index in more if index)))

    def arranged(self, node: Quantity, make: Callable) -> Meaning:
        """What ``make`` makes of the numbers that a letter names, as a number, a column
        or a matrix. What of one sample is written small is a column, with an index s
        too."""
        axes = symbol(node, self.world)[2]
        free = axes[len(node.indices) :]
        if len(node.indices) > len(axes):
            raise Unfit(f"{node.letter} has too many indices")

        def at(*places: Index | None) -> Poly:
            return single(make(self.placed(node, *places)))

        if not free:
            return at()
        if len(free) == 1 and (
            len(axes) == 1 or node.letter in ("z", "y", "delta")
        ):
            return Matrix(free[0], None, lambda i, j: at(i))
        if len(free) == 1:
            return Matrix(None, free[0], lambda i, j: at(j))
        if len(free) == 2:
            return Matrix(*free, at)
        raise OutOfReach(Construct.SYMBOLS)

    # ------------------------------------------------------------ calculus

    def derivative(self, node: Derivative, of: Node, by: Quantity) -> Meaning:
        causes = self.arranged(by, lambda entry: entry)
        if not isinstance(causes, Matrix):
            cause = self.placed(by)
            if isinstance(of, Loss | Quantity):
                return single(Partial(self.entry(of), cause))
            return single(Derived(self.number(of), cause))
        if (
            not isinstance(of, Quantity)
            or len(symbol(of, self.world)[2]) != 1
            or of.indices
        ):
            raise OutOfReach(Construct.SYMBOLS)
        effects = self.arranged(of, lambda entry: entry)
        assert isinstance(effects, Matrix)

        def at(row: Index | None, column: Index | None) -> Poly:
            return single(Partial(self.placed(of, row), self.placed(by, column)))

        return self.notation(
            "Jacobian", node, Matrix(effects.rows, causes.rows, at)
        )

    def function(self, node: Function) -> Meaning:
        if node.name == "sigma":
            argument = node.argument
            if not (
                isinstance(argument, Quantity)
                and (argument.letter, argument.part) in (("z", "in"), ("Z", "in"))
                and argument.layer == node.layer
            ):
                raise OutOfReach(Construct.ARGUMENT)
            return self.arranged(argument, lambda entry: slope(entry, node.primes))
        if node.name not in FUNCTIONS:
            raise OutOfReach(Construct.SYMBOLS)
        of = self.read(node.argument)

        def applied(argument: Poly) -> Poly:
            return single(Applied(node.name, node.primes, argument))

        if isinstance(of, Matrix):  # element by element
            return replace(of, at=lambda i, j: applied(of.at(i, j)))
        return applied(of)

    # ------------------------------------------------------------ algebra

    def element(self, matrix: Matrix, letters: tuple[str, ...]) -> Poly:
        places = [
            Index(letter, axis) if axis is not None else None
            for letter, axis in zip(letters, matrix.axes)
        ]
        if len(places) == 1 and matrix.columns is None:
            places.append(None)
        if len(places) != 2 or len(letters) > 2:
            raise Unfit("an element of a matrix has two indices")
        return matrix.at(*places)

    def product(self, node: Product) -> Meaning:
        result = self.read(node.factors[0])
        matrices = isinstance(result, Matrix)
        by_matrix = False
        for factor in node.factors[1:]:
            value = self.read(factor)
            by_matrix = by_matrix or (matrices and node.sign != "⊙")
            matrices = matrices or isinstance(value, Matrix)
            result = multiplied(result, value, node.sign)
        return (
            self.notation("matrix product", node, result) if by_matrix else result
        )

    def sum(self, node: SumOver) -> Meaning:
        body = self.read(node.body)
        last = node.last
        end = size(last, self.world) if isinstance(last, Quantity) else None
        if isinstance(body, Matrix):
            row, column = (Index("", axis) if axis else None for axis in body.axes)
            probe = body.at(row, column)
            index = counted(node.index, probe, end)
            return replace(body, at=lambda i, j: summed(body.at(i, j), index))
        return summed(body, counted(node.index, body, end))


def counted(name: str, body: Poly, end: Kind | None) -> Index:
    """The index of a sum, with what it counts wherever it stands."""
    kinds = {index.kind for index in indices(body) if index.name == name}
    if end is not None:
        kinds.add(end)
    if len(kinds) > 1:
        raise Unfit(f"the index {name} of the sum counts different things")
    if not kinds:
        raise Unfit(f"the index {name} of the sum does not occur in it")
    return Index(name, kinds.pop())

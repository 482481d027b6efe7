"""Write the value of a formula in JavaScript, element by element.

Sums become loops in front of the expression that needs them; a product of matrices is a
sum, a transpose another place. No matrix is made but the result.
"""

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce

from equations.nodes import (
    Cases,
    Comparison,
    Diagonal,
    Element,
    EquationError,
    Exponential,
    Fraction,
    Function,
    Inner,
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
    Trace,
    Transpose,
    Underbrace,
)
from equations.symbols import describe

from . import layout
from .terms import ONE, Scope

CALLS = {
    "log": "Math.log",
    "exp": "Math.exp",
    "abs": "Math.abs",
    "sign": "Math.sign",
    "max": "Math.max",
}
COMPARISONS = {"=": "===", "<": "<", ">": ">", "≤": "<=", "≥": ">="}


@dataclass
class Block:
    """Statements, with what is still open around them."""

    lines: list[str] = field(default_factory=list)
    depth: int = 0
    names: int = 0

    def add(self, line: str) -> None:
        self.lines.append("  " * self.depth + line)

    def name(self) -> str:
        self.names += 1
        return f"t{self.names}"

    @contextmanager
    def loop(self, index: str, size: str):
        self.add(f"for (let {index} = 0; {index} < {size}; {index}++) {{")
        self.depth += 1
        yield
        self.depth -= 1
        self.add("}")

    def kept(self, value: str) -> str:
        """A name for a value that is used more than once."""
        name = self.name()
        self.add(f"const {name} = {bare(value)};")
        return name

    def total(self, index: str, size: str, term: Callable[[], str]) -> str:
        name = self.name()
        self.add(f"let {name} = 0;")
        with self.loop(index, size):
            self.add(f"{name} += {bare(term())};")
        return name


@dataclass(frozen=True)
class Value:
    """A number, or a matrix if it has rows and columns: what stands at a place of it."""

    at: Callable[[str, str], str]
    rows: str | None = None
    columns: str | None = None

    @property
    def matrix(self) -> bool:
        return self.rows is not None

    def like(self, at: Callable[[str, str], str]) -> "Value":
        return Value(at, self.rows, self.columns)


def bare(code: str) -> str:
    """Without parentheses around the whole."""
    depth = 0
    for place, sign in enumerate(code):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and place < len(code) - 1:
            return code
    return code[1:-1] if code.startswith("(") else code


class Writer:
    """Writes the values of formulas into a block. In the definition of a function,
    ``given`` says what stands for its argument, and nothing is read from the state."""

    def __init__(
        self,
        scope: Scope,
        block: Block,
        given: Mapping[Node, str] | None = None,
    ):
        self.scope, self.block, self.given = scope, block, given

    def value(self, node: Node) -> Value:
        if self.given and node in self.given:
            code = self.given[node]
            return Value(lambda r, c: code)
        match node:
            case Number(text=text):
                return Value(lambda r, c: text)
            case Ones():
                return Value(lambda r, c: "1", "S.n", ONE)
            case Quantity() if self.place.is_kronecker(node):
                one, other = map(self.scope.index, node.indices)
                return Value(lambda r, c: f"({one} === {other} ? 1 : 0)")
            case Sum(terms=terms):
                return self.sum(terms)
            case Product(sign=sign, factors=factors):
                values = map(self.value, factors)
                return reduce(lambda a, b: self.product(a, b, sign), values)
            case SumOver(index=index, body=body):
                return self.sum_over(index, body)
            case Fraction(numerator=above, denominator=below):
                over, under = self.value(above), self.value(below)
                return over.like(
                    lambda r, c: f"({over.at(r, c)} / {closed(under.at(r, c))})"
                )
            case Power(base=base, exponent=exponent):
                return self.power(self.value(base), exponent)
            case Exponential(exponent=of):
                return self.mapped("Math.exp", self.value(of))
            case Root(radicand=of):
                return self.mapped("Math.sqrt", self.value(of))
            case Function():
                return self.mapped(self.function(node), self.value(node.argument))
            case Named(name=name, arguments=arguments) if name in CALLS:
                return self.call(CALLS[name], [*map(self.value, arguments)])
            case Transpose(of=of):
                inner = self.value(of)
                return Value(lambda r, c: inner.at(c, r), inner.columns, inner.rows)
            case Diagonal(of=of):
                diagonal = self.value(of)
                return Value(
                    lambda r, c: f"({r} === {c} ? {diagonal.at(r, '0')} : 0)",
                    diagonal.rows,
                    diagonal.rows,
                )
            case Trace(of=of):
                square = self.value(of)
                return self.total(square.rows, lambda k: square.at(k, k))
            case Inner(left=left, right=right):
                pair = self.product(self.value(left), self.value(right), "⊙")
                return self.total(
                    pair.rows,
                    lambda k: self.total(pair.columns, lambda m: pair.at(k, m)).at(
                        "", ""
                    ),
                )
            case Element(of=of, indices=indices):
                matrix = self.value(of)
                for index, size in zip(indices, (matrix.rows, matrix.columns)):
                    self.scope.learn(index, size)
                row, column = (*map(self.scope.index, indices), "0")[:2]
                return Value(lambda r, c: matrix.at(row, column))
            case Comparison():
                return Value(lambda r, c: f"({self.comparison(node)} ? 1 : 0)")
            case Cases(branches=branches):
                return self.cases(branches)
            case Underbrace(body=body):
                return self.value(body)
        leaf = None if self.given else self.scope.leaf(node)
        if leaf is None:
            raise EquationError(f"{kind(node)} cannot be compiled")
        return Value(leaf.element, leaf.rows, leaf.columns)

    @property
    def place(self):
        return self.scope.place

    def function(self, node: Function) -> str:
        if node.primes > 1:
            raise EquationError("a second derivative cannot be compiled")
        part = "slope" if node.primes else "f"
        if node.layer is not None:
            return f"A[S.act[{layout.layer(node.layer)}]].{part}"
        return f"A.{KINDS[node.name]}.{part}"

    def mapped(self, function: str, of: Value) -> Value:
        return of.like(lambda r, c: f"{function}({bare(of.at(r, c))})")

    def call(self, function: str, values: list[Value]) -> Value:
        return values[0].like(
            lambda r, c: (
                f"{function}({', '.join(bare(v.at(r, c)) for v in values)})"
            )
        )

    def power(self, base: Value, exponent: int) -> Value:
        if exponent < 1:
            raise EquationError("an exponent below 1 cannot be compiled")

        def at(row: str, column: str) -> str:
            name = self.block.kept(base.at(row, column))
            return " * ".join([name] * exponent)

        return base.like(at)

    def sum(self, terms: tuple[tuple[str, Node], ...]) -> Value:
        found = [(sign, self.value(term)) for sign, term in terms]

        def at(row: str, column: str) -> str:
            (first, value), *others = found
            code = ("-" if first == "-" else "") + value.at(row, column)
            for sign, other in others:
                code += f" {sign} {other.at(row, column)}"
            return f"({code})"

        return found[0][1].like(at)

    def sum_over(self, index: str, body: Node) -> Value:
        inner = self.value(body)
        size = self.scope.sizes[index]
        return inner.like(
            lambda r, c: self.block.total(index, size, lambda: inner.at(r, c))
        )

    def total(self, size: str | None, term: Callable[[str], str]) -> Value:
        """A number: the sum of terms over an index that the formula does not name."""

        def at(row: str, column: str) -> str:
            index = self.block.name()
            return self.block.total(index, str(size), lambda: term(index))

        return Value(at)

    def product(self, left: Value, right: Value, sign: str) -> Value:
        if sign == "⊙" or not (left.matrix and right.matrix):
            shape = left if left.matrix else right
            return shape.like(lambda r, c: f"{left.at(r, c)} * {right.at(r, c)}")

        def at(row: str, column: str) -> str:
            if left.columns == ONE:
                return f"{left.at(row, '0')} * {right.at('0', column)}"
            index = self.block.name()
            return self.block.total(
                index,
                str(left.columns),
                lambda: f"{left.at(row, index)} * {right.at(index, column)}",
            )

        if (left.rows, right.columns) == (ONE, ONE):  # a row times a column
            return Value(lambda r, c: at("0", "0"))
        return Value(at, left.rows, right.columns)

    def comparison(self, node: Comparison) -> str:
        left, right = self.value(node.left), self.value(node.right)
        sign = COMPARISONS[node.relation]
        return f"{left.at('', '')} {sign} {right.at('', '')}"

    def cases(self, branches: tuple[tuple[Node, Comparison], ...]) -> Value:
        """Not a number where no case holds."""
        code = "NaN"
        for node, comparison in reversed(branches):
            value = self.value(node).at("", "")
            code = f"{self.comparison(comparison)} ? {value} : {code}"
        return Value(lambda r, c: f"({code})")


# What the page calls the functions that have a name in formulas.
KINDS = {"tanh": "TanH", "sigmoid": "Sigmoid", "ReLU": "ReLU"}


def kind(node: Node) -> str:
    """What kind of node it is, for messages."""
    if isinstance(node, Quantity):
        return describe(node)
    name = getattr(node, "name", "")
    return type(node).__name__ + (f" ({name})" if name else "")


def closed(code: str) -> str:
    """As the divisor of a fraction."""
    return f"({bare(code)})" if " " in code else code

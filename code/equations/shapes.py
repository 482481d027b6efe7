"""Check the rows that give shapes, such as (N × 1) = (N × M) · (M × 1), against the
terms in the row above."""

from .evaluate import Evaluator
from .nodes import (
    EquationError,
    Node,
    Number,
    Product,
    Quantity,
    Row,
    Shape,
    Sum,
    Transpose,
)
from .symbols import describe
from .values import need


def check(row: Row, sides: list[Node], evaluator: Evaluator) -> None:
    """Compare each shape with its term; an EquationError where one differs."""
    need(
        set(row.relations) == {"="} and not row.conditions,
        "a row of shapes has '=' between its sides and no conditions",
    )
    above = sides if len(row.sides) == len(sides) else sides[-len(row.sides) :]
    need(
        len(row.sides) in (len(sides), 1),
        f"the row of shapes has {len(row.sides)} sides, the equation {len(sides)}",
    )
    for shape, term in zip(row.sides, above):
        match(shape, term, evaluator)


def match(shape: Node, term: Node, evaluator: Evaluator) -> None:
    if isinstance(shape, Shape):
        need(
            not isinstance(term, Product) or not term.sign,
            "the row of shapes has one shape for a product; give that of each factor",
        )
        stated = (size(shape.rows, evaluator), size(shape.columns, evaluator))
        real = evaluator.value(term).sides
        need(
            stated == real,
            f"the row of shapes says ({', '.join(stated)}), the term above is"
            f" ({', '.join(real)})",
        )
    elif isinstance(shape, Transpose) and isinstance(term, Transpose):
        match(shape.of, term.of, evaluator)
    elif isinstance(shape, Product) and isinstance(term, Product):
        same = len(shape.factors) == len(term.factors)
        need(
            same and (shape.sign == "⊙") == (term.sign == "⊙"),
            "the row of shapes has another product than the row above",
        )
        for part, factor in zip(shape.factors, term.factors):
            match(part, factor, evaluator)
    elif isinstance(shape, Sum) and isinstance(term, Sum):
        signs = [[sign for sign, _ in terms] for terms in (shape.terms, term.terms)]
        need(
            signs[0] == signs[1],
            "the row of shapes has another sum than the row above",
        )
        for (_, part), (_, summand) in zip(shape.terms, term.terms):
            match(part, summand, evaluator)
    else:
        need(False, "the row of shapes does not have the form of the row above")


def size(node: Node, evaluator: Evaluator) -> str:
    """What a size counts, by the table of symbols; a number for itself."""
    if isinstance(node, Number):
        return node.text
    if not isinstance(node, Quantity):
        raise EquationError("a size is a letter or a number")
    need(evaluator.symbol(node).kind == "size", f"{describe(node)} is no size")
    evaluator.value(node)  # raises where there is no such layer
    return evaluator.axis_of_size(node)


def check_claim(row: Row) -> None:
    """Whether shapes written as numbers fit, as in (3 × 5) = (3 × 1) · (1 × 5)."""
    first, *others = map(result, row.sides)
    for other in others:
        need(
            other == first,
            f"the shapes are ({', '.join(first)}) and ({', '.join(other)})",
        )


def result(node: Node) -> tuple[str, str]:
    """The shape that a term of shapes has."""
    match node:
        case Shape(rows=Number(text=down), columns=Number(text=across)):
            return down, across
        case Product(sign=sign, factors=(one, *others)):
            rows, columns = result(one)
            for other in map(result, others):
                fits = (
                    (rows, columns) == other if sign == "⊙" else columns == other[0]
                )
                need(fits, f"({rows}, {columns}) {sign} ({', '.join(other)})")
                columns = other[1]
            return rows, columns
    raise EquationError("a shape is two whole numbers here")

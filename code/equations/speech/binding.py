"""How tightly the words of a node hold together, so that few need brackets."""

from ..nodes import (
    Blank,
    Derivative,
    Diagonal,
    Element,
    Exponential,
    Fraction,
    Function,
    Gradient,
    Inner,
    Loss,
    Named,
    Node,
    Number,
    Power,
    Product,
    Quantity,
    Root,
    Shape,
    Sum,
    SumOver,
    SumOverLayers,
    Trace,
    Transpose,
)

# From the loosest on. A factor can be a short fraction, a unit cannot; what is closed
# ends where everyone hears it.
SUM, PRODUCT, FACTOR, UNIT, CLOSED = range(5)
OPERATORS = (Derivative, Gradient, Exponential, Root, Diagonal, Trace, Inner, Shape)


def binding(node: Node) -> int:
    """How tightly a node is held together when it is said."""
    match node:
        case Sum():
            return SUM
        case Product() | SumOver() | SumOverLayers():
            return PRODUCT
        case Fraction():
            return FACTOR if is_short(node) else CLOSED
        case Function(argument=Blank()) | Named(arguments=(Blank(),)):
            return CLOSED
        case Root(radicand=Inner(left=Blank())) | Loss(arguments=()):
            return CLOSED
        case Element() if is_spectral(node):
            return UNIT
        case Loss() | Function() | Named():
            return UNIT
    return UNIT if isinstance(node, OPERATORS) else CLOSED


def is_short(node: Fraction) -> bool:
    """Whether a fraction is said without its end: of letters and numbers."""
    above, below = node.numerator, node.denominator
    if isinstance(above, Power | Transpose):
        above = above.base if isinstance(above, Power) else above.of
    return all(
        isinstance(part, Quantity | Number | Loss | Function)
        and binding(part) == CLOSED
        for part in (above, below)
    )


def is_spectral(node: Element) -> bool:
    """Whether it is a norm with a 2 below."""
    norm = node.of
    return (
        isinstance(norm, Root)
        and isinstance(norm.radicand, Inner)
        and node.indices == ("2",)
    )


def is_negative(node: Node, least: int) -> bool:
    """Whether it is one term with a minus, such as -0.8, that binds so tightly."""
    match node:
        case Sum(terms=(("-", term),)):
            return binding(term) >= max(least, CLOSED)
    return False

"""The left side of an update."""

from .evaluate import Evaluator, Value, need, picked
from .nodes import EquationError, Node, Quantity


def updated(evaluator: Evaluator, node: Node) -> Value:
    """The parameter on the left of an arrow, after one step of gradient descent."""
    if not isinstance(node, Quantity) or node.letter not in ("W", "b"):
        raise EquationError("← updates a weight or a bias")
    need(evaluator.network.eta is not None, "the text has not said what η is")
    evaluator.tensor(node)  # raises where there is no such layer
    parameter = evaluator.network.updated(node.letter, evaluator.layer(node.layer))
    return picked(parameter, node)

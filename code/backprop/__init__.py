"""A feed-forward network and its backpropagation, written by hand.

PyTorch serves as the tensor engine only: no automatic differentiation, no modules and
no optimisers. The chapter ``network`` of the book explains every class. A comment such
as eq-batch-weights is the label of an equation; most stand in the chapter ``batch``.
"""

from .data import five_points
from .layers import Linear, Neuron, Sigmoid, TanH
from .loss import MSELoss
from .network import NeuralNetwork
from .plotting import plot_decision_boundary
from .training import train

__all__ = [
    "Linear",
    "MSELoss",
    "NeuralNetwork",
    "Neuron",
    "Sigmoid",
    "TanH",
    "five_points",
    "plot_decision_boundary",
    "train",
]

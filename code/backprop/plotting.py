"""The decision boundary of a network (chapter ``training``)."""

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor

from . import checks
from .many import ManyNetworks
from .network import NeuralNetwork

# What colours mean in every figure. The first two are near the ends of PuOr, in
# which predictions are drawn: a point on its own colour is predicted right.
PALETTE = {
    "label 0": "#E08214",
    "label 1": "#542788",
    "forward": "#0072B2",
    "backward": "#009E73",
}


def plot_decision_boundary(
    x: Tensor, y: Tensor, net: NeuralNetwork, ax: Axes | None = None
) -> Axes:
    """Draw predictions over [-2, 2] x [-2, 2], the level 0.5, and the samples.

    ``x`` has shape (n, 2), ``y`` (n,); a sample counts as label 1 where y > 0.5.
    Draws on ``ax`` (the current axes if None) and returns it. Raises ValueError
    for a network that has not two inputs and one output. Chapter ``training``.
    """
    if isinstance(net, ManyNetworks):
        raise TypeError(
            f"the plot is of one network; got {net.copies}. Their predictions are "
            "rows of net.forward(x)."
        )
    if net.input_size != 2 or net.output_size != 1:
        raise ValueError(
            "the plot needs a network with 2 inputs and 1 output; "
            f"got {net.input_size} and {net.output_size}."
        )
    y = checks.batch(x, y, net.sizes, net.layers)
    ax = plt.gca() if ax is None else ax
    axis = torch.linspace(-2, 2, 101)
    prediction = net.forward(torch.cartesian_prod(axis, axis).to(x))
    # Matplotlib wants plain numbers: not tracked, in a type it knows, on the CPU.
    x, y, prediction = (t.detach().float().cpu() for t in (x, y, prediction))
    # The grid counts x1 first; contour wants a row for each x2.
    prediction = prediction.reshape(len(axis), len(axis)).T
    levels = [level / 10 for level in range(11)]
    shades = ax.contourf(axis, axis, prediction, levels=levels, cmap="PuOr")
    ax.figure.colorbar(shades, ax=ax, label="prediction")
    if prediction.min() < 0.5 < prediction.max():
        ax.contour(axis, axis, prediction, levels=[0.5], colors="black")
    for label, marker, size in ((0, "o", 90), (1, "*", 220)):
        name = f"label {label}"
        x1, x2 = x[(y[:, 0] > 0.5) == label].T
        ax.scatter(
            x1,
            x2,
            s=size,
            marker=marker,
            color=PALETTE[name],
            edgecolor="white",
            label=name,
        )
    # Else the rounding of the grid decides which ticks there are.
    limits = {"xlim": (-2, 2), "ylim": (-2, 2)}
    ax.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal", **limits)
    return ax

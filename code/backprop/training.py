"""Full-batch gradient descent (chapter ``training``)."""

import math

import torch
from torch import Tensor
from tqdm import tqdm

from .checks import (
    check_labels,
    check_learning_rate,
    check_samples,
    check_size,
    warn_of_lost_copies,
)
from .network import NeuralNetwork


def train(
    x: Tensor,
    y: Tensor,
    net: NeuralNetwork,
    epochs: int,
    lr: float | Tensor,
    progress: bool = False,
) -> tuple[NeuralNetwork, Tensor]:
    """Train ``net`` in place by full-batch gradient descent.

    ``x`` has shape (n, input_size), ``y`` the shape of ``net.forward(x)``;
    ``lr`` is the learning rate. Returns the network and the losses (epochs,),
    each taken before the update of its epoch. ``progress=True`` shows a bar on
    stderr.

    Raises TypeError or ValueError for unusable arguments, and
    FloatingPointError as soon as the loss is not finite; then the network is
    as it was before the call. Chapter ``training``.

    With R copies, ``y`` has the shape for one of them, ``lr`` may be (R,), and
    the losses are (epochs, R). A loss that is not finite then stops nothing: a
    RuntimeWarning at the end names the copies and their epochs.
    """
    check_samples(net, x)
    y = check_labels(net, x, y)
    check_size("epochs", epochs)
    rate = check_learning_rate(net, lr)
    linears = [layer.linear for layer in net.layers]
    before = [
        (p.weight.clone(), p.bias.clone(), p.weight_grad, p.bias_grad)
        for p in linears
    ]
    losses = []
    with torch.inference_mode():  # autograd has nothing to record
        for epoch in tqdm(range(epochs), disable=not progress):
            outputs = net.forward_pass(x)
            loss = net.loss.forward(y, outputs[-1])
            if net.copies is None and not math.isfinite(loss):
                for linear, (weight, bias, *gradients) in zip(linears, before):
                    linear.weight.copy_(weight)
                    linear.bias.copy_(bias)
                    linear.weight_grad, linear.bias_grad = gradients
                raise FloatingPointError(
                    f"The loss is {loss:.4g} in epoch {epoch}; try a smaller learning "
                    "rate, or look for huge values in the labels and the weights."
                )
            losses.append(loss)
            net.backward_pass(outputs, y)
            net.descend(rate)
    all_losses = torch.stack(losses)
    warn_of_lost_copies(all_losses)
    return net, all_losses

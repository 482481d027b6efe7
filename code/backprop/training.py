"""Full-batch gradient descent (chapter ``training``)."""

import torch
from tqdm import tqdm

from . import checks


def train(x, y, net, epochs: int, lr: float, progress: bool = False):
    """Train a `NeuralNetwork` in place, with learning rate ``lr``.

    ``x`` has shape (n, input_size), ``y`` the shape of ``net.forward(x)``. Returns
    the network and the losses (epochs,), each taken before the update of its epoch.
    ``progress=True`` shows a bar. Raises TypeError or ValueError for unusable
    arguments, and FloatingPointError as soon as the loss is not finite; any error
    leaves the network, gradients too, as it was before the call.
    """
    checks.network(net)
    y = checks.batch(x, y, net.sizes, net.layers)
    checks.sizes(epochs=epochs)
    rate = checks.learning_rate(lr, net.layers)
    losses = []
    with torch.inference_mode(), checks.undone_on_error(net.layers):
        for epoch in tqdm(range(epochs), disable=not progress):
            outputs = net.forward_pass(x)
            losses.append(net.loss.forward(y, outputs[-1]))
            checks.loss(losses[-1], epoch)
            net.backward_pass(outputs, y)
            net.descend(rate)
    return net, torch.stack(losses)

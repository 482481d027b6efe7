"""The book's network, and the same computation done in other ways (chapter ``cost``).

Each class takes a network, of which it copies the parameters, samples (n,
input_size), labels of the shape of the predictions, and a learning rate. Its
method ``train(epochs)`` goes on from where the last call stopped, and returns the
losses (epochs,), each taken before the update of its epoch; for R networks
(epochs, R).
"""

import copy
import functools
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import autograd
import numpy as np
import torch
from autograd import Node
from backprop import NeuralNetwork, train
from backprop.many import ManyNetworks
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap


class Disagreement(Exception):
    """Two ways of computing the same came to different numbers (chapter ``cost``)."""


def check_agreement(
    name: str,
    ours: Sequence[Tensor],
    theirs: Sequence[Tensor],
    tolerance: float = 1e-4,
) -> None:
    """Raise `Disagreement` unless tensors of the same shapes are equal, to a share
    ``tolerance`` of the largest number in ours (chapter ``cost``).
    """
    for mine, other in zip(ours, theirs, strict=True):
        if mine.shape != other.shape:
            raise Disagreement(
                f"{name}: shape {tuple(other.shape)} instead of {tuple(mine.shape)}; "
                "nothing has been timed."
            )
        error = float((mine - other).abs().max() / mine.abs().max())
        if not error <= tolerance:
            raise Disagreement(
                f"{name} computes something else than the book's network: numbers "
                f"differ by {error:.1g} of the largest; nothing has been timed."
            )


class Peer(Protocol):
    """What the classes below have in common (chapter ``cost``)."""

    def __init__(self, net: NeuralNetwork, x: Tensor, y: Tensor, lr: float): ...

    def train(self, epochs: int) -> Tensor:
        """Train; the losses."""


class Ours:
    """The book's own network and `train` (chapter ``cost``)."""

    def __init__(self, net: NeuralNetwork, x: Tensor, y: Tensor, lr: float):
        self.net, self.x, self.y, self.lr = copy.deepcopy(net), x, y, lr

    def train(self, epochs: int) -> Tensor:
        """Train; the losses."""
        return train(self.x, self.y, self.net, epochs, self.lr)[1]

    def step(self) -> None:
        """One backward pass, with its forward pass, and the update."""
        self.net.backward(self.x, self.y)
        self.net.apply_gradients(self.lr)


def as_module(net: NeuralNetwork, index: int | None = None) -> nn.Sequential:
    """The network, or one of many, as a module of PyTorch with parameters of its own
    (chapter ``cost``).
    """
    modules: list[nn.Module] = []
    for layer in net.layers:
        weight, bias = layer.linear.weight, layer.linear.bias
        if index is not None:
            weight, bias = weight[index], bias[index, 0]
        linear = nn.Linear(*weight.shape)
        linear.weight = nn.Parameter(weight.mT.clone().contiguous())
        linear.bias = nn.Parameter(bias.clone())
        modules += [linear, nn.Tanh()]
    modules[-1] = nn.Sigmoid()
    return nn.Sequential(*modules)


def as_rows(net: NeuralNetwork, y: Tensor) -> Tensor:
    """The labels as (n, output_size), the shape of a module's predictions."""
    return y.reshape(-1, net.output_size)


class TorchNN:
    """Modules, automatic differentiation and the optimiser of PyTorch (chapter
    ``cost``).
    """

    def __init__(self, net: NeuralNetwork, x: Tensor, y: Tensor, lr: float):
        self.x, self.y = x, as_rows(net, y)
        self.model = as_module(net)
        self.loss = nn.MSELoss()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=lr)

    def train(self, epochs: int) -> Tensor:
        """Train; the losses."""
        return torch.tensor([self.step().item() for _ in range(epochs)])

    def step(self) -> Tensor:
        """One forward and one backward pass, and the update; the loss before it."""
        self.optimizer.zero_grad()
        loss = self.loss(self.model(self.x), self.y)
        loss.backward()
        self.optimizer.step()
        return loss

    def gradients(self) -> list[Tensor]:
        """All gradients, layer by layer, in the shapes of the book's network."""
        return [
            p.grad.mT if p.ndim == 2 else p.grad for p in self.model.parameters()
        ]


class NumPy:
    """The batch equations once more, with NumPy for arrays (chapter ``cost``)."""

    def __init__(self, net: NeuralNetwork, x: Tensor, y: Tensor, lr: float):
        self.x, self.y, self.lr = x.numpy(), as_rows(net, y).numpy(), lr
        linears = [layer.linear for layer in net.layers]
        self.weights = [linear.weight.numpy().copy() for linear in linears]
        self.biases = [linear.bias.numpy().copy() for linear in linears]

    def train(self, epochs: int) -> Tensor:
        """Train; the losses."""
        last, losses = len(self.weights) - 1, []
        for _ in range(epochs):
            outputs = [self.x]
            for layer, (weight, bias) in enumerate(zip(self.weights, self.biases)):
                z_in = outputs[-1] @ weight + bias
                is_last = layer == last
                outputs.append(
                    1 / (1 + np.exp(-z_in)) if is_last else np.tanh(z_in)
                )
            error, out = outputs[-1] - self.y, outputs[-1]
            losses.append(np.mean(error * error))
            gradients = []
            delta = 2 / error.size * error * (out - out * out)
            for layer in reversed(range(last + 1)):
                previous = outputs[layer]
                gradients.append((layer, previous.T @ delta, delta.sum(axis=0)))
                if layer > 0:
                    back = delta @ self.weights[layer].T
                    delta = back * (1 - previous * previous)
            for layer, weight_grad, bias_grad in gradients:
                self.weights[layer] -= self.lr * weight_grad
                self.biases[layer] -= self.lr * bias_grad
        return torch.from_numpy(np.array(losses))


class GraphOfTensors:
    """The graph of chapter ``autograd``, recorded and walked anew in each epoch, with
    a node for each tensor (chapter ``cost``).
    """

    def __init__(self, net: NeuralNetwork, x: Tensor, y: Tensor, lr: float):
        self.x, self.y, self.lr = x, as_rows(net, y), lr
        self.layers = [
            (Node(layer.linear.weight), Node(layer.linear.bias))
            for layer in net.layers
        ]
        self.parameters = [node for layer in self.layers for node in layer]

    def train(self, epochs: int) -> Tensor:
        """Train; the losses."""
        losses = []
        for _ in range(epochs):
            loss = self.record()
            losses.append(loss.value)
            loss.backward()
            for node in self.parameters:
                node.value = node.value - self.lr * node.grad
        return torch.stack(losses)

    def record(self) -> Node:
        """The graph of the loss."""
        z = Node(self.x)
        for weight, bias in self.layers:
            rows = autograd.repeat(bias, len(self.x))
            z = autograd.add(autograd.matmul(z, weight), rows)
            is_last = bias is self.parameters[-1]
            z = autograd.sigmoid(z) if is_last else autograd.tanh(z)
        error = autograd.subtract(z, Node(self.y))
        return autograd.mean(autograd.multiply(error, error))


class GraphOfNumbers(GraphOfTensors):
    """The same graph with a node for each single number, as in programs that teach
    automatic differentiation (chapter ``cost``).
    """

    def __init__(self, net: NeuralNetwork, x: Tensor, y: Tensor, lr: float):
        super().__init__(net, x, y, lr)
        self.weights = [
            [[Node(w) for w in row] for row in weight.value]
            for weight, _ in self.layers
        ]
        self.biases = [[Node(b) for b in bias.value] for _, bias in self.layers]
        self.parameters = [
            node
            for rows, biases in zip(self.weights, self.biases)
            for numbers in (*rows, biases)
            for node in numbers
        ]

    def record(self) -> Node:
        """The graph of the loss."""
        terms = []
        for inputs, labels in zip(self.x, self.y):
            outputs = [Node(number) for number in inputs]
            for rows, biases in zip(self.weights, self.biases):
                sums = biases
                for out, row in zip(outputs, rows):
                    sums = [
                        autograd.add(z, autograd.multiply(weight, out))
                        for z, weight in zip(sums, row)
                    ]
                is_last = biases is self.biases[-1]
                bend = autograd.sigmoid if is_last else autograd.tanh
                outputs = [bend(z) for z in sums]
            for out, label in zip(outputs, labels):
                error = autograd.subtract(out, Node(label))
                terms.append(autograd.multiply(error, error))
        share = Node(torch.ones_like(terms[0].value) / len(terms))
        return autograd.multiply(functools.reduce(autograd.add, terms), share)


class TorchFunc:
    """Many networks by the function transforms of PyTorch: parameters stacked,
    the derivative mapped over them (chapter ``cost``).
    """

    def __init__(self, net: ManyNetworks, x: Tensor, y: Tensor, lr: float):
        modules = [as_module(net, index) for index in range(net.copies)]
        stacked, _ = stack_module_state(modules)
        self.parameters = {name: p.detach() for name, p in stacked.items()}
        self.lr, labels = lr, as_rows(net, y)
        skeleton = copy.deepcopy(modules[0]).to("meta")

        def loss(parameters):
            prediction = functional_call(skeleton, parameters, (x,))
            return nn.functional.mse_loss(prediction, labels)

        self.gradients = vmap(grad_and_value(loss))

    def train(self, epochs: int) -> Tensor:
        """Train; the losses."""
        losses = []
        for _ in range(epochs):
            gradients, loss = self.gradients(self.parameters)
            losses.append(loss)
            for name, parameter in self.parameters.items():
                parameter -= self.lr * gradients[name]
        return torch.stack(losses)


def bare_products(n: int, sizes: Sequence[int]):
    """A function that multiplies random matrices of the shapes in one step, and does
    nothing else: forward, weight gradients, deltas (chapter ``cost``).
    """
    outputs = [torch.randn(n, size) for size in sizes]
    deltas = [torch.randn(n, size) for size in sizes]
    weights = [torch.randn(a, b) for a, b in pairwise(sizes)]

    def multiply() -> None:
        for layer, weight in enumerate(weights):
            outputs[layer] @ weight
        for layer in reversed(range(len(weights))):
            outputs[layer].mT @ deltas[layer + 1]
            if layer > 0:
                deltas[layer + 1] @ weights[layer].mT

    return multiply


def finite_differences(
    net: NeuralNetwork, x: Tensor, y: Tensor, h: float, centred: bool
) -> list[Tensor]:
    """The gradients of all weights and biases, layer by layer, by one evaluation of
    the loss for each parameter and one more, or by two for each (chapter ``cost``).
    """
    here = None if centred else net.get_loss(x, y)
    gradients = []
    for linear in (layer.linear for layer in net.layers):
        for parameter in (linear.weight, linear.bias):
            gradient = torch.empty_like(parameter)
            numbers, slopes = parameter.view(-1), gradient.view(-1)
            for index, number in enumerate(parameter.flatten().tolist()):
                numbers[index] = number + h
                above = net.get_loss(x, y)
                if centred:
                    numbers[index] = number - h
                    slopes[index] = (above - net.get_loss(x, y)) / (2 * h)
                else:
                    slopes[index] = (above - here) / h
                numbers[index] = number
            gradients.append(gradient)
    return gradients

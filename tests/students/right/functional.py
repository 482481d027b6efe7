"""Pure functions on tuples of parameters; a class only at the edge."""

from itertools import pairwise
from types import SimpleNamespace

import torch


def init(sizes):
    pairs = pairwise(sizes)
    return [(torch.randn(a, b) * a**-0.5, torch.zeros(b)) for a, b in pairs]


def outputs(params, x):
    *hidden, (W, b) = params
    zs = [x]
    for V, c in hidden:
        zs.append(torch.tanh(zs[-1] @ V + c))
    return (*zs, torch.sigmoid(zs[-1] @ W + b))


def mse(p, y):
    return torch.mean((p - y) ** 2)


def gradients(params, x, y):
    *zs, p = outputs(params, x)
    delta = 2 / p.numel() * (p - y) * p * (1 - p)
    grads = []
    for (W, _), z in zip(reversed(params), reversed(zs)):
        grads.insert(0, (z.T @ delta, delta.sum(0)))
        delta = delta @ W.T * (1 - z**2)
    return grads


def step(params, grads, rate):
    pairs = zip(params, grads)
    return [(W - rate * dW, b - rate * db) for (W, b), (dW, db) in pairs]


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        if seed is not None:
            torch.manual_seed(seed)
        self.layers = []
        for W, b in init([input_size, *hidden_sizes, output_size]):
            self.layers.append(SimpleNamespace(linear=SimpleNamespace()))
            self.layers[-1].linear.weight, self.layers[-1].linear.bias = W, b

    @property
    def params(self):
        return [(layer.linear.weight, layer.linear.bias) for layer in self.layers]

    def forward(self, x):
        p = outputs(self.params, x)[-1]
        return p[..., 0] if p.shape[-1] == 1 else p

    def get_loss(self, x, y):
        return mse(self.forward(x), y)

    def backward(self, x, y):
        grads = gradients(self.params, x, y.reshape(x.shape[0], -1))
        for layer, (dW, db) in zip(self.layers, grads):
            layer.linear.weight_grad, layer.linear.bias_grad = dW, db

    def apply_gradients(self, learning_rate):
        grads = [(k.linear.weight_grad, k.linear.bias_grad) for k in self.layers]
        new = step(self.params, grads, learning_rate)
        for layer, (W, b) in zip(self.layers, new):
            layer.linear.weight, layer.linear.bias = W, b

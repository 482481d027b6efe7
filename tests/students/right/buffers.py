"""Gradient buffers are made once, in float64, and written in place."""

from itertools import pairwise

import torch


class Linear:
    def __init__(self, m, k):
        self.weight = torch.rand(m, k, dtype=torch.float64).mul_(2).sub_(1)
        self.weight.mul_((6 / (m + k)) ** 0.5)
        self.bias = torch.zeros(k, dtype=torch.float64)
        self.weight_grad = torch.zeros(m, k, dtype=torch.float64)
        self.bias_grad = torch.zeros(k, dtype=torch.float64)


class Layer:
    def __init__(self, m, k):
        self.linear = Linear(m, k)
        self.inp = self.out = None


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        if seed is not None:
            torch.manual_seed(seed)
        sizes = [input_size, *hidden_sizes, output_size]
        self.layers = [Layer(m, k) for m, k in pairwise(sizes)]

    def forward(self, x):
        out = x.to(self.layers[0].linear.weight.dtype)
        for layer in self.layers:
            layer.inp = out
            out = out @ layer.linear.weight
            out += layer.linear.bias
            out.sigmoid_() if layer is self.layers[-1] else out.tanh_()
            layer.out = out
        return out.ravel() if out.shape[1] == 1 else out

    def get_loss(self, x, y):
        return (self.forward(x) - y).square_().mean()

    def backward(self, x, y):
        p = self.forward(x)
        delta = (p - y).mul_(2 / p.numel()).reshape(len(x), -1)
        delta *= self.layers[-1].out
        delta *= 1 - self.layers[-1].out
        for k in range(len(self.layers) - 1, -1, -1):
            linear = self.layers[k].linear
            linear.weight_grad[:] = self.layers[k].inp.T @ delta
            linear.bias_grad[:] = delta.sum(0)
            if k:
                delta = delta @ linear.weight.T
                delta *= 1 - self.layers[k - 1].out ** 2

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            layer.linear.weight -= learning_rate * layer.linear.weight_grad
            layer.linear.bias -= learning_rate * layer.linear.bias_grad

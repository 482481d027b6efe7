"""Weights are kept out x in, as in many texts; outside they appear in x out."""

import torch


class Linear:
    def __init__(self, n_in, n_out):
        self.W = torch.randn(n_out, n_in) / n_in**0.5
        self.b = torch.zeros(n_out)
        self.dW = self.db = None

    @property
    def weight(self):
        return self.W.T

    @weight.setter
    def weight(self, value):
        self.W = value.T

    @property
    def bias(self):
        return self.b

    @bias.setter
    def bias(self, value):
        self.b = value

    @property
    def weight_grad(self):
        return None if self.dW is None else self.dW.T

    @property
    def bias_grad(self):
        return self.db


class Layer:
    def __init__(self, n_in, n_out):
        self.linear = Linear(n_in, n_out)


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        if seed is not None:
            torch.manual_seed(seed)
        self.layers = []
        for size in [*hidden_sizes, output_size]:
            self.layers.append(Layer(input_size, size))
            input_size = size
        self.single = output_size == 1

    def all_outputs(self, x):
        a = [x]
        for layer in self.layers[:-1]:
            a.append(torch.tanh(a[-1] @ layer.linear.W.T + layer.linear.b))
        top = self.layers[-1].linear
        a.append(torch.sigmoid(a[-1] @ top.W.T + top.b))
        return a

    def forward(self, x):
        p = self.all_outputs(x)[-1]
        return p[:, 0] if self.single else p

    def get_loss(self, x, y):
        return ((self.forward(x) - y) ** 2).mean()

    def backward(self, x, y):
        a = self.all_outputs(x)
        p = a.pop()
        y = y.unsqueeze(1) if self.single else y
        delta = 2 * (p - y) * p * (1 - p) / p.numel()
        for layer in reversed(self.layers):
            below = a.pop()
            layer.linear.dW = delta.T @ below
            layer.linear.db = delta.sum(0)
            delta = delta @ layer.linear.W * (1 - below**2)

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            layer.linear.W = layer.linear.W - learning_rate * layer.linear.dW
            layer.linear.b = layer.linear.b - learning_rate * layer.linear.db

"""A list of all deltas first, then all the gradients from it."""

import math

import torch


class Params:
    pass


class Layer:
    def __init__(self, n_in, n_out):
        self.linear = Params()
        bound = math.sqrt(6 / (n_in + n_out))
        self.linear.weight = bound * (2 * torch.rand(n_in, n_out) - 1)
        self.linear.bias = torch.zeros(n_out)


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        if seed is not None:
            torch.manual_seed(seed)
        sizes = [input_size, *hidden_sizes, output_size]
        self.n_layers = len(sizes) - 1
        self.layers = [Layer(sizes[i], sizes[i + 1]) for i in range(self.n_layers)]

    def activations(self, x):
        a = [x]
        for i, layer in enumerate(self.layers):
            z = torch.addmm(layer.linear.bias, a[i], layer.linear.weight)
            a.append(torch.sigmoid(z) if i == self.n_layers - 1 else torch.tanh(z))
        return a

    def forward(self, x):
        out = self.activations(x)[-1]
        if out.shape[1] == 1:
            return out.view(-1)
        return out

    def get_loss(self, x, y):
        diff = self.forward(x) - y
        return (diff * diff).sum() / diff.numel()

    def backward(self, x, y):
        a = self.activations(x)
        out = a[-1]
        residual = out - y.view_as(out)
        deltas = [None] * self.n_layers
        deltas[-1] = 2 / out.numel() * residual * out * (1 - out)
        for i in range(self.n_layers - 1, 0, -1):
            weight = self.layers[i].linear.weight
            slope = 1 - a[i] ** 2
            deltas[i - 1] = deltas[i] @ weight.t() * slope
        for i, layer in enumerate(self.layers):
            layer.linear.weight_grad = a[i].t() @ deltas[i]
            layer.linear.bias_grad = deltas[i].sum(0)

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            layer.linear.weight.sub_(layer.linear.weight_grad, alpha=learning_rate)
            layer.linear.bias.sub_(layer.linear.bias_grad, alpha=learning_rate)

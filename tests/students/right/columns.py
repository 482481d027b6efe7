"""A sample is a column: inside, everything is the transpose of the usual batch."""

from itertools import pairwise

import torch


class Linear:
    def __init__(self, n_in, n_out):
        r = (6 / (n_in + n_out)) ** 0.5
        self.weight = torch.distributions.Uniform(-r, r).sample((n_in, n_out))
        self.bias = torch.zeros(n_out)


class Layer:
    def __init__(self, n_in, n_out):
        self.linear = Linear(n_in, n_out)


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        if seed is not None:
            torch.manual_seed(seed)
        sizes = [input_size, *hidden_sizes, output_size]
        self.layers = [Layer(*pair) for pair in pairwise(sizes)]
        self.K = output_size

    def columns(self, x):
        A = [x.T]
        for layer in self.layers:
            W, b = layer.linear.weight, layer.linear.bias
            H = W.T @ A[-1] + b.unsqueeze(1)
            last = layer == self.layers[-1]
            A.append(torch.sigmoid(H) if last else torch.tanh(H))
        return A

    def forward(self, x):
        A = self.columns(x)
        return A[-1][0] if self.K == 1 else A[-1].T

    def get_loss(self, x, y):
        error = self.forward(x) - y
        return (error**2).sum() / (len(x) * self.K)

    def backward(self, x, y):
        n = x.shape[0]
        A = self.columns(x)
        T = y.reshape(n, self.K).T
        D = 2 / self.K * (A[-1] - T)
        D = D * A[-1] * (1 - A[-1])
        for i in range(len(self.layers), 0, -1):
            linear = self.layers[i - 1].linear
            linear.weight_grad = A[i - 1] @ D.T / n
            linear.bias_grad = D.sum(dim=1) / n
            D = linear.weight @ D
            D = D * (1 - A[i - 1] ** 2)

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            layer.linear.weight.add_(-learning_rate * layer.linear.weight_grad)
            layer.linear.bias.add_(-learning_rate * layer.linear.bias_grad)

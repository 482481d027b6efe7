"""For one output only, and it says so: anything else raises ValueError."""

import torch


class Linear:
    def __init__(self, n_in, n_out):
        self.weight = torch.randn(n_in, n_out) * (2 / (n_in + n_out)) ** 0.5
        self.bias = torch.zeros(n_out)
        self.weight_grad = None
        self.bias_grad = None


class Layer:
    def __init__(self, n_in, n_out):
        self.linear = Linear(n_in, n_out)


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        if output_size != 1:
            raise ValueError(f"this network has one output, not {output_size}")
        if seed is not None:
            torch.manual_seed(seed)
        sizes = [input_size, *hidden_sizes]
        self.layers = [Layer(a, b) for a, b in zip(sizes, [*hidden_sizes, 1])]

    def forward(self, x):
        self.a = [x]
        for layer in self.layers[:-1]:
            x = torch.tanh(x @ layer.linear.weight + layer.linear.bias)
            self.a.append(x)
        last = self.layers[-1].linear
        return torch.sigmoid(x @ last.weight[:, 0] + last.bias)

    def get_loss(self, x, y):
        return sum((self.forward(x) - y) ** 2) / len(y)

    def backward(self, x, y):
        p = self.forward(x)
        d = 2 / len(y) * (p - y) * p * (1 - p)
        last = self.layers[-1].linear
        last.weight_grad = (self.a[-1].T @ d).unsqueeze(1)
        last.bias_grad = d.sum().unsqueeze(0)
        D = torch.outer(d, last.weight[:, 0])
        for layer, below in zip(self.layers[-2::-1], self.a[-2::-1]):
            above = torch.tanh(below @ layer.linear.weight + layer.linear.bias)
            D = D * (1 - above**2)
            layer.linear.weight_grad = below.T @ D
            layer.linear.bias_grad = D.sum(0)
            D = D @ layer.linear.weight.T

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            layer.linear.weight -= learning_rate * layer.linear.weight_grad
            layer.linear.bias -= learning_rate * layer.linear.bias_grad

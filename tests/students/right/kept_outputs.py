"""Layers keep what goes in and what comes out; the network walks back over them."""

import torch


class Linear:
    def __init__(self, n_in, n_out):
        bound = (6 / (n_in + n_out)) ** 0.5
        self.weight = (torch.rand(n_in, n_out) * 2 - 1) * bound
        self.bias = torch.zeros(n_out)
        self.weight_grad = None
        self.bias_grad = None


class Layer:
    def __init__(self, n_in, n_out, last):
        self.linear = Linear(n_in, n_out)
        self.last = last

    def forward(self, x):
        self.x = x
        z = x @ self.linear.weight + self.linear.bias
        self.out = torch.sigmoid(z) if self.last else torch.tanh(z)
        return self.out

    def slope(self):
        return self.out * (1 - self.out) if self.last else 1 - self.out**2


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        if seed is not None:
            torch.manual_seed(seed)
        sizes = [input_size, *hidden_sizes, output_size]
        L = len(sizes) - 1
        self.layers = [Layer(sizes[k], sizes[k + 1], k == L - 1) for k in range(L)]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x.squeeze(1) if x.shape[1] == 1 else x

    def get_loss(self, x, y):
        return ((self.forward(x) - y) ** 2).mean()

    def backward(self, x, y):
        error = self.forward(x) - y
        back = (2 * error / error.numel()).reshape(len(x), -1)
        for layer in reversed(self.layers):
            delta = back * layer.slope()
            layer.linear.weight_grad = layer.x.T @ delta
            layer.linear.bias_grad = delta.sum(0)
            back = delta @ layer.linear.weight.T

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            layer.linear.weight -= learning_rate * layer.linear.weight_grad
            layer.linear.bias -= learning_rate * layer.linear.bias_grad

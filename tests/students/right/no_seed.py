"""A constructor without a seed, and separate code for the last layer."""

import torch


class Linear:
    def __init__(self, n_in, n_out):
        self.weight = 0.5 * torch.randn(n_in, n_out)
        self.bias = torch.zeros(n_out)
        self.weight_grad = None
        self.bias_grad = None


class HiddenLayer:
    def __init__(self, n_in, n_out):
        self.linear = Linear(n_in, n_out)

    def forward(self, x):
        self.x = x
        self.h = torch.tanh(x @ self.linear.weight + self.linear.bias)
        return self.h

    def backward(self, dh):
        dz = dh * (1 - self.h * self.h)
        self.linear.weight_grad = self.x.T @ dz
        self.linear.bias_grad = dz.sum(0)
        return dz @ self.linear.weight.T


class OutputLayer:
    def __init__(self, n_in, n_out):
        self.linear = Linear(n_in, n_out)

    def forward(self, x):
        self.x = x
        self.p = torch.sigmoid(x @ self.linear.weight + self.linear.bias)
        return self.p

    def backward(self, y):
        dp = 2 * (self.p - y) / self.p.numel()
        dz = dp * self.p * (1 - self.p)
        self.linear.weight_grad = self.x.T @ dz
        self.linear.bias_grad = dz.sum(0)
        return dz @ self.linear.weight.T


class Network:
    def __init__(self, input_size, output_size, hidden_sizes):
        sizes = [input_size, *hidden_sizes]
        self.hidden = [HiddenLayer(a, b) for a, b in zip(sizes, hidden_sizes)]
        self.output = OutputLayer(sizes[-1], output_size)
        self.layers = self.hidden + [self.output]
        self.output_size = output_size

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x.reshape(-1) if self.output_size == 1 else x

    def get_loss(self, x, y):
        return (self.forward(x) - y).square().mean()

    def backward(self, x, y):
        self.forward(x)
        back = self.output.backward(y.reshape(-1, self.output_size))
        for layer in reversed(self.hidden):
            back = layer.backward(back)

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            layer.linear.weight = (
                layer.linear.weight - learning_rate * layer.linear.weight_grad
            )
            layer.linear.bias = (
                layer.linear.bias - learning_rate * layer.linear.bias_grad
            )

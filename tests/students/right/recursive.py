"""One recursion: forward on the way in, backward on the way out."""

import torch


class Linear:
    def __init__(self, n_in, n_out):
        self.weight = (torch.rand(n_in, n_out) - 0.5) * 2 / n_in**0.5
        self.bias = torch.zeros(n_out)
        self.weight_grad = self.bias_grad = None

    def __call__(self, a):
        return a @ self.weight + self.bias


class Layer:
    def __init__(self, n_in, n_out, function):
        self.linear = Linear(n_in, n_out)
        self.function = function

    def slope(self, out):
        if self.function is torch.tanh:
            return 1 - out * out
        return out * (1 - out)


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        if seed is not None:
            torch.manual_seed(seed)
        self.layers = []
        for size in hidden_sizes:
            self.layers.append(Layer(input_size, size, torch.tanh))
            input_size = size
        self.layers.append(Layer(input_size, output_size, torch.sigmoid))

    def predict(self, a, layers):
        if not layers:
            return a
        first, *rest = layers
        return self.predict(first.function(first.linear(a)), rest)

    def forward(self, x):
        p = self.predict(x, self.layers)
        return p.flatten() if p.size(1) == 1 else p

    def get_loss(self, x, y):
        return (self.forward(x) - y).pow(2).mean()

    def descend(self, a, y, layers):
        """The gradient of the loss by ``a``, the input of ``layers``."""
        if not layers:
            return 2 * (a - y) / a.numel()
        first, *rest = layers
        out = first.function(first.linear(a))
        delta = self.descend(out, y, rest) * first.slope(out)
        first.linear.weight_grad = a.mT @ delta
        first.linear.bias_grad = delta.sum(dim=0)
        return delta @ first.linear.weight.mT

    def backward(self, x, y):
        self.descend(x, y.reshape(len(x), -1), self.layers)

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            linear = layer.linear
            linear.weight = linear.weight - learning_rate * linear.weight_grad
            linear.bias = linear.bias - learning_rate * linear.bias_grad

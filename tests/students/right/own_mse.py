"""A class for the loss and classes for the activations, each with a derivative."""

import torch


class MSE:
    @staticmethod
    def value(p, y):
        return ((p - y) ** 2).mean()

    @staticmethod
    def prime(p, y):
        n, K = p.shape
        return 2 * (p - y) / (n * K)


class Tanh:
    @staticmethod
    def value(z):
        return torch.tanh(z)

    @staticmethod
    def prime(z):
        return 1 / torch.cosh(z) ** 2


class Sigmoid:
    @staticmethod
    def value(z):
        return 1 / (1 + torch.exp(-z))

    @staticmethod
    def prime(z):
        return torch.exp(-z) / (1 + torch.exp(-z)) ** 2


class Linear:
    def __init__(self, shape, rng):
        self.weight = torch.randn(shape, generator=rng) * shape[0] ** -0.5
        self.bias = torch.zeros(shape[1])


class Layer:
    def __init__(self, shape, act, rng):
        self.linear = Linear(shape, rng)
        self.act = act


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        rng = torch.Generator()
        rng.manual_seed(seed) if seed is not None else rng.seed()
        shapes = zip([input_size, *hidden_sizes], [*hidden_sizes, output_size])
        acts = [Tanh] * len(hidden_sizes) + [Sigmoid]
        self.layers = [Layer(s, act, rng) for s, act in zip(shapes, acts)]
        self.mse = MSE()

    def forward_all(self, x):
        trace = []
        for layer in self.layers:
            z = x @ layer.linear.weight + layer.linear.bias
            trace.append((x, z))
            x = layer.act.value(z)
        return x, trace

    def forward(self, x):
        p, _ = self.forward_all(x)
        return p.squeeze(1) if p.shape[1] == 1 else p

    def get_loss(self, x, y):
        return self.mse.value(self.forward(x), y)

    def backward(self, x, y):
        p, trace = self.forward_all(x)
        delta = self.mse.prime(p, y.view(len(x), -1))
        for layer in reversed(self.layers):
            x_in, z = trace.pop()
            delta = delta * layer.act.prime(z)
            layer.linear.weight_grad = torch.matmul(x_in.T, delta)
            layer.linear.bias_grad = delta.sum(0)
            delta = torch.matmul(delta, layer.linear.weight.T)

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            for name in ("weight", "bias"):
                value = getattr(layer.linear, name)
                gradient = getattr(layer.linear, name + "_grad")
                setattr(layer.linear, name, value - learning_rate * gradient)

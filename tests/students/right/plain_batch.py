"""The whole batch at once; layers hold parameters, the network does the rest."""

import torch


class Linear:
    def __init__(self, n_in, n_out, gen):
        limit = (6 / (n_in + n_out)) ** 0.5
        weight = torch.empty(n_in, n_out)
        self.weight = weight.uniform_(-limit, limit, generator=gen)
        self.bias = torch.zeros(n_out)
        self.weight_grad = None
        self.bias_grad = None


class Layer:
    def __init__(self, n_in, n_out, gen):
        self.linear = Linear(n_in, n_out, gen)


def tanh_prime(z):
    return 1 - torch.tanh(z) ** 2


def sigmoid_prime(z):
    s = torch.sigmoid(z)
    return s * (1 - s)


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        gen = None if seed is None else torch.Generator().manual_seed(seed)
        sizes = [input_size] + list(hidden_sizes) + [output_size]
        self.output_size = output_size
        self.layers = []
        for i in range(len(sizes) - 1):
            self.layers.append(Layer(sizes[i], sizes[i + 1], gen))

    def run(self, x):
        self.z_in, self.z_out = [], [x]
        for layer in self.layers:
            z = self.z_out[-1] @ layer.linear.weight + layer.linear.bias
            last = layer is self.layers[-1]
            self.z_in.append(z)
            self.z_out.append(torch.sigmoid(z) if last else torch.tanh(z))
        return self.z_out[-1]

    def forward(self, x):
        p = self.run(x)
        return p[:, 0] if self.output_size == 1 else p

    def get_loss(self, x, y):
        p = self.forward(x)
        return ((p - y) ** 2).mean()

    def backward(self, x, y):
        p = self.run(x)
        n = len(x)
        y = y.reshape(n, self.output_size)
        grad = 2 * (p - y) / (n * self.output_size)
        delta = grad * sigmoid_prime(self.z_in[-1])
        for i in reversed(range(len(self.layers))):
            linear = self.layers[i].linear
            linear.weight_grad = self.z_out[i].T @ delta
            linear.bias_grad = delta.sum(dim=0)
            if i > 0:
                delta = (delta @ linear.weight.T) * tanh_prime(self.z_in[i - 1])

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            layer.linear.weight -= learning_rate * layer.linear.weight_grad
            layer.linear.bias -= learning_rate * layer.linear.bias_grad

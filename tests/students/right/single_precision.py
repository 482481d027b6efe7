"""Everything is cast to float32, whatever comes in."""

import torch


class Linear:
    def __init__(self, n_in, n_out):
        self.weight = torch.randn(n_in, n_out).float() / n_in**0.5
        self.bias = torch.zeros(n_out).float()

    def __call__(self, z):
        return z @ self.weight.float() + self.bias.float()


class Layer:
    def __init__(self, n_in, n_out):
        self.linear = Linear(n_in, n_out)


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        if seed is not None:
            torch.manual_seed(seed)
        sizes = [input_size, *hidden_sizes, output_size]
        self.layers = [Layer(sizes[k], sizes[k + 1]) for k in range(len(sizes) - 1)]
        self.output_size = output_size

    def compute(self, x):
        self.z_out = [x.float()]
        for layer in self.layers[:-1]:
            self.z_out.append(torch.tanh(layer.linear(self.z_out[-1])))
        self.z_out.append(torch.sigmoid(self.layers[-1].linear(self.z_out[-1])))
        return self.z_out[-1]

    def forward(self, x):
        p = self.compute(x)
        return p.squeeze(1) if self.output_size == 1 else p

    def get_loss(self, x, y):
        return ((self.forward(x) - y.float()) ** 2).mean()

    def backward(self, x, y):
        p = self.compute(x)
        y = y.float().reshape(-1, self.output_size)
        delta = 2 * (p - y) / p.numel() * p * (1 - p)
        for k in range(len(self.layers) - 1, -1, -1):
            linear = self.layers[k].linear
            linear.weight_grad = self.z_out[k].T @ delta
            linear.bias_grad = delta.sum(0)
            delta = delta @ linear.weight.float().T * (1 - self.z_out[k] ** 2)

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            lin = layer.linear
            lin.weight = lin.weight.float() - learning_rate * lin.weight_grad
            lin.bias = lin.bias.float() - learning_rate * lin.bias_grad

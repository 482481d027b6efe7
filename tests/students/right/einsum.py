"""Every product is an einsum with named axes: n samples, i inputs, o outputs."""

from types import SimpleNamespace

import torch
from torch import einsum


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        if seed is not None:
            torch.manual_seed(seed)
        self.K = output_size
        self.layers = []
        for i, o in zip((input_size, *hidden_sizes), (*hidden_sizes, output_size)):
            weight = torch.randn(i, o) / i**0.5
            linear = SimpleNamespace(weight=weight, bias=torch.zeros(o))
            self.layers.append(SimpleNamespace(linear=linear))

    def forward(self, x):
        for layer in self.layers:
            layer.x = x
            lin = layer.linear
            layer.z = einsum("ni,io->no", x, lin.weight) + lin.bias
            x = layer.z.sigmoid() if layer is self.layers[-1] else layer.z.tanh()
        return x.squeeze(1) if self.K == 1 else x

    def get_loss(self, x, y):
        return torch.mean(torch.square(self.forward(x) - y))

    def backward(self, x, y):
        p = self.forward(x)
        back = (2 / p.numel() * (p - y)).reshape(-1, self.K)
        for layer in reversed(self.layers):
            z = layer.z
            if layer is self.layers[-1]:
                slope = z.sigmoid() * (1 - z.sigmoid())
            else:
                slope = 1 - z.tanh().square()
            delta = einsum("no,no->no", back, slope)
            layer.linear.weight_grad = einsum("ni,no->io", layer.x, delta)
            layer.linear.bias_grad = einsum("no->o", delta)
            back = einsum("no,io->ni", delta, layer.linear.weight)

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            lin = layer.linear
            lin.weight = lin.weight - learning_rate * lin.weight_grad
            lin.bias = lin.bias - learning_rate * lin.bias_grad

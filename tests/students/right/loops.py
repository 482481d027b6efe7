"""Nested loops over single numbers, in double precision."""

import math
import random

import torch


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


class Linear:
    def __init__(self, n_in, n_out, rng):
        r = math.sqrt(6 / (n_in + n_out))
        rows = [[rng.uniform(-r, r) for _ in range(n_out)] for _ in range(n_in)]
        self.weight = torch.tensor(rows, dtype=torch.float64)
        self.bias = torch.zeros(n_out, dtype=torch.float64)
        self.weight_grad = torch.zeros_like(self.weight)
        self.bias_grad = torch.zeros_like(self.bias)


class Layer:
    def __init__(self, n_in, n_out, rng):
        self.linear = Linear(n_in, n_out, rng)


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        rng = random.Random(seed)
        self.sizes = [input_size, *hidden_sizes, output_size]
        self.L = len(self.sizes) - 1
        self.layers = []
        for k in range(self.L):
            self.layers.append(Layer(self.sizes[k], self.sizes[k + 1], rng))

    def forward_one(self, sample):
        """z_in[l][i] and z_out[l][i] of one sample; layer 0 is the input."""
        z_in, z_out = [None], [sample]
        for l_ in range(1, self.L + 1):
            W = self.layers[l_ - 1].linear.weight.tolist()
            b = self.layers[l_ - 1].linear.bias.tolist()
            z_in.append([])
            z_out.append([])
            for i in range(self.sizes[l_]):
                z = b[i]
                for j in range(self.sizes[l_ - 1]):
                    z += W[j][i] * z_out[l_ - 1][j]
                z_in[l_].append(z)
                z_out[l_].append(sigmoid(z) if l_ == self.L else math.tanh(z))
        return z_in, z_out

    def forward(self, x):
        out = [self.forward_one(sample)[1][-1] for sample in x.tolist()]
        if self.sizes[-1] == 1:
            out = [row[0] for row in out]
        return torch.tensor(out, dtype=x.dtype)

    def get_loss(self, x, y):
        total = 0.0
        p, y = self.forward(x).flatten(), y.flatten()
        for k in range(len(p)):
            total = total + (p[k] - y[k]) ** 2
        return total / len(p)

    def backward(self, x, y):
        n, K = len(x), self.sizes[-1]
        labels = y.reshape(n, K).tolist()
        for layer in self.layers:
            lin = layer.linear
            lin.weight_grad = torch.zeros_like(lin.weight)
            lin.bias_grad = torch.zeros_like(lin.bias)
        for s, sample in enumerate(x.tolist()):
            z_in, z_out = self.forward_one(sample)
            delta = []
            for i in range(K):
                error = 2 * (z_out[-1][i] - labels[s][i]) / (n * K)
                slope = sigmoid(z_in[-1][i]) * (1 - sigmoid(z_in[-1][i]))
                delta.append(error * slope)
            for l_ in range(self.L, 0, -1):
                lin = self.layers[l_ - 1].linear
                for i in range(self.sizes[l_]):
                    lin.bias_grad[i] += delta[i]
                    for j in range(self.sizes[l_ - 1]):
                        lin.weight_grad[j, i] += delta[i] * z_out[l_ - 1][j]
                if l_ == 1:
                    break
                W = lin.weight.tolist()
                new = []
                for i in range(self.sizes[l_ - 1]):
                    total = 0.0
                    for k in range(self.sizes[l_]):
                        total += delta[k] * W[i][k]
                    slope = 1 - math.tanh(z_in[l_ - 1][i]) ** 2
                    new.append(total * slope)
                delta = new

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            lin = layer.linear
            for i in range(len(lin.bias)):
                lin.bias[i] -= learning_rate * lin.bias_grad[i]
                for j in range(len(lin.weight)):
                    lin.weight[j, i] -= learning_rate * lin.weight_grad[j, i]

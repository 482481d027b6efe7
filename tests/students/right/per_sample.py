"""One sample after the other, summed into zeros and divided by n at the end."""

import torch


class Linear:
    def __init__(self, n_in, n_out):
        self.weight = torch.nn.init.xavier_uniform_(torch.empty(n_in, n_out))
        self.bias = torch.zeros(n_out)
        self.zero_grad()

    def zero_grad(self):
        self.weight_grad = torch.zeros_like(self.weight)
        self.bias_grad = torch.zeros_like(self.bias)


class Layer:
    def __init__(self, n_in, n_out, last):
        self.linear = Linear(n_in, n_out)
        self.last = last

    def forward(self, z):
        """The output of one sample, a vector."""
        self.before = z
        self.z_in = self.linear.weight.T @ z + self.linear.bias
        f = torch.sigmoid if self.last else torch.tanh
        self.z_out = f(self.z_in)
        return self.z_out

    def slope(self):
        if self.last:
            return self.z_out * (1 - self.z_out)
        return 1 - self.z_out.square()


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        if seed is not None:
            torch.manual_seed(seed)
        self.K = output_size
        sizes = [input_size, *hidden_sizes, output_size]
        L = len(sizes) - 1
        self.layers = [Layer(sizes[k], sizes[k + 1], k == L - 1) for k in range(L)]

    def predict(self, vector):
        for layer in self.layers:
            vector = layer.forward(vector)
        return vector

    def forward(self, x):
        rows = torch.stack([self.predict(vector) for vector in x])
        return rows.squeeze(1) if self.K == 1 else rows

    def get_loss(self, x, y):
        losses = [((p - t) ** 2).mean() for p, t in zip(self.forward(x), y)]
        return torch.stack(losses).mean()

    def backward(self, x, y):
        n = len(x)
        for layer in self.layers:
            layer.linear.zero_grad()
        for vector, target in zip(x, y):
            p = self.predict(vector)
            delta = 2 * (p - target) / self.K
            delta = delta * self.layers[-1].slope()
            for k in range(len(self.layers) - 1, -1, -1):
                layer = self.layers[k]
                layer.linear.weight_grad += torch.outer(layer.before, delta)
                layer.linear.bias_grad += delta
                if k > 0:
                    delta = layer.linear.weight @ delta
                    delta = delta * self.layers[k - 1].slope()
        for layer in self.layers:
            layer.linear.weight_grad /= n
            layer.linear.bias_grad /= n

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            layer.linear.weight -= learning_rate * layer.linear.weight_grad
            layer.linear.bias -= learning_rate * layer.linear.bias_grad

"""Layers and activations are objects, each with forward and backward."""

import torch


class Linear:
    def __init__(self, in_features, out_features):
        scale = (2 / (in_features + out_features)) ** 0.5
        self.weight = scale * torch.randn(in_features, out_features)
        self.bias = torch.zeros(out_features)
        self.weight_grad = torch.zeros(in_features, out_features)
        self.bias_grad = torch.zeros(out_features)

    def forward(self, inputs):
        self.inputs = inputs
        return torch.mm(inputs, self.weight) + self.bias

    def backward(self, delta):
        self.weight_grad = torch.mm(self.inputs.t(), delta)
        self.bias_grad = torch.sum(delta, dim=0)
        return torch.mm(delta, self.weight.t())

    def step(self, rate):
        self.weight = self.weight - rate * self.weight_grad
        self.bias = self.bias - rate * self.bias_grad


class Tanh:
    def forward(self, z):
        self.z = z
        self.out = torch.tanh(z)
        return self.out

    def backward(self, grad):
        return grad * (1 - self.out**2)


class Sigmoid:
    def forward(self, z):
        self.z = z
        self.out = 1 / (1 + torch.exp(-z))
        return self.out

    def backward(self, grad):
        return grad * self.out * (1 - self.out)


class Layer:
    def __init__(self, in_features, out_features, act):
        self.linear = Linear(in_features, out_features)
        self.act = act

    def forward(self, x):
        return self.act.forward(self.linear.forward(x))

    def backward(self, grad):
        delta = self.act.backward(grad)
        return self.linear.backward(delta)


class Network:
    def __init__(self, input_size, output_size, hidden_sizes, seed=None):
        if seed is not None:
            torch.manual_seed(seed)
        self.layers = []
        size = input_size
        for hidden in hidden_sizes:
            self.layers.append(Layer(size, hidden, Tanh()))
            size = hidden
        self.layers.append(Layer(size, output_size, Sigmoid()))

    def outputs(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def forward(self, x):
        out = self.outputs(x)
        return out.squeeze(-1) if out.shape[-1] == 1 else out

    def get_loss(self, x, y):
        return torch.mean((y - self.forward(x)) ** 2)

    def backward(self, x, y):
        out = self.outputs(x)
        target = y.view(out.shape)
        grad = 2 * (out - target) / out.numel()
        for layer in self.layers[::-1]:
            grad = layer.backward(grad)

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            layer.linear.step(learning_rate)

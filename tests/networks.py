"""What several tests need: random networks, an independent forward pass, parameters and gradients by name."""

import torch
from backprop import NeuralNetwork
from hypothesis import strategies as st


@st.composite
def problems(draw, dtype=torch.float64):
    """A random network with random biases, a batch and labels: 0 to 5 hidden layers, sizes and n 1 to 8, K 1 to 4."""
    hidden_sizes = draw(st.lists(st.integers(1, 8), max_size=5))
    n, input_size, output_size = (
        draw(st.integers(1, 8)),
        draw(st.integers(1, 8)),
        draw(st.integers(1, 4)),
    )
    return make_problem(
        n, input_size, output_size, hidden_sizes, draw(st.integers(0, 2**31)), dtype
    )


def make_problem(
    n, input_size, output_size, hidden_sizes, seed, dtype=torch.float64
):
    generator = torch.Generator().manual_seed(seed)
    net = NeuralNetwork(input_size, output_size, hidden_sizes, seed=generator)
    for layer in net.layers:
        linear = layer.linear
        linear.weight = linear.weight.to(dtype)
        linear.bias = torch.randn(
            linear.bias.shape, generator=generator, dtype=dtype
        )
    x = torch.randn(n, input_size, generator=generator, dtype=dtype)
    y = torch.rand(n, output_size, generator=generator, dtype=dtype)
    return net, x, y.squeeze(-1) if output_size == 1 else y


def parameters(net):
    return [
        p for layer in net.layers for p in (layer.linear.weight, layer.linear.bias)
    ]


def gradients(net):
    return [
        g
        for layer in net.layers
        for g in (layer.linear.weight_grad, layer.linear.bias_grad)
    ]


def snapshot(net):
    """Copies of all parameters and gradients, to compare with later."""
    return [
        None if t is None else t.clone()
        for t in (*parameters(net), *gradients(net))
    ]


def unchanged(net, before):
    return all(
        (now is None) == (then is None) and (now is None or torch.equal(now, then))
        for now, then in zip(
            (*parameters(net), *gradients(net)), before, strict=True
        )
    )


def reference_forward(params, x):
    """The predictions (n, K) of a network with these parameters, by torch.nn.functional and not by the package."""
    for index in range(0, len(params), 2):
        z_in = torch.nn.functional.linear(x, params[index].T, params[index + 1])
        x = torch.tanh(z_in) if index + 2 < len(params) else torch.sigmoid(z_in)
    return x


def reference_loss(params, x, y):
    prediction = reference_forward(params, x)
    return torch.nn.functional.mse_loss(prediction, y.reshape(prediction.shape))


def autograd_gradients(net, x, y):
    """The gradients of all parameters by automatic differentiation, in float64."""
    params = [p.double().clone().requires_grad_() for p in parameters(net)]
    return torch.autograd.grad(
        reference_loss(params, x.double(), y.double()), params
    )

"""What part III adds to the package, beside torch's own."""

import re

import pytest
import torch
from backprop import NeuralNetwork
from backprop.beyond import BinaryCrossEntropy, Identity, SoftmaxCrossEntropy
from backprop.many import ManyNetworks
from networks import gradients
from torch.nn import functional

ORACLES = {
    BinaryCrossEntropy: functional.binary_cross_entropy_with_logits,
    SoftmaxCrossEntropy: functional.cross_entropy,
}


def problem(loss, n=4, inputs=3, classes=3, cls=NeuralNetwork, copies=()):
    generator = torch.Generator().manual_seed(5)
    net = cls(*copies, inputs, classes, [5], 2, output=Identity, loss=loss)
    for layer in net.layers:
        for name in ("weight", "bias"):
            shape = getattr(layer.linear, name).shape
            drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
            setattr(layer.linear, name, drawn)
    x = torch.randn(n, inputs, generator=generator, dtype=torch.float64)
    y = torch.randn(n, classes, generator=generator, dtype=torch.float64).softmax(1)
    return net, x, y


@pytest.mark.parametrize("loss", ORACLES)
@pytest.mark.parametrize("n", [1, 4])
def test_gradients_of_networks_with_these_losses(loss, n):
    net, x, y = problem(loss, n)
    leaves = []
    for layer in net.layers:
        leaves += [layer.linear.weight, layer.linear.bias]
    for leaf in leaves:
        leaf.requires_grad_()
    expected = ORACLES[loss](net.forward_pass(x)[-1], y)
    torch.testing.assert_close(net.get_loss(x, y), expected, rtol=1e-12, atol=0)
    reference = torch.autograd.grad(expected, leaves)
    with torch.no_grad():
        net.backward(x, y)
    for found, right in zip(gradients(net), reference, strict=True):
        torch.testing.assert_close(found, right, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("loss", ORACLES)
def test_many_networks_have_the_losses_and_gradients_of_each(loss):
    nets, x, y = problem(loss, cls=ManyNetworks, copies=(3,))
    losses = nets.get_loss(x, y)
    nets.backward(x, y)
    assert losses.shape == (3,)
    for r in range(3):
        net, _, _ = problem(loss)
        for one, many in zip(net.layers, nets.layers):
            one.linear.weight = many.linear.weight[r]
            one.linear.bias = many.linear.bias[r, 0]
        net.backward(x, y)
        torch.testing.assert_close(
            losses[r], net.get_loss(x, y), rtol=1e-12, atol=0
        )
        for found, right in zip(gradients(nets), gradients(net), strict=True):
            torch.testing.assert_close(
                found[r].reshape(right.shape), right, rtol=1e-10, atol=1e-14
            )


@pytest.mark.parametrize("loss", ORACLES)
def test_huge_pre_activations_give_finite_losses(loss):
    z_in = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]])
    y = torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    found = loss().forward(y, z_in)
    assert torch.isfinite(found)
    torch.testing.assert_close(found, ORACLES[loss](z_in, y))
    assert torch.isfinite(loss().gradient(y, z_in)).all()


@pytest.mark.parametrize("loss", ORACLES)
@pytest.mark.parametrize("method", ["forward", "gradient"])
@pytest.mark.parametrize("shape", [(4, 1), (3,), (1, 3)])
def test_these_losses_never_broadcast(loss, method, shape):
    message = (
        f"y has shape {shape}, the predictions have (4, 3); they must be equal."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        getattr(loss(), method)(torch.ones(shape), torch.zeros(4, 3))

"""What part III adds to the package, beside torch's own."""

import re

import pytest
import torch
from backprop import NeuralNetwork
from backprop.beyond import (
    BinaryCrossEntropy,
    Identity,
    Momentum,
    ReLU,
    SoftmaxCrossEntropy,
    start_by_he,
)
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


def torch_twin(net):
    """Parameters of the network as torch's optimisers take them."""
    linears = [layer.linear for layer in net.layers]
    return [p.clone().requires_grad_() for q in linears for p in (q.weight, q.bias)]


def relu_network(cls=NeuralNetwork, copies=(), seed=3):
    net = cls(
        *copies, 3, 3, [6, 5], seed, activation=ReLU, output=Identity,
        loss=SoftmaxCrossEntropy,
    )  # fmt: skip
    for layer in net.layers:
        layer.linear.weight = layer.linear.weight.double()
        layer.linear.bias = layer.linear.bias.double()
    return net


def test_a_network_of_rectifiers_has_the_gradients_of_autograd():
    """At a sample in general place, and at (0, 0, 0), where all is on the kink."""
    net = relu_network()
    _, x, y = problem(SoftmaxCrossEntropy)
    x = torch.cat([x, torch.zeros(1, 3, dtype=x.dtype)])
    y = torch.cat([y, y[:1]])
    hidden = net.forward_pass(x)[1]
    assert (hidden[-1] == 0).all() and (hidden[:-1] > 0).any()
    twin = torch_twin(net)
    z_out = x
    for index in (0, 2, 4):
        z_out = z_out @ twin[index] + twin[index + 1]
        z_out = torch.relu(z_out) if index < 4 else z_out
    reference = torch.autograd.grad(functional.cross_entropy(z_out, y), twin)
    net.backward(x, y)
    for found, right in zip(gradients(net), reference, strict=True):
        torch.testing.assert_close(found, right, rtol=1e-12, atol=1e-15)


def test_the_rectifier_and_its_slope():
    z_in = torch.tensor([[-2.0, -0.0, 0.0, 1e-30, 3.0]], requires_grad=True)
    z_out = ReLU().forward(z_in)
    assert z_out.tolist() == functional.relu(z_in).tolist()
    (slopes,) = torch.autograd.grad(functional.relu(z_in).sum(), z_in)
    found = ReLU().derivative(z_out)
    assert found.dtype == z_in.dtype and torch.equal(found, slopes)


@pytest.mark.parametrize("copies", [(), (7,)])
def test_the_start_of_he_is_that_of_torch(copies):
    cls = ManyNetworks if copies else NeuralNetwork
    net = cls(*copies, 50, 40, [300], seed=1)
    for layer in net.layers:
        layer.linear.bias += 1
    start_by_he(net, seed=2)
    for layer in net.layers:
        weight, bias = layer.linear.weight, layer.linear.bias
        reference = torch.empty(weight.shape[-2:]).T
        torch.nn.init.kaiming_uniform_(
            reference,
            nonlinearity="relu",
            generator=torch.Generator().manual_seed(0),
        )
        assert weight.dtype == reference.dtype and (bias == 0).all()
        for measure in (lambda w: w.abs().max(), torch.std):
            torch.testing.assert_close(
                measure(weight), measure(reference), rtol=0.02, atol=0
            )
        assert abs(weight.mean()) < 0.1 * weight.std()
        if copies:
            assert not torch.equal(weight[0], weight[1])
    again = cls(*copies, 50, 40, [300])
    start_by_he(again, seed=2)
    for one, other in zip(net.layers, again.layers, strict=True):
        assert torch.equal(one.linear.weight, other.linear.weight)


@pytest.mark.parametrize("kept", [0, 0.5, 0.9])
def test_momentum_is_that_of_torch(kept):
    net = relu_network()
    start_by_he(net, seed=4)
    _, x, y = problem(SoftmaxCrossEntropy, n=6)
    twin = torch_twin(net)
    theirs = torch.optim.SGD(twin, lr=0.1, momentum=kept)
    ours = Momentum(net, kept)
    for step in range(20):
        batch = slice(step % 3, step % 3 + 3)  # another gradient in each step
        net.backward(x[batch], y[batch])
        left = [gradient.clone() for gradient in gradients(net)]
        for parameter, gradient in zip(twin, left, strict=True):
            parameter.grad = gradient
        theirs.step()
        ours.step(0.1)
        for gradient, before in zip(gradients(net), left, strict=True):
            assert torch.equal(gradient, before)
        for found, right in zip(torch_twin(net), twin, strict=True):
            torch.testing.assert_close(found, right, rtol=1e-12, atol=1e-14)


def test_momentum_of_many_networks_is_that_of_each():
    nets = relu_network(ManyNetworks, (3,))
    _, x, y = problem(SoftmaxCrossEntropy)
    alone = []
    for r in range(3):
        net = relu_network()
        for one, many in zip(net.layers, nets.layers, strict=True):
            one.linear.weight = many.linear.weight[r].clone()
            one.linear.bias = many.linear.bias[r, 0].clone()
        alone.append(net)
    rates = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64)
    for net, rate in [(nets, rates), *zip(alone, rates.tolist(), strict=True)]:
        momentum = Momentum(net)
        for _ in range(5):
            net.backward(x, y)
            momentum.step(rate)
    for r, net in enumerate(alone):
        for one, many in zip(net.layers, nets.layers, strict=True):
            for name in ("weight", "bias"):
                right = getattr(one.linear, name)
                found = getattr(many.linear, name)[r].reshape(right.shape)
                torch.testing.assert_close(found, right, rtol=1e-12, atol=1e-14)


def test_a_step_moves_parameters_that_a_check_left_tracked():
    net = relu_network()
    _, x, y = problem(SoftmaxCrossEntropy)
    net.backward(x, y)
    before = torch_twin(net)
    for layer in net.layers:
        layer.linear.weight.requires_grad_()
    Momentum(net).step(0.1)
    assert not torch.equal(torch_twin(net)[0], before[0])


def test_a_step_with_momentum_refuses_what_a_plain_step_refuses():
    net = relu_network()
    before = torch_twin(net)
    zeros = torch.zeros(1, 3, dtype=torch.float64)
    for rate, error in ((0.1, RuntimeError), (-0.1, ValueError), ("", TypeError)):
        if error is not RuntimeError:  # which is for missing gradients
            net.backward(zeros, zeros)
        with pytest.raises(error) as plain:
            net.apply_gradients(rate)
        with pytest.raises(error, match=re.escape(str(plain.value))):
            Momentum(net).step(rate)
    for found, right in zip(torch_twin(net), before, strict=True):
        assert torch.equal(found, right)


@pytest.mark.parametrize(
    ("kept", "error"),
    [
        (1, ValueError),
        (-0.1, ValueError),
        (float("nan"), ValueError),
        (True, TypeError),
        ("0.9", TypeError),
        (None, TypeError),
    ],
)
def test_a_share_that_cannot_be_kept(kept, error):
    message = f"kept must be a number from 0 to below 1; got {kept!r}."
    with pytest.raises(error, match=re.escape(message)):
        Momentum(relu_network(), kept)


@pytest.mark.parametrize(
    ("call", "order"),
    [(Momentum, "Momentum(net, kept)"), (start_by_he, "start_by_he(net, seed)")],
)
def test_what_is_no_network_is_refused(call, order):
    message = f"net must be a NeuralNetwork; got Tensor. The order is {order}."
    with pytest.raises(TypeError, match=re.escape(message)):
        call(torch.ones(2))


def test_a_seed_of_the_start_is_checked():
    with pytest.raises(TypeError, match="seed must be a whole number"):
        start_by_he(relu_network(), 0.5)


@pytest.mark.parametrize("loss", ORACLES)
def test_many_networks_may_be_one(loss):
    nets, x, y = problem(loss, cls=ManyNetworks, copies=(1,))
    nets.backward(x, y)
    assert nets.get_loss(x, y).shape == (1,)


def test_a_start_by_he_is_that_of_its_seed_in_every_type():
    net = relu_network()
    start_by_he(net, seed=3)
    generator = torch.Generator().manual_seed(3)
    for linear in (layer.linear for layer in net.layers):
        shape = linear.weight.shape
        uniform = torch.rand(shape, generator=generator, dtype=torch.float64)
        expected = (6 / shape[0]) ** 0.5 * (2 * uniform - 1)
        torch.testing.assert_close(linear.weight.double(), expected)


def test_a_start_without_a_seed_is_that_of_the_global_generator():
    drawn = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        net = relu_network()
        start_by_he(net)
        drawn.append(net.layers[0].linear.weight)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_the_share_that_is_kept_is_a_float():
    assert type(Momentum(relu_network(), 0).kept) is float

"""Many networks in one object do what as many objects do, one by one."""

import re
from fractions import Fraction

import pytest
import torch
from backprop import NeuralNetwork, TanH, checks, five_points, train
from backprop import plot_decision_boundary as plot
from backprop.many import ManyLosses, ManyNetworks, train_many
from networks import gradients, parameters, snapshot, unchanged

COPIES = 6


def many(hidden_sizes=(5, 3), output_size=1, **options):
    """Copies in float64 with random biases, and samples and labels; all sizes differ."""
    net = ManyNetworks(COPIES, 2, output_size, hidden_sizes, 0, **options)
    generator = torch.Generator().manual_seed(1)
    for layer in net.layers:
        shape = layer.linear.bias.shape
        layer.linear.bias = torch.randn(shape, generator=generator).double()
        layer.linear.weight = layer.linear.weight.double()
    x = torch.randn(7, 2, generator=generator).double()
    y = torch.rand(7, output_size, generator=generator).double()
    return net, x, y.squeeze(-1)


def one_by_one(net):
    """A network of its own for each copy."""
    for copy in range(net.copies):
        single = NeuralNetwork(
            net.input_size, net.output_size, net.hidden_sizes, seed=0
        )
        for layer, layers in zip(single.layers, net.layers, strict=True):
            layer.linear.weight = layers.linear.weight[copy].clone()
            layer.linear.bias = layers.linear.bias[copy, 0].clone()
        yield single


def of_one(tensors, copy):
    """The weights and biases, or their gradients, of one of the networks."""
    weights, biases = tensors[::2], tensors[1::2]
    pairs = zip((w[copy] for w in weights), (b[copy, 0] for b in biases))
    return [tensor for pair in pairs for tensor in pair]


def assert_same(tensors, others):
    for tensor, other in zip(tensors, others, strict=True):
        torch.testing.assert_close(tensor, other)


@pytest.mark.parametrize("hidden_sizes", [[], [4], [5, 3], [3, 5, 4, 6]])
@pytest.mark.parametrize("output_size", [1, 3])
def test_copies_do_what_separate_networks_do(hidden_sizes, output_size):
    net, x, y = many(hidden_sizes, output_size)
    predictions, losses = net.forward(x), net.get_loss(x, y)
    net.backward(x, y)
    assert predictions.shape == (COPIES, *y.shape)
    assert losses.shape == (COPIES,)
    for copy, single in enumerate(one_by_one(net)):
        torch.testing.assert_close(predictions[copy], single.forward(x))
        torch.testing.assert_close(losses[copy], single.get_loss(x, y))
        single.backward(x, y)
        assert_same(of_one(gradients(net), copy), gradients(single))


def test_gradients_of_copies_agree_with_autograd():
    net, x, y = many(output_size=3)
    net.backward(x, y)
    for parameter in parameters(net):
        parameter.requires_grad_()
    # A copy's parameters are in no other copy's loss.
    expected = torch.autograd.grad(net.get_loss(x, y).sum(), parameters(net))
    assert_same(gradients(net), expected)


@pytest.mark.parametrize("rates", [0.25, torch.linspace(0.1, 2, COPIES)])
def test_copies_take_their_own_steps(rates):
    net, x, y = many()
    singles = list(one_by_one(net))
    net.backward(x, y)
    net.apply_gradients(rates)
    for copy, single in enumerate(singles):
        single.backward(x, y)
        single.apply_gradients(float(torch.as_tensor(rates).expand(COPIES)[copy]))
        assert_same(of_one(parameters(net), copy), parameters(single))


RATES = [0.1, Fraction(1, 10), torch.full((COPIES,), 0.1, dtype=torch.float64)]


@pytest.mark.parametrize(
    ("copies", "rate"),
    [*((COPIES, rate) for rate in RATES), *((None, rate) for rate in RATES[:2])],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rates_are_taken_in_the_dtype_of_the_network(copies, rate, dtype):
    net = (
        ManyNetworks(copies, 2, 1, [4], 0)
        if copies
        else NeuralNetwork(2, 1, [4], 0)
    )
    x, y = (t.to(dtype) for t in five_points())
    for layer in net.layers:
        linear = layer.linear
        linear.weight, linear.bias = linear.weight.to(dtype), linear.bias.to(dtype)
    net.backward(x, y)
    linear = net.layers[0].linear
    expected = linear.weight - 0.1 * linear.weight_grad
    net.apply_gradients(rate)
    assert linear.weight.dtype == dtype
    torch.testing.assert_close(linear.weight, expected, rtol=0, atol=0)


def test_rates_are_taken_on_the_device_of_the_network():
    net = ManyNetworks(COPIES, 2, 1, [], 0)
    linear = net.layers[0].linear
    linear.weight, linear.bias = linear.weight.to("meta"), linear.bias.to("meta")
    rates = checks.learning_rate(RATES[2], net.layers)
    assert rates.device.type == "meta"
    assert rates.shape == (COPIES, 1, 1)


def test_copies_are_trained_as_if_alone():
    net, x, y = many()
    # Not much larger: there 50 epochs make 1e-4 of a rounding error.
    rates = torch.linspace(0.1, 1, COPIES)
    singles = list(one_by_one(net))
    same, losses = train_many(x, y, net, epochs=50, lr=rates)
    assert same is net
    assert losses.shape == (50, COPIES)
    for copy, single in enumerate(singles):
        _, expected = train(x, y, single, epochs=50, lr=float(rates[copy]))
        torch.testing.assert_close(losses[:, copy], expected)
        assert_same(of_one(parameters(net), copy), parameters(single))


def test_silent_by_default_and_a_bar_on_request(capfd):
    net, x, y = many()
    train_many(x, y, net, epochs=5, lr=0.25)
    assert capfd.readouterr() == ("", "")
    train_many(x, y, net, epochs=5, lr=0.25, progress=True)
    assert "5/5" in capfd.readouterr().err


def test_a_seed_gives_the_same_copies_and_all_differ():
    one, other = (ManyNetworks(3, 2, 1, [5, 3], 7) for _ in range(2))
    for a, b in zip(parameters(one), parameters(other), strict=True):
        assert torch.equal(a, b)
    weight = one.layers[0].linear.weight
    assert weight.shape == (3, 2, 5)
    assert one.layers[0].linear.bias.shape == (3, 1, 5)
    assert len(weight.unique()) == weight.numel()


def test_one_copy_starts_as_one_network():
    one, single = ManyNetworks(1, 2, 1, [5, 3], 7), NeuralNetwork(2, 1, [5, 3], 7)
    for a, b in zip(of_one(parameters(one), 0), parameters(single), strict=True):
        assert torch.equal(a, b)


def test_one_network_is_many_too():
    net = ManyNetworks(1, 2, 1, [4], 0)
    net.backward(*five_points())
    assert net.get_loss(*five_points()).shape == (1,)


def test_no_seed_means_the_global_generator():
    drawn = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        drawn.append(parameters(ManyNetworks(2, 2, 1, [3]))[0])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_backward_does_no_more_than_it_must(monkeypatch):
    """One derivative of each layer, none for the input, which alone is left."""
    calls = []
    derivative = TanH.derivative
    monkeypatch.setattr(
        TanH,
        "derivative",
        lambda self, z: calls.append(self) or derivative(self, z),
    )
    net, x, y = many([5, 3])
    net.layers[-1].act = TanH()
    outputs = net.forward_pass(x)
    net.backward_pass(outputs, y.reshape(7, 1))
    assert calls == [layer.act for layer in reversed(net.layers)]
    assert [output is x for output in outputs] == [True]


@pytest.mark.parametrize("seed", [None, 7])
def test_only_the_networks_asked_for_take_numbers_from_a_generator(seed):
    """Else what is drawn next would depend on how they are made."""
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    torch.manual_seed(7)
    ManyNetworks(3, 2, 1, [5, 3], generator)
    after = torch.rand(1, generator=generator)
    again = torch.Generator().manual_seed(7)
    torch.rand(3 * (2 * 5 + 5 * 3 + 3 * 1), generator=again, dtype=torch.float64)
    assert torch.equal(torch.rand(1, generator=again), after)


def test_initial_weights_can_be_scaled():
    scales = torch.tensor([0.0, 1.0, 10.0])
    plain = ManyNetworks(3, 2, 1, [4], 0).layers[0].linear.weight
    net = ManyNetworks(3, 2, 1, [4], 0, initial_scale=scales)
    for copy in range(3):
        weight = net.layers[0].linear.weight[copy]
        torch.testing.assert_close(weight, scales[copy] * plain[copy])
    halved = (
        ManyNetworks(3, 2, 1, [4], 0, initial_scale=0.5).layers[0].linear.weight
    )
    torch.testing.assert_close(halved, 0.5 * plain)


def test_a_copy_that_is_lost_is_named_and_stops_no_other():
    x, y = five_points()
    net = ManyNetworks(3, 2, 1, [4], 0)
    net.layers[0].linear.weight[1] = torch.nan
    singles = list(one_by_one(net))
    message = "The loss of 1 of 3 networks is not finite, from the epoch in brackets on: 1 (epoch 0)."
    with pytest.warns(RuntimeWarning, match=re.escape(message)) as warned:
        _, losses = train_many(x, y, net, epochs=20, lr=0.25)
    assert warned[0].filename == __file__  # where `train_many` is called
    for copy in (0, 2):
        _, expected = train(x, y, singles[copy], epochs=20, lr=0.25)
        torch.testing.assert_close(losses[:, copy], expected)


def test_the_epoch_in_which_a_copy_is_lost():
    x, y = five_points()
    net = ManyNetworks(2, 2, 1, [4], 0)

    class LostLater(ManyLosses):
        calls = 0

        def forward(self, y, prediction):
            self.calls += 1
            losses = super().forward(y, prediction)
            losses[0] = torch.inf if self.calls == 4 else losses[0]
            return losses

    net.loss = LostLater()
    with pytest.warns(RuntimeWarning, match=re.escape("0 (epoch 3).")):
        train_many(x, y, net, epochs=6, lr=0.25)


SHAPE = "must be a number, or a floating-point tensor of shape (6,) with one for each network; got"
BAD_RATES = [
    (torch.ones(5), ValueError, f"{SHAPE} torch.float32 of shape (5,)"),
    (torch.ones(6, 1), ValueError, f"{SHAPE} torch.float32 of shape (6, 1)"),
    (torch.tensor(0.25), ValueError, f"{SHAPE} torch.float32 of shape ()"),
    (torch.ones(6).long(), ValueError, f"{SHAPE} torch.int64 of shape (6,)"),
    ([0.25] * 6, TypeError, "the learning rate must be a positive, finite number"),
    (torch.tensor([1.0] * 5 + [torch.nan]), ValueError, "; got nan."),
    (torch.tensor([1.0] * 5 + [0.0]), ValueError, "e+308; got 0.0."),
]


@pytest.mark.parametrize(("rate", "error", "message"), BAD_RATES)
def test_rates_that_do_not_fit(rate, error, message):
    net, x, y = many()
    net.backward(x, y)
    before = snapshot(net)
    with pytest.raises(error, match=re.escape(message)):
        net.apply_gradients(rate)
    with pytest.raises(error, match=re.escape(message)):
        train_many(x, y, net, epochs=2, lr=rate)
    assert unchanged(net, before)


def test_one_network_takes_one_rate():
    net = NeuralNetwork(2, 1, [4], 0)
    net.backward(*five_points())
    message = "the learning rate must be a positive, finite number; got tensor("
    with pytest.raises(TypeError, match=re.escape(message)):
        net.apply_gradients(torch.tensor([0.25]))


@pytest.mark.parametrize(
    ("scale", "error", "message"),
    [
        (torch.ones(5), ValueError, "initial_scale must be a number, or"),
        (-1, ValueError, "initial_scale must be non-negative, finite and at most"),
        (torch.inf, ValueError, "got inf."),
        ("1", TypeError, "initial_scale must be a non-negative, finite number"),
    ],
)
def test_scales_that_do_not_fit(scale, error, message):
    with pytest.raises(error, match=re.escape(message)):
        ManyNetworks(COPIES, 2, 1, [4], initial_scale=scale)


@pytest.mark.parametrize(
    ("copies", "error"), [(0, ValueError), (True, TypeError), (2.5, TypeError)]
)
def test_numbers_of_copies_that_do_not_fit(copies, error):
    message = f"copies must be a positive whole number; got {copies}."
    with pytest.raises(error, match=re.escape(message)):
        ManyNetworks(copies, 2, 1, [4])


def test_all_copies_share_samples_and_labels():
    net, x, y = many()
    with pytest.raises(ValueError, match=re.escape("x must have shape (n, 2)")):
        net.forward(x.expand(COPIES, 7, 2))
    message = "y must have the shape of the predictions, (7,)"
    with pytest.raises(ValueError, match=re.escape(message)):
        net.get_loss(x, y.expand(COPIES, 7))


def test_assigned_parameters_have_a_row_for_each_copy():
    net, x, _ = many()
    net.layers[1].linear.bias = torch.zeros(3)
    message = "bias of layer 2 must have shape (6, 1, 3); got (3,)"
    with pytest.raises(ValueError, match=re.escape(message)):
        net.forward(x)


def test_the_plot_is_of_one_network():
    net, x, y = many()
    with pytest.raises(TypeError, match="the plot is of one network; got 6. Their"):
        plot(x, y, net)


@pytest.mark.parametrize("method", [ManyLosses().forward, ManyLosses().gradient])
@pytest.mark.parametrize("shape", [(7,), (6, 7, 1), (7, 3)])
def test_the_losses_never_broadcast(method, shape):
    message = (
        f"y has shape {shape}, the predictions have (7, 1); they must be equal."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        method(torch.zeros(shape), torch.zeros(6, 7, 1))

"""Training: it solves the five points, repeats, records and reports as documented."""

import pytest
import torch
from backprop import Linear, NeuralNetwork, five_points, train
from networks import make_problem, parameters


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_every_seed_solves_the_five_points(seed):
    x, y = five_points()
    net, losses = train(
        x, y, NeuralNetwork(2, 1, [5, 3], seed=seed), epochs=2500, lr=0.25
    )
    assert torch.equal(net.forward(x) > 0.5, y > 0.5)
    assert losses.shape == (2500,)
    assert losses[-1] < 0.002


def test_a_bad_start_does_not():
    """Seed 23 is still on the plateau: the test above could fail."""
    x, y = five_points()
    net, losses = train(
        x, y, NeuralNetwork(2, 1, [5, 3], seed=23), epochs=2500, lr=0.25
    )
    assert not torch.equal(net.forward(x) > 0.5, y > 0.5)
    assert losses[-1] == pytest.approx(0.16, abs=0.002)


def test_the_same_seed_gives_the_same_losses():
    x, y = five_points()
    first, second, other = (
        train(x, y, NeuralNetwork(2, 1, [5, 3], seed=s), 300, 0.25)[1]
        for s in (0, 0, 1)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("output_size", [1, 3])
def test_train_does_what_its_steps_do(output_size):
    """The losses are those before each update, and the network is trained in place."""
    net, x, y = make_problem(5, 2, output_size, [4, 3], seed=1)
    by_hand, _, _ = make_problem(5, 2, output_size, [4, 3], seed=1)
    places = parameters(net)
    trained, losses = train(x, y, net, epochs=10, lr=0.5)
    expected = []
    for _ in range(10):
        expected.append(by_hand.get_loss(x, y))
        by_hand.backward(x, y)
        by_hand.apply_gradients(0.5)
    assert trained is net
    assert all(p is q for p, q in zip(parameters(net), places, strict=True))
    torch.testing.assert_close(losses, torch.stack(expected))
    for p, q in zip(parameters(net), parameters(by_hand), strict=True):
        torch.testing.assert_close(p, q)


def test_one_forward_pass_in_each_epoch(monkeypatch):
    calls = []
    forward = Linear.forward
    monkeypatch.setattr(
        Linear,
        "forward",
        lambda self, z_out: calls.append(self) or forward(self, z_out),
    )
    x, y = five_points()
    train(x, y, NeuralNetwork(2, 1, [5, 3], seed=0), epochs=7, lr=0.25)
    assert len(calls) == 7 * 3


def test_losses_can_be_changed_and_gradients_stay_on_the_network():
    net, x, y = make_problem(5, 2, 1, [3], seed=0)
    net, losses = train(x, y, net, epochs=4, lr=0.25)
    losses[0] = 0.0  # an ordinary tensor
    net.apply_gradients(0.25)  # the gradients of the last epoch


def test_silent_by_default_and_a_bar_on_request(capfd):
    x, y = five_points()
    train(x, y, NeuralNetwork(2, 1, [3], seed=0), epochs=5, lr=0.25)
    assert capfd.readouterr() == ("", "")
    train(x, y, NeuralNetwork(2, 1, [3], seed=0), epochs=5, lr=0.25, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "5/5" in err

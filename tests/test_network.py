"""What the package promises beside its gradients."""

import ast
import copy
import math
import pickle
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy
import pytest
import torch
from backprop import (
    Linear,
    MSELoss,
    NeuralNetwork,
    Neuron,
    Sigmoid,
    TanH,
    five_points,
    plot_decision_boundary,
    plotting,
    train,
)
from matplotlib.colors import to_rgba
from networks import gradients, make_problem, parameters, snapshot, unchanged

PACKAGE = sorted((Path(__file__).parent.parent / "code" / "backprop").glob("*.py"))


@pytest.mark.parametrize("hidden_sizes", [[], (4,), [5, 3], range(2, 5)])
@pytest.mark.parametrize(("output_size", "shape"), [(1, (7,)), (3, (7, 3))])
def test_shapes(hidden_sizes, output_size, shape):
    net = NeuralNetwork(2, output_size, hidden_sizes, seed=0)
    x = torch.rand(7, 2)
    assert net.forward(x).shape == shape
    y = torch.rand(shape)
    assert net.get_loss(x, y).shape == ()
    net.backward(x, y)
    assert [g.shape for g in gradients(net)] == [p.shape for p in parameters(net)]
    sizes = [2, *hidden_sizes, output_size]
    assert [p.shape for p in parameters(net)[::2]] == list(pairwise(sizes))
    assert (net.input_size, net.output_size, net.hidden_sizes) == (
        2,
        output_size,
        list(hidden_sizes),
    )


def test_one_sample_of_one_output_keeps_its_dimension():
    assert NeuralNetwork(2, 1, [3], seed=0).forward(torch.rand(1, 2)).shape == (1,)


def test_layers_are_tanh_and_the_last_is_sigmoid():
    net = NeuralNetwork(2, 1, [5, 3])
    assert [type(layer) for layer in net.layers] == [Neuron] * 3
    assert [type(layer.act) for layer in net.layers] == [TanH, TanH, Sigmoid]
    assert isinstance(net.loss, MSELoss)


def test_linear_starts_with_glorot_weights_and_zero_biases():
    linear = Linear(100, 50, torch.Generator().manual_seed(0))
    bound = math.sqrt(6 / 150)
    assert linear.weight.shape == (100, 50)
    assert 0.999 * bound < linear.weight.max() <= bound
    assert -bound <= linear.weight.min() < -0.999 * bound
    assert linear.weight.mean().abs() < 0.02 * bound
    assert torch.equal(linear.bias, torch.zeros(50))
    assert linear.weight_grad is None
    assert linear.bias_grad is None


def test_building_blocks():
    linear = Linear(2, 1)
    linear.weight, linear.bias = torch.tensor([[2.0], [3.0]]), torch.tensor([0.5])
    assert torch.equal(
        linear.forward(torch.tensor([[1.0, 10.0]])), torch.tensor([[32.5]])
    )
    z_in = torch.linspace(-3, 3, 25, dtype=torch.float64)
    for activation, function in ((TanH(), torch.tanh), (Sigmoid(), torch.sigmoid)):
        z_out = activation.forward(z_in)
        torch.testing.assert_close(z_out, function(z_in))
        slope = torch.func.vmap(torch.func.grad(function))(z_in)
        torch.testing.assert_close(activation.derivative(z_out), slope)
    y, prediction = (
        torch.tensor([[1.0, 0.0], [0.0, 4.0]]),
        torch.tensor([[1.0, 2.0], [0.0, 0.0]]),
    )
    assert MSELoss().forward(y, prediction) == (4 + 16) / 4
    assert torch.equal(
        MSELoss().gradient(y, prediction), torch.tensor([[0.0, 1.0], [0.0, -2.0]])
    )


def test_five_points():
    x, y = five_points()
    assert x.tolist() == [[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]]
    assert y.tolist() == [1, 0, 0, 0, 0]
    assert x.dtype == y.dtype == torch.float32
    x += 1
    assert five_points()[0][0, 0] == 0  # a fresh copy each time


def mersenne_twister(seed, count):
    """Uniform numbers in [0, 1) from NumPy's Mersenne Twister: the generator that torch uses, on every platform."""
    state = numpy.random.MT19937()
    state._legacy_seeding(seed)
    high, low = state.random_raw(2 * count).reshape(count, 2).T
    return torch.tensor(
        [((int(h) << 32 | int(l)) % 2**53) / 2**53 for h, l in zip(high, low)]
    )


def test_a_seed_gives_the_same_weights_everywhere():
    def weights(seed):
        return torch.cat(
            [p.flatten() for p in parameters(NeuralNetwork(2, 1, [5, 3], seed))]
        )

    state = torch.get_rng_state()
    first = weights(0)
    assert torch.equal(
        torch.get_rng_state(), state
    )  # the global generator is not touched
    assert torch.equal(weights(0), first)
    assert not torch.equal(weights(1), first)
    assert torch.equal(weights(torch.Generator().manual_seed(0)), first)
    torch.set_default_dtype(torch.float64)
    try:
        in_float64 = weights(0)
    finally:
        torch.set_default_dtype(torch.float32)
    assert in_float64.dtype == torch.float64
    assert torch.equal(in_float64.float(), first)
    expected = math.sqrt(6 / 7) * (2 * mersenne_twister(0, 10) - 1)
    torch.testing.assert_close(
        parameters(NeuralNetwork(2, 1, [5, 3], 0))[0].flatten(), expected
    )


def test_a_generator_goes_on():
    generator = torch.Generator().manual_seed(0)
    first, second = (
        parameters(NeuralNetwork(2, 1, [3], generator))[0] for _ in range(2)
    )
    assert not torch.equal(first, second)


def test_backward_depends_on_its_arguments_and_the_parameters_alone():
    net, x, y = make_problem(5, 2, 1, [5, 3], seed=0)
    net.backward(x, y)
    first = [g.clone() for g in gradients(net)]
    net.forward(torch.rand(9, 2, dtype=x.dtype))
    net.get_loss(x + 1, y)
    net.backward(x, y)
    assert all(
        torch.equal(g, h) for g, h in zip(gradients(net), first, strict=True)
    )  # and they do not add up


def test_backward_frees_the_gradients_of_an_earlier_call_first():
    class Watched(NeuralNetwork):
        def forward_pass(self, x):
            held.append([g is not None for g in gradients(self)])
            return super().forward_pass(x)

    held, net = [], Watched(2, 1, [5, 3], seed=0)
    for _ in range(2):
        net.backward(*five_points())
        assert all(g is not None for g in gradients(net))
    assert held == [[False] * 6] * 2


def test_backward_and_loss_leave_the_parameters_alone():
    net, x, y = make_problem(5, 2, 3, [4], seed=0)
    before = [p.clone() for p in parameters(net)]
    x_before, y_before = x.clone(), y.clone()
    net.forward(x)
    net.get_loss(x, y)
    net.backward(x, y)
    assert all(
        torch.equal(p, q) for p, q in zip(parameters(net), before, strict=True)
    )
    assert torch.equal(x, x_before)
    assert torch.equal(y, y_before)


def test_apply_gradients_takes_one_step_in_place():
    net, x, y = make_problem(5, 2, 1, [5, 3], seed=0)
    net.backward(x, y)
    places = parameters(net)
    expected = [p - 0.25 * g for p, g in zip(places, gradients(net), strict=True)]
    net.apply_gradients(0.25)
    assert all(p is q for p, q in zip(parameters(net), places, strict=True))
    for p, q in zip(places, expected, strict=True):
        torch.testing.assert_close(p, q)


def test_networks_can_be_copied_and_pickled():
    net, x, y = make_problem(5, 2, 1, [5, 3], seed=0)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(twin.forward(x), net.forward(x))
        twin.backward(x, y)
    assert gradients(net) == [None] * 6


def test_everything_runs_in_inference_mode():
    with torch.inference_mode():
        x, y = five_points()
        net, losses = train(
            x, y, NeuralNetwork(2, 1, [5, 3], seed=0), epochs=3, lr=0.25
        )
        net.backward(x, y)
        net.apply_gradients(0.25)
        assert net.get_loss(x, y) < losses[0]
        plt.close(plot_decision_boundary(x, y, net).figure)


def test_nothing_asks_for_autograd():
    net, x, y = make_problem(5, 2, 1, [5, 3], seed=0)
    net, losses = train(x, y, net, epochs=3, lr=0.25)
    net.backward(x, y)
    assert not any(
        t.requires_grad
        for t in (*parameters(net), *gradients(net), net.forward(x), losses)
    )


FORBIDDEN = ("torch.autograd", "torch.func", "torch.nn", "torch.optim")


def forbidden_names(source):
    """The names in ``source`` that lead to automatic differentiation, modules or optimisers."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            found.append(ast.unparse(node))
    inside = tuple(f"{name}." for name in FORBIDDEN)
    return [
        name
        for name in found
        if name in FORBIDDEN or name.startswith(inside) or ".requires_grad" in name
    ]


@pytest.mark.parametrize("path", PACKAGE, ids=lambda path: path.name)
def test_no_module_imports_autograd(path):
    assert forbidden_names(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import torch.nn as nn",
        "import torch.autograd",
        "from torch import nn",
        "from torch.nn.functional import mse_loss",
        "torch.optim.SGD(p)",
        "torch.func.grad(f)",
        "w.requires_grad_()",
    ],
)
def test_the_guard_against_autograd_objects(source):
    assert forbidden_names(source)


def test_the_package_imports_no_tool():
    allowed = {
        "torch",
        "matplotlib",
        "tqdm",
        "collections",
        "contextlib",
        "math",
        "numbers",
        "typing",
        "warnings",
    }
    for path in PACKAGE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= allowed
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                assert node.module.split(".")[0] in allowed


def test_the_plot_shows_predictions_boundary_and_points():
    x, y = five_points()
    net, _ = train(x, y, NeuralNetwork(2, 1, [5, 3], seed=0), epochs=2500, lr=0.25)
    before = snapshot(net)
    figure, (left, right) = plt.subplots(1, 2)
    left.set(xlim=(-9, 9), ylim=(-9, 9))
    assert plot_decision_boundary(x, y, net, ax=left) is left
    shades, line, *points = left.collections
    assert [float(level) for level in line.levels] == [0.5]
    # Every vertex of the boundary is a place where the network predicts 0.5: x is horizontal and y vertical.
    vertices = torch.cat(
        [
            torch.tensor(path.vertices, dtype=torch.float32)
            for path in line.get_paths()
        ]
    )
    assert len(vertices) > 50
    assert (net.forward(vertices) - 0.5).abs().max() < 0.1
    assert [p.get_offsets().tolist() for p in points] == [
        x[1:].tolist(),
        x[:1].tolist(),
    ]
    assert [p.get_label() for p in points] == ["label 0", "label 1"]
    assert (left.get_xlabel(), left.get_ylabel()) == ("$x_1$", "$x_2$")
    assert shades.levels.tolist() == [level / 10 for level in range(11)]
    assert left.get_xlim() == left.get_ylim() == (-2, 2)
    assert unchanged(net, before)
    assert (
        plot_decision_boundary(x, y, NeuralNetwork(2, 1, [5, 3], seed=0)) is right
    )  # the current axes
    plt.close(figure)


def test_the_plot_of_a_constant_network_has_no_boundary():
    x, y = five_points()
    net = NeuralNetwork(2, 1, [3], seed=0)
    net.layers[-1].linear.weight.zero_()
    net.layers[-1].linear.bias.fill_(1)
    ax = plot_decision_boundary(
        x, y, net
    )  # matplotlib would warn of a level that is nowhere, and warnings are errors
    assert len(ax.collections) == 3
    plt.close(ax.figure)


def test_the_palette_fits_the_shades():
    """A label has a colour of its side of PuOr; the directions have others."""
    assert list(plotting.PALETTE) == ["label 0", "label 1", "forward", "backward"]
    colours = {
        name: to_rgba(colour)[:3] for name, colour in plotting.PALETTE.items()
    }
    shades = plt.get_cmap("PuOr")(torch.linspace(0, 1, 101).numpy())[:, :3]
    nearest = {
        name: abs(shades - colour).max(axis=1) for name, colour in colours.items()
    }
    assert nearest["label 0"].argmin() < 30
    assert nearest["label 1"].argmin() > 70
    assert max(nearest["label 0"].min(), nearest["label 1"].min()) < 0.1
    assert min(nearest["forward"].min(), nearest["backward"].min()) > 0.3


@pytest.mark.parametrize("side", [1, -1])
def test_a_level_that_is_touched_and_not_crossed_is_no_boundary(side):
    """On one half of the square the prediction is exactly 0.5, on the other beyond it on one side."""
    x, y = five_points()
    net = NeuralNetwork(2, 1, [1], seed=0)
    net.layers[0].linear.weight = torch.tensor([[1000.0], [0.0]])
    net.layers[1].linear.weight = torch.tensor([[1.0]])
    net.layers[1].linear.bias = torch.tensor([float(side)])
    ax = plot_decision_boundary(x, y, net)
    assert len(ax.collections) == 3
    plt.close(ax.figure)


def test_a_numpy_integer_is_a_seed():
    first, second = (
        parameters(NeuralNetwork(2, 1, [3], seed))[0]
        for seed in (7, numpy.int64(7))
    )
    assert torch.equal(first, second)


def test_no_seed_means_the_global_generator():
    drawn = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        drawn.append(
            (
                parameters(NeuralNetwork(2, 1, [3]))[0],
                Neuron(2, 3, TanH).linear.weight,
            )
        )
    for first, again, other in zip(*drawn):
        assert torch.equal(first, again)
        assert not torch.equal(first, other)


def test_backward_takes_one_derivative_of_each_layer(monkeypatch):
    calls = []
    derivative = TanH.derivative
    monkeypatch.setattr(
        TanH,
        "derivative",
        lambda self, z: calls.append(self) or derivative(self, z),
    )
    net, x, y = make_problem(5, 2, 1, [5, 3], seed=0)
    net.layers[-1].act = TanH()
    outputs = net.forward_pass(x)
    net.backward_pass(outputs, y.reshape(5, 1))
    assert [output is x for output in outputs] == [True]  # the others are used up
    assert calls == [net.layers[2].act, net.layers[1].act, net.layers[0].act]


def test_training_ignores_that_parameters_are_tracked():
    net, x, y = make_problem(5, 2, 1, [3], seed=0)
    plain, _, _ = make_problem(5, 2, 1, [3], seed=0)
    for parameter in parameters(net):
        parameter.requires_grad_()
    _, losses = train(x, y, net, 3, 0.25)
    assert torch.equal(losses, train(x, y, plain, 3, 0.25)[1])
    assert not losses.requires_grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_plot_in_detail(dtype):
    """The shade under every point is its prediction, over the promised square, in every dtype."""
    net, _, _ = make_problem(1, 2, 1, [5, 3], seed=6, dtype=dtype)
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, -1.0]], dtype=dtype)
    y = torch.tensor([1.0, 0.5, 0.0], dtype=dtype)  # 0.5 is not above 0.5
    figure, ax = plt.subplots()
    plot_decision_boundary(x, y, net, ax)
    figure.canvas.draw()  # colours are read here
    shades, line, dots, stars = ax.collections
    assert shades.get_cmap().name == "PuOr"
    assert line.get_edgecolor().tolist() == [[0, 0, 0, 1]]
    assert [len(points.get_offsets()) for points in (dots, stars)] == [2, 1]
    assert (dots.get_sizes().tolist(), stars.get_sizes().tolist()) == ([90], [220])
    assert len(stars.get_paths()[0].vertices) == 11  # five points and back
    assert len(dots.get_paths()[0].vertices) > 11
    for points, name in ((dots, "label 0"), (stars, "label 1")):
        assert points.get_facecolor().tolist() == [
            list(to_rgba(plotting.PALETTE[name]))
        ]
        assert points.get_edgecolor().tolist() == [[1, 1, 1, 1]]
    corners = torch.tensor(
        [
            path.get_extents().get_points().tolist()
            for path in shades.get_paths()
            if len(path)
        ]
    )
    assert (corners.amin((0, 1)).tolist(), corners.amax((0, 1)).tolist()) == (
        [-2, -2],
        [2, 2],
    )
    for place in torch.tensor(
        [[-1.5, 1.0], [1.5, 0.5], [0.2, -1.7], [1.0, 1.6]], dtype=dtype
    ):
        (band,) = (
            k
            for k, path in enumerate(shades.get_paths())
            if path.contains_point(place.tolist())
        )
        assert (
            shades.levels[band] - 0.01
            <= net.forward(place[None])
            <= shades.levels[band + 1] + 0.01
        )
    assert ax.get_aspect() == 1
    _, bar = figure.axes
    assert bar.get_ylabel() == "prediction"
    plt.close(figure)

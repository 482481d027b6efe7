"""Bad input gets a clear error, and nothing changes."""

import re

import matplotlib.pyplot as plt
import numpy
import pytest
import torch
from backprop import (
    Linear,
    MSELoss,
    NeuralNetwork,
    Neuron,
    TanH,
    five_points,
    plot_decision_boundary,
    train,
)
from networks import gradients, make_problem, parameters, snapshot, unchanged

NAN, INF = float("nan"), float("inf")


def with_value(tensor, value):
    tensor = tensor.clone()
    tensor.view(-1)[0] = value
    return tensor


BAD_SAMPLES = {
    "list": (
        lambda x: x.tolist(),
        TypeError,
        "x must be a torch tensor; got list. Use torch.tensor(x).",
    ),
    "one sample": (
        lambda x: x[0],
        ValueError,
        "x must have shape (n, 2), one row a sample; got (2,). A single sample enters as one row: x.unsqueeze(0).",
    ),
    "three dimensions": (
        lambda x: x[None],
        ValueError,
        "x must have shape (n, 2), one row a sample; got (1, 5, 2).",
    ),
    "features": (
        lambda x: x[:, :1],
        ValueError,
        "x must have 2 features in each row; got shape (5, 1).",
    ),
    "more features": (
        lambda x: x.repeat(1, 2),
        ValueError,
        "x must have 2 features in each row; got shape (5, 4).",
    ),
    "empty": (
        lambda x: x[:0],
        ValueError,
        "x has no samples; pass at least one row.",
    ),
    "integers": (
        lambda x: x.long(),
        TypeError,
        (
            "x is torch.int64 on cpu, the network torch.float32 on cpu; convert it with "
            'x.to("cpu", torch.float32).'
        ),
    ),
    "float64": (
        lambda x: x.double(),
        TypeError,
        "x is torch.float64 on cpu, the network torch.float32 on cpu",
    ),
    "complex": (
        lambda x: x.to(torch.complex64),
        TypeError,
        "x is torch.complex64 on cpu",
    ),
    "device": (
        lambda x: x.to("meta"),
        TypeError,
        "x is torch.float32 on meta, the network torch.float32 on cpu",
    ),
    "nan": (
        lambda x: with_value(x, NAN),
        ValueError,
        "x holds NaN or infinite values; remove or replace them.",
    ),
    "infinite": (
        lambda x: with_value(x, -INF),
        ValueError,
        "x holds NaN or infinite values; remove or replace them.",
    ),
}
BAD_LABELS = {
    "list": (
        lambda y: y.tolist(),
        TypeError,
        "y must be a torch tensor; got list. Use torch.tensor(y).",
    ),
    "column": (
        lambda y: y[:, None],
        ValueError,
        "y must have the shape of the predictions, (5,); got (5, 1). If the values are right, use y.reshape((5,)).",
    ),
    "row": (
        lambda y: y[None],
        ValueError,
        "y must have the shape of the predictions, (5,); got (1, 5).",
    ),
    "number": (
        lambda y: y[0],
        ValueError,
        "y must have the shape of the predictions, (5,); got ().",
    ),
    "too few": (
        lambda y: y[:1],
        ValueError,
        "y must have the shape of the predictions, (5,); got (1,). Each sample needs one label.",
    ),
    "integers": (
        lambda y: y.long(),
        TypeError,
        "y is torch.int64 on cpu, the network torch.float32 on cpu",
    ),
    "float64": (
        lambda y: y.double(),
        TypeError,
        "y is torch.float64 on cpu, the network torch.float32 on cpu",
    ),
    "nan": (
        lambda y: with_value(y, NAN),
        ValueError,
        "y holds NaN or infinite values; remove or replace them.",
    ),
    "infinite": (
        lambda y: with_value(y, INF),
        ValueError,
        "y holds NaN or infinite values; remove or replace them.",
    ),
}
ACTIONS = {
    "forward": lambda net, x, y: net.forward(x),
    "get_loss": lambda net, x, y: net.get_loss(x, y),
    "backward": lambda net, x, y: net.backward(x, y),
    "train": lambda net, x, y: train(x, y, net, epochs=2, lr=0.25),
    "plot": lambda net, x, y: plot_decision_boundary(x, y, net),
}


def assert_refused(action, error, message, net):
    before = snapshot(net)
    with pytest.raises(error, match=re.escape(message)):
        action()
    assert unchanged(net, before)


def five_point_network():
    net = NeuralNetwork(2, 1, [5, 3], seed=0)
    net.backward(*five_points())
    return net


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("case", BAD_SAMPLES)
def test_bad_samples(action, case):
    (x, y), net = five_points(), five_point_network()
    spoil, error, message = BAD_SAMPLES[case]
    assert_refused(lambda: ACTIONS[action](net, spoil(x), y), error, message, net)


@pytest.mark.parametrize("action", list(ACTIONS)[1:])
@pytest.mark.parametrize("case", BAD_LABELS)
def test_bad_labels(action, case):
    (x, y), net = five_points(), five_point_network()
    spoil, error, message = BAD_LABELS[case]
    assert_refused(lambda: ACTIONS[action](net, x, spoil(y)), error, message, net)


@pytest.mark.parametrize("action", ["get_loss", "backward", "train"])
@pytest.mark.parametrize("shape", [(5,), (5, 1), (3, 5), (1, 3), (15,)])
def test_bad_labels_of_several_outputs(action, shape):
    net, x, _ = make_problem(5, 2, 3, [4], seed=0)
    message = f"y must have the shape of the predictions, (5, 3); got {shape}."
    assert_refused(
        lambda: ACTIONS[action](net, x, torch.zeros(shape, dtype=x.dtype)),
        ValueError,
        message,
        net,
    )


def test_arguments_in_another_order():
    (x, y), net = five_points(), five_point_network()
    message = "net must be a NeuralNetwork; got Tensor. The order is train(x, y, net, epochs, lr)."
    assert_refused(lambda: train(net, x, y, 2, 0.25), TypeError, message, net)


SIZE_ERROR = "must be a positive whole number; got"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 1, [3]), ValueError, f"input_size {SIZE_ERROR} 0."),
        ((2, -1, [3]), ValueError, f"output_size {SIZE_ERROR} -1."),
        ((2.0, 1, [3]), TypeError, f"input_size {SIZE_ERROR} 2.0."),
        ((2, True, [3]), TypeError, f"output_size {SIZE_ERROR} True."),
        ((2, 1, [3, 0]), ValueError, f"hidden_sizes[1] {SIZE_ERROR} 0."),
        ((2, 1, ["5"]), TypeError, f"hidden_sizes[0] {SIZE_ERROR} '5'."),
        ((2, 1, [None]), TypeError, f"hidden_sizes[0] {SIZE_ERROR} None."),
        (
            (2, 1, 5),
            TypeError,
            "hidden_sizes must be a list or tuple of sizes, such as [5, 3] or []; got 5.",
        ),
        (
            (2, 1, "53"),
            TypeError,
            "hidden_sizes must be a list or tuple of sizes, such as [5, 3] or []; got '53'.",
        ),
        (
            (2, 1, [3], 1.5),
            TypeError,
            "seed must be a whole number, a torch.Generator or None; got 1.5.",
        ),
        (
            (2, 1, [3], True),
            TypeError,
            "seed must be a whole number, a torch.Generator or None; got True.",
        ),
    ],
)
def test_bad_networks(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        NeuralNetwork(*arguments)


def test_bad_building_blocks():
    message = "activation must be a class with the methods forward and derivative, such as TanH"
    with pytest.raises(TypeError, match=re.escape(f"{message}; got 'relu'.")):
        Neuron(2, 3, "relu")
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    for name, kind, methods in (
        ("activation", TanH(), "forward and derivative, such as TanH"),
        ("output", MSELoss, "forward and derivative, such as TanH"),
        (
            "output",
            type("OnlySlope", (), {"derivative": None}),
            "forward and derivative, such as TanH",
        ),
        ("loss", TanH, "forward and gradient, such as MSELoss"),
    ):
        message = (
            f"{name} must be a class with the methods {methods}; got {kind!r}."
        )
        with pytest.raises(TypeError, match=re.escape(message)):
            NeuralNetwork(2, 1, [3], generator, **{name: kind})
    assert torch.equal(generator.get_state(), before)
    with pytest.raises(TypeError, match="activation must be a class"):
        NeuralNetwork(2, 1, [], activation="relu")  # also where no layer has it
    with pytest.raises(ValueError, match=re.escape(f"in_features {SIZE_ERROR} 0.")):
        Linear(0, 3)
    with pytest.raises(
        TypeError, match=re.escape(f"out_features {SIZE_ERROR} 1.5.")
    ):
        Linear(2, 1.5)


@pytest.mark.parametrize("method", [MSELoss().forward, MSELoss().gradient])
@pytest.mark.parametrize("shapes", [((5, 1), (5,)), ((5,), (5, 1))])
def test_the_loss_never_broadcasts(method, shapes):
    message = (
        f"y has shape {shapes[0]}, the predictions have {shapes[1]}; they must be equal. "
        "Reshape y, for example with"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        method(*map(torch.zeros, shapes))


BAD_RATES = [
    (
        0,
        ValueError,
        "the learning rate must be positive, finite and at most 3.403e+38; got 0.",
    ),
    (-0.25, ValueError, "got -0.25."),
    (NAN, ValueError, "got nan."),
    (INF, ValueError, "got inf."),
    (1e39, ValueError, "at most 3.403e+38; got 1e+39."),
    (10**400, ValueError, "at most 3.403e+38; got 1000000"),
    (
        "0.25",
        TypeError,
        "the learning rate must be a positive, finite number; got '0.25'.",
    ),
    (
        True,
        TypeError,
        "the learning rate must be a positive, finite number; got True.",
    ),
    (
        None,
        TypeError,
        "the learning rate must be a positive, finite number; got None.",
    ),
]


@pytest.mark.parametrize(("rate", "error", "message"), BAD_RATES)
def test_bad_learning_rates(rate, error, message):
    (x, y), net = five_points(), five_point_network()
    assert_refused(lambda: net.apply_gradients(rate), error, message, net)
    assert_refused(lambda: train(x, y, net, epochs=2, lr=rate), error, message, net)


@pytest.mark.parametrize(
    ("epochs", "error"),
    [
        (0, ValueError),
        (-1, ValueError),
        (2.5, TypeError),
        (True, TypeError),
        (None, TypeError),
    ],
)
def test_bad_epochs(epochs, error):
    (x, y), net = five_points(), five_point_network()
    assert_refused(
        lambda: train(x, y, net, epochs, lr=0.25),
        error,
        f"epochs {SIZE_ERROR} {epochs}.",
        net,
    )


def test_apply_gradients_before_backward():
    net = NeuralNetwork(2, 1, [3], seed=0)
    message = "weight_grad of layer 1 is missing; call backward(x, y) before."
    assert_refused(lambda: net.apply_gradients(0.25), RuntimeError, message, net)
    net.backward(*five_points())
    net.layers[1].linear.bias_grad = None
    message = "bias_grad of layer 2 is missing; call backward(x, y) before."
    assert_refused(lambda: net.apply_gradients(0.25), RuntimeError, message, net)


@pytest.mark.parametrize("shape", [(5, 1), ()])
def test_a_gradient_of_another_shape_is_not_broadcast(shape):
    net = five_point_network()
    net.layers[2].linear.bias_grad = torch.zeros(shape)
    message = (
        "bias_grad of layer 3 must be as bias, (1,) torch.float32 on cpu; "
        f"got {shape} torch.float32 on cpu. Call backward(x, y) again."
    )
    assert_refused(lambda: net.apply_gradients(0.25), ValueError, message, net)


@pytest.mark.parametrize(
    ("name", "change", "error", "message"),
    [
        ("weight_grad", torch.Tensor.double, ValueError, "weight_grad of layer 2 must be as weight, (5, 3) torch.float32 on cpu; got (5, 3) torch.float64 on cpu."),
        ("weight_grad", lambda g: g.to(torch.complex64), ValueError, "got (5, 3) torch.complex64 on cpu."),
        ("bias_grad", lambda g: g.to("meta"), ValueError, "got (3,) torch.float32 on meta."),
        ("bias_grad", torch.Tensor.tolist, TypeError, "bias_grad of layer 2 must be a torch tensor; got list."),
        ("weight", torch.Tensor.long, TypeError, "weight of layer 2 must be a tensor of floating-point numbers; got torch.int64."),
        ("weight", torch.Tensor.tolist, TypeError, "weight of layer 2 must be a tensor of floating-point numbers; got list."),
        ("weight", lambda w: w[:1].expand(5, 3), ValueError, "elements of weight of layer 2 share their memory"),
    ],
)  # fmt: skip
def test_no_step_begins_that_cannot_end(name, change, error, message):
    net = five_point_network()
    net.backward(*five_points())
    linear = net.layers[1].linear
    setattr(linear, name, change(getattr(linear, name)))
    first = net.layers[0].linear.weight.clone()
    with pytest.raises(error, match=re.escape(message)):
        net.apply_gradients(0.25)
    assert torch.equal(net.layers[0].linear.weight, first)


def test_memory_that_elements_share_is_that_of_several():
    net = NeuralNetwork(1, 2, [1], seed=0)
    net.layers[0].linear.weight = torch.ones(()).expand(1, 1)  # its stride is 0
    assert net.layers[0].linear.weight.stride(0) == 0
    x, y = torch.ones(3, 1), torch.zeros(3, 2)
    net.backward(x, y)
    net.apply_gradients(0.25)
    net.layers[1].linear.weight = torch.ones(1, 1).expand(1, 2)
    with pytest.raises(ValueError, match="share their memory"):
        net.apply_gradients(0.25)
    for labels, end in (
        (y.T, "Rows and columns are swapped: use y.T."),
        (y[:, :, None], "use y.reshape((3, 2))."),
    ):
        net.layers[1].linear.weight = torch.ones(1, 2)
        with pytest.raises(ValueError, match=re.escape(end) + "$"):
            net.get_loss(x, labels)


def test_an_error_in_training_undoes_it():
    class Breaks(MSELoss):
        calls = 0

        def gradient(self, y, prediction):
            self.calls += 1
            if self.calls == 3:
                raise RuntimeError("broken")
            return super().gradient(y, prediction)

    net = NeuralNetwork(2, 1, [3], seed=0, loss=Breaks)
    x, y = five_points()
    net.backward(x, y)
    before = snapshot(net)
    with pytest.raises(RuntimeError, match="broken"):
        train(x, y, net, 5, 0.25)
    assert unchanged(net, before)


@pytest.mark.parametrize("action", list(ACTIONS))
@pytest.mark.parametrize(
    ("layer", "name", "value", "error", "message"),
    [
        (
            1,
            "weight",
            torch.zeros(3, 5),
            ValueError,
            "weight of layer 2 must have shape (5, 3); got (3, 5).",
        ),
        (
            0,
            "bias",
            torch.zeros(5, 1),
            ValueError,
            "bias of layer 1 must have shape (5,); got (5, 1).",
        ),
        (
            2,
            "bias",
            torch.zeros(1).double(),
            TypeError,
            "bias of layer 3 is torch.float64 on cpu, weight of layer 1 is",
        ),
        (
            0,
            "bias",
            torch.zeros(5).double(),
            TypeError,
            "bias of layer 1 is torch.float64 on cpu, weight of layer 1 is torch.float32 on cpu",
        ),
        (
            2,
            "weight",
            torch.zeros(3, 1).double(),
            TypeError,
            "weight of layer 3 is torch.float64 on cpu, weight of layer 1 is torch.float32 on cpu",
        ),
        (
            1,
            "weight",
            torch.zeros(5, 3, device="meta"),
            TypeError,
            "weight of layer 2 is torch.float32 on meta, weight",
        ),
        (
            0,
            "weight",
            torch.zeros(2, 5).long(),
            TypeError,
            "weight of layer 1 must be a tensor of floating-point numbers; got torch.int64",
        ),
    ],
)
def test_bad_assigned_parameters(action, layer, name, value, error, message):
    (x, y), net = five_points(), five_point_network()
    setattr(net.layers[layer].linear, name, value)
    with pytest.raises(error, match=re.escape(message)):
        ACTIONS[action](net, x, y)


def test_a_loss_that_stops_being_finite():
    """One step with a huge rate makes weights infinite, and infinity times the zeros in x is NaN."""
    x, y = five_points()
    x = 100 * x + 10 * (x != 0)
    message = "The loss is nan in epoch 1; try a smaller learning rate, or look for huge values"
    for calls_before in (0, 1):
        net = NeuralNetwork(2, 1, [], seed=0)
        for parameter in parameters(net):
            parameter.fill_(0.001)
        for _ in range(calls_before):
            net.backward(x, y)
        assert_refused(
            lambda net=net: train(x, y, net, epochs=5, lr=3e38),
            FloatingPointError,
            message,
            net,
        )


@pytest.mark.parametrize(("inputs", "outputs"), [(3, 1), (1, 1), (2, 2)])
def test_the_plot_needs_two_inputs_and_one_output(inputs, outputs):
    net, x, y = make_problem(5, inputs, outputs, [3], seed=0)
    message = f"the plot needs a network with 2 inputs and 1 output; got {inputs} and {outputs}."
    assert_refused(
        lambda: plot_decision_boundary(x, y, net), ValueError, message, net
    )


def test_the_hint_on_single_samples_is_for_them_alone():
    net, x = five_point_network(), five_points()[0]
    for bad, end in (
        (x[None], "got (1, 5, 2)."),
        (x[0], "enters as one row: x.unsqueeze(0)."),
    ):
        with pytest.raises(ValueError, match=re.escape(end) + "$"):
            net.forward(bad)


def test_the_hint_on_labels_fits_their_number():
    net, (x, y) = five_point_network(), five_points()
    for bad, end in (
        (y[:, None], "use y.reshape((5,))."),
        (y[:4], "got (4,). Each sample needs one label."),
    ):
        with pytest.raises(ValueError, match=re.escape(end) + "$"):
            net.get_loss(x, bad)
    net = NeuralNetwork(2, 3, [], seed=0)
    with pytest.raises(ValueError, match=re.escape("use y.reshape((1, 3)).") + "$"):
        net.get_loss(x[:1], torch.zeros(3))
    for bad, end in (
        (torch.zeros(3, 5), "got (3, 5). Rows and columns are swapped: use y.T."),
        (torch.zeros(15), "got (15,). Each sample needs a row of 3 labels."),
        (y, "got (5,). Each sample needs a row of 3 labels."),
        (torch.zeros(5, 1, 3), "use y.reshape((5, 3))."),
        (torch.zeros(5, 2), "got (5, 2). Each sample needs a row of 3 labels."),
    ):
        with pytest.raises(ValueError, match=re.escape(end) + "$"):
            net.get_loss(x, bad)


@pytest.mark.parametrize(
    ("dtype", "largest"),
    [(torch.float16, 65504.0), (torch.float64, 1.7976931348623157e308)],
)
def test_the_largest_rate_depends_on_the_dtype(dtype, largest):
    net, x, y = make_problem(5, 2, 1, [3], seed=0, dtype=dtype)
    net.backward(x, y)
    net.apply_gradients(largest)
    with pytest.raises(
        ValueError, match=re.escape(f"finite and at most {largest:.4g}; got inf")
    ):
        net.apply_gradients(INF)


@pytest.mark.parametrize("value", [NAN, INF])
def test_every_layer_is_restored_when_the_loss_stops_being_finite(
    monkeypatch, value
):
    (x, y), net = five_points(), five_point_network()
    losses = iter([0.3, 0.2, value])
    monkeypatch.setattr(
        net.loss, "forward", lambda y, prediction: torch.tensor(next(losses))
    )
    message = (
        f"The loss is {value} in epoch 2; try a smaller learning rate, or look for"
    )
    places = parameters(net)
    assert_refused(
        lambda: train(x, y, net, epochs=5, lr=0.25),
        FloatingPointError,
        message,
        net,
    )
    assert all(p is q for p, q in zip(parameters(net), places, strict=True))


def test_a_refused_plot_opens_no_figure():
    (x, y), net = five_points(), five_point_network()
    plt.close("all")
    with pytest.raises(ValueError, match="y must have the shape"):
        plot_decision_boundary(x, y[:1], net)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    "value", [None, 0.5, [0.0] * 3, numpy.zeros(3, dtype=numpy.float32)]
)
@pytest.mark.parametrize(("layer", "name"), [(1, "bias"), (0, "weight")])
def test_parameters_must_be_tensors(value, layer, name):
    net, x = five_point_network(), five_points()[0]
    setattr(net.layers[layer].linear, name, value)
    message = f"{name} of layer {layer + 1} must be a tensor of floating-point numbers; got"
    with pytest.raises(TypeError, match=message):
        net.forward(x)


def test_tracked_parameters_and_samples_stay_usable():
    """A check by autograd leaves requires_grad behind; the step, the plot and the restore do not mind."""
    (x, y), net = five_points(), five_point_network()
    tracked = net.layers[1].linear.weight.requires_grad_()
    expected = [
        (p - 0.25 * g).detach()
        for p, g in zip(parameters(net), gradients(net), strict=True)
    ]
    net.apply_gradients(0.25)
    assert all(
        torch.equal(p, q) for p, q in zip(parameters(net), expected, strict=True)
    )
    assert [p.requires_grad for p in parameters(net)] == [
        p is tracked for p in parameters(net)
    ]
    plt.close(plot_decision_boundary(x.requires_grad_(), y, net).figure)

"""Networks of which a diagnosis should say something in particular: right ones that it might
accuse, wrong ones that might pass, and mistakes whose message may mislead."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from backprop import MSELoss, NeuralNetwork

from .threads import Pieces, added, plus, sigmoid_slope


class Holder:
    """A layer of a network of its own: only what the contract asks for."""

    def __init__(self, n_in, n_out):
        self.linear = self
        self.weight, self.bias = torch.randn(n_in, n_out), torch.zeros(n_out)
        self.weight_grad = self.bias_grad = None


class Plain:
    """A right network, nothing inherited."""

    def __init__(self, input_size, output_size, hidden_sizes):
        sizes = [input_size, *hidden_sizes, output_size]
        self.layers = [Holder(a, b) for a, b in pairwise(sizes)]

    def run(self, x):
        outs = [x]
        for layer in self.layers:
            z = outs[-1] @ layer.weight + layer.bias
            last = layer is self.layers[-1]
            outs.append(torch.sigmoid(z) if last else torch.tanh(z))
        return outs

    def forward(self, x):
        return self.run(x)[-1].squeeze(-1)

    def get_loss(self, x, y):
        return ((self.forward(x) - y) ** 2).mean()

    def first_delta(self, p, y):
        return 2 * (p - y.reshape(p.shape)) / p.numel() * p * (1 - p)

    def backward(self, x, y):
        outs = self.run(x)
        delta = self.first_delta(outs[-1], y)
        for k in range(len(self.layers) - 1, -1, -1):
            layer = self.layers[k]
            layer.weight_grad, layer.bias_grad = outs[k].T @ delta, delta.sum(0)
            delta = delta @ layer.weight.T * (1 - outs[k] ** 2)

    def apply_gradients(self, learning_rate):
        for layer in self.layers:
            layer.weight -= learning_rate * layer.weight_grad
            layer.bias -= learning_rate * layer.bias_grad


@dataclass(frozen=True)
class Case:
    """A class, the part and the loss to ask for, and what is expected: the status, the
    names, and what the text says and does not say."""

    network: type
    status: str = "wrong"
    names: str = ""
    says: tuple[str, ...] = ()
    says_not: tuple[str, ...] = ()
    part: str | None = None
    loss: str = "squared error"


def plain(**methods: Callable) -> type:
    return type("Network", (Plain,), methods)


def pieces(**methods: Callable) -> type:
    return type("Network", (Pieces,), methods)


# ---------------------------------------------------------------- right ones


def by_optimiser(net, learning_rate):
    for layer in net.layers:
        pair = [torch.nn.Parameter(layer.weight), torch.nn.Parameter(layer.bias)]
        pair[0].grad, pair[1].grad = layer.weight_grad, layer.bias_grad
        torch.optim.SGD(pair, lr=learning_rate).step()
        layer.weight, layer.bias = pair[0].data, pair[1].data


class Half(Plain):
    dtype = torch.float16

    def __init__(self, *sizes, **named):
        super().__init__(*sizes, **named)
        for layer in self.layers:
            layer.weight = layer.weight.to(self.dtype)
            layer.bias = layer.bias.to(self.dtype)


class Brain(Half):
    dtype = torch.bfloat16


class Modules(Plain):
    """Its layers are modules, in a list for modules."""

    class Layer(torch.nn.Module):
        def __init__(self, n_in, n_out):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.randn(n_in, n_out))
            self.bias = torch.nn.Parameter(torch.zeros(n_out))

        @property
        def linear(self):
            return self

    def __init__(self, input_size, output_size, hidden_sizes):
        sizes = [input_size, *hidden_sizes, output_size]
        made = [self.Layer(a, b) for a, b in pairwise(sizes)]
        self.layers = torch.nn.ModuleList(made)

    def apply_gradients(self, learning_rate):
        with torch.no_grad():
            super().apply_gradients(learning_rate)


def of_0_and_1(net, x, y):
    p = net.forward(x)
    return torch.where(y == 1, (1 - p) ** 2, p**2).mean()


def whole_delta(net, p, y):
    return 2 * (p - y.reshape(p.shape).long()) / p.numel() * p * (1 - p)


def row_of_biases(net, x, y):
    Plain.backward(net, x, y)
    for layer in net.layers:
        layer.bias_grad = layer.bias_grad[None]


class Deep(Plain):
    def __init__(self, input_size, output_size, hidden_sizes):
        if not hidden_sizes:
            raise ValueError("at least one hidden layer")
        super().__init__(input_size, output_size, hidden_sizes)


ONE = "Only networks with one output"
RIGHT = {
    "deep only": Case(
        Deep, "right", says=("without hidden layers were not checked",)
    ),
    "optimiser": Case(plain(apply_gradients=by_optimiser), "right"),
    "half": Case(Half, "right", says=("two digits",)),
    "bfloat16": Case(Brain, "right", says=("one digit",)),
    "modules": Case(Modules, "right"),
    "labels 0 and 1": Case(
        plain(get_loss=of_0_and_1), "right", says=("labels that are 0 or 1",)
    ),
    "whole labels": Case(
        plain(first_delta=whole_delta), "right", says=("labels that are 0 or 1",)
    ),
    "column of labels": Case(
        plain(
            first_delta=lambda net, p, y: (
                2 * (p - y[:, None]) / len(y) * p * (1 - p)
            )
        ),
        "right",
        says=(ONE,),
    ),
    "column of predictions": Case(
        plain(
            first_delta=lambda net, p, y: (
                (2 * (p[:, 0] - y) / len(y))[:, None] * p * (1 - p)
            )
        ),
        "right",
        says=(ONE,),
    ),
    "update": Case(plain(backward=row_of_biases), "right", part="update"),
}

# ---------------------------------------------------------------- that might pass


def cached(net, x):
    if not hasattr(net, "cache"):
        net.cache = Plain.forward(net, x)
    return net.cache


def cached_loss(net, x, y):
    if not hasattr(net, "cache"):
        net.cache = Plain.get_loss(net, x, y)
    return net.cache


class WithoutInput(NeuralNetwork):
    def forward_pass(self, x):
        return super().forward_pass(x)[1:]


class PreInside(NeuralNetwork):
    def forward_pass(self, x):
        outputs = super().forward_pass(x)
        hidden = zip(self.layers[:-1], outputs)
        return [
            x,
            *(layer.linear.forward(out) for layer, out in hidden),
            outputs[-1],
        ]


def with_gradient(gradient):
    class Network(NeuralNetwork):
        def __init__(self, *sizes, **named):
            super().__init__(*sizes, **named)
            self.loss = type("Loss", (MSELoss,), {"gradient": gradient})()

    return Network


class OfLab(NeuralNetwork):
    """A base as in a lab, with a method for the gradient of the loss."""

    def loss_gradient(self, y, prediction):
        raise NotImplementedError


class WrittenInLab(OfLab):
    def loss_gradient(self, y, prediction):
        return (prediction - y) / y.numel()


def unwritten(loss, y, prediction):
    raise NotImplementedError


def deep_only(net, k, delta, error):
    factor = 2 if len(net.layers) == 4 and k == 3 else 1
    return factor * delta @ net.weight(k).T


PASSING = {
    "cached forward": Case(
        plain(forward=cached),
        says=("samples have changed", "the earlier ones come again"),
        part="forward",
    ),
    "cached loss": Case(
        plain(get_loss=cached_loss), says=("computed earlier",), part="loss"
    ),
    "no input in the list": Case(
        WithoutInput, says=("The input is missing",), part="forward"
    ),
    "z_in in the list": Case(
        PreInside, says=("number 1", "before the activation"), part="forward"
    ),
    "gradient of the loss": Case(
        with_gradient(lambda loss, y, p: p - y),
        names="sum-not-mean and factor-two-missing",
        says=("its gradient is not",),
        part="loss",
    ),
    "shape of that gradient": Case(
        with_gradient(lambda loss, y, p: (p - y).sum()),
        says=("shape ()",),
        part="loss",
    ),
    "another gradient": Case(
        with_gradient(lambda loss, y, p: torch.sin(p - y)),
        says=("its first entry",),
        part="loss",
    ),
    "gradient of a lab": Case(
        WrittenInLab, names="factor-two-missing", part="loss"
    ),
    "gradient unwritten": Case(with_gradient(unwritten), "unfilled", part="loss"),
    "four layers": Case(
        pieces(send=deep_only), says=("For three layers backward is right", "for 4")
    ),
}

# ---------------------------------------------------------------- names, and none


def before_slope_at_output(net, zs, outs, k, delta, error):
    return outs[k - 1].T @ (error if k == len(net.layers) else delta)


def before_slope_of_bias(net, outs, k, delta, error):
    return (error if k == len(net.layers) else delta).sum(0)


GRADIENT = "∇_[Z_out^(L)] 𝓛 = "


def mean_of_pairs(net, p, y):
    return (p - y.T).mean(1, keepdim=True) if p.shape[1] == 1 else p - y


NAMED = {
    "mean of all pairs": Case(
        pieces(residual=mean_of_pairs), names="labels-broadcast"
    ),
    "half of one output": Case(
        plain(
            first_delta=lambda net, p, y: (p - y[:, None]) / len(y) * p * (1 - p)
        ),
        names="factor-two-missing",
        says=("whatever n and K",),
    ),
    "flat labels": Case(
        plain(
            first_delta=lambda net, p, y: (
                2 * (p - y.flatten()) / len(y) * p * (1 - p)
            )
        ),
        "error",
        "labels-broadcast",
    ),
    "textbook": Case(
        pieces(times=lambda net, n, K: n * K / 2),
        names="sum-not-mean and factor-two-missing",
        says=("0.5 · n · K times",),
    ),
    "textbook over n": Case(
        pieces(times=lambda net, n, K: K / 2),
        names="divided-by-n-only and factor-two-missing",
    ),
    "divided by 5": Case(
        pieces(times=lambda net, n, K: n * K / 5), names="fixed-divisor"
    ),
    "both slopes given z_in": Case(
        pieces(
            output_slope=lambda net, z, a, error: z * (1 - z),
            hidden_slope=lambda net, zs, outs, k: 1 - zs[k] ** 2,
        ),
        names="output-formula-given-z-in and hidden-formula-given-z-in",
    ),
    "slope of the sigmoid at z_in": Case(
        pieces(hidden_slope=lambda net, zs, outs, k: sigmoid_slope(zs[k])),
        names="sigmoid-slope-in-hidden",
    ),
    "before the slope at the output": Case(
        pieces(weight_grad=before_slope_at_output, bias_grad=before_slope_of_bias),
        names="gradient-before-slope",
    ),
    "before another slope": Case(
        pieces(
            output_slope=lambda net, z, a, error: z * (1 - z),
            hidden_slope=lambda net, zs, outs, k: outs[k] * (1 - outs[k]),
            weight_grad=lambda net, zs, outs, k, delta, error: (
                outs[k - 1].T @ error
            ),
            bias_grad=lambda net, outs, k, delta, error: error.sum(0),
        ),
        names="output-formula-given-z-in and gradient-before-slope and sigmoid-slope-in-hidden",
    ),
    "replaced by the step": Case(
        plain(
            apply_gradients=lambda net, rate: [
                (
                    setattr(layer, "weight", -rate * layer.weight_grad),
                    setattr(layer, "bias", -rate * layer.bias_grad),
                )
                for layer in net.layers
            ]
        ),
        names="update-replaces",
    ),
    "absolute error": Case(
        pieces(residual=lambda net, p, y: (p - y).sign() / 2),
        names="sign-of-residual",
        says=(GRADIENT + "1/(nK) sign(Z_out^(L) − Y)",),
    ),
    "no labels": Case(pieces(residual=lambda net, p, y: p), names="labels-missing"),
    "own output": Case(
        pieces(
            weight_grad=lambda net, zs, outs, k, delta, error: outs[k].T @ delta
        ),
        names="output-of-wrong-layer",
    ),
    "zeros in the first layer": Case(
        pieces(
            weight_grad=lambda net, zs, outs, k, delta, error: (
                outs[k - 1].T @ (delta if k > 1 else 0 * delta)
            )
        ),
        names="layer-skipped",
        says=("(ℓ = 1)",),
    ),
    "no weight moves": Case(
        pieces(
            weight_grad=lambda net, zs, outs, k, delta, error: (
                0 * outs[k - 1].T @ delta
            )
        ),
        names="layer-skipped",
    ),
    "all zeros in the first layer": Case(
        pieces(
            weight_grad=lambda net, zs, outs, k, delta, error: (
                outs[k - 1].T @ (delta if k > 1 else 0 * delta)
            ),
            bias_grad=lambda net, outs, k, delta, error: (
                delta if k > 1 else 0 * delta
            ).sum(0),
        ),
        names="layer-skipped",
    ),
    "slope twice": Case(
        pieces(hidden_slope=lambda net, zs, outs, k: (1 - outs[k] ** 2) ** 2),
        names="slope-twice",
    ),
    "last unit only": Case(
        pieces(
            send=lambda net, k, delta, error: (
                delta[:, -1:] @ net.weight(k)[:, -1:].T
            )
        ),
        names="last-unit-only",
        says=("last column of Δ^(ℓ) · last row of W^(ℓ)ᵀ",),
    ),
    "ReLU": Case(
        pieces(hidden_slope=lambda net, zs, outs, k: (outs[k] > 0).double()),
        names="slope-of-relu-in-hidden",
    ),
    "bias of the last sample": Case(
        pieces(bias_grad=lambda net, outs, k, delta, error: delta[-1]),
        names="last-sample-only",
        says=("last row of Δ^(ℓ)",),
    ),
    "weights of the last sample": Case(
        pieces(
            weight_grad=lambda net, zs, outs, k, delta, error: (
                outs[k - 1][-1:].T @ delta[-1:]
            )
        ),
        names="last-sample-only",
        says=("(last row of Z_out^(ℓ−1))ᵀ · (last row of Δ^(ℓ))",),
    ),
    "one mean": Case(
        pieces(bias_grad=lambda net, outs, k, delta, error: delta.mean()),
        names="bias-one-sum",
        says=("= mean of all of Δ^(ℓ)",),
    ),
    "bias from weights, and these transposed": Case(
        pieces(
            weight_grad=lambda net, zs, outs, k, delta, error: (
                delta.T @ outs[k - 1]
            ),
            bias_grad=lambda net, outs, k, delta, error: (
                outs[k - 1].T @ delta
            ).sum(0),
        ),
        names="weights-transposed and bias-from-weights",
    ),
    "row of biases": Case(
        plain(backward=row_of_biases), names="bias-gradient-shape"
    ),
    "column of biases": Case(
        pieces(bias_grad=lambda net, outs, k, delta, error: delta.sum(0)[:, None]),
        names="bias-gradient-shape",
    ),
    "rate forgotten": Case(
        pieces(
            step=lambda net, parameter, gradient, rate: parameter.sub_(gradient)
        ),
        names="rate-missing",
        says=("W^(ℓ) ← W^(ℓ) − ∇_[W^(ℓ)] 𝓛",),
    ),
    "a rate of its own": Case(
        pieces(
            step=lambda net, parameter, gradient, rate: parameter.sub_(
                0.1 * gradient
            )
        ),
        names="rate-missing",
        says=("− 1/10 ∇_[W^(ℓ)] 𝓛",),
    ),
    "only biases climb": Case(
        plain(
            apply_gradients=lambda net, rate: [
                (
                    layer.weight.sub_(rate * layer.weight_grad),
                    layer.bias.add_(rate * layer.bias_grad),
                )
                for layer in net.layers
            ]
        ),
        names="update-adds",
        says=("Read again: equation (7.2) in",),
    ),
    "biases climb twice": Case(
        pieces(
            bias_grad=lambda net, outs, k, delta, error: -delta.sum(0),
            step=lambda net, parameter, gradient, rate: parameter.add_(
                (rate if parameter.ndim == 1 else -rate) * gradient
            ),
        ),
        names="extra-factor and update-adds",
        says=("The two cancel: parameters move as they should",),
        says_not=("(5.7)",),
    ),
    "signs that cancel, and more": Case(
        pieces(
            residual=lambda net, p, y: y - p,
            bias_grad=lambda net, outs, k, delta, error: delta.mean(0),
            step=plus,
        ),
        names="wrong-sign and bias-averaged and update-adds",
        says=("The two cancel, but what else is wrong does not.",),
        says_not=("as they should, though",),
    ),
    "one factor as two": Case(
        pieces(
            times=lambda net, n, K: n * K,
            send=lambda net, k, delta, error: error @ net.weight(k).T,
            bias_grad=lambda net, outs, k, delta, error: delta.mean(0),
        ),
        names="sum-not-mean and bias-averaged and error-sent-back",
        says_not=("fits other",),
    ),
    "three at once": Case(
        pieces(
            times=lambda net, n, K: 1 / 2,
            hidden_slope=lambda net, zs, outs, k: 1,
            bias_grad=lambda net, outs, k, delta, error: delta.mean(0),
        ),
        names="factor-two-missing and bias-averaged and no-hidden-slope",
    ),
}

# ---------------------------------------------------------------- messages


def momentum(net, x, y):
    Plain.backward(net, x, y)
    for layer in net.layers:
        layer.v = 0.9 * getattr(layer, "v", 0) + 0.1 * layer.weight_grad
        layer.u = 0.9 * getattr(layer, "u", 0) + 0.1 * layer.bias_grad
        layer.weight_grad, layer.bias_grad = layer.v, layer.u


def product_of_slopes(net, outs, y):
    delta = (outs[-1] - y) / y.numel()
    linear = net.layers[-1].linear
    return (delta @ linear.weight.T) @ (1 - outs[-2] ** 2)


class FiveRows(Plain):
    def first_delta(self, p, y):
        delta = torch.zeros(5, 1)
        delta[:] = super().first_delta(p, y)
        return delta


def popped(net, outs, y):
    delta = outs[-1] - y
    while net.layers:
        linear = net.layers.pop().linear
        linear.weight_grad, linear.bias_grad = (
            outs[len(net.layers)].T @ delta,
            delta.sum(0),
        )
        delta = delta @ linear.weight.T


def reversed_layers(net, outs, y):
    Pieces.backward_pass(net, outs, y)
    net.layers.reverse()


class Arrays(Plain):
    def __init__(self, *sizes, **named):
        super().__init__(*sizes, **named)
        for layer in self.layers:
            layer.weight = layer.weight.numpy()


def other_names(net, linear, weight_grad, bias_grad):
    linear.weight.grad, linear.dW, linear.db = weight_grad, weight_grad, bias_grad


def first_layer_left_out(net, linear, weight_grad, bias_grad):
    if linear is not net.layers[0].linear:
        linear.weight_grad, linear.bias_grad = weight_grad, bias_grad


def remembering():
    deltas = []

    def first_delta(net, p, y):
        deltas.append(Plain.first_delta(net, p, y))
        return deltas[0]

    return plain(first_delta=first_delta)


def two_layers(net, outs, y):
    _x, _h, _p = outs


def inside_samples(net, x, y):
    sums = [[0, 0] for _ in net.layers]
    for s in range(len(x)):
        outs = net.run(x[s : s + 1])
        p = outs[-1]
        delta = 2 * (p - y[s]) / y.numel() * p * (1 - p)
        for k in range(len(net.layers) - 1, -1, -1):
            layer = net.layers[k]
            sums[k] = [sums[k][0] + outs[k].T @ delta, sums[k][1] + delta.sum(0)]
            layer.weight -= 0.1 * outs[k].T @ delta
            layer.bias -= 0.1 * delta.sum(0)
            delta = delta @ layer.weight.T * (1 - outs[k] ** 2)
    for layer, (weight_grad, bias_grad) in zip(net.layers, sums):
        layer.weight_grad, layer.bias_grad = weight_grad, bias_grad


class LastForward(Plain):
    def forward(self, x):
        self.outs = self.run(x)
        return self.outs[-1].squeeze(-1)

    def backward(self, x, y):
        self.run = lambda x: self.outs
        super().backward(x, y)
        del self.run


def popped_twice(net, outs, y):
    p = outs.pop()
    delta = 2 * (p - y) / p.numel() * p * (1 - p)
    outs.pop()  # once too often
    for layer in reversed(net.layers):
        out, linear = outs.pop(), layer.linear
        linear.weight_grad, linear.bias_grad = out.T @ delta, delta.sum(0)
        delta = (delta @ linear.weight.T) * (1 - out**2)


def noisy(net, linear, weight_grad, bias_grad):
    linear.weight_grad, linear.bias_grad = weight_grad + torch.rand(()), bias_grad


def slower(net, rate):
    net.steps = getattr(net, "steps", 0) + 1
    Plain.apply_gradients(net, rate / net.steps)


def biases_added(net, linear, weight_grad, bias_grad):
    linear.weight_grad = weight_grad
    linear.kept = getattr(linear, "kept", 0) + bias_grad
    linear.bias_grad = linear.kept


def passed(net, x, activations, biases, first=None):
    """A forward pass with these activations, and with ``biases`` times each bias."""
    outs = [x]
    for layer, activation in zip(net.layers, activations, strict=True):
        share = first if first is not None and len(outs) == 1 else biases
        linear = layer.linear
        outs.append(activation(outs[-1] @ linear.weight + share * linear.bias))
    return outs


def after_backward(net, x, y):
    Plain.backward(net, x, y)
    net.apply_gradients(0.1)


def keeping(net, x):
    outs = NeuralNetwork.forward_pass(net, x)
    net.kept = getattr(net, "kept", outs)
    return outs


def odd_above(net, zs, outs, k, delta, error):
    return outs[k - 1].T @ delta if k == 1 else (outs[k - 1].exp().T @ delta)


SIZES = "three layers, of sizes 4, 6, 5, 1"
MESSAGES = {
    "one factor": Case(
        plain(backward=momentum),
        says=("All gradients", "0.1 times", "whatever n and K", "1.9 times"),
    ),
    "equal shapes": Case(
        pieces(backward_pass=product_of_slopes),
        "error",
        says=(SIZES, "(3, 5), which is (n, N^(2))", "⊙"),
    ),
    "five": Case(
        FiveRows,
        "error",
        says=("5 is met in every network",),
        says_not=("(N^(2), 1)", "was expected"),
    ),
    "popped": Case(
        pieces(backward_pass=popped), "error", says=("of 3 layers, 0 are left",)
    ),
    "reversed": Case(
        pieces(backward_pass=reversed_layers), "error", says=("in another order",)
    ),
    "arrays": Case(
        Arrays, "error", says=("weight of layer 1 is of the type numpy.ndarray",)
    ),
    "other names": Case(
        pieces(store=other_names),
        "unfilled",
        says=("of all layers", "linear.dW", "linear.weight.grad"),
    ),
    "not layer 1": Case(
        pieces(store=first_layer_left_out),
        "unfilled",
        says=("weight_grad and bias_grad of layer 1 are",),
        says_not=("all layers",),
    ),
    "an earlier delta": Case(
        remembering(),
        "error",
        says=("(5, 7)", "(3, 1)", "of an earlier call"),
        says_not=("dtype",),
    ),
    "two layers": Case(pieces(backward_pass=two_layers), "error", says=(SIZES,)),
    "update inside": Case(
        plain(backward=inside_samples),
        names="updated-too-early",
        says=("backward changes the weights",),
    ),
    "last forward": Case(
        LastForward, says=("samples of an earlier call of forward",)
    ),
    "popped twice": Case(
        pieces(backward_pass=popped_twice),
        "error",
        "output-of-wrong-layer and slope-of-wrong-layer",
        says=("Z_out^(ℓ−2)ᵀ",),
        says_not=("The last layer is right",),
    ),
    "input of the first call": Case(
        pieces(
            forward_pass=keeping,
            weight_grad=lambda net, zs, outs, k, delta, error: (
                net.kept[k - 1].T @ delta
                if net.kept[0].shape == outs[0].shape
                else outs[k - 1].T @ delta
            ),
        ),
        says=("earlier Z_out^(ℓ−1)ᵀ · Δ^(ℓ)", "something is kept from that call"),
        says_not=("no formula",),
    ),
    "wrong where it is known by accident": Case(
        pieces(weight_grad=odd_above), says=("No formula is known",)
    ),
    "weight decay": Case(
        pieces(
            weight_grad=lambda net, zs, outs, k, delta, error: (
                outs[k - 1].T @ delta + 0.1 / len(delta) * net.weight(k)
            )
        ),
        says=("Z_out^(ℓ−1)ᵀ · Δ^(ℓ) + 1/(10n) W^(ℓ)", "weight decay"),
    ),
    "weights grow, and more": Case(
        pieces(
            weight_grad=lambda net, zs, outs, k, delta, error: (
                outs[k - 1].T @ delta - 0.1 * net.weight(k)
            ),
            bias_grad=lambda net, outs, k, delta, error: delta.mean(0),
        ),
        says=("No formula is known",),
        says_not=("weight decay", "mean-twice"),
    ),
    "biases averaged, and an odd slope": Case(
        pieces(
            hidden_slope=lambda net, zs, outs, k: 1 - outs[k] ** 3,
            bias_grad=lambda net, outs, k, delta, error: delta.mean(0),
        ),
        names="bias-averaged",
        says=("For what is not said here, no formula is known.",),
    ),
    "sums of both": Case(
        pieces(
            send=lambda net, k, delta, error: (
                delta.sum(1, keepdim=True) * net.weight(k).sum(1)
            )
        ),
        says=("((Δ^(ℓ) · 1) · (row sums of W^(ℓ))ᵀ) ⊙",),
    ),
    "where one output hides it": Case(
        pieces(
            send=lambda net, k, delta, error: (
                (delta * torch.linspace(1, 2, delta.shape[1])) @ net.weight(k).T
            )
        ),
        says=("sizes 2, 2, 2, one sample",),
    ),
    "a slope, and the update": Case(
        pieces(hidden_slope=lambda net, zs, outs, k: 1, step=plus),
        names="no-hidden-slope",
        says=("apply_gradients is not right either",),
    ),
    "bfloat16 that climbs": Case(
        type(
            "Network",
            (Brain,),
            {
                "apply_gradients": lambda net, rate: Plain.apply_gradients(
                    net, -rate
                )
            },
        ),
        says=("first wrong change",),
    ),
    "half of it in bfloat16": Case(
        type(
            "Network",
            (Brain,),
            {"first_delta": lambda net, p, y: Plain.first_delta(net, p, y) / 2},
        ),
        says=("0.5 times", "too coarse to find the formula"),
    ),
    "early in bfloat16": Case(
        type("Network", (Brain,), {"backward": after_backward}),
        says=("The gradients are right, but backward changes the parameters",),
    ),
    "added biases": Case(
        pieces(store=biases_added),
        names="gradients-accumulate",
        says=("Only those of the biases are",),
    ),
    "added weights, biases of 0": Case(
        pieces(
            store=added,
            bias_grad=lambda net, outs, k, delta, error: 0 * delta.sum(0),
        ),
        names="bias-gradient-zero and gradients-accumulate",
        says_not=("something is random",),
    ),
    "no bias going forward": Case(
        pieces(
            forward_pass=lambda net, x: passed(
                net, x, [torch.tanh, torch.tanh, torch.sigmoid], 0
            )
        ),
        says=("= Z_out^(ℓ−1) · W^(ℓ)\n", "equation (2.3)"),
        says_not=("(ℓ =", "Look at"),
    ),
    "ReLU going forward": Case(
        pieces(
            forward_pass=lambda net, x: passed(
                net, x, [torch.relu, torch.relu, torch.sigmoid], 1
            )
        ),
        says=("(ℓ = 1, 2): Z_out^(ℓ) = ReLU(Z_in^(ℓ))", "σ^(ℓ) is tanh"),
        says_not=("Look at",),
    ),
    "softmax going forward": Case(
        pieces(
            forward_pass=lambda net, x: passed(
                net, x, [torch.tanh, torch.tanh, lambda z: z.softmax(1)], 1
            )
        ),
        says=("(ℓ = 3): Z_out^(ℓ) = softmax(Z_in^(ℓ))",),
    ),
    "first bias going forward": Case(
        pieces(
            forward_pass=lambda net, x: passed(
                net, x, [torch.tanh, torch.tanh, torch.sigmoid], 1, 0
            )
        ),
        says=("(ℓ = 1): Z_in^(ℓ) = Z_out^(ℓ−1) · W^(ℓ)\n",),
    ),
    "two biases going forward": Case(
        pieces(
            forward_pass=lambda net, x: passed(
                net, x, [torch.tanh, torch.tanh, torch.sigmoid], 2
            )
        ),
        says=("layer 3 of 3 is the first to be wrong. Look at",),
    ),
    "random": Case(
        pieces(store=noisy), says=("something is random",), says_not=("by hand",)
    ),
    "flat labels, and nothing filled": Case(
        plain(
            first_delta=lambda net, p, y: (
                (p - y.flatten()) @ net.layers[-1].weight.T
            )
        ),
        "error",
        says=("(n, n) comes of a column, (n, 1), and something flat, (n,)",),
    ),
    "slower and slower": Case(
        plain(apply_gradients=slower),
        says=("learning rate 0.2", "0.5 times", "the first is right"),
        says_not=("η²",),
    ),
}

# ---------------------------------------------------------------- another loss


class CrossEntropy(Plain):
    """A right network that has the cross-entropy."""

    def get_loss(self, x, y):
        p = self.forward(x)
        return -(y * p.log() + (1 - y) * (1 - p).log()).mean()

    def first_delta(self, p, y):
        return (p - y.reshape(p.shape)) / p.numel()


class FromPreActivations(CrossEntropy):
    """As a library computes it; its gradient is with respect to pre-activations."""

    def get_loss(self, x, y):
        p = self.forward(x)
        z = torch.log(p / (1 - p))
        return (z.clamp_min(0) - y * z + torch.log1p(torch.exp(-z.abs()))).mean()

    def first_delta(self, p, y):
        return self.loss_gradient(y.reshape(p.shape), torch.log(p / (1 - p)))

    def loss_gradient(self, y, z_in):
        return (torch.sigmoid(z_in) - y) / y.numel()


def entropy(**methods):
    return type("Changed", (CrossEntropy,), methods)


def other_loss(network, names="", **more):
    return Case(network, names=names, loss="cross-entropy", **more)


FOUND = "Your code: Δ^(L) = "
ENTROPY = {
    "right": other_loss(CrossEntropy, status="right"),
    "right from pre-activations": other_loss(
        FromPreActivations, status="right", part="loss"
    ),
    "right backward from pre-activations": other_loss(
        FromPreActivations, status="right"
    ),
    "not asked for": Case(
        CrossEntropy,
        part="loss",
        says=(
            "It is the cross-entropy, another loss.",
            "with loss='cross-entropy'",
        ),
    ),
    "not asked for, backward": Case(
        CrossEntropy,
        part="backward",
        names="cross-entropy-delta",
        says=("call diagnose with loss='cross-entropy'",),
    ),
    "twice": Case(
        entropy(
            first_delta=lambda net, p, y: 2 * CrossEntropy.first_delta(net, p, y)
        ),
        part="backward",
        names="no-output-slope",
        says=("it is right for another loss, the cross-entropy",),
    ),
    "asked for, squared error": other_loss(
        Plain,
        part="loss",
        says=(
            "The cross-entropy is",
            "It is the mean squared error, another loss.",
        ),
    ),
    "asked for, delta of the squared error": other_loss(
        entropy(first_delta=Plain.first_delta),
        names="squared-error-delta",
        says=(
            FOUND + "2/(nK) (Z_out^(L) − Y) ⊙ σ′^(L)(Z_in^(L))",
            "The book:  Δ^(L) = 1/(nK) (Z_out^(L) − Y)\n",
        ),
    ),
    "asked for, all of the squared error, backward": other_loss(
        Plain, part="backward", names="squared-error-delta"
    ),
    "no slope": other_loss(
        entropy(
            first_delta=lambda net, p, y: (
                CrossEntropy.first_delta(net, p, y) / (p * (1 - p))
            )
        ),
        says=(FOUND + "1/(nK) (Z_out^(L) − Y) / (Z_out^(L) ⊙ (1 − Z_out^(L)))",),
    ),
    "sum": other_loss(
        entropy(first_delta=lambda net, p, y: p - y.reshape(p.shape)),
        names="sum-not-mean",
        says=(FOUND + "(Z_out^(L) − Y)",),
        says_not=("Notation and tools",),  # has the gradient of the squared error
    ),
    "sum in the loss": other_loss(
        entropy(
            get_loss=lambda net, x, y: y.numel() * CrossEntropy.get_loss(net, x, y)
        ),
        names="sum-not-mean",
        says=("The loss grows with the number of samples",),
    ),
    "half": other_loss(
        entropy(
            first_delta=lambda net, p, y: (p - y.reshape(p.shape)) / 2 / p.numel()
        ),
        says=("0.5 times what they should be", "no name here"),
        says_not=("square",),
    ),
    "one term": other_loss(
        entropy(get_loss=lambda net, x, y: -(y * net.forward(x).log()).mean()),
        says=("without what labels of 0 give",),
    ),
    "a hidden slope": other_loss(
        entropy(
            backward=lambda net, x, y: hidden_slopes_left_out(net, x, y),
        ),
        names="no-hidden-slope",
    ),
    "update": other_loss(
        entropy(
            apply_gradients=lambda net, rate: Plain.apply_gradients(net, -rate)
        ),
        names="update-adds",
    ),
}


def hidden_slopes_left_out(net, x, y):
    outs = net.run(x)
    delta = net.first_delta(outs[-1], y)
    for k in range(len(net.layers) - 1, -1, -1):
        layer = net.layers[k]
        layer.weight_grad, layer.bias_grad = outs[k].T @ delta, delta.sum(0)
        delta = delta @ layer.weight.T


CASES = (
    RIGHT
    | PASSING
    | NAMED
    | MESSAGES
    | {f"{k}, entropy": v for k, v in ENTROPY.items()}
)

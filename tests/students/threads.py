"""Mistakes that people have reported in public threads, ported to the class of the book.

Each of the 40 kinds replaces pieces of a right backward pass or update. ``SINGLES`` are the kinds,
``PAIRS`` 40 pairs of them: two mistakes in one class. ``names`` are what the diagnosis should
say, and nothing else. Chosen and written before the search for formulas was; not changed
since.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from backprop import NeuralNetwork


class Pieces(NeuralNetwork):
    """A right network, in pieces. Layers count from 1, ``outs`` and ``zs`` hold the
    outputs and the pre-activations of layer k at place k."""

    def times(self, n, K):
        return 1

    def residual(self, p, y):
        return p - y

    def output_slope(self, z, a, error):
        return a * (1 - a)

    def hidden_slope(self, zs, outs, k):
        return 1 - outs[k] ** 2

    def send(self, k, delta, error):
        return delta @ self.weight(k).T

    def weight_grad(self, zs, outs, k, delta, error):
        return outs[k - 1].T @ delta

    def bias_grad(self, outs, k, delta, error):
        return delta.sum(0)

    def store(self, linear, weight_grad, bias_grad):
        linear.weight_grad, linear.bias_grad = weight_grad, bias_grad

    def step(self, parameter, gradient, rate):
        parameter -= rate * gradient

    def weight(self, k):
        return self.layers[k - 1].linear.weight

    def backward_pass(self, outs, y):
        zs = [None]
        for layer, out in zip(self.layers, outs):
            zs.append(layer.linear.forward(out))
        p = outs[-1]
        error = self.residual(p, y) * 2 / p.numel() * self.times(*p.shape)
        slope = self.output_slope(zs[-1], p, error)
        for k in range(len(self.layers), 0, -1):
            delta = error * slope
            self.store(
                self.layers[k - 1].linear,
                self.weight_grad(zs, outs, k, delta, error),
                self.bias_grad(outs, k, delta, error),
            )
            if k > 1:
                if k == len(self.layers):
                    self.first = delta
                error = self.send(k, delta, error)
                slope = self.hidden_slope(zs, outs, k - 1)

    def descend(self, rate):
        for layer in self.layers:
            linear = layer.linear
            self.step(linear.weight, linear.weight_grad, rate)
            self.step(linear.bias, linear.bias_grad, rate)


@dataclass(frozen=True)
class Kind:
    names: tuple[str, ...]
    source: str
    pieces: dict[str, Callable] = field(default_factory=dict)


def kind(names: str, source: str, **pieces: Callable) -> Kind:
    return Kind(tuple(names.split()), source, pieces)


def sigmoid_slope(z):
    return torch.sigmoid(z) * (1 - torch.sigmoid(z))


def early(net, k, delta, error):
    linear = net.layers[k - 1].linear
    linear.weight -= 0.1 * linear.weight_grad
    return delta @ linear.weight.T


def added(net, linear, weight_grad, bias_grad):
    for name, value in (("weight_grad", weight_grad), ("bias_grad", bias_grad)):
        before = getattr(net, "kept", {}).get((id(linear), name), 0)
        net.__dict__.setdefault("kept", {})[id(linear), name] = before + value
        setattr(linear, name, before + value)


def plus(net, parameter, gradient, rate):
    parameter += rate * gradient


def shrink(net, parameter, gradient, rate):
    parameter -= rate * parameter


def broadcast(net, x, y):
    p = net.forward_pass(x)[-1]  # (n, 1), but y is (n,)
    return ((p - y) ** 2).mean()


def last_only(net, p, y):
    only = torch.zeros_like(p)
    only[-1] = 1
    return (p - y) * only


KINDS = {
    # ------------------------------------------------------------ the loss's gradient
    "two": kind(
        "factor-two-missing",
        "Open-Deep-ML/DML-OpenProblem#54",
        times=lambda net, n, K: 1 / 2,
    ),
    "sum": kind(
        "sum-not-mean",
        "hunkim/DeepLearningZeroToAll#173",
        times=lambda net, n, K: n * K,
    ),
    "n only": kind(
        "divided-by-n-only",
        "karpathy/nn-zero-to-hero#20",
        times=lambda net, n, K: K,
    ),
    "sign": kind(
        "wrong-sign",
        "dennybritz/nn-from-scratch#11",
        residual=lambda net, p, y: y - p,
    ),
    "squared": kind(
        "residual-squared",
        "MatthieuHernandez/StraightforwardNeuralNetwork#18",
        residual=lambda net, p, y: (p - y) ** 2,
    ),
    "last sample": kind(
        "last-sample-only", "jbarrow/LambdaNet#5", residual=last_only
    ),
    "broadcast": kind(
        "labels-broadcast", "manzilzaheer/DeepSets#1", get_loss=broadcast
    ),
    # ------------------------------------------------------------ the output delta
    "no output slope": kind(
        "no-output-slope",
        "parasdahal/tinyml#1",
        output_slope=lambda net, z, a, error: 1,
    ),
    "output twice": kind(
        "output-slope-of-output",
        "PacktPublishing/Neural-Network-Projects-with-Python#4",
        output_slope=lambda net, z, a, error: sigmoid_slope(a),
    ),
    "cross-entropy": kind(
        "cross-entropy-delta",
        "rasbt/python-machine-learning-book-2nd-edition#54",
        times=lambda net, n, K: K / 2,
        output_slope=lambda net, z, a, error: 1,
    ),
    "z(1 - z)": kind(
        "output-formula-given-z-in",
        "shiffman/Neural-Network-p5#22",
        output_slope=lambda net, z, a, error: z * (1 - z),
    ),
    "1 - error": kind(
        "slope-of-error",
        "datascience.stackexchange.com/questions/20139",
        output_slope=lambda net, z, a, error: 1 - error,
    ),
    # ------------------------------------------------------------ the hidden slopes
    "hidden twice": kind(
        "hidden-slope-of-output",
        "infostreams/neural-network#1",
        hidden_slope=lambda net, zs, outs, k: 1 - torch.tanh(outs[k]) ** 2,
    ),
    "sigmoid": kind(
        "sigmoid-slope-in-hidden",
        "ttezel/nn#8",
        hidden_slope=lambda net, zs, outs, k: outs[k] * (1 - outs[k]),
    ),
    "no hidden slope": kind(
        "no-hidden-slope",
        "makeyourownneuralnetwork/makeyourownneuralnetwork#88",
        hidden_slope=lambda net, zs, outs, k: 1,
    ),
    "layer above": kind(
        "slope-of-wrong-layer",
        "dennybritz/nn-from-scratch#3",
        hidden_slope=lambda net, zs, outs, k: 1 - torch.tanh(zs[k + 1]) ** 2,
    ),
    "1 - z^2": kind(
        "hidden-formula-given-z-in",
        "apache/incubator-retired-horn#4",
        hidden_slope=lambda net, zs, outs, k: 1 - zs[k] ** 2,
    ),
    "1 + a^2": kind(
        "slope-plus-square",
        "nicodjimenez/lstm#41",
        hidden_slope=lambda net, zs, outs, k: 1 + outs[k] ** 2,
    ),
    # ------------------------------------------------------------ the way back
    "early": kind(
        "updated-too-early", "kim-marcel/basic_neural_network#7", send=early
    ),
    "no transpose": kind(
        "missing-transpose",
        "lisa-lab/DeepLearningTutorials#125",
        send=lambda net, k, delta, error: delta @ net.weight(k),
    ),
    "error back": kind(
        "error-sent-back",
        "stackoverflow.com/questions/53287032",
        send=lambda net, k, delta, error: error @ net.weight(k).T,
    ),
    "no weights": kind(
        "weights-skipped",
        "whosebug.com/question/2948401",
        send=lambda net, k, delta, error: (
            delta * torch.ones(1, len(net.weight(k)), dtype=delta.dtype)
        ),
    ),
    "output's delta": kind(
        "delta-of-output-reused",
        "fanghao6666/neural-networks-and-deep-learning#7",
        send=lambda net, k, delta, error: net.first @ net.weight(k).T,
    ),
    "elementwise": kind(
        "elementwise-product",
        "makeyourownneuralnetwork/makeyourownneuralnetwork#64",
        send=lambda net, k, delta, error: delta * net.weight(k).T,
    ),
    "first unit": kind(
        "first-unit-only",
        "prakashjayy/medium_blogs#2",
        send=lambda net, k, delta, error: delta[:, :1] @ net.weight(k)[:, :1].T,
    ),
    "gradient back": kind(
        "gradient-for-weights",
        "jcjohnson/pytorch-examples#28",
        send=lambda net, k, delta, error: (
            delta @ net.layers[k - 1].linear.weight_grad.T
        ),
    ),
    # ------------------------------------------------------------ weights
    "transposed": kind(
        "weights-transposed",
        "iamtrask/Grokking-Deep-Learning#23",
        weight_grad=lambda net, zs, outs, k, delta, error: delta.T @ outs[k - 1],
    ),
    "z_in": kind(
        "pre-activation-for-output",
        "maziarraissi/backprop#1",
        weight_grad=lambda net, zs, outs, k, delta, error: (
            (outs if k == 1 else zs)[k - 1].T @ delta
        ),
    ),
    "twice in one": kind(
        "extra-factor",
        "bighuang624/Andrew-Ng-Deep-Learning-notes#10",
        weight_grad=lambda net, zs, outs, k, delta, error: (
            outs[k - 1].T @ delta * (2 if k == 2 else 1)
        ),
    ),
    "mean again": kind(
        "mean-twice",
        "SkalskiP/ILearnDeepLearning.py#29",
        weight_grad=lambda net, zs, outs, k, delta, error: (
            outs[k - 1].T @ delta / len(delta)
        ),
        bias_grad=lambda net, outs, k, delta, error: delta.mean(0),
    ),
    "before slope": kind(
        "gradient-before-slope",
        "hanbt/learn_dl#23",
        weight_grad=lambda net, zs, outs, k, delta, error: outs[k - 1].T @ error,
        bias_grad=lambda net, outs, k, delta, error: error.sum(0),
    ),
    # ------------------------------------------------------------ biases
    "bias mean": kind(
        "bias-averaged",
        "kvfrans/notes#5",
        bias_grad=lambda net, outs, k, delta, error: delta.mean(0),
    ),
    "one sum": kind(
        "bias-one-sum",
        "rasbt/stat453-deep-learning-ss21#5",
        bias_grad=lambda net, outs, k, delta, error: delta.sum(),
    ),
    "bias rows": kind(
        "bias-not-summed",
        "mlpack/mlpack#3679",
        bias_grad=lambda net, outs, k, delta, error: delta,
    ),
    "bias axis": kind(
        "bias-summed-over-units",
        "deeplearning4j/deeplearning4j#364",
        bias_grad=lambda net, outs, k, delta, error: delta.sum(1),
    ),
    "bias zero": kind(
        "bias-gradient-zero",
        "mattm/simple-neural-network#10",
        bias_grad=lambda net, outs, k, delta, error: 0 * delta.sum(0),
    ),
    "bias from weights": kind(
        "bias-from-weights",
        "rust0258/Deeplearning.ai-Natural-Language-Processing-Specialization#62",
        bias_grad=lambda net, outs, k, delta, error: (outs[k - 1].T @ delta).sum(0),
    ),
    # ------------------------------------------------------------ calls and steps
    "accumulate": kind(
        "gradients-accumulate", "karpathy/micrograd#102", store=added
    ),
    "plus": kind("update-adds", "udacity/deep-learning-v2-pytorch#14", step=plus),
    "shrink": kind(
        "parameter-for-gradient", "udacity/sdc-issue-reports#75", step=shrink
    ),
}

# Of these the first five are found together in one thread: Bot-Academy/NeuralNetworkFromScratch#3,
# iamtrask/Grokking-Deep-Learning#37, BVLC/caffe#2176, davidrmiller/neural2d#40, mnielsen/
# neural-networks-and-deep-learning#79. The others join the kinds of two threads.
PAIRS = [
    ("no output slope", "early"),
    ("sign", "plus"),
    ("two", "n only"),
    ("output twice", "hidden twice"),
    ("two", "sum"),
    ("two", "bias mean"),
    ("two", "no hidden slope"),
    ("two", "early"),
    ("two", "error back"),
    ("two", "bias from weights"),
    ("two", "sigmoid"),
    ("sum", "sign"),
    ("sum", "hidden twice"),
    ("sum", "no transpose"),
    ("sum", "z_in"),
    ("sum", "bias zero"),
    ("n only", "sign"),
    ("n only", "layer above"),
    ("n only", "bias mean"),
    ("n only", "transposed"),
    ("sign", "no output slope"),
    ("sign", "1 - z^2"),
    ("sign", "mean again"),
    ("squared", "no hidden slope"),
    ("squared", "bias mean"),
    ("squared", "output twice"),
    ("no output slope", "no hidden slope"),
    ("no output slope", "hidden twice"),
    ("no output slope", "bias axis"),
    ("no output slope", "z_in"),
    ("output twice", "no hidden slope"),
    ("output twice", "bias zero"),
    ("cross-entropy", "no hidden slope"),
    ("cross-entropy", "bias mean"),
    ("cross-entropy", "mean again"),
    ("z(1 - z)", "1 - z^2"),
    ("sigmoid", "bias zero"),
    ("layer above", "bias rows"),
    ("early", "z_in"),
    ("accumulate", "hidden twice"),
]

SINGLES = [(key,) for key in KINDS]


def expected(keys: tuple[str, ...]) -> set[str]:
    return {name for key in keys for name in KINDS[key].names}


def load(keys: tuple[str, ...]) -> type:
    """The class with these mistakes."""
    pieces: dict[str, Callable] = {}
    factors = [f for key in keys if (f := KINDS[key].pieces.get("times"))]
    for key in keys:
        double = (pieces.keys() & KINDS[key].pieces.keys()) - {"times"}
        if double:
            raise ValueError(f"{keys} both replace {double}.")
        pieces |= KINDS[key].pieces

    def times(net, n, K):
        product = 1
        for factor in factors:
            product *= factor(net, n, K)
        return product

    return type("Network", (Pieces,), {**pieces, "times": times})

"""The list of mistakes: each formula is read from its TeX, evaluated, and compared with what
a network with this mistake computes."""

import re
import tomllib

import pytest
import students
import torch
from diagnosis import calls, diagnose
from diagnosis.losses import CROSS_ENTROPY, SQUARED_ERROR
from diagnosis.mistakes import DATA, MISTAKES, Mistake, named
from diagnosis.notation import html, plain
from diagnosis.pages import page
from equations import networks
from equations.evaluate import Evaluator
from equations.networks import Network
from equations.nodes import EquationError, walk
from equations.parse import parse_row
from students import threads
from students.cases import CASES
from torch.nn import functional

BY_NAME = {mistake.name: mistake for mistake in MISTAKES}


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Else a loaded machine would decide how much is checked."""
    monkeypatch.setattr(calls, "SECONDS", 60.0)


def model(sizes, n, kind=Network):
    """A random network of the book, in the form in which TeX is evaluated."""
    depth = len(sizes) - 1
    net = kind(
        sizes,
        n,
        7,
        [torch.tanh] * (depth - 1) + [torch.sigmoid],
        networks.mean_squared_error,
        functional.mse_loss,
    )
    with torch.no_grad():  # the last sample of the batch is the one sample
        net.X[-1], net.Y[-1] = net.x, net.y
    net.forward()
    net.eta = 0.1  # the rate of those that take a step too early
    return net


class Square(Network):
    """Where all sizes are equal, what counts one thing may stand for what counts another."""

    def axis(self, name, layer):
        return "n"


def evaluated(tex, net, ell):
    (node,) = parse_row(tex).sides
    return Evaluator(net, ell, list(walk(node))).value(node)


def value(mistake, net, ell):
    """The formula of a mistake as numbers, indices of samples first."""
    tex = mistake.tex
    if mistake.label.endswith(
        "derivative"
    ):  # of any number z, here of what goes in
        tex = re.sub(
            r"(?<![a-z\\])z\b", rf"{{Z^{{({ell})}}_{{s,i,\\mathrm{{in}}}}}}", tex
        )
    found = evaluated(tex, net, ell)
    order = sorted(found.indices, key=lambda index: "sji".index(index))
    axes = [found.indices.index(index) for index in order]
    return (
        found.data.detach().permute(axes) if len(axes) > 1 else found.data.detach()
    )


def classes(name):
    """Networks with this mistake, and with no other."""
    for key, kind in threads.KINDS.items():
        if kind.names == (name,):
            yield threads.load((key,))
    for case in CASES.values():
        if case.names == name:
            yield case.network
    for slip in students.SLIPS:
        if slip.slug == name:
            yield students.load(slip)


def run(network, net, calls=1):
    """The network of a class with the parameters of a model, after calls of backward."""
    sizes = [int(size) for size in net.layer_sizes]
    found = network(sizes[0], sizes[-1], sizes[1:-1])
    y = net.Y.squeeze(-1) if net.K == 1 else net.Y
    for layer, W, b in zip(found.layers, net.W[1:], net.b[1:], strict=True):
        layer.linear.weight = W.detach().clone()
        layer.linear.bias = b.detach().clone()
    for _ in range(calls):
        found.backward(net.X.detach().clone(), y.detach().clone())
    return found


def slope(net, layer):
    z = net.Z_in[layer].detach()
    return torch.autograd.functional.jacobian(
        lambda z: net.activations[layer](z).sum(), z
    )


def grad(net, by):
    (found,) = torch.autograd.grad(net.loss_of_batch, by, retain_graph=True)
    return found


def predicted(mistake, net, ell):
    """The layer at which the mistake is first seen, and what it then gives there: the
    gradients of weights and biases, None for what the mistake leaves open."""
    found = value(mistake, net, ell)
    L, label = net.L, mistake.label
    of_layer = {
        "eq-loss-gradient": L,
        "eq-batch-output-delta": L,
        "eq-sigmoid-derivative": L,
        "eq-batch-hidden-delta": ell - 1,
        "eq-tanh-derivative": ell,
    }
    if label == "eq-batch-weights":
        return ell, found, None
    if label == "eq-batch-biases":
        return ell, None, found.squeeze(-1) if found.shape[-1:] == (1,) else found
    layer = of_layer[label]
    if label == "eq-loss-gradient":
        found = found * slope(net, L)
    elif label == "eq-sigmoid-derivative":
        found = found * grad(net, net.Z_out[L])
    elif label == "eq-tanh-derivative":
        found = found * grad(net, net.Z_out[layer])
    return layer, net.Z_out[layer - 1].detach().T @ found, found.sum(0)


def agrees(mistake, network):
    """Whether a class computes what the formula of a mistake says."""
    regular, square = model([5, 4, 3, 2], 6), model([4, 4, 4, 4], 4, Square)
    ell = (
        2 if mistake.name in ("first-layer-delta", "delta-of-output-reused") else 3
    )
    if mistake.label in (
        "eq-batch-weights",
        "eq-batch-biases",
        "eq-tanh-derivative",
    ):
        ell = 2
    net = regular
    if mistake.name in (
        "labels-broadcast",
        "weights-skipped",
    ):  # with one output only
        net, ell = model([5, 4, 1], 6), 2
    try:
        place, weights, biases = predicted(mistake, net, ell)
    except EquationError:  # where sizes differ it has no value; that is the mistake
        net = square
        place, weights, biases = predicted(mistake, net, ell)
    calls = 2 if mistake.name == "gradients-accumulate" else 1
    linear = run(network, net, calls).layers[place - 1].linear
    pairs = ((weights, linear.weight_grad), (biases, linear.bias_grad))
    return all(
        wanted is None
        or (wanted.shape == found.shape and torch.allclose(wanted, found))
        for wanted, found in pairs
    )


OF_STEPS = [m for m in MISTAKES if m.label.startswith("eq-update")]
OF_GRADIENTS = [m for m in MISTAKES if m not in OF_STEPS]


@pytest.fixture(autouse=True)
def doubles():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize("mistake", OF_GRADIENTS, ids=lambda m: m.name)
def test_each_formula_is_what_a_network_with_the_mistake_computes(mistake):
    network = next(c for c in classes(mistake.name) if computes(mistake, c))
    found = diagnose(network, "backward", loss=mistake.under or "squared error")
    assert found.mistakes == (mistake.name,), found
    assert found.formulas or mistake.name == "gradients-accumulate"


def computes(mistake, network):
    try:
        return agrees(mistake, network)
    except (
        RuntimeError,
        ValueError,
    ):  # the class itself raises, as where shapes do not fit
        return False


@pytest.mark.parametrize("mistake", OF_STEPS, ids=lambda m: m.name)
def test_each_formula_of_a_step_is_what_a_network_does(mistake):
    net = model([5, 4, 3, 2], 6)
    wanted = value(mistake, net, 2)
    fitting = []
    for network in classes(mistake.name):
        found = run(network, net)
        for layer, W, b in zip(found.layers, net.W[1:], net.b[1:]):
            # Whatever its backward pass gives.
            layer.linear.weight_grad, layer.linear.bias_grad = (
                grad(net, W),
                grad(net, b),
            )
        found.apply_gradients(net.eta)
        if torch.allclose(found.layers[1].linear.weight, wanted):
            fitting.append(network)
    assert fitting
    found = diagnose(fitting[0], part="update")
    assert found.mistakes == (mistake.name,)
    assert found.formulas[0].label == "eq-update-weights"


def test_another_formula_is_noticed():
    wrong = BY_NAME["no-hidden-slope"]
    network = next(classes("hidden-slope-of-output"))
    assert not computes(wrong, network)
    assert computes(BY_NAME["hidden-slope-of-output"], network)


def test_names_are_stable_and_single():
    assert len(BY_NAME) == len(MISTAKES) == 58
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in BY_NAME)


def test_each_mistake_replaces_an_equation_of_the_book():
    for mistake in MISTAKES:
        assert page(mistake.label).number


def test_the_list_holds_nothing_else():
    with DATA.open("rb") as file:
        entries = tomllib.load(file)["mistake"]
    for entry in entries:
        assert entry.keys() <= {*Mistake.__annotations__}
        ways = [frozenset(way) for way in entry["facts"]]
        assert len(set(ways)) == len(ways)


def test_patterns_are_looked_for_from_the_largest():
    slopeless = {"output slope: none", "loss factor: 1/2"}
    names = [m.name for m in named(slopeless, SQUARED_ERROR)[0]]
    assert names == ["cross-entropy-delta"]
    found, left = named({"output slope: none", "residual: cubed"}, SQUARED_ERROR)
    assert [m.name for m in found] == ["no-output-slope"]
    assert left == {"residual: cubed"}
    (early,) = named({"matrix: after @first"}, CROSS_ENTROPY)[0]
    assert early.name == "updated-too-early"
    slope = {"output slope: own"}
    assert named(slope, SQUARED_ERROR) == ([], slope)
    assert [m.name for m in named(slope, CROSS_ENTROPY)[0]] == [
        "squared-error-delta"
    ]


CODE = re.compile(r"@|\.T\b|\w\(|\*\*|-=|\+=")


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_texts_show_no_code(mistake):
    for text in (mistake.text, mistake.loss_text):
        assert not CODE.search(text)
        assert "  " not in text


def test_formulas_are_shown_in_text_and_in_html():
    tex = r"\boldsymbol{\Delta}^{(\ell-1)} = (\boldsymbol{\Delta}^{(\ell)} \cdot \mathbf{W}^{(\ell)\top}) \odot \sigma'^{(\ell-1)}(\mathbf{Z}^{(\ell-1)}_{\mathrm{in}})"
    assert plain(tex) == "Δ^(ℓ−1) = (Δ^(ℓ) · W^(ℓ)ᵀ) ⊙ σ′^(ℓ−1)(Z_in^(ℓ−1))"
    assert "<b>Z</b>\N{WORD JOINER}<sub>in</sub><sup>(ℓ−1)</sup>" in html(tex)
    assert plain(r"\frac{2}{n K} (\mathbf{Y} - 1)") == "2/(nK) (Y − 1)"
    assert plain(r"-\frac{1}{2} a") == "−1/2 a"
    assert html("a < b") == "a &lt; b"

"""The equations as a script: they compute what the package computes, and a wrong one something else."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import explorer
import pytest
import torch
from backprop import NeuralNetwork, Sigmoid, TanH
from backprop.beyond import ReLU
from equations.check import world_of
from equations.extract import read_chapter
from equations.mutants import mutants
from explorer.chosen import LABELS, LOSS_SLOPE, RECTIFIER, SIGMOID, Book
from py_mini_racer import JSEvalException, MiniRacer
from sources import BOOK, ROOT
from torch.overrides import TorchFunctionMode

TABLE = json.loads(
    (ROOT / "code" / "diagnosis" / "pages.json").read_text(encoding="utf-8")
)["equations"]
DRIVER = Path(__file__).with_name("explorer_driver.js").read_text(encoding="utf-8")
FORMS = "scalar", "vector", "batch"
ACTIVATIONS = {kind.__name__: kind for kind in (TanH, Sigmoid, ReLU)}


@cache
def read(chapter):
    return read_chapter(str(BOOK / f"{chapter}.md"))


@pytest.fixture(scope="module")
def script():
    return explorer.write(read, TABLE)


@pytest.fixture(scope="module")
def engine(script):
    with started(script) as engine:
        yield engine


def started(script):
    engine = MiniRacer()
    engine.eval(script)
    engine.eval(DRIVER)
    return engine


def numbers(engine, name, *arguments):
    found = engine.eval(f"{name}({', '.join(map(json.dumps, arguments))})")
    return torch.frombuffer(bytearray(found), dtype=torch.float64)


# ---------------------------------------------------------------- the package's networks


class Deltas(TorchFunctionMode):
    """Keeps the deltas of a backward pass, of which the package keeps only the sums."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.Tensor.sum:
            self.found.insert(0, args[0])
        return func(*args, **(kwargs or {}))


def random_problem(seed):
    """A network of depth 1 to 6, widths 1 to 8, with biases; a batch of 1 to 8 samples, and labels of 1 to 3 outputs."""
    draw = torch.Generator().manual_seed(seed)

    def whole(most):
        return int(torch.randint(1, most + 1, (), generator=draw))

    hidden = [whole(8) for _ in range(whole(6) - 1)]
    kinds = [*ACTIVATIONS.values()]
    net = NeuralNetwork(whole(8), whole(3), hidden, draw, kinds[whole(3) - 1])
    for layer in net.layers:
        linear = layer.linear
        linear.weight = linear.weight.double()
        size = linear.bias.shape
        linear.bias = torch.randn(size, generator=draw, dtype=torch.float64)
    n = whole(8)
    x = torch.randn(n, net.input_size, generator=draw, dtype=torch.float64)
    y = torch.rand(n, net.output_size, generator=draw, dtype=torch.float64)
    return net, x, y, 0.05 * whole(10)


def given(net, x, y, rate):
    """The same for the script."""
    linears = [layer.linear for layer in net.layers]
    return {
        "N": net.sizes,
        "eta": rate,
        "act": [type(layer.act).__name__ for layer in net.layers],
        "X": x.tolist(),
        "Y": y.tolist(),
        "W": [linear.weight.tolist() for linear in linears],
        "b": [linear.bias.tolist() for linear in linears],
    }


def backward(net, x, y):
    """The loss, deltas, gradients of weights and of biases."""
    outputs = net.forward_pass(x)
    loss = net.loss.forward(y, outputs[-1])
    with Deltas() as deltas:
        net.backward_pass(outputs, y)
    linears = [layer.linear for layer in net.layers]
    weights, biases = zip(*((p.weight_grad, p.bias_grad) for p in linears))
    return [loss, *deltas.found, *weights, *biases]


def trained(net, x, y, rate, epochs):
    """As the driver's function: a list of tensors for each epoch."""
    found = []
    for _ in range(epochs):
        parts = backward(net, x, y)
        net.descend(rate)
        linears = [layer.linear for layer in net.layers]
        parts += [p.weight.clone() for p in linears] + [
            p.bias.clone() for p in linears
        ]
        found.append(parts)
    return found


def furthest(found, expected):
    """How far numbers are from lists of tensors, one for each epoch: of each tensor, by the largest number that it holds
    in any epoch. What comes to rest at 0 has no digits that two ways of rounding share."""
    sizes = [part.numel() for part in expected[0]]
    assert len(found) == len(expected) * sum(sizes)
    right = torch.stack(
        [torch.cat([part.reshape(-1) for part in parts]) for parts in expected]
    )
    worst = 0.0
    columns = zip(found.reshape(right.shape).split(sizes, 1), right.split(sizes, 1))
    for ours, theirs in columns:
        scale = theirs.abs().max()
        difference = (ours - theirs).abs().max()
        assert scale > 0 or difference == 0
        if difference > 0:
            worst = max(worst, float(difference / scale))
        assert not difference.isnan()
    return worst


def compare(engine, seeds, epochs=100):
    """The largest difference, in any of the forms."""
    worst = 0.0
    for seed in seeds:
        net, x, y, rate = random_problem(seed)
        ours = given(net, x, y, rate)
        each = [backward(net, x[s : s + 1], y[s : s + 1]) for s in range(len(x))]
        expected = trained(net, x, y, rate, epochs)
        for form in FORMS:
            found = numbers(engine, "trained", ours, form, epochs)
            worst = max(worst, furthest(found, expected))
        for form in FORMS[:2]:
            found = numbers(engine, "samples", ours, form)
            worst = max(worst, furthest(found, each))
    return worst


def test_the_script_computes_what_the_package_computes(engine):
    assert compare(engine, range(30)) < 1e-12


@pytest.mark.slow
def test_the_same_of_a_thousand_networks(engine):
    worst = compare(engine, range(1000))
    print(f"largest difference: {worst:.1e}")
    assert worst < 1e-12


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_activations_and_their_slopes(engine, kind):
    z = torch.tensor([-800, -30, -2.5, -1e-9, 0, 1e-9, 0.3, 4, 800]).double()
    activation = ACTIVATIONS[kind]()
    values = activation.forward(z)
    expected = torch.stack([values, activation.derivative(values)], 1)
    found = numbers(engine, "functions", kind, z.tolist()).reshape(-1, 2)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-15)


# ---------------------------------------------------------------- what is refused

COMPILED = [label for labels in LABELS.values() for label in labels]
DEFINITIONS = ["eq-tanh-derivative", "eq-sigmoid-derivative", "eq-digits-relu"]


def changed(chapter, old, new):
    """The chapters, with another display in place of one."""
    displays = [new if d is old else d for d in read(chapter).displays]
    other = replace(read(chapter), displays=displays)
    return lambda name: other if name == chapter else read(name)


def display_of(label):
    (found,) = (d for d in read(TABLE[label][1]).displays if d.label == label)
    return found


def with_tex(label, tex):
    display = display_of(label)
    return changed(TABLE[label][1], display, replace(display, tex=tex))


@pytest.mark.parametrize("label", [*COMPILED, *DEFINITIONS])
def test_a_missing_label_stops_with_it(label):
    display = display_of(label)
    lost = changed(TABLE[label][1], display, replace(display, label=None))
    with pytest.raises(ValueError, match=f"no chapter has an equation {label}$"):
        explorer.write(lost, TABLE)
    others = {key: place for key, place in TABLE.items() if key != label}
    with pytest.raises(ValueError, match=f"no chapter has an equation {label}$"):
        explorer.write(read, others)


@pytest.mark.parametrize("wanted", [LOSS_SLOPE, SIGMOID, RECTIFIER])
def test_a_missing_formula_of_the_text_stops_with_it(wanted):
    chapter = replace(read(wanted.chapter), inlines=[])
    with pytest.raises(ValueError) as caught:
        explorer.write(
            lambda name: chapter if name == wanted.chapter else read(name), TABLE
        )
    assert wanted.left in str(caught.value)


@pytest.mark.parametrize(
    ("label", "tex", "says"),
    [
        (
            "eq-batch-biases-steps",
            r"\frac{\partial \mathcal{L}}{\partial b^{(\ell)}_k} = \sum_{s} \frac{\partial \mathcal{L}}{\partial Z^{(\ell)}_{sk,\mathrm{in}}}, \quad \ell = 1, \dots, L",
            "book/batch.md (eq-batch-biases-steps): a derivative by Z^(ℓ)_sk,in has no place in the state of the page",
        ),
        (
            "eq-scalar-hidden-delta",
            r"\delta^{(\ell-1)}_i = \frac{\partial \mathcal{L}}{\partial z^{(\ell-1)}_{i,\mathrm{out}}}, \quad \ell = 2, \dots, L",
            "a derivative that no equation gives",
        ),
        (
            "eq-batch-hidden-delta",
            r"\boldsymbol{\Delta}^{(\ell-1)} = \boldsymbol{\Delta}^{(\ell)} \cdot \mathbf{W}^{(\ell)}, \quad \ell = 2, \dots, L",
            "a product of shapes (n, N^(3)) and (N^(2), N^(3))",
        ),
        (
            "eq-scalar-biases",
            r"\frac{\partial \mathcal{L}}{\partial b^{(\ell)}_i} = \delta^{(\ell)}_k, \quad \ell = 1, \dots, L",
            "k stands on the right only",
        ),
        (
            "eq-vector-biases",
            r"\boldsymbol{\delta}^{(\ell)} = \boldsymbol{\delta}^{(\ell)\top}, \quad \ell = 1, \dots, L",
            "a side is (N^(3), 1), the other (1, N^(3))",
        ),
        (
            "eq-vector-output",
            r"\mathbf{z}^{(\ell)}_{\mathrm{out}} = \operatorname{softmax}(\mathbf{z}^{(\ell)}_{\mathrm{in}}), \quad \ell = 1, \dots, L",
            "Named (softmax) cannot be compiled",
        ),
        (
            "eq-loss-batch",
            r"\nabla_{\mathbf{b}^{(1)}} \mathcal{L}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}}) + \nabla_{\mathbf{b}^{(1)}} \mathcal{L}(\mathbf{Y}, \mathbf{Z}^{(L)}_{\mathrm{out}}) = \mathbf{b}^{(1)}",
            "what stands on the left has no place in the state",
        ),
    ],
)
def test_what_cannot_be_compiled_is_named(label, tex, says):
    with pytest.raises(ValueError) as caught:
        explorer.write(with_tex(label, tex), TABLE)
    assert label in str(caught.value) and says in str(caught.value)


# ---------------------------------------------------------------- wrong equations


def small_problem():
    """Sizes that all differ, so that nothing passes for its transpose."""
    draw = torch.Generator().manual_seed(1)
    net = NeuralNetwork(2, 3, [4, 5], draw)
    for layer in net.layers:
        layer.linear.weight = layer.linear.weight.double()
        layer.linear.bias = torch.randn(
            layer.linear.bias.shape, generator=draw
        ).double()
    x, y = torch.randn(6, 2, generator=draw), torch.rand(6, 3, generator=draw)
    return given(net, x.double(), y.double(), 0.3)


Z = [-2.0, -0.5, 0.0, 0.7, 3.0]


def computed(engine):
    """All that the script computes for one network; None where it stops."""
    try:
        parts = [
            numbers(engine, "everything", small_problem(), form) for form in FORMS
        ]
        parts += [numbers(engine, "functions", kind, Z) for kind in ACTIVATIONS]
    except JSEvalException:
        return None
    return torch.cat(parts)


def wrong_scripts(label):
    """The mutants of an equation as their names and scripts, None where one stops the build. What changes nothing that is
    compiled, such as an earlier step of a chain, is left out."""
    display = display_of(label)
    right = Book(read, TABLE).claims(label)[-1]
    for mutant in mutants(display, world_of(read(TABLE[label][1]))):
        chapters = changed(TABLE[label][1], display, mutant.display)
        try:
            wrong = Book(chapters, TABLE).claims(label)[-1]
            same = (wrong.left, wrong.right, wrong.range) == (
                right.left,
                right.right,
                right.range,
            )
            if same:
                continue
            yield mutant.name, explorer.write(chapters, TABLE)
        except ValueError:
            yield mutant.name, None


def survivors(engine, label):
    right = computed(engine)
    for name, script in wrong_scripts(label):
        if script is None:
            continue
        engine.eval(script)
        found = computed(engine)
        if (
            found is not None
            and found.shape == right.shape
            and torch.allclose(found, right, rtol=1e-9, equal_nan=True)
        ):
            yield name


@pytest.mark.slow
@pytest.mark.parametrize("label", [*COMPILED, *DEFINITIONS])
def test_every_mutant_of_an_equation_changes_what_is_computed(script, label):
    with started(script) as engine:
        assert list(survivors(engine, label)) == []

"""The diagnosis: right networks pass, mistakes are named, nothing is guessed."""

import json
import sys
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import students
import torch
from backprop import NeuralNetwork, train
from chapters import numbers
from diagnosis import Diagnosis, calls, diagnose, pages
from diagnosis.factors import Factor, factor
from diagnosis.mistakes import MISTAKES
from diagnosis.problems import (
    DIFFERENT,
    loss_and_gradients,
    problem,
    problems,
    tiny,
)
from diagnosis.search import search
from diagnosis.states import Evidence
from diagnosis.values import Values
from sources import ROOT
from students import threads
from students.cases import CASES

NAMES = {mistake.name for mistake in MISTAKES}


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Else a loaded machine would decide how much is checked."""
    monkeypatch.setattr(calls, "SECONDS", 60.0)


def hurry(monkeypatch, name):
    """Wait for calls of this name, which do not return, a moment only."""
    call = calls.Caller.call

    def hurried(self, called, *arguments):
        with monkeypatch.context() as during:
            if called == name:
                during.setattr(calls, "SECONDS", 0.2)
            return call(self, called, *arguments)

    monkeypatch.setattr(calls.Caller, "call", hurried)


# ---------------------------------------------------------------- the corpus


@pytest.mark.parametrize("style", students.RIGHT)
def test_right_networks_are_not_accused(style):
    found = diagnose(students.load(style), by_hand=True)
    if style in ("with_autograd", "recompute"):
        assert found.status == "right, but not by hand"
        found = diagnose(students.load(style))
    assert found.ok, found
    assert found.mistake is None
    one_output = style in ("one_output", "output_size_ignored")
    assert ("Only networks with one output" in found.message) == one_output


def slips():
    """All wrong networks. Those with a name are for slow tests: each name has a test in
    ``test_mistakes.py``, too."""
    found = []
    for slip in students.SLIPS:
        marks = [pytest.mark.slow] if slip.slug else []
        name = f"{slip.slug}-{slip.style}"
        found.append(pytest.param(slip, marks=marks, id=name))
    return found


@pytest.mark.parametrize("slip", slips())
def test_each_slip_is_named_or_not_guessed(slip):
    found = diagnose(students.load(slip))
    assert not found.ok
    assert found.mistake == slip.slug, found
    assert found.alternatives == ()


def test_the_corpus_is_large_enough():
    named = [slip for slip in students.SLIPS if slip.slug]
    seen = {slip.slug for slip in named}
    seen |= {name for kind in threads.KINDS.values() for name in kind.names}
    seen |= {name for case in CASES.values() for name in case.names.split(" and ")}
    assert NAMES <= seen
    assert len(students.SLIPS) - len(named) >= 5
    assert len(students.RIGHT) >= 20
    assert len(threads.SINGLES) == len(threads.PAIRS) == 40


@pytest.mark.slow
@pytest.mark.parametrize("keys", threads.SINGLES, ids=" and ".join)
def test_mistakes_of_public_threads_are_named(keys):
    found = diagnose(threads.load(keys))
    assert set(found.mistakes) == threads.expected(keys), found
    assert found.alternatives == ()


@pytest.mark.slow
@pytest.mark.parametrize("keys", threads.PAIRS, ids=" and ".join)
def test_two_at_once_are_both_named(keys):
    found = diagnose(threads.load(keys))
    assert set(found.mistakes) == threads.expected(keys), found
    assert found.alternatives == ()


def test_two_signs_that_cancel_are_told_as_that():
    found = diagnose(threads.load(("sign", "plus")))
    assert found.mistakes == ("wrong-sign", "update-adds")
    assert "The two cancel" in found.message


def test_the_right_pieces_are_right():
    assert diagnose(threads.Pieces).ok


def cases():
    """Those with a name are slow, as above."""
    return [
        pytest.param(case, marks=[pytest.mark.slow] if case.names else [], id=name)
        for name, case in CASES.items()
    ]


@pytest.mark.parametrize("case", cases())
def test_cases(case):
    found = diagnose(case.network, part=case.part, loss=case.loss)
    text = str(found)
    assert (found.status, found.mistake or "") == (case.status, case.names), text
    assert [says for says in case.says if says not in text] == [], text
    lines = found.message.split("\n")
    assert len(lines) == len(set(lines)), text
    assert [says for says in case.says_not if says in text] == [], text


def test_a_slip_that_fits_nowhere_is_an_error():
    slip = students.Slip("update-adds", "loops", (("no such text", ""),))
    with pytest.raises(ValueError, match="occurs 0 times"):
        students.load(slip)


SAID = {
    "all_raise": ("forward", "unfilled", "is not filled in yet"),
    "backward_and_update_raise": ("backward", "unfilled", "line 47: raise"),
    "backward_empty": ("backward", "unfilled", "backward is not filled in yet"),
    "backward_raises": ("backward", "unfilled", "is not filled in yet"),
    "column_output": ("forward", "wrong", "(3, 1) for n = 3 samples"),
    "endless": ("backward", "timeout", "backward did not return in time"),
    "endless_update": ("update", "timeout", "apply_gradients did not return"),
    "forward_none": ("forward", "unfilled", "forward returns nothing"),
    "gradients_not_stored": (
        "backward",
        "unfilled",
        "weight_grad and bias_grad of all layers",
    ),
    "last_layer_only": ("backward", "unfilled", "of layers 1 and 2 are"),
    "layers_missing": ("forward", "unfilled", "no layers yet"),
    "loss_none": ("loss", "unfilled", "get_loss returns nothing"),
    "name_error": ("backward", "error", "name 'slope' is not defined"),
    "shape_error": ("backward", "error", "(5, 3), which is (N^(2), n)"),
    "sleeps": ("backward", "timeout", "backward did not return"),
    "squeezed_output": ("forward", "wrong", "(1,) was expected"),
    "update_passes": ("update", "unfilled", "apply_gradients is not filled in yet"),
    "weights_only": ("backward", "unfilled", "bias_grad of all layers is"),
}


@pytest.mark.parametrize("name", students.UNFINISHED)
def test_unfinished_networks_get_help(name, monkeypatch):
    part, status, says = SAID[name]
    if status == "timeout":
        hurry(monkeypatch, says.split()[0])
    found = diagnose(students.load(students.UNFINISHED[name]))
    assert (found.part, found.status, found.mistake) == (part, status, None)
    assert says in found.message


# ---------------------------------------------------------------- the search


def evidence(change=lambda gradients: gradients):
    """Right gradients in all networks of three layers, changed."""
    for sizes, n in DIFFERENT:
        one = problem(sizes, n)
        pairs = [list(pair) for pair in loss_and_gradients(one)[1]]
        gradients = [(None, None), *map(tuple, change(pairs))]
        yield Evidence(Values(one, [], [w for w, _ in gradients]), gradients)


def test_right_gradients_are_the_formulas_of_the_book():
    found = search(list(evidence()), 1e-7)
    assert (found.reached, found.stopped, len(found.states)) == (1, 0, 1)
    state = found.states[0]
    assert all(state.is_book(slot, c) for (_, slot), c in state.rule.items())
    assert state.cost == 0


def test_the_search_stops_where_nothing_fits():
    def change(gradients):
        gradients[1] = [torch.sin(gradient) for gradient in gradients[1]]
        return gradients

    found = search(list(evidence(change)), 1e-7)
    assert (found.reached, found.stopped) == (3, 2)


def test_the_search_goes_as_far_as_gradients_are_filled():
    def change(gradients):
        gradients[0] = [None, None]
        return gradients

    found = search(list(evidence(change)), 1e-7)
    assert (found.reached, found.stopped) == (2, 0)


def test_factors_are_told_apart():
    sizes = ((3, 1, 6, 5), (7, 2, 4, 6), (5, 3, 6, 4))

    def told(of):
        return factor(tuple(of(*size) for size in sizes), sizes, 1e-7)

    assert told(lambda n, K, i, o: 1.0) == Factor()
    assert told(lambda n, K, i, o: -K / n) == Factor(-1.0, -1, 1)
    assert told(lambda n, K, i, o: 0.5 * n) == Factor(0.5, 1, 0)
    assert told(lambda n, K, i, o: 1 / i) == Factor(1.0, 0, 0, "in")
    assert told(lambda n, K, i, o: 0.37) == Factor(0.37)
    assert told(lambda n, K, i, o: n + K) is None


def test_right_steps_are_what_autograd_says():
    for one in problems():
        v = Values(one)
        _, right = loss_and_gradients(one)
        delta = (v.p - v.y) * v.scale * v.slope(v.L)
        for layer in range(v.L, 0, -1):
            ours = (v.z_out[layer - 1].T @ delta, delta.sum(0))
            for a, b in zip(ours, right[layer - 1], strict=True):
                torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)
            if layer > 1:
                delta = (delta @ v.W[layer].T) * v.slope(layer - 1)


def test_the_problems_hide_no_mistake():
    assert {len(one.weights) for one in problems()} == {1, 2, 3, 4}
    for sizes, n in DIFFERENT:
        assert len({*sizes, n}) == len(sizes) + (n > 1 or sizes[-1] > 1)
    for place in range(4):  # no size is always the same
        assert len({sizes[place] for sizes, _ in DIFFERENT}) > 1
    assert all(bias.abs().min() > 0 for one in problems() for bias in one.biases)


def test_where_nothing_fits_a_network_is_shown_that_can_be_redone_by_hand():
    class Clipped(threads.Pieces):
        def weight_grad(self, zs, outs, k, delta, error):
            return super().weight_grad(zs, outs, k, delta, error).clamp(-0.01, 0.01)

    found = diagnose(Clipped)
    assert (found.mistake, found.layer, found.parameter) == (None, 3, "weight")
    *_, yours, expected = found.message.splitlines()
    assert yours.split()[-2:] == ["0.01;", "-0.01"]
    right = loss_and_gradients(tiny())[1][1][0].flatten().tolist()
    assert expected.split()[-2:] == [f"{right[0]:.4g};", f"{right[1]:.4g}"]


def test_two_explanations_are_both_told(monkeypatch):
    """A term that is the same as another in all networks, at the same cost."""
    from diagnosis import stage as room
    from diagnosis.terms import RESIDUALS
    from diagnosis.values import Term

    twin = Term("cubed", r"\mathrm{twin}", lambda v: (v.p - v.y) ** 2)
    monkeypatch.setattr(room, "RESIDUALS", [*RESIDUALS, twin])
    found = diagnose(threads.load(("squared",)))
    assert found.mistake == "residual-squared"
    assert "other formulas as well" in found.message


# ---------------------------------------------------------------- where the book shows it


def test_the_table_of_equations_is_not_stale():
    file = ROOT / numbers.FILE
    assert file.read_text(encoding="utf-8") == numbers.text(ROOT), (
        "run make reference"
    )


def test_links_are_absolute_once_the_book_has_an_address(monkeypatch):
    assert (
        pages.page("eq-batch-weights").link
        == "batch.html#equation-eq-batch-weights"
    )
    table = json.loads(pages.TABLE.read_text(encoding="utf-8"))
    table["address"] = "https://example.org/book/"
    monkeypatch.setattr(pages, "table", lambda: table)
    assert pages.page("eq-batch-weights").link == (
        "https://example.org/book/book/batch.html#equation-eq-batch-weights"
    )


# ---------------------------------------------------------------- parts, training


class NoBackward(NeuralNetwork):
    def backward(self, x, y):
        raise NotImplementedError


def test_parts_are_checked_one_by_one():
    for part in ("forward", "loss", "update"):
        assert diagnose(NoBackward, part=part).ok
    assert diagnose(NoBackward, part="backward").status == "unfilled"


class WrongForward(NeuralNetwork):
    def forward_pass(self, x):
        outputs = super().forward_pass(x)
        outputs[-1] = outputs[-1] / 2
        return outputs


def test_a_part_that_rests_on_a_wrong_forward_pass_says_so():
    found = diagnose(WrongForward, part="loss")
    assert found.message.startswith("forward is not right yet. Look at it first.")
    found = diagnose(WrongForward)
    assert (found.part, found.layer) == ("forward", 3)


class WrongFirstLayer(NeuralNetwork):
    def forward_pass(self, x):
        return super().forward_pass(2 * x)


def test_a_wrong_forward_pass_is_walked_back():
    found = diagnose(WrongFirstLayer)
    assert (found.status, found.layer, found.mistake) == ("wrong", 1, None)


def test_the_first_wrong_gradient_is_named():
    class Wrong(NeuralNetwork):
        def backward_pass(self, outputs, y):
            super().backward_pass(outputs, y)
            self.layers[0].linear.weight_grad *= 3
            self.layers[1].linear.bias_grad *= 3

    found = diagnose(Wrong)
    assert (found.layer, found.parameter) == (2, "bias")
    assert found.mistake == "extra-factor"
    assert [formula.where for formula in found.formulas] == ["ℓ = 1", "ℓ = 2"]


def test_a_backward_pass_that_changes_parameters_is_named():
    class Wrong(NeuralNetwork):
        def backward(self, x, y):
            super().backward(x, y)
            self.apply_gradients(0.1)

    found = diagnose(Wrong)
    assert "backward changes the parameters" in found.message
    assert found.mistake is None


def after_each_update(x, y, net, epochs, lr):
    losses = []
    for _ in range(epochs):
        net.backward(x, y)
        net.apply_gradients(lr)
        losses.append(net.get_loss(x, y).item())
    return net, losses


def half_the_rate(x, y, net, epochs, lr):
    return train(x, y, net, epochs, lr / 2)


TRAINING = {
    "unfilled": (lambda x, y, net, epochs, lr: None, "is not filled in yet"),
    "losses only": (lambda *a: train(*a)[1], "the network, and the losses"),
    "one epoch more": (
        lambda x, y, net, epochs, lr: train(x, y, net, epochs + 1, lr),
        "where 6 steps of descent lead",
    ),
    "no step": (
        lambda x, y, net, epochs, lr: (net, torch.zeros(epochs)),
        "the parameters that it had before",
    ),
    "another rate": (half_the_rate, "weights of layer 3: it"),
    "losses after": (after_each_update, "after the update of its epoch"),
    "one loss": (lambda *a: (train(*a)[0], [1.0]), "shape (1,)"),
    "other losses": (
        lambda *a: (train(*a)[0], torch.zeros(5)),
        "The loss of epoch 0 is 0;",
    ),
}


@pytest.mark.parametrize(("function", "says"), TRAINING.values(), ids=TRAINING)
def test_training_is_checked(function, says):
    found = diagnose(NeuralNetwork, part="train", train=function)
    assert not found.ok
    assert found.part == "train"
    assert says in found.message


def test_right_training_passes():
    assert diagnose(NeuralNetwork, train=train).ok


# ---------------------------------------------------------------- by hand


class ByHand(threads.Pieces):
    """All the work is its own, though `forward`, `get_loss` and so on are inherited, and
    call it. Parameters may be known to autograd."""

    def __init__(self, *sizes, **more):
        super().__init__(*sizes, **more)
        for layer in self.layers:
            layer.linear.weight = torch.nn.Parameter(layer.linear.weight)

    def forward_pass(self, x):
        outs = [x]
        for layer in self.layers:
            z = outs[-1] @ layer.linear.weight + layer.linear.bias
            outs.append(layer.act.forward(z))
        return outs

    def get_loss(self, x, y):
        return ((self.forward(x) - y) ** 2).mean()

    @torch.no_grad()
    def backward_pass(self, outs, y):
        super().backward_pass(outs, y)


def leaves(net):
    return [
        parameter.detach().clone()
        for layer in net.layers
        for parameter in (layer.linear.weight, layer.linear.bias)
    ]


def fill(net, gradients):
    for layer, weight, bias in zip(net.layers, gradients[::2], gradients[1::2]):
        layer.linear.weight_grad, layer.linear.bias_grad = weight, bias


def loss_of(net, x, y):
    def loss(*parameters):
        out = x
        pairs = list(zip(parameters[::2], parameters[1::2]))
        for layer, (weight, bias) in zip(net.layers, pairs):
            out = layer.act.forward(out @ weight + bias)
        return ((out.squeeze(-1) - y) ** 2).mean()

    return loss


class Backward(ByHand):
    def backward(self, x, y):
        own = [parameter.requires_grad_() for parameter in leaves(self)]
        loss_of(self, x, y)(*own).backward()
        fill(self, [parameter.grad for parameter in own])


class Transformed(ByHand):
    def backward(self, x, y):
        own = leaves(self)
        places = tuple(range(len(own)))
        fill(self, torch.func.grad(loss_of(self, x, y), places)(*own))


class ForwardMode(ByHand):
    def backward(self, x, y):
        own = leaves(self)
        places = tuple(range(len(own)))
        fill(self, torch.func.jacfwd(loss_of(self, x, y), places)(*own))


class Super(ByHand):
    def backward_pass(self, outs, y):
        NeuralNetwork.backward_pass(self, outs, y)


class Another(ByHand):
    def backward(self, x, y):
        other = NeuralNetwork(self.input_size, self.output_size, self.hidden_sizes)
        other.layers = self.layers
        other.backward(x, y)


class OfTorch(ByHand):
    def get_loss(self, x, y):
        return torch.nn.MSELoss()(self.forward(x), y)


class OnlyForward(NeuralNetwork):
    forward_pass = ByHand.forward_pass


class Unwatched(ByHand):
    def backward(self, x, y):
        sys.setprofile(None)
        super().backward(x, y)


NOT_BY_HAND = {
    "autograd": (
        Backward,
        "backward",
        "automatic differentiation, called in backward",
    ),
    "torch.func": (Transformed, "backward", "automatic differentiation"),
    "forward mode": (ForwardMode, "backward", "automatic differentiation"),
    "super": (
        Super,
        "backward",
        "NeuralNetwork.backward_pass of backprop, called in",
    ),
    "another": (Another, "backward", "NeuralNetwork.backward_pass of backprop"),
    "torch.nn": (OfTorch, "loss", "mse_loss of torch, called in get_loss (line"),
    "inherited": (
        NeuralNetwork,
        "forward",
        "NeuralNetwork.forward_pass of backprop.",
    ),
    "inherited loss": (OnlyForward, "loss", "MSELoss.forward of backprop."),
    "inherited backward": (OnlyForward, "backward", "NeuralNetwork.backward_pass"),
    "inherited update": (
        OnlyForward,
        "update",
        "NeuralNetwork.descend of backprop.",
    ),
    "unwatched": (Unwatched, "backward", "something that cannot be watched"),
}


@pytest.mark.filterwarnings("ignore:.*torch.jit.script")  # of torch's forward mode
@pytest.mark.parametrize(
    "network, part, says", NOT_BY_HAND.values(), ids=NOT_BY_HAND
)
def test_work_that_is_not_the_students_is_told(network, part, says):
    assert diagnose(network, part).ok
    found = diagnose(network, part, by_hand=True)
    assert not found.ok
    assert (found.status, found.part) == ("right, but not by hand", part)
    assert f"the work is done by {says}" in found.message
    assert "outside of the class" in found.message
    assert found.read_again


@pytest.mark.parametrize("part", [None, "forward", "loss", "backward", "update"])
def test_work_of_ones_own_is_by_hand(part):
    assert diagnose(ByHand, part, by_hand=True).ok


def test_other_parts_and_checks_outside_may_be_done_otherwise():
    assert diagnose(OnlyForward, "forward", by_hand=True).ok
    assert diagnose(Backward, "forward", by_hand=True).ok
    assert diagnose(Backward, "update", by_hand=True).ok

    def loop(x, y, net, epochs, lr):
        losses = []
        for _ in range(epochs):
            losses.append(net.get_loss(x, y))
            net.backward(x, y)
            net.apply_gradients(lr)
        return net, losses

    assert diagnose(Backward, "train", loop, by_hand=True).ok
    found = diagnose(ByHand, "train", train, by_hand=True)
    assert found.status == "right, but not by hand"
    assert "the work is done by train of backprop" in found.message


def test_who_sleeps_for_ever_does_not_stop_the_next_diagnosis(monkeypatch):
    sleeps = students.load(students.UNFINISHED["sleeps"])
    with monkeypatch.context() as first:
        hurry(first, "backward")
        assert diagnose(sleeps, by_hand=True).status == "timeout"
    assert diagnose(ByHand, by_hand=True).ok


def test_what_is_wrong_is_told_as_wrong():
    found = diagnose(threads.load(("squared",)), "backward", by_hand=True)
    assert (found.status, found.mistake) == ("wrong", "residual-squared")


# ---------------------------------------------------------------- close calls


def after(method, change):
    """A class whose method does something else behind the right one."""

    def changed(self, *arguments):
        result = getattr(NeuralNetwork, method)(self, *arguments)
        return change(self, result, *arguments)

    return type("Changed", (NeuralNetwork,), {method: changed})


def first_weights(self):
    return self.layers[0].linear


def set_gradient(value):
    def change(self, *_):
        first_weights(self).weight_grad[0, 0] = value

    return change


def only_once(self, x, y):
    if first_weights(self).weight_grad is None:
        NeuralNetwork.backward(self, x, y)


def old_weights(self, outputs, y):
    kept = [layer.linear.weight for layer in self.layers]
    if not hasattr(self, "first_weights"):
        self.first_weights = [weight.clone() for weight in kept]
    for layer, weight in zip(self.layers, self.first_weights):
        layer.linear.weight = weight
    NeuralNetwork.backward_pass(self, outputs, y)
    for layer, weight in zip(self.layers, kept):
        layer.linear.weight = weight


def shifted(self, result, x, *_):
    x += 1
    return result


def decayed(self, _, learning_rate):
    first_weights(self).weight *= 1 - 1e-4 * learning_rate


CLOSE = {
    "an infinite loss": (after("get_loss", lambda s, r, *_: r * torch.inf), "inf"),
    "an infinite gradient": (
        after("backward", set_gradient(torch.inf)),
        "infinite",
    ),
    "a NaN gradient": (after("backward", set_gradient(torch.nan)), "NaN"),
    "NaN predictions": (after("forward", lambda s, r, *_: r * torch.nan), "NaN"),
    "a changed argument": (
        after("forward", shifted),
        "forward changes its argument x",
    ),
    "a random forward pass": (
        after("forward", lambda s, r, *_: r + torch.rand(())),
        "different predictions",
    ),
    "gradients computed once": (
        type("Once", (NeuralNetwork,), {"backward": only_once}),
        "computed earlier is used again",
    ),
    "weights of the first call": (
        type("Old", (NeuralNetwork,), {"backward_pass": old_weights}),
        "computed earlier is used again",
    ),
    "a small decay": (after("apply_gradients", decayed), "wrong change"),
    "no method": (
        type("No", (NeuralNetwork,), {"backward": None}),
        "no method backward",
    ),
    "a tuple of gradients": (
        after(
            "backward", lambda s, *_: setattr(first_weights(s), "bias_grad", (1, 2))
        ),
        "bias_grad of layer 1 is of the type tuple",
    ),
    "delta is still ...": (
        after("backward", lambda s, *_: torch.ones(2, 2) @ ...),
        "is not filled in yet",
    ),
}


@pytest.mark.parametrize(("network", "says"), CLOSE.values(), ids=CLOSE)
def test_close_calls_are_not_right(network, says):
    found = diagnose(network)
    assert not found.ok
    assert found.mistake is None
    assert says in found.message


def one_output(network):
    """The same class for networks with one output only."""

    def begin(self, input_size, output_size, hidden_sizes):
        if output_size > 1:
            raise ValueError("one output only")
        network.__init__(self, input_size, output_size, hidden_sizes)

    return type("One", (network,), {"__init__": begin})


@pytest.mark.slow
@pytest.mark.parametrize("key", sorted(threads.KINDS.keys() - {"n only"}))
def test_a_mistake_in_a_class_for_one_output_has_the_same_name(key):
    """Where sizes do not fit, the values that met say what was meant."""
    found = diagnose(one_output(threads.load((key,))))
    assert set(found.mistakes) == threads.expected((key,)), found
    assert found.alternatives == ()


def deltas_first(net, outs, y):
    p = outs[-1]
    deltas = [net.first(p, y) * p * (1 - p)]
    for k in (2, 1):
        deltas.append(net.back(deltas, net.weight(k + 1)) * (1 - outs[k] ** 2))
    for k, delta in zip((3, 2, 1), deltas):
        linear = net.layers[k - 1].linear
        linear.weight_grad, linear.bias_grad = outs[k - 1].T @ delta, delta.sum(0)


def of_residuals(net, p, y):
    return 2 * (p - y) / p.numel()


ERRORS = {
    "missing-transpose": {"back": lambda net, deltas, W: deltas[-1] @ W},
    "elementwise-product": {"back": lambda net, deltas, W: deltas[-1] * W.T},
    "delta-of-output-reused": {"back": lambda net, deltas, W: deltas[0] @ W.T},
    "labels-broadcast": {
        "first": lambda net, p, y: 2 * (p - y.flatten()) / p.numel(),
        "back": lambda net, deltas, W: deltas[-1] @ W.T,
    },
    "factor-two-missing and missing-transpose": {
        "first": lambda net, p, y: (p - y) / p.numel(),
        "back": lambda net, deltas, W: deltas[-1] @ W,
    },
    "": {"back": lambda net, deltas, W: torch.sin(deltas[-1]) @ W},
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_before_anything_is_filled_is_named_by_what_met(name):
    methods = {"first": of_residuals, "backward_pass": deltas_first, **ERRORS[name]}
    found = diagnose(
        one_output(type("Network", (threads.Pieces,), methods)), "backward"
    )
    assert (found.status, found.mistake or "") == ("error", name), found


def test_a_shape_error_that_no_mistake_predicts_is_not_named():
    def pairs(self, outputs, y):
        differences = outputs[-1].squeeze(-1) - y
        first_weights(self).weight_grad = outputs[-2] @ differences

    found = diagnose(type("Pairs", (NeuralNetwork,), {"backward_pass": pairs}))
    assert (found.status, found.mistake) == ("error", None)
    assert (
        "The shapes that met are (3, 5), which is (n, N^(2)), and" in found.message
    )


def test_a_network_that_raises_for_several_outputs_is_checked_for_one():
    def one_output(self, outputs, y):
        if y.shape[1] > 1:
            raise ValueError("one output only")
        NeuralNetwork.backward_pass(self, outputs, y)

    found = diagnose(type("One", (NeuralNetwork,), {"backward_pass": one_output}))
    assert found.ok
    assert "Only networks with one output" in found.message


# ---------------------------------------------------------------- surroundings


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ((NeuralNetwork(2, 1, [3]),), TypeError, "without parentheses"),
        ((NeuralNetwork, "back"), ValueError, "got 'back'"),
        ((NeuralNetwork, "train"), ValueError, "train=train"),
        ((NeuralNetwork, "train", 5), TypeError, "must be a function; got 5"),
        ((NeuralNetwork, None, None, False, "mse"), ValueError, "got 'mse'"),
    ],
)
def test_unusable_arguments_are_refused(arguments, error, says):
    with pytest.raises(error, match=says):
        diagnose(*arguments)


class Loud(NeuralNetwork):
    seen = 0

    def forward(self, x):
        print("x" * 1000)
        torch.manual_seed(1)
        torch.set_default_dtype(torch.float64)
        return super().forward(x)


def test_everything_is_left_as_it_was(capsys):
    torch.manual_seed(7)
    state, dtype = torch.get_rng_state(), torch.get_default_dtype()
    attributes, threads = dict(vars(Loud)), threading.active_count()
    with torch.inference_mode():
        assert diagnose(Loud).ok
    with torch.no_grad():
        assert diagnose(Loud).ok
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_default_dtype() == dtype
    assert dict(vars(Loud)) == attributes
    assert threading.active_count() == threads
    assert capsys.readouterr().out == ""


class Forgetful(NeuralNetwork):
    """A call of it switches off what the next may need."""

    def forward(self, x):
        torch.set_grad_enabled(False)
        return super().forward(x)

    def backward(self, x, y):
        assert torch.is_grad_enabled()
        super().backward(x, y)


def test_each_call_begins_with_gradients_enabled():
    assert diagnose(Forgetful).ok


@pytest.fixture
def clock(monkeypatch):
    """What the limits of a diagnosis go by. It stands still but for slow networks."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(calls, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def slow(clock, seconds, change=lambda net: None):
    """A class whose ``backward`` takes so long by this clock."""

    class Slow(NeuralNetwork):
        def backward(self, x, y):
            clock.now += seconds
            super().backward(x, y)
            change(self)

    return Slow


def test_a_slow_network_is_checked_to_the_end(clock):
    found = diagnose(slow(clock, 1))
    assert found.message.endswith("forward, loss, backward, update.")
    assert found.ok, found
    assert clock.now > calls.SECONDS / 2  # who is late and not wrong goes on


@pytest.mark.parametrize("part", [None, "backward"])
def test_what_was_not_tried_is_not_called_right(part, clock):
    found = diagnose(slow(clock, 3), part=part)
    assert (found.status, found.part, found.ok) == ("timeout", "backward", False)
    assert "Nothing wrong was found, but this class is too slow" in found.message
    assert clock.now <= calls.SECONDS


def test_a_slow_network_can_be_wrong(clock):
    def no_bias_gradients(net):
        for layer in net.layers:
            layer.linear.bias_grad *= 0

    wrong = slow(clock, 7.5, no_bias_gradients)
    assert diagnose(wrong).mistake == "bias-gradient-zero"
    assert calls.SECONDS / 2 < clock.now <= calls.SECONDS


class Endless(NeuralNetwork):
    """It does not return for several outputs."""

    def forward(self, x):
        while self.output_size > 1:
            time.sleep(0.01)
        return super().forward(x)


def test_a_loop_where_a_class_is_only_tried_ends_too(monkeypatch):
    hurry(monkeypatch, "forward")
    found = diagnose(Endless, part="forward")
    assert (found.status, found.part) == ("timeout", "forward")


class Stubborn(NeuralNetwork):
    def backward(self, x, y):
        while True:
            try:
                time.sleep(0.01)
            except:  # noqa: E722, S112
                continue


def test_a_loop_that_catches_everything_ends_too(monkeypatch):
    hurry(monkeypatch, "backward")
    assert diagnose(Stubborn).status == "timeout"


class Exits(NeuralNetwork):
    def get_loss(self, x, y):
        raise SystemExit("enough")


def test_an_exit_is_an_error_like_others():
    found = diagnose(Exits)
    assert found.status == "error"
    assert "get_loss raises SystemExit: enough" in found.message
    assert "line" in found.message and 'raise SystemExit("enough")' in found.message


def test_a_diagnosis_reads_well_in_text_and_in_a_notebook():
    found = diagnose(threads.load(("hidden twice",)))
    assert str(found) == repr(found)
    lines = str(found).splitlines()
    assert lines[0] == "backward: wrong (hidden-slope-of-output)"
    assert lines[2].startswith("  Your code: Δ^(ℓ−1) = ")
    start, stop = lines[3].index("^"), len(lines[3])
    assert lines[2][start:stop] == "σ′^(ℓ−1)(Z_out^(ℓ−1))"
    place = pages.page("eq-batch-hidden-delta")
    again = f"equation ({place.number}) in the chapter '{place.chapter}'."
    assert lines[-1] == f"Read again: {again}"
    shown = found._repr_html_()
    assert shown.count("<mark>σ′\N{WORD JOINER}<sup>(ℓ−1)</sup>(<b>Z</b>") == 2
    link = f'<a href="{place.link}">({place.number})</a>'
    assert link in shown and "#equation-eq-batch-hidden-delta" in link
    page = replace(
        found, message="1 < 2\nnext", formulas=(), read_again=()
    )._repr_html_()
    title = "<strong>backward: wrong (hidden-slope-of-output)</strong>"
    assert (
        page == f"<blockquote><p>{title}</p><p>1 &lt; 2</p><p>next</p></blockquote>"
    )


def test_a_table_keeps_its_columns_in_a_notebook():
    found = Diagnosis("wrong", "text\n\n  a  1\n  bb 2")
    assert "<p>text</p><pre>  a  1\n  bb 2</pre>" in found._repr_html_()

"""The diagnosis: right networks pass, each mistake is named, nothing is guessed."""

import re
import threading
import time
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import diagnosis.mistakes
import pytest
import students
import torch
from backprop import NeuralNetwork, train
from diagnosis import calls, diagnose
from diagnosis.mistakes import MISTAKES, Mistake
from diagnosis.problems import Problem, loss_and_gradients, problems
from diagnosis.report import CHAPTERS, chapter
from diagnosis.steps import Steps, forward_values, run
from sources import text

NAMES = {mistake.name for mistake in MISTAKES}


# ---------------------------------------------------------------- the corpus


@pytest.mark.parametrize("style", students.RIGHT)
def test_right_networks_are_not_accused(style):
    found = diagnose(students.load(style))
    assert found.ok, found
    assert found.mistake is None
    one_output = style in ("one_output", "output_size_ignored")
    assert ("Only networks with one output" in found.message) == one_output


def slips():
    """All wrong networks; but for the first of each kind, they are for slow tests."""
    seen, found = set(), []
    for slip in students.SLIPS:
        marks = [pytest.mark.slow] if slip.slug in seen else []
        seen.add(slip.slug)
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
    assert {slip.slug for slip in named} == NAMES
    styles = {name: {s.style for s in named if s.slug == name} for name in NAMES}
    assert min(map(len, styles.values())) >= 2
    assert len(students.SLIPS) - len(named) >= 5
    assert len(students.RIGHT) >= 10


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
    "gradients_not_stored": ("backward", "unfilled", "weight_grad of layer 1"),
    "last_layer_only": ("backward", "unfilled", "weight_grad of layer 1"),
    "layers_missing": ("forward", "unfilled", "no layers yet"),
    "loss_none": ("loss", "unfilled", "get_loss returns nothing"),
    "name_error": ("backward", "error", "name 'slope' is not defined"),
    "shape_error": ("backward", "error", "(5, 3), which is (N^(2), n)"),
    "sleeps": ("backward", "timeout", "backward did not return"),
    "squeezed_output": ("forward", "wrong", "(1,) was expected"),
    "update_passes": ("update", "unfilled", "apply_gradients is not filled in yet"),
    "weights_only": ("backward", "unfilled", "bias_grad of layer 1"),
}


@pytest.mark.parametrize("name", students.UNFINISHED)
def test_unfinished_networks_get_help(name, monkeypatch):
    monkeypatch.setattr(calls, "SECONDS", 1.0)
    part, status, says = SAID[name]
    found = diagnose(students.load(students.UNFINISHED[name]))
    assert (found.part, found.status, found.mistake) == (part, status, None)
    assert says in found.message


# ---------------------------------------------------------------- the mistakes


def network_with(steps, factor=1.0):
    """A class that does what a hypothesis says; ``factor`` is what its backward pass
    multiplies the weights with, in case the hypothesis looks at that."""

    class Network:
        def __init__(self, input_size, output_size, hidden_sizes, seed=None):
            sizes = [input_size, *hidden_sizes, output_size]
            self.calls = 0
            self.layers = [
                SimpleNamespace(
                    linear=SimpleNamespace(
                        weight=torch.zeros(i, o), bias=torch.zeros(o)
                    )
                )
                for i, o in pairwise(sizes)
            ]

        def problem(self, x, y):
            linears = [layer.linear for layer in self.layers]
            weights = [linear.weight for linear in linears]
            biases = [linear.bias for linear in linears]
            return Problem(weights, biases, x, y.reshape(len(x), -1))

        def forward(self, x):
            problem = self.problem(x, x)
            p = forward_values(problem, problem.weights).p
            return p.squeeze(-1) if p.shape[1] == 1 else p

        def get_loss(self, x, y):
            problem = self.problem(x, y)
            return steps.loss(forward_values(problem, problem.weights).p, problem.y)

        def backward(self, x, y):
            problem = self.problem(x, y)
            after = [factor * weight for weight in problem.weights]
            predicted = run(steps, problem, after)
            if predicted.gradients is None:
                raise RuntimeError("the shapes do not fit")
            self.calls += 1
            for layer, pair, weight in zip(self.layers, predicted.gradients, after):
                once, again = pair, tuple(map(steps.second_call, pair))
                gradients = once if self.calls == 1 else again
                layer.linear.weight_grad, layer.linear.bias_grad = gradients
                layer.linear.weight = weight

        def apply_gradients(self, learning_rate):
            self.calls = 0
            for layer in self.layers:
                linear = layer.linear
                for name in ("weight", "bias"):
                    gradient = getattr(linear, f"{name}_grad")
                    moved = steps.update(
                        getattr(linear, name), gradient, learning_rate
                    )
                    setattr(linear, name, moved)

    return Network


HYPOTHESES = [
    pytest.param(mistake, steps, id=f"{mistake.name}-{number}")
    for mistake in MISTAKES
    for number, steps in enumerate(mistake.hypotheses)
]


@pytest.mark.slow
@pytest.mark.parametrize(("mistake", "steps"), HYPOTHESES)
def test_each_hypothesis_can_be_told_from_all_others(mistake, steps):
    factor = 0.9 if mistake.name == "updated-too-early" else 1.0
    found = diagnose(network_with(steps, factor))
    assert (found.mistake, found.alternatives) == (mistake.name, ())


def test_a_network_with_right_steps_is_right():
    assert diagnose(network_with(Steps())).ok


def test_where_two_mistakes_fit_both_are_named(monkeypatch):
    twin = replace(MISTAKES[0], name="twin", message="The twin.")
    monkeypatch.setattr(diagnosis.matching, "MISTAKES", [*MISTAKES, twin])
    found = diagnose(network_with(MISTAKES[0].hypotheses[0]))
    assert found.mistake == MISTAKES[0].name
    assert found.alternatives == ("twin",)
    assert found.title.endswith("(sum-not-mean or twin)")
    assert "fits another mistake as well:\nThe twin." in found.message


def test_right_steps_are_what_autograd_says():
    for problem in problems():
        _, right = loss_and_gradients(problem)
        found = run(Steps(), problem, problem.weights).gradients
        for pair, other in zip(found, right, strict=True):
            for ours, theirs in zip(pair, other, strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


def test_the_problems_hide_no_mistake():
    sizes = [problem.sizes for problem in problems()]
    assert {(p.n, p.K) for p in problems()} >= {
        (n, K) for n in (1, 3, 7) for K in (1, 2)
    }
    for problem, some in zip(problems(), sizes):
        if some != [4, 4, 4, 1] and some != [4, 4, 4, 4]:
            assert len({*some, problem.n}) == len(some) + (
                problem.n > 1 or problem.K > 1
            )
        assert all(bias.abs().min() > 0 for bias in problem.biases)


def test_names_are_stable_and_single():
    assert len(NAMES) == len(MISTAKES) == 27
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in NAMES)


def test_equations_stand_in_the_chapters_that_messages_name():
    titles = {}
    for name in ("notation", "batch", "training"):
        titles[re.search(r"^# (.+)$", text(name), re.MULTILINE)[1]] = text(name)
    assert set(CHAPTERS.values()) == set(titles)
    labels = {mistake.equation for mistake in MISTAKES}
    labels |= {"eq-batch-output", "eq-batch-pre-activation", "eq-loss-batch"}
    labels |= {
        f"eq-{of}" for of in ("batch-weights", "batch-biases", "update-biases")
    }
    for label in labels:
        assert f"({label})" in titles[chapter(label)], label


CODE = re.compile(r"@|\.T\b|\w\(|\*\*|-=|\+=")


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_messages_show_no_code(mistake: Mistake):
    for message in (mistake.message, mistake.loss_message):
        assert not CODE.search(message)
        assert "  " not in message


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
    assert (found.layer, found.parameter, found.mistake) == (2, "bias", None)
    assert (
        "biases of layer 2 of 3: it is 3 times what it should be" in found.message
    )
    assert found.equation == "eq-batch-biases"


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


class Stubborn(NeuralNetwork):
    def backward(self, x, y):
        while True:
            try:
                time.sleep(0.01)
            except:  # noqa: E722, S112
                continue


def test_a_loop_that_catches_everything_ends_too(monkeypatch):
    monkeypatch.setattr(calls, "SECONDS", 1.0)
    start = time.monotonic()
    assert diagnose(Stubborn).status == "timeout"
    assert time.monotonic() - start < 5


class Exits(NeuralNetwork):
    def get_loss(self, x, y):
        raise SystemExit("enough")


def test_an_exit_is_an_error_like_others():
    found = diagnose(Exits)
    assert found.status == "error"
    assert "get_loss raises SystemExit: enough" in found.message
    assert "line" in found.message and 'raise SystemExit("enough")' in found.message


def test_a_diagnosis_reads_well_in_text_and_in_a_notebook():
    found = diagnose(network_with(MISTAKES[0].hypotheses[0]))
    assert str(found) == repr(found)
    assert str(found).splitlines()[0] == "backward: wrong (sum-not-mean)"
    assert (
        str(found).splitlines()[-1].startswith("Read again: eq-loss-gradient, in")
    )
    page = replace(found, message="1 < 2\nnext")._repr_html_()
    assert page.startswith(
        "<blockquote><p><strong>backward: wrong (sum-not-mean)</strong></p>"
    )
    assert page.endswith("<p>1 &lt; 2</p><p>next</p></blockquote>")

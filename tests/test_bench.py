"""The bench compares what computes the same, and counts what is there. No test asserts a time."""

import gc
import json
from dataclasses import asdict
from itertools import count

import pytest
import torch
from backprop import NeuralNetwork
from backprop.many import ManyNetworks
from bench import counts, measure, peers, stored, timing
from bench.__main__ import main
from bench.memory import peak
from bench.table import as_text
from networks import gradients, make_problem, parameters
from torch.utils.flop_counter import FlopCounterMode

RATE = 0.25
QUICK = measure.Settings(
    rounds=2,
    epochs=2,
    numbers_epochs=1,
    copies=3,
    copies_epochs=2,
    copies_single_epochs=2,
    n=7,
    width=6,
    depth=3,
    in_n=(2, 3),
    in_width=(4, 5),
    in_depth=(1, 2),
    growth_n=3,
    growth_width=4,
    growth_depth=2,
    repeats=2,
    difference_repeats=1,
)
SHAPES = [
    (5, [2, 5, 3, 1]),
    (4, [3, 2]),
    (7, [3, 6, 2]),
    (1, [4, 5, 6, 7, 3]),
]


def problem(n, sizes, copies=None):
    """A network with random biases, a batch and labels; in float32, as the peers are."""
    net, x, y = make_problem(
        n, sizes[0], sizes[-1], sizes[1:-1], seed=0, dtype=torch.float32
    )
    if copies:
        single = net
        net = ManyNetworks(copies, sizes[0], sizes[-1], sizes[1:-1], seed=0)
        for layer, other in zip(net.layers, single.layers, strict=True):
            layer.linear.bias += other.linear.bias
    return net, x, y


# Peers


@pytest.mark.parametrize(("n", "sizes"), SHAPES)
@pytest.mark.parametrize("peer", measure.PEERS.values(), ids=measure.PEERS)
def test_a_peer_has_the_losses_of_the_network(peer, n, sizes):
    net, x, y = problem(n, sizes)
    before = [parameter.clone() for parameter in parameters(net)]
    losses = peers.Ours(net, x, y, RATE).train(30)
    same = peer(net, x, y, RATE)
    # In two parts, because a second call goes on from where the first stopped.
    theirs = torch.cat([same.train(10), same.train(20)]).float()
    peers.check_agreement("peer", [losses], [theirs], tolerance=1e-5)
    assert losses[-1] < 0.98 * losses[0]  # something has been learnt
    for parameter, old in zip(parameters(net), before, strict=True):
        assert torch.equal(parameter, old)


@pytest.mark.parametrize(("n", "sizes"), SHAPES)
def test_mapped_copies_have_the_losses_of_the_copies(n, sizes):
    net, x, y = problem(n, sizes, copies=4)
    losses = peers.Ours(net, x, y, RATE).train(30)
    theirs = peers.TorchFunc(net, x, y, RATE).train(30)
    assert losses.shape == (30, 4)
    assert len(losses[0].unique()) == 4
    peers.check_agreement("peer", [losses], [theirs], tolerance=1e-5)


@pytest.mark.parametrize(("n", "sizes"), SHAPES)
def test_gradients_by_other_ways(n, sizes):
    net, x, y = make_problem(n, sizes[0], sizes[-1], sizes[1:-1], seed=0)
    net.backward(x, y)
    for centred in (False, True):
        found = peers.finite_differences(net, x, y, 1e-6, centred)
        peers.check_agreement("differences", gradients(net), found, 1e-5)
    module = peers.TorchNN(net, x, y, RATE)
    module.step()
    peers.check_agreement("module", gradients(net), module.gradients(), 1e-12)


class Slower(peers.TorchNN):
    def __init__(self, net, x, y, lr):
        super().__init__(net, x, y, 0.99 * lr)


class SlowerCopies(peers.TorchFunc):
    def __init__(self, net, x, y, lr):
        super().__init__(net, x, y, 0.99 * lr)


class LosesABias(peers.NumPy):
    def __init__(self, *problem):
        super().__init__(*problem)
        self.biases[0] *= 0


class NotANumber(peers.GraphOfNumbers):
    def train(self, epochs):
        return super().train(epochs) * torch.nan


class TooShort(peers.NumPy):
    def train(self, epochs):
        return super().train(epochs)[:-1]


@pytest.mark.parametrize("wrong", [Slower, LosesABias, NotANumber, TooShort])
def test_a_wrong_peer_is_noticed(wrong):
    net, x, y = problem(*SHAPES[2])
    losses = peers.Ours(net, x, y, RATE).train(30)
    theirs = wrong(net, x, y, RATE).train(30).float()
    with pytest.raises(peers.Disagreement, match="^wrong.*nothing has been timed"):
        peers.check_agreement("wrong", [losses], [theirs])


def test_a_wrong_peer_is_noticed_before_anything_is_timed(monkeypatch):
    monkeypatch.setattr(timing, "alternate", None)
    for name, wrong in (
        ("PEERS", {"torch.nn": Slower}),
        ("TorchFunc", SlowerCopies),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(measure, name, wrong)
            with pytest.raises(peers.Disagreement, match=r"^torch\.(nn|func)"):
                measure.run(QUICK, say=lambda text: None)


def test_wrong_gradients_are_noticed(monkeypatch):
    for name, wrong in (
        ("finite_differences", lambda net, *_: [2 * g for g in gradients(net)]),
        ("TorchNN", lambda net, x, y, lr: peers.TorchNN(net, 2 * x, y, lr)),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(measure, name, wrong)
            with pytest.raises(peers.Disagreement, match="finite|large"):
                measure.check(QUICK)


# Counts


def multiply_adds(action):
    """What PyTorch counts; it takes a multiplication and an addition for two."""
    with FlopCounterMode(display=False) as counter:
        action()
    return counter.get_total_flops() / 2


@pytest.mark.parametrize(("n", "sizes"), SHAPES)
def test_the_counts_are_those_of_the_network(n, sizes):
    net, x, y = problem(n, sizes)
    outputs = net.forward_pass(x)
    forward, backward = (
        work(n, sizes) for work in (counts.forward_work, counts.backward_work)
    )
    rows = peers.as_rows(net, y)
    assert multiply_adds(lambda: net.forward_pass(x)) == forward
    assert counts.kept(n, sizes) == sum(out.numel() for out in outputs)
    assert multiply_adds(lambda: net.backward_pass(outputs, rows)) == backward
    assert multiply_adds(lambda: net.backward(x, y)) == forward + backward
    products = peers.bare_products(n, sizes)
    assert multiply_adds(products) == forward + backward
    assert counts.parameters(sizes) == sum(p.numel() for p in parameters(net))


def test_a_wrong_count_is_noticed():
    class PropagatesToTheInput(NeuralNetwork):
        def backward_pass(self, outputs, y):
            super().backward_pass(outputs, y)
            y @ self.layers[-1].linear.weight.mT

    n, sizes = SHAPES[0]
    net = PropagatesToTheInput(2, 1, [5, 3], seed=0)
    _, x, y = problem(n, sizes)
    outputs, rows = net.forward_pass(x), peers.as_rows(net, y)
    extra = multiply_adds(lambda: net.backward_pass(outputs, rows))
    assert extra - counts.backward_work(n, sizes) == n * 3 * 1


def test_finite_differences_evaluate_the_loss_as_often_as_counted():
    net, x, y = make_problem(5, 2, 1, [5, 3], seed=0)
    forward = counts.forward_work(5, [2, 5, 3, 1])
    for centred, evaluations in ((False, 37 + 1), (True, 2 * 37)):
        work = multiply_adds(
            lambda c=centred: peers.finite_differences(net, x, y, 1e-6, c)
        )
        assert work == evaluations * forward


def test_calls_are_counted():
    x = torch.ones(3, requires_grad=True)
    assert counts.calls(lambda: x.detach().exp().sum()) == 3
    assert counts.calls(lambda: None) == 0
    # Those of automatic differentiation count as well.
    recorded = counts.calls(lambda: x.exp().sum())
    assert counts.calls(lambda: x.exp().sum().backward()) > recorded


def test_exponents():
    assert counts.exponent([2, 4, 16], [12, 48, 768]) == pytest.approx(2)
    assert counts.exponent([1, 10], [5, 5]) == pytest.approx(0)
    with pytest.raises(ValueError, match="zip"):
        counts.exponent([1, 2, 3], [1, 2])


def test_the_peak_of_memory():
    def most():
        some = torch.zeros(1000)
        del some
        more = torch.zeros(3000)
        return more + torch.zeros(3000)

    assert peak(most) == 9000 * 4


# Times


def test_actions_take_turns_and_the_first_round_is_not_counted():
    done, seconds = [], count()
    actions = {"a": lambda: done.append("a"), "b": lambda: done.append("b")}
    # The clock moves on by 1, 2, 3, ... from look to look.
    times = timing.alternate(
        actions, rounds=2, clock=lambda: sum(range(next(seconds) + 1))
    )
    assert done == ["a", "b"] * 3
    assert times == {"a": [5, 9], "b": [7, 11]}


def test_no_garbage_is_collected_while_the_clock_runs():
    enabled = []
    timing.alternate({"a": lambda: enabled.append(gc.isenabled())}, rounds=1)
    assert enabled == [False, False]
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        timing.alternate({"a": lambda: 1 / 0}, rounds=1)
    assert gc.isenabled()


def test_ratios_are_of_medians():
    times = {"ours": [1.0, 2.0, 30.0], "peer": [4.0, 40.0, 2.0]}
    assert timing.ratio(times, "ours", "peer") == (0.5, [0.05, 15.0])
    assert timing.ratio(times, "peer", "ours") == (2.0, [2 / 30, 20.0])
    halves = timing.per(times, {"ours": 2, "peer": 1})
    assert timing.ratio(halves, "ours", "peer")[0] == 0.25


# The result


@pytest.fixture(scope="module")
def quick():
    said = []
    result = measure.run(QUICK, said.append)
    assert len(said) == 7
    return json.loads(json.dumps(result))


def layout(result):
    """What does not depend on the measuring: names, texts and keys, but no numbers."""
    return {
        part: [
            {
                key: sorted(value) if isinstance(value, dict) else value
                for key, value in entry.items()
                if key in ("name", "what", "target", "unit", "fixed")
                or (key == "medians" and isinstance(value, dict))
            }
            | {"keys": sorted(entry)}
            for entry in result[part]
        ]
        for part in ("figures", "growth")
    } | {
        "keys": sorted(result),
        "machine": sorted(result["machine"]),
        "settings": sorted(result["settings"]),
    }


def test_the_stored_result_is_one_of_this_bench(quick):
    book = stored()
    assert layout(book) == layout(quick)
    assert book["settings"] == json.loads(json.dumps(asdict(measure.Settings())))
    assert book["machine"]["threads"] == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda result: result["figures"].pop(),
        lambda result: result["figures"][0].pop("counted"),
        lambda result: result["figures"][0].update(target=0.5),
        lambda result: result["growth"][0].update(name="other"),
        lambda result: result["figures"][1]["medians"].pop("NumPy"),
        lambda result: result["machine"].pop("cpu"),
    ],
)
def test_a_stale_result_is_noticed(quick, spoil):
    stale = json.loads(json.dumps(quick))
    spoil(stale)
    assert layout(stale) != layout(quick)


def test_what_the_stored_result_says_fits_together():
    book = stored()
    for figure in book["figures"]:
        lowest, highest = figure["spread"]
        assert lowest <= figure["ratio"] <= highest
        first, second = figure["medians"].values()
        assert figure["ratio"] == pytest.approx(first / second)
    for entry in book["growth"]:
        assert entry["sizes"] == book["settings"][f"in_{entry['name']}"]
        for key, values in (("exponent", "medians"), ("counted", "work")):
            expected = counts.exponent(entry["sizes"], entry[values])
            assert entry[key] == pytest.approx(expected)
        work = [counted_work(entry, size) for size in entry["sizes"]]
        assert entry["work"] == work


def counted_work(entry, size):
    shape = entry["fixed"] | {entry["name"]: size}
    sizes = [shape["width"]] * (shape["depth"] + 1)
    return sum(
        work(shape["n"], sizes)
        for work in (counts.forward_work, counts.backward_work)
    )


def untrue(book):
    """Which sentences of the chapter a stored result does not bear out. The chapter has its numbers from there, but
    not its words."""
    ratio = {figure["name"]: figure["ratio"] for figure in book["figures"]}
    counted = {figure["name"]: figure["counted"] for figure in book["figures"]}
    power = {entry["name"]: entry["exponent"] for entry in book["growth"]}
    expected = {entry["name"]: entry["counted"] for entry in book["growth"]}
    large, small = "large layers, passes", "five points, passes"
    copies = ratio["copies, torch.nn, one network"]
    longer = copies / ratio["five points, torch.nn"] * book["settings"]["copies"]
    rates = [work / time for work, time in zip(*of_width(book), strict=True)]
    claims = {
        "in the samples time grows as the work": abs(power["n"] - 1) < 0.15,
        "in the layers, too": abs(power["depth"] - expected["depth"]) < 0.15,
        "in the width more slowly": power["width"] < expected["width"],
        "wide matrices are multiplied faster": rates == sorted(rates),
        "large layers agree to some percent": 0.9
        < ratio[large] / counted[large]
        < 1.1,
        "small ones take longer than counted": ratio[small] > 1.2 * counted[small],
        "calls come nearer": abs(ratio[small] - of_calls())
        < abs(ratio[small] - counted[small]),
        "PyTorch needs as much memory": 0.98 < ratio["large layers, memory"] < 1.02,
        "forward differences take longer than counted": ratio["forward differences"]
        > 1.2 * counted["forward differences"],
        "so do centred ones": ratio["centred differences"]
        > 1.2 * counted["centred differences"],
        "torch.nn, the package, NumPy": ratio["five points, NumPy"]
        > 1
        > ratio["five points, torch.nn"],
        "the graph of numbers is the slowest": ratio["five points, torch.nn"]
        > 3 * ratio["five points, graph of numbers"],
        "with tensors it is much faster": ratio["five points, graph of tensors"]
        > 10 * ratio["five points, graph of numbers"],
        "the package with copies is the fastest": ratio["copies, torch.func"] < 1,
        "squares are far to the left": copies < 0.05,
        "time grows less than the number": longer < book["settings"]["copies"] / 10,
        "with large layers about the same": 0.9
        < ratio["large layers, torch.nn"]
        < 1.1,
        "all else adds little": 1 < ratio["large layers, bare products"] < 1.25,
    }
    return [claim for claim, holds in claims.items() if not holds]


def of_calls():
    """The ratio of the calls of the two passes, on the five points."""
    net, x, y = problem(*SHAPES[0])
    outputs, rows = net.forward_pass(x), peers.as_rows(net, y)
    forward = counts.calls(lambda: net.forward_pass(x))
    return counts.calls(lambda: net.backward_pass(outputs, rows)) / forward


def of_width(book):
    entry = next(entry for entry in book["growth"] if entry["name"] == "width")
    return entry["work"], entry["medians"]


def test_the_words_of_the_chapter_fit_the_stored_result():
    assert untrue(stored()) == []


def test_words_that_do_not_fit_are_noticed(quick):
    for figure in quick["figures"]:
        other = stored()
        same = next(f for f in other["figures"] if f["name"] == figure["name"])
        if figure["name"] in ("five points, methods", "large layers, methods"):
            continue  # no sentence is about them
        wrong = {0.01, 100.0}
        assert any(
            (same.update(ratio=value) or untrue(other)) for value in wrong
        ), figure["name"]


# The command


@pytest.mark.slow
def test_the_command_writes_the_result_and_prints_a_table(tmp_path, capsys):
    out = tmp_path / "new" / "bench.json"
    assert main(["--out", str(out)], QUICK) == 0
    result = json.loads(out.read_text(encoding="utf-8"))
    assert layout(result).keys() == layout(stored()).keys()
    said = capsys.readouterr()
    assert said.out == as_text(result) + "\n"
    assert len(said.err.splitlines()) == 7
    for entry in (*result["figures"], *result["growth"]):
        assert entry["what"] in said.out


def test_met_and_missed(quick):
    result = json.loads(json.dumps(quick))
    figure = next(f for f in result["figures"] if f["target"])
    result["figures"], result["growth"] = [figure], []
    for ratio, verdict in ((0.99, "met"), (1.01, "missed")):
        figure["ratio"] = ratio * figure["target"]
        assert as_text(result).splitlines()[4].endswith(verdict)


def test_a_place_that_cannot_be_written_costs_no_time(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("bench.__main__.run", None)
    (tmp_path / "file").touch()
    assert main(["--out", str(tmp_path / "file" / "bench.json")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("bench: ")
    assert "bench.json" in line or "file" in line


def test_a_disagreement_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(measure, "PEERS", {"torch.nn": Slower})
    out = tmp_path / "bench.json"
    assert main(["--out", str(out)], QUICK) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("bench: torch.nn computes something else")
    assert not out.exists()

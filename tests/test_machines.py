"""Several processes train as one does, and whatever goes wrong ends with a sentence.

Processes are started as few times as can be: each takes seconds to import torch. No test
asserts a time; limits are there so that nothing hangs.
"""

import copy
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from backprop import NeuralNetwork, five_points, train
from backprop.many import ManyNetworks, train_many
from machines import launch, measure, stored, traffic
from machines.__main__ import main
from machines.launch import Failed
from machines.mistakes import MISTAKES, apart, play
from machines.ring import ring
from machines.shards import gradients_of, parameters_of, shard
from ranks import RATE, SENT, STEPS, vector

PROCESSES = (1, 2, 3, 4)
TESTS = str(Path(__file__).parent)
X, Y = (t.double() for t in five_points())

each_size = pytest.mark.parametrize(
    "size", [1, 2, *(pytest.param(n, marks=pytest.mark.slow) for n in (3, 4))]
)


@contextmanager
def double():
    """float64 for what is made in the block."""
    was = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(was)


@pytest.fixture
def path(monkeypatch):
    """Processes find the modules of the tests."""
    paths = [TESTS, os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))


@pytest.fixture(scope="module")
def run_of(tmp_path_factory):
    """What each of so many processes found in groups of 1, of 2, and so on: by rank, then
    by size."""

    @cache
    def run(processes):
        folder = tmp_path_factory.mktemp("ranks")
        with pytest.MonkeyPatch.context() as patch:
            paths = [TESTS, os.environ.get("PYTHONPATH", "")]
            patch.setenv("PYTHONPATH", os.pathsep.join(paths))
            said = launch.run(processes, str(folder), module="ranks", seconds=240)
        assert said == ""
        return [torch.load(folder / f"{rank}.pt") for rank in range(processes)]

    return run


@pytest.fixture
def found(run_of, size):
    """Of a run of two processes, or of four where two are not enough."""
    return run_of(2 if size <= 2 else 4)


# Shards


@pytest.mark.parametrize(("n", "processes"), [(5, 2), (5, 5), (7, 1), (10, 4)])
def test_shards_share_all_rows_as_equally_as_can_be(n, processes):
    shards = [range(n)[shard(n, processes, rank)] for rank in range(processes)]
    assert [row for rows in shards for row in rows] == list(range(n))
    sizes = [len(rows) for rows in shards]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] - sizes[-1] <= 1


def test_more_processes_than_samples_are_refused():
    with pytest.raises(ValueError, match="^6 processes, but 5 samples: .* 5 proc"):
        shard(5, 6, 0)


# Two or four processes, in groups of 1 to 4


@each_size
def test_all_processes_have_the_same_bits(found, size):
    first, *others = (found[rank][size]["parameters"] for rank in range(size))
    for other in others:
        pairs = zip(first, other, strict=True)
        assert all(torch.equal(p, q) for p, q in pairs)


@each_size
def test_a_difference_in_one_bit_is_noticed_by_all(found, size):
    said = [found[rank][size].get("said") for rank in range(size)]
    if size == 1:  # there is nothing to differ from
        assert said == [None]
    else:
        assert all(each.startswith("1 of 37 parameters differ") for each in said)


def flat(tensors):
    return torch.cat([tensor.flatten() for tensor in tensors])


def trained(epochs):
    """By one process."""
    with double():
        net = NeuralNetwork(2, 1, [5, 3], seed=0)
    return train(X, Y, net, epochs, RATE)[0] if epochs else net


def loss(parameters):
    """As a function of all parameters in one vector, (37,)."""
    z, start = X, 0
    for inputs, units in ((2, 5), (5, 3), (3, 1)):
        weights = parameters[start : start + inputs * units].view(inputs, units)
        start += inputs * units
        z_in = z @ weights + parameters[start : start + units]
        start += units
        z = torch.sigmoid(z_in) if units == 1 else torch.tanh(z_in)
    return (z.squeeze(1) - Y).square().mean()


def largest_terms(net):
    """The sum of the sizes of all terms of which a gradient is made, for the parameter
    where it is largest: a backward pass in which nothing cancels."""
    outputs = [z.abs() for z in net.forward_pass(X)]
    z = outputs[-1]
    delta = 2 / len(X) * (z + Y[:, None]) * (z + z * z)
    most = 0.0
    for layer, below in zip(reversed(net.layers), reversed(outputs[:-1])):
        most = max(most, (below.T @ delta).max(), delta.sum(0).max())
        delta = delta @ layer.linear.weight.abs().T * (1 + below * below)
    return float(most)


def rounding():
    """How far apart the parameters of two runs are at most that differ in nothing but
    rounding, to first order.

    A number of a gradient is made of terms, each of which is rounded some times on its way
    through the network and back: u times their sizes, for each of these times. So the two
    gradients differ by 2 u times that. A step adds the learning rate times this, and the
    rounding of the parameters themselves; and it carries on what was there, times
    I - rate times Hessian.
    """
    u, sizes = 2.0**-53, [2, 5, 3, 1]
    # Through a layer: its products and sums, and an activation good to some units; there
    # and back, and once more because slopes are taken where outputs are rounded.
    times = 4 * sum(a + b + 8 for a, b in pairwise(sizes)) + len(X)
    distance, net = 0.0, trained(0)
    for _ in range(STEPS):
        at = flat(parameters_of(net))
        hessian = torch.autograd.functional.hessian(loss, at, vectorize=True)
        carried = torch.linalg.matrix_norm(torch.eye(37) - RATE * hessian, 2)
        rounded = 2 * u * (RATE * times * largest_terms(net) + 2 * at.abs().max())
        distance = carried * distance + 37**0.5 * rounded
        train(X, Y, net, 1, RATE)
    return float(distance)


@pytest.fixture(scope="module")
def bound():
    return rounding()


def test_the_loss_of_the_bound_is_that_of_the_network():
    net = trained(3)
    at = flat(parameters_of(net)).requires_grad_()
    (gradient,) = torch.autograd.grad(loss(at), at)
    net.backward(X, Y)
    assert torch.allclose(gradient, flat(gradients_of(net)), atol=1e-14)


@each_size
def test_several_processes_come_where_one_comes(found, bound, size):
    one = flat(parameters_of(trained(STEPS)))
    several = flat(found[0][size]["parameters"])
    assert (several - one).norm() <= bound


def test_the_bound_tells_rounding_from_a_mistake(bound):
    assert 1e-14 < bound < 1e-10
    one = flat(parameters_of(trained(STEPS)))
    net = trained(0)
    for _ in range(STEPS):
        parts = []
        for rank in (0, 1):
            rows = shard(5, 2, rank)
            net.backward(X[rows], Y[rows])
            parts.append([g.clone() for g in gradients_of(net)])
        for p, g, h in zip(parameters_of(net), *parts, strict=True):
            p -= RATE * (g + h) / 2
    assert (flat(parameters_of(net)) - one).norm() > 1e6 * bound


@each_size
def test_the_ring_of_the_book_adds_in_the_order_of_gloo(found, size):
    """Bit for bit; and the order matters."""
    vectors = [vector(rank) for rank in range(size)]
    sums, sent = ring(vectors)
    for rank in range(size):
        assert torch.equal(found[rank][size]["sum"], sums[rank])
    assert sent == [measure.counted(size, 48, 8)] * size
    in_a_row = sum(vectors[1:], start=vectors[0])
    assert torch.equal(sums[0], in_a_row) == (size < 3)


@each_size
def test_what_is_counted_is_sent(found, size):
    """And envelopes of some hundred bytes."""
    sent = [found[rank][size]["sent"] for rank in range(size)]
    if None in sent:
        pytest.skip("only Linux counts what is sent")
    counted = measure.counted(size, SENT, 4)
    assert all(counted <= each <= counted + 10_000 for each in sent)


def test_where_nothing_is_counted_an_error_says_so(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(OSError, match="only Linux"):
        traffic.sent()


def test_what_is_sent_over_a_connection_is_counted():
    try:
        before = traffic.sent()
    except OSError as error:
        pytest.skip(str(error))
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as one,
        server.accept()[0] as other,
    ):
        one.sendall(b"x" * 1000)
        other.recv(1000, socket.MSG_WAITALL)
        assert traffic.sent() - before == 1000


# What goes wrong


@pytest.mark.slow
def test_a_process_that_dies_ends_the_run_with_a_sentence(path, tmp_path):
    words = str(tmp_path), "SIGTERM" if os.name == "nt" else "SIGKILL"
    with pytest.raises(
        Failed, match="process 0: another|process 1 was ended by sig"
    ):
        launch.run(2, *words, module="ranks", seconds=240)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP")
def test_a_process_that_hangs_ends_the_run_with_a_sentence(path, tmp_path):
    words = str(tmp_path), "SIGSTOP", "--patience", "5"
    with pytest.raises(
        Failed, match="process 0: another process is lost: Timed out"
    ):
        launch.run(2, *words, module="ranks", seconds=240)


def test_a_run_that_does_not_end_is_stopped():
    words = [sys.executable, "-c", "import time; time.sleep(600)"]
    with pytest.raises(Failed, match=r"it has not ended in 0\.5 seconds"):
        launch.output_of(words, seconds=0.5)


@pytest.fixture
def alone(monkeypatch):
    """This process is the only one of a run."""
    monkeypatch.setenv(
        "GLOO_SOCKET_IFNAME", ""
    )  # so that it is as before at the end
    monkeypatch.delenv("GLOO_SOCKET_IFNAME")
    for name in ("RANK", "MASTER_PORT"):
        monkeypatch.setenv(name, "0")
    for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    with double():
        yield monkeypatch


def test_the_program_says_what_it_did(alone, capsys):
    assert main(["--steps", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "1 processes, shards of 5 samples"
    assert lines[-1] == "one process comes to the same, to 1e-12: True"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--rate", "-1"], "machines: the learning rate must be positive"),
        (["--steps", "0"], "machines: steps must be a positive whole number"),
    ],
)
def test_arguments_that_cannot_be_get_a_sentence(alone, capsys, words, says):
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(says) and said.err.count("\n") == 1


def test_a_port_in_use_gets_a_sentence(alone, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        alone.setenv("MASTER_PORT", str(port))
        assert main([]) == 1
    expected = f"machines: process 0: port {port} is in use; choose another one.\n"
    assert capsys.readouterr().err == expected


def test_a_first_process_that_is_not_there_gets_a_sentence(alone, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    alone.setenv("MASTER_PORT", str(port))
    alone.setenv("RANK", "1")
    alone.setenv("WORLD_SIZE", "2")
    assert main(["--patience", "1"]) == 1
    assert "no connection to the first process" in capsys.readouterr().err


def test_a_start_without_the_launcher_gets_a_sentence(monkeypatch, capsys):
    monkeypatch.delenv("RANK", raising=False)
    assert main([]) == 2
    assert (
        "start it with python -m torch.distributed.run" in capsys.readouterr().err
    )


@pytest.mark.slow
def test_more_processes_than_samples_get_one_sentence():
    with pytest.raises(Failed) as refused:
        launch.run(6, seconds=240)
    assert str(refused.value).startswith("6 processes, but 5 samples: each")


@pytest.mark.slow
def test_a_port_in_use_gets_a_sentence_of_the_launcher_too():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        with pytest.raises(Failed, match="the port is in use; choose another"):
            launch.output_of(on_host(0, port), seconds=240)


def on_host(rank, port):
    """The command of the chapter for several machines, with the first of them here."""
    return [
        *(sys.executable, "-m", "torch.distributed.run", "--nnodes", "2"),
        *("--node-rank", str(rank), "--nproc-per-node", "1"),
        *("--master-addr", "127.0.0.1", "--master-port", port, "-m", "machines"),
    ]


@pytest.mark.slow
def test_two_launchers_start_one_run():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    loopback = {"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}
    second = subprocess.Popen(
        on_host(1, port),
        env=launch.environment() | loopback,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in loopback.items():
                patch.setenv(name, value)
            said = launch.output_of(on_host(0, port), seconds=240)
        assert second.communicate(timeout=60)[0] == ""
    finally:
        launch.stop(second)
    assert said.startswith("2 processes, shards of 3 + 2 samples\n")


FAILURES = """
Failures:
[1]:
  rank      : 0 (local_rank: 0)
  exitcode  : -15 (pid: 16087)  (SIGTERM)
[0]:
  rank      : 1 (local_rank: 1)
  exitcode  : -9 (pid: 16088)  (SIGKILL)
"""


@pytest.mark.parametrize(
    ("errors", "says"),
    [
        ("machines: one.\nother\nmachines: two.\nmachines: one.\n", "one. two."),
        (FAILURES, "process 1 was ended by signal 9."),
        (f"machines: lost.{FAILURES}", "lost. process 1 was ended by signal 9."),
        ("code: -98, name: EADDRINUSE", "the port is in use; choose another one."),
        ("No module named other", "No module named other"),
    ],
)
def test_why_a_run_has_failed(errors, says):
    assert launch.reason(errors) == says


def test_a_failed_command_is_told_by_what_it_said():
    words = [sys.executable, "-c", "import sys; sys.exit('machines: no.')"]
    with pytest.raises(Failed, match=r"^no\.$"):
        launch.output_of(words, seconds=60)


# The mistakes of the chapter


def test_without_a_mistake_both_machines_train_as_one():
    with double():
        both = play("none", starts=5)
        scale = torch.tensor([0.0, 1, 1, 1, 1, 1])
        one = ManyNetworks(6, 2, 1, [5, 3], seed=0, initial_scale=scale)
        nets, _ = train_many(X, Y, one, 400, 1.0)
    for nets_of_one in both:
        assert apart(nets_of_one, nets) < 1e-9


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_shows(mistake):
    """In what starts with weights 0, and stays a constant; or in the others."""
    with double():
        both = play(mistake, starts=2)
    constants = [nets.forward(X)[0, 0].item() for nets in both]
    if mistake == "mean of means":
        assert constants == pytest.approx([1 / 6, 1 / 6], abs=1e-3)
    elif mistake == "update first":
        assert constants[0] == pytest.approx(1 / 3, abs=1e-3)
        assert constants[1] < 0.05
    else:
        assert apart(*both) > 1


# The stored measurements


def layout(result):
    """What does not depend on the measuring."""
    return {
        "keys": sorted(result),
        "machine": sorted(result["machine"]),
        "settings": result["settings"],
        "bytes": [
            {key: each[key] for key in ("processes", "numbers", "counted")}
            | {"keys": sorted(each)}
            for each in result["bytes"]
        ],
        "sums": [
            (each["numbers"], sorted(each), sorted(each["medians"]))
            for each in result["sums"]
        ],
        "steps": [
            (
                *(each[key] for key in ("name", "samples", "parameters")),
                *(sorted(each), sorted(each["medians"]), sorted(each["faster"])),
                {len(times) for times in each["faster"].values()},
            )
            for each in result["steps"]
        ],
    }


def expected():
    """The layout of what would be measured now."""
    settings = json.loads(json.dumps(asdict(measure.Settings())))
    sizes = [str(size) for size in PROCESSES]
    problems = [("five points", 5, 37)]
    for width in settings["widths"]:
        parameters = settings["depth"] * (width + 1) * width
        problems += [(f"width {width}", n, parameters) for n in settings["samples"]]
    return {
        "keys": ["bytes", "machine", "settings", "steps", "sums"],
        "machine": sorted(stored_by_bench()),
        "settings": settings,
        "bytes": [
            {
                "processes": size,
                "numbers": numbers,
                "counted": measure.counted(size, numbers, 4),
                "keys": ["counted", "measured", "numbers", "processes"],
            }
            for numbers in settings["numbers"]
            for size in PROCESSES
        ],
        "sums": [
            (numbers, ["medians", "numbers"], sizes)
            for numbers in settings["numbers"]
        ],
        "steps": [
            (
                *problem,
                ["faster", "medians", "name", "parameters", "samples"],
                *(sizes, sizes, {settings["rounds"]}),
            )
            for problem in problems
        ],
    }


def stored_by_bench():
    from bench.measure import describe_machine

    return describe_machine()


def test_the_stored_result_is_one_of_this_code():
    assert layout(stored()) == expected()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda result: result["settings"].update(depth=5),
        lambda result: result["bytes"].pop(),
        lambda result: result["bytes"][1].update(counted=1.0),
        lambda result: result["sums"][0]["medians"].pop("4"),
        lambda result: result["steps"][2].update(parameters=1),
        lambda result: result["machine"].pop("cpu"),
    ],
)
def test_a_stale_result_is_noticed(spoil):
    stale = copy.deepcopy(stored())
    spoil(stale)
    assert layout(stale) != expected()


def untrue(result):
    """Which sentences of the chapter a stored result does not bear out."""
    envelopes = [each["measured"] - each["counted"] for each in result["bytes"]]
    faster = {
        (each["name"], each["samples"]): each["medians"]["1"] / each["medians"]["2"]
        for each in result["steps"]
    }
    settings = result["settings"]
    narrow, *_, wide = settings["widths"]
    few, *_, many = settings["samples"]
    lines = [
        [faster[f"width {w}", n] for n in settings["samples"]] for w in (wide,)
    ]
    claims = {
        "the rest is envelopes, of one size": 0 <= min(envelopes)
        and max(envelopes) < 4000,
        "around 37 parameters they weigh more": result["bytes"][1]["measured"]
        > 2 * result["bytes"][1]["counted"],
        "with few samples a loss": all(
            faster[f"width {width}", few] < 1 for width in settings["widths"]
        ),
        "with a narrow network always": all(
            faster[f"width {narrow}", n] < 1 for n in settings["samples"]
        ),
        "with five points, too": faster["five points", 5] < 1,
        "with many samples and a wide network it pays": faster[
            f"width {wide}", many
        ]
        > 1.1,
        "the line of the widest rises": all(line[0] < line[-1] for line in lines),
        "and ends highest": faster[f"width {wide}", many]
        == max(faster[f"width {w}", many] for w in settings["widths"]),
        "two cores": result["machine"]["cores"] == 2,
    }
    return [claim for claim, holds in claims.items() if not holds]


def test_the_words_of_the_chapter_fit_the_stored_result():
    assert untrue(stored()) == []


def test_words_that_do_not_fit_are_noticed():
    result = stored()
    for each in result["bytes"]:
        each["measured"] = 2 * each["counted"]
    for each in result["steps"]:
        each["medians"] = {"1": 1.0, "2": 1.0}
    assert len(untrue(result)) >= 6


@pytest.mark.slow
def test_the_command_measures(tmp_path, monkeypatch, capsys):
    few = measure.Settings(1, (37, 1000), (2, 3), (4, 5), depth=2, steps=1)
    out = tmp_path / "new" / "machines.json"
    assert measure.main(["--out", str(out)], few) == 0
    assert str(out) in capsys.readouterr().out
    monkeypatch.setattr(measure, "Settings", lambda: few)
    assert layout(json.loads(out.read_text(encoding="utf-8"))) == expected()

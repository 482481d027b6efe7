"""The measurements behind the chapter ``cost``."""

import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import torch
from backprop import NeuralNetwork, five_points
from backprop.many import ManyNetworks
from torch import Tensor

from . import counts, timing
from .memory import peak
from .peers import (
    GraphOfNumbers,
    GraphOfTensors,
    NumPy,
    Ours,
    Peer,
    TorchFunc,
    TorchNN,
    as_rows,
    bare_products,
    check_agreement,
    finite_differences,
)


@dataclass(frozen=True)
class Settings:
    """How much is measured (chapter ``cost``). The defaults are those of the book."""

    rounds: int = 15
    rate: float = 0.25
    # Five points, one network: epochs in a round
    epochs: int = 2500
    numbers_epochs: int = 20
    # The same with many copies
    copies: int = 256
    copies_epochs: int = 250
    copies_single_epochs: int = 500
    # Large layers, all of one width, the input and the output among them
    n: int = 1024
    width: int = 1024
    depth: int = 4
    # Growth: in each, the two other sizes stay the same
    in_n: tuple[int, ...] = (256, 512, 1024, 2048, 4096)
    in_width: tuple[int, ...] = (256, 512, 1024, 2048)
    in_depth: tuple[int, ...] = (2, 4, 8, 16, 32)
    growth_n: int = 512
    growth_width: int = 512
    growth_depth: int = 3
    # Passes in a round, where one is too short to be timed
    repeats: int = 1000
    difference_repeats: int = 20


def run(settings: Settings, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure everything; ``say`` is told what comes next (chapter ``cost``).

    The result holds ``machine``, ``settings``, ``figures`` (ratios of times, or of
    bytes) and ``growth`` (powers). Raises `peers.Disagreement`, before anything is
    timed, if a peer computes something else than the book's network. Uses one
    thread.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        machine = describe_machine()
        say("do all compute the same?")
        check(settings)
        figures: list[dict[str, Any]] = []
        for part in (five, many, large, passes, differences):
            say(part.__doc__)
            figures += part(settings)
        say(growth.__doc__)
        return {
            "machine": machine,
            "settings": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in asdict(settings).items()
            },
            "figures": figures,
            "growth": list(growth(settings)),
        }
    finally:
        torch.set_num_threads(threads)


def describe_machine() -> dict[str, Any]:
    """Where the measurements are made (chapter ``cost``)."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": platform.system(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
    }


def five_point_problem(
    settings: Settings, copies: int | None = None
) -> tuple[Any, Tensor, Tensor, float]:
    """The network of the book, or many of them, its data and the learning rate."""
    make = NeuralNetwork if copies is None else partial(ManyNetworks, copies)
    return (make(2, 1, [5, 3], seed=0), *five_points(), settings.rate)


def square_problem(
    n: int, width: int, depth: int, rate: float
) -> tuple[NeuralNetwork, Tensor, Tensor, float]:
    """A network whose layers all have one width, random samples and labels."""
    generator = torch.Generator().manual_seed(0)
    net = NeuralNetwork(width, width, [width] * (depth - 1), seed=generator)
    x = torch.randn(n, width, generator=generator)
    y = torch.rand(n, width, generator=generator)
    return net, x, y, rate


def large_problem(
    settings: Settings,
) -> tuple[NeuralNetwork, Tensor, Tensor, float]:
    """The network with large layers."""
    return square_problem(settings.n, settings.width, settings.depth, settings.rate)


def double_problem(
    settings: Settings,
) -> tuple[NeuralNetwork, Tensor, Tensor]:
    """The network of the book in float64, with its data."""
    net, x, y, _ = five_point_problem(settings)
    for layer in net.layers:
        linear = layer.linear
        linear.weight, linear.bias = linear.weight.double(), linear.bias.double()
    return net, x.double(), y.double()


def gradients(net: NeuralNetwork) -> list[Tensor]:
    """All gradients of a network, layer by layer."""
    linears = [layer.linear for layer in net.layers]
    return [g for each in linears for g in (each.weight_grad, each.bias_grad)]


PEERS: dict[str, type[Peer]] = {
    "torch.nn": TorchNN,
    "NumPy": NumPy,
    "graph of tensors": GraphOfTensors,
    "graph of numbers": GraphOfNumbers,
}


def check(settings: Settings, epochs: int = 20) -> None:
    """Raise `peers.Disagreement` if a peer computes something else (chapter
    ``cost``): compared are the losses of some epochs on the five points, of every
    copy, and the gradients in large layers and by finite differences.
    """
    problem = five_point_problem(settings)
    losses = Ours(*problem).train(epochs)
    for name, peer in PEERS.items():
        check_agreement(name, [losses], [peer(*problem).train(epochs).float()])
    problem = five_point_problem(settings, settings.copies)
    losses = Ours(*problem).train(epochs)
    check_agreement("torch.func", [losses], [TorchFunc(*problem).train(epochs)])

    net, x, y, rate = large_problem(settings)
    net.backward(x, y)
    theirs = TorchNN(net, x, y, rate)
    theirs.step()
    check_agreement("torch.nn, large layers", gradients(net), theirs.gradients())

    net, x, y = double_problem(settings)
    net.backward(x, y)
    for centred in (False, True):
        found = finite_differences(net, x, y, 1e-6, centred)
        check_agreement("finite differences", gradients(net), found)


def figure(
    name: str,
    what: str,
    times: timing.Times,
    target: float | None = None,
    counted: float | None = None,
    unit: str = "seconds",
) -> dict[str, Any]:
    """The ratio of two measured quantities, in the order of ``times``."""
    numerator, denominator = times
    ratio, spread = timing.ratio(times, numerator, denominator)
    return {
        "name": name,
        "what": what,
        "ratio": ratio,
        "spread": spread,
        "target": target,
        "counted": counted,
        "unit": unit,
        "medians": {each: statistics.median(times[each]) for each in times},
    }


def pair(times: timing.Times, *names: str) -> timing.Times:
    """Two of the measured quantities."""
    return {name: times[name] for name in names}


def five(settings: Settings) -> Iterator[dict[str, Any]]:
    """five points, one network"""
    problem = five_point_problem(settings)
    classes: dict[str, type[Peer]] = {"ours": Ours, **PEERS}
    ways = {name: way(*problem) for name, way in classes.items()}
    units = dict.fromkeys(ways, settings.epochs)
    units["graph of numbers"] = settings.numbers_epochs
    actions = {
        name: lambda way=way, name=name: way.train(units[name])
        for name, way in ways.items()
    }
    times = timing.per(timing.alternate(actions, settings.rounds), units)
    for peer, target in (
        ("torch.nn", 0.25),
        ("NumPy", None),
        ("graph of tensors", None),
        ("graph of numbers", None),
    ):
        yield figure(
            f"five points, {peer}",
            f"an epoch of training: ours / {peer}",
            pair(times, "ours", peer),
            target,
        )


def many(settings: Settings) -> Iterator[dict[str, Any]]:
    """five points, many networks at once"""
    copies = five_point_problem(settings, settings.copies)
    ways = {
        "ours, copies": Ours(*copies),
        "torch.func": TorchFunc(*copies),
        "torch.nn, one network": TorchNN(*five_point_problem(settings)),
    }
    epochs = dict.fromkeys(ways, settings.copies_epochs)
    epochs["torch.nn, one network"] = settings.copies_single_epochs
    actions = {
        name: lambda way=way, name=name: way.train(epochs[name])
        for name, way in ways.items()
    }
    units = {name: number * settings.copies for name, number in epochs.items()}
    units["torch.nn, one network"] = settings.copies_single_epochs
    times = timing.per(timing.alternate(actions, settings.rounds), units)
    for peer, target in (("torch.nn, one network", 1 / 200), ("torch.func", 0.5)):
        yield figure(
            f"copies, {peer}",
            f"an epoch for each network: ours, copies / {peer}",
            pair(times, "ours, copies", peer),
            target,
        )


def large(settings: Settings) -> Iterator[dict[str, Any]]:
    """large layers, one step"""
    problem = large_problem(settings)
    ours, theirs = Ours(*problem), TorchNN(*problem)
    actions = {
        "ours": ours.step,
        "torch.nn": theirs.step,
        "bare products": bare_products(settings.n, sizes_of(problem[0])),
    }
    times = timing.alternate(actions, settings.rounds)
    for peer, target in (("torch.nn", 1.0), ("bare products", 1.2)):
        yield figure(
            f"large layers, {peer}",
            f"a step: ours / {peer}",
            pair(times, "ours", peer),
            target,
        )
    # Two steps, for the gradients of the first may be there during the second.
    peaks = {
        name: [float(peak(repeated(way(*problem).step, 2)))]
        for name, way in (("ours", Ours), ("torch.nn", TorchNN))
    }
    yield figure(
        "large layers, memory",
        "most bytes at one time in two steps, without parameters: ours / torch.nn",
        peaks,
        1.0,
        unit="bytes",
    )


def passes(settings: Settings) -> Iterator[dict[str, Any]]:
    """forward and backward"""
    small, big = five_point_problem(settings), large_problem(settings)
    yield from passes_of("five points", *small[:3], settings, settings.repeats)
    yield from passes_of("large layers", *big[:3], settings, 1)


def passes_of(
    where: str,
    net: NeuralNetwork,
    x: Tensor,
    y: Tensor,
    settings: Settings,
    repeats: int,
) -> Iterator[dict[str, Any]]:
    """Of one network, the times of its passes, and of the methods with checks."""
    forward, both = work_of(net, len(x))
    outputs, rows = net.forward_pass(x), as_rows(net, y)
    actions = {
        "backward pass": lambda: net.backward_pass(list(outputs), rows),
        "forward pass": lambda: net.forward_pass(x),
        "backward()": lambda: net.backward(x, y),
        "forward()": lambda: net.forward(x),
    }
    actions = {name: repeated(each, repeats) for name, each in actions.items()}
    times = timing.alternate(actions, settings.rounds)
    times = timing.per(times, dict.fromkeys(times, repeats))
    yield figure(
        f"{where}, passes",
        "backward pass / forward pass",
        pair(times, "backward pass", "forward pass"),
        counted=(both - forward) / forward,
    )
    yield figure(
        f"{where}, methods",
        "backward(), which has a forward pass in it / forward()",
        pair(times, "backward()", "forward()"),
        counted=both / forward,
    )


def sizes_of(net: NeuralNetwork) -> list[int]:
    """The sizes of all layers, the input first."""
    return [net.input_size, *net.hidden_sizes, net.output_size]


def work_of(net: NeuralNetwork, n: int) -> tuple[int, int]:
    """Multiply-adds of a forward pass, and of a forward and a backward pass."""
    forward = counts.forward_work(n, sizes_of(net))
    return forward, forward + counts.backward_work(n, sizes_of(net))


def repeated(action: Callable[[], Any], times: int) -> Callable[[], None]:
    """An action, so many times."""

    def repeat() -> None:
        for _ in range(times):
            action()

    return repeat


def differences(settings: Settings) -> Iterator[dict[str, Any]]:
    """finite differences"""
    net, x, y = double_problem(settings)
    forward, both = work_of(net, len(x))
    actions = {
        "forward differences": lambda: finite_differences(net, x, y, 1e-6, False),
        "centred differences": lambda: finite_differences(net, x, y, 1e-6, True),
        "backward()": lambda: net.backward(x, y),
    }
    repeats = dict.fromkeys(actions, settings.difference_repeats)
    repeats["backward()"] = settings.repeats
    times = timing.alternate(
        {name: repeated(each, repeats[name]) for name, each in actions.items()},
        settings.rounds,
    )
    times = timing.per(times, repeats)
    evaluations = {
        "forward differences": counts.parameters(sizes_of(net)) + 1,
        "centred differences": 2 * counts.parameters(sizes_of(net)),
    }
    for name, number in evaluations.items():
        yield figure(
            name,
            f"all gradients: {name} / backward()",
            pair(times, name, "backward()"),
            counted=number * forward / both,
        )


def growth(settings: Settings) -> Iterator[dict[str, Any]]:
    """growth with the sizes"""
    fixed = {
        "n": settings.growth_n,
        "width": settings.growth_width,
        "depth": settings.growth_depth,
    }
    for name, sizes in (
        ("n", settings.in_n),
        ("width", settings.in_width),
        ("depth", settings.in_depth),
    ):
        actions, work = {}, []
        for size in sizes:
            shape = fixed | {name: size}
            net, x, y, _ = square_problem(**shape, rate=settings.rate)
            actions[str(size)] = lambda net=net, x=x, y=y: net.backward(x, y)
            work.append(work_of(net, shape["n"])[1])
        times = timing.alternate(actions, settings.rounds)
        medians = [statistics.median(times[str(size)]) for size in sizes]
        rounds = [
            counts.exponent(sizes, seconds) for seconds in zip(*times.values())
        ]
        yield {
            "name": name,
            "what": f"power of {name} with which the time of backward() grows",
            "exponent": counts.exponent(sizes, medians),
            "spread": [min(rounds), max(rounds)],
            "counted": counts.exponent(sizes, work),
            "fixed": {key: fixed[key] for key in fixed if key != name},
            "sizes": list(sizes),
            "medians": medians,
            "work": work,
        }

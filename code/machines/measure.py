"""``python -m machines.measure [--out FILE]``: what the chapter ``many_machines`` shows.

Times depend on the machine. That of the book has two cores, so three and four processes
share them.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.distributed as dist
from backprop import NeuralNetwork, five_points
from bench.result import parser

from .__main__ import meeting
from .launch import run
from .shards import parameters_of, train_shard
from .traffic import sent

PROCESSES = (1, 2, 3, 4)


@dataclass(frozen=True)
class Settings:
    """How much is measured (chapter ``many_machines``); the defaults are the book's."""

    rounds: int = 9
    numbers: tuple[int, ...] = (37, 1_000, 30_000, 1_000_000)  # to be added up
    widths: tuple[int, ...] = (32, 128, 512)
    samples: tuple[int, ...] = (8, 32, 128, 512)
    depth: int = 4
    steps: int = 5  # in one measurement; of five points a hundred times as many
    rate: float = 0.01


def measured(settings: Settings) -> dict[str, Any]:
    """Of one of four processes that run at the same time. In each round they work alone,
    in twos, in threes and all together, so that whatever slows the machine slows all.
    Chapter ``many_machines``.
    """
    groups = {size: dist.new_group(list(range(size))) for size in PROCESSES}
    return {
        "bytes": list(bytes_of(settings, groups)),
        "sums": list(times_of_sums(settings, groups)),
        "steps": list(times_of_steps(settings, groups)),
    }


def bytes_of(settings: Settings, groups: dict) -> Iterator[dict[str, Any]]:
    """The most that a process sends for one all-reduce, in float32."""
    for numbers in settings.numbers:
        together = torch.zeros(numbers, dtype=torch.float32)
        for size, group in groups.items():

            def add(together=together, size=size, group=group):
                if dist.get_rank() < size:
                    dist.all_reduce(together, group=group)

            most = torch.tensor([sent_by(add) - sent_by(lambda: None)])
            dist.all_reduce(most, dist.ReduceOp.MAX)
            yield {
                "processes": size,
                "numbers": numbers,
                "counted": counted(size, numbers, together.itemsize),
                "measured": int(most),
            }


def sent_by(action: Callable[[], None]) -> int:
    """What this process sends for an action of all, and for a barrier behind it."""
    dist.barrier()
    before = sent()
    action()
    dist.barrier()  # all has arrived
    return sent() - before


def counted(processes: int, numbers: int, bytes_each: int) -> float:
    """What a process sends in the ring: P - 1 parts of P, twice."""
    return 2 * (processes - 1) / processes * numbers * bytes_each


def times_of_sums(settings: Settings, groups: dict) -> Iterator[dict[str, Any]]:
    """Seconds for one all-reduce."""
    for numbers in settings.numbers:
        together = torch.zeros(numbers, dtype=torch.float32)
        repeats = 200 if numbers < 100_000 else 10

        def add(group, together=together, repeats=repeats):
            for _ in range(repeats):
                dist.all_reduce(together, group=group)

        times = in_turns(add, groups, settings.rounds, repeats)
        yield {"numbers": numbers, "medians": medians(times)}


def times_of_steps(settings: Settings, groups: dict) -> Iterator[dict[str, Any]]:
    """Seconds for one step of training, and how many times as fast P processes are."""
    x, y = five_points()
    few = {"x": x, "y": y, "net": NeuralNetwork(2, 1, [5, 3], seed=0)}
    yield times_of_step("five points", few, 100 * settings.steps, settings, groups)
    for width in settings.widths:
        for n in settings.samples:
            generator = torch.Generator().manual_seed(0)
            hidden = [width] * (settings.depth - 1)
            problem = {
                "net": NeuralNetwork(width, width, hidden, seed=generator),
                "x": torch.randn(n, width, generator=generator),
                "y": torch.rand(n, width, generator=generator),
            }
            yield times_of_step(
                f"width {width}", problem, settings.steps, settings, groups
            )


def times_of_step(
    name: str, problem: dict, steps: int, settings: Settings, groups: dict
) -> dict[str, Any]:
    def train(group):
        train_shard(**problem, steps=steps, lr=settings.rate, group=group)

    times = in_turns(train, groups, settings.rounds, steps)
    return {
        "name": name,
        "samples": len(problem["x"]),
        "parameters": sum(p.numel() for p in parameters_of(problem["net"])),
        "medians": medians(times),
        "faster": {
            str(size): sorted(a / b for a, b in zip(times[1], times[size]))
            for size in groups
        },
    }


def in_turns(
    action: Callable[[Any], None], groups: dict, rounds: int, repeats: int
) -> dict[int, list[float]]:
    """The seconds of every group in every round, for one of some repeats; a round before
    the first is not counted."""
    times: dict[int, list[float]] = {size: [] for size in groups}
    for counts in [False] + [True] * rounds:
        for size, group in groups.items():
            dist.barrier()
            start = time.perf_counter()
            if dist.get_rank() < size:
                action(group)
            seconds = (time.perf_counter() - start) / repeats
            if counts:
                times[size].append(seconds)
    return times


def medians(times: dict[int, list[float]]) -> dict[str, float]:
    return {str(size): statistics.median(each) for size, each in times.items()}


def main(words: list[str] | None = None, settings: Settings = Settings()) -> int:
    """Start four processes, and write what the first has measured."""
    description = "Measure what it costs to train with several processes."
    known = parser("machines.measure", description, "machines.json")
    known.add_argument("--settings", type=json.loads, help=argparse.SUPPRESS)
    options = known.parse_args(words)
    if "RANK" in os.environ:  # one of the four
        given = Settings(**options.settings)
        with meeting(patience=300):
            found = measured(given)
        if int(os.environ["RANK"]) == 0:
            options.out.write_text(json.dumps(found), encoding="utf-8")
        return 0
    from bench.measure import describe_machine

    torch.set_num_threads(1)
    out = options.out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    how = json.dumps(asdict(settings))
    words = ["--out", str(out), "--settings", how]
    run(max(PROCESSES), *words, module="machines.measure", seconds=600)
    found = json.loads(out.read_text(encoding="utf-8"))
    result = {"machine": describe_machine(), "settings": json.loads(how)} | found
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"The result is in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Times that can be compared: measured in turns, in one process (chapter ``cost``)."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

Times = dict[str, list[float]]


def alternate(
    actions: Mapping[str, Callable[[], Any]],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Times:
    """The seconds of every action in every round, by its name.

    A round carries out each action once, in the given order, so that whatever
    slows the machine for a while slows all of them. A round before the first, to
    warm up, is not counted. Python collects garbage before, and not in between: it
    would fall into the time of whichever action happens to be at work. Chapter
    ``cost``.
    """
    times: Times = {name: [] for name in actions}
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for counted in [False] + [True] * rounds:
            for name, action in actions.items():
                start = clock()
                action()
                seconds = clock() - start
                if counted:
                    times[name].append(seconds)
    finally:
        if enabled:
            gc.enable()
    return times


def per(times: Times, units: Mapping[str, float]) -> Times:
    """The times divided by how much each action did, such as its epochs (chapter
    ``cost``).
    """
    return {name: [t / units[name] for t in times[name]] for name in times}


def ratio(times: Times, name: str, other: str) -> tuple[float, list[float]]:
    """How many times as long one action takes as another: the ratio of the medians,
    and the smallest and the largest ratio in a round (chapter ``cost``).
    """
    medians = [statistics.median(times[each]) for each in (name, other)]
    in_rounds = [a / b for a, b in zip(times[name], times[other], strict=True)]
    return medians[0] / medians[1], [min(in_rounds), max(in_rounds)]

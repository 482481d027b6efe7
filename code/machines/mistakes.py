"""What goes wrong where nothing fails (chapter ``many_machines``)."""

import torch
from backprop import five_points
from backprop.many import ManyNetworks

from .shards import gradients_of, parameters_of, shard

MISTAKES = ("mean of means", "different starts", "update first")


def play(mistake: str, starts: int = 100) -> list[ManyNetworks]:
    """The networks of two machines after 400 steps at rate 1, for many starts at once,
    behind one with all weights 0. ``mistake`` is one of `MISTAKES`; with any other text
    all is right. Chapter ``many_machines``.
    """
    x, y = (t.double() for t in five_points())
    seeds = (0, 1) if mistake == "different starts" else (0, 0)
    scale = torch.ones(starts + 1)
    scale[0] = 0
    both = [ManyNetworks(starts + 1, 2, 1, [5, 3], seed, scale) for seed in seeds]
    shares = (1 / 2, 1 / 2) if mistake == "mean of means" else (3 / 5, 2 / 5)
    for _ in range(400):
        for rank, nets in enumerate(both):
            rows = shard(5, 2, rank)
            nets.backward(x[rows], y[rows])
            if mistake == "update first":
                nets.apply_gradients(1.0)
        for first, second in zip(*map(gradients_of, both)):
            total = shares[0] * first + shares[1] * second
            first.copy_(total)
            second.copy_(total)
        for nets in both:
            if mistake != "update first":
                nets.apply_gradients(1.0)
    return both


def apart(nets: ManyNetworks, others: ManyNetworks) -> float:
    """How far apart the parameters of two machines are, the median over all starts.
    Chapter ``many_machines``.
    """
    pairs = zip(parameters_of(nets), parameters_of(others))
    return float(
        torch.cat([(p - q).flatten(1) for p, q in pairs], 1).norm(dim=1).median()
    )

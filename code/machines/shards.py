"""What each process does: its rows, its gradients, and the sum (chapter
``many_machines``).
"""

from collections.abc import Iterator

import torch
import torch.distributed as dist
from backprop import NeuralNetwork
from torch import Tensor


def shard(n: int, processes: int, rank: int) -> slice:
    """Which rows of n samples a process takes. The shards are as equal as can be, the
    first ones larger by a row. Raises ValueError if there are too few samples. Chapter
    ``many_machines``.
    """
    if processes > n:
        raise ValueError(
            f"{processes} processes, but {n} samples: each process needs one. "
            f"Start {n} processes at most."
        )
    rows, more = divmod(n, processes)
    first = rank * rows + min(rank, more)
    return slice(first, first + rows + (rank < more))


def add_up(net: NeuralNetwork, share: float, group=None) -> None:
    """Replace each gradient by the sum of those of all processes, each times
    its ``share`` of the samples. Chapter ``many_machines``.
    """
    gradients = list(gradients_of(net))
    together = share * torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(together, group=group)
    parts = together.split([g.numel() for g in gradients])
    for gradient, part in zip(gradients, parts):
        gradient.copy_(part.view_as(gradient))


def train_shard(x, y, net: NeuralNetwork, steps: int, lr: float, group=None):
    """Train in place, on the rows of this process.

    All call it with the same batch, ``x`` (n, input_size) and ``y`` in the shape
    of the predictions, and with equal networks. Raises what `shard` and the
    network raise; RuntimeError if another process is lost. Chapter
    ``many_machines``.
    """
    rows = shard(len(x), dist.get_world_size(group), dist.get_rank(group))
    share = len(x[rows]) / len(x)
    for _ in range(steps):
        net.backward(x[rows], y[rows])
        add_up(net, share, group)  # eq-machines-shards
        net.apply_gradients(lr)


def check_same(net: NeuralNetwork, group=None) -> None:
    """Raise ValueError, in every process, unless all have parameters of the same bits.
    Chapter ``many_machines``.
    """
    together = torch.cat([p.flatten() for p in parameters_of(net)])
    bits = together.view(torch.int64 if together.itemsize == 8 else torch.int32)
    lowest, highest = bits.clone(), bits.clone()
    dist.all_reduce(lowest, dist.ReduceOp.MIN, group)
    dist.all_reduce(highest, dist.ReduceOp.MAX, group)
    differ = int((lowest != highest).sum())
    if differ:
        raise ValueError(
            f"{differ} of {len(bits)} parameters differ between the processes. Start "
            "all from one seed, and update with nothing but the common sum."
        )


def parameters_of(net: NeuralNetwork) -> Iterator[Tensor]:
    """Weights and biases, layer by layer."""
    for linear in (layer.linear for layer in net.layers):
        yield from (linear.weight, linear.bias)


def gradients_of(net: NeuralNetwork) -> Iterator[Tensor]:
    """Their gradients, in the same order."""
    for linear in (layer.linear for layer in net.layers):
        yield from (linear.weight_grad, linear.bias_grad)

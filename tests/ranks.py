"""What each of some processes does for `test_machines`, alone, in twos, and so on up to all
together: ``-m ranks FOLDER``. With a second word, the name of a signal, it is the program
of the book, in which the process of rank 1 sends itself this signal in its tenth step.
"""

import os
import signal
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from backprop import NeuralNetwork, five_points
from machines.__main__ import main, meeting
from machines.measure import sent_by
from machines.shards import check_same, parameters_of, train_shard

STEPS, RATE = 100, 0.25
SENT = 240_000  # numbers, in float32


def vector(rank):
    """Other numbers in each process. Gloo cuts them into two times P parts."""
    generator = torch.Generator().manual_seed(rank)
    return torch.randn(48, generator=generator, dtype=torch.float64)


def of_group(size, group):
    x, y = (t.double() for t in five_points())
    net = NeuralNetwork(2, 1, [5, 3], seed=0)
    check_same(net, group)
    train_shard(x, y, net, STEPS, RATE, group)
    check_same(net, group)
    found = {"parameters": [p.clone() for p in parameters_of(net)]}
    found["sum"] = vector(dist.get_rank())
    dist.all_reduce(found["sum"], group=group)
    if dist.get_rank() == size - 1:  # by one bit
        bias = net.layers[0].linear.bias
        bias[2] = torch.nextafter(bias[2], bias[2] + 1)
    try:
        check_same(net, group)
    except ValueError as error:
        found["said"] = str(error)
    return found


def of_all(folder):
    torch.set_default_dtype(torch.float64)
    found = {}
    with meeting(patience=60):
        rank, numbers = dist.get_rank(), torch.ones(SENT, dtype=torch.float32)
        for size in range(1, dist.get_world_size() + 1):
            group = dist.new_group(list(range(size)))
            if rank < size:
                found[size] = of_group(size, group)

            def add(group=group, size=size):
                if rank < size:
                    dist.all_reduce(numbers, group=group)

            try:
                number = sent_by(add)
            except OSError:  # not Linux
                number = None
            if rank < size:
                found[size]["sent"] = number
    torch.save(found, Path(folder, f"{rank}.pt"))


def dying(name):
    """Backward, which sends the signal when it is called for the tenth time."""
    calls, backward = [], NeuralNetwork.backward

    def counted(net, x, y):
        calls.append(net)
        if len(calls) == 10 and os.environ["RANK"] == "1":
            os.kill(os.getpid(), getattr(signal, name))
        backward(net, x, y)

    return counted


if __name__ == "__main__":
    folder, *rest = sys.argv[1:]
    if rest:
        NeuralNetwork.backward = dying(rest[0])
        sys.exit(main(rest[1:]))
    of_all(folder)

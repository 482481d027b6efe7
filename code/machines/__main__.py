"""``python -m torch.distributed.run --standalone --nproc-per-node 2 -m machines``"""

import argparse
import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from backprop import NeuralNetwork, checks, five_points, train

from .shards import check_same, parameters_of, shard, train_shard

RUN = "python -m torch.distributed.run --standalone --nproc-per-node 2 -m machines"


class Lost(Exception):
    """A process that cannot be reached, and the sentence to say."""


@contextmanager
def meeting(patience: float) -> Iterator[None]:
    """In the block, this process is one of those that torch.distributed.run has
    started. None waits longer than ``patience`` seconds for another; Lost says why it
    does not go on. Chapter ``many_machines``.
    """
    if os.environ["WORLD_SIZE"] == os.environ.get("LOCAL_WORLD_SIZE"):
        # All are on one machine. Gloo would look for an interface by the name of the
        # machine, which may have none: without a network, or on macOS.
        names = {name for _, name in socket.if_nameindex()}
        for loopback in names & {"lo", "lo0"}:
            os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)
    try:
        dist.init_process_group("gloo", timeout=timedelta(seconds=patience))
        try:
            yield
        finally:
            dist.destroy_process_group()
    except dist.DistNetworkError as error:
        if "EADDRINUSE" not in str(error):
            raise Lost(f"no connection to the first process: {error}") from None
        port = os.environ["MASTER_PORT"]
        raise Lost(f"port {port} is in use; choose another one.") from None
    except RuntimeError as error:
        what = re.sub(r"^\[\S+\] ", "", str(error)).partition(". ")[0]
        raise Lost(f"another process is lost: {what}.") from None


def main(words: list[str] | None = None) -> int:
    """Train on the five points, as one of several processes. The exit status is 1 if
    another process is lost, 2 for arguments that cannot be. Only the process of rank 0
    prints; which one is lost, each says that notices.
    """
    parser = argparse.ArgumentParser(
        prog="machines", description=f"Train on the five points: {RUN}"
    )
    parser.add_argument("--steps", type=int, default=100, help="(%(default)s)")
    parser.add_argument("--rate", type=float, default=0.25, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    parser.add_argument(
        "--patience",
        type=float,
        default=60,
        help="seconds to wait for another process (%(default)s)",
    )
    options = parser.parse_args(words)
    if "RANK" not in os.environ:
        return fail(2, f"start it with {RUN}")
    rank, processes = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    x, y = (t.double() for t in five_points())
    torch.set_default_dtype(torch.float64)
    try:
        with meeting(options.patience):
            try:
                checks.sizes(steps=options.steps)
                rows = [shard(len(x), processes, each) for each in range(processes)]
                net = NeuralNetwork(2, 1, [5, 3], seed=options.seed)
                before = net.get_loss(x, y)
                check_same(net)
                train_shard(x, y, net, options.steps, options.rate)
                check_same(net)
            except ValueError as error:  # all find the same
                if rank == 0:
                    fail(2, str(error))
                dist.barrier()  # the first that ends has the others stopped
                return 2
    except Lost as error:
        return fail(1, f"process {rank}: {error}")
    if rank == 0:
        sizes = " + ".join(str(part.stop - part.start) for part in rows)
        print(f"{processes} processes, shards of {sizes} samples")
        print(f"loss {before:.4f}, after {options.steps} steps ", end="")
        print(f"{net.get_loss(x, y):.4f}")
        print("the parameters have the same bits in all processes")
        alone = NeuralNetwork(2, 1, [5, 3], seed=options.seed)
        train(x, y, alone, options.steps, options.rate)
        pairs = zip(parameters_of(net), parameters_of(alone))
        same = all(torch.allclose(p, q, rtol=0, atol=1e-12) for p, q in pairs)
        print("one process comes to the same, to 1e-12:", same)
    return 0


def fail(status: int, sentence: str) -> int:
    """Say it where errors go, and return the exit status."""
    print(f"machines: {sentence}", file=sys.stderr, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())

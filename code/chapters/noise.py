"""Rounding at random, to find what in a chapter depends on it (Monte Carlo arithmetic).

Other processors, and other builds of PyTorch, round the results of products, sums and
activations differently. Which do, and how, cannot be tried on one machine. So here every
result moves by up to one unit in its last place, at random.
"""

import sys
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

# Operations that compute no new digits: they make, move, pick, compare, or round to
# whole numbers. What is not listed is moved.
EXACT = """
abs amax amin arange argsort bernoulli cat ceil clamp clamp_max clamp_min clone
constant_pad_nd copy empty empty_like empty_strided fill floor full full_like gather
index index_put index_select masked_fill masked_select max maximum median min
minimum neg new_empty new_empty_strided new_full new_ones new_zeros one_hot ones
ones_like rand relu repeat round scalar_tensor scatter select_scatter sign
slice_scatter sort stack topk tril triu trunc uniform where zero zeros zeros_like
_local_scalar_dense _to_copy _unsafe_view
"""
LIMITED = {"tanh", "sigmoid"}  # on no processor do they exceed 1

# Where PyTorch finds and calls a mode.
ON_THE_WAY = ("_library/", "_ops.py")


class Noise(TorchDispatchMode):
    """While it is on, each floating-point result of an operation of PyTorch moves up or
    down by one unit in its last place, or stays. 0, infinity and NaN stay.

    In inference mode, in which `train` repeats its epochs, only what is changed in place
    moves: each parameter, once an epoch. That is as strong, and takes half the time. A
    step is small beside its parameter, so the rounding of the gradient is small beside
    that of the sum of both.

    A mode that a chapter enters counts the chapter's operations alone: it is called
    first, and those of the noise are made while no mode is on.
    """

    SIZE = 2**16

    def __init__(self, seed: int):
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)
        picks = torch.randint(3, (self.SIZE,), generator=self.generator)
        # Seen from a number, its half lies towards 0, twice the number away from it.
        towards = torch.tensor([0.5, 1.0, 2.0])[picks]
        self.towards = {t: towards.to(t) for t in (torch.float32, torch.float64)}
        self.place = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing is compiled; the wrapper takes longer than the operation

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        moves, in_place, is_limited = rule(function)
        if in_place or not torch.is_inference_mode_enabled():
            outputs = result if isinstance(result, tuple | list) else [result]
            for output, moved in zip(outputs, moves):
                if moved and self.has_digits(output):
                    self.move(output)
                    if is_limited:
                        output.clamp_(-1, 1)
        return result

    def has_digits(self, output) -> bool:
        """Not so numbers of other types, shapes alone, and what stands for zeros in
        forward mode: these have no memory of their own."""
        return (
            isinstance(output, Tensor)
            and output.dtype in self.towards
            and not output.is_meta
            and not output._is_zerotensor()
        )

    def move(self, numbers: Tensor) -> None:
        """Move numbers in place."""
        towards = self.draw(numbers.numel(), numbers.dtype).view(numbers.shape)
        numbers.copy_(torch.nextafter(numbers, numbers * towards))

    def draw(self, count: int, dtype: torch.dtype) -> Tensor:
        """Random factors. They are drawn once and used again, from a place drawn anew
        each time around: to draw each anew would take longer than all else."""
        pool = self.towards[dtype]
        if count > self.SIZE:
            return pool[
                torch.randint(self.SIZE, (count,), generator=self.generator)
            ]
        if self.place + count > self.SIZE:
            limit = self.SIZE - count + 1
            self.place = int(torch.randint(limit, (1,), generator=self.generator))
        self.place += count
        return pool[self.place - count : self.place]


@cache
def rule(function: torch._ops.OpOverload) -> tuple[list[bool], bool, bool]:
    """Of an operation: which of its outputs move, whether it changes something in place,
    and whether its results are limited."""
    name = function.overloadpacket.__name__.removesuffix("_")
    aliases = [declared.alias_info for declared in function._schema.returns]
    is_computed = name not in EXACT.split()
    moves = [is_computed and (a is None or a.is_write) for a in aliases]  # no views
    return moves, function._schema.is_mutable, name in LIMITED


def start(seed: int) -> None:
    """Turn the noise on, in this thread and for good."""
    Noise(seed).__enter__()
    torch.ones(1) + 1  # the first operation imports much of PyTorch
    sys.settrace = without_own_frames(sys.settrace)
    sys.setprofile = without_own_frames(sys.setprofile)
    # Who asks for a function that is installed gets the one that was passed.
    sys.gettrace = passed(sys.gettrace)
    sys.getprofile = passed(sys.getprofile)


def passed(get: Callable) -> Callable:
    """`sys.gettrace` or `sys.getprofile`, beside `without_own_frames`."""
    return lambda: getattr(get(), "passed", get())


def without_own_frames(install: Callable) -> Callable:
    """`sys.settrace` or `sys.setprofile` for functions that are not to see the frames of
    the noise, and of PyTorch on the way to it."""
    folder = torch.__path__[0]
    own = (__file__, *(f"{folder}/{name}" for name in ON_THE_WAY))

    def install_filtered(function):
        def filtered(frame, event, argument):
            if not frame.f_code.co_filename.startswith(own):
                return function(frame, event, argument)

        filtered.passed = function
        install(function and filtered)

    return install_filtered

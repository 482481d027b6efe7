"""No chapter shows what rounding decides; one that does is seen."""

import gc
import re
import sys

import matplotlib.pyplot as plt
import pytest
import torch
from backprop import NeuralNetwork, five_points, plot_decision_boundary
from chapters.noise import Noise, passed, without_own_frames
from sources import ROOT
from tiny_book import CHAPTER, edit, nbval, store
from torch.utils._python_dispatch import TorchDispatchMode

# As processors round that have none of the newer vector instructions.
PLAINEST = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "kernels"), [(1, {}), (2, PLAINEST)])
def test_no_cell_shows_what_rounding_decides(seed, kernels):
    two = ("--numprocesses", "2", "--dist", "loadfile")
    options = ("book/outputs", "--noise", str(seed), *two)
    status, output = nbval(ROOT, *options, **kernels)
    assert status == 0, output


# Sums in another order, a comparison of equal numbers, chaos.
SHOWN = {
    "print((torch.rand(10**6, generator=g) - 0.5).sum().item())": True,
    "print((a / 25 * 25 == a).sum())": True,
    "b = a / 50\nfor _ in range(60):\n    b = 4 * b * (1 - b)\nprint(b.mean())": True,
    "print(f'{(a / 7).mean():.4f}', a.sum() > 10)": False,
    "print((a / 25 * 25 - a).abs().max() < 1e-12)": False,
}


@pytest.mark.slow
def test_a_cell_that_shows_what_rounding_decides_is_named(tree):
    cells = [f"```{{code-cell}} ipython3\n{shown}\n```\n" for shown in SHOWN]
    start = "import torch\n\ng = torch.Generator().manual_seed(0)\n"
    start += "a = torch.arange(1, 50, dtype=torch.float64)"
    cells = [f"```{{code-cell}} ipython3\n{start}\n```\n", *cells]
    edit(tree / CHAPTER, "Some prose.", "\n".join(cells))
    status, output = store(tree)
    assert status == 0, output
    status, output = nbval(tree, "book/outputs", "--noise", "1")
    assert status == pytest.ExitCode.TESTS_FAILED
    failed = re.findall(rf"\n{CHAPTER}, cell (\d+): Cell outputs differ", output)
    first = 5  # in the notebook
    assert failed == [str(n) for n, f in enumerate(SHOWN.values(), first) if f]


def moves(action, seeds=range(60)):
    """By how many units in the last place results move, over some seeds."""
    expected, found = action(), set()
    unit = torch.nextafter(expected.abs(), torch.full_like(expected, torch.inf))
    unit = unit - expected.abs()
    for seed in seeds:
        with Noise(seed):
            result = action()
        found |= set(((result - expected) / unit).unique().tolist())
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "action",
    [
        lambda x: x @ x.T,
        lambda x: x.tanh(),
        lambda x: x.sum(dim=0),
        lambda x: x * 1,
        lambda x: torch.zeros_like(x).add_(x),
        lambda x: x.clone().sub_(0 * x),
    ],
    ids=["product", "activation", "sum", "element", "update", "in place"],
)
def test_each_result_moves_by_a_unit_in_its_last_place(action, dtype):
    generator = torch.Generator().manual_seed(0)
    # Not near a power of two, where the unit below is half of that above.
    x = (1.2 + 0.1 * torch.rand(3, 3, generator=generator)).to(dtype)
    found = moves(lambda: action(x))
    assert {-1.0, 0.0, 1.0} <= found
    assert max(map(abs, found)) <= 2  # two results in one action


@pytest.mark.parametrize(
    "action",
    [
        lambda x: x.reshape(1, 9),
        lambda x: x.T[0],
        lambda x: torch.stack([x, x]).clone(),
        lambda x: x.max(dim=0)[0].abs(),
        lambda x: torch.tensor([0.0, torch.inf, torch.nan]) * 1,
        lambda x: torch.rand(3, generator=torch.Generator().manual_seed(0)),
        lambda x: (1e6 * x).sigmoid().ceil(),
    ],
)
def test_what_computes_no_digits_is_exact(action):
    x = torch.tensor([[1.1, 2.2, 3.3]] * 3)
    before = x.clone()
    expected = action(x)
    for seed in range(20):
        with Noise(seed):
            result = action(x)
        assert torch.equal(torch.nan_to_num(result), torch.nan_to_num(expected))
    assert torch.equal(x, before)


def test_in_training_parameters_move_and_nothing_else():
    x = torch.full((99,), 1.25)
    with torch.inference_mode(), Noise(1):
        product = x * x
        parameter = x.clone()
        parameter -= 0 * x
    assert torch.equal(product, x * x)
    assert parameter.unique().numel() == 3


def test_the_same_seed_moves_alike():
    x = torch.rand(100, generator=torch.Generator().manual_seed(0))
    one, other, third = (Noise(seed) for seed in (1, 1, 2))
    results = []
    for noise in one, other, third:
        with noise:
            results.append((x * x).sum() + x)
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_more_numbers_than_are_drawn_beforehand():
    x = torch.full((Noise.SIZE + 7,), 1.25)
    with Noise(1):
        moved = 1 * x
        again = 1 * x
    for result in moved, again:
        assert result.unique().numel() == 3
    assert not torch.equal(moved, again)


def test_rounding_moves_no_ticks_of_the_plot():
    x, y = five_points()
    net = NeuralNetwork(2, 1, [5, 3], seed=0)
    for seed in range(8):
        with Noise(seed):
            ax = plot_decision_boundary(x, y, net)
        shades = ax.figure.axes[-1]  # of the colours
        assert (ax.get_xlim(), ax.get_ylim()) == ((-2, 2), (-2, 2))
        assert shades.get_ylim() == (0, 1)
        plt.close(ax.figure)


class Counter(TorchDispatchMode):
    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        return function(*args, **(kwargs or {}))


def test_who_counts_operations_does_not_count_the_noise():
    x = torch.ones(2, 2)

    def counted():
        with Counter() as counter:
            (x @ x).tanh()
        return counter.count

    assert counted() == 2
    with Noise(1):
        assert counted() == 2


@pytest.mark.parametrize("name", ["settrace", "setprofile"])
def test_who_traces_does_not_see_the_noise(name):
    x = torch.ones(2, 2)

    def product():
        return x @ x

    def traced(install):
        """The functions that are seen, but for this one, which ends the trace."""
        seen = set()
        gc.disable()  # what is called for garbage would be seen, too
        install(lambda frame, event, argument: seen.add(frame.f_code.co_name))
        try:
            product()
        finally:
            install(None)
            gc.enable()
        return seen - {"traced"}

    before = getattr(sys, name.replace("set", "get"))()
    try:
        assert traced(getattr(sys, name)) == {"product"}
        with Noise(1):
            x @ x  # imports what the first operation needs
            assert "__torch_dispatch__" in traced(getattr(sys, name))
            hidden = without_own_frames(getattr(sys, name))
            assert traced(hidden) == {"product"}
            hidden(nothing := lambda *_: None)
            get = getattr(sys, name.replace("set", "get"))
            installed, found = get(), passed(get)()
            getattr(sys, name)(None)
            assert installed is not nothing
            assert found is nothing
    finally:
        getattr(sys, name)(before)

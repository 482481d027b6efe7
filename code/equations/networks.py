"""Feed-forward networks with random parameters, and all that is computed in them.

Every meaning is a definition, or a derivative that automatic differentiation takes
of one. None of the book's results is used.
"""

import random
from collections.abc import Callable, Sequence
from copy import copy
from functools import cache, cached_property
from itertools import cycle, pairwise
from typing import Any

import torch
from backprop import NeuralNetwork
from torch import Tensor
from torch.nn import functional

from .feedforward import FEEDFORWARD, GENERAL
from .nodes import EquationError
from .world import SCALES, Model, after_descent

# N^(0), ..., N^(L) and n. Equal ones and ones of 1 are among them.
SIZES = [
    (5, 4, 3, 6, 2, 7),
    (3, 4, 2, 3, 2, 2, 4, 5),
    (4, 2, 3, 5, 3, 2, 6),
    (4, 6, 2, 5, 3),
    (2, 1, 3, 1, 1),
    (5, 3, 6, 2),
    (1, 3, 2, 4),
    (3, 2, 4),
    (2, 3, 1),
]

# Smooth, and different, so that no activation passes for that of another layer.
ACTIVATIONS: list[Callable[[Tensor], Tensor]] = [
    torch.tanh,
    torch.sigmoid,
    torch.sin,
    torch.atan,
    functional.softplus,
    functional.gelu,
]


class Network(Model):
    """A network, one sample, and a batch, in float64, with all values of the forward pass.

    ``sizes`` holds N^(0), ..., N^(L). The values of one sample are 1-D, those of the
    batch have a row for each sample. ``sample_loss`` takes labels and outputs
    (..., K) and gives one loss for each sample; ``batch_loss`` takes those of the
    batch. ``net`` is the package's network with these parameters, if its
    activations and loss are the package's.
    """

    def __init__(
        self,
        sizes: list[int],
        n: int,
        seed: int,
        activations: Sequence[Callable[[Tensor], Tensor]],
        sample_loss: Callable[[Tensor, Tensor], Tensor],
        batch_loss: Callable[[Tensor, Tensor], Tensor],
        net: NeuralNetwork | None = None,
        labels: Callable[[Tensor], Tensor] = torch.clone,
        scale: float = 1.0,
    ):
        counted = {f"N^({layer})": size for layer, size in enumerate(sizes)}
        super().__init__(FEEDFORWARD, {"n": n, **counted, **GENERAL}, seed, scale)
        self.L, self.layer_sizes, self.n, self.K = (
            len(sizes) - 1,
            sizes,
            n,
            sizes[-1],
        )
        self.net = net
        # Layer 0 has none of these.
        self.activations: list[Any] = [None, *activations]
        self.sample_loss, self.batch_loss = sample_loss, batch_loss
        # Divided, so that no activation is saturated and no slope is near 0.
        self.W: list[Any] = [
            None,
            *(
                (self.drawn(f"W{layer}", *shape) / shape[0] ** 0.5).requires_grad_()
                for layer, shape in enumerate(pairwise(sizes), start=1)
            ),
        ]
        self.b: list[Any] = [
            None,
            *(
                self.leaf(f"b{layer}", size)
                for layer, size in enumerate(sizes[1:], 1)
            ),
        ]
        self.x, self.X = self.leaf("x", sizes[0]), self.leaf("X", n, sizes[0])
        self.y = labels(self.drawn("y", self.K))
        self.Y = labels(self.drawn("Y", n, self.K))
        self.eta: float | None = 0.1 + 0.8 * random.Random(seed).random()
        self.forward()

    def leaf(self, key: str, *shape: int) -> Tensor:
        return self.drawn(key, *shape).requires_grad_()

    def axis(self, name: str, layer: int | None) -> str:
        if name in ("K", "N0"):
            return f"N^({self.L if name == 'K' else 0})"
        return super().axis(name, layer)

    def forward(self) -> None:
        """Compute z_in, z_out of the sample and Z_in, Z_out of the batch."""
        self.z_in, self.z_out = self.run(self.x)
        self.Z_in, self.Z_out = self.run(self.X)

    def run(self, inputs: Tensor, W=None, b=None) -> tuple[list, list]:
        W, b = W or self.W, b or self.b
        z_in: list[Tensor | None] = [None]
        z_out = [inputs]
        for layer in range(1, self.L + 1):
            z_in.append(functional.linear(z_out[-1], W[layer].T, b[layer]))
            z_out.append(self.activations[layer](z_in[-1]))
        return z_in, z_out

    @cached_property
    def loss(self) -> Tensor:
        """The loss of the one sample."""
        return self.sample_loss(self.y, self.z_out[-1])

    @cached_property
    def losses(self) -> Tensor:
        """The loss of each sample of the batch by itself."""
        return self.sample_loss(self.Y, self.Z_out[-1])

    @cached_property
    def sum_of_losses(self) -> Tensor:
        """Its derivatives are those of each sample's loss, as samples do not meet."""
        return self.losses.sum()

    @cached_property
    def loss_of_batch(self) -> Tensor:
        return self.batch_loss(self.Y, self.Z_out[-1])

    def contributions(self, layer: int) -> Tensor:
        """The cube G: what each sample contributes to the gradient of the weights.

        Gives every sample weights of its own, equal in value, and differentiates
        by them: (n, N of the layer before, N).
        """
        weights = self.W[layer].detach().expand(self.n, *self.W[layer].shape)
        weights = weights.clone().requires_grad_()
        z_out = self.Z_out[layer - 1]
        z_in = torch.einsum("sj,sji->si", z_out, weights) + self.b[layer]
        z_out = self.activations[layer](z_in)
        for later in range(layer + 1, self.L + 1):
            z_in = functional.linear(z_out, self.W[later].T, self.b[later])
            z_out = self.activations[later](z_in)
        (cube,) = torch.autograd.grad(self.batch_loss(self.Y, z_out), weights)
        return cube

    def loss_moved(self, value: Tensor) -> Tensor:
        if self.entry is None:
            return super().loss_moved(value)
        name, layer, place = self.entry
        kept = getattr(self, name)[layer]
        moved = kept.detach().clone()
        moved[place] = value
        parameters = {"W": [*self.W], "b": [*self.b]}
        parameters[name][layer] = moved
        return self.batch_loss(
            self.Y, self.run(self.X, **parameters)[1][-1]
        ).detach()

    def updated(self, name: str, layer: int, of_batch: bool) -> Tensor:
        """A parameter after one step of torch's gradient descent."""
        if self.eta is None:
            raise EquationError("the text has not said what η is")
        parameter = getattr(self, name)[layer]
        loss = self.loss_of_batch if of_batch else self.loss
        (gradient,) = torch.autograd.grad(loss, parameter, retain_graph=True)
        return after_descent(parameter, gradient, lr=self.eta)

    @cached_property
    def all_contributions(self) -> list[Tensor | None]:
        return [None, *map(self.contributions, range(1, self.L + 1))]

    @cached_property
    def glorot_bounds(self) -> list[Tensor | None]:
        """The bounds within which torch draws the weights of its Xavier initialisation."""
        bounds: list[Tensor | None] = [None]
        for inputs, units in pairwise(self.layer_sizes):
            weights = torch.empty(units, inputs, dtype=torch.float64)
            uniform = torch.empty_like(weights)
            torch.nn.init.xavier_uniform_(
                weights, generator=torch.Generator().manual_seed(0)
            )
            uniform.uniform_(-1, 1, generator=torch.Generator().manual_seed(0))
            bounds.append((weights / uniform).mean())
        return bounds

    # Vectors and functions of no network, for the rules of calculus: t -> v -> u -> f,
    # and u depends on the number t too.

    @cached_property
    def general(self) -> dict[str, Tensor]:
        p, q, r = GENERAL["p"], GENERAL["q"], GENERAL["r"]
        t, number = self.leaf("vector t", p), self.leaf("number t")
        v = torch.sin(self.random("v", r, p) @ t)
        u = torch.tanh(self.random("u", q, r) @ v / 2)
        u = u + torch.sin(self.random("u of t", q) * number)
        f = torch.atan(self.random("f", q) @ u) + (u**3).sum()
        return {"vector t": t, "t": number, "v": v, "u": u, "f": f}

    @cached_property
    def lasting(self) -> list[Tensor]:
        lists = (self.W, self.b, self.z_in, self.z_out, self.Z_in, self.Z_out)
        losses = (self.loss, self.sum_of_losses, self.loss_of_batch)
        ours = [tensor for tensors in lists for tensor in tensors]
        kept = (*ours, self.x, self.X, *losses, *self.general.values())
        return [tensor for tensor in kept if tensor is not None]

    def moved(self, entry: tuple[str, int, tuple], step: float) -> "Network":
        """The same network, with an entry of a parameter for w, and a value for h."""
        other = copy(self)
        other.entry, other.step = entry, step
        other.loss_key = "loss of the batch"
        return other

    step: float | None = None

    def __str__(self):
        sizes = ", ".join(map(str, self.layer_sizes))
        far = "" if self.scale == 1 else f", numbers times {self.scale:g}"
        return f"layers of sizes {sizes}, n = {self.n}{far}"


class PencilNetwork(Network):
    """The network of a chapter's cell tagged `pencil`, and its one sample."""

    loss_key = "loss of a sample"

    def __init__(self, numbers: dict[str, list], learning_rate: float | None):
        depth = sum(name.startswith("W") for name in numbers)
        values = {
            name: torch.tensor(value, dtype=torch.float64)
            for name, value in numbers.items()
        }
        weights = [values[f"W{layer}"] for layer in range(1, depth + 1)]
        sizes = [weights[0].shape[0], *(weight.shape[1] for weight in weights)]
        activations = [torch.tanh] * (depth - 1) + [torch.sigmoid]
        super().__init__(
            sizes,
            1,
            0,
            activations,
            mean_squared_error,
            functional.mse_loss,
        )
        for layer in range(1, depth + 1):
            self.W[layer] = weights[layer - 1].requires_grad_()
            self.b[layer] = values[f"b{layer}"].requires_grad_()
        self.x, self.y = values["x"].requires_grad_(), values["y"]
        self.X, self.Y = self.x.unsqueeze(0), self.y.unsqueeze(0)
        self.eta = learning_rate
        for size, vector in zip([*sizes[1:], self.K], [*self.b[1:], self.y]):
            if vector.shape != (size,):
                raise ValueError(f"a vector of {size} numbers is {vector.tolist()}")
        self.forward()


def mean_squared_error(y: Tensor, z: Tensor) -> Tensor:
    """Of each sample, over its outputs."""
    return functional.mse_loss(z, y.expand_as(z), reduction="none").mean(dim=-1)


def random_losses(K: int, n: int, seed: int, mean: bool):
    """A loss of one sample that treats no two outputs alike, and can be negative; and
    one of the batch: their mean, or a function that is none of the samples' losses."""
    generator = torch.Generator().manual_seed(seed)
    a, b, c = torch.rand((3, K), generator=generator, dtype=torch.float64) + 0.5
    weights = torch.rand(n, generator=generator, dtype=torch.float64) + 0.5

    def sample_loss(y, z):
        squares = (a * (z - y) ** 2).sum(-1)
        return squares + torch.sin((b * z).sum(-1) * (c * y).sum(-1)) - 2

    def batch_loss(y, z):
        losses = sample_loss(y, z)
        if mean:
            return losses.mean()
        together = torch.sin(weights @ z @ b) * torch.cos(c @ z.T @ weights)
        return torch.logsumexp(weights * losses, dim=0) + together

    return sample_loss, batch_loss


def random_network(
    sizes: list[int], n: int, mean: bool, seed: int, scale: float = 1.0
) -> Network:
    losses = random_losses(sizes[-1], n, seed, mean)
    shuffled = random.Random(seed).sample(ACTIVATIONS, len(ACTIVATIONS))
    functions, (of_sample, of_batch) = shuffled[: len(sizes) - 1], losses
    return Network(sizes, n, seed, functions, of_sample, of_batch, scale=scale)


def package_network(depth: int, seed: int) -> Network:
    """A random network of the package, with random biases."""
    *sizes, n = random.Random(seed).sample(range(2, 9), depth + 2)
    net = NeuralNetwork(sizes[0], sizes[-1], sizes[1:-1], seed=seed)
    network = Network(
        sizes,
        n,
        seed,
        [torch.tanh] * (depth - 1) + [torch.sigmoid],
        mean_squared_error,
        functional.mse_loss,
        net,
        torch.sigmoid,  # labels, as the package expects them
    )
    for layer, neuron in enumerate(net.layers, start=1):
        neuron.linear.weight = network.W[layer].detach().clone()
        neuron.linear.bias = network.b[layer].detach().clone()
    return network


@cache
def networks() -> tuple[Network, ...]:
    """The networks in which every equation is tried. Deep ones come first: they
    refute the most."""
    ours = [
        random_network(sizes, n, mean, 10 * len(sizes) + mean)
        for (*sizes, n), mean in zip(SIZES, cycle((False, True)))
    ]
    return (*ours, *(package_network(depth, 100 + depth) for depth in (4, 3, 2, 1)))


@cache
def far_networks() -> tuple[Network, ...]:
    """Those in which inequalities are tried as well, and what has kinks."""
    return tuple(
        random_network(sizes, n, False, 200, scale)
        for scale in SCALES
        for *sizes, n in SIZES[1::3]
    )

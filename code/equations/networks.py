"""Random networks in which equations are evaluated, and what their symbols mean there.

Every meaning is a definition, or a derivative that automatic differentiation takes
of one. None of the book's results is used.
"""

import random
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from itertools import pairwise

import torch
from backprop import NeuralNetwork
from torch import Tensor
from torch.nn import functional

DEPTHS = (1, 2, 3, 4)

# Smooth, and different, so that no activation passes for that of another layer.
ACTIVATIONS: list[Callable[[Tensor], Tensor]] = [
    torch.tanh,
    torch.sigmoid,
    torch.sin,
    torch.atan,
    functional.softplus,
]


class Network:
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
        generator: torch.Generator,
        activations: Sequence[Callable[[Tensor], Tensor]],
        sample_loss: Callable[[Tensor, Tensor], Tensor],
        batch_loss: Callable[[Tensor, Tensor], Tensor],
        net: NeuralNetwork | None = None,
    ):
        self.L, self.sizes, self.n, self.K = len(sizes) - 1, sizes, n, sizes[-1]
        self.generator, self.net = generator, net
        self.activations = [None, *activations]
        self.sample_loss, self.batch_loss = sample_loss, batch_loss
        shapes = list(pairwise(sizes))
        # Divided, so that no activation is saturated and no slope is near 0.
        weights = [self.random(*shape) / shape[0] ** 0.5 for shape in shapes]
        self.W = [None, *(weight.requires_grad_() for weight in weights)]
        self.b = [None, *(self.leaf(shape[1]) for shape in shapes)]
        self.x, self.X = self.leaf(sizes[0]), self.leaf(n, sizes[0])
        self.y, self.Y = self.random(self.K), self.random(n, self.K)
        self.eta = 0.1 + 0.8 * torch.rand((), generator=generator).item()
        self.directions: dict[tuple, Tensor] = {}
        self.jacobians: dict[tuple[int, int], Tensor] = {}
        self.forward()

    def random(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator, dtype=torch.float64)

    def leaf(self, *shape: int) -> Tensor:
        return self.random(*shape).requires_grad_()

    def forward(self) -> None:
        """Compute z_in, z_out of the sample and Z_in, Z_out of the batch."""
        self.z_in, self.z_out = self.run(self.x)
        self.Z_in, self.Z_out = self.run(self.X)

    def run(self, inputs: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        z_in: list[Tensor | None] = [None]
        z_out = [inputs]
        for layer in range(1, self.L + 1):
            z_in.append(
                functional.linear(z_out[-1], self.W[layer].T, self.b[layer])
            )
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

    def loss_moved(
        self, layer: int, name: str, place: tuple, value: Tensor
    ) -> Tensor:
        """The loss of the batch, with one entry of a parameter set to a value."""
        kept = getattr(self, name)[layer]
        moved = kept.detach().clone()
        moved[place] = value
        getattr(self, name)[layer] = moved
        try:
            return self.batch_loss(self.Y, self.run(self.X)[1][-1])
        finally:
            getattr(self, name)[layer] = kept

    def updated(self, name: str, layer: int) -> Tensor:
        """A parameter after one step of torch's gradient descent."""
        parameter = getattr(self, name)[layer].detach().clone().requires_grad_()
        loss = self.loss if self.net_has_one_sample else self.loss_of_batch
        optimizer = torch.optim.SGD([parameter], lr=self.eta)
        (parameter.grad,) = torch.autograd.grad(
            loss, getattr(self, name)[layer], retain_graph=True
        )
        optimizer.step()
        return parameter.detach()

    net_has_one_sample = False

    def direction(self, key: tuple, like: Tensor) -> Tensor:
        """A small change of a quantity: a random direction, the same at each use."""
        if key not in self.directions:
            self.directions[key] = self.random(*like.shape)
        return self.directions[key]

    @cached_property
    def glorot_bounds(self) -> list[Tensor | None]:
        """The bounds within which torch draws the weights of its Xavier initialisation."""
        bounds: list[Tensor | None] = [None]
        for inputs, units in pairwise(self.sizes):
            weights = torch.empty(units, inputs, dtype=torch.float64)
            uniform = torch.empty_like(weights)
            torch.nn.init.xavier_uniform_(
                weights, generator=torch.Generator().manual_seed(0)
            )
            uniform.uniform_(-1, 1, generator=torch.Generator().manual_seed(0))
            bounds.append((weights / uniform).mean())
        return bounds

    # Vectors and functions of no network, for the rules of calculus: t -> v -> u -> f,
    # and u depends on the number t too. Their sizes are others beside each network.

    @cached_property
    def general(self) -> dict[str, Tensor]:
        others = [size for size in range(2, 9) if size != self.n]
        drawn = random.Random(str(self)).sample(others, 3)
        sizes = dict(zip(("vector t", "v", "u"), drawn))
        t, number = self.leaf(sizes["vector t"]), self.leaf()
        v = torch.sin(self.random(sizes["v"], sizes["vector t"]) @ t)
        u = torch.tanh(self.random(sizes["u"], sizes["v"]) @ v / 2)
        u = u + torch.sin(self.random(sizes["u"]) * number)
        f = torch.atan(self.random(sizes["u"]) @ u) + (u**3).sum()
        return {"vector t": t, "t": number, "v": v, "u": u, "f": f}

    @cached_property
    def lasting(self) -> set[int]:
        """The tensors that live as long as the network, by identity."""
        lists = (self.W, self.b, self.z_in, self.z_out, self.Z_in, self.Z_out)
        losses = (self.loss, self.sum_of_losses, self.loss_of_batch)
        ours = [tensor for tensors in lists for tensor in tensors]
        return {id(tensor) for tensor in (*ours, *losses, *self.general.values())}

    def size_name(self, size: int) -> str:
        names = [f"N^({k})" for k, N in enumerate(self.sizes) if N == size]
        return "n" if size == self.n and not names else " = ".join(names)

    def __str__(self):
        sizes = ", ".join(map(str, self.sizes))
        return f"layers of sizes {sizes}, n = {self.n}"


class PencilNetwork(Network):
    """The network of a chapter's cell tagged `pencil`, and its one sample."""

    net_has_one_sample = True

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
            torch.Generator().manual_seed(0),
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


def random_losses(K: int, n: int, generator: torch.Generator, mean: bool):
    """A loss of one sample that treats no two outputs alike, and one of the batch:
    their mean, or a function that is no sum over samples."""
    a, b, c = torch.rand((3, K), generator=generator, dtype=torch.float64) + 0.5
    weights = torch.rand(n, generator=generator, dtype=torch.float64) + 0.5

    def sample_loss(y, z):
        return (a * (z - y) ** 2).sum(-1) + torch.sin(
            (b * z).sum(-1) * (c * y).sum(-1)
        )

    def batch_loss(y, z):
        losses = sample_loss(y, z)
        return losses.mean() if mean else torch.logsumexp(weights * losses, dim=0)

    return sample_loss, batch_loss


def random_network(depth: int, mean: bool, seed: int) -> Network:
    """All sizes at least 2, different from each other and from the batch size."""
    shuffled = random.Random(seed)
    *sizes, n = shuffled.sample(range(2, 9), depth + 2)
    generator = torch.Generator().manual_seed(seed)
    losses = random_losses(sizes[-1], n, generator, mean)
    activations = shuffled.sample(ACTIVATIONS, depth)
    return Network(sizes, n, generator, activations, *losses)


def package_network(depth: int, seed: int) -> Network:
    """A random network of the package, with random biases."""
    *sizes, n = random.Random(seed).sample(range(2, 9), depth + 2)
    net = NeuralNetwork(sizes[0], sizes[-1], sizes[1:-1], seed=seed)
    network = Network(
        sizes,
        n,
        torch.Generator().manual_seed(seed),
        [torch.tanh] * (depth - 1) + [torch.sigmoid],
        mean_squared_error,
        functional.mse_loss,
        net,
    )
    network.Y = torch.sigmoid(network.Y)  # labels, as the package expects them
    network.y = torch.sigmoid(network.y)
    for layer, neuron in enumerate(net.layers, start=1):
        neuron.linear.weight = network.W[layer].detach().clone()
        neuron.linear.bias = network.b[layer].detach().clone()
    return network


@cache
def networks() -> tuple[Network, ...]:
    """The networks in which every equation is tried. Deep ones come first: they
    refute the most."""
    deepest = sorted(DEPTHS, reverse=True)
    ours = [
        random_network(depth, mean, 10 * depth + mean)
        for depth in deepest
        for mean in (False, True)
    ]
    return (*ours, *(package_network(depth, 100 + depth) for depth in deepest))

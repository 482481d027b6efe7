"""Worlds beside the feed-forward network of the book, each a table of its symbols."""

from itertools import product

import torch
from torch.nn import functional

from .classifiers import CLASSIFIER
from .feedforward import FEEDFORWARD
from .tables import defined, derivative, leaf, loss, size, world_of_table
from .world import LOSS, World, after_descent, descend


def some_loss(*arguments: str):
    """A loss that treats no two of its arguments' elements alike, so that no formula
    holds by symmetry, and that can be negative."""

    def value(model):
        parts = [
            (
                model.random(f"loss of {name}", *model[name].shape)
                * torch.sin(model[name])
            ).sum()
            + (model[name] ** 2).sum() / 3
            for name in arguments
        ]
        return torch.stack(parts).sum() - 2

    return loss("loss", value)


def positive(drawn):
    return drawn.abs() + 0.5


SOFTMAX = world_of_table(
    "softmax",
    [
        size("K", "classes", "class"),
        leaf("a", "K", "logits"),
        leaf("y", "K", "labels, which add up to 1", lambda drawn: torch.softmax(drawn, 0)),
        defined("p", "K", "probabilities", lambda m: torch.softmax(m["a"], 0)),
        loss("cross-entropy", lambda m: -(m["y"] * m["p"].log()).sum(), name="CE", word="CE", arguments=("y", "p")),
        some_loss("p"),
    ],
    ones="K",
)  # fmt: skip

RELU = world_of_table(
    "relu",
    [
        size("m", "units", "unit"),
        leaf("a", "m", "pre-activations"),
        defined("z", "m", "outputs", lambda m: torch.relu(m["a"])),
        some_loss("z"),
        derivative("delta", "m", "deltas", "a"),
    ],
)  # fmt: skip


def data_gradient(model):
    (gradient,) = torch.autograd.grad(model["data"], model["W"], retain_graph=True)
    return gradient


def decayed(model, *_):
    """Weights after a step of torch's gradient descent with weight decay."""
    rates = {"lr": model["eta"].item(), "weight_decay": model["lambda"].item()}
    return after_descent(model["W"], data_gradient(model), **rates)


def gathered(model, *_):
    """What torch's gradient descent keeps as momentum, after a step."""
    weights, buffer = model["W"].detach().clone(), model["M"].detach().clone()
    descend(weights, data_gradient(model), buffer, model["mu"].item(), lr=1.0)
    return buffer


DECAY = world_of_table(
    "weight_decay",
    [
        size("m", "inputs", "input"),
        size("r", "outputs", "output"),
        leaf("W", "m r", "weights", after=decayed),
        leaf("M", "m r", "momentum", after=gathered),
        leaf("x", "m", "inputs"),
        leaf("eta", "", "learning rate", positive),
        leaf("lambda", "", "weight decay", positive),
        leaf("mu", "", "share of the momentum that is kept", positive),
        defined("z", "r", "outputs", lambda m: torch.tanh(m["W"].T @ m["x"])),
        loss("loss without the penalty", lambda m: (m["z"] ** 2 * m.random("loss", m.sizes["r"])).sum() - 2, name="data", word="data"),
        loss("loss with the penalty", lambda m: m["data"] + m["lambda"] / 2 * (m["W"] ** 2).sum()),
    ],
)  # fmt: skip


def over_starts(model, of):
    """The mean square, or that of a function, of what goes into a unit without bias: over
    all signs that weights of equal size can have."""
    m = model.sizes["m"]
    signs = torch.tensor(list(product((-1.0, 1.0), repeat=m)), dtype=torch.float64)
    return of(model["v"].sqrt() * (signs @ model["x"])).square().mean()


def some_steps(model):
    """Steps of torch's gradient descent with momentum along the rows of ``g``: all
    parameters, and what is kept as momentum, at the start and after each."""
    w, u = ([model.drawn(name, model.sizes["p"])] for name in "wu")
    for gradient in model["g"]:
        w.append(w[-1].clone())
        u.append(u[-1].clone())
        descend(w[-1], gradient, u[-1], model["mu"].item(), model["eta"].item())
    return {"w": torch.stack(w), "u": torch.stack(u)}


DIGITS = world_of_table(
    "digits",
    [
        size("m", "outputs of the layer before", "input"),
        size("r", "units of the layer", "unit"),
        size("p", "parameters", "parameter"),
        size("k", "steps", "step"),
        leaf("W", "m r", "weights", after=decayed),
        leaf("b", "r", "biases"),
        leaf("x", "m", "outputs of the layer before"),
        leaf("v", "", "variance of the initial weights", positive, bold=False),
        leaf("eta", "", "learning rate", positive),
        leaf("lambda", "", "weight decay", positive),
        leaf("mu", "", "share of the sum of gradients that is kept", positive),
        defined("z", "r", "pre-activations", lambda m: m["W"].T @ m["x"] + m["b"], name="z_in", part="in"),
        defined("z", "r", "outputs", lambda m: torch.relu(m["z_in"]), name="z_out", part="out"),
        defined("q", "", "mean square of what goes into a unit, over all starts", lambda m: over_starts(m, torch.clone), name="q_in", part="in"),
        defined("q", "", "the same for what comes out of it", lambda m: over_starts(m, torch.relu), name="q_out", part="out"),
        loss("loss without the penalty", lambda m: (torch.sin(m["z_out"]) * m.random("loss", m.sizes["r"]) + m["z_out"] ** 2).sum() - 2, name="data", word="data"),
        loss("loss with the penalty", lambda m: m["data"] + m["lambda"] / 2 * (m["W"] ** 2).sum()),
        derivative("delta", "r", "deltas", "z_in"),
        defined("g", "k p", "gradients, one row a step", lambda m: m.drawn("g", m.sizes["k"] + 3, m.sizes["p"]), first=-1),
        defined("steps", "", "parameters and sums", some_steps),
        defined("u", "k p", "sums of the gradients up to a step, in which old ones fade, one row a step", lambda m: m["steps"]["u"], first=-2),
        defined("w", "k p", "all parameters after each step, one row a step", lambda m: m["steps"]["w"], first=-2),
    ],
)  # fmt: skip

IDENTITY = defined("I", "any any", "identity matrix, of the size that fits", lambda m: torch.ones(1, 1, dtype=torch.float64))  # fmt: skip

RESIDUAL = world_of_table(
    "residual",
    [
        size("m", "units", "unit"),
        leaf("W", "m m", "weights"),
        leaf("x", "m", "inputs of the block"),
        defined("a", "m", "pre-activations", lambda m: m["W"].T @ m["x"]),
        defined("y", "m", "outputs of the block", lambda m: m["x"] + torch.tanh(m["a"])),
        some_loss("y"),
        derivative("delta", "m", "deltas", "a"),
        IDENTITY,
    ],
)  # fmt: skip

CONVOLUTION = world_of_table(
    "convolution",
    [
        size("m", "places", "place"),
        size("r", "shared weights", "weight"),
        size("n", "inputs", "input"),
        leaf("w", "r", "shared weights"),
        leaf("x", "n", "inputs"),
        defined("y", "m", "outputs", lambda m: functional.conv1d(m["x"][None, None], m["w"][None, None])[ 0, 0 ]),
        some_loss("y"),
    ],
    {"n": lambda sizes: sizes["m"] + sizes["r"] - 1},
)  # fmt: skip

BATCH_NORMALISATION = world_of_table(
    "batch_normalisation",
    [
        size("n", "samples", "sample"),
        size("m", "units", "unit"),
        leaf("z", "n m", "pre-activations"),
        leaf("gamma", "m", "scales"),
        leaf("beta", "m", "shifts"),
        leaf("epsilon", "", "a small number", lambda drawn: drawn.abs() / 10 + 0.01),
        defined("mu", "m", "means", lambda m: m["z"].mean(0)),
        defined("v", "m", "variances", lambda m: m["z"].var(0, correction=0)),
        defined("hat z", "n m", "normalised", lambda m: (m["z"] - m["mu"]) / (m["v"] + m["epsilon"]).sqrt()),
        defined("y", "n m", "outputs", lambda m: m["gamma"] * m["hat z"] + m["beta"]),
        some_loss("y"),
    ],
)  # fmt: skip

ATTENTION = world_of_table(
    "attention",
    [
        size("n", "queries", "query"),
        size("r", "keys", "key"),
        size("m", "numbers in a query"),
        size("q", "numbers in a value"),
        leaf("Q", "n m", "queries", row=True),
        leaf("K", "r m", "keys", row=True),
        leaf("V", "r q", "values", row=True),
        defined("S", "n r", "scores", lambda m: m["Q"] @ m["K"].T / m.sizes["m"] ** 0.5, row=True),
        defined("P", "n r", "shares", lambda m: torch.softmax(m["S"], 1), row=True),
        defined("O", "n q", "outputs", lambda m: m["P"] @ m["V"], row=True),
        some_loss("O"),
    ],
)  # fmt: skip


def recurrent(model):
    """States h from h_0 on, and what goes into them, one row for each time."""
    states, sums = [model["h_0"]], []
    for x, added in zip(model["x"], model["added"]):
        sums.append(model["U"] @ states[-1] + model["W"] @ x + model["b"] + added)
        states.append(torch.tanh(sums[-1]))
    return {"h": torch.stack(states), "a": torch.stack(sums)}


RECURRENCE = world_of_table(
    "recurrence",
    [
        size("T", "times", "time"),
        size("m", "units", "unit"),
        size("r", "inputs", "input"),
        leaf("U", "m m", "weights from state to state", lambda drawn: drawn / 3),
        leaf("W", "m r", "weights of the inputs"),
        leaf("b", "m", "biases"),
        leaf("h_0", "m", "first state"),
        leaf("x", "T r", "inputs"),
        leaf("added", "T m", "zeros, to differentiate by", lambda drawn: 0 * drawn),
        defined("run", "", "states and sums", recurrent),
        defined("a", "T m", "pre-activations", lambda m: m["run"]["a"]),
        defined("h", "T m", "states", lambda m: m["run"]["h"], first=0),
        some_loss("h"),
        derivative("delta", "T m", "deltas", "added"),
        IDENTITY,
    ],
    counts={"t": "T"},
)  # fmt: skip

GRAPH = world_of_table(
    "graph",
    [
        size("n", "samples", "sample"),
        size("m", "inputs of a layer", "input"),
        size("r", "units of a layer", "unit"),
        size("q", "numbers before a fork"),
        leaf("X", "n m", "inputs", row=True),
        leaf("W", "m r", "weights"),
        leaf("b", "r", "biases"),
        leaf("Y", "n r", "labels", row=True),
        defined("P", "n r", "product", lambda m: m["X"] @ m["W"], row=True),
        defined("R", "n r", "biases, once for each sample", lambda m: m["b"].expand(m.sizes["n"], -1), row=True),
        defined("S", "n r", "sum", lambda m: m["P"] + m["R"], row=True),
        defined("T", "n r", "outputs", lambda m: torch.tanh(m["S"]), row=True),
        defined("E", "n r", "errors", lambda m: m["T"] - m["Y"], row=True),
        defined("Q", "n r", "squared errors", lambda m: m["E"] * m["E"], row=True),
        leaf("H", "n m", "inputs of a block", row=True),
        leaf("V", "m r", "weights that a block uses twice"),
        defined("A", "n r", "pre-activations of a block", lambda m: m["H"] @ m["V"], row=True),
        defined("F", "n r", "hidden outputs of a block", lambda m: torch.tanh(m["A"]), row=True),
        defined("B", "n m", "what a block adds", lambda m: m["F"] @ m["V"].T, row=True),
        defined("G", "n m", "outputs of a block", lambda m: m["H"] + m["B"], row=True),
        leaf("v", "q", "what is used twice"),
        defined("u", "m", "its first use", lambda m: torch.sin(m.random("u", m.sizes["m"], m.sizes["q"]) @ m["v"])),
        defined("w", "r", "its second use", lambda m: torch.tanh(m.random("w", m.sizes["r"], m.sizes["q"]) @ m["v"])),
        some_loss("Q", "G", "u", "w"),
    ],
    ones="n",
)  # fmt: skip


def assigned(drawn):
    """Each sample to one process, and at least one sample to each."""
    chosen = drawn.abs().argmax(dim=0)
    chosen[: len(drawn)] = torch.arange(len(drawn)).flip(0)
    return functional.one_hot(chosen, len(drawn)).T.to(drawn)


def losses_of_samples(model):
    """That treat no two samples or parameters alike."""
    inputs = model.random("inputs", model.sizes["n"], model.sizes["D"])
    return torch.sin(inputs @ model["theta"]) + (inputs * model["theta"]) ** 2 @ (
        model.random("weights", model.sizes["D"])
    )


def gradients_of_shards(model):
    """Of the mean loss of the samples of each process."""
    means = [
        losses_of_samples(model)[mine > 0].mean() for mine in model["a"].detach()
    ]
    return torch.stack(
        [torch.autograd.grad(mean, model["theta"])[0] for mean in means]
    )


def stepped(model, *_):
    """Parameters after a step of torch's gradient descent."""
    (gradient,) = torch.autograd.grad(
        model[LOSS], model["theta"], retain_graph=True
    )
    return after_descent(model["theta"], gradient, lr=model["eta"].item())


MACHINES = world_of_table(
    "machines",
    [
        size("P", "processes", "process"),
        size("D", "parameters", "parameter"),
        size("n", "samples of the batch", "sample"),
        leaf("theta", "D", "parameters, all in one column", after=stepped),
        leaf("a", "P n", "1 where a process has a sample, else 0", assigned, shares=0),
        leaf("eta", "", "learning rate", positive),
        defined("m", "P", "samples of each process", lambda m: m["a"].sum(1)),
        defined("c", "n", "loss of each sample", losses_of_samples),
        loss("loss of the batch", lambda m: m["c"].mean()),
        defined("g", "P D", "gradient of the mean loss of the samples of a process", gradients_of_shards),
    ],
    {"n": lambda sizes: sizes["P"] + sizes["D"]},
)  # fmt: skip

WORLDS: dict[str, World] = {
    world.name: world
    for world in (
        FEEDFORWARD,
        CLASSIFIER,
        SOFTMAX,
        RELU,
        DECAY,
        DIGITS,
        RESIDUAL,
        CONVOLUTION,
        BATCH_NORMALISATION,
        ATTENTION,
        RECURRENCE,
        GRAPH,
        MACHINES,
    )
}

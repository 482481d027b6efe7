"""What the taught package computes for the quantities of the page."""

import torch
from backprop import Linear, MSELoss, Sigmoid, TanH
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .evaluate import Evaluator, Value, as_quantity, picked, taken, whole
from .networks import Network
from .nodes import Derivative, Function, Gradient, Loss, Node, Quantity

# Where page and code differ by design.
ADAPTERS = {
    "bias": "a bias and its gradient are N × 1 on the page and 1-D in the code",
    "one sample": "a column of the page is the row of a batch of one in the code",
}


class Recorder(TorchFunctionMode):
    """Keeps every tensor that is computed while it is active."""

    def __init__(self):
        super().__init__()
        self.tensors: list[Tensor] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            self.tensors.append(result)
        return result


def package_value(evaluator: Evaluator, node: Node, updated: bool) -> Value | None:
    """The package's own value of a quantity, derivative or function on the page; None
    where it has none. ``updated`` asks for a parameter after a step."""
    network = evaluator.network
    if updated:
        return parameter_after_step(evaluator, as_quantity(node))
    match node:
        case Quantity(letter="z" | "Z" | "delta" | "Delta") if (
            node.layer is not None
        ):
            return layer_value(evaluator, node)
        case Quantity(letter="r") if node.layer is not None:
            return initial_bound(evaluator, node)
        case Derivative(of=Loss(arguments=(Quantity(indices=("s",)), _))):
            return None  # the package has no losses of single samples of a batch
        case Derivative(of=Loss() as loss, by=Quantity(letter="W" | "b") as by):
            return picked(parameter_gradient(evaluator, loss, by), by)
        case Gradient(of=Loss() as loss, by=Quantity(letter="W" | "b") as by):
            return whole(parameter_gradient(evaluator, loss, by))
        case Gradient(of=Loss(word="MSE"), by=Quantity(letter="Z", part="out")):
            return whole(MSELoss().gradient(network.Y, network.Z_out[-1].detach()))
        case Loss(word="MSE", arguments=(Quantity(letter="Y"), _)):
            return Value(MSELoss().forward(network.Y, network.Z_out[-1].detach()))
        case Function(name="tanh" | "sigmoid", primes=1):
            activation = TanH() if node.name == "tanh" else Sigmoid()
            argument = evaluator.value(node.argument)
            slopes = activation.derivative(activation.forward(argument.data))
            return Value(slopes, argument.indices, argument.matrix)
    return None


def batch(network: Network, letter: str) -> tuple[Tensor, Tensor]:
    """Samples and labels: the batch, or the one sample as a batch of one."""
    if letter in ("Z", "Delta", "Y"):
        return network.X.detach(), network.Y
    return network.x.detach().unsqueeze(0), network.y.unsqueeze(0)


def layer_value(evaluator: Evaluator, node: Quantity) -> Value | None:
    """Pre-activations and outputs of the forward pass, and deltas, which the
    backward pass computes and does not keep."""
    network, letter = evaluator.network, node.letter
    if letter in ("z", "delta") and node.indices[:1] == ("s",):
        return None
    layer = evaluator.layer(node.layer)
    net, (x, y) = network.net, batch(network, letter)
    outputs = net.forward_pass(x)
    if node.part == "out":
        found = outputs[layer]
    elif node.part == "in":
        found = net.layers[layer - 1].linear.forward(outputs[layer - 1])
    else:
        evaluator.tensor(node)  # raises where there is no such layer
        with Recorder() as recorder:
            net.backward_pass(outputs, y)
        found = delta_among(
            recorder.tensors, net.layers[layer - 1].linear.weight_grad
        )
    return picked(found[0] if letter in ("z", "delta") else found, node)


def delta_among(tensors: list[Tensor], weight_grad: Tensor) -> Tensor:
    """The tensor that was multiplied to give the gradient of the weights: the product
    is recorded right behind what it was computed from."""
    position = next(k for k, tensor in enumerate(tensors) if tensor is weight_grad)
    units = weight_grad.shape[1]
    return next(
        tensor
        for tensor in reversed(tensors[:position])
        if tensor.dim() == 2 and tensor.shape[1] == units
    )


def parameter_gradient(evaluator: Evaluator, loss: Loss, by: Quantity) -> Tensor:
    labels = as_quantity((loss.arguments or evaluator.bare_loss.arguments)[0])
    x, y = batch(evaluator.network, labels.letter)
    evaluator.tensor(by)  # raises where there is no such layer
    net = evaluator.network.net
    net.backward(x, y)
    linear = net.layers[evaluator.layer(by.layer) - 1].linear
    return linear.weight_grad if by.letter == "W" else linear.bias_grad


def parameter_after_step(evaluator: Evaluator, node: Quantity) -> Value:
    network, net = evaluator.network, evaluator.network.net
    evaluator.tensor(node)  # raises where there is no such layer
    linears = [layer.linear for layer in net.layers]
    kept = [(linear.weight.clone(), linear.bias.clone()) for linear in linears]
    net.backward(network.X.detach(), network.Y)
    net.apply_gradients(network.eta)
    linear = linears[evaluator.layer(node.layer) - 1]
    found = (linear.weight if node.letter == "W" else linear.bias).clone()
    for linear, (weight, bias) in zip(linears, kept):
        linear.weight, linear.bias = weight, bias
    return picked(found, node)


def initial_bound(evaluator: Evaluator, node: Quantity) -> Value:
    """The bound within which the package draws weights: they are the bound times
    uniform numbers, which the same seed gives again."""
    layer = evaluator.layer(node.layer)
    evaluator.tensor(node)  # raises where there is no such layer
    inputs, units = evaluator.network.sizes[layer - 1 : layer + 1]
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # the dtype of new weights
    try:
        linear = Linear(inputs, units, torch.Generator().manual_seed(0))
    finally:
        torch.set_default_dtype(before)
    uniform = torch.rand(
        (inputs, units),
        generator=torch.Generator().manual_seed(0),
        dtype=torch.float64,
    )
    bounds = linear.weight / (2 * uniform - 1)
    return taken(bounds.median(), ())

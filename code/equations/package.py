"""What the taught package computes for the quantities of the page."""

import torch
from backprop import Linear, MSELoss, NeuralNetwork, Sigmoid, TanH
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .evaluate import Evaluator
from .feedforward import BACKWARD, FORWARD
from .networks import Network
from .nodes import Derivative, Function, Gradient, Loss, Node, Quantity
from .values import Value, whole
from .world import Symbol

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
    network = evaluator.model
    if not isinstance(network, Network) or network.net is None:
        return None
    found = Counterparts(evaluator, network)
    match node:
        case Quantity() if updated:
            return found.parameter_after_step(node)
        case Quantity():
            return found.quantity(node)
        case Derivative(of=Loss() as loss, by=Quantity() as by):
            return found.gradient(loss, by, False)
        case Gradient(of=Loss() as loss, by=Quantity() as by):
            return found.gradient(loss, by, True)
        case Loss():
            return found.loss(node)
        case Function(name="tanh" | "sigmoid", primes=1):
            activation = TanH() if node.name == "tanh" else Sigmoid()
            return evaluator.value(node.argument).mapped(
                lambda data: activation.derivative(activation.forward(data))
            )
    return None


class Counterparts:
    """What the package has for the rows of the table of symbols."""

    def __init__(self, evaluator: Evaluator, network: Network):
        self.evaluator, self.network = evaluator, network
        assert network.net is not None
        self.net: NeuralNetwork = network.net

    def batch(self, symbol: Symbol) -> tuple[Tensor, Tensor]:
        """Samples and labels: the batch, or the one sample as a batch of one."""
        if symbol.axes[0] == "n":
            return self.network.X.detach(), self.network.Y
        return self.network.x.detach().unsqueeze(0), self.network.y.unsqueeze(0)

    def layer(self, node: Quantity) -> int:
        self.evaluator.tensor(node)  # raises where there is no such layer
        assert node.layer is not None
        return self.evaluator.layer(node.layer)

    def picked(self, tensor: Tensor, node: Quantity) -> Value:
        _, axes, symbol = self.evaluator.tensor(node)
        return self.evaluator.picked(tensor, axes, node, symbol)

    def quantity(self, node: Quantity) -> Value | None:
        """Pre-activations and outputs of the forward pass; deltas, which the backward
        pass computes and does not keep; the bounds of initial weights."""
        symbol = self.evaluator.symbol(node)
        if symbol.package == "Linear":
            return self.initial_bound(self.layer(node))
        if symbol.package not in (FORWARD, BACKWARD):
            return None
        layer, (x, y) = self.layer(node), self.batch(symbol)
        outputs = self.net.forward_pass(x)
        if symbol.package == BACKWARD:
            with Recorder() as recorder:
                self.net.backward_pass(outputs, y)
            gradient = self.net.layers[layer - 1].linear.weight_grad
            assert gradient is not None
            found = delta_among(recorder.tensors, gradient)
        elif node.part == "out":
            found = outputs[layer]
        else:
            found = self.net.layers[layer - 1].linear.forward(outputs[layer - 1])
        return self.picked(found if symbol.axes[0] == "n" else found[0], node)

    def loss(self, node: Loss) -> Value | None:
        symbol, _ = self.evaluator.loss(node)
        if symbol.package != "MSELoss":
            return None
        outputs = self.network.Z_out[-1].detach()
        return Value(MSELoss().forward(self.network.Y, outputs))

    def gradient(self, of: Loss, by: Quantity, is_whole: bool) -> Value | None:
        """Of the weights and biases; and of the loss by the outputs of the batch."""
        loss, samples = self.evaluator.loss(of)
        symbol = self.evaluator.symbol(by)
        if samples:
            return None  # the package has no losses of single samples of a batch
        if symbol.key == "Z_out" and loss.package == "MSELoss" and is_whole:
            outputs = self.network.Z_out[-1].detach()
            found = MSELoss().gradient(self.network.Y, outputs)
        elif not symbol.package.startswith("linear."):
            return None
        else:
            labels = self.evaluator.model.world.named(loss.arguments[0])
            self.net.backward(*self.batch(labels))
            linear = self.net.layers[self.layer(by) - 1].linear
            found = getattr(linear, f"{symbol.package.partition('.')[2]}_grad")
        if is_whole:
            return whole(found, self.evaluator.tensor(by)[1])
        return self.picked(found, by)

    def parameter_after_step(self, node: Quantity) -> Value:
        name = self.evaluator.symbol(node).package.partition(".")[2]
        linears = [layer.linear for layer in self.net.layers]
        kept = [(linear.weight.clone(), linear.bias.clone()) for linear in linears]
        world = self.evaluator.model.world
        self.net.backward(
            *self.batch(world.named("Y" if self.evaluator.of_batch else "y"))
        )
        self.net.apply_gradients(self.network.eta or 0.0)
        found = getattr(linears[self.layer(node) - 1], name).clone()
        for linear, (weight, bias) in zip(linears, kept):
            linear.weight, linear.bias = weight, bias
        return self.picked(found, node)

    def initial_bound(self, layer: int) -> Value:
        """The bound within which the package draws weights: they are the bound times
        uniform numbers, which the same seed gives again."""
        inputs, units = self.network.layer_sizes[layer - 1 : layer + 1]
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
        return Value((linear.weight / (2 * uniform - 1)).median())


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

"""Checks of what the caller passes in. Each message says what was expected, what came
and what to do. Layers are objects with a ``linear`` that holds ``weight`` and ``bias``.
"""

import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor


def sizes(**named: Any) -> None:
    """Positive whole numbers."""
    for name, size in named.items():
        if isinstance(size, bool) or not isinstance(size, Integral):
            raise TypeError(
                f"{name} must be a positive whole number; got {size!r}."
            )
        if size < 1:
            raise ValueError(f"{name} must be a positive whole number; got {size}.")


def architecture(input_size: Any, output_size: Any, hidden_sizes: Any) -> None:
    """The sizes of the layers of a network."""
    sizes(input_size=input_size, output_size=output_size)
    if isinstance(hidden_sizes, str) or not isinstance(hidden_sizes, Sequence):
        raise TypeError(
            "hidden_sizes must be a list or tuple of sizes, such as [5, 3] or []; "
            f"got {hidden_sizes!r}."
        )
    sizes(**{f"hidden_sizes[{i}]": size for i, size in enumerate(hidden_sizes)})


def kinds(**named: Any) -> None:
    """Classes of activations, and of a loss."""
    for name, kind in named.items():
        method, example = (
            ("gradient", "MSELoss") if name == "loss" else ("derivative", "TanH")
        )
        has_both = hasattr(kind, "forward") and hasattr(kind, method)
        if not isinstance(kind, type) or not has_both:
            raise TypeError(
                f"{name} must be a class with the methods forward and {method}, such "
                f"as {example}; got {kind!r}."
            )


def generator(seed: Any) -> torch.Generator | None:
    """The generator of a seed: a whole number, a generator (returned as it is) or
    None.
    """
    if seed is None or isinstance(seed, torch.Generator):
        return seed
    if isinstance(seed, bool) or not isinstance(seed, Integral):
        raise TypeError(
            f"seed must be a whole number, a torch.Generator or None; got {seed!r}."
        )
    return torch.Generator().manual_seed(int(seed))


def learning_rate(value: Any, layers: Sequence) -> Any:
    """A positive number that is finite in the dtype of the network, as a float. For R
    networks at once a tensor (R,) will do, and becomes (R, 1, 1).
    """
    weight = layers[0].linear.weight
    return number_of_each("the learning rate", value, weight, "positive")


def number_of_each(name: str, value: Any, like: Tensor, sign: str) -> Any:
    """A finite number as a float; if ``like`` is (R, ., .) a tensor (R,) will do, and
    becomes (R, 1, 1).
    """
    copies = like.shape[:-2]
    if isinstance(value, Tensor) and copies:
        if value.shape != copies or not value.is_floating_point():
            raise ValueError(
                f"{name} must be a number, or a floating-point tensor of shape "
                f"{tuple(copies)} with one for each network; got {value.dtype} of "
                f"shape {tuple(value.shape)}."
            )
        numbers: Iterable = value
    elif isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a {sign}, finite number; got {value!r}.")
    else:
        numbers = [value]
    largest = torch.finfo(like.dtype).max
    for number in numbers:
        if not (0 <= number <= largest) or (number == 0 and sign == "positive"):
            raise ValueError(
                f"{name} must be {sign}, finite and at most {largest:.4g}; "
                f"got {number}."
            )
    if isinstance(value, Tensor):
        return value.to(like)[:, None, None]
    return float(value)


def same_shape(y: Tensor, prediction: Tensor) -> None:
    """Labels and predictions of one shape; torch would broadcast unequal ones."""
    if y.shape != prediction.shape:
        raise ValueError(
            f"y has shape {tuple(y.shape)}, the predictions have "
            f"{tuple(prediction.shape)}; they must be equal. Reshape y, for example "
            "with y.squeeze(-1) or y.unsqueeze(-1)."
        )


def labels_of_each(y: Tensor, prediction: Tensor) -> None:
    """`same_shape`, where predictions may be those of many networks, (R, n, K)."""
    same_shape(y, prediction[0] if prediction.ndim == 3 else prediction)


def network(net: Any, call: str = "train(x, y, net, epochs, lr)") -> None:
    """A network; a tensor in its place is one in the wrong place."""
    if not hasattr(net, "layers"):
        raise TypeError(
            f"net must be a NeuralNetwork; got {type(net).__name__}. "
            f"The order is {call}."
        )


def share(name: str, value: Any) -> float:
    """A number from 0 to below 1."""
    what = f"{name} must be a number from 0 to below 1; got {value!r}."
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(what)
    number = float(value)
    if not 0 <= number < 1:
        raise ValueError(what)
    return number


def samples(x: Any, sizes: Sequence[int], layers: Sequence) -> None:
    """A batch (n, sizes[0]) of finite numbers, for layers whose parameters fit."""
    _parameters(sizes, layers)
    _numbers("x", x, layers[0].linear.weight)
    if x.ndim != 2:
        hint = (
            " A single sample enters as one row: x.unsqueeze(0)."
            if x.ndim == 1
            else ""
        )
        raise ValueError(
            f"x must have shape (n, {sizes[0]}), one row a sample; "
            f"got {tuple(x.shape)}.{hint}"
        )
    if x.shape[1] != sizes[0]:
        raise ValueError(
            f"x must have {sizes[0]} features in each row; got shape {tuple(x.shape)}."
        )
    if len(x) == 0:
        raise ValueError("x has no samples; pass at least one row.")


def batch(x: Any, y: Any, sizes: Sequence[int], layers: Sequence) -> Tensor:
    """Samples, and labels of the shape of their predictions; the labels as (n, K)."""
    samples(x, sizes, layers)
    _numbers("y", y, layers[0].linear.weight)
    shape = (len(x),) if sizes[-1] == 1 else (len(x), sizes[-1])
    if y.shape != shape:
        raise ValueError(
            f"y must have the shape of the predictions, {shape}; "
            f"got {tuple(y.shape)}. {_hint(y.shape, shape)}"
        )
    return y.reshape(len(x), sizes[-1])


def _hint(came: Sequence[int], expected: Sequence[int]) -> str:
    """What to do with labels of another shape."""
    if [s for s in came if s > 1] == [s for s in expected if s > 1]:
        return f"If the values are right, use y.reshape({expected})."
    if (*reversed(came),) == (*expected,):
        return "Rows and columns are swapped: use y.T."
    each = "one label" if len(expected) == 1 else f"a row of {expected[1]} labels"
    return f"Each sample needs {each}."


def gradients(sizes: Sequence[int], layers: Sequence) -> None:
    """Parameters that fit, and for each a gradient of its shape, dtype and device."""
    _parameters(sizes, layers)
    for number, layer in enumerate(layers, start=1):
        for name in ("weight", "bias"):
            parameter = getattr(layer.linear, name)
            gradient = getattr(layer.linear, f"{name}_grad")
            if gradient is None:
                raise RuntimeError(
                    f"{name}_grad of layer {number} is missing; "
                    "call backward(x, y) before."
                )
            if not isinstance(gradient, Tensor):
                raise TypeError(
                    f"{name}_grad of layer {number} must be a torch tensor; "
                    f"got {type(gradient).__name__}. Call backward(x, y) again."
                )
            if _kind(gradient) != _kind(parameter):
                raise ValueError(
                    f"{name}_grad of layer {number} must be as {name}, "
                    f"{_kind(parameter)}; got {_kind(gradient)}. "
                    "Call backward(x, y) again."
                )


def loss(value: Tensor, epoch: int) -> None:
    """A finite loss. Those of many networks, (R,), may differ, and pass: what becomes
    of them is told at the end of a training, by `lost_networks`.
    """
    if value.ndim == 0 and not math.isfinite(value):
        raise FloatingPointError(
            f"The loss is {value:.4g} in epoch {epoch}; try a smaller learning "
            "rate, or look for huge values in the labels and the weights."
        )


def lost_networks(losses: Tensor) -> None:
    """Warn of the networks whose losses (epochs, R) are not all finite."""
    is_lost = ~losses.isfinite()
    if is_lost.any():
        epochs = is_lost.int().argmax(dim=0)
        lost = is_lost.any(dim=0).nonzero().flatten()
        named = [f"{index} (epoch {epochs[index]})" for index in lost]
        warnings.warn(
            f"The loss of {len(lost)} of {len(epochs)} networks is not finite, from "
            f"the epoch in brackets on: {', '.join(named)}.",
            RuntimeWarning,
            stacklevel=3,
        )


@contextmanager
def undone_on_error(layers: Sequence) -> Iterator[None]:
    """Put parameters and gradients back if an error ends the block."""
    linears = [layer.linear for layer in layers]
    before = [
        (p.weight.clone(), p.bias.clone(), p.weight_grad, p.bias_grad)
        for p in linears
    ]
    try:
        yield
    except Exception:
        for linear, (weight, bias, *old_gradients) in zip(linears, before):
            linear.weight.copy_(weight)
            linear.bias.copy_(bias)
            linear.weight_grad, linear.bias_grad = old_gradients
        raise


def _parameters(sizes: Sequence[int], layers: Sequence) -> None:
    """Assigned parameters have the shapes of the sizes, and one floating dtype and
    device. For R networks at once, weights are (R, in, out) and biases (R, 1, out).
    """
    first = layers[0].linear.weight
    in_front = first.shape[:-2] if isinstance(first, Tensor) else ()
    for number, layer in enumerate(layers, start=1):
        before, after = sizes[number - 1], sizes[number]
        shapes = {
            "weight": (*in_front, before, after),
            "bias": (*in_front, 1, after) if in_front else (after,),
        }
        for name, shape in shapes.items():
            parameter = getattr(layer.linear, name)
            if (
                not isinstance(parameter, Tensor)
                or not parameter.is_floating_point()
            ):
                kind = getattr(parameter, "dtype", type(parameter).__name__)
                raise TypeError(
                    f"{name} of layer {number} must be a tensor of floating-point "
                    f"numbers; got {kind}. Assign it anew."
                )
            if parameter.shape != shape:
                raise ValueError(
                    f"{name} of layer {number} must have shape {shape}; "
                    f"got {tuple(parameter.shape)}. Assign it anew."
                )
            strides = zip(parameter.shape, parameter.stride())
            if any(size > 1 and stride == 0 for size, stride in strides):
                raise ValueError(
                    f"elements of {name} of layer {number} share their memory, as "
                    "expand leaves them; assign its clone()."
                )
            if (parameter.dtype, parameter.device) != (first.dtype, first.device):
                raise TypeError(
                    f"{name} of layer {number} is {parameter.dtype} on "
                    f"{parameter.device}, weight of layer 1 is {first.dtype} on "
                    f"{first.device}; assign all parameters in one dtype, on one "
                    "device."
                )


def _kind(tensor: Tensor) -> str:
    """Shape, dtype and device."""
    return f"{tuple(tensor.shape)} {tensor.dtype} on {tensor.device}"


def _numbers(name: str, tensor: Any, weight: Tensor) -> None:
    """A tensor of finite numbers, in the dtype and on the device of the network."""
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"{name} must be a torch tensor; got {type(tensor).__name__}. "
            f"Use torch.tensor({name})."
        )
    if tensor.dtype != weight.dtype or tensor.device != weight.device:
        raise TypeError(
            f"{name} is {tensor.dtype} on {tensor.device}, the network "
            f"{weight.dtype} on {weight.device}; convert it with "
            f'{name}.to("{weight.device}", {weight.dtype}).'
        )
    # 0 times infinity or NaN is NaN. In large tensors that is quicker than `isfinite`.
    if (0 * tensor).sum().isnan():
        raise ValueError(
            f"{name} holds NaN or infinite values; remove or replace them."
        )

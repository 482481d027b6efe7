"""Checks of what the caller passes in. Each message says what was expected,
what came and what to do.
"""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from .network import NeuralNetwork


def check_size(name: str, size: Any) -> None:
    """A positive whole number."""
    if isinstance(size, bool) or not isinstance(size, Integral):
        raise TypeError(f"{name} must be a positive whole number; got {size!r}.")
    if size < 1:
        raise ValueError(f"{name} must be a positive whole number; got {size}.")


def check_sizes(input_size: Any, output_size: Any, hidden_sizes: Any) -> None:
    """The sizes of all layers of a network."""
    check_size("input_size", input_size)
    check_size("output_size", output_size)
    if isinstance(hidden_sizes, str) or not isinstance(hidden_sizes, Sequence):
        raise TypeError(
            f"hidden_sizes must be a list or tuple of sizes, such as [5, 3] or []; got {hidden_sizes!r}."
        )
    for index, size in enumerate(hidden_sizes):
        check_size(f"hidden_sizes[{index}]", size)


def check_learning_rate(net: "NeuralNetwork", value: Any) -> None:
    """A positive number that is finite in the dtype of the network."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(
            f"the learning rate must be a positive, finite number; got {value!r}."
        )
    largest = torch.finfo(net.layers[0].linear.weight.dtype).max
    if not 0 < value <= largest:  # type: ignore[operator]  # any Real compares
        raise ValueError(
            f"the learning rate must be positive, finite and at most {largest:.4g}; got {value}."
        )


def make_generator(seed: Any) -> torch.Generator | None:
    """The generator of a seed: a whole number, a generator (returned as it is)
    or None.
    """
    if seed is None or isinstance(seed, torch.Generator):
        return seed
    if isinstance(seed, bool) or not isinstance(seed, Integral):
        raise TypeError(
            f"seed must be a whole number, a torch.Generator or None; got {seed!r}."
        )
    return torch.Generator().manual_seed(int(seed))


def check_same_shape(y: Tensor, prediction: Tensor) -> None:
    """Labels and predictions of one shape; torch would broadcast unequal ones."""
    if y.shape != prediction.shape:
        raise ValueError(
            f"y has shape {tuple(y.shape)}, the predictions have {tuple(prediction.shape)}; they must be equal. "
            "Reshape y, for example with y.squeeze(-1) or y.unsqueeze(-1)."
        )


def check_samples(net: "NeuralNetwork", x: Any) -> None:
    """A batch (n, input_size) of finite numbers, for a network whose
    parameters fit together.
    """
    _check_parameters(net)
    _check_tensor("x", x, net)
    if x.ndim != 2:
        hint = (
            " A single sample enters as one row: x.unsqueeze(0)."
            if x.ndim == 1
            else ""
        )
        raise ValueError(
            f"x must have shape (n, {net.input_size}), one row a sample; got {tuple(x.shape)}.{hint}"
        )
    if x.shape[1] != net.input_size:
        raise ValueError(
            f"x must have {net.input_size} features in each row; got shape {tuple(x.shape)}."
        )
    if len(x) == 0:
        raise ValueError("x has no samples; pass at least one row.")


def check_labels(net: "NeuralNetwork", x: Tensor, y: Any) -> Tensor:
    """Labels of exactly the shape of the predictions for ``x``; returns them
    as (n, output_size).
    """
    _check_tensor("y", y, net)
    shape = (len(x),) if net.output_size == 1 else (len(x), net.output_size)
    if y.shape != shape:
        raise ValueError(
            f"y must have the shape of the predictions, {shape}; got {tuple(y.shape)}. "
            f"If the values are right, use y.reshape({shape})."
        )
    return y.reshape(len(x), net.output_size)


def check_gradients(net: "NeuralNetwork") -> None:
    """A gradient in the shape of its parameter, for every parameter."""
    for number, layer in enumerate(net.layers, start=1):
        for name in ("weight", "bias"):
            parameter, gradient = (
                getattr(layer.linear, name),
                getattr(layer.linear, f"{name}_grad"),
            )
            if gradient is None:
                raise RuntimeError(
                    f"{name}_grad of layer {number} is missing; call backward(x, y) before."
                )
            if gradient.shape != parameter.shape:
                raise ValueError(
                    f"{name}_grad of layer {number} must have the shape of {name}, {tuple(parameter.shape)}; "
                    f"got {tuple(gradient.shape)}. Call backward(x, y) again."
                )


def _check_parameters(net: "NeuralNetwork") -> None:
    """Assigned parameters have the shapes of the sizes, and one floating dtype
    and device.
    """
    sizes = [net.input_size, *net.hidden_sizes, net.output_size]
    first = net.layers[0].linear.weight
    for number, layer in enumerate(net.layers, start=1):
        shapes = {
            "weight": (sizes[number - 1], sizes[number]),
            "bias": (sizes[number],),
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
                    f"{name} of layer {number} must have shape {shape}; got {tuple(parameter.shape)}. Assign it anew."
                )
            if (parameter.dtype, parameter.device) != (
                first.dtype,
                first.device,
            ):
                raise TypeError(
                    f"{name} of layer {number} is {parameter.dtype} on {parameter.device}, weight of layer 1 is "
                    f"{first.dtype} on {first.device}; assign all parameters in one dtype, on one device."
                )


def _check_tensor(name: str, tensor: Any, net: "NeuralNetwork") -> None:
    """A tensor of finite numbers, in the dtype and on the device of the
    network.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"{name} must be a torch tensor; got {type(tensor).__name__}. Use torch.tensor({name})."
        )
    weight = net.layers[0].linear.weight
    if tensor.dtype != weight.dtype or tensor.device != weight.device:
        raise TypeError(
            f"{name} is {tensor.dtype} on {tensor.device}, the network {weight.dtype} on {weight.device}; "
            f"convert it with {name}.to(weight), for any weight of the network."
        )
    if not tensor.isfinite().all():
        raise ValueError(
            f"{name} holds NaN or infinite values; remove or replace them."
        )

"""Checks of what the caller passes in. Each message says what was expected,
what came and what to do.
"""

import warnings
from collections.abc import Iterable, Sequence
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


def check_copies(copies: Any) -> tuple[int, ...]:
    """A number of copies, or None; returns what shapes begin with."""
    if copies is None:
        return ()
    check_size("copies", copies)
    return (copies,)


def check_learning_rate(net: "NeuralNetwork", value: Any) -> Tensor:
    """A positive number that is finite in the dtype of the network, or one for
    each copy; returns it as a tensor, 0-d or (R,).
    """
    weight = net.layers[0].linear.weight
    return _per_copy("the learning rate", value, net.copies, weight, "positive")


def check_initial_scale(value: Any, copies: int | None) -> Tensor:
    """A finite number that is not negative, or one for each copy; returns it as
    `check_learning_rate` does.
    """
    like = torch.empty(0)  # weights are made in the default dtype
    return _per_copy("initial_scale", value, copies, like, "non-negative")


def _per_copy(
    name: str, value: Any, copies: int | None, like: Tensor, sign: str
) -> Tensor:
    if isinstance(value, Tensor) and copies is not None:
        if value.shape != (copies,) or not value.is_floating_point():
            raise ValueError(
                f"{name} must be a number, or a floating-point tensor of shape ({copies},) with one for each copy; "
                f"got {value.dtype} of shape {tuple(value.shape)}."
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
                f"{name} must be {sign}, finite and at most {largest:.4g}; got {number}."
            )
    if isinstance(value, Tensor):
        return value.to(like)
    return torch.tensor(value, dtype=like.dtype, device=like.device)


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
    """Labels of the shape that the predictions for ``x`` have in one network;
    returns them as (n, output_size), with copies as (R, n, output_size).
    """
    _check_tensor("y", y, net)
    shape = (len(x),) if net.output_size == 1 else (len(x), net.output_size)
    if y.shape != shape:
        of_one = "" if net.copies is None else " of one copy"
        raise ValueError(
            f"y must have the shape of the predictions{of_one}, {shape}; got {tuple(y.shape)}. "
            f"If the values are right, use y.reshape({shape})."
        )
    return y.reshape(len(x), net.output_size).expand(
        *check_copies(net.copies), -1, -1
    )


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


def warn_of_lost_copies(losses: Tensor) -> None:
    """Name the copies whose losses (epochs, R) are not all finite."""
    is_lost = ~losses.isfinite()
    if is_lost.any():
        epochs = is_lost.int().argmax(dim=0)
        lost = is_lost.any(dim=0).nonzero().flatten()
        named = [f"{copy} (epoch {epochs[copy]})" for copy in lost]
        warnings.warn(
            f"The loss of {len(lost)} of {len(epochs)} copies is not finite, from "
            f"the epoch in brackets on: {', '.join(named)}.",
            RuntimeWarning,
            stacklevel=3,
        )


def _check_parameters(net: "NeuralNetwork") -> None:
    """Assigned parameters have the shapes of the sizes, and one floating dtype
    and device.
    """
    sizes = [net.input_size, *net.hidden_sizes, net.output_size]
    first = net.layers[0].linear.weight
    for number, layer in enumerate(net.layers, start=1):
        copies = check_copies(net.copies)
        shapes = {
            "weight": (*copies, sizes[number - 1], sizes[number]),
            "bias": (*copies, sizes[number]),
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
    # 0 times infinity or NaN is NaN. In large tensors that is quicker than `isfinite`.
    if (0 * tensor).sum().isnan():
        raise ValueError(
            f"{name} holds NaN or infinite values; remove or replace them."
        )

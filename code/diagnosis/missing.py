"""Say which gradients a class has not filled, and where it may have put them."""

import contextlib
from typing import Any

from torch import Tensor


def missing(net: Any, found: list, names: tuple[str, str]) -> str:
    """Which tensors are missing, and where else something was filled."""
    empty: dict[tuple[int, ...], list[str]] = {}
    for which, name in enumerate(names):
        layers = tuple(n for n, pair in enumerate(found, 1) if pair[which] is None)
        empty.setdefault(layers, []).append(name)
    lines = []
    for layers, both in empty.items():
        where = f"layer{'s' * (len(layers) > 1)} {' and '.join(map(str, layers))}"
        where = "all layers" if 1 < len(layers) == len(found) else where
        verb = "are" if len(both) > 1 else "is"
        if layers:
            lines.append(
                f"{' and '.join(both)} of {where} {verb} still None, not filled in yet."
            )
    others = elsewhere(net, names) if names[0].endswith("_grad") else []
    if others:
        lines.append(
            f"There are tensors in {', '.join(others)}. Are these the gradients?"
        )
    return "\n".join(lines)


def elsewhere(net: Any, names: tuple[str, str]) -> list[str]:
    """Attributes of the last layer in which there is a tensor in the shape of a gradient."""
    found = []
    with contextlib.suppress(Exception):
        layer = net.layers[len(net.layers) - 1]
        linear = layer.linear
        shapes = {linear.weight.shape, linear.bias.shape}
        for owner, path in ((linear, "linear"), (layer, "layer")):
            for name, value in vars(owner).items():
                known = name in ("weight", "bias", *names)
                if (
                    isinstance(value, Tensor)
                    and value.shape in shapes
                    and not known
                ):
                    found.append(f"{path}.{name}")
        for name in ("weight", "bias"):
            if isinstance(getattr(linear, name).grad, Tensor):
                found.append(f"linear.{name}.grad")
    return found

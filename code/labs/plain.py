"""Plain values as text: what may leave a process without bringing code along."""

import base64
import io
from typing import Any

import numpy

LARGEST = 50_000_000  # bytes of an array


class NotPlain(Exception):
    """A value that is more than numbers, text and collections of such."""


def encoded(value: Any) -> Any:
    """A value as JSON can hold it. Raises NotPlain."""
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind in (list, tuple, set, frozenset):
        return {kind.__name__: [encoded(each) for each in value]}
    if kind is dict:
        return {
            "dict": [[encoded(key), encoded(each)] for key, each in value.items()]
        }
    if kind is complex:
        return {"complex": [value.real, value.imag]}
    if kind is bytes:
        return {"bytes": base64.b64encode(value).decode()}
    if issubclass(kind, numpy.generic) or kind is numpy.ndarray:
        return {"ndarray": packed(numpy.asarray(value))}
    if kind.__module__ == "torch" and kind.__name__ == "Tensor":
        return {"Tensor": packed(value.detach().cpu().numpy())}
    raise NotPlain(kind.__name__)


def packed(array: numpy.ndarray) -> str:
    if array.dtype.hasobject or array.nbytes > LARGEST:
        raise NotPlain("ndarray")
    file = io.BytesIO()
    numpy.save(file, array, allow_pickle=False)
    return base64.b64encode(file.getvalue()).decode()


def decoded(value: Any) -> Any:
    """The value of a text that `encoded` has made."""
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind in ("list", "tuple", "set", "frozenset"):
        make = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
        return make[kind](map(decoded, content))
    if kind == "dict":
        return {decoded(key): decoded(each) for key, each in content}
    if kind == "complex":
        return complex(*content)
    if kind == "bytes":
        return base64.b64decode(content)
    file = io.BytesIO(base64.b64decode(content))
    array = numpy.load(file, allow_pickle=False)
    if kind == "Tensor":
        import torch

        return torch.from_numpy(array)
    return array[()] if array.ndim == 0 else array

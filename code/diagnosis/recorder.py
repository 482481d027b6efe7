"""What a failing operation of torch was given."""

from torch import Tensor
from torch.overrides import TorchFunctionMode


class ShapeRecorder(TorchFunctionMode):
    """Keeps the shapes that the last failing operation of torch was given."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, ...]] = []
        self.operation = ""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        try:
            return func(*args, **(kwargs or {}))
        except Exception:
            found = [a for a in flat(args) if isinstance(a, Tensor)]
            self.shapes = [tuple(tensor.shape) for tensor in found]
            self.operation = getattr(func, "__name__", "")
            raise


def flat(arguments):
    for argument in arguments:
        if isinstance(argument, list | tuple):
            yield from flat(argument)
        else:
            yield argument

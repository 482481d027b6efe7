"""What a failing operation of torch was given."""

from torch import Tensor
from torch.overrides import TorchFunctionMode

MATRIX_PRODUCTS = {"matmul", "__matmul__", "__rmatmul__", "mm", "mv", "bmm", "dot"}
ELEMENT_BY_ELEMENT = {
    name
    for operation in ("add", "sub", "mul", "div", "true_divide", "rsub")
    for name in (
        operation,
        f"{operation}_",
        f"__{operation}__",
        f"__i{operation}__",
    )
}


class ShapeRecorder(TorchFunctionMode):
    """Keeps what the last failing operation of torch was given: matrices, and the shapes
    of all tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, ...]] = []
        self.operation = ""
        self.operands: list[Tensor] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        try:
            return func(*args, **(kwargs or {}))
        except Exception:
            found = [a for a in flat(args) if isinstance(a, Tensor)]
            self.shapes = [tuple(tensor.shape) for tensor in found]
            self.operation = getattr(func, "__name__", "")
            self.operands = [t.detach().double() for t in found if t.ndim == 2]
            raise


def flat(arguments):
    for argument in arguments:
        if isinstance(argument, list | tuple):
            yield from flat(argument)
        else:
            yield argument

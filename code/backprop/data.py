"""The data of the book (chapter ``notation``)."""

import torch
from torch import Tensor


def five_points() -> tuple[Tensor, Tensor]:
    """Five points that no straight line separates.

    Returns samples (5, 2) and labels (5,), both float32.
    """
    x = torch.tensor(
        [[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]], dtype=torch.float32
    )
    y = torch.tensor([1, 0, 0, 0, 0], dtype=torch.float32)
    return x, y

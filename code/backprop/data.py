"""The data of the book (chapter ``notation``)."""

import torch


def five_points():
    """Points (5, 2) that no straight line separates, and labels (5,), in float32."""
    x = torch.tensor([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]])
    y = torch.tensor([1, 0, 0, 0, 0])
    return x.float(), y.float()

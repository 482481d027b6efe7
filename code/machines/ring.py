"""All-reduce, step by step, in one process; in the order in which gloo adds (chapter
``many_machines``)."""

import torch
from torch import Tensor


def ring(vectors: list[Tensor]) -> tuple[list[Tensor], list[int]]:
    """What each of P processes has in the end, given what each had, (D,);
    and how many bytes each sent. Chapter ``many_machines``.
    """
    P = len(vectors)
    parts = [list(vector.tensor_split(P)) for vector in vectors]
    sent = [0] * P

    def send(first):
        """All send a part to r - 1: who gets which part, and what."""
        taken = [parts[r][(r + first) % P] for r in range(P)]
        for r in range(P):
            sent[r] += taken[r].nbytes
        return [(r, (r + 1 + first) % P, taken[(r + 1) % P]) for r in range(P)]

    for step in range(P - 1):  # add: r ends with the whole sum of part r
        for r, part, arrived in send(1 + step):
            parts[r][part] = parts[r][part] + arrived
    for step in range(P - 1):  # hand on: nobody adds any more
        for r, part, arrived in send(step):
            parts[r][part] = arrived
    return [torch.cat(each) for each in parts], sent

"""Factors beside those of the book, in terms of n, K and the units of a layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product


@dataclass(frozen=True)
class Factor:
    """A factor beside the book's, c n^a K^b, and the units of a layer to the power f."""

    c: float = 1.0
    n: int = 0
    K: int = 0
    fan: str = ""

    def of(self, n: int, K: int, units_in: int, units_out: int) -> float:
        units = {"": 1, "in": units_in, "out": units_out}[self.fan]
        return self.c * n**self.n * K**self.K / units

    @property
    def cost(self) -> float:
        signs = (self.c < 0) + (abs(self.c) != 1) + abs(self.n) + bool(self.fan)
        signs += abs(self.K - self.n) if self.n * self.K > 0 else abs(self.K)
        odd = abs(self.c) not in NICE
        # Students divide too often rather than too seldom.
        return (
            1 + 0.2 * (signs - 1) + 0.5 * odd + 0.1 * (self.n > 0) if signs else 0
        )


NICE = {1.0, 2.0, 0.5, 4.0, 0.25, 3.0, 1 / 3}
NEAR = sorted({*NICE, 8.0, 0.125, 0.2, 0.4, 0.1, 10.0, 5.0, 0.8, 1.25, 1.6, 2.5})
EXPONENTS = sorted(
    product((0, -1, 1, -2, 2), (0, -1, 1, -2, 2), ("", "in", "out")),
    key=lambda e: abs(e[0]) + abs(e[1]) + 3 * bool(e[2]),
)
ONE = Factor()


def close(a: Sequence[float], b: Sequence[float]) -> bool:
    return all(abs(x - y) <= 1e-6 * abs(y) for x, y in zip(a, b))


@cache
def factor(ratios: tuple, sizes: tuple, tolerance: float) -> Factor | None:
    """The factors of all networks in terms of n, K and the units of a layer."""
    loose = max(30 * tolerance, 1e-7)
    for a, b, fan in EXPONENTS:
        one = Factor(1.0, a, b, fan)
        q = [ratio / one.of(*size) for ratio, size in zip(ratios, sizes)]
        if max(q) - min(q) > loose * abs(q[0]):
            continue
        c = min(NEAR, key=lambda near: abs(near - abs(q[0])))
        if abs(c - abs(q[0])) <= loose * c:
            return Factor(c if q[0] > 0 else -c, a, b, fan)
        if len(ratios) > 2 and not fan:
            return Factor(float(f"{q[0]:.6g}"), a, b, fan)
    return None

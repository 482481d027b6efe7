"""Matrices of polynomials, with what their rows and columns count."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from .constructs import Unfit
from .terms import Index, Kind, Kron, Poly, fresh, scaled, single, summed, times


@dataclass(frozen=True)
class Matrix:
    """What its rows and columns count (None: there is one), and its elements."""

    rows: Kind | None
    columns: Kind | None
    at: Callable[[Index | None, Index | None], Poly]

    @property
    def axes(self) -> tuple[Kind | None, Kind | None]:
        return self.rows, self.columns


Meaning = Poly | Matrix


def transposed(matrix: Matrix) -> Matrix:
    return Matrix(matrix.columns, matrix.rows, lambda i, j: matrix.at(j, i))


def diagonal(column: Matrix) -> Matrix:
    def at(row: Index | None, other: Index | None) -> Poly:
        if row is None or other is None:
            raise Unfit("diag takes a column")
        return times(single(Kron(row, other)), column.at(row, None))

    return Matrix(column.rows, column.rows, at)


def multiplied(left: Meaning, right: Meaning, sign: str) -> Meaning:
    if not isinstance(left, Matrix) and not isinstance(right, Matrix):
        return times(left, right)
    if not isinstance(left, Matrix):
        assert isinstance(right, Matrix)
        number, matrix = left, right
        return replace(matrix, at=lambda i, j: times(number, matrix.at(i, j)))
    if not isinstance(right, Matrix):
        raise Unfit("a number stands behind a matrix")
    one, other = left, right
    if sign == "⊙":
        if one.axes != other.axes:
            raise Unfit("⊙ stands between different shapes")
        return replace(one, at=lambda i, j: times(one.at(i, j), other.at(i, j)))
    if one.columns != other.rows:
        raise Unfit("a product of shapes that do not fit")

    def at(row: Index | None, column: Index | None) -> Poly:
        if one.columns is None:
            return times(one.at(row, None), other.at(None, column))
        inside = fresh(one.columns)
        return summed(times(one.at(row, inside), other.at(inside, column)), inside)

    if one.rows is None and other.columns is None:
        return at(None, None)
    return Matrix(one.rows, other.columns, at)


def added(parts: list[tuple[str, Meaning]]) -> Meaning:
    signed = [(-1 if sign == "-" else 1, value) for sign, value in parts]
    polys = [
        (sign, value) for sign, value in signed if not isinstance(value, Matrix)
    ]
    matrices = [
        (sign, value) for sign, value in signed if isinstance(value, Matrix)
    ]
    if not matrices:
        return tuple(term for sign, value in polys for term in scaled(value, sign))
    if polys or len({matrix.axes for _, matrix in matrices}) > 1:
        raise Unfit("a sum of different shapes")

    def at(row: Index | None, column: Index | None) -> Poly:
        return tuple(
            term
            for sign, matrix in matrices
            for term in scaled(matrix.at(row, column), sign)
        )

    return replace(matrices[0][1], at=at)

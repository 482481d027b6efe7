"""The formulas that a backward pass can be made of: for each place in the equations of the
book what may stand there instead, with its TeX and what it computes.

The first term of each place is the book's. Layers are those of the equations: ``v`` holds
the values of one network and batch, ``l`` is the layer in question.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from .values import Term, Values, sigmoid_slope, tanh_slope, z_in, z_out

# ---------------------------------------------------------------- the loss's gradient


def pairs(p: Tensor, y: Tensor) -> Tensor:
    """Every prediction against every label, (n, n)."""
    return p - y.T


def broadcast(of: Callable[[Tensor], Tensor]) -> Callable[[Values], Tensor]:
    """What is repeated with one output often is not with several."""
    return lambda v: of(pairs(v.p, v.y)) if v.K == 1 else v.p - v.y


def only(row: int) -> Callable[[Values], Tensor]:
    def value(v: Values) -> Tensor:
        kept = torch.zeros_like(v.p)
        kept[row] = (v.p - v.y)[row]
        return kept

    return value


ELL, ONE_BELOW, TWO_BELOW, LAST, TOP = r"\ell", r"\ell-1", r"\ell-2", "L", r"\top"
P, Y = z_out("L"), r"\mathbf{Y}"
ERROR = rf"({P} - {Y})"

RESIDUALS = [
    Term("p-y", ERROR, lambda v: v.p - v.y),
    Term("squared", rf"{ERROR} \odot {ERROR}", lambda v: (v.p - v.y) ** 2),
    Term("absolute", rf"|{P} - {Y}|", lambda v: (v.p - v.y).abs()),
    Term("sign", rf"\mathrm{{sign}}{ERROR}", lambda v: (v.p - v.y).sign()),
    Term("p", P, lambda v: v.p),
    Term("y", Y, lambda v: v.y),
    Term("p+y", rf"({P} + {Y})", lambda v: v.p + v.y),
    Term("1", "1", lambda v: torch.ones_like(v.p), 1.5),
    Term("p squared", rf"({P} \odot {P} - {Y} \odot {Y})", lambda v: v.p**2 - v.y**2),
    Term("cubed", rf"{ERROR}^3", lambda v: (v.p - v.y) ** 3, 1.5),
    Term("over slope", rf"{ERROR} / ({P} \odot (1 - {P}))", lambda v: (v.p - v.y) / (v.p * (1 - v.p)), 1.3),
    Term("loss", r"\mathcal{L}", lambda v: torch.ones_like(v.p) * v.problem.loss.value(v.p, v.y)),
    Term("batch mean", rf"\mathrm{{mean\ over\ samples\ of\ }}{ERROR}", lambda v: (v.p - v.y).mean(0) + 0 * v.p),
    Term("mean", rf"\mathrm{{mean\ of\ }}{ERROR}", lambda v: (v.p - v.y).mean() + 0 * v.p),
    Term("last", rf"\mathrm{{only\ the\ last\ row\ of\ }}{ERROR}", only(-1)),
    Term("first", rf"\mathrm{{only\ the\ first\ row\ of\ }}{ERROR}", only(0)),
    Term("earlier", rf"(\mathrm{{earlier\ }}{P} - {Y})", lambda v: v.earlier.p - v.y),
    Term("mean y", rf"({P} - \mathrm{{mean\ of\ }}{Y})", broadcast(lambda d: d.mean(1, keepdim=True))),
    Term("pairs", r"\mathrm{all\ pairs\ of\ a\ prediction\ and\ a\ label}", broadcast(lambda d: d)),
    Term("column", rf"(\mathrm{{first\ column\ of\ }}{P} - {Y})", lambda v: v.p[:, :1] - v.y),
]  # fmt: skip

# ---------------------------------------------------------------- slopes


def place(l: str, step: int) -> str:
    """The name of a layer some steps from layer l, a name such as L or \\ell-1."""
    base, _, less = l.partition("-")
    offset = step - int(less or 0)
    return base if offset == 0 else f"{base}{offset:+d}"


def slopes(v: Values, l: int) -> Iterator[Term]:
    """The slopes that may stand in the delta of layer l. ``value`` is a tensor."""
    at = "L" if l == v.L else r"\ell-1"
    z, a, Z, A = v.z_in[l], v.z_out[l], z_in(at), z_out(at)
    one = torch.ones_like(a)
    own = rf"\sigma'^{{({at})}}"
    yield Term("own", f"{own}({Z})", v.slope(l))
    yield Term("none", "1", one)
    if l == v.L:
        yield Term("z_out", f"{own}({A})", sigmoid_slope(a))
        yield Term("tanh", rf"\tanh'({Z})", tanh_slope(z))
        yield Term("tanh", rf"(1 - {A} \odot {A})", 1 - a**2)
        yield Term("tanh z_out", rf"\tanh'({A})", tanh_slope(a))
        yield Term("z(1-z)", rf"{Z} \odot (1 - {Z})", z * (1 - z))
        yield Term("1-p", rf"(1 - {A})", 1 - a)
        yield Term("1+p", rf"{A} \odot (1 + {A})", a * (1 + a), 1.2)
        yield Term("error", r"(1 - \nabla_{" + A + r"} \mathcal{L})", None)
    else:
        yield Term("z_out", f"{own}({A})", tanh_slope(a))
        yield Term("sigmoid", rf"\sigma'^{{(L)}}({Z})", sigmoid_slope(z))
        yield Term("sigmoid", rf"{A} \odot (1 - {A})", a * (1 - a))
        yield Term("sigmoid z_out", rf"\sigma'^{{(L)}}({A})", sigmoid_slope(a))
        yield Term("1-z^2", rf"(1 - {Z} \odot {Z})", 1 - z**2)
        yield Term("1-a", rf"(1 - {A})", 1 - a)
        yield Term("1-tanh", rf"(1 - \tanh({A}))", 1 - torch.tanh(a))
        yield Term("1+a^2", rf"(1 + {A} \odot {A})", 1 + a**2)
        yield Term("-a^2", rf"{A} \odot {A}", a**2)
        yield Term("relu", rf"\mathrm{{ReLU}}'({Z})", (z > 0).double())
    yield Term("a", A, a, 1.2)
    yield Term("z", Z, z, 1.2)
    yield Term(
        "function z_out", rf"\sigma^{{({at})}}({A})", v_activation(v, l)(a), 1.5
    )
    yield Term("squared", rf"{own}({Z}) \odot {own}({Z})", v.slope(l) ** 2)
    yield Term("inverse", rf"1 / {own}({Z})", 1 / v.slope(l), 1.5)
    yield Term(
        "batch mean",
        rf"\mathrm{{mean\ over\ samples\ of\ }}{own}({Z})",
        one * v.slope(l).mean(0),
        1.5,
    )
    yield Term(
        "earlier", rf"{own}(\mathrm{{earlier\ }}{Z})", v.earlier.slope(l), 1.2
    )
    for other in range(v.L + 1):
        if other == l:
            continue
        name = place(at, other - l)
        theirs = rf"\sigma'^{{({name})}}({z_in(name)})"
        right = v.slope(other)
        yield Term("other layer", theirs, fitting(right, a), 1.1)
        yield Term(
            "other layer",
            rf"(1 - {z_out(name)} \odot {z_out(name)})",
            fitting(1 - v.z_out[other] ** 2, a),
            1.2,
        )
        yield Term(
            "other layer",
            rf"\tanh'({z_in(name)})",
            fitting(tanh_slope(v.z_in[other]), a),
            1.2,
        )
        yield Term(
            "other layer",
            rf"\sigma'^{{({at})}}({z_out(name)})",
            fitting(tanh_slope(v.z_out[other]), a),
            1.3,
        )


def v_activation(v: Values, l: int) -> Callable[[Tensor], Tensor]:
    return torch.sigmoid if l == v.L else torch.tanh


def fitting(value: Tensor, like: Tensor) -> Tensor | None:
    """The value where torch can multiply it with the other, repeated if need be."""
    if value.shape == like.shape:
        return value
    return value.expand_as(like) if value.shape == (len(like), 1) else None


# ---------------------------------------------------------------- what is sent back


W, WT = r"\mathbf{W}^{(\ell)}", r"\mathbf{W}^{(\ell)\top}"
DELTA = r"\boldsymbol{\Delta}^{(\ell)}"
BEFORE_SLOPE = r"\nabla_{\mathbf{Z}^{(\ell)}_{\mathrm{out}}} \mathcal{L}"

SOURCES = [
    Term("delta", DELTA, lambda v, l, back: back.delta),
    Term("error", BEFORE_SLOPE, lambda v, l, back: back.error),
    Term("output delta", r"\boldsymbol{\Delta}^{(L)}", lambda v, l, back: back.first if l + 1 < v.L else None),
    Term("output", z_out(r"\ell"), lambda v, l, back: v.z_out[l + 1]),
    Term("residual", rf"\frac{{2}}{{n K}} {ERROR}", lambda v, l, back: v.scale * (v.p - v.y) if l + 1 < v.L else None, 1.2),
    Term("absolute", rf"|{DELTA}|", lambda v, l, back: back.delta.abs(), 1.5),
    Term("slope again", rf"{DELTA} \odot \sigma'^{{(\ell)}}({z_in(ELL)})", lambda v, l, back: back.delta * v.slope(l + 1) if back.delta.shape == v.slope(l + 1).shape else None, 1.2),
    Term("mean", rf"\mathrm{{mean\ over\ samples\ of\ }}{DELTA}", lambda v, l, back: back.delta.mean(0) + 0 * back.delta, 1.5),
]  # fmt: skip


def wrong_way(v: Values, l: int, d: Tensor) -> Tensor | None:
    """Without the transpose. A delta of one output is repeated, as `einsum` does."""
    if d.shape[1] == len(v.W[l]):
        return d @ v.W[l]
    return d @ v.W[l].sum(0, keepdim=True) if d.shape[1] == 1 else None


def by_element(d: Tensor, matrix: Tensor) -> Tensor | None:
    try:
        return d * matrix
    except RuntimeError:
        return None


def times(matrix: Callable[[Values, int], Tensor | None]) -> Callable[..., Any]:
    """The product with a matrix, None where the shapes do not fit."""

    def value(v: Values, l: int, d: Tensor) -> Tensor | None:
        m = matrix(v, l)
        if m is None or m.ndim != 2 or m.shape[0] != d.shape[1]:
            return None
        return d @ m

    return value


def below(v: Values, l: int) -> Tensor | None:
    return v.W[l].T if l >= 1 else None


def transposed_grad(v: Values, l: int) -> Tensor | None:
    grad = v.weight_grads[l] if v.weight_grads else None
    return None if grad is None or grad.ndim != 2 else grad.T


def changed(v: Values, l: int) -> Tensor | None:
    if not v.after or torch.equal(v.after[l], v.W[l]):
        return None
    return v.after[l].T


def one_unit(v: Values, l: int, d: Tensor, unit: int) -> Tensor | None:
    """Of a layer of several only one unit; of one that has no more, that one."""
    if v.sizes[l] > 1 or d.shape[1] == 1:
        return d[:, [unit]] @ v.W[l][:, [unit]].T
    return None


# ``l`` is the layer of the weights, one above that of the delta that is computed.
MATRICES = [
    Term("WT", r"{} \cdot " + WT, times(lambda v, l: v.W[l].T)),
    Term("after", r"{} \cdot (" + W + r" - \eta \nabla_{" + W + r"} \mathcal{L})^{\top}", times(changed)),
    Term("W", r"{} \cdot " + W, wrong_way),
    Term("elementwise", r"{} \odot " + WT, lambda v, l, d: by_element(d, v.W[l].T)),
    Term("elementwise", r"{} \odot " + W, lambda v, l, d: by_element(d, v.W[l]), 1.2),
    Term("nothing", "{}", lambda v, l, d: d),
    Term("gradient", r"{} \cdot (\nabla_{" + W + r"} \mathcal{L})^{\top}", times(transposed_grad)),
    Term("absolute", r"{} \cdot |" + W + r"|^{\top}", times(lambda v, l: v.W[l].abs().T), 1.5),
    Term("W of output", r"{} \cdot \mathbf{W}^{(L)\top}", times(lambda v, l: v.W[v.L].T if l < v.L else None)),
    Term("W below", r"{} \cdot \mathbf{W}^{(\ell-1)\top}", times(lambda v, l: below(v, l - 1))),
    Term("reshaped", r"{} \cdot \mathrm{reshape}(" + W + ")", times(lambda v, l: v.W[l].reshape(v.W[l].T.shape)), 1.1),
    Term("sum", r"\mathrm{row\ sums\ of\ }" + W, lambda v, l, d: torch.ones(v.n, 1, dtype=d.dtype) * v.W[l].sum(1), 1.5),
Term("first unit", r"\mathrm{first\ column\ of\ }{} \cdot \mathrm{first\ row\ of\ }" + WT, lambda v, l, d: one_unit(v, l, d, 0), 1.1),
    Term("last unit", r"\mathrm{last\ column\ of\ }{} \cdot \mathrm{last\ row\ of\ }" + WT, lambda v, l, d: one_unit(v, l, d, -1), 1.1),
    Term("sums", r"({} \cdot \mathbf{1}) \cdot (\mathrm{row\ sums\ of\ }" + W + r")^{\top}", lambda v, l, d: d.sum(1, keepdim=True) * v.W[l].sum(1), 1.3),
]  # fmt: skip

# ---------------------------------------------------------------- gradients of parameters

# In ``u`` (C, n, N) are deltas that are tried; a form makes of them (C, ...) gradients.


def left(of: Callable[[Values, int], Tensor | None]) -> Callable[..., Any]:
    def value(v: Values, l: int, u: Tensor) -> Tensor | None:
        a = of(v, l)
        return None if a is None else torch.einsum("ni,cno->cio", a, u)

    return value


def one_row(row: int) -> Callable[..., Any]:
    return lambda v, l, u: torch.einsum("i,co->cio", v.z_out[l - 1][row], u[:, row])


BELOW, D = z_out(r"\ell-1", r"\top"), "{}"
X = r"\mathbf{X}^{\top}"

WEIGHTS = [
    Term("book", rf"{BELOW} \cdot {D}", left(lambda v, l: v.z_out[l - 1])),
    Term("z_in", rf"{z_in(ONE_BELOW, TOP)} \cdot {D}", left(lambda v, l: v.z_in[l - 1])),
    Term("x", rf"{X} \cdot {D}", left(lambda v, l: v.z_out[0])),
    Term("own output", rf"{z_out(ELL, TOP)} \cdot {D}", left(lambda v, l: v.z_out[l])),
    Term("own z_in", rf"{z_in(ELL, TOP)} \cdot {D}", left(lambda v, l: v.z_in[l])),
    Term("two below", rf"{z_out(TWO_BELOW, TOP)} \cdot {D}", left(lambda v, l: v.z_out[l - 2] if l > 1 else None)),
    Term("two below", rf"{z_out(TWO_BELOW, TOP)} \cdot {D}", left(lambda v, l: v.z_out[max(l - 2, 0)])),
    Term("prediction", rf"{z_out(LAST, TOP)} \cdot {D}", left(lambda v, l: v.p), 1.2),
    Term("slope below", rf"(1 - {z_out(ONE_BELOW)} \odot {z_out(ONE_BELOW)})^{{\top}} \cdot {D}", left(lambda v, l: 1 - v.z_out[l - 1] ** 2), 1.2),
    Term("again", rf"\sigma^{{(\ell-1)}}({z_out(ONE_BELOW)})^{{\top}} \cdot {D}", left(lambda v, l: torch.tanh(v.z_out[l - 1])), 1.1),
    Term("earlier", rf"\mathrm{{earlier\ }}{BELOW} \cdot {D}", left(lambda v, l: v.earlier.z_out[l - 1]), 1.2),
    Term("ones", rf"\mathbf{{1}} \cdot \mathbf{{1}}^{{\top}} \cdot {D}", left(lambda v, l: torch.ones_like(v.z_out[l - 1])), 1.1),
    Term("sums first", rf"({BELOW} \cdot \mathbf{{1}}) \cdot (\mathbf{{1}}^{{\top}} \cdot {D})", lambda v, l, u: torch.einsum("i,co->cio", v.z_out[l - 1].sum(0), u.sum(1)), 0.5),
    Term("transposed", rf"{D}^{{\top}} \cdot {z_out(ONE_BELOW)}", lambda v, l, u: torch.einsum("ni,cno->coi", v.z_out[l - 1], u)),
    Term("reshaped", rf"\mathrm{{reshape}}({D}^{{\top}} \cdot {z_out(ONE_BELOW)})", lambda v, l, u: torch.einsum("ni,cno->coi", v.z_out[l - 1], u).reshape(len(u), v.sizes[l - 1], -1), 1.1),
    Term("last sample", rf"(\mathrm{{last\ row\ of\ }}{z_out(ONE_BELOW)})^{{\top}} \cdot (\mathrm{{last\ row\ of\ }}{D})", one_row(-1)),
    Term("first sample", rf"(\mathrm{{first\ row\ of\ }}{z_out(ONE_BELOW)})^{{\top}} \cdot (\mathrm{{first\ row\ of\ }}{D})", one_row(0), 1.1),
    Term("times W", rf"{W} \odot ({BELOW} \cdot {D})", lambda v, l, u: v.W[l] * torch.einsum("ni,cno->cio", v.z_out[l - 1], u) if u.shape[2] == v.sizes[l] else None, 1.2),
    Term("only W", rf"{W} \odot (\mathbf{{1}} \cdot \mathbf{{1}}^{{\top}} \cdot {D})", lambda v, l, u: v.W[l] * u.sum(1)[:, None] if u.shape[2] == v.sizes[l] else None, 1.3),
]  # fmt: skip

BIASES = [
    Term("sum", rf"{D}^{{\top}} \cdot \mathbf{{1}}", lambda v, l, u: u.sum(1)),
    Term("rows", D, lambda v, l, u: u),
    Term("units", rf"{D} \cdot \mathbf{{1}}", lambda v, l, u: u.sum(2)),
    Term("units", rf"{D} \cdot \mathbf{{1}}", lambda v, l, u: u.sum(2, keepdim=True)),
    Term("one sum", rf"\mathrm{{sum\ of\ all\ of\ }}{D}", lambda v, l, u: u.sum((1, 2))),
    Term("one sum", rf"\mathrm{{sum\ of\ all\ of\ }}{D}", lambda v, l, u: u.sum((1, 2))[:, None]),
    Term("one sum", rf"\mathrm{{sum\ of\ all\ of\ }}{D}", lambda v, l, u: u.sum((1, 2))[:, None] + 0 * u.sum(1)),
    Term("one sum", rf"\mathrm{{mean\ of\ all\ of\ }}{D}", lambda v, l, u: u.mean((1, 2))),
    Term("one sum", rf"\mathrm{{mean\ of\ all\ of\ }}{D}", lambda v, l, u: u.mean((1, 2))[:, None]),
    Term("one sum", rf"\mathrm{{mean\ of\ all\ of\ }}{D}", lambda v, l, u: u.mean((1, 2))[:, None] + 0 * u.sum(1)),
    Term("last sample", rf"\mathrm{{last\ row\ of\ }}{D}", lambda v, l, u: u[:, -1]),
    Term("first sample", rf"\mathrm{{first\ row\ of\ }}{D}", lambda v, l, u: u[:, 0], 1.1),
    Term("row shape", rf"({D}^{{\top}} \cdot \mathbf{{1}})^{{\top}}", lambda v, l, u: u.sum(1)[:, None]),
    Term("column shape", rf"{D}^{{\top}} \cdot \mathbf{{1}}", lambda v, l, u: u.sum(1)[:, :, None]),
    Term("absolute", rf"|{D}|^{{\top}} \cdot \mathbf{{1}}", lambda v, l, u: u.abs().sum(1), 1.2),
    Term("squares", rf"({D} \odot {D})^{{\top}} \cdot \mathbf{{1}}", lambda v, l, u: (u * u).sum(1), 1.2),
    Term("largest", rf"\mathrm{{largest\ of\ each\ column\ of\ }}{D}", lambda v, l, u: u.amax(1), 1.3),
    Term("times b", rf"\mathbf{{b}}^{{(\ell)}} \odot ({D}^{{\top}} \cdot \mathbf{{1}})", lambda v, l, u: v.b[l] * u.sum(1) if u.shape[2] == v.sizes[l] else None, 1.2),
    Term("from weights", rf"(\nabla_{{{W}}} \mathcal{{L}})^{{\top}} \cdot \mathbf{{1}}", lambda v, l, u: grad_sums(v, l, u)),
    Term("of weights", rf"({BELOW} \cdot {D})^{{\top}} \cdot \mathbf{{1}}", lambda v, l, u: torch.einsum("ni,cno->co", v.z_out[l - 1], u), 1.3),
]  # fmt: skip


def grad_sums(v: Values, l: int, u: Tensor) -> Tensor | None:
    grad = v.weight_grads[l]
    if grad is None or grad.ndim != 2:
        return None
    return grad.sum(0).expand(len(u), -1)


ZERO = Term("zero", r"\mathbf{0}", None)
USES = [
    Term("delta", DELTA, None),
    Term("error", BEFORE_SLOPE, None),
]

"""The feed-forward network: what its letters are, and what depends on what.

The definitions are those of the book; a proof may use one where a reason names it.
"""

from fractions import Fraction

from equations.feedforward import FEEDFORWARD
from equations.feedforward import GENERAL as SIZES
from equations.nodes import Layer

from .canonical import inverse
from .constructs import Construct, OutOfReach
from .terms import (
    Entry,
    Exponential,
    Index,
    Partial,
    Poly,
    Root,
    Size,
    Slope,
    Term,
    fresh,
    scaled,
    single,
    summed,
    times,
)

LAST = Layer("L")
SAMPLES = "samples"

# What the table of symbols says of those that proofs reach: what each kind is called
# where it is defined, and of which loss a delta is the derivative.
ROWS = [row for row in FEEDFORWARD.symbols if row.proof]
DEFINED = {row.proof: row.definition for row in ROWS if row.definition}
DELTAS = {row.proof: FEEDFORWARD.named(row.of).proof for row in ROWS if row.of}
LOSSES = {row.proof for row in ROWS if row.kind == "loss"}
VECTORS = {row.axes[0]: row.letter for row in ROWS if {*row.axes} & {*SIZES}}

FUNCTIONS = ("tanh", "sigmoid")

up = Layer.up


# ---------------------------------------------------------------- definitions


def definition(entry: Entry) -> Poly | None:
    """What an entry is by its definition; None if it has none that can be put in."""
    match entry:
        case Entry("z in", Layer() as layer, (*sample, unit)):
            j = fresh(up(layer, -1))
            weight = Entry("W", layer, (j, unit))
            before = Entry("z out", up(layer, -1), (*sample, j))
            return summed(single(weight, before), j) + single(
                Entry("b", layer, (unit,))
            )
        case Entry(kind, Layer() as layer, places) if kind in DELTAS:
            its = places[:1] if kind == "delta of a sample" else ()
            loss = Entry(DELTAS[kind], None, its)
            return single(Partial(loss, Entry("z in", layer, places)))
        case Entry("G", Layer() as layer, (s, j, k)):
            before = Entry("z out", up(layer, -1), (s, j))
            return single(before, Entry("delta of the batch", layer, (s, k)))
        case Entry("mse" | "mse of the batch" as kind):
            k, s = fresh(LAST), fresh(SAMPLES)
            at = (k,) if kind == "mse" else (s, k)
            error = single(Entry("z out", LAST, at)) + scaled(
                single(Entry("y", LAST, at)), -1
            )
            total = summed(times(error, error), k)
            count = single(Size(LAST))
            if kind == "mse of the batch":
                total, count = summed(total, s), times(count, single(Size(SAMPLES)))
            return times(inverse(count), total)
        case Entry("r", Layer() as layer):
            count = single(Size(up(layer, -1))) + single(Size(layer))
            return single(Root(times((Term(Fraction(6)),), inverse(count))))
    return None


def function(name: str, argument: Poly) -> Poly:
    """tanh or sigmoid by definition."""
    minus = single(Exponential(scaled(argument, -1)))
    if name == "sigmoid":
        return inverse((Term(Fraction(1)), *minus))
    plus = single(Exponential(argument))
    return times(plus + scaled(minus, -1), inverse(plus + minus))


# ---------------------------------------------------------------- what depends on what

# The rank inside a layer. For the rules of calculus: t and v before u, u before f.
RANKS = {"W": 0, "b": 0, "z in": 1, "z out": 2}
GENERAL = {"t": 0, "vector t": 0, "v": 1, "u": 2, "f": 3}
LEAVES = {"W", "b", "y", "t", "vector t", "z"}


def layer_of(entry: Entry) -> Layer:
    """The layer of an entry that has one: all whose kind has a rank."""
    assert entry.layer is not None, f"{entry.kind} has no layer"
    return entry.layer


def depends(of: Entry, by: Entry) -> bool:
    """Whether one quantity comes after another on the way to the loss."""
    if by.kind == "y" or of.kind in LEAVES:
        return False
    if of.kind in GENERAL or by.kind in GENERAL:
        if {of.kind, by.kind} == {
            "v",
            "t",
        }:  # v depends on the vector, not the number
            return False
        return GENERAL.get(of.kind, -1) > GENERAL.get(by.kind, 9)
    if of.kind in LOSSES:
        return by.kind in RANKS
    if of.kind not in RANKS or by.kind not in RANKS:
        return True
    return after((of.kind, layer_of(of)), (by.kind, layer_of(by)))


def after(one: tuple[str, Layer], other: tuple[str, Layer]) -> bool:
    """Whether one quantity of the network is computed behind another."""
    (kind, layer), (from_kind, from_layer) = one, other
    if layer.base != from_layer.base and not (
        isinstance(layer.base, int) and isinstance(from_layer.base, int)
    ):
        raise OutOfReach(Construct.LAYERS)
    place, from_place = (up(x, 0) for x in (layer, from_layer))
    step = (
        place.base - from_place.base
        if isinstance(place.base, int) and isinstance(from_place.base, int)
        else place.offset - from_place.offset
    )
    return (step, RANKS[kind] - RANKS[from_kind]) > (0, 0)


def links(of: Entry, by: Entry) -> list[tuple[Index, Index]]:
    """The indices that must be equal, or one does not depend on the other: samples do
    not meet, and inside a layer a unit reaches its own output only."""
    pairs = []
    one, other = ([i for i in e.indices if i.kind == SAMPLES] for e in (of, by))
    if one and other:
        pairs.append((one[0], other[0]))
    network = {of.kind, by.kind} <= RANKS.keys()
    if network and up(layer_of(of), 0) == up(layer_of(by), 0):
        pairs.append((of.indices[-1], by.indices[-1]))
    return pairs


def slope(entry: Entry, order: int) -> Slope:
    """A derivative of the activation at a pre-activation."""
    return Slope(order, layer_of(entry), entry.indices)

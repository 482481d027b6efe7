"""What no proof here reaches, by name. Such a step stays with the numbers."""

from enum import Enum


class Construct(Enum):
    """Constructs that the index calculus does not know."""

    SYMBOLS = "symbols of another model"
    UNDEFINED = "a symbol that no formula defines"
    INDEX = "an index that is a sum"
    SIZE = "a size that is a number"
    CASES = "cases"
    ARGUMENT = "an activation of something else than its pre-activation"
    SECOND = "a derivative of a derivative"
    LAYERS = "layers counted from both ends"
    ELSEWHERE = "a cited equation that is not at hand"
    CITED = "a cited equation that equates no single symbol with anything"
    ENTRIES = "a change of single entries"
    DECIMALS = "decimal numbers"
    ORDER = "the order of an error"
    UPDATE = "an update"


class OutOfReach(Exception):
    """A step holds one of the constructs."""

    def __init__(self, construct: Construct):
        super().__init__(construct.value)
        self.construct = construct


class Unfit(Exception):
    """Factors, terms or indices that do not fit together: no proof holds."""

"""Check reasons for what they say: a step is closed by the rules that its reason names,
for every depth and width, every activation and every loss."""

from .constructs import Construct, OutOfReach
from .proof import Context, Step
from .verdict import Cited, Verdict, judge
from .words import CITED, remarks

__all__ = [
    "CITED",
    "Cited",
    "Construct",
    "Context",
    "OutOfReach",
    "Step",
    "Verdict",
    "judge",
    "remarks",
]

"""Check reasons for what they say: a step is closed by the rules that its reason names,
for every depth and width, every activation and every loss."""

from .constructs import Construct, OutOfReach
from .letters import Own, kind_named
from .proof import Cited, Context, Step
from .verdict import Verdict, judge
from .words import CITED, names_definition_only, remarks

__all__ = [
    "CITED",
    "Cited",
    "Construct",
    "Context",
    "OutOfReach",
    "Own",
    "Step",
    "Verdict",
    "judge",
    "kind_named",
    "names_definition_only",
    "remarks",
]

"""Finds mathematics of networks that a script of a page has of its own. All of it comes from the book's equations.

A script may hold, show and compare what equations compute. It may not calculate with it: no operator may stand beside a
quantity of the state, or beside a name that was given to one. Nor may functions stand in it that activations are made of,
or what looks like a slope.
"""

import re

STATE = [
    "W",
    "b",
    "X",
    "Y",
    "Zin",
    "Zout",
    "delta",
    "Delta",
    "dout",
    "Dout",
    "losses",
    "loss",
    "gradW",
    "gradb",
    "gradWs",
    "gradbs",
    "eta",
]
COMMENT_OR_TEXT = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL
)
IN_TEMPLATE = re.compile(r"`(?:\\.|[^`\\])*`", re.DOTALL)
VALUE = r"[A-Za-z_$][\w$]*(?:\??\.[\w$]+|(?:\?\.)?\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\])*"
WORDS = re.compile(
    r"\bMath\.(?:tanh|exp|expm1|sinh|cosh|log|log1p|sqrt|pow)\b|(?<![\d\s])\s*\*\*"
)
SLOPES = [
    re.compile(pattern.replace("X", rf"({VALUE})", 1).replace("X", r"\1"))
    for pattern in (
        r"\b1 ?- ?X ?\* ?X(?![\w$.\[])",
        r"X ?\* ?\( ?1 ?- ?X ?\)",
        r"\( ?1 ?- ?X ?\) ?\* ?X(?![\w$.\[])",
        r"X ?- ?X ?\* ?X(?![\w$.\[])",
        r"\( ?1 ?[+-] ?X ?\) ?\* ?\( ?1 ?[+-] ?X ?\)",
    )
]
ALIAS = re.compile(rf"\b(?:const|let|var) ([A-Za-z_$][\w$]*) ?= ?({VALUE});")
UNPACKED = re.compile(r"\b(?:const|let|var) ?\{([^{}]*)\} ?=")


def plain(source: str) -> str:
    """Without comments and texts; of templates only what they put in."""
    source = COMMENT_OR_TEXT.sub(
        lambda found: '""' if found[0][0] in "\"'" else " ", source
    )
    inside = re.compile(r"\$\{([^{}]*)\}")
    return IN_TEMPLATE.sub(
        lambda t: "[" + "; ".join(inside.findall(t[0])) + "]", source
    )


def is_of_state(value: str, names: set[str]) -> bool:
    parts = re.findall(r"[\w$]+", re.sub(r"\[.*", "", value))
    return parts[0] in names or any(part in STATE for part in parts[1:])


def found_in(source: str) -> list[str]:
    """The places at which a script calculates for itself."""
    text = plain(source)
    found = [m[0].strip() for m in WORDS.finditer(text)]
    found += [m[0] for pattern in SLOPES for m in pattern.finditer(text)]
    names: set[str] = set()
    for unpacked in UNPACKED.finditer(text):
        parts = [part.split(":") for part in unpacked[1].split(",")]
        names |= {part[-1].strip() for part in parts if part[0].strip() in STATE}
    for name, value in ALIAS.findall(text):
        if is_of_state(value, names):
            names.add(name)
    for match in re.finditer(VALUE, text):
        if text[match.start() - 1 : match.start()] in {".", "$"} or not is_of_state(
            match[0], names
        ):
            continue
        before, after = text[: match.start()].rstrip(), text[match.end() :].lstrip()
        operator = re.match(r"(?:[*/%]|[+-])", after)
        if operator or before[-1:] in tuple("*/%+-"):
            line = text[text.rfind("\n", 0, match.start()) + 1 :].partition("\n")[0]
            found.append(f"{match[0]}: {line.strip()}")
    return found

"""What a reason names: rules, definitions, and earlier equations.

The table of all rules, and of the words for them, stands here.
"""

import re
from dataclasses import dataclass

CITED = re.compile(r"\{eq\}`(?:[^`<]*<)?\s*([\w:-]+)\s*>?\s*`")

CALCULUS = {
    "chain rule": r"\bchain[\s-]+rule\b",
    "product rule": r"\bproduct[\s-]+rule\b",
    "quotient rule": r"\bquotient[\s-]+rule\b",
    "linearity": r"\blinearity\b",
    "known derivative": r"\bderivative of\b",
}
ALGEBRA = re.compile(r"\balgebra\b", re.IGNORECASE)  # needs no rule
DEFINITIONS = {
    "delta of the batch": r"[dD]eltas? of the batch\b|\$[^$]*\\Delta",
    "delta of a sample": r"[dD]eltas? of (?:a|each) sample\b",
    "delta": r"[dD]eltas?\b|\$[^$]*\\delta",
    "pre-activation": r"pre-activations?\b",
    "output": r"outputs?\b",
    "loss of the batch": r"loss of the batch\b",
    "loss": r"loss\b|mean squared error\b",
    "contribution": r"contributions?\b|cube\b|\$G",
    "bound": r"bound\b",
    "tanh": r"\$\\tanh\$|tanh\b",
    "sigmoid": r"sigmoid\b",
    "matrix product": r"matrix product\b",
    "transpose": r"transpose\b",
    "Jacobian": r"Jacobian\b",
    "gradient": r"gradient\b",
}
NOTATIONS = frozenset({"matrix product", "transpose", "Jacobian", "gradient"})

# A word can mean several rules: a delta is that of one sample, of a sample of a batch,
# or of the batch, and products of matrices have transposes in them.
SEVERAL = {
    "delta": {"delta", "delta of a sample", "delta of the batch"},
    "loss": {"loss", "loss of the batch"},
    "matrix product": {"matrix product", "transpose"},
}
RULES = frozenset(CALCULUS) | frozenset(DEFINITIONS)


def meant(word: str) -> frozenset[str]:
    return frozenset(SEVERAL.get(word, {word}))


DEFINITION = re.compile(r"\bdefinitions?\b", re.IGNORECASE)
OBJECT = re.compile(r"\bof\s+(?:the\s+|both\s+|all\s+)?", re.IGNORECASE)
CLAUSE_END = re.compile(r"[.:;]")
FORMULA = re.compile(r"\$[^$]*\$")
PHRASE = re.compile(r"(?:\$[^$]*\$|[^,.:;$])+")
FILLERS = {"a", "all", "an", "and", "by", "for", "of", "the", "with"}
DENIAL = re.compile(
    r"\b(?:no|not|none|neither|nor|never|without|cannot)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Named:
    """What a reason names: ``rule`` is None for a definition that does not say of
    what, ``label`` is that of a cited equation, ``symbol`` the formula of what a
    chapter defines."""

    text: str
    rule: str | None = None
    label: str | None = None
    symbol: str = ""


def said(rule: str) -> str:
    """A rule in words."""
    if rule in CALCULUS:
        return rule if rule == "linearity" else f"the {rule}"
    if rule.startswith(("delta", "tanh")):
        return f"the definition of {rule}"
    return f"the definition of the {rule}"


def named(reason: str) -> list[Named]:
    """All that a reason names. Raises ValueError, in words, for what it denies, and
    for a definition of something that is not defined here."""
    found = []
    # Labels are no words.
    blank = CITED.sub(lambda match: " " * len(match[0]), reason)
    for match in CITED.finditer(reason):
        check_not_denied(blank, match.start(), match[1])
        found.append(Named(match[1], label=match[1]))
    others = blank  # and no 'of' in a rule
    for rule, pattern in CALCULUS.items():
        for match in re.finditer(pattern, blank, re.IGNORECASE):
            check_not_denied(blank, match.start(), said(rule))
            found.append(Named(said(rule), rule))
        others = re.sub(
            pattern, lambda m: " " * len(m[0]), others, flags=re.IGNORECASE
        )
    for match in ALGEBRA.finditer(blank):
        check_not_denied(blank, match.start(), match[0])
        found.append(Named("algebra", "algebra"))
    for match in DEFINITION.finditer(blank):
        check_not_denied(blank, match.start(), "a definition")
        found += defined(others[match.end() :])
    return list(dict.fromkeys(found))


def names_definition_only(reason: str) -> bool:
    """Whether a reason is a definition of what stands there, and nothing else."""
    try:
        return named(reason) == [Named("a definition")]
    except ValueError:
        return False


def remarks(reason: str) -> list[str]:
    """What a reason says beyond names of rules, definitions and equations: its other
    phrases, which are not checked."""
    left = CITED.sub("", reason)
    for pattern in (*CALCULUS.values(), ALGEBRA.pattern):
        left = re.sub(pattern, "", left, flags=re.IGNORECASE)
    for pattern in DEFINITIONS.values():
        left = re.sub(rf"\b{OBJECT.pattern}(?:{pattern})", "", left)
    left = DEFINITION.sub("", left)
    phrases = [" ".join(phrase.split()) for phrase in PHRASE.findall(left)]
    return [
        phrase
        for phrase in phrases
        if set(re.findall(r"\w+", FORMULA.sub("", phrase.lower()))) - FILLERS
    ]


def defined(rest: str) -> list[Named]:
    """What behind the word 'definition' is said to be defined."""
    end = CLAUSE_END.search(rest)
    clause = rest[: end.start()] if end else rest
    if not OBJECT.match(clause.lstrip()):
        return [Named("a definition")]
    rules = []
    for match in OBJECT.finditer(clause):
        after = clause[match.end() :]
        rule = next((r for r, p in DEFINITIONS.items() if re.match(p, after)), None)
        formula = FORMULA.match(after)
        if rule is not None:
            tex = formula[0].strip("$") if formula else ""
            rules.append(Named(said(rule), rule, symbol=tex))
        elif formula:
            text = f"the definition of {formula[0]}"
            rules.append(Named(text, symbol=formula[0].strip("$")))
        elif not rules:
            raise ValueError(
                f"the reason names a definition of '{after.split(',')[0].strip()}';"
                f" defined are {', '.join(DEFINITIONS)}"
            )
    return rules


def check_not_denied(text: str, place: int, what: str) -> None:
    begin = max((m.end() for m in CLAUSE_END.finditer(text, 0, place)), default=0)
    if DENIAL.search(text, begin, place):
        raise ValueError(
            f"the reason denies {what}; it must say what gives the step"
        )

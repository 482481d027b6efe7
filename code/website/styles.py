"""One style sheet of many, with only what some page can use."""

import os
import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import rcssmin
import tinycss2
from tinycss2.ast import AtRule, QualifiedRule

# What holds rules in turn.
GROUPS = {"media", "supports", "layer", "container"}
READ = re.compile(r"var\(\s*(--[\w-]+)")
DEFINED = re.compile(r"""(--[\w-]+)\s*:(?:[^;{}"']|"[^"]*"|'[^']*')*(?:;|(?=\}))""")
URL = re.compile(r"""url\(\s*["']?(?!data:|#)([^"')]+?)["']?\s*\)""")


def bundled(sheets: Iterable[Path], used: set[str], folder: Path) -> str:
    """The rules of all ``sheets`` whose selectors name only words in ``used``: classes, ids, tags.

    Paths in it are relative to ``folder``.
    """
    rules = [rule for sheet in sheets for rule in _rules(sheet, used, folder)]
    return rcssmin.cssmin(_needed_variables("".join(rules)))


def _rules(sheet: Path, used: set[str], folder: Path) -> Iterator[str]:
    text = URL.sub(
        lambda found: f'url("{_moved(found[1], sheet, folder)}")',
        sheet.read_text(encoding="utf-8"),
    )
    parsed = tinycss2.parse_stylesheet(
        text, skip_comments=True, skip_whitespace=True
    )
    for rule in parsed:
        if isinstance(rule, AtRule) and rule.lower_at_keyword == "import":
            imported = next(
                t.value for t in rule.prelude if t.type in ("string", "url")
            )
            yield from _rules(sheet.parent / imported, used, folder)
        else:
            yield _kept(rule, used)


def _moved(address: str, sheet: Path, folder: Path) -> str:
    """A path from ``sheet``, as one from ``folder``."""
    path, mark, rest = address.partition("?")
    moved = os.path.relpath(sheet.parent / path, folder).replace(os.sep, "/")
    return f"{moved}{mark}{rest}"


def _kept(rule, used: set[str]) -> str:
    """A rule without the selectors that no page meets; nothing where none is left."""
    match rule:
        case QualifiedRule():
            selectors = [s for s in _split(rule.prelude) if _is_met(s, used)]
            if not selectors:
                return ""
            head = ",".join(tinycss2.serialize(s).strip() for s in selectors)
            return f"{head}{{{tinycss2.serialize(rule.content)}}}"
        case AtRule(lower_at_keyword=word, content=content) if (
            word in GROUPS and content
        ):
            inner = tinycss2.parse_rule_list(
                content, skip_comments=True, skip_whitespace=True
            )
            kept = "".join(_kept(each, used) for each in inner)
            return (
                f"@{word}{tinycss2.serialize(rule.prelude)}{{{kept}}}"
                if kept
                else ""
            )
        case AtRule(lower_at_keyword="charset"):
            return ""
        case AtRule():
            return rule.serialize()
    raise ValueError(f"A style sheet has something unreadable: {rule.message}")


def _split(prelude) -> Iterator[list]:
    """The selectors of a list."""
    selector: list = []
    for token in prelude:
        if token == ",":
            yield selector
            selector = []
        else:
            selector.append(token)
    yield selector


def _is_met(selector: list, used: set[str]) -> bool:
    """Whether all classes, ids and tags of a selector are used; those in brackets are not looked at."""
    before = None
    for token in selector:
        is_pseudo = before == ":"
        if token.type == "hash" and token.value not in used:
            return False
        if (
            token.type == "ident"
            and not is_pseudo
            and not {token.value, token.lower_value} & used
        ):
            return False
        before = token if token.type == "literal" else None
    return True


def _needed_variables(text: str) -> str:
    """The style sheet without definitions of variables that no rule reads."""
    read: set[str] = set()
    while read != (now := {*READ.findall(text)}):
        read = now
        text = DEFINED.sub(partial(_if_read, read), text)
    return text


def _if_read(read: set[str], found: re.Match) -> str:
    return found[0] if found[1] in read else ""

"""The tables of the grammar of formulas, for a parser in JavaScript: those with which the
check itself reads, written shorter."""

from collections import Counter
from operator import itemgetter
from typing import Any

from equations.parse import parser


def tables() -> dict[str, Any]:
    """``terminals`` are pairs of a name (empty where blanks are skipped) and a pattern, in
    the order in which they are tried. Rules stand together that make the same nonterminal and
    name their trees alike: these two, then of each which symbols are kept. A state names its row of
    ``shifts``, then pairs of a rule and the set of terminals before which it is reduced.
    ``gotos`` has for each nonterminal the usual next state, and the states with another."""
    frontend = parser().parser
    lexer, table = frontend.lexer.root_lexer, frontend.parser._parse_table
    ignored = set(lexer.ignore_types)
    order = {terminal.name: at for at, terminal in enumerate(lexer.terminals)}
    order["$END"] = len(order)
    rules: dict[Any, list[Any]] = {}
    nonterminals: dict[str, int] = {}
    for rule in parser().rules:
        name = str(rule.origin.name)
        made = nonterminals.setdefault(name, len(nonterminals))
        rules.setdefault((made, str(rule.alias or name)), []).append(rule)
    ordered = [rule for found in rules.values() for rule in found]
    places = {rule: place for place, rule in enumerate(ordered)}
    shifts, sets = Rows(), Rows()
    states: list[Any] = []
    gotos: list[dict[int, int]] = [{} for _ in nonterminals]
    start = table.start_states["row"]
    numbers = numbered(table.states, start)
    for state in numbers:
        taken: dict[int, int] = {}
        reduced: dict[int, list[int]] = {}
        for symbol, (action, target) in sorted(
            table.states[state].items(), key=itemgetter(0)
        ):
            if symbol in nonterminals:
                gotos[nonterminals[symbol]][numbers[state]] = numbers[target]
            elif action.name == "Shift":
                taken[order[symbol]] = numbers[target]
            else:
                reduced.setdefault(places[target], []).append(order[symbol])
        found = [shifts.place(sorted(taken.items()))]
        for number, symbols in sorted(reduced.items()):
            found += [number, sets.place(sorted(symbols))]
        states.append(found)
    return {
        "terminals": [
            ["" if t.name in ignored else t.name, t.pattern.to_regexp()]
            for t in lexer.terminals
        ],
        "rules": [[*made, *map(kept, found)] for made, found in rules.items()],
        "shifts": [[n for pair in row for n in pair] for row in shifts.rows],
        "sets": sets.rows,
        "states": states,
        "gotos": [shorter(targets) for targets in gotos],
        "start": numbers[start],
        "end": numbers[table.end_states["row"]],
    }


def kept(rule: Any) -> str:
    """Which symbols of a rule its tree has, in the digits 0 and 1."""
    return "".join(
        "10"[getattr(part, "filter_out", False)] for part in rule.expansion
    )


def numbered(states: dict[int, dict], start: int) -> dict[int, int]:
    """New numbers for the states, as they are met from the first on: those of lark change
    from one process to the next."""
    numbers = {start: 0}
    waiting = [start]
    for state in waiting:
        for _, (action, target) in sorted(states[state].items(), key=itemgetter(0)):
            if action.name == "Shift" and target not in numbers:
                numbers[target] = len(numbers)
                waiting.append(target)
    return numbers


class Rows:
    """Lists, of which equal ones are kept once."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def place(self, row: Any) -> int:
        if row not in self.rows:
            self.rows.append(row)
        return self.rows.index(row)


def shorter(targets: dict[int, int]) -> list[int]:
    """The most frequent target, then the states with another and theirs."""
    if not targets:
        return []
    usual = Counter(targets.values()).most_common(1)[0][0]
    others = [(s, t) for s, t in targets.items() if t != usual]
    return [usual, *(n for pair in others for n in pair)]

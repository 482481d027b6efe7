"""Write the script: a function for each equation, and what these need."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from equations.check import world_of
from equations.evaluate import Evaluator
from equations.nodes import EquationError, Node, Row, walk
from equations.speech.formulas import vocabulary
from equations.speech.say import say
from equations.speech.words import Vocabulary
from equations.world import Model

from . import layout, marked, show
from .chosen import (
    ACTIVATIONS,
    LABELS,
    LOSS_SLOPE,
    Book,
    Claim,
    Definition,
    node,
)
from .compute import Block, Writer, bare
from .terms import Scope
from .wrong import WRONG, Square

RUNTIME = Path(__file__).with_name("runtime.js")
# What an index on the left says of the place: a sample, a unit, a unit of the layer before.
PLACES = {"n": "s", "N": "i", "K": "i", "N-": "j"}


def write(book: Book) -> str:
    """The script. Raises ValueError, with the label, where an equation is missing or
    cannot be compiled."""
    parts = [
        '"use strict";\n(() => {',
        RUNTIME.read_text(encoding="utf-8"),
        functions(book),
        *(f'E["{each.label}"] = {each.text()};' for each in equations(book)),
        *(f'M["{name}"] = {each.text()};' for name, each in wrong(book).items()),
        FINISH,
        "})();\n",
    ]
    return "\n".join(parts)


def formulas(book: Book) -> dict[str, str]:
    """The TeX of each equation by its label, and of each of `wrong` by its name, with the
    marks of `marked.tex`."""
    found = {each.label: each for each in equations(book)} | wrong(book)
    return {
        name: marked.tex(each.claim, each.scope) for name, each in found.items()
    }


FINISH = """\
for (const each of [...Object.values(E), ...Object.values(M)]) {
  each.reads = (S, P) => entries(each.numbers(S, P));
  each.writes = (S, P) => entries(each.result(S, P));
  each.href = each.chapter + ".html" + (each.number ? "#equation-" + each.label : "");
}
globalThis.BookEquations = {equations: E, wrong: M, activations: A, allocate, places, pass, epoch, run, entries, digits};"""


def functions(book: Book) -> str:
    """The activation functions and their slopes."""
    return "\n".join(activation(book, each) for each in ACTIVATIONS)


def activation(book: Book, about: Definition) -> str:
    given = {node(tex): code for tex, code in about.given.items()}
    slope = book.claims(about.slope)[-1]
    if slope.left.node != node(about.left):
        raise ValueError(f"{about.slope}: {about.left} should stand on its left")
    value = f"Math.{about.name}"
    if about.value:
        value = function(about.name, book.stated(about.value), given)
    return "\n".join(
        [
            f"A.{about.kind} = {{",
            f'  name: "{about.name}",',
            f"  f: {value},",
            f"  slope: {function(about.slope, slope, given)},",
            "};",
        ]
    )


def function(label: str, claim: Claim, given: Mapping[Node, str]) -> str:
    """What stands on the right of a definition, as a function of z."""
    block = Block(depth=2)
    with naming(label, claim):
        writer = Writer(scope(claim), block, given)
        value = writer.value(claim.right.node).at("", "")
    block.add(f"return {bare(value)};")
    return "\n".join(["(z) => {", *block.lines, "  }"])


@contextmanager
def naming(label: str, claim: Claim) -> Iterator[None]:
    """Raises ValueError, with the label, where an equation cannot be compiled."""
    try:
        yield
    except EquationError as error:
        raise ValueError(f"{claim.chapter.file} ({label}): {error}") from error


def scope(claim: Claim, model: Model | None = None) -> Scope:
    """The indices of an equation, after a look at its sides in a model; if none is given,
    in the deepest network."""
    model = model or world_of(claim.chapter).models()[0]
    ell = None
    if claim.range:
        first, last = map(Evaluator(model, None).layer, claim.range)
        ell = (first + last + 1) // 2
    sides = (claim.left.node, claim.right.node)
    evaluator = Evaluator(model, ell, walk(sides), claim.chapter.loss)
    left, right = map(evaluator.value, sides)
    if left.sides != right.sides:
        raise EquationError(f"a side is {left.shape}, the other {right.shape}")
    if unknown := set(right.indices) - set(left.indices):
        raise EquationError(
            f"{', '.join(sorted(unknown))} stands on the right only"
        )
    return Scope(evaluator)


def equations(book: Book) -> list["Equation"]:
    """All, after a look whether all are there."""
    found = [
        (label, form, book.claim(label), book.numbers[label][0])
        for form, labels in LABELS.items()
        for label in labels
    ]
    found.append(("loss-slope", "scalar", book.stated(LOSS_SLOPE), ""))
    return [equation(*each) for each in found]


def equation(label: str, form: str, claim: Claim, number: str) -> "Equation":
    with naming(label, claim):
        return Equation(label, form, claim, number)


def wrong(book: Book) -> dict[str, "Equation"]:
    """Those with which a page computes wrongly when it is asked to, by the names of the
    mistakes: each with the label of the equation that it replaces."""
    found = {}
    for name, mistake in WRONG.items():
        label = mistake.label
        with naming(f"{name}, in place of {label}", book.claim(label)):
            claim = mistake.claim(book)
            number = book.numbers[label][0]
            found[name] = Equation(label, mistake.form, claim, number, Square())
            found[name].square = mistake.square
    return found


class Equation:
    """An equation, and what becomes of it in JavaScript. It has no ``number`` where it is
    not displayed. ``model`` is as in `scope`."""

    def __init__(
        self,
        label: str,
        form: str,
        claim: Claim,
        number: str,
        model: Model | None = None,
    ):
        self.label, self.form, self.claim, self.number = label, form, claim, number
        self.scope = scope(claim, model)
        self.known = Vocabulary(model.world) if model else vocabulary(claim.chapter)
        left = self.scope.leaf(claim.left.node)
        if left is None:
            raise EquationError("what stands on the left has no place in the state")
        self.left = left
        self.square = False  # whether its shapes fit square weights only
        self.methods = {
            "run": self.run(),
            "numbers": [f"return {show.html(claim.right.node, self.scope)};"],
            "result": [f"return {show.shown(left)};"],
        }

    def text(self) -> str:
        """An object."""
        chapter = Path(self.claim.chapter.file).stem
        about: dict[str, object] = {
            "label": self.label,
            "number": self.number,
            "chapter": chapter,
            "form": self.form,
            "tex": tex(self.claim),
            "speech": words(self.claim, self.known),
            "letters": self.letters,
        }
        if self.square:
            about["square"] = True
        lines = [
            f"  {key}: {json.dumps(value, ensure_ascii=False)},"
            for key, value in about.items()
        ]
        lines += [f"  range: {self.range()},", f"  over: {self.over()},"]
        for name, statements in self.methods.items():
            lines.append(self.method(name, statements))
        return "\n".join(["{", *lines, "}"])

    def range(self) -> str:
        found = self.claim.range
        if found is None:
            return "null"
        return f"(S) => [{layout.layer(found.first)}, {layout.layer(found.last)}]"

    @property
    def letters(self) -> dict[str, str]:
        """The letters of the indices on the left, by what they say of the place."""
        letters = [index for index in self.left.indices if not index.isdigit()]
        return {PLACES[self.scope.axes[letter]]: letter for letter in letters}

    def over(self) -> str:
        """How far what names a place runs: the indices on the left, and the sample."""
        sizes = {
            name: self.scope.sizes[letter] for name, letter in self.letters.items()
        }
        if any(re.search(r"\bone\b", line) for line in self.methods["run"]):
            sizes["s"] = "S.n"
        given = ", ".join(f"{name}: {size}" for name, size in sizes.items())
        return f"(S, ell) => ({{{given}}})"

    def method(self, name: str, lines: list[str]) -> str:
        code = "\n".join(lines)
        needed = {letter: f"P.{place}" for place, letter in self.letters.items()}
        needed |= {"ell": "P.l", "one": "P.s"}
        head = ", ".join(
            f"{letter} = {place}"
            for letter, place in needed.items()
            if re.search(rf"\b{letter}\b", code)
        )
        lines = [f"const {head};", *lines] if head else lines
        return "\n".join(
            [f"  {name}(S, P) {{", *("    " + line for line in lines), "  },"]
        )

    def run(self) -> list[str]:
        """The statements that compute the left side. A whole one is made anew before it
        takes its place: it may stand on the right, too."""
        block, left = Block(), self.left
        value = Writer(self.scope, block).value(self.claim.right.node)
        free = len(left.slot.axes) - len(left.indices)
        if not free:
            block.add(f"{left.element()} = {bare(value.at('0', '0'))};")
            return block.lines
        rows, columns = str(left.rows), str(left.columns)
        if free == 1:
            size = columns if left.lying else rows
            block.add(f"const made = new Float64Array({size});")
            with block.loop("r", size):
                at = ("0", "r") if left.lying else ("r", "0")
                block.add(f"made[r] = {bare(value.at(*at))};")
        else:
            block.add(f"const made = zeros({rows}, {columns});")
            with block.loop("r", rows), block.loop("c", columns):
                block.add(f"made[r][c] = {bare(value.at('r', 'c'))};")
        block.add(f"{left.slot.element(left.indices)} = made;")
        return block.lines


def tex(claim: Claim) -> str:
    """The equation as it is compiled: its left side, and what stands last."""
    left, right = (marked.in_a_line(part.tex) for part in (claim.left, claim.right))
    return f"{left} {marked.RELATIONS[claim.relation]} {right}"


def words(claim: Claim, known: Vocabulary) -> str:
    sides = (claim.left.node, claim.right.node)
    conditions = (claim.range,) if claim.range else ()
    return say(Row(sides, (claim.relation,), conditions), known)

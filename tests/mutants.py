"""Breaks the package one place at a time, and sees whether the unit tests notice.

    python tests/mutants.py ROOT [TEST_FILE ...]

Every mutant is one small change of one statement of `code/backprop`. The tests run on it in a copy of the tree at ROOT. A
mutant is killed where a test fails; one that cannot be imported or collected is not, for then no test has said anything.
Mutants that change no behaviour stand in `tests/harmless_mutants.txt`, as the report prints them, below a reason.

A test run costs half a second instead of four, because it is forked from a process that has imported torch already.
"""

import ast
import copy
import gc
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

# The most telling first: a run stops at the first failure.
TESTS = ["network", "copies", "errors", "gradients", "training"]
TESTS = [f"tests/test_{name}.py" for name in TESTS]
# Half of the time of all tests, for a repetition with other seeds.
LEFT_OUT = "tests/test_training.py::test_every_seed_solves_the_five_points"
HARMLESS = "tests/harmless_mutants.txt"
PRELOADED = [
    "PIL.ImageDraw",
    "contourpy",
    "hypothesis",
    "jupytext",
    "matplotlib.pyplot",
    "nbval.plugin",
    "pytest",
    "torch._dynamo",
    "torch._inductor.utils",
    "tqdm",
]
LIMIT = 60  # seconds for one mutant; the tests take a sixth of that

OPERATORS = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult],
    ast.MatMult: [ast.Mult],
    ast.Pow: [ast.Mult],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
# Names and attributes that are easily mistaken for each other.
PAIRS = (
    "weight bias, weight_grad bias_grad, weight weight_grad, bias bias_grad, "
    "forward derivative, forward gradient, input_size output_size, x y, "
    "in_features out_features, min max, mean sum, linear act, "
    "TypeError ValueError, TanH Sigmoid, tanh sigmoid, weight_grad bias"
)
RENAMED = {}
for one, other in map(str.split, PAIRS.split(",")):
    RENAMED.setdefault(one, []).append(other)
    RENAMED.setdefault(other, []).append(one)


@dataclass(frozen=True)
class Mutant:
    """A file's source with one statement changed, and where that is."""

    file: str
    line: int
    function: str
    before: str
    after: str
    source: str

    def key(self):
        """What stays the same when the file is formatted anew."""
        return self.file, self.function, self.before, self.after

    def __str__(self):
        return f"{self.file} {self.function}\n- {self.before}\n+ {self.after}"


def changed(node, **fields):
    """A copy of ``node`` with other fields."""
    twin = copy.copy(node)
    for name, value in fields.items():
        setattr(twin, name, value)
    return twin


def swapped(items):
    """The list with each two neighbours exchanged."""
    for i in range(len(items) - 1):
        yield [*items[:i], items[i + 1], items[i], *items[i + 2 :]]


def dropped(items):
    """The list without each of its items."""
    for i in range(len(items)):
        yield [*items[:i], *items[i + 1 :]]


def replacements(node):
    """What to put in the place of an expression, one at a time."""
    match node:
        case ast.BinOp(left, operator, right):
            for other in OPERATORS.get(type(operator), []):
                yield changed(node, op=other())
            yield from (left, right)
            # Sums and products of numbers are the same both ways, sums of lists are not.
            lists = isinstance(left, ast.List) or isinstance(right, ast.List)
            if not isinstance(operator, ast.Mult) and (
                lists or not isinstance(operator, ast.Add)
            ):
                yield changed(node, left=right, right=left)
        case ast.BoolOp(operator, values):
            yield changed(node, op=OPERATORS[type(operator)][0]())
            if len(values) == 2:
                yield from values
            else:
                yield from (changed(node, values=v) for v in dropped(values))
        case ast.Compare(ops=operators):
            for i, operator in enumerate(operators):
                for other in OPERATORS[type(operator)]:
                    ops = [*operators[:i], other(), *operators[i + 1 :]]
                    yield changed(node, ops=ops)
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.IfExp(body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.Constant(bool() | None as value):
            yield ast.Constant(not value)
        case ast.Constant(int(value) | float(value)):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(str(value)):
            yield from map(ast.Constant, RENAMED.get(value, [value + "x"]))
        case ast.JoinedStr():
            yield ast.Constant("")
        case ast.Name(name):
            for other in RENAMED.get(name, []):
                yield changed(node, id=other)
        case ast.Attribute(value, name):
            for other in RENAMED.get(name, []):
                yield changed(node, attr=other)
            if name == "T":
                yield value
        case ast.Call(function, arguments, keywords):
            yield from (changed(node, args=a) for a in swapped(arguments))
            yield from (changed(node, keywords=k) for k in dropped(keywords))
            if len(arguments) == 1:
                yield arguments[0]
            match function:
                case ast.Attribute(ast.Name("torch" | "math" | "plt")):
                    pass  # a module is nobody's mistake for a call
                case ast.Attribute(value):
                    yield value
        case ast.Tuple(items) | ast.List(items):
            if not all(isinstance(i, ast.Constant | ast.List) for i in items):
                yield from (changed(node, elts=e) for e in swapped(items))


def expressions(node):
    """The expressions of a statement that do something: no annotations, no text of messages, no statements inside."""
    for name, field in ast.iter_fields(node):
        for child in field if isinstance(field, list) else [field]:
            if isinstance(node, ast.Raise):
                child = getattr(child, "func", child)
            if name in ("annotation", "returns") or isinstance(child, ast.stmt):
                continue
            if isinstance(child, ast.expr):
                yield child
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                yield from expressions(child)


def statements(node, function=""):
    """The statements below ``node`` that can be broken, each with the function it is in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child, function
        name = getattr(child, "name", None)
        inside = f"{function}.{name}".strip(".") if name else function
        yield from statements(child, inside)


def breakable(statement):
    """Not imports, which fail without any test, docstrings, or lists of what is exported."""
    match statement:
        case ast.Expr(ast.Constant()) | ast.Import() | ast.ImportFrom():
            return False
        case ast.Assign([ast.Name("__all__")]) | ast.If(ast.Name("TYPE_CHECKING")):
            return False
    return True


def header(statement):
    """A statement on one line, without the statements inside it."""
    return ast.unparse(statement).splitlines()[0]


def edits(statement):
    """Pairs of a node of the statement and the text to put in its place."""
    if not isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement, "pass"
    if isinstance(statement, ast.If):
        yield statement.test, f"(not ({ast.unparse(statement.test)}))"
    for node in expressions(statement):
        for new in replacements(node):
            yield node, f"({ast.unparse(new)})"


def mutants(source, file):
    """All mutants of a file. Each keeps the comments and the formatting of the rest."""
    tree = ast.parse(source)
    seen = {ast.dump(tree)}
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for index, (statement, function) in enumerate(statements(tree)):
        for node, text in edits(statement) if breakable(statement) else ():
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            data = source.encode()
            broken = (data[:start] + text.encode() + data[end:]).decode()
            try:
                after, _ = list(statements(ast.parse(broken)))[index]
            except SyntaxError:  # such as a swap of *args with a keyword
                continue
            before, after = header(statement), header(after)
            dump = ast.dump(ast.parse(broken))
            if dump not in seen:
                seen.add(dump)
                yield Mutant(file, node.lineno, function, before, after, broken)


def telling(file, tests):
    """The tests, with those of bad input first where that is what is broken."""
    return sorted(tests, key=lambda t: file != "checks.py" or "errors" not in t)


def run_tests(tree, tests):
    """In a forked child: run the tests of the tree, and end."""
    with open(tree / "log", "wb") as log:
        sys.stdout.flush()
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.chdir(tree)
    sys.path.insert(0, str(tree / "code"))
    hypothesis, pytest = sys.modules["hypothesis"], sys.modules["pytest"]
    phases = hypothesis.Phase.explicit, hypothesis.Phase.generate
    hypothesis.settings.register_profile("unshrunk", phases=phases)
    hypothesis.settings.load_profile("unshrunk")
    options = [
        "-x",
        "-m",
        "not slow",
        "--tb=line",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
    ]
    options.append(f"--deselect={LEFT_OUT}")
    os._exit(pytest.main([*options, *tests]))


def judged(mutants, trees, tests):
    """Each mutant with its verdict and the end of its log, as they come in."""
    waiting, free, running = iter(mutants), list(trees), {}
    mutant = next(waiting, None)
    while mutant or running:
        while mutant and free:
            tree = free.pop()
            path = tree / "code" / "backprop" / mutant.file
            original = path.read_bytes()
            path.write_text(mutant.source, encoding="utf-8")
            pid = os.fork()
            if pid == 0:
                try:
                    run_tests(tree, telling(mutant.file, tests))
                except BaseException:
                    traceback.print_exc()
                    raise
                finally:  # whatever happens: a child does not go on as its parent
                    os._exit(99)
            running[pid] = mutant, tree, path, original, time.monotonic()
            mutant = next(waiting, None)
        time.sleep(0.005)
        for pid, (judged_one, tree, path, original, start) in [*running.items()]:
            ended, status = os.waitpid(pid, os.WNOHANG)
            late = not ended and time.monotonic() - start > LIMIT
            if late:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            if ended or late:
                path.write_bytes(original)
                free.append(tree)
                del running[pid]
                code = os.waitstatus_to_exitcode(status)
                names = {0: "survived", 1: "killed"}
                verdict = names.get(code, f"not tested: pytest ended with {code}")
                log = (tree / "log").read_text(errors="replace")
                yield judged_one, "timed out" if late else verdict, log


def harmless(text):
    """The keys of the mutants listed as harmless: blocks of a reason and mutants, as printed."""
    keys = []
    for block in text.strip().split("\n\n"):
        reasons = [line for line in block.splitlines() if line.startswith("#")]
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if not reasons:
            raise ValueError(f"{HARMLESS}: no reason above {lines[0]!r}")
        for place, before, after in zip(*[iter(lines)] * 3, strict=True):
            file, _, function = place.partition(" ")
            keys.append((file, function, before[2:], after[2:]))
    return keys


def main(root, tests):
    """Judge all mutants of the tree at ``root``, print what is wrong and the count, and return whether nothing is."""
    begin, root, wrong = time.monotonic(), Path(root).resolve(), 0
    listed = harmless((root / HARMLESS).read_text(encoding="utf-8"))
    todo = [
        mutant
        for path in sorted((root / "code" / "backprop").glob("*.py"))
        for mutant in mutants(path.read_text(encoding="utf-8"), path.name)
    ]
    for key in set(listed) - {mutant.key() for mutant in todo}:
        wrong += 1
        print("listed as harmless, but no mutant:", *key, sep="\n  ")
    os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is imported
    for name in PRELOADED if tests == TESTS else ("pytest", "hypothesis"):
        importlib.import_module(name)
    gc.freeze()  # else every child first copies all that was imported
    counts = Counter()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tempfile.tempdir = folder  # what the tests leave behind goes with it
        trees = [Path(folder) / str(i) for i in range(os.cpu_count() or 1)]
        shutil.copytree(
            root,
            trees[0],
            ignore=shutil.ignore_patterns(
                ".*", "_build", "__pycache__", "*.egg-info"
            ),
        )
        # The tests must pass where nothing is broken. This also compiles them, once.
        sys.dont_write_bytecode = False
        init = root / "code" / "backprop" / "__init__.py"
        whole = Mutant(init.name, 1, "", "", "", init.read_text(encoding="utf-8"))
        ((_, verdict, log),) = judged([whole], trees[:1], tests)
        if verdict != "survived":
            print(f"the tests fail on the whole package\n{log}")
            return False
        shutil.rmtree(trees[0] / "code" / "backprop" / "__pycache__")
        for tree in trees[1:]:
            shutil.copytree(trees[0], tree)
        # A module compiled from one mutant could pass for the next, of the same size and time.
        sys.dont_write_bytecode = True
        for mutant, verdict, log in judged(todo, trees, tests):
            counts[verdict] += 1
            if mutant.key() in listed:
                counts["harmless"] += 1
                if verdict == "survived":
                    continue
                print(f"\nlisted as harmless, but {verdict}:")
            elif verdict in ("killed", "timed out"):
                continue
            else:
                print(f"\n{verdict}:")
            wrong += 1
            print(f"{root / 'code' / 'backprop' / mutant.file}:{mutant.line}")
            print(mutant)
            if verdict != "survived":
                print(log[-2000:])
    dead, late = counts["killed"] + counts["timed out"], counts["timed out"]
    print(
        f"\nmutants killed / total: {dead} / {len(todo)} ({late} by the time limit); "
        f"{counts['harmless']} listed as harmless; "
        f"{time.monotonic() - begin:.0f} s on {len(trees)} processes"
    )
    return not wrong


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1], sys.argv[2:] or TESTS))

"""Breaks the package one place at a time, and sees whether the unit tests notice.

    python tests/mutants.py ROOT [TEST_FILE ...]

Every mutant is one small change of one statement of `code/backprop`. A mutant is killed where a test fails; one that cannot be
imported or collected is not, for then no test has said anything. Mutants that change no behaviour stand in
`tests/harmless_mutants.txt`, as the report prints them, below a reason.

The tests are collected once, in a copy of the tree at ROOT. For each mutant, a forked process puts the changed code into the
function that it belongs to, and runs the tests that reach the changed statement, until one fails; the others could not notice.
What runs at the latest while the tests are collected cannot be changed afterwards. There, a process forked before that runs all
tests on a tree with the change in it.
"""

import ast
import copy
import gc
import importlib
import itertools
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType

import coverage
import hypothesis
import pytest
from chapters import environment

TESTS = ["network", "many", "beyond", "errors", "gradients", "training"]
TESTS = [f"tests/test_{name}.py" for name in TESTS]
HARMLESS = "tests/harmless_mutants.txt"
PACKAGE = Path("code", "backprop")
PRELOADED = [
    "PIL.ImageDraw",
    "contourpy",
    "jupytext",
    "matplotlib.pyplot",
    "nbval.plugin",
    "torch._dynamo",
    "torch._inductor.utils",
    "tqdm",
]
PROFILE = hypothesis.settings(
    derandomize=True,
    deadline=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)
OPTIONS = [
    "-s",
    "--assert=plain",
    "-m=not slow",
    "-pno:cacheprovider",
    "-pno:terminal",
]
LIMIT = 60  # seconds for one mutant; all tests take a tenth of that
VERDICTS = {0: "survived", 1: "killed", -signal.SIGALRM: "timed out"}
CORES = os.cpu_count() or 1

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
    lines: range  # of the statement, where that is in a function

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


def statements(node, function="", is_inside=False):
    """The statements below ``node`` that can be broken, each with what it is in, and whether that is a function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child, function, is_inside
        name = getattr(child, "name", None)
        inside = f"{function}.{name}".strip(".") if name else function
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        yield from statements(child, inside, is_inside or is_function)


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
        # Nothing; but a method must refer to its class as before.
        is_above = "super()" in ast.unparse(statement)
        yield statement, "super()" if is_above else "pass"
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
    for index, (statement, function, is_inside) in enumerate(statements(tree)):
        for node, text in edits(statement) if breakable(statement) else ():
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            data = source.encode()
            broken = (data[:start] + text.encode() + data[end:]).decode()
            try:
                twin = ast.parse(broken)
            except SyntaxError:  # such as a swap of *args with a keyword
                continue
            if (dump := ast.dump(twin)) not in seen:
                seen.add(dump)
                after, *_ = list(statements(twin))[index]
                before, after = header(statement), header(after)
                first = min(node.lineno, statement.lineno)  # maybe of a decorator
                lines = range(first, statement.end_lineno + 1 if is_inside else 0)
                place = file, node.lineno, function
                yield Mutant(*place, before, after, broken, lines)


def forked(jobs, limit=0):
    """Do jobs in forked processes, one on each core at a time. A job is what it is about, which comes back with its exit code and
    output, and a function that returns the exit code. After ``limit`` seconds it is ended."""
    jobs, running = iter(jobs), {}
    while True:
        for about, function in itertools.islice(jobs, CORES - len(running)):
            log = Path(tempfile.mkdtemp(), "log")
            sys.stdout.flush()
            pid = os.fork()
            if pid == 0:
                end_with(function, log, limit)
            running[pid] = about, log
        if not running:
            return
        pid, status = os.wait()
        about, log = running.pop(pid)
        code = os.waitstatus_to_exitcode(status)
        yield about, (code, log.read_text(errors="replace"))


def end_with(function, log, limit):
    """In a forked child: call the function, and end."""
    code = 99
    try:
        signal.alarm(limit)  # nobody handles it, so it ends even what never returns
        with open(log, "wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        code = function()
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
        raise
    finally:  # whatever happens: a child does not go on as its parent
        os._exit(code)


class Plugin:
    """Does something with the collected tests, in place of running them all, and prints what fails."""

    def __init__(self, do):
        self.do = do

    def pytest_configure(self, config):
        # Other styles parse the file of the test, for every failure.
        config.option.tbstyle = "native"

    def pytest_runtestloop(self, session):
        if session.testsfailed:  # to be collected: pytest ends with that
            return None
        self.do(session)
        return True

    def pytest_runtest_logreport(self, report):
        if report.failed:
            print(report.longreprtext)

    pytest_collectreport = pytest_runtest_logreport


def collect(tree, tests, do):
    """Collect the tests of a tree, do something with pytest's session, and return its exit code."""
    os.chdir(tree)
    sys.path.insert(0, str(tree / "code"))
    hypothesis.settings.register_profile("mutants", PROFILE)
    hypothesis.settings.load_profile("mutants")
    return pytest.main([*OPTIONS, *tests], plugins=[Plugin(do)])


def run(items):
    """Run tests until one fails, and return the exit code. What a test does depends on none before it: each makes its fixtures
    anew, and torch draws the same."""
    for item in items:
        if "torch" in sys.modules:
            sys.modules["torch"].default_generator.manual_seed(0)
        item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        if item.session.testsfailed:
            return 1
    return 0


def run_measured(tree, tests):
    """Run the tests, and store how long each takes and which lines of the package it reaches."""
    place = {"include": [f"{tree / PACKAGE}/*"], "config_file": False}
    measured = coverage.Coverage(tree / ".coverage", **place)
    seconds = {"": 0}

    def run_each(session):
        for item in session.items:
            measured.switch_context(item.nodeid)
            begin = time.monotonic()
            run([item])
            seconds[item.nodeid] = time.monotonic() - begin

    with measured.collect():
        code = collect(tree, tests, run_each)
    measured.save()
    (tree / "seconds").write_text(json.dumps(seconds))
    return code


def reaching(todo, tree):
    """For each mutant the tests that reach it, the quickest first. An empty name stands for all that runs before the tests."""
    seconds = json.loads((tree / "seconds").read_text())
    data = coverage.CoverageData(tree / ".coverage")
    data.read()
    paths = (tree / PACKAGE).glob("*.py")
    names = {path.name: data.contexts_by_lineno(str(path)) for path in paths}
    found = {}
    for mutant in todo:
        lines = (names[mutant.file].get(line, ()) for line in mutant.lines)
        found[mutant] = sorted(set().union(*lines), key=seconds.get)
    return found


def run_copy(mutant, tree, tests):
    """Run the tests in a copy of the tree with the mutant in it."""
    twin = Path(tempfile.mkdtemp(), "tree")
    # Bytecode of the package could pass for that of a mutant of the same size and time.
    shutil.copytree(tree, twin, ignore=shutil.ignore_patterns("__pycache__"))
    (twin / PACKAGE / mutant.file).write_text(mutant.source, encoding="utf-8")
    return collect(twin, tests, lambda session: run(session.items))


def run_swapped(changes, tree, functions, items):
    """Run tests with changed functions; a change is a file of the package and what `swap` takes."""
    for file, *change in changes:
        swap(functions, str(tree / PACKAGE / file), *change)
    return run(items)


def swap(functions, path, source, last):
    """Give the functions of a file the code that another source has for them, down to a last line. Below a change they are the
    same, but may have moved."""
    new = {
        (code.co_qualname, code.co_firstlineno): code
        for code in all_code(compile(source, path, "exec"))
    }
    for function in functions:
        old = function.__code__
        if old.co_filename == path and old.co_firstlineno <= last:
            function.__code__ = new[old.co_qualname, old.co_firstlineno]


def all_code(code):
    """A code object, and those of the functions and classes in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from all_code(constant)


def imported_functions():
    """All functions, also those that a class, a property or a decorator holds. A line can have two without a name."""
    everything = gc.get_objects()
    functions = (thing for thing in everything if type(thing) is FunctionType)
    return [f for f in functions if f.__code__.co_name != "<lambda>"]


def passes(function):
    """Whether the tests pass where nothing is broken, as they must."""
    ((_, (code, log)),) = forked([(None, function)])
    if code:
        print(f"the tests fail on the whole package\n{log}")
    return not code


def judged(todo, tree, tests):
    """The exit code and the output of the tests for each mutant; for none, if they fail on the whole package."""
    if not passes(partial(run_measured, tree, tests)):
        return {}
    names = reaching(todo, tree)
    early = [m for m in todo if not m.lines or "" in names[m]]
    copies = [(mutant, partial(run_copy, mutant, tree, tests)) for mutant in early]
    ended = dict(forked(copies, LIMIT))

    def judge(session):
        gc.unfreeze()  # what is frozen is not found
        run_broken = partial(run_swapped, tree=tree, functions=imported_functions())
        gc.freeze()
        whole = [
            (path.name, path.read_text("utf-8"), sys.maxsize)
            for path in (tree / PACKAGE).glob("*.py")
        ]
        if not passes(partial(run_broken, whole, items=session.items)):
            raise session.Failed
        items = {item.nodeid: item for item in session.items}
        jobs = []
        for mutant in (m for m in todo if m not in ended):
            change = mutant.file, mutant.source, mutant.line
            chosen = [items[name] for name in names[mutant]]
            jobs.append((mutant, partial(run_broken, [change], items=chosen)))
        ended.update(forked(jobs, LIMIT))

    return {} if collect(tree, tests, judge) else ended


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
        for path in sorted((root / PACKAGE).glob("*.py"))
        for mutant in mutants(path.read_text(encoding="utf-8"), path.name)
    ]
    for key in set(listed) - {mutant.key() for mutant in todo}:
        wrong += 1
        print("listed as harmless, but no mutant:", *key, sep="\n  ")
    environment.enter(root)  # before torch is imported
    for name in PRELOADED if tests == TESTS else ():
        importlib.import_module(name)
    gc.freeze()  # else every child first copies all that was imported
    counts = Counter()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tempfile.tempdir = folder  # what the tests leave behind goes with it
        tree = Path(folder, "tree").resolve()
        made = shutil.ignore_patterns(".*", "_build", "__pycache__", "*.egg-info")
        shutil.copytree(root, tree, ignore=made)
        ended = judged(todo, tree, tests)
    if not ended:
        return False
    for mutant in todo:
        code, log = ended[mutant]
        verdict = VERDICTS.get(code, f"not tested: pytest ended with {code}")
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
        print(f"{root / PACKAGE / mutant.file}:{mutant.line}")
        print(mutant)
        if verdict != "survived":
            print(log[-2000:])
    dead, late = counts["killed"] + counts["timed out"], counts["timed out"]
    print(
        f"\nmutants killed / total: {dead} / {len(todo)} ({late} by the time limit); "
        f"{counts['harmless']} listed as harmless; "
        f"{time.monotonic() - begin:.0f} s on {CORES} processes"
    )
    return not wrong


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1], sys.argv[2:] or TESTS))

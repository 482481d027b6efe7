"""The unit tests notice when the package is broken in one place; and what says so is itself seen to object."""

import re
import subprocess
import sys
import time
import types
from pathlib import Path

import mutants
import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments, script=(ROOT / "tests" / "mutants.py",)):
    """The exit code and the output of the script."""
    done = subprocess.run(
        [sys.executable, *script, *arguments],
        check=False,
        cwd=ROOT / "tests",  # where a script that is given as text finds the module
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


@pytest.mark.slow
def test_the_unit_tests_kill_every_mutant():
    code, output = run(ROOT)
    print(output)
    assert code == 0, output


SAMPLE = '''\
"""A sample."""

__all__ = ["f"]


def f(x, sign: int | None = -1):
    """Not changed: text."""
    if not x.any():
        raise ValueError(f"no {x} and no {sign + 1}")
    return (x @ x.T - sign) < 2  # eq-kept
'''
EXPECTED = """\
if not x.any(): -> pass
if not x.any(): -> if not not x.any():
if not x.any(): -> if x.any():
if not x.any(): -> if not x:
if not x.any(): -> if not y.any():
raise ValueError(f'no {x} and no {sign + 1}') -> pass
raise ValueError(f'no {x} and no {sign + 1}') -> raise TypeError(f'no {x} and no {sign + 1}')
return x @ x.T - sign < 2 -> pass
return x @ x.T - sign < 2 -> return x @ x.T - sign <= 2
return x @ x.T - sign < 2 -> return x @ x.T - sign >= 2
return x @ x.T - sign < 2 -> return x @ x.T + sign < 2
return x @ x.T - sign < 2 -> return x @ x.T < 2
return x @ x.T - sign < 2 -> return sign < 2
return x @ x.T - sign < 2 -> return sign - x @ x.T < 2
return x @ x.T - sign < 2 -> return x * x.T - sign < 2
return x @ x.T - sign < 2 -> return x - sign < 2
return x @ x.T - sign < 2 -> return x.T - sign < 2
return x @ x.T - sign < 2 -> return x.T @ x - sign < 2
return x @ x.T - sign < 2 -> return y @ x.T - sign < 2
return x @ x.T - sign < 2 -> return x @ x - sign < 2
return x @ x.T - sign < 2 -> return x @ y.T - sign < 2
return x @ x.T - sign < 2 -> return x @ x.T - sign < 3
return x @ x.T - sign < 2 -> return x @ x.T - sign < 1
def f(x, sign: int | None=-1): -> def f(x, sign: int | None=1):
def f(x, sign: int | None=-1): -> def f(x, sign: int | None=-2):
def f(x, sign: int | None=-1): -> def f(x, sign: int | None=-0):
"""


def test_the_mutants_of_a_sample():
    made = list(mutants.mutants(SAMPLE, "sample.py"))
    pairs = sorted(f"{m.before} -> {m.after}" for m in made)
    assert pairs == sorted(EXPECTED.splitlines())
    assert {m.function for m in made} == {"", "f"}
    assert all("  # eq-kept\n" in m.source for m in made)


@pytest.mark.parametrize(
    ("source", "before", "after"),
    [
        ("f(a, b, c=1)", "f(a, b, c=1)", "f(b, a, c=1)"),
        ("f(a, b, c=1)", "f(a, b, c=1)", "f(a, b)"),
        ("a.weight_grad = b", "a.weight_grad = b", "a.bias_grad = b"),
        ("act.forward(z)", "act.forward(z)", "act.derivative(z)"),
        ("a = b + [c]", "a = b + [c]", "a = [c] + b"),
        ("a = b and c or d", "a = b and c or d", "a = (b or c) or d"),
        ("a = b and c and d", "a = b and c and d", "a = b and d"),
        ("a = b if c else d", "a = b if c else d", "a = d"),
        ("f(progress=False)", "f(progress=False)", "f(progress=True)"),
        ("with a:\n    b", "with a:", "pass"),
        ("for a in b:\n    c", "for a in b:", "pass"),
        ("a = c, d", "a = (c, d)", "a = (d, c)"),
        ("a = 0.5", "a = 0.5", "a = 1.5"),
        ("a = b is None", "a = b is None", "a = b is not None"),
    ],
)
def test_a_mutant_is_made(source, before, after):
    made = [(m.before, m.after) for m in mutants.mutants(source, "")]
    assert (before, after) in made


@pytest.mark.parametrize(
    ("source", "never"),
    [
        ("a + b", "b + a"),  # the same for numbers
        ("a * b", "b * a"),
        ("import a", "pass"),  # nothing could be imported, whatever the tests say
        ("if TYPE_CHECKING:\n    import a", "pass"),
        ('"""Text."""', "pass"),
    ],
)
def test_a_mutant_is_not_made(source, never):
    assert never not in [m.after for m in mutants.mutants(source, "")]


TINY = """\
def double(x):
    return 2 * x


def halve(x):
    return x / 2


def unused(x):
    return x + 1


def make(start=5):
    return start


MADE = make()
BUILT = [0][0]
"""
TINY_TESTS = {
    "test_tiny.py": """\
from backprop import BUILT, double


def test_double():
    assert double(3) == 6
""",
    "test_other.py": """\
from backprop import MADE, halve


def test_halve():
    assert halve(6) == 3


def test_made():
    assert MADE == 5
""",
}
HARMLESS = """\
# Nobody calls it.
__init__.py unused
- return x + 1
+ return x - 1

# Wrong: the test notices.
__init__.py double
- return 2 * x
+ return 3 * x

# Gone.
__init__.py double
- return 4 * x
+ return 3 * x
"""


def run_tiny(root, tests):
    """The exit code and the output of the script for the package above with these tests."""
    (root / "code" / "backprop").mkdir(parents=True)
    (root / "tests").mkdir()
    (root / "code" / "backprop" / "__init__.py").write_text(TINY)
    (root / "tests" / "harmless_mutants.txt").write_text(HARMLESS)
    for name, source in tests.items():
        (root / "tests" / name).write_text(source)
    return run(root, *(f"tests/{name}" for name in tests))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """What the script says of a package that is tested in part."""
    code, output = run_tiny(tmp_path_factory.mktemp("tiny"), TINY_TESTS)
    assert code == 1
    return output


@pytest.mark.slow
def test_nothing_is_judged_by_tests_that_fail_anyway(tmp_path):
    failing = "def test_nothing():\n    assert 3 == 4\n"
    code, output = run_tiny(tmp_path, {**TINY_TESTS, "test_failing.py": failing})
    assert code == 1
    assert "the tests fail on the whole package\n" in output
    assert "assert 3 == 4" in output
    assert "survived" not in output


def mutant(before, after, function):
    return f"__init__.py {function}\n- {before}\n+ {after}\n"


@pytest.mark.slow
def test_a_survivor_is_reported_with_its_place(tiny):
    found = "survived:\n.*/code/backprop/__init__.py:10\n"
    survivor = mutant("return x + 1", "return x + 2", "unused")
    assert re.search(found + re.escape(survivor), tiny)


@pytest.mark.slow
def test_what_is_killed_or_listed_as_harmless_is_not_reported(tiny):
    assert mutant("return 2 * x", "return 2 / x", "double") not in tiny
    assert (
        "__init__.py halve\n" not in tiny
    )  # only the tests of the second file reach it
    assert mutant("return x + 1", "return x - 1", "unused") not in tiny


@pytest.mark.slow
def test_a_failure_to_import_does_not_kill(tiny):
    broken = mutant("BUILT = [0][0]", "BUILT = [0][1]", "")
    assert re.search(
        "not tested: pytest ended with 2:\n.*\n" + re.escape(broken), tiny
    )
    assert "IndexError" in tiny


@pytest.mark.slow
def test_what_runs_before_the_tests_is_changed_too(tiny):
    """A default value, and a function that the package calls while it is imported."""
    assert "__init__.py make\n" not in tiny
    assert "def make(" not in tiny


@pytest.mark.slow
def test_the_list_of_harmless_mutants_is_checked(tiny):
    killed = mutant("return 2 * x", "return 3 * x", "double")
    assert re.search(
        "listed as harmless, but killed:\n.*\n" + re.escape(killed), tiny
    )
    assert "listed as harmless, but no mutant:\n  __init__.py\n  double\n" in tiny
    with pytest.raises(ValueError, match="no reason above 'a.py f'"):
        mutants.harmless("a.py f\n- b\n+ c\n")


@pytest.mark.slow
def test_the_count(tiny):
    counts = "mutants killed / total: 19 / 32 (0 by the time limit); 2 listed"
    assert counts in tiny


HELD = """\
from functools import cache


class Class:
    def method(self): return 1
    @property
    def value(self): return 1
    @value.setter
    def value(self, new): self.new = 1
    @classmethod
    def of_class(cls): return 1
    @staticmethod
    def of_none(): return 1


@cache
def cached():
    def inner():
        return (
            1
        )
    return inner()


def below():
    return 1
"""


def called(module):
    """What the functions of the module above return."""
    value = module.Class()
    value.value = 0
    module.cached.cache_clear()
    return [
        value.method(),
        value.value,
        value.new,
        module.Class.of_class(),
        module.Class.of_none(),
        module.cached(),
        module.below(),
    ]


def test_a_change_is_put_where_it_belongs_and_nowhere_else(tmp_path):
    path = str(tmp_path / "held.py")
    module = types.ModuleType("held")
    exec(compile(HELD, path, "exec"), module.__dict__)  # noqa: S102 (the text above)
    functions = mutants.imported_functions()
    found = []
    for made in mutants.mutants(HELD, "held.py"):
        if made.after.endswith(" 2"):
            mutants.swap(functions, path, made.source, made.line)
            found.append(called(module))
            mutants.swap(functions, path, HELD, made.line)
    assert sorted(found) == sorted([1] * i + [2] + [1] * (6 - i) for i in range(7))
    assert called(module) == [1] * 7


@pytest.mark.slow
def test_how_a_forked_job_ends(capfd):
    jobs = [
        ("returns", lambda: print("said") or 5),
        ("raises", lambda: 1 / 0),
        ("hangs", lambda: time.sleep(60)),
    ]
    with capfd.disabled():
        ended = dict(mutants.forked(jobs, limit=2))
    assert ended["returns"] == (5, "said\n")
    assert ended["raises"][0] == 99
    assert "ZeroDivisionError" in ended["raises"][1]
    assert mutants.VERDICTS[ended["hangs"][0]] == "timed out"


# Judges every 40th mutant, by all tests or by those that reach it, whichever is asked for.
SOME = """\
import itertools, json, sys
import mutants

root, by = sys.argv[1:]
index, made, reaching = itertools.count(), mutants.mutants, mutants.reaching


def all_tests(todo, tree):
    every = json.loads((tree / "seconds").read_text()).keys() - {""}
    found = reaching(todo, tree)
    return {m: found[m] if "" in found[m] else sorted(every) for m in todo}


mutants.mutants = lambda *file: [m for m in made(*file) if next(index) % 40 == 0]
mutants.harmless = lambda text: []
if by == "all":
    mutants.reaching = all_tests
mutants.main(root, mutants.TESTS)
"""


@pytest.mark.slow
def test_tests_that_do_not_reach_a_mutant_would_not_kill_it():
    said = [run(ROOT, by, script=("-c", SOME))[1] for by in ("all", "reaching")]
    by_all, by_reaching = (re.sub(r"\d+ s on", "", text) for text in said)
    assert "mutants killed / total: " in by_all
    assert by_all == by_reaching

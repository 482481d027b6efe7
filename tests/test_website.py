"""The pages of the site, made light: nothing that is shown or said gets lost."""

import base64
import hashlib
import json
import re

import pytest
from fontTools.ttLib import TTFont
from PIL import Image
from selectolax.lexbor import LexborHTMLParser as Page
from sources import ROOT
from website import body, fonts, lookup, own, scripts, styles
from website.head import POLICY, Files, description, head
from website.rows import Row, breakable, rows

FONT = ROOT / "book/static/katex/fonts/KaTeX_Main-Regular.woff2"


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        ("a = b", [Row("", "a = b", "")]),
        (r"a = b, \quad \ell = 1", [Row("", "a = b,", r"\ell = 1")]),
        (
            r"\begin{aligned} a &= b, \quad i = 1 \\ &= {c & d \\ e} \end{aligned}",
            [Row("a", "= b,", "i = 1"), Row("", r"= {c & d \\ e}", "")],
        ),
        (
            r"\begin{aligned} a &= \begin{cases} 1 & x \\ 2 & y \end{cases} \\ \end{aligned}",
            [Row("a", r"= \begin{cases} 1 & x \\ 2 & y \end{cases}", "")],
        ),
        (
            r"\begin{aligned} a &= b \end{aligned}, \quad c",
            [Row("a", "= b ,", "c")],
        ),
        (
            r"\begin{aligned} (n \times 1) \\ a &= b \end{aligned}",
            [Row(r"(n \times 1)", "", ""), Row("a", "= b", "")],
        ),
        (r"\begin{aligned} a &= b & c \end{aligned}", []),
        (r"\left( \frac{a}{b} \quad c \right)", [Row("", r"\left( \frac{a}{b} \quad c \right)", "")]),
        (
            r"\begin{aligned} a &= b \\[0.5em] c &= [d] \end{aligned}",
            [Row("a", "= b", ""), Row("c", "= [d]", "")],
        ),
    ],
)  # fmt: skip
def test_a_formula_breaks_at_its_rows(tex, expected):
    assert rows(tex) == expected


def base(text, sign="bin"):
    """What stands up to a sign, as KaTeX writes it; of which a script does not count as much."""
    text = re.sub(r"([(\[])", r'<span class="mopen">\1</span>', text)
    text = re.sub(r"([)\]])", r'<span class="mclose">\1</span>', text)
    text = re.sub(r"\^(\w+)", r'<span class="mord mtight">\1</span>', text)
    return f'<span class="base">{text}<span class="m{sign}">+</span></span>'


def equals(text):
    return base(text, "rel")


@pytest.mark.parametrize(
    "pieces",
    [
        # What is short stays whole.
        [equals("1234567") + base("1234567")],
        [equals("&lt;234567") + base("1234567")],
        [equals("1^23456789") + base("1234567")],
        # Relations first, then other signs of what is still long.
        [equals("12345678"), base("1234567") + base("1234567")],
        [equals("12345678"), base("12345678"), base("12345678")],
        # Within parentheses only where these are long, too.
        [equals("1"), base("(1") + base("1)"), base("12345678901")],
        [base("(12345678"), base("12345678"), base("12345678)"), base("1")],
        [base("12345678"), equals("(1") + base("1)"), base("12345678901")],
    ],
)
def test_a_line_breaks_a_formula_behind_its_signs(pieces):
    html = "<span>" + "".join(pieces)
    assert breakable(html) == "<span>" + "<wbr>".join(pieces)


def bundled(tmp_path, text, used):
    sheet = tmp_path / "one" / "a.css"
    sheet.parent.mkdir()
    sheet.write_text(text, encoding="utf-8")
    return styles.bundled([sheet], used, tmp_path)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (".a{color:red}", True),
        (".b{color:red}", False),
        ("#a:hover > p{color:red}", True),
        ("p.b{color:red}", False),
        (".a:not(.b){color:red}", True),
        ("div{color:red}", False),
        ("[data-x] .a::before{color:red}", True),
        ("@media print{.a{color:red}}", True),
        ("@media print{.b{color:red}}", False),
        (".b,.a{color:red}", True),
    ],
)
def test_a_rule_that_some_page_can_meet_is_kept(tmp_path, text, kept):
    found = bundled(tmp_path, text, {"a", "p"})
    assert ("color:red" in found) == kept
    assert ".b," not in found


def test_variables_that_are_read_are_kept(tmp_path):
    text = ".a{--x:1px;--y:var(--x);--z:2px;--w:var(--z);color:var(--y)}"
    assert (
        bundled(tmp_path, text, {"a"}) == ".a{--x:1px;--y:var(--x);color:var(--y)}"
    )


def test_what_a_style_sheet_loads_is_found_from_its_new_place(tmp_path):
    text = '.a{background:url("../b.png?v=1")} .p{background:url(data:x)}'
    found = bundled(tmp_path, text, {"a", "p"})
    assert 'url("b.png?v=1")' in found
    assert "url(data:x)" in found


def test_an_unreadable_style_sheet_is_named(tmp_path):
    with pytest.raises(ValueError, match="unreadable"):
        bundled(tmp_path, ".a{color:red} }", {"a"})


def test_a_font_keeps_the_characters_that_are_shown(tmp_path):
    file = tmp_path / "a.woff2"
    file.write_bytes(FONT.read_bytes())
    before = len(file.read_bytes())
    face = (
        '@font-face{font-family:"A B";src:url(a.woff2) format("woff2"),url(a.ttf)}'
    )
    other = "@font-face{font-family:C;src:url(c.woff2) format('woff2')}"
    style = fonts.reduced(
        f"{face}{other} p{{font-family:A B}}", {"x", "=", "あ"}, tmp_path
    )
    assert style == (
        '@font-face{font-family:"A B";src:url("a.woff2") format("woff2")} p{font-family:A B}'
    )  # fmt: skip
    assert {*TTFont(file).getBestCmap()} == {ord("x"), ord("=")}
    assert len(file.read_bytes()) < before / 5
    fonts.reduced(style, {"x", "="}, tmp_path)
    once = file.read_bytes()
    assert once == file.read_bytes()


def test_a_script_that_is_not_known_stops_the_build():
    scripts.check_known(["../_static/book.js?v=1", "_static/doctools.js"])
    with pytest.raises(ValueError, match="not known, ../_static/new.js"):
        scripts.check_known(["../_static/new.js"])


def test_scripts_of_some_pages_are_minified(tmp_path):
    text = "// why\nconst a = `1  2`;\n\n  f(a, /[/] x/);\n"
    for name in "formulas.js", "book.js":
        (tmp_path / name).write_text(text, encoding="utf-8")
    scripts.minify(tmp_path, ["formulas.js"])
    found = (tmp_path / "formulas.js").read_text(encoding="utf-8")
    assert found == "const a=`1  2`;f(a,/[/] x/);"
    assert (tmp_path / "book.js").read_text(encoding="utf-8") == text


def test_a_template_in_a_template_stops_the_build(tmp_path):
    file = tmp_path / "explorer.js"
    file.write_text("const a = `${b ? ` at ${b}` : c}`;", encoding="utf-8")
    with pytest.raises(ValueError, match="explorer.js: a template in a template"):
        scripts.minify(tmp_path, ["explorer.js"])


def test_a_page_keeps_what_it_alone_loads(tmp_path):
    """With a version in each address, and in those of what a reader asks for."""
    page = Page(
        "<html data-content_root='../'><head><link rel=stylesheet href='../_static/book.css?v=1'>"
        "<link data-own rel=stylesheet href='../_static/a.css?v=1'><script src='../_static/book.js'></script>"
        "<script data-own src='../_static/b.js?v=2'></script></head>"
        "<body><button data-loads='a.css c.js'></button></body></html>"
    )
    names = own.loaded(page)
    assert names == {"a.css", "b.js", "c.js"}
    for name in names:
        (tmp_path / name).write_text(name, encoding="utf-8")
    found = own.versions(tmp_path, names)
    assert own.tags(page, found).splitlines() == [
        f'<link rel="stylesheet" href="../_static/{found["a.css"]}">',
        f'<script defer src="../_static/{found["b.js"]}"></script>',
    ]
    later = page.css_first("button").attributes["data-loads"]
    assert later == f"../_static/{found['a.css']} ../_static/{found['c.js']}"
    assert re.fullmatch(r"c\.js\?v=[0-9a-f]{8}", found["c.js"])
    (tmp_path / "c.js").write_text("changed", encoding="utf-8")
    assert own.versions(tmp_path, ["c.js"])["c.js"] != found["c.js"]
    assert (
        own.tags(
            Page("<html data-content_root=''><script src='s/book.js'></script>"), {}
        )
        == ""
    )


def lightened(tmp_path, html, hosted=""):
    page = Page(
        f"<html><head><title>t</title></head><body><article>{html}</article></body></html>"
    )
    body.lighten(page, tmp_path, hosted)
    return page.css_first("article")


def test_what_is_folded_needs_no_script(tmp_path):
    found = lightened(
        tmp_path,
        '<div class="solution dropdown admonition" id="s"><p class="admonition-title">'
        'Solution to <a href="#e">1</a></p><section id="solution-content"><p>Text</p></section></div>',
    )
    details = found.css_first("details#s.solution")
    assert details.css_first("summary.admonition-title").text() == "Solution to 1"
    assert details.css("a") == []
    assert details.css_first("section").attributes == {}
    assert details.text().endswith("Text")


def test_short_code_stays_on_a_line(tmp_path):
    html = "<article><code class='literal'>[5, 5, 5]</code><code class='literal'>a longer piece of code</code></article>"
    short, long = lightened(tmp_path, html).css("code")
    assert short.attributes["class"] == "literal short"
    assert long.attributes["class"] == "literal"


def test_columns_are_known(tmp_path):
    html = "<article><div class='cell_output'><pre>a  b\n1  2</pre><pre>One sentence. And more.</pre><pre>tensor([[1, 2],\n        [3, 4]])</pre></div></article>"
    found = [
        n.attributes.get("class") for n in lightened(tmp_path, html).css("pre")
    ]
    assert found == ["columns", None, "columns"]


def test_a_narrow_table_breaks_names_at_their_joints(tmp_path):
    html = "<article><table><tr><td><code><span class='pre'>a.forward_pass(x)</span></code></td></tr></table></article>"
    (name,) = lightened(tmp_path, html).css("span.pre")
    assert name.inner_html == "a.<wbr>forward_<wbr>pass(<wbr>x)"


def test_handlers_and_comments_go(tmp_path):
    found = lightened(
        tmp_path, '<!-- c --><button onclick="window.print()">Print</button>'
    )
    assert found.inner_html == '<button data-action="print">Print</button>'
    with pytest.raises(ValueError, match="handler"):
        lightened(tmp_path, '<button onclick="evil()">x</button>')


def test_a_picture_has_its_size_and_a_coarse_copy(tmp_path):
    Image.new("RGB", (400, 200)).save(tmp_path / "fine.png", dpi=(200, 200))
    Image.new("RGB", (40, 20)).save(tmp_path / "plain.png")
    found = lightened(
        tmp_path,
        '<img src="fine.png" style="width: 200px; height: 100px;"><img src="plain.png">',
    )
    fine, plain = found.css("img")
    assert fine.attributes == {
        "src": "fine-1x.png",
        "srcset": "fine-1x.png 1x, fine.png 2x",
        "width": "200",
        "height": "100",
    }
    with Image.open(tmp_path / "fine-1x.png") as coarse:
        assert coarse.size == (200, 100)
    assert plain.attributes["width"] == "40"
    assert plain.attributes["loading"] == "lazy"


def test_a_drawing_has_its_size(tmp_path):
    (tmp_path / "a.svg").write_text('<svg width="310" height="535"></svg>')
    (drawing,) = lightened(tmp_path, '<img src="a.svg">').css("img")
    assert drawing.attributes == {"src": "a.svg", "width": "310", "height": "535"}


def test_the_source_of_a_lab_is_not_offered(tmp_path):
    link = (
        '<ul><li><a class="btn-download-source-button" href="a.md">md</a></li></ul>'
    )
    (tmp_path / "a.md").write_text("#!TAG HWBEGIN", encoding="utf-8")
    assert lightened(tmp_path, link).css("a") == []
    (tmp_path / "a.md").write_text("text", encoding="utf-8")
    assert len(lightened(tmp_path, link).css("a")) == 1


def test_a_notebook_that_runs_elsewhere_is_offered_where_that_is_set(tmp_path):
    link = '<ul><li><a class="btn-download-notebook-button" href="n/scalar.ipynb">nb</a></li></ul>'
    found = lightened(tmp_path, link, "https://example.org/{chapter}.ipynb").css(
        "a"
    )
    assert [a.attributes["href"] for a in found] == [
        "n/scalar.ipynb",
        "https://example.org/scalar.ipynb",
    ]
    assert len(lightened(tmp_path, link).css("a")) == 1


PAGE = """<html><head><title>A title &amp; more</title></head><body>
<nav class="bd-links"><a class="reference internal" href="a.html">1. One</a></nav>
<article><section id="one"><h1>One<a class="headerlink">#</a></h1>
<p><strong>What this chapter shows.</strong> How <span class="formula"><span class="said">delta</span><span
class="katex">d</span></span> is found.</p>
<div class="math" id="equation-a"><div class="formula" aria-describedby="said-1"><span class="said" id="said-1">delta
is one</span><span class="katex">=</span></div><span class="eqno">(1.1)<a class="headerlink">#</a></span></div>
<section id="two"><h2>Two</h2><p>More words.</p></section></section></article></body></html>"""


def test_what_can_be_found(tmp_path):
    text = lookup.documents({"book/a.html": Page(PAGE)})
    found = json.loads(
        re.fullmatch(r"var searchDocuments = (.*);\n", text, re.DOTALL)[1]
    )
    assert [(d["id"], d["title"], d["text"]) for d in found] == [
        (
            "book/a.html#one",
            "One",
            "What this chapter shows. How delta is found.",
        ),
        ("book/a.html#two", "Two", "More words."),
        ("book/a.html#equation-a", "Equation (1.1)", "delta is one"),
    ]


def test_what_is_found_does_not_begin_with_its_title():
    html = """<article><section id="one"><h1>One</h1><details class="hide"><summary><p class="admonition-title">Show
code</p></summary></details><p>Words.</p><details class="solution" id="s"><summary class="admonition-title">Solution
1</summary><p>It is 2.</p></details></section></article>"""
    text = lookup.documents({"a.html": Page(html)})
    found = json.loads(text.removeprefix("var searchDocuments = ").rstrip(";\n"))
    assert [(d["title"], d["text"]) for d in found] == [
        ("One", "Words."),
        ("Solution 1", "It is 2."),
    ]


def test_a_preview_shows_an_equation_without_ids():
    (name, text), *others = lookup.previews({"book/a.html": Page(PAGE)}).items()
    assert (name, others) == ("book-a.js", [])
    assert "equation-a" in text and "(1.1)" in text
    assert "said-1" not in text


def test_all_equations_are_listed_by_chapter():
    listing = Page(
        PAGE.replace("<article>", '<article><div class="all-equations"></div>')
    )
    lookup.list_equations({"a.html": Page(PAGE), "b.html": listing})
    found = listing.css_first("div.all-equations")
    assert found.css_first("h2").text() == "1. One"
    assert found.css_first(".eqno a").attributes["href"] == "a.html#equation-a"
    ids = [node.id for node in listing.css("[id]")]
    assert len(ids) == len({*ids})


FILES = Files("_static/s.css", "_static/s.js", "_static/i.js")


def test_the_policy_allows_the_one_script_in_the_page():
    html = head(Page(PAGE), "../", FILES, "", "book/a.html")
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in POLICY
    assert "unsafe-eval" not in POLICY and "script-src 'self'" in POLICY
    assert html.index("Content-Security-Policy") < html.index("<script>")


def test_a_page_is_described_and_has_an_address_if_one_is_set():
    page = Page(PAGE)
    assert description(page) == "How delta is found."
    assert "canonical" not in head(page, "../", FILES, "", "book/a.html")
    html = head(page, "../", FILES, "https://example.org/b/", "book/a.html")
    assert '<link rel="canonical" href="https://example.org/b/book/a.html">' in html
    assert "<title>A title &amp; more</title>" in html


def test_the_title_of_the_book_is_said_once():
    page = Page(PAGE.replace("A title &amp; more", "One — One"))
    text = head(page, "", Files("a.css", "a.js", "b.js"), "", "a.html")
    assert "<title>One</title>" in text


def test_a_long_description_ends_with_a_whole_word():
    page = Page("<article><p>" + "word " * 60 + "</p></article>")
    assert description(page).endswith("word …")
    assert len(description(page)) < 165

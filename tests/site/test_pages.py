"""Every page, as it stands, on a desktop and on phones."""

import pytest
from chromium import SITE
from test_first_visit import shift
from test_keyboard import walk
from tiny import KINDS, PHONE, none, tiny, wait

# With half the pixels, as of a desktop that shows a page at 200 %; and the narrowest of phones.
WIDTHS = {PHONE: 320, 1280: 640}
ORDER = [
    "open",
    "strict",
    "sideways",
    "cut",
    "lines",
    "source",
    "pictures",
    "loaded",
    "headings",
    "targets",
    "motion",
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What depends on the theme, and what on the width besides; the rest is the same on a phone, but for what stands around the
# text, which is the same on all pages of a kind.
COLOURS = ["color-contrast", "link-in-text-block"]
LAYOUT = [*COLOURS, "target-size", "scrollable-region-focusable"]
AXE = """
async (only) => {
  const { violations } = await axe.run(document, { runOnly: only, resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => {
    const said = [...node.any, ...node.all, ...node.none][0]?.message ?? "";
    return `${id}: ${node.target.join(" ")} (${said})`;
  }));
}
"""
# A formula becomes its first letter, and of code remains one word of each colour: there can be hundreds, and axe takes its
# time for each.
SHORTEN = """
for (const formula of document.querySelectorAll(".katex-html")) {
  const letter = [...formula.querySelectorAll("*")].find((each) => !each.children.length && each.textContent.trim());
  if (letter) formula.replaceChildren(letter);
}
for (const code of document.querySelectorAll("pre")) {
  const seen = new Set();
  for (const word of code.querySelectorAll("span")) {
    if (!word.children.length && seen.has(word.className)) word.remove();
    seen.add(word.className);
  }
}
"""
DARK = "document.documentElement.dataset.theme === 'dark'"


def violations(visited, axe, *, whole=True):
    """What axe says of a page with everything unfolded, in the light and in the dark; if not of the ``whole`` page, of its
    layout in the dark."""
    page = visited.page
    visited.problems("open")
    # Else what is fixed stands beside something.
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(SHORTEN)
        page.evaluate(axe)
    found = []
    if whole:
        page.emulate_media(color_scheme="light")
        wait(page, f"!({DARK})")
        said = page.evaluate(AXE, {"type": "tag", "values": RULES})
        found += [f"light: {each}" for each in said]
    page.emulate_media(color_scheme="dark")
    wait(page, DARK)
    only = {"type": "rule", "values": COLOURS if whole else LAYOUT}
    return found + [f"dark: {each}" for each in page.evaluate(AXE, only)]


FOLLOWS = "<script>{}.addEventListener('change', () => document.documentElement.dataset.theme = 'dark')</script>".format(
    "matchMedia('(prefers-color-scheme: dark)')"
)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<p>Read.</p>", []),
        (
            "<details><summary>More</summary><img src='data:,'></details>",
            ["light: image-alt"],
        ),
        (
            "<p style='color: #999'>Read.</p>",
            ["light: color-contrast", "dark: color-contrast"],
        ),
        (
            "<style>[data-theme=dark] p { color: #ddd }</style><p>Read.</p>",
            ["dark: color-contrast"],
        ),
        (
            "<style>@media (width < 400px) { p { color: #ddd } }</style><p>Read.</p>",
            ["light: color-contrast", "dark: color-contrast"],
        ),
        ("<h3>Too low</h3>", ["light: heading-order"]),
        (
            "<button style='height: 9px; border: 0; padding: 0'>a</button>" * 2,
            ["light: target-size"] * 2,
        ),
    ],
)
def test_axe_finds_what_is_wrong(visit, axe, site, body, says):
    address = site.put("tiny.html", tiny(body, FOLLOWS))
    found = violations(visit(address, width=390, still=True), axe)
    assert [
        each.rpartition(": ")[0].partition(": ")[0] + ": " + each.split(": ")[1]
        for each in found
    ] == says


def test_axe_finds_what_is_wrong_with_a_layout(visit, axe, site):
    faint = "<style>[data-theme=dark] p { color: #ddd }</style><p>Read.</p>"
    small = "<button style='height: 9px; border: 0; padding: 0'>a</button>"
    address = site.put("tiny.html", tiny(faint + 2 * small, FOLLOWS))
    found = violations(visit(address, width=PHONE, still=True), axe, whole=False)
    assert [each.split(": ")[:2] for each in found] == [
        ["dark", "color-contrast"],
        *[["dark", "target-size"]] * 2,
    ]


def test_a_page_is_right(visit, axe, page):
    """In one visit, for to open a page takes longer than most looks at it: first on a phone, where more can move."""
    visited = visit(page, width=PHONE, late=True)
    found = shift(visited)
    visited.page.emulate_media(reduced_motion="reduce")
    show_pictures(visited.page)
    for width, narrow in WIDTHS.items():
        resize(visited, width)
        found += visited.problems(*ORDER)
        resize(visited, narrow, 400)
        found += visited.problems("sideways", "cut")
    for width in reversed(WIDTHS):  # keys go on from the focus, so they are first
        resize(visited, width)
        stops, wrong = walk(visited, keys=width != PHONE and page in KINDS)
        if stops[0]["href"] != "#main-content":
            found.append("no link past the menu")
        found += wrong
    for width in WIDTHS:  # at the end, for it shortens the page
        resize(visited, width)
        found += violations(visited, axe, whole=width != PHONE or page in KINDS)
    assert none(found + visited.noise)


def resize(visited, width, height=800):
    visited.page.set_viewport_size({"width": width, "height": height})
    visited.problems("resized")


def test_there_is_a_page_of_each_kind():
    assert [page for page in KINDS if not (SITE / page).is_file()] == []


def show_pictures(page):
    """Have those loaded that are below the first screen."""
    page.evaluate("for (const each of document.images) each.loading = 'eager'")
    wait(page, "[...document.images].every((each) => each.complete)")


POLICY = "<meta http-equiv=Content-Security-Policy content=\"default-src 'self'; script-src 'self'\">"
PICTURE = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='20' height='10'/>"
SMALL = "<button style='padding: 0; margin: 9px; width: 9px; height: 9px; position: relative'></button>"
WIDE = "<div style='width: 900px'>wide</div>"
ONE = "<span class=formula><b class=base style='display: inline-block; width: 60px'>1</b>{}</span>"


@pytest.mark.parametrize(
    ("check", "body", "says"),
    [
        ("strict", POLICY, []),
        ("strict", "", ["no policy"]),
        (
            "strict",
            POLICY.replace("script-src", "script-src 'unsafe-eval'"),
            ["the policy allows"],
        ),
        (
            "strict",
            POLICY.replace("default-src 'self'", "default-src *"),
            ["the policy does not begin", "the policy allows"],
        ),
        ("strict", f"{POLICY}<p onclick='print()'>a</p>", ["onclick in p"]),
        (
            "strict",
            f"{POLICY}<a href='javascript:print()'>a</a>",
            ["a script in a link"],
        ),
        ("sideways", "<p>Read.</p>", []),
        ("sideways", WIDE, ["the page scrolls sideways"]),
        (
            "sideways",
            f"<style>body {{ overflow-x: hidden }}</style>{WIDE}",
            ["body"],
        ),
        ("cut", f"<div tabindex=0 style='overflow: auto'>{WIDE}</div>", []),
        (
            "cut",
            f"<div style='overflow: auto'>{WIDE}</div>",
            ["scrolls, but not by keyboard"],
        ),
        ("cut", f"<div style='overflow: hidden'>{WIDE}</div>", ["cut"]),
        ("cut", f"<div style='overflow: hidden; opacity: 0'>{WIDE}</div>", []),
        (
            "cut",
            "<div class=important><p tabindex=0 style='overflow: auto'><b class=katex style='display: block; width: 900px'>1</b></p></div>",
            ["a formula that must be scrolled"],
        ),
        (
            "cut",
            "<div class=math tabindex=0 style='overflow: auto'><b class=katex style='display: block; width: 900px'>1</b></div>",
            ["a formula that must be scrolled"],
        ),
        ("lines", f"<p>{ONE.format(',')} and more</p>", []),
        ("lines", f"<p>{ONE.format('')},<br>and more</p>", []),
        (
            "lines",
            f"<p>{ONE.format('')}<br>, and more</p>",
            [],
        ),
        (
            "lines",
            f"<p style='width: 62px'>{ONE.format('')}, and more</p>",
            ["a line begins with ,"],
        ),
        ("source", "<p>Use <code>a~b</code> and `c`.</p>", []),
        (
            "source",
            "<p>```{list-table} Of {ref}`a`.</p><pre>:::{note}</pre>",
            ["shown: ```{list-table", "shown: {ref}`a`", "shown: :::{note"],
        ),
        ("pictures", f'<img alt="a" width="20" height="10" src="{PICTURE}">', []),
        (
            "pictures",
            f'<img width="20" height="10" src="{PICTURE}">',
            ["no alternative text"],
        ),
        (
            "pictures",
            f'<img alt="" width="20" height="10" src="{PICTURE}">',
            ["no alternative text"],
        ),
        ("pictures", f'<img alt="a" width="20" src="{PICTURE}">', ["no size"]),
        (
            "pictures",
            f'<img alt="a" width="20" height="20" src="{PICTURE}">',
            ["out of shape"],
        ),
        (
            "loaded",
            '<img alt="a" width="20" height="10" src="data:,">',
            ["does not load"],
        ),
        ("headings", "<h2>a</h2><h3>b</h3><h2>c</h2>", []),
        ("headings", "<h3>a</h3>", ["a level is skipped"]),
        ("headings", "<h1>a</h1>", ["2 headings of the first level"]),
        ("headings", "<p id=a><p id=a>", ["there are two #a"]),
        ("targets", "<p>Read <a href=#>this</a>.</p>", []),
        ("targets", "<p>Read <a href=#>¶</a>.</p>", ["pixels: a"]),
        (
            "targets",
            "<button style='padding: 0; width: 20px; height: 30px'></button>",
            ["20 × 30 pixels"],
        ),
        (
            "targets",
            f"<style>button::after {{ content: ''; position: absolute; inset: -12px }}</style>{SMALL}",
            [],
        ),
        ("motion", "<p>Read.</p>", []),
        ("motion", "<p style='transition: color 1s'>Read.</p>", ["moves"]),
        (
            "motion",
            "<style>@keyframes a { to { top: 0 } }</style><p style='animation: a 1s'>Read.</p>",
            ["moves"],
        ),
        (
            "motion",
            "<style>html { scroll-behavior: smooth }</style>",
            ["the page scrolls smoothly"],
        ),
    ],
)
def test_what_is_not_in_order_is_found(visit, site, check, body, says):
    found = visit(
        site.put("tiny.html", tiny(body)), width=390, still=True
    ).problems(check)
    assert len(found) == len(says)
    assert all(said in sentence for said, sentence in zip(says, found))


def test_code_that_does_not_fit_a_desktop_is_found(visit, site):
    body = f"<pre tabindex=0 style='overflow: auto'>{'long ' * 400}</pre>"
    address = site.put("tiny.html", tiny(body))
    assert visit(address, width=390).problems("cut") == []
    (found,) = visit(address).problems("cut")
    assert "code that must be scrolled" in found


def test_code_that_breaks_on_a_desktop_is_found(visit, site):
    body = "<div class=cell_input><pre style='white-space: pre-wrap; line-height: 20px'>a\n{}</pre></div>"
    address = site.put("tiny.html", tiny(body.format("b")))
    assert visit(address).problems("lines") == []
    site.put("tiny.html", tiny(body.format("long " * 400)))
    (found,) = visit(address).problems("lines")
    assert "code is broken" in found


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<p>Read.</p>", ""),
        ("<script>throw Error('no')</script>", "error: no"),
        ("<script>console.error('no')</script>", "error: no"),
        ("<img src=missing.png alt=a>", "404: {site}/missing.png"),
        (
            "<img src=http://localhost:9/a.png alt=a>",
            "elsewhere: http://localhost:9/a.png",
        ),
        (
            "<b onclick='print()'>a</b>POLICY",
            "error: policy: script-src-attr forbids inline",
        ),
        (
            "<style>p { color: red }</style>POLICY",
            "error: policy: style-src-elem forbids inline",
        ),
    ],
)
def test_noise_is_heard(visit, site, body, says):
    policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'self'; img-src 'self' data:\">"
    head = policy if "POLICY" in body else ""
    visited = visit(site.put("tiny.html", tiny(body.replace("POLICY", ""), head)))
    visited.page.evaluate(
        "document.querySelector('article').lastElementChild.click()"
    )
    visited.page.wait_for_load_state("networkidle")
    if says:
        assert any(
            each.startswith(says.format(site=site.origin)) for each in visited.noise
        )
    else:
        assert visited.noise == []

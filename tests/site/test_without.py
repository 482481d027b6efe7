"""Pages without a server, and without scripts."""

import pytest
from chromium import SITE
from test_first_visit import flashes
from test_use import results, themes
from tiny import none, tiny, wait

SCALAR = "book/scalar.html"


@pytest.fixture
def folder(tmp_path):
    """A place for pages without a server."""

    def write(body):
        path = tmp_path / "tiny.html"
        path.write_text(tiny(body), encoding="utf-8")
        return path.as_uri()

    return write


def alone(visited):
    """What is wrong with a page that no server sends."""
    page = visited.page
    page.evaluate("document.fonts.ready")
    page.evaluate("for (const each of document.images) each.loading = 'eager'")
    wait(page, "[...document.images].every((each) => each.complete)")
    return visited.problems("open", "mathematics", "loaded") + visited.noise


def on_paper(visited):
    """What is wrong with the page where it is printed, as wide as a sheet of A4 is within its margins."""
    page = visited.page
    page.set_viewport_size({"width": 718, "height": 1000})
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    return visited.problems("resized", "paper")


LIGHT = "<script>addEventListener('beforeprint', () => document.documentElement.dataset.theme = 'light')</script>"
LONG = "<pre style='overflow: auto'>" + "long " * 400 + "</pre>"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<p>Read.</p>", []),
        ("<details><summary>a</summary>b</details>", ["folded on paper"]),
        (LONG, ["cut on paper"]),
        (
            "<style>@keyframes a { from { opacity: 0 } } p { animation: a 9s }</style><details open><summary>a</summary><p>b</p></details>",
            ["not there yet on paper"],
        ),
        (
            "<style>@media print { h1 { display: none } }</style>",
            ["no title on paper"],
        ),
        (
            f"<style>@media print {{ pre {{ white-space: pre-wrap }} }}</style>{LONG}",
            [],
        ),
    ],
)
def test_what_paper_does_not_show_is_found(visit, site, body, says):
    dark = "<script>document.documentElement.dataset.theme = 'dark'</script>"
    address = site.put("tiny.html", tiny(body, dark + LIGHT))
    found = on_paper(visit(address))
    assert [each.partition(":")[0] for each in found] == says
    site.put("tiny.html", tiny(body, dark))
    assert "dark on paper" in on_paper(visit(address))


def test_a_page_needs_no_server(visit, local_page):
    """And can be printed, from the dark."""
    visited = visit((SITE / local_page).as_uri(), dark=True)
    assert flashes(visited) == []
    assert none(alone(visited) + on_paper(visited))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", []),
        (
            "<b class=katex><b class=katex-html>a</b></b>",
            ["formulas lack their fonts"],
        ),
        (
            "<script>fetch('a.json').catch(() => 1)</script>",
            ["error: Access to fetch", "failed: file:"],
        ),
        (
            "<img src=/a.png alt=a width=1 height=1>",
            ["does not load", "error: ", "failed: file:"],
        ),
    ],
)
def test_what_needs_a_server_is_noticed(visit, folder, body, says):
    found = alone(visit(folder(body)))
    assert len(found) >= len(says)
    assert all(any(said in sentence for sentence in found) for said in says)
    assert says or not found


def test_without_a_server_links_lead_on_and_the_theme_changes(visit):
    visited = visit((SITE / SCALAR).as_uri())
    assert {*themes(visited.page)} == {
        ("auto", "light"),
        ("light", "light"),
        ("dark", "dark"),
    }
    visited.page.locator("a.right-next").click()
    visited.page.wait_for_url("file:///**/book/vector.html")
    visited.page.locator("a.left-prev").click()
    visited.page.wait_for_url("file:///**/book/scalar.html")
    assert none(visited.noise)


@pytest.mark.parametrize("words", ["gradient", "delta"])
def test_the_search_needs_no_server(visit, words):
    visited = visit((SITE / SCALAR).as_uri())
    assert all(results(visited.page, words))
    assert none(visited.noise)


UNFOLD = """
() => {
  const shown = (node) => node.checkVisibility({ visibilityProperty: true });
  const found = [];
  for (const summary of [...document.querySelectorAll("summary")].filter(shown)) {
    const details = summary.closest("details");
    const before = details?.open;
    summary.click();
    if (details?.open === before) found.push(`does not open: ${summary.textContent.trim()}`);
    if (details && summary.matches(".btn")) {
      if (![...details.querySelectorAll(".dropdown-item")].some(shown)) found.push("the menu is empty");
      summary.click();
    }
  }
  return found;
}
"""


def scriptless(visited):
    """What is wrong with a page without scripts: what is folded does not open, mathematics or figures are missing, or
    something is shown that only a script would answer."""
    page = visited.page
    found = page.evaluate(UNFOLD)
    page.evaluate("document.fonts.ready.then(() => 1)")
    return found + visited.problems("mathematics", "loaded", "dead")


def test_a_page_needs_no_script(visit, page):
    visited = visit(page, script=False)
    found = scriptless(visited)
    visited.page.set_viewport_size({"width": 390, "height": 800})
    assert none(found + visited.problems("dead"))


MENU = "<details class=dropdown-download-buttons><summary class=btn>Download</summary>{}</details>"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<details><summary>a</summary>b</details>", []),
        (MENU.format("<a class=dropdown-item href=#>a</a>"), []),
        (MENU.format(""), ["the menu is empty"]),
        (
            "<div><div role=button class=summary>a</div></div><summary>a</summary>",
            ["does not open"],
        ),
        ("<button>a</button>", ["dead: button"]),
        (
            "<b class=katex><b class=katex-html></b></b>",
            ["formulas lack their fonts"],
        ),
    ],
)
def test_what_needs_a_script_is_noticed(visit, site, body, says):
    found = scriptless(visit(site.put("tiny.html", tiny(body)), script=False))
    assert len(found) == len(says)
    assert all(said in sentence for said, sentence in zip(says, found))


def test_without_a_script_a_phone_shows_the_way_on(visit):
    page = visit(SCALAR, width=390, script=False).page
    assert page.locator("a[href='vector.html']:visible").count()

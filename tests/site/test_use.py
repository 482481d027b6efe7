"""Everything on a page is used, and does what it is for; nothing goes wrong meanwhile."""

import pytest
from test_first_visit import shift
from tiny import KINDS, PHONE, none, tiny, wait


def use_all(visited):
    """Use each control of a page; what is wrong with them."""
    found = []
    page = visited.page
    visited.problems()
    for _ in range(20):
        said = page.evaluate("checks.controls()")
        found += said["found"]
        if not said["modal"]:
            return found
        page.keyboard.press("Escape")
        if page.locator("dialog:modal").count():
            return [*found, "Escape does not close what is open"]
    return [*found, "there is no end of dialogs"]


DIALOG = "<dialog><button onclick='this.textContent += 1'>in</button></dialog>"
OPEN = (
    "<button onclick='document.querySelector(\"dialog\").showModal()'>open</button>"
)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (OPEN + DIALOG, []),
        ("<details><summary>a</summary>b</details><input type=checkbox>", []),
        ("<button onclick='print()'>a</button>", []),
        (
            "<textarea></textarea><button onclick='this.previousSibling.value += 1'>a</button>",
            [],
        ),
        ("<input type=range oninput='print()'>", []),
        ("<input type=range onclick='print()'>", ["does nothing: input"]),
        ("<button>a</button>", ["does nothing"]),
        (
            "<details><summary>a</summary><button>b</button></details>",
            ["does nothing: button"],
        ),
        (
            OPEN + DIALOG.replace("onclick", "data-off"),
            ['does nothing: button "in'],
        ),
        (
            OPEN
            + DIALOG.replace(
                "<dialog", "<dialog oncancel='event.preventDefault()' closedby=none"
            ),
            ["Escape does not close"],
        ),
        (
            "<button onclick='print()'>a</button><div style='position: fixed; inset: 0'></div>",
            ["covered"],
        ),
    ],
)
def test_a_control_that_is_dead_is_found(visit, site, body, says):
    found = use_all(visit(site.put("tiny.html", tiny(body))))
    assert len(found) == len(says)
    assert all(said in sentence for said, sentence in zip(says, found))


PAGE = "book/scalar.html"
THEME = "({ ...document.documentElement.dataset })"


def themes(page):
    """The theme now, and after each press of its button until it is the first again."""
    found = [page.evaluate(THEME)]
    for _ in range(3):
        page.locator(".theme-switch-button:visible").first.click()
        found.append(page.evaluate(THEME))
    return [(each["mode"], each["theme"]) for each in found]


def test_the_theme_is_chosen_and_kept(visit):
    page = visit(PAGE, dark=True).page
    found = themes(page)
    assert found[0] == found[3] == ("auto", "dark")
    assert {*found} == {("auto", "dark"), ("light", "light"), ("dark", "dark")}
    while page.evaluate(THEME)["mode"] != "light":
        page.locator(".theme-switch-button:visible").first.click()
    page.reload()
    assert page.evaluate(THEME)["theme"] == "light"
    assert {frame["theme"] for frame in page.evaluate("kept.frames")} == {"light"}


def copied_and_shown(page):
    """What the buttons copy, and the code beside them without prompts."""
    page.evaluate(
        "for (const each of document.querySelectorAll('details')) each.open = true"
    )
    shown = page.evaluate(
        "[...document.querySelectorAll('.copybtn')].map((each) => {"
        " const code = each.parentElement.querySelector('pre').cloneNode(true);"
        " for (const prompt of code.querySelectorAll('.gp, .go')) prompt.remove();"
        " each.click(); return code.textContent.trim() })"
    )
    wait(page, f"kept.copied.length >= {len(shown)}")
    return [each.strip() for each in page.evaluate("kept.copied")], shown


# An equation, a figure or a term that the text refers to; lists of them are no text.
REFERENCES = (
    "article a:is([href*='#equation-'], [href*='#fig-'], [href*='#term-'])"
    ":not(.checked, .headerlink, .all-equations a, .genindextable a)"
)
PREVIEWED = """
async (selector) => {
  const preview = () => document.querySelector("#preview:not([hidden])");
  const until = async (condition) => {
    for (let times = 0; times < 50 && !condition(); times += 1) await new Promise((done) => setTimeout(done, 20));
  };
  const links = new Map([...document.querySelectorAll(selector)].map((link) => [link.href, link]));
  const found = [];
  for (const [address, link] of links) {
    if (!link.checkVisibility()) continue;
    link.focus({ preventScroll: true });
    await until(preview);
    if (!preview()?.textContent.trim()) found.push(`no preview: ${address}`);
    link.blur();
    await until(() => !preview());
    if (preview()) found.push(`the preview stays: ${address}`);
  }
  return found;
}
"""


def test_a_page_gives_what_it_offers(visit, page):
    """Buttons copy the code beside them, outputs have none; downloads are there; references are previewed; each control
    does something, on a desktop and on a phone."""
    visited = visit(page, still=True, late=True)
    opened = visited.page
    found = shift(visited)
    copied, shown = copied_and_shown(opened)
    assert copied == shown
    assert page not in (PAGE, "book/network.html") or len(shown) > 3
    assert opened.locator(".cell_output .copybtn").count() == 0
    links = offered(opened)
    assert links or not page.startswith("book/")
    assert missing(opened, links) == []
    found += opened.evaluate(PREVIEWED, REFERENCES) + use_all(visited)
    if page in KINDS:  # what stands around the text is the same on all of a kind
        opened.set_viewport_size({"width": PHONE, "height": 800})
        visited.problems("resized", "again")
        found += use_all(visited)
    assert none(found + visited.noise)


def offered(page):
    return page.evaluate(
        "[...document.querySelectorAll('.dropdown-download-buttons a')].map((each) => each.href)"
    )


def missing(page, links):
    return [link for link in links if not page.request.get(link).ok]


def test_a_download_that_is_missing_is_found(visit, site):
    menu = "<div class=dropdown-download-buttons><a href=tiny.html>a</a><a href=none.md>b</a></div>"
    page = visit(site.put("tiny.html", tiny(menu))).page
    assert missing(page, offered(page)) == [site.address("none.md")]


def test_a_copy_of_something_else_is_found(visit, site):
    address = site.put(
        "tiny.html",
        tiny(
            "<div><pre>a = 1</pre><button class=copybtn"
            " onclick='navigator.clipboard.writeText(\"a = 1\")'>copy</button></div>"
            "<div><pre>a = 1</pre><button class=copybtn"
            " onclick='navigator.clipboard.writeText(\">>> a = 1\")'>copy</button></div>"
        ),
    )
    copied, shown = copied_and_shown(visit(address).page)
    assert shown == ["a = 1"] * 2
    assert copied == ["a = 1", ">>> a = 1"]


def test_a_page_is_after_printing_what_it_was(visit):
    page = visit(PAGE, dark=True).page
    state = "[document.querySelectorAll('details[open]').length, document.documentElement.dataset.theme]"
    before = page.evaluate(state)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(state) != before
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(state) == before


def unseen(page, selector):
    """Of the targets below an element, those that a link to them does not show."""
    return page.evaluate(
        "async (selector) => {"
        " const found = [];"
        " for (const node of document.querySelectorAll(selector)) {"
        "  for (const each of document.querySelectorAll('details')) each.open = false;"
        "  location.hash = '#' + encodeURIComponent(node.id);"
        "  await new Promise((done) => setTimeout(done, 100));"
        "  const { top, bottom, height } = node.getBoundingClientRect();"
        "  if (!node.checkVisibility() || bottom < 0 || top > innerHeight) found.push(node.id);"
        " } return found }",
        selector,
    )


FOLDED = "details [id]:is(.math, section)"


def test_a_link_into_a_solution_opens_it(visit):
    page = visit(PAGE).page
    assert page.locator(FOLDED).count()
    assert unseen(page, FOLDED) == []


def test_a_target_that_stays_folded_is_found(visit, site):
    body = "<details ontoggle='this.open = false'><summary>a</summary><div class=math id=b>b</div></details>"
    assert unseen(visit(site.put("tiny.html", tiny(body))).page, FOLDED) == ["b"]


def results(page, words):
    """What the search finds, while words are typed and then on a page of its own: the text of each hit."""
    page.keyboard.press("Control+k")
    page.locator("dialog[open] input[type=search]").fill(words)
    page.locator("dialog[open] .found li a").first.wait_for()
    at_once = page.locator("dialog[open] .found li").all_inner_texts()
    page.evaluate("kept.submits = true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?*")
    page.locator("#search-results li a").first.wait_for()
    return at_once, page.locator("#search-results li").all_inner_texts()


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("gradient", "gradient"),
        ("delta", "delta"),
        ("3.4", "3.4"),
        ("(3.4)", "equation (3.4)"),
        ("chain rule", "chain rule"),
    ],
)
def test_the_search_finds_what_was_asked_for(visit, words, first):
    visited = visit(PAGE)
    at_once, found = results(visited.page, words)
    assert at_once == found
    assert first in found[0].lower()
    assert not [text for text in found if "\\" in text]  # TeX
    assert none(visited.noise)


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ("onfocus='preview.hidden = false' onblur='preview.hidden = true'", []),
        ("onfocus='preview.hidden = false'", ["the preview stays"]),
        ("", ["no preview"]),
    ],
)
def test_a_reference_without_a_preview_is_found(visit, site, events, says):
    body = f"<div id=preview hidden>a</div><a href='#equation-a' {events}>a</a>"
    page = visit(site.put("tiny.html", tiny(body))).page
    found = page.evaluate(PREVIEWED, REFERENCES)
    assert [each.partition(":")[0] for each in found] == says


@pytest.mark.parametrize("where", ["start", "center", "end"])
def test_a_preview_stays_in_the_window(visit, where):
    page = visit(PAGE, still=True).page
    link = page.locator("article a[href*='#fig-']").first
    link.evaluate("(node, block) => node.scrollIntoView({ block })", where)
    link.focus()
    page.locator("#preview").wait_for()
    box = page.locator("#preview").bounding_box()
    size = page.viewport_size
    assert box["y"] >= 0 and box["y"] + box["height"] <= size["height"]
    assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"]


@pytest.mark.parametrize("width", [1280, 390])
def test_the_menu_of_downloads_is_on_the_page(visit, width):
    page = visit(PAGE, width=width).page
    page.locator("summary.btn").first.click()
    box = page.locator(".dropdown-menu").first.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width


def test_a_preview_can_be_read_and_closed(visit):
    """It stays while the pointer is on it, and goes with Escape."""
    page = visit(PAGE, still=True).page
    link, preview = page.locator(REFERENCES).first, page.locator("#preview")
    link.hover()
    preview.wait_for()
    preview.hover()
    page.evaluate("new Promise((done) => setTimeout(done, 500))")
    assert preview.is_visible()
    page.keyboard.press("Escape")
    assert preview.is_hidden()

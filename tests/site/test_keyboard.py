"""A walk through a page with the Tab key, and pages through which it does not lead well."""

from itertools import pairwise

import pytest
from tiny import tiny

LINE = 30  # pixels: what is closer stands in one line
MOST = 700  # stops of a page
AT_ONCE = 20  # keys, before the page is asked whether that was all
# What a keyboard sends; Playwright's own function adds the release of the key, which costs as much.
TAB = {
    "type": "rawKeyDown",
    "key": "Tab",
    "code": "Tab",
    "windowsVirtualKeyCode": 9,
}


def walk(visited, *, keys=True):
    """The stops of the Tab key, and what is wrong with them; without ``keys``, of the focus where the key would lead it."""
    page = visited.page
    visited.problems("open", "follow" if keys else "hurry")
    session = page.context.new_cdp_session(page)
    for _ in range(MOST // AT_ONCE if keys else 0):
        for _ in range(AT_ONCE):
            session.send("Input.dispatchKeyEvent", TAB)
        if page.evaluate("checks.walk.ended"):
            break
    page.evaluate(
        "document.activeElement.blur()"
    )  # those that were too many led on
    walked = page.evaluate("checks.walk")
    stops, found = walked["stops"], []
    for stop in stops:
        if not stop["visible"]:
            found.append(f"no visible focus: {stop['name']}")
        if not stop["seen"]:
            found.append(f"out of sight: {stop['name']}")
        if stop["covered"]:
            found.append(f"covered: {stop['name']}")
        if stop["tab"] > 0:
            found.append(f"out of turn, by tabindex: {stop['name']}")
    if walked["comesBack"]:
        found.append(f"the walk comes back: {walked['comesBack']}")
    if not walked["ended"]:
        found.append(f"the walk does not end within {MOST} stops")
    found += [
        f"upwards: from {before['name']} to {after['name']}"
        for before, after in pairwise(stops)
        if goes_up(before, after)
    ]
    found += [f"not reached: {each}" for each in page.evaluate("checks.missed()")]
    return stops, found


def goes_up(before, after):
    """Whether a step leads upwards where text does not: not in another part of the page, nor in a column to the right."""
    if before["region"] != after["region"] or before["fixed"] or after["fixed"]:
        return False
    if after["left"] >= before["right"]:
        return False
    return after["bottom"] < before["top"] and before["top"] - after["top"] > LINE


ONE, TWO = "<p><button>one</button></p>", "<p><button>two</button></p>"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (f"{ONE}{TWO}<p><a href=#>three</a></p>", []),
        (
            f"<style>button {{ outline: none }}</style>{ONE}",
            ["no visible focus: button"],
        ),
        (
            f"<style>button {{ outline: none }} button:focus {{ background: red }}</style>{ONE}",
            [],
        ),
        (
            f"{ONE}<a href=# style='position: absolute; left: -999px'>two</a>",
            ["out of sight: a"],
        ),
        (
            f"{ONE}<div style='position: fixed; inset: 0; background: white'></div>",
            ["covered: button"],
        ),
        (
            f"{ONE}<button tabindex=1>two</button>",
            ["out of turn", "upwards: from button"],
        ),
        (
            f"<article style='display: flex; flex-direction: column-reverse'>{ONE}{TWO}</article>",
            ["upwards: from button"],
        ),
        (
            f"{ONE}<button onfocus='document.querySelector(\"button\").focus()'>two</button>",
            ["the walk comes back", "not reached: button"],
        ),
        (
            f"<div style='columns: 2'>{ONE}{TWO}</div>",
            [],
        ),
        (
            f"{ONE}<button onfocus='this.blur()'>two</button><button>three</button>",
            ["not reached: button"] * 2,
        ),
    ],
)
def test_a_walk_that_is_not_right_is_noticed(visit, site, body, says):
    address = site.put("tiny.html", tiny(body))
    _, found = walk(visit(address))
    assert len(found) == len(says)
    assert all(said in sentence for said, sentence in zip(says, found))
    if "onfocus" not in body and "tabindex" not in body:  # only a key follows these
        assert walk(visit(address), keys=False)[1] == found


def test_the_link_past_the_menu_works(visit):
    page = visit("book/scalar.html").page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("Boolean(document.activeElement.closest('main'))")

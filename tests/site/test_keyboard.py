"""A walk through each page with the Tab key."""

from itertools import pairwise

import pytest
from tiny import none, tiny

LINE = 30  # pixels: what is closer stands in one line
MOST = 700  # stops of a page


def walk(visited):
    """The stops of the Tab key, and what is wrong with them."""
    page = visited.page
    visited.problems("open")
    stops, found = [], []
    while len(stops) < MOST:
        page.keyboard.press("Tab")
        stop = page.evaluate("checks.stop()")
        if stop is None:
            break
        if stop["again"]:
            found.append(f"the walk comes back: {stop['name']}")
            break
        if (
            not stop["outlined"]
            and page.evaluate("checks.unfocused()") == stop["looks"]
        ):
            found.append(f"no visible focus: {stop['name']}")
        if not stop["seen"]:
            found.append(f"out of sight: {stop['name']}")
        if stop["covered"]:
            found.append(f"covered: {stop['name']}")
        if stop["tab"] > 0:
            found.append(f"out of turn, by tabindex: {stop['name']}")
        stops.append(stop)
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


@pytest.mark.parametrize("width", [1280, 390])
def test_the_walk_is_in_sight_and_in_order(visit, page, width):
    stops, found = walk(visit(page, width=width, still=True))
    assert stops[0]["href"] == "#main-content"
    assert none(found)


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
    _, found = walk(visit(site.put("tiny.html", tiny(body))))
    assert len(found) == len(says)
    assert all(said in sentence for said, sentence in zip(says, found))


def test_the_link_past_the_menu_works(visit):
    page = visit("book/scalar.html").page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("Boolean(document.activeElement.closest('main'))")

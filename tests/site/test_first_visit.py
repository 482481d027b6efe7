"""What a page costs who comes for the first time, and what moves or flashes meanwhile."""

import re

import pytest
from tiny import tiny, wait

PAGE = "book/scalar.html"  # the derivations
MOST = {"bytes": 600_000, "bytes sent": 200_000, "requests": 15}  # without pictures
SHIFT = 0.02
SETTLED = "document.readyState === 'complete' && document.fonts.status === 'loaded' && kept.frames.length >= 30"


def cost(visit, site, address):
    """What is loaded besides pictures: bytes, compressed bytes, and requests."""
    seen = []
    visited = visit("tiny.html" if address is None else address)
    page = visited.page
    page.on("request", lambda each: seen.append(each))
    page.reload()
    page.wait_for_load_state("networkidle")
    loaded = {
        each.url
        for each in seen
        if each.resource_type != "image" and each.url.startswith(site.origin)
    }
    sizes = [site.sizes(address) for address in loaded]
    return {
        "bytes": sum(size for size, _ in sizes),
        "bytes sent": sum(sent for _, sent in sizes),
        "requests": len(loaded),
    }


def too_much(found):
    return {name: number for name, number in found.items() if number > MOST[name]}


def test_the_derivations_are_light(visit, site):
    assert too_much(cost(visit, site, PAGE)) == {}


def test_what_is_heavy_is_noticed(visit, site):
    site.put("a.js", "// " + "a" * 600_000)
    many = "".join(f"<script src=a.js?{number}></script>" for number in range(15))
    address = site.put("tiny.html", tiny(many))
    found = cost(visit, site, address)
    assert found["requests"] == 16
    assert too_much(found) == {name: found[name] for name in ("bytes", "requests")}
    noise = "".join(f"{number * number * 7919:x}" for number in range(50_000))
    site.put("a.js", f"// {noise}")
    found = cost(
        visit, site, site.put("tiny.html", tiny("<script src=a.js></script>"))
    )
    assert too_much(found) == {"bytes sent": found["bytes sent"]}


def shift(visited):
    """Whether a page moves under the eyes of who reads it to the end."""
    page = visited.page
    wait(page, SETTLED)
    page.evaluate(
        "async () => { for (let top = 0; top < document.body.scrollHeight; top += 700) {"
        " scrollTo({ top, behavior: 'instant' });"
        " await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20))); } }"
    )
    wait(
        page,
        "[...document.images].every((each) => each.complete || !each.checkVisibility())",
    )
    page.evaluate("new Promise((done) => setTimeout(done, 100))")
    moved = page.evaluate("kept.shift")
    return [f"the page moves, by {moved:.3f}"] if moved > SHIFT else []


def test_what_moves_is_noticed(visit, site):
    svg = "<svg xmlns='http://www.w3.org/2000/svg' width='300' height='300'/>"
    site.put("a.svg", svg)
    body = "<img src=a.svg alt=a><p>" + "Read. " * 400
    address = site.put("tiny.html", tiny(body))
    assert len(shift(visit(address, late=True))) == 1
    site.put("tiny.html", tiny(body.replace("src", "width=300 height=300 src")))
    assert shift(visit(address, late=True)) == []


def flashes(visited):
    """The frames that are not dark, of those painted from the first on."""
    wait(visited.page, "kept.frames.length >= 30")
    frames = visited.page.evaluate("kept.frames")
    return [
        frame
        for frame in frames
        if frame["theme"] != "dark" or brightness(frame["background"]) > 80
    ]


def brightness(colour):
    """Of 255, of a colour as browsers write it; what is transparent shows white."""
    red, green, blue, *alpha = map(float, re.findall(r"[\d.]+", colour))
    return 255 if alpha == [0] else (red + green + blue) / 3


@pytest.mark.parametrize("name", [PAGE, "404.html"])
def test_a_visit_in_the_dark_is_dark_from_the_first_frame(visit, name):
    """Others are looked at without a server, which sends nothing sooner."""
    assert flashes(visit(name, dark=True)) == []


DARK = "document.documentElement.dataset.theme = 'dark'"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (DARK, False),
        (
            f"(function look() {{ kept.frames.length ? {DARK} : setTimeout(look) }})()",
            True,
        ),
        (DARK.replace("dark", "light"), True),
        (
            f"{DARK}; document.write('<style>body {{ background: white !important }}</style>')",
            True,
        ),
    ],
)
def test_a_flash_is_noticed(visit, site, script, says):
    style = "<style>[data-theme=dark] body { background: black }</style>"
    address = site.put("tiny.html", tiny("", f"{style}<script>{script}</script>"))
    assert bool(flashes(visit(address, dark=True))) == says

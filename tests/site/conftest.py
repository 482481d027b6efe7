"""The built site in a browser: what its tests need."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import chromium
import pytest
from chromium import PACKAGES, SITE
from playwright.sync_api import Browser, Page, sync_playwright
from selectolax.lexbor import LexborHTMLParser
from serving import LATE, Server
from tiny import wait

HERE = Path(__file__).parent
SCRIPTS = {
    name: (HERE / f"{name}.js").read_text(encoding="utf-8")
    for name in ("recorder", "checks")
}
CHECK = """
async (names) => {
  const found = [];
  for (const name of names) found.push(...(await checks[name]()));
  return found;
}
"""
AXE = PACKAGES / "axe-core" / "axe.min.js"


@cache
def pages() -> list[str]:
    """The paths of all pages of the built site, but for those that only lead to another."""
    files = [f for f in sorted(SITE.rglob("*.html")) if "_static" not in f.parts]
    texts = {
        file: LexborHTMLParser(file.read_text(encoding="utf-8")) for file in files
    }
    refresh = "meta[http-equiv=refresh i]"
    return [
        f.relative_to(SITE).as_posix()
        for f, page in texts.items()
        if not page.css_first(refresh)
    ]


def pytest_sessionstart():
    """Stop where there is nothing to test, or nothing to test it with."""
    try:
        chromium.path()
    except chromium.NoChromium as error:
        pytest.exit(str(error), pytest.ExitCode.USAGE_ERROR)
    for needed, maker in (
        (SITE / "index.html", "make book"),
        (AXE, "make site-test"),
    ):
        if not needed.exists():
            pytest.exit(
                f"There is no {needed}; {maker} makes it.",
                pytest.ExitCode.USAGE_ERROR,
            )


def pytest_generate_tests(metafunc):
    """A test of a ``page`` is one for each page of the site; of a ``local_page``, for each that needs no server."""
    for name, left_out in ("page", None), ("local_page", "404.html"):
        if name in metafunc.fixturenames:
            chosen = [page for page in pages() if page != left_out]
            metafunc.parametrize(name, chosen, ids=lambda page: Path(page).stem)


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass
class Visit:
    """An open page, and what a reader would not like of what it has done so far."""

    page: Page
    noise: list[str] = field(default_factory=list)

    def problems(self, *names: str) -> list[str]:
        """What the named checks, of checks.js, say."""
        self.page.evaluate(SCRIPTS["checks"])
        return self.page.evaluate(CHECK, names)


def listen(visit: Visit, origin: str) -> None:
    """Keep what goes wrong in a page."""

    def add(text):
        visit.noise.append(text)

    page = visit.page
    page.on(
        "console", lambda said: said.type == "error" and add(f"error: {said.text}")
    )
    page.on("pageerror", lambda error: add(f"error: {error}"))
    page.on(
        "requestfailed",
        # What is cut short because the reader goes on to another page is no failure.
        lambda request: (
            request.failure == "net::ERR_ABORTED"
            or add(f"failed: {request.url} {request.failure}")
        ),
    )
    page.on(
        "response",
        lambda answer: (
            answer.status >= 400 and add(f"{answer.status}: {answer.url}")
        ),
    )
    page.on(
        "request",
        lambda request: (
            request.url.startswith((origin, "data:", "blob:"))
            or add(f"elsewhere: {request.url}")
        ),
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium.path(),
            args=["--disable-gpu", "--disable-background-networking"],
            chromium_sandbox=False,
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def site() -> Server:
    return Server(SITE)


@pytest.fixture(scope="session")
def axe() -> str:
    return AXE.read_text(encoding="utf-8")


@pytest.fixture
def visit(browser, site):
    """Opens an address, or a page of the site, as a visitor who was never there."""
    contexts = []

    def open_page(
        address, *, width=1280, dark=False, script=True, still=False, late=False
    ):
        if ":" not in address:
            address = site.address(address)
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            reduced_motion="reduce" if still else "no-preference",
            extra_http_headers={LATE: "1"} if late else {},
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        if script:
            context.add_init_script(SCRIPTS["recorder"])
        visited = Visit(context.new_page())
        listen(visited, "file:" if address.startswith("file:") else site.origin)
        answer = visited.page.goto(address)
        if answer and answer.status >= 400:
            raise ValueError(f"There is no page {address}.")
        if script:
            wait(
                visited.page, "document.documentElement.dataset.waits === undefined"
            )
        return visited

    yield open_page
    for context in contexts:
        context.close()

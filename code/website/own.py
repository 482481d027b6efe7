"""What some pages load and others do not: at once, or when a reader asks for it.

The extension that adds such files says so: by the attribute ``data-own`` of the tag, or by
their names in the attribute ``data-loads`` of what asks for them.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser as Page

from .scripts import name


def loaded(page: Page) -> set[str]:
    """The names of these files."""
    own = page.css("[data-own]")
    found = {name(n.attributes.get("src") or n.attributes["href"]) for n in own}
    return found.union(
        *(n.attributes["data-loads"].split() for n in page.css("[data-loads]"))
    )


def versions(static: Path, names: Iterable[str]) -> dict[str, str]:
    """What follows the name of a file in its address: browsers keep it until it changes."""
    return {
        each: f"{each}?v={hashlib.sha256((static / each).read_bytes()).hexdigest()[:8]}"
        for each in names
    }


def tags(page: Page, version: dict[str, str]) -> str:
    """The tags of what a page loads at once, style sheets before scripts. The addresses of what
    it loads later are put into the page."""
    top = page.root.attributes["data-content_root"]

    def address(name: str) -> str:
        return f"{top}_static/{version[name]}"

    for node in page.css("[data-loads]"):
        names = node.attributes["data-loads"].split()
        node.attrs["data-loads"] = " ".join(map(address, names))
    links = [
        f'<link rel="stylesheet" href="{address(name(node.attributes["href"]))}">'
        for node in page.css("link[data-own]")
    ]
    own = [
        f'<script defer src="{address(name(node.attributes["src"]))}"></script>'
        for node in page.css("script[data-own]")
    ]
    return "\n".join([*links, *own])

"""Where the book shows its equations: a table that `make reference` writes."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("pages.json")


@dataclass(frozen=True)
class Page:
    """An equation on its page: its number there, such as 5.7, the title of the chapter, and
    its address, which is relative to the pages of the book as long as the book has none."""

    number: str
    chapter: str
    link: str


@cache
def table() -> dict:
    return json.loads(TABLE.read_text(encoding="utf-8"))


def page(label: str) -> Page:
    """Raises KeyError where no equation of the book has this label."""
    number, chapter = table()["equations"][label]
    place = f"{chapter}.html#equation-{label}"
    address = table()["address"]
    link = f"{address.rstrip('/')}/book/{place}" if address else place
    return Page(number, table()["chapters"][chapter], link)

"""The numbers of the equations, as the pages show them, for programs that name equations.

`make reference` writes them into a file of the package `diagnosis`; the build fails where
that is not what the pages show.
"""

import json
from pathlib import Path

import yaml

from . import markdown
from .pieces import Display, Heading
from .reading import TABLE, shown

FILE = Path("code", "diagnosis", "pages.json")


def table(root: Path) -> dict:
    """The address of the book, the titles of the numbered chapters by their file names,
    and by the label of each equation its number and its chapter."""
    titles, equations = {}, {}
    toc = yaml.safe_load((root / TABLE).read_text(encoding="utf-8"))
    chapters = [
        entry["file"]
        for part in toc.get("parts", [])
        if part.get("numbered")
        for entry in part["chapters"]
    ]
    for number, file in enumerate(chapters, start=1):
        name = Path(file).name
        found = list(
            markdown.of_file(shown(root / f"{file.removesuffix('.md')}.md"))
        )
        heads = [piece.words for piece in found if isinstance(piece, Heading)]
        titles[name] = heads[0] if heads else name
        labels = [p.label for p in found if isinstance(p, Display) and p.label]
        for place, label in enumerate(labels, start=1):
            equations[label] = [f"{number}.{place}", name]
    config = (
        root / "_config.yml"
    )  # a tree without it has no site, and so no address
    settings = (
        yaml.safe_load(config.read_text(encoding="utf-8"))
        if config.is_file()
        else {}
    )
    address = (settings.get("html") or {}).get("baseurl", "")
    return {"address": address, "chapters": titles, "equations": equations}


def text(root: Path) -> str:
    """The table as it stands in its file: a line for each equation."""
    found = table(root)
    lines = [
        f"{json.dumps(label)}: {json.dumps(place)}"
        for label, place in found.pop("equations").items()
    ]
    head = json.dumps(found, ensure_ascii=False, indent=1).removesuffix("\n}")
    return f'{head},\n "equations": {{\n  ' + ",\n  ".join(lines) + "\n }\n}\n"


def write(root: Path) -> None:
    """Where a tree has the package, its table is written anew."""
    file = root / FILE
    if file.parent.is_dir() and (
        not file.is_file() or file.read_text(encoding="utf-8") != text(root)
    ):
        file.write_text(text(root), encoding="utf-8", newline="\n")

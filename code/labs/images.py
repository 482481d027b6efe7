"""The images that the Markdown of a template shows."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from .fault import Fault
from .template import Template

PARSER = MarkdownIt("commonmark").enable("table")
HTML_IMAGE = re.compile(r"<img\b[^>]*?\bsrc\s*=\s*[\"'](.*?)[\"']", re.DOTALL)


def images(template: Template, folder: Path) -> set[str]:
    """The paths of the images, relative to the template's folder. Raises Fault if one is
    missing, or is not in that folder."""
    found = set()
    for number, path in shown(template):
        if path.startswith("data:"):
            continue
        if not (folder / path).resolve().is_relative_to(folder) or Path(path).root:
            raise Fault(
                number, f"the image {path} is not below the template's folder"
            )
        if not (folder / path).is_file():
            raise Fault(number, f"there is no image {path}")
        found.add(path)
    return found


def shown(template: Template) -> Iterator[tuple[int, str]]:
    """The images in Markdown cells, each with the number of a line near it."""
    for cell in template.cells:
        if cell.kind == "markdown":
            text = "\n".join(template.lines[cell.start : cell.stop])
            for token in PARSER.parse(text):
                for path in sources(token):
                    yield cell.start + token.map[0] + 1, path


def sources(token: Token) -> Iterator[str]:
    for part in token.children or [token]:
        if part.type == "image":
            yield unquote(str(part.attrs["src"]))
        elif part.type in {"html_inline", "html_block"}:
            yield from HTML_IMAGE.findall(part.content)

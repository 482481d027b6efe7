"""The images that the Markdown of a template shows."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from chapters.pieces import Directive, Html, Image
from chapters.source import pieces

from .fault import Fault
from .template import Template

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
    """The images in Markdown cells, each with the number of its line."""
    for cell in template.cells:
        if cell.kind == "markdown":
            yield from sources(
                template.lines[cell.start : cell.stop], cell.start + 1
            )


def sources(lines: list[str], first: int) -> Iterator[tuple[int, str]]:
    """The images in lines of which the first has this number. Of directives, only an
    admonition keeps its text in a notebook."""
    for piece in pieces("\n".join(lines), first):
        match piece:
            case Image():
                yield piece.line, unquote(piece.path)
            case Html():
                for path in HTML_IMAGE.findall(piece.content):
                    yield piece.line, path
            case Directive(name="admonition"):
                yield from sources(piece.body, piece.body_line)

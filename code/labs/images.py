"""The images that the Markdown of a template shows."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from chapters.pieces import Directive, Html, Image
from chapters.source import pieces

from .fault import Fault, Faults
from .template import Template
from .versions import Version, link_to

HTML_IMAGE = re.compile(r"<img\b[^>]*?\bsrc\s*=\s*[\"'](.*?)[\"']", re.DOTALL)


def images(
    template: Template, folder: Path, shared: Path | None
) -> dict[str, Path]:
    """The images: their paths in the template, relative to its folder, and where they
    are, there or in a ``shared`` folder. Raises Faults if any is missing, or in neither."""
    found, faults = {}, []
    for number, path in shown(template):
        if path.startswith("data:"):
            continue
        file = (folder / path).resolve()
        places = [folder, shared.resolve()] if shared else [folder]
        if re.match(r"\w+:", path):
            message = f"the image {path} is no file: save it beside the template"
            faults.append(Fault(number, message))
        elif Path(path).root or not any(map(file.is_relative_to, places)):
            message = f"the image {path} is not below the template's folder"
            message += ", nor in that of --images" if shared else " (see --images)"
            faults.append(Fault(number, message))
        elif not file.is_file():
            faults.append(Fault(number, f"there is no image {path}"))
        else:
            found[path] = file
    if faults:
        raise Faults(faults)
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


def below(path: str) -> str:
    """Where an image is written: below the folder of the question, wherever it is."""
    parts = [part for part in Path(path).parts if part != ".."]
    return "/".join(parts)


def is_shown(path: str, version: Version) -> bool:
    return bool(link_to(path).search(version.text))

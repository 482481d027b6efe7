"""All pages of a built site."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser as Page

from . import fonts, scripts, styles
from .body import lighten
from .head import head

WORD = re.compile(r"[A-Za-z_][\w-]*")


def finish(out: Path) -> None:
    """Rewrite the pages in ``out``, which Sphinx has just written, and what they load."""
    static = out / "_static"
    files = [f for f in sorted(out.rglob("*.html")) if static not in f.parents]
    pages = {file: Page(file.read_text(encoding="utf-8")) for file in files}
    # What only leads to another page stays as it is.
    pages = {file: page for file, page in pages.items() if page.css_first("title")}
    for file, page in pages.items():
        scripts.check_known(s.attributes["src"] for s in page.css("script[src]"))
        lighten(page, file)

    script = scripts.bundled(static)
    sheets = _sheets(pages, static)
    style = styles.bundled(sheets, _words(pages.values(), script), static)
    style = fonts.reduced(style, _characters(pages.values(), style), static)
    names = _written(static, style, ".css"), _written(static, script, ".js")
    for file, page in pages.items():
        up = "../" * (len(file.relative_to(out).parts) - 1)
        new = head(page, *(f"{up}_static/{name}" for name in names))
        page.root.attrs["data-theme"] = "light"  # until a script says otherwise
        before, _, body = page.html.partition("<head>")
        file.write_text(before + new + body.partition("</head>")[2], encoding="utf-8")
    pages = {file: Page(file.read_text(encoding="utf-8")) for file in pages}
    _clean(out, pages, style, names)


def _sheets(pages: dict[Path, Page], static: Path) -> list[Path]:
    """The style sheets of all pages, in their order."""
    found = {}
    for file, page in pages.items():
        for node in page.css("link[rel=stylesheet]"):
            address = node.attributes["href"].partition("?")[0]
            found[(file.parent / address).resolve()] = None
    return [*found]


def _words(pages: Iterable[Page], script: str) -> set[str]:
    """All that a selector can name: tags, classes and ids of pages, words of the script."""
    words = {*WORD.findall(script), "root"}
    for page in pages:
        for node in page.root.traverse():
            words.add(node.tag)
            words |= {*(node.attributes.get("class") or "").split(), node.id}
    return words


def _characters(pages: Iterable[Page], style: str) -> set[str]:
    """All characters that pages show, and those that the style sheet adds."""
    return {*style}.union(*(page.body.text() for page in pages))


def _written(static: Path, text: str, suffix: str) -> str:
    """The name of a new file, which says what is in it: browsers keep it."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    name = f"site-{digest}{suffix}"
    (static / name).write_text(text, encoding="utf-8")
    return name


def _clean(out: Path, pages: dict[Path, Page], style: str, names: Iterable[str]) -> None:
    """Remove what pages no longer load."""
    static = out / "_static"
    kept = {static / name for name in names}
    kept |= {(static / found).resolve() for found in styles.URL.findall(style)}
    for file, page in pages.items():
        for node in page.css("[src], [href]"):
            address = node.attributes.get("src") or node.attributes.get("href") or ""
            kept.add((file.parent / address.partition("?")[0]).resolve())
    for file in sorted(static.rglob("*"), reverse=True):
        if file.is_dir():
            if not any(file.iterdir()):
                file.rmdir()
        elif file.resolve() not in kept:
            file.unlink()

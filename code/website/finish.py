"""All pages of a built site."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlparse

from selectolax.lexbor import LexborHTMLParser as Page

from . import fonts, lookup, scripts, styles
from .body import lighten
from .head import CARD, Files, head, shown_fonts
from .own import loaded, tags, versions

WORD = re.compile(r"[A-Za-z_][\w-]*")
# Loaded when a reader asks for what is in them.
LATER = ["previews", "vendor/minisearch"]
NOT_LISTED = {"search.html", "genindex.html", "404.html"}


def finish(out: Path, site: str = "", hosted: str = "") -> None:
    """Rewrite the pages in ``out``, which Sphinx has just written, and what they load.

    ``site`` is the address at which the site will be, and ``hosted`` that of a chapter's
    notebook where it can be run, with ``{chapter}`` for its name; both may be unknown. A
    script or a handler that is not known raises ValueError.
    """
    site = site and site.rstrip("/") + "/"
    static = out / "_static"
    pages = _read(out)
    for page in pages.values():
        common = page.css("script[src]:not([data-own])")
        scripts.check_known(node.attributes["src"] for node in common)
    names = {name for page in pages.values() for name in loaded(page)}
    script = scripts.bundled(static)
    scripts.minify(static, (name for name in names if name.endswith(".js")))
    version = versions(static, names)
    owned = {address: tags(page, version) for address, page in pages.items()}
    for address, page in pages.items():
        lighten(page, (out / address).parent, hosted)

    sheets = _sheets(pages, out)
    lookup.list_equations(pages)
    pages["404.html"] = _not_found(pages["search.html"], urlparse(site).path or "/")
    style = styles.bundled(sheets, _words(pages.values(), script), static)
    style = fonts.reduced(style, _characters(pages.values(), style), static)
    shared = Files(
        _written(static, "site", ".css", style),
        _written(static, "site", ".js", script),
        _written(static, "search", ".js", lookup.documents(pages)),
    )
    for name, text in lookup.previews(pages).items():
        (static / "previews").mkdir(exist_ok=True)
        (static / "previews" / name).write_text(text, encoding="utf-8")
    for address, page in pages.items():
        up = "../" * address.count("/")
        if address == "404.html":  # it is shown at any address
            up = urlparse(site).path or "/"
        page.root.attrs["data-theme"] = "light"  # until a script says otherwise
        page.root.attrs["data-fonts"] = shown_fonts(page, up)
        before, _, body = page.html.partition("<head>")
        body = body.partition("</head>")[2]
        files = replace(shared, own=owned.get(address, ""))
        text = before + head(page, up, files, site, address) + body
        (out / address).write_text(text, encoding="utf-8")
    if site:
        listed = [site + address for address in pages if address not in NOT_LISTED]
        (out / "sitemap.xml").write_text(_sitemap(listed), encoding="utf-8")
    _clean(out, style, [CARD] if site else [])


def _read(out: Path) -> dict[str, Page]:
    """The pages by their addresses, without those that only lead to another."""
    files = [f for f in sorted(out.rglob("*.html")) if "_static" not in f.parts]
    pages = {
        f.relative_to(out).as_posix(): Page(f.read_text(encoding="utf-8"))
        for f in files
    }
    return {
        address: page for address, page in pages.items() if page.css_first("title")
    }


def _not_found(search: Page, top: str) -> Page:
    """The page for addresses at which there is none: the search, and a way back."""
    page = search.clone()
    page.root.attrs["data-content_root"] = top
    page.css_first("title").inner_html = "Page not found"
    heading = page.css_first(".bd-search-container h1")
    heading.inner_html = "There is no page at this address"
    for node in page.css("[href], [src], [action]"):
        for name in ("href", "src", "action"):
            value = node.attributes.get(name)
            if value and not value.startswith(("#", "data:", "/")):
                node.attrs[name] = top + value
    return page


def _sheets(pages: dict[str, Page], out: Path) -> list[Path]:
    """The style sheets of all pages, in their order."""
    found: dict[Path, None] = {}
    for address, page in pages.items():
        for node in page.css("link[rel=stylesheet]:not([data-own])"):
            sheet = node.attributes["href"].partition("?")[0]
            found[(out / address).parent.joinpath(sheet).resolve()] = None
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


def _written(static: Path, name: str, suffix: str, text: str) -> str:
    """The address of a new file, which says what is in it: browsers keep it."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    file = static / f"{name}-{digest}{suffix}"
    file.write_text(text, encoding="utf-8")
    return f"{static.name}/{file.name}"


def _sitemap(addresses: Iterable[str]) -> str:
    urls = "".join(f"<url><loc>{address}</loc></url>\n" for address in addresses)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n'
    )


def _clean(out: Path, style: str, others: Iterable[str]) -> None:
    """Remove what pages no longer load, and nothing of ``others``."""
    (out / "searchindex.js").unlink()  # of the theme's search
    static = (out / "_static").resolve()
    kept = {(static / found).resolve() for found in styles.URL.findall(style)}
    kept |= {(out / other).resolve() for other in others}
    for address, page in _read(out).items():
        for node in page.css("[src], [href], [data-index], [data-loads]"):
            for name in ("src", "href", "data-index", "data-loads"):
                for path in (node.attributes.get(name) or "").split():
                    plain = path.partition("?")[0]
                    kept.add((out / address).parent.joinpath(plain).resolve())
    for file in sorted(static.rglob("*"), reverse=True):
        if file.is_dir():
            if not any(file.iterdir()):
                file.rmdir()
        elif file not in kept and not any(
            static / each in (file, *file.parents) for each in LATER
        ):
            file.unlink()

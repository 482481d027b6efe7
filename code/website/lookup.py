"""What pages load when a reader asks for it: what can be searched, and previews of what is referred to."""

import json
import posixpath
import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser as Page
from selectolax.lexbor import LexborNode as Node

# Not text, or text of its own: tags, and classes.
SKIPPED = {"figure", "pre", "nav", "h1", "h2", "h3", "h4"}
APART = {
    "headerlink",
    "math",
    "exercise",
    "solution",
    "eqno",
    "katex",
    "admonition-title",
}
# What references lead to and a few lines can show.
SHOWN = "div.math[id], figure[id], dt[id^=term-]"


def documents(pages: dict[str, Page]) -> str:
    """A script with all that can be found: sections, equations, figures, exercises."""
    found = [
        entry
        for address, page in pages.items()
        for entry in _entries(address, page)
    ]
    return f"var searchDocuments = {_json(found)};\n"


def previews(pages: dict[str, Page]) -> dict[str, str]:
    """For each page with something to preview a script, by the name of its file."""
    scripts = {}
    for address, page in pages.items():
        shown = {node.id: _preview(node) for node in page.css(SHOWN)}
        if shown:
            name = address.replace("/", "-").removesuffix(".html") + ".js"
            scripts[name] = (
                f"(window.previews ??= {{}})[{_json(address)}] = {_json(shown)};\n"
            )
    return scripts


def list_equations(pages: dict[str, Page]) -> None:
    """Fill the page that asks for it with all numbered equations, by chapter."""
    for address, page in pages.items():
        for place in page.css("div.all-equations"):
            parts = []
            for link in page.css("nav.bd-links a.reference.internal"):
                target = link.attributes["href"]
                source = posixpath.normpath(
                    posixpath.join(posixpath.dirname(address), target)
                )
                found = (
                    pages[source].css("article div.math[id]")
                    if source in pages
                    else []
                )
                parts += [f"<h2>{link.text().strip()}</h2>"] * bool(found)
                parts += [_listed(node, target) for node in found]
            place.inner_html = "".join(parts)


def _listed(node: Node, address: str) -> str:
    """An equation whose number leads to where it stands."""
    html = re.sub(r'<a class="(?:headerlink|checked)".*?</a>', "", node.html)
    html = html.replace(f' id="{node.id}"', "", 1).replace(
        '"said-', f'"{node.id}-said-'
    )
    link = rf'<span class="eqno"><a href="{address}#{node.id}">\1</a></span>'
    return re.sub(r'<span class="eqno">(.*?)</span>', link, html, count=1)


def _json(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _entries(address: str, page: Page) -> Iterator[dict]:
    article = page.css_first("article")
    heading = article and article.css_first("h1")
    if not heading:
        return
    chapter = words(heading)
    for section in article.css("section[id]"):
        title = section.css_first("h1, h2, h3, h4")
        if title and title.parent.mem_id == section.mem_id:
            yield _entry(address, section.id, words(title), chapter, words(section))
    for node in article.css("div.math[id]"):
        number = node.css_first(".eqno").text(deep=False).strip()
        yield _entry(address, node.id, f"Equation {number}", chapter, words(node))
    for node in article.css("figure[id]"):
        caption = node.css_first("figcaption")
        number = words(caption.css_first(".caption-number"))
        yield _entry(address, node.id, number, chapter, words(caption))
    for node in article.css("div.exercise[id], details.solution[id]"):
        title = node.css_first(".admonition-title")
        yield _entry(address, node.id, words(title), chapter, words(node))


def _entry(address: str, target: str, title: str, chapter: str, text: str) -> dict:
    return {
        "id": f"{address}#{target}",
        "title": title,
        "chapter": chapter,
        "text": text,
    }


def words(node: Node) -> str:
    """The text of an element as it is read aloud, without what stands for itself."""
    return re.sub(r"\s+", " ", "".join(_said(node))).strip()


def _said(node: Node) -> Iterator[str]:
    for child in node.iter(include_text=True):
        if child.is_text_node:
            yield child.text()
        elif not _stands_apart(child):
            yield from _said(child)
            yield " " if child.tag in {"p", "li", "td", "th", "dd", "div"} else ""


def _stands_apart(node: Node) -> bool:
    classes = {*(node.attributes.get("class") or "").split()}
    is_section = node.tag == "section" and node.id
    return bool(node.tag in SKIPPED or APART & classes or is_section)


def _preview(node: Node) -> str:
    """The element, and what follows a term; pictures have an address from the top of the site."""
    found = node.next if node.tag == "dt" else node
    while found is not None and not found.is_element_node:
        found = found.next
    # Only a list may hold a dd.
    html = found.inner_html if found.tag == "dd" else found.html
    html = re.sub(r'<a class="headerlink".*?</a>', "", html)
    html = re.sub(r' (?:id|tabindex|aria-describedby)="[^"]*"', "", html)
    return re.sub(r'(<img[^>]*\bsrc=")(?:\.\./)*', r"\1ROOT/", html)

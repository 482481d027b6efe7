"""The body of a page: nothing that a policy forbids, nothing that needs a script without need."""

import re
from html import escape
from pathlib import Path

from PIL import Image
from selectolax.lexbor import LexborHTMLParser as Page
from selectolax.lexbor import LexborNode as Node

# What the theme writes into handlers, and what book.js does instead.
ACTIONS = {"window.print()": "print", "toggleFullScreen()": "full-screen"}
LOGO = "80"  # pixels, as in book.css
SHORT = 20  # characters of code that fit a line, on any phone
JOINT = re.compile(r"(?<=\w)([_.(])(?=\w)")  # where a narrow table may break a name
COLUMNS = re.compile(r"\S {2,}\S|\[\[")  # what stands below each other in an output


def lighten(page: Page, folder: Path, hosted: str = "") -> None:
    """Change a page in place. ``hosted`` is as in `finish`."""
    comments = [
        n for n in page.root.traverse(include_text=True) if n.is_comment_node
    ]
    for node in comments:
        node.decompose()
    for node in page.css("body script"):
        node.decompose()
    for node in page.css("[onclick]"):
        handler = node.attributes["onclick"]
        if handler not in ACTIONS:
            raise ValueError(
                f"A page has a handler that is not known, {handler}. Say in {__name__} what it does."
            )
        node.attrs["data-action"] = ACTIONS[handler]
        del node.attrs["onclick"]
    for node in page.css("div.admonition.dropdown"):
        _fold(node)
    _offer(page, folder, hosted)
    for node in page.css("div.dropdown"):
        _drop_down(node)
    for node in page.css("[data-bs-toggle]"):
        for name in ("data-bs-toggle", "data-bs-placement", "data-bs-title"):
            if name in node.attrs:
                del node.attrs[name]
    for node in page.css(
        "section[id='exercise-content'], section[id='solution-content']"
    ):
        del node.attrs["id"]  # else it occurs more than once
    for node in page.css("button.sidebar-toggle, button.btn-fullscreen-button"):
        node.attrs["class"] += " pst-js-only"  # without a script they do nothing
    for node in page.css("article table"):
        if "pst-scrollable-table-container" not in (
            node.parent.attributes.get("class") or ""
        ):
            box = element('<div class="pst-scrollable-table-container"></div>')
            box.inner_html = node.html
            node.replace_with(box)
    for node in page.css("article code.literal"):
        if len(node.text()) <= SHORT:
            node.attrs["class"] += " short"
    for node in page.css("article table code span.pre"):
        node.inner_html = JOINT.sub(r"\1<wbr>", node.inner_html)
    for node in page.css("article .cell_output pre"):
        if COLUMNS.search(node.text()):
            node.attrs["class"] = "columns"
    _say_right(page)
    for node in page.css("img.logo__image"):
        node.attrs["width"] = node.attrs["height"] = LOGO
    for number, node in enumerate(page.css("article img")):
        _sized(node, folder)
        if number:
            node.attrs["loading"] = "lazy"


def element(html: str) -> Node:
    """The element of some HTML."""
    return Page(f"<body>{html}</body>").css_first("body > *")


def _say_right(page: Page) -> None:
    """What the theme and Sphinx say wrongly to those who listen."""
    for node in page.css("summary[aria-label='Toggle hidden content']"):
        del node.attrs["aria-label"]  # it would hide the words that are shown
    for node in page.css("button.search-button-field"):
        del node.attrs["aria-label"]
    for node in page.css("figure:has(img.wide)"):
        node.attrs["tabindex"] = (
            "0"  # on a phone it scrolls, so the keyboard must reach it
        )
    for node in page.css("summary a"):
        node.unwrap()  # no link in what a click opens
    for node in page.css(
        "[role=doc-biblioentry], [role=doc-backlink], .citation-list[role=list]"
    ):
        del node.attrs["role"]
    for node in page.css("th"):
        if not node.text().strip():
            node.replace_with(
                element(
                    f"<table><tr><td>{node.inner_html}</td></tr></table>"
                ).css_first("td")
            )
    for node in page.css("#pst-primary-sidebar"):
        node.attrs["role"], node.attrs["aria-label"] = "navigation", "Book"


def _fold(node: Node) -> None:
    """What the theme folds by a script becomes <details>, which needs none."""
    title = node.css_first(".admonition-title").html
    opened = re.match(r"<div\b([^>]*)>", node.html)[1]
    summary = re.sub(
        r"^<p\b(.*)</p>$", r"<summary\1</summary>", title, flags=re.DOTALL
    )
    rest = node.inner_html.replace(title, "", 1)
    node.replace_with(element(f"<details{opened}>{summary}{rest}</details>"))


def _offer(page: Page, folder: Path, hosted: str) -> None:
    """The menu of downloads, with a notebook to run elsewhere, and without the source of a lab, which is no text."""
    for node in page.css("a.btn-download-notebook-button") if hosted else ():
        chapter = Path(node.attributes["href"]).stem
        link = f'<a class="btn btn-sm dropdown-item" href="{escape(hosted.format(chapter=chapter))}">run online</a>'
        node.parent.insert_after(element(f"<li>{link}</li>"))
    for node in page.css("a.btn-download-source-button"):
        source = folder / node.attributes["href"]
        if source.is_file() and "#!TAG" in source.read_text(encoding="utf-8"):
            node.parent.decompose()


def _drop_down(node: Node) -> None:
    """A menu that drops down, too."""
    button = node.css_first("button.dropdown-toggle")
    menu = node.css_first("ul").html
    label = button.attributes["aria-label"]
    summary = f'<summary class="btn" aria-label="{label}" title="{label}">{button.inner_html}</summary>'
    node.replace_with(
        element(
            f'<details class="{node.attributes["class"]}">{summary}{menu}</details>'
        )
    )


def _sized(node: Node, folder: Path) -> None:
    """The size of a picture, so that nothing moves when it comes, and a smaller one for coarse screens."""
    source = node.attributes["src"]
    path = folder / source
    if path.suffix == ".svg":
        shown = Page(path.read_text(encoding="utf-8")).css_first("svg").attributes
        node.attrs["width"], node.attrs["height"] = shown["width"], shown["height"]
    if path.suffix != ".png":
        return
    with Image.open(path) as picture:
        # Figures of cells say how many pixels they have for each inch of the page, which has 100 of its own.
        density = round(picture.info.get("dpi", (100,))[0]) / 100
        width, height = (round(size / density) for size in picture.size)
        if density > 1:
            coarse = path.with_stem(f"{path.stem}-1x")
            picture.resize((width, height), Image.Resampling.LANCZOS).save(coarse)
            name = source.removesuffix(path.name) + coarse.name
            node.attrs["srcset"] = f"{name} 1x, {source} {density:g}x"
            node.attrs["src"] = name
    # The same size, but fixed, so that a narrow page would distort it.
    if "style" in node.attrs:
        del node.attrs["style"]
    if "width" not in node.attributes:
        node.attrs["width"], node.attrs["height"] = str(width), str(height)

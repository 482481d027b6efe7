"""The head of a page: its policy, what it is about, one style sheet, one script."""

import base64
import hashlib
from dataclasses import dataclass
from html import escape

from selectolax.lexbor import LexborHTMLParser as Page

from .lookup import words
from .scripts import EARLY

HASH = base64.b64encode(hashlib.sha256(EARLY.encode()).digest()).decode()
POLICY = "; ".join(
    [
        "default-src 'self'",
        f"script-src 'self' 'sha256-{HASH}'",
        "style-src-attr 'unsafe-inline'",  # KaTeX places what it draws by attributes
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
    ]
)
RELATIONS = "link[rel=icon], link[rel=index], link[rel=search], link[rel=next], link[rel=prev]"
DESCRIBED = 160  # characters that search engines show
CARD = "_static/page.png"  # the picture of a page that the README shows, too


# The fonts of formulas, and where a page shows them.
KATEX = "_static/katex/fonts/KaTeX_{}.woff2"
ICONS = "_static/vendor/fontawesome/webfonts/fa-solid-900.woff2"
FONTS = {
    "Main-Regular": ".katex",
    "Math-Italic": ".mathnormal",
    "Main-Bold": ".mathbf",
    "Math-BoldItalic": ".boldsymbol",
    "Caligraphic-Regular": ".mathcal",
    "Size1-Regular": ".delimsizing.size1, .small-op",
    "Size2-Regular": ".delimsizing.size2, .large-op",
    "Size3-Regular": ".delimsizing.size3",
    "Size4-Regular": ".delimsizing.size4, .delim-size4",
}


@dataclass
class Files:
    """The addresses of what all pages load, from the top of the site, and the tags of what a
    page loads besides."""

    style: str
    script: str
    index: str
    own: str = ""


def head(page: Page, up: str, files: Files, site: str, address: str) -> str:
    """The head anew.

    ``up`` leads from the page to the top of the site. ``site`` is the address of the
    site, "" if none is set, and ``address`` that of the page in it.
    """
    title = page.css_first("title").text()
    # The title of the book is that of its first page, too.
    title = " — ".join(dict.fromkeys(title.split(" — ")))
    about = description(page)
    public = ""
    if site:
        public = f"""\
<link rel="canonical" href="{site}{address}">
<meta property="og:type" content="article">
<meta property="og:title" content="{escape(title)}">
<meta property="og:description" content="{escape(about)}">
<meta property="og:url" content="{site}{address}">
<meta property="og:image" content="{site}{CARD}">
<meta name="twitter:card" content="summary_large_image">
"""
    return f"""<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<meta name="description" content="{escape(about)}">
{public}<script>{EARLY}</script>
<link rel="stylesheet" href="{up}{files.style}">
<script defer src="{up}{files.script}" data-index="{up}{files.index}"></script>
{files.own}
{"".join(node.html for node in page.css(RELATIONS))}
</head>"""


def shown_fonts(page: Page, up: str) -> str:
    """The addresses of the fonts that a page shows."""
    formulas = [
        KATEX.format(name) for name, where in FONTS.items() if page.css_first(where)
    ]
    return " ".join(up + font for font in [ICONS, *formulas])


def description(page: Page) -> str:
    """The first paragraph, as far as whole words go."""
    first = page.css_first("article p")
    text = words(first) if first else page.css_first("h1").text().strip()
    text = text.removeprefix("What this chapter shows. ")
    return (
        text
        if len(text) <= DESCRIBED
        else text[:DESCRIBED].rpartition(" ")[0] + " …"
    )

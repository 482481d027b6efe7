"""The head of a page: its policy, what it is called, one style sheet, one script."""

import base64
import hashlib
from html import escape

from selectolax.lexbor import LexborHTMLParser as Page

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


def head(page: Page, style: str, script: str) -> str:
    """The head anew, with the addresses of the style sheet and the script."""
    title = page.css_first("title").text()
    return f"""<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<script>{EARLY}</script>
<link rel="stylesheet" href="{style}">
<script defer src="{script}"></script>
{"".join(node.html for node in page.css(RELATIONS))}
</head>"""

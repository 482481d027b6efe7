"""The page `explorer`: places for its parts, and what it alone loads. And small forms of it in chapters, which load that
when a reader asks for it.
"""

from html import escape
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst.directives import unchanged_required
from sphinx.util.docutils import SphinxDirective

# The parts of the page, and what a part loads when a reader begins to use it.
PARTS = {
    "situation": "",
    "step": "",
    "write": "formulas.js",
    "change": "",
    "sweep": "",
}
STYLE, SCRIPTS = "explorer.css", ("equations.js", "explorer.js")
# What readers press for a small form, by what they do with it; and what that loads, in this order.
SMALL = {"step": "Step through it here", "train": "Train it here"}
OWN = {"data-own": ""}  # see `website.own`
SMALL_FILES = (STYLE, "formulas-shown.js", *SCRIPTS)


class Part(SphinxDirective):
    """The place of a part. Its content stands there until a script fills it."""

    required_arguments = 1
    has_content = True

    def run(self):
        (name,) = self.arguments
        if name not in PARTS:
            raise self.error(f"the explorer has no part {name}: {', '.join(PARTS)}")
        place = nodes.container(classes=["explorer", f"explorer-{name}"])
        self.state.nested_parse(self.content, self.content_offset, place)
        if PARTS[name]:
            place += raw(f'<span hidden data-loads="{PARTS[name]}"></span>')
        return [place]


class Small(SphinxDirective):
    """A small form: text, and last a picture, which stands there until a reader asks for more. Its argument is what a
    reader does with it. No notebook has it: see `chapters.reading`."""

    required_arguments = 1
    option_spec: ClassVar = {"settings": unchanged_required}
    has_content = True

    def run(self):
        (name,) = self.arguments
        if name not in SMALL or "settings" not in self.options:
            raise self.error(
                f"a small explorer is to {' or to '.join(SMALL)}, and has settings"
            )
        settings = escape("".join(self.options["settings"].split()))
        page = self.env.app.builder.get_relative_uri(
            self.env.docname, "book/explorer"
        )
        parsed = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, parsed)
        *text, picture = parsed.children
        button = (
            f'<p><button type="button" class="pst-js-only" data-loads="{" ".join(SMALL_FILES)}" data-part="{name}"'
            f' data-settings="{settings}">{SMALL[name]}</button></p>'
            "<noscript><p>To do so you need JavaScript, which is off.</p></noscript>"
        )
        link = f'<p><a href="{page}#{settings}">The same in the explorer</a>, where you can change anything.</p>'
        here = nodes.container("", picture, raw(button), classes=["explorer-here"])
        return [
            nodes.container("", *text, here, raw(link), classes=["explorer-small"])
        ]


def raw(html):
    return nodes.raw("", html, format="html")


def load(app, name, template, context, doctree):
    """Have the page that has such places load what fills them, and no other page."""
    if doctree and any(
        "explorer" in n["classes"] for n in doctree.findall(nodes.container)
    ):
        app.add_css_file(STYLE, **OWN)
        for script in SCRIPTS:
            app.add_js_file(script, **OWN)


def setup(app):
    app.add_directive("explorer", Part)
    app.add_directive("small-explorer", Small)
    app.connect("html-page-context", load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

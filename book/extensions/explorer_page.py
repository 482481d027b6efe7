"""The page `explorer`: places for its parts, and what it alone loads."""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

PARTS = ("situation", "step", "write", "change", "sweep")


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
        return [place]


def load(app, name, template, context, doctree):
    """Have the page that has such places load what fills them, and no other page."""
    if doctree and any(
        "explorer" in n["classes"] for n in doctree.findall(nodes.container)
    ):
        app.add_css_file("explorer.css")
        for script in ("equations.js", "explorer.js"):
            app.add_js_file(script)


def setup(app):
    app.add_directive("explorer", Part)
    app.connect("html-page-context", load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

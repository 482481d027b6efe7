"""Make the built pages light: one style sheet, one script, only what is used."""

from pathlib import Path

import website
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective


def finish(app, exception):
    if exception is None and app.builder.name == "html":
        try:
            settings = app.config.html_baseurl, app.config.hosted_notebook
            website.finish(Path(app.outdir), *settings)
        except ValueError as error:
            raise ExtensionError(str(error)) from error


class AllEquations(SphinxDirective):
    """The place for all numbered equations."""

    def run(self):
        return [nodes.container(classes=["all-equations"])]


def setup(app):
    app.add_config_value("hosted_notebook", "", "html", str)
    app.add_directive("all-equations", AllEquations)
    app.add_js_file("book.js")
    app.connect(
        "build-finished", finish, priority=900
    )  # after all that copies files
    return {"parallel_read_safe": True, "parallel_write_safe": True}

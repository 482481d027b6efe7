"""Make the built pages light: one style sheet, one script, only what is used."""

from pathlib import Path

import website
from sphinx.errors import ExtensionError


def finish(app, exception):
    if exception is None and app.builder.name == "html":
        try:
            website.finish(Path(app.outdir), app.config.html_baseurl)
        except ValueError as error:
            raise ExtensionError(str(error)) from error


def setup(app):
    app.add_js_file("book.js")
    app.connect(
        "build-finished", finish, priority=900
    )  # after all that copies files
    return {"parallel_read_safe": True, "parallel_write_safe": True}

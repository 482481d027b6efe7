"""Show the solution of a page that is the template of a lab.

The page offers both versions for download. `make labs` writes them, with the same program, before the site is built.
"""

from pathlib import Path

from sphinx.errors import ExtensionError


def show_solution(app, page, source):
    """Put the solution in place of the template, before the page is read."""
    from labs.fault import Fault  # brings Jupytext
    from labs.versions import shown

    path = Path(app.env.doc2path(page))
    try:
        source[0] = shown(source[0], path.parent)
    except Fault as fault:
        raise ExtensionError(f"{path}:{fault}") from fault


def setup(app):
    app.connect("source-read", show_solution)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

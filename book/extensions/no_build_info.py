"""Leave no `.buildinfo` in the site, so that it is the same wherever it is built.

The file holds a hash of the settings, by which Sphinx decides whether a kept site has to be built anew. Among the
settings is the path at which the theme is installed. Here the site is always built anew.
"""

from pathlib import Path


def remove(app, exception):
    Path(app.outdir, ".buildinfo").unlink(missing_ok=True)


def setup(app):
    app.connect("build-finished", remove)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

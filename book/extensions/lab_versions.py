"""Show the solution of a page that is the template of a lab, and make what the page offers for download.

That takes a while, so another process makes it while the equations are checked and the other pages are read.
"""

import os
import subprocess
import sys
from pathlib import Path

from sphinx.errors import ExtensionError
from sphinx.util import logging

logger = logging.getLogger(__name__)


def start(app, env, pages):
    """Start to make the versions of all labs among the pages, and read these last."""
    from labs.versions import is_template  # brings Jupytext

    paths = {page: Path(env.doc2path(page)) for page in pages}
    labs = [
        page
        for page, path in paths.items()
        if is_template(path.read_text(encoding="utf-8"))
    ]
    if not labs:
        return
    pages[:] = [*(page for page in pages if page not in labs), *labs]
    app.labs = subprocess.Popen(
        [
            *(sys.executable, "-m", "labs", "make"),
            *(os.path.relpath(paths[page]) for page in labs),
            *("--out", str(Path(app.srcdir, "_build", "labs"))),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def show_solution(app, page, source):
    """Put the solution in place of the template, before the page is read, when the files that it offers are there."""
    from labs.versions import is_template, solution  # see start

    if is_template(source[0]):
        said, _ = app.labs.communicate()
        if app.labs.returncode:
            raise ExtensionError(said.strip())
        logger.info("%s", said.strip())
        source[0] = solution(source[0], Path(app.env.doc2path(page)).parent)


def stop(app, exception):
    """Leave nothing running behind a build that fails."""
    labs = getattr(app, "labs", None)
    if labs and labs.poll() is None:
        with labs:  # until it has ended
            labs.terminate()


def setup(app):
    app.connect("env-before-read-docs", start, priority=400)  # the check is at 500
    app.connect("source-read", show_solution)
    app.connect("build-finished", stop)
    return {"parallel_read_safe": False, "parallel_write_safe": True}

"""Show the stored outputs of the chapters, and execute the cells of others in the environment of all cells."""

from pathlib import Path

from chapters import cache, environment
from sphinx.errors import ExtensionError
from sphinx.util import logging

logger = logging.getLogger(__name__)


def fill_cache(app):
    """Give MyST-NB the stored outputs that fit."""
    try:
        changed = cache.fill(Path(app.srcdir))
    except ValueError as error:
        raise ExtensionError(str(error)) from error
    logger.info("The build executes %s", ", ".join(changed) or "no chapter.")


def setup(app):
    environment.enter(Path(app.srcdir))
    app.connect("builder-inited", fill_cache)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Execute the cells of the book in the environment of all other cells."""

from pathlib import Path

from chapters import environment


def setup(app):
    environment.enter(Path(app.srcdir))
    return {"parallel_read_safe": True, "parallel_write_safe": True}

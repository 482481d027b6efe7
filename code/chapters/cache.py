"""Gives Jupyter Book the stored outputs, so that it executes only what has changed."""

import json
import shutil
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

from . import stored
from .reading import with_code


def fill(root: Path) -> list[str]:
    """Fill the cache of executed chapters in ``_build`` of the tree at ``root``. Returns
    the names of chapters that have changed since they were stored, for the build to
    execute.

    The cache knows chapters by their cells alone. So it is made anew, unless all else
    that they depend on is as it was when it was last filled."""
    folder = root / "_build" / ".jupyter_cache"
    notebooks = with_code(root)
    changed = [
        chapter
        for chapter, notebook in notebooks.items()
        if not stored.is_current(root, chapter, notebook)
    ]
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(exist_ok=True)
    cache = get_cache(folder)
    for chapter in notebooks:
        if chapter not in changed:
            notebook = stored.read(root, chapter)
            uri = str(root / "book" / f"{chapter}.md")
            bundle = CacheBundleIn(notebook, uri, data={"execution_seconds": 0})
            cache.cache_notebook_bundle(bundle, check_validity=False)
    return changed

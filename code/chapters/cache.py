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
    the chapters that have changed since they were stored: the build executes these.

    The cache knows chapters by their cells alone. So it is made anew where anything else
    has changed since it was last filled.
    """
    notebooks = with_code(root)
    digests = {
        chapter: stored.current_digest(root, chapter, notebook)
        for chapter, notebook in notebooks.items()
    }
    changed = [chapter for chapter, digest in digests.items() if digest is None]
    for chapter in changed:  # it may by now import and read anything
        digests[chapter] = stored.digest_of(
            root, notebooks[chapter], files(root), []
        )
    folder = root / "_build" / ".jupyter_cache"
    state, now = folder.with_name("cached-chapters.json"), json.dumps(digests)
    if folder.is_dir() and state.is_file() and state.read_text() == now:
        return changed
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(exist_ok=True)
    cache = get_cache(folder)
    for chapter in notebooks.keys() - set(changed):
        source = str(root / "book" / f"{chapter}.md")
        bundle = CacheBundleIn(
            stored.read(root, chapter), source, data={"execution_seconds": 0}
        )
        cache.cache_notebook_bundle(bundle, check_validity=False)
    state.write_text(now)
    return changed


def files(root: Path) -> list[str]:
    """All files that a chapter can depend on."""
    found = [*(root / "code").rglob("*"), *(root / "book" / "static").rglob("*")]
    return sorted(
        file.relative_to(root).as_posix()
        for file in found
        if file.is_file()
        and "__pycache__" not in file.parts
        and ".egg-info" not in str(file)
    )

"""The browser in which the site is looked at, and what it needs."""

import os
import shutil

from sources import ROOT

SITE = ROOT / "_build" / "html"
PACKAGES = ROOT / ".venv" / "site" / "node_modules"  # what npm has installed


class NoChromium(Exception):
    """Why there is none, in one sentence."""


def path() -> str:
    """The chromium of the environment variable CHROMIUM, or else that of the PATH."""
    named = os.environ.get("CHROMIUM") or "chromium"
    found = shutil.which(named)
    if not found:
        raise NoChromium(
            f"There is no browser {named}; install chromium (on Debian: apt-get install"
            " chromium), or say where it is with CHROMIUM=path."
        )
    return found

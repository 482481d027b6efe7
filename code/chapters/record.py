"""What the cells of a chapter import and read, recorded in their kernel."""

import atexit
import json
import os
import sys
from pathlib import Path

opened: set[str] = set()


def start(target: str) -> None:
    """From now on, note which files are opened; at the end of the process, write these
    and the files of all imported modules to the file ``target``, and the names of those
    that were imported from now on."""
    sys.addaudithook(note)
    atexit.register(write, target, set(sys.modules))


def note(event: str, arguments: tuple) -> None:
    if event == "open" and isinstance(arguments[0], str):
        opened.add(arguments[0])


def write(target: str, before: set[str]) -> None:
    modules = [getattr(module, "__file__", None) for module in sys.modules.values()]
    found = {
        "files": sorted(map(os.path.abspath, opened.union(filter(None, modules)))),
        "modules": sorted(
            name for name in sys.modules.keys() - before if "." not in name
        ),
    }
    Path(target).write_text(json.dumps(found), encoding="utf-8")

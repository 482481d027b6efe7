"""Keeps the Python code of this process from writing where it should not.

That stops accidents. Other programs that the code starts, and code that is bent on it,
are not stopped.
"""

import os
import sys

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# Which arguments of an audit event are paths that are changed.
CHANGED = {
    "os.chmod": slice(1),
    "os.chown": slice(1),
    "os.link": slice(1, 2),
    "os.mkdir": slice(1),
    "os.remove": slice(1),
    "os.rename": slice(2),
    "os.rmdir": slice(1),
    "os.symlink": slice(1, 2),
    "os.truncate": slice(1),
    "os.utime": slice(1),
}


def keep_within(folders: list[str]) -> None:
    """From now on, raise PermissionError where a file outside the folders would be
    made, changed or removed. That cannot be undone."""
    allowed = [os.path.realpath(folder) for folder in folders]
    if os.path.isdir("/dev"):
        allowed.append("/dev")  # with /dev/null

    def check(event: str, arguments: tuple) -> None:
        if event == "open":
            path, _, flags = arguments
            paths = (path,) if flags & WRITING else ()
        else:
            paths = arguments[CHANGED.get(event, slice(0))]
        for path in paths:
            if isinstance(path, (str, bytes, os.PathLike)):
                place = os.path.realpath(os.fsdecode(path))
                if not any(
                    os.path.commonpath([place, folder]) == folder
                    for folder in allowed
                ):
                    raise PermissionError(
                        f"{place} is not in the notebook's folder"
                    )

    sys.addaudithook(check)

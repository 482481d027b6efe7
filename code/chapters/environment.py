"""The environment in which cells run, wherever they run: for the site, the tests, the
stored chapters, the labs, their grading, and the tests of changed packages.

It does not say how kernels round. A reader's JupyterLab would not do as it says, and a
chapter must not depend on it.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

SET = {
    "OMP_NUM_THREADS": "1",  # sums, and with them figures, depend on the number
    "PYTHONHASHSEED": "0",  # the order of sets
    "TZ": "UTC",
    "SOURCE_DATE_EPOCH": "0",  # the date in files
    "MATPLOTLIBRC": os.devnull,  # an empty one
    # The kernel `python3` is that of this Python, not one that the user has registered.
    "JUPYTER_PREFER_ENV_PATH": "1",
}
# What else would bring something of the user's own into the outputs.
UNSET = {
    "JUPYTER_PATH",
    "MPLBACKEND",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONWARNINGS",
}


def of_cells(profile: str | Path) -> dict[str, str]:
    """This process's environment, changed to that of cells; ``profile`` is a folder for
    `write_profile`."""
    kept = {name: os.environ[name] for name in os.environ.keys() - UNSET}
    return kept | SET | {"IPYTHONDIR": str(profile)}


def write_profile(folder: str | Path, start: Sequence[str] = ()) -> None:
    """Write the settings of IPython. The statements in ``start`` run before the first
    cell, in its namespace."""
    settings = Path(folder, "profile_default", "ipython_kernel_config.py")
    settings.parent.mkdir(parents=True)
    settings.write_text(
        # Else every kernel warns that it listens on this machine without encryption.
        'c.IPKernelApp.log_level = "CRITICAL"\n'
        f"c.InteractiveShellApp.exec_lines = {list(start)}\n"
        # Two pixels for each of the page, so that figures are sharp on phones.
        'c.InlineBackend.figure_formats = {"retina"}\n',
        encoding="utf-8",
    )


def enter(root: Path, start: Sequence[str] = ()) -> None:
    """Make this process, and the kernels that it starts, run the tree at ``root`` in the
    environment of cells; ``start`` is as in `write_profile`."""
    profile = tempfile.mkdtemp(prefix="ipython-")
    atexit.register(shutil.rmtree, profile, ignore_errors=True)
    write_profile(profile, start)
    wanted = of_cells(profile)
    # First on the path: a copy of the tree runs itself, whatever tree is installed.
    paths = [str(root / "code"), wanted.get("PYTHONPATH", "")]
    wanted["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, paths)))
    os.environ.clear()
    os.environ.update(wanted)

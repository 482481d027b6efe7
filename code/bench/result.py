"""Where commands that measure write what they have found."""

import argparse
from pathlib import Path


def parser(module: str, description: str, name: str) -> argparse.ArgumentParser:
    """The arguments of ``python -m module``; its result goes to ``_build/name`` unless
    ``--out`` says otherwise."""
    made = argparse.ArgumentParser(
        prog=f"python -m {module}", description=description
    )
    made.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        default=Path("_build", name),
        help="where the result goes (default: %(default)s)",
    )
    return made


def make_room(out: Path) -> None:
    """Raise OSError now, and not after all measurements, if ``out`` cannot be written."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.touch()
    out.unlink()  # an earlier result is not to be taken for this one

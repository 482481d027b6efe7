"""``python -m chapters store`` executes the chapters of the book in the current folder that
have changed, and stores them."""

import sys
from pathlib import Path

from . import environment, store


def main() -> int:
    root = Path.cwd()
    environment.enter(root)
    match sys.argv[1:]:
        case ["store"]:
            import matplotlib.font_manager  # noqa: F401  (made in a kernel, its cache may announce itself in a cell)

            try:
                store.store(root)
            except (store.Unfit, ValueError) as error:
                print(f"chapters: {error}", file=sys.stderr)
                return 1
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

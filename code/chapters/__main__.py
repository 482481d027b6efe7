"""``python -m chapters store`` executes the chapters that have changed and stores them;
``python -m chapters cache`` gives the stored outputs to the build. Both work on the book
in the current folder."""

import sys
from pathlib import Path

from . import cache, environment, store


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
        case ["cache"]:
            changed = cache.fill(root)
            print("The build executes", ", ".join(changed) or "no chapter.")
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

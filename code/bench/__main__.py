"""``python -m bench [--out FILE]``"""

import argparse
import json
import sys
import time
from pathlib import Path

from .measure import Settings, run
from .peers import Disagreement
from .table import as_text


def main(words: list[str] | None = None, settings: Settings | None = None) -> int:
    """Run the command; its arguments are those of the process unless given. The exit
    status is 1 if a peer computes something else, 2 if the result cannot be written.
    """
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure what the book's network costs, beside other ways.",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        default=Path("_build", "bench.json"),
        help="where the result goes (default: %(default)s)",
    )
    out = parser.parse_args(words).out
    start = time.perf_counter()

    def say(text: str) -> None:
        print(f"{time.perf_counter() - start:4.0f} s  {text}", file=sys.stderr)

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.touch()  # better an error now than after all measurements
        out.unlink()  # an earlier result is not to be taken for this one
        result = run(settings or Settings(), say)
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    except Disagreement as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print(as_text(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())

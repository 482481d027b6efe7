"""``python -m bench [--out FILE]``"""

import json
import sys
import time

from .measure import Settings, run
from .peers import Disagreement
from .result import make_room, parser
from .table import as_text


def main(words: list[str] | None = None, settings: Settings | None = None) -> int:
    """Run the command; its arguments are those of the process unless given. The exit
    status is 1 if a peer computes something else, 2 if the result cannot be written.
    """
    description = "Measure what the book's network costs, beside other ways."
    out = parser("bench", description, "bench.json").parse_args(words).out
    start = time.perf_counter()

    def say(text: str) -> None:
        print(f"{time.perf_counter() - start:4.0f} s  {text}", file=sys.stderr)

    try:
        make_room(out)
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

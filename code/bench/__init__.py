"""What backpropagation costs: counted, and measured against other ways of doing it.

The chapter ``cost`` shows the result. `python -m bench` measures anew.
"""

import json
from pathlib import Path
from typing import Any

STORED = Path(__file__).resolve().parents[2] / "book" / "static" / "bench.json"


def stored() -> dict[str, Any]:
    """The measurements that the chapter ``cost`` shows, as `measure.run` returned
    them. Raises FileNotFoundError where only the packages are, without the book.
    """
    return json.loads(STORED.read_text(encoding="utf-8"))

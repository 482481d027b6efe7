"""Training by several processes, on one machine or on many (chapter ``many_machines``).

`python -m torch.distributed.run --standalone --nproc-per-node 2 -m machines` starts two
of them. `python -m machines.measure` measures anew what the chapter shows.
"""

import json
from pathlib import Path
from typing import Any

STORED = Path(__file__).resolve().parents[2] / "book" / "static" / "machines.json"


def stored() -> dict[str, Any]:
    """The measurements that the chapter ``many_machines`` shows, as `measure.run`
    returned them. Raises FileNotFoundError where only the packages are, without the
    book.
    """
    return json.loads(STORED.read_text(encoding="utf-8"))

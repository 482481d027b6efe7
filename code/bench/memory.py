"""The most memory that is in use at one time (chapter ``cost``)."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch.profiler import ProfilerActivity, profile

os.environ.setdefault("KINETO_LOG_LEVEL", "9")  # the profiler tells when it starts


def peak(action: Callable[[], Any]) -> int:
    """The most bytes of tensors that exist at one time during an action, over those
    that exist before it.

    Counted from what PyTorch's profiler records of its allocator; the memory of
    Python and of the libraries is not in it. What existed before must not be freed,
    because the profiler does not know its size. Chapter ``cost``.
    """
    with profile(
        activities=[ProfilerActivity.CPU], profile_memory=True
    ) as recorded:
        action()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace.json")
        recorded.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
    changes = [
        (event["ts"], event["args"]["Ev Idx"], event["args"]["Bytes"])
        for event in events
        if event.get("name") == "[memory]"
    ]
    now = most = 0
    for _, _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most

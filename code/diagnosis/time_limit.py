"""Call a function, but not for ever."""

import ctypes
import threading
from collections.abc import Callable
from typing import Any


class TimeLimit(Exception):
    """A call did not return in time."""


def call(function: Callable, *arguments: Any, seconds: float) -> Any:
    """What the function returns or raises; TimeLimit if it does neither in time.

    It runs in a thread of its own. One that does not return is interrupted, as soon as
    it executes Python code again.
    """
    outcome: list[tuple[Any, BaseException | None]] = []

    def work():
        try:
            outcome.append((function(*arguments), None))
        except BaseException as error:  # noqa: BLE001  (raised again by the caller)
            outcome.append((None, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        thread.join(seconds)
        if thread.is_alive():
            raise TimeLimit(f"it did not return within {seconds:g} seconds")
    finally:  # on an interrupt by the user too
        if thread.is_alive():
            interrupt(thread)
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


def interrupt(thread: threading.Thread) -> None:
    """Raise SystemExit in a thread; again if it is caught there."""
    for _ in range(10):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
        )
        thread.join(0.05)
        if not thread.is_alive():
            return

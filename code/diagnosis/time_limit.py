"""Call a function, but not for ever."""

import contextlib
import ctypes
import sys
import threading
import time
from collections.abc import Callable
from typing import Any


class TimeLimit(Exception):
    """A call did not return in time."""


IMPORTS = 30.0  # seconds that may go by while modules are imported


def call(
    function: Callable, *arguments: Any, seconds: float, importing: list[float]
) -> Any:
    """What the function returns or raises; TimeLimit if it does neither in time.

    It runs in a thread of its own. One that does not return is interrupted, as soon as
    it executes Python code again. As long as it imports modules, it may go on;
    ``importing`` then holds when it did.
    """
    outcome: list[tuple[Any, BaseException | None]] = []

    def work():
        try:
            outcome.append((function(*arguments), None))
        except BaseException as error:  # noqa: BLE001  (raised again by the caller)
            outcome.append((None, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    end, modules = time.monotonic() + seconds, len(sys.modules)
    latest = end + IMPORTS
    try:
        thread.join(min(seconds, 0.05))
        while thread.is_alive() and time.monotonic() < end:
            if len(sys.modules) > modules + 3:
                importing.append(time.monotonic())
                end = min(max(end, time.monotonic() + seconds), latest)
            modules = len(sys.modules)
            thread.join(min(0.2, max(end - time.monotonic(), 0.01)))
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
        raise_in(thread.ident, SystemExit)
        thread.join(0.05)
        if not thread.is_alive():
            return


def raise_in(ident: int | None, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(ident), ctypes.py_object(error)
    )


def settle() -> None:
    """While an exception waits for a thread that sleeps, Python 3.11 does not enter a
    function that a profiler watches. Any that is raised takes this away."""
    with contextlib.suppress(TimeLimit):
        raise_in(threading.get_ident(), TimeLimit)
        time.sleep(0)

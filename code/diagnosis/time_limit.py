"""Call functions, but not for ever."""

import contextlib
import ctypes
import sys
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

import torch


class TimeLimit(Exception):
    """A call did not return in time."""


IMPORTS = 30.0  # seconds that may go by while modules are imported


class Worker:
    """A thread that calls functions one after another, but none for ever. (A thread for
    each call would take longer than the calls.)

    One that does not return is interrupted, as soon as it executes Python code again;
    the next then gets another thread. `end` lets the thread end.
    """

    def __init__(self) -> None:
        self.thread: threading.Thread | None = None

    def call(
        self, function: Callable, seconds: float, importing: list[float]
    ) -> Any:
        """What the function returns or raises; TimeLimit if it does neither in time.

        As long as it imports modules, it may go on; ``importing`` then holds when it did.
        """
        if self.thread is None:
            self.begin()
        self.functions.put(function)
        try:
            value, error = self.outcome(seconds, importing)
        except BaseException:  # the limit, or an interrupt by the user
            self.interrupt()
            raise
        if error is not None:
            raise error
        return value

    def begin(self) -> None:
        self.functions: SimpleQueue[Callable | None] = SimpleQueue()
        self.outcomes: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        queues = self.functions, self.outcomes
        self.thread = threading.Thread(target=work, args=queues, daemon=True)
        self.thread.start()

    def outcome(
        self, seconds: float, importing: list[float]
    ) -> tuple[Any, BaseException | None]:
        """What the function returns and raises, as soon as it does."""
        end, modules = time.monotonic() + seconds, len(sys.modules)
        latest, wait = end + IMPORTS, min(seconds, 0.05)
        while True:
            with contextlib.suppress(Empty):
                return self.outcomes.get(timeout=wait)
            if time.monotonic() >= end:
                raise TimeLimit(f"it did not return within {seconds:g} seconds")
            if len(sys.modules) > modules + 3:
                importing.append(time.monotonic())
                end = min(max(end, time.monotonic() + seconds), latest)
            modules = len(sys.modules)
            wait = min(0.2, max(end - time.monotonic(), 0.01))

    def interrupt(self) -> None:
        """Raise SystemExit in the thread; again if it is caught there."""
        thread = self.thread
        self.end(seconds=0)
        for _ in range(10):
            raise_in(thread.ident, SystemExit)
            thread.join(0.05)
            if not thread.is_alive():
                return

    def end(self, seconds: float = 1) -> None:
        """Let the thread end once its function returns, and wait for that a while."""
        if self.thread is not None:
            self.functions.put(None)
            self.thread.join(seconds)
            self.thread = None


def work(functions: SimpleQueue, outcomes: SimpleQueue) -> None:
    """Call functions, up to None."""
    outcome: tuple[Any, BaseException | None]
    while (function := functions.get()) is not None:
        try:
            with torch.enable_grad():  # each begins so, whatever the last has left
                outcome = function(), None
        except BaseException as error:  # noqa: BLE001  (raised again by who waits)
            outcome = None, error
        outcomes.put(outcome)
        del function, outcome


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

"""Runs one submitted notebook: ``python -m labs.submission``, with a job on its standard
input, and lines of JSON on its standard output.

This process never runs what a student wrote. It forks one that does, cell by cell:

- Before each cell, the process that runs the cells forks. The child runs the cell and goes
  on; the parent waits. If the cell does not end in time, ends its process or uses up the
  memory, the parent goes on in its place, without the cell.
- Where a check stands, another fork waits: the notebook as it was at this place.
- When the last cell has run, all other processes are ended, and only then there is a
  channel. Each fork that waits is asked for the result of its check.

The cells run in IPython itself. A kernel could not be forked.
"""

import contextlib
import ctypes
import gc
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
import warnings
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import psutil
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell

from .fault import one_line
from .fresh import Fresh
from .plain import decoded
from .sandbox import confine
from .verdict import CELL, answer, exec_cell, judge, place, values_of

GRACE = 3.0  # seconds more, for what is not the student's
LONGEST = 200_000_000  # bytes of an answer that are read
PASSED = ("passed", "partly")
CHANNEL = "channel"  # relative to its folder, for the address of a socket is short
SUBREAPER, DUMPABLE, DEATH_SIGNAL = 36, 4, 1  # of prctl


class TooLong(BaseException):
    """A cell or a check does not end in time."""


class Shell(InteractiveShell):
    """IPython without a terminal and without a history."""

    def enable_gui(self, gui=None):
        """Needed by ``%matplotlib inline``. There is no window to attend to."""

    def init_history(self):
        """One that is switched off, for it would need a thread."""
        self.history_manager = HistoryManager(
            shell=self, parent=self, enabled=False
        )


def prctl(option: int, value: int) -> None:
    with contextlib.suppress(AttributeError, OSError):  # of Linux
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def say(**words: Any) -> None:
    print(json.dumps(words), flush=True)


# ------------------------------------------------------------------ the student's side


class Notebook:
    """The cells of a submission, in the process that runs them."""

    def __init__(
        self, job: dict, shell: Shell, fresh: Fresh, status: int, folder: str
    ):
        self.job, self.shell, self.fresh = job, shell, fresh
        self.status, self.folder = status, folder

    def report(self, **words: Any) -> None:
        os.write(self.status, (json.dumps(words) + "\n").encode())

    def run(self) -> None:
        """Run all cells; wait, at the end, to be asked for checks."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        for cell in self.job["cells"]:
            if cell["source"] is not None:
                self.step(cell)
            for number in cell["exercises"]:
                pid = os.fork()
                if pid == 0:
                    self.serve()
                self.report(snapshot=number, pid=pid)
        self.report(end=os.getpid())
        self.serve()

    def step(self, cell: dict) -> None:
        """Run a cell in a child, which goes on from there; if that fails, go on from
        here."""
        receiver, sender = os.pipe()
        child = os.fork()
        if child:
            os.close(sender)
            limit = self.job["seconds"] + GRACE
            is_ready = select.select([receiver], [], [], limit)[0]
            word = os.read(receiver, 1) if is_ready else b""
            os.close(receiver)
            if word == b"k":
                os._exit(0)
            message = "ends its process" if is_ready else self.late()
            with contextlib.suppress(OSError):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            if word != b"m":  # the cell has told
                self.report(cell=cell["number"], message=message)
            return
        os.close(receiver)
        process = os.getpid()
        error = self.execute(cell)
        if os.getpid() != process:  # forked by the student
            os._exit(0)
        is_memory = isinstance(error, MemoryError) or "t allocate memory" in str(
            error
        )
        if is_memory:
            message = "needs more memory than is allowed"
            self.report(cell=cell["number"], message=message)
        elif isinstance(error, TooLong):
            self.report(cell=cell["number"], message=self.late())
        elif error is not None and not isinstance(error, NotImplementedError):
            where = place(error).rpartition("line ")[2]
            where = f"line {where}" if where else ""
            message = f"{where}{type(error).__name__}: {one_line(error)}"
            if isinstance(error, SyntaxError):
                message = f"{where}SyntaxError: {error.msg}"
            self.report(cell=cell["number"], message=message[:2000])
        os.write(sender, b"m" if is_memory else b"k")
        os.close(sender)
        if is_memory:
            os._exit(0)

    def late(self) -> str:
        return f"does not end within {self.job['seconds']:g} seconds"

    def execute(self, cell: dict) -> BaseException | None:
        name = CELL.format(cell["number"])
        self.shell.compile.get_code_name = lambda *_: name
        try:
            with limited(self.job["seconds"]):
                outcome = self.shell.run_cell(cell["source"])
        except TooLong as error:
            return error
        except BaseException as error:  # noqa: BLE001  (of a shell that is not itself)
            return error
        return outcome.error_before_exec or outcome.error_in_exec

    def serve(self) -> None:
        """Answer for checks, each in a fork, once there is a channel. Does not return."""
        try:
            signal.sigwait({signal.SIGUSR1})
            connection = socket.socket(socket.AF_UNIX)
            with contextlib.chdir(self.folder):
                connection.connect(CHANNEL)
            for line in connection.makefile():
                request = json.loads(line)
                child = os.fork()
                if child == 0:
                    found = self.answer(request)
                    connection.sendall((json.dumps(found) + "\n").encode())
                    os._exit(0)
                _, status = os.waitpid(child, 0)
                if status:
                    found = answer("error", "the check ends its process")
                    connection.sendall((json.dumps(found) + "\n").encode())
        finally:
            os._exit(1)

    def answer(self, request: dict) -> dict:
        """The answer for an exercise; of plain values, these; nothing, if the names that
        it needs are still those for which the answer is known."""
        exercise = self.job["exercises"][request["exercise"]]
        names = self.shell.user_ns
        objects = reached(exercise["needed"], names)
        if objects and objects == request["known"]:
            return {"same": True}
        if values := values_of(names, exercise["needed"]):
            return {"values": values, "objects": objects}
        found = judged(exercise, names, self.fresh, self.job["seconds"])
        return found | {"objects": objects}


def reached(needed: list[str], names: dict[str, Any]) -> list[list]:
    """The names that a check needs, with those that their functions read in turn; and by
    which one sees whether they are still the same objects."""
    found: dict[str, int] = {}
    waiting = [*needed]
    while waiting:
        name = waiting.pop()
        if name not in found:
            value = names.get(name)
            found[name] = id(value)
            parts = vars(value).values() if isinstance(value, type) else [value]
            codes = [
                part.__code__ for part in parts if isinstance(part, FunctionType)
            ]
            while codes:
                code = codes.pop()
                waiting += code.co_names
                codes += [
                    each for each in code.co_consts if isinstance(each, CodeType)
                ]
    return [[name, found[name]] for name in sorted(found)]


def judged(
    exercise: dict, names: dict, fresh: Fresh, seconds: float, control: bool = True
) -> dict:
    """The answer for an exercise. If it passes, it is run again as a control, and must
    not."""
    try:
        with limited(seconds):
            found = judge(exercise, names, fresh, False)
    except TooLong:
        return answer("error", f"the check does not end within {seconds:g} seconds")
    except BaseException as error:  # noqa: BLE001  (patched by the student)
        return answer("error", f"the check cannot be run: {one_line(error)}")
    if control and exercise["needed"] and found["result"] in PASSED:
        try:
            with limited(seconds):
                again = judge(exercise, names, fresh, True)["result"]
        except BaseException as error:  # noqa: BLE001
            again = type(error).__name__
        if again in PASSED:
            return answer("forged", "passes with nothing filled in, too")
    return found


@contextlib.contextmanager
def limited(seconds: float):
    """Raise TooLong after some seconds, and again and again if it is caught."""

    def stop(number, frame):
        raise TooLong

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


# ---------------------------------------------------------------------- the other side


class Supervisor:
    """Starts the notebook, watches it, and asks what waits for results."""

    def __init__(self, job: dict, work: Path):
        self.job, self.work = job, work
        self.fresh: Fresh
        self.snapshots: dict[int, int] = {}  # exercise to process
        self.last = 0  # the process at the end of the notebook
        self.trouble = ""

    def run(self) -> None:
        names: dict[str, Any] = {}
        with warnings.catch_warnings(action="ignore"):
            for statement in self.job["imports"]:
                exec_cell(statement, names, quiet=True)
            shell = Shell.instance()
            self.fresh = Fresh()
        gc.freeze()  # else each collection would copy the memory that forks share
        folder = tempfile.mkdtemp(dir=self.work.parent)
        receiver, sender = os.pipe()
        if os.fork() == 0:
            alone(sender)
            os.chdir(self.work)
            prctl(DUMPABLE, 1)
            Notebook(self.job, shell, self.fresh, sender, folder).run()
            os._exit(0)
        os.close(sender)
        self.watch(receiver)
        waiting = {*self.snapshots.values(), self.last}
        self.end_all_but(waiting)
        with socket.socket(socket.AF_UNIX) as server:
            with contextlib.chdir(folder):
                server.bind(CHANNEL)
            server.listen()
            self.judge(server)
        self.end_all_but(set())

    def watch(self, receiver: int) -> None:
        """Follow what the notebook tells of itself, until its end or that of the time."""
        end = time.monotonic() + self.job["total"]
        text = b""
        while time.monotonic() < end and not self.last:
            if select.select([receiver], [], [], 0.1)[0]:
                more = os.read(receiver, 65536)
                if not more:
                    break
                *lines, text = (text + more).split(b"\n")
                for line in lines:
                    self.note(line)
            if trouble := self.excess():
                self.trouble = trouble
                break
        else:
            if not self.last:
                seconds = self.job["total"]
                self.trouble = (
                    f"the notebook does not end within {seconds:g} seconds"
                )
        if self.trouble:
            say(trouble=self.trouble)

    def note(self, line: bytes) -> None:
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            words = json.loads(line)
            if "cell" in words:
                say(cell=int(words["cell"]), message=str(words["message"]))
            elif "snapshot" in words:
                self.snapshots[int(words["snapshot"])] = int(words["pid"])
            elif "end" in words:
                self.last = int(words["end"])

    def excess(self) -> str:
        """What the notebook takes too much of, if anything."""
        while True:  # children that have ended
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                return "" if self.last else "the notebook ends its process"
        count = len(psutil.Process().children(recursive=True))
        if count > self.job["processes"] + len(self.snapshots):
            return (
                f"the notebook starts more than {self.job['processes']} processes"
            )
        if (
            self.job["kind"] != "bubblewrap"
            and size(self.work.parent) > self.job["disk"]
        ):
            return "the notebook writes more than is allowed"
        return ""

    def end_all_but(self, kept: set[int]) -> None:
        """End all processes of the notebook, but for some."""
        for _ in range(50):  # what is ended may just have started another
            left = [
                each
                for each in psutil.Process().children(recursive=True)
                if each.pid not in kept and each.status() != psutil.STATUS_ZOMBIE
            ]
            for each in left:
                with contextlib.suppress(psutil.Error):
                    each.kill()
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            if not left:
                return

    def judge(self, server: socket.socket) -> None:
        """Say the result of each exercise: at the place of its check, or else at the end
        of the notebook, where a later answer is known."""
        lines: dict[int, Line] = {}
        limit = 2 * self.job["seconds"] + GRACE
        for number in range(len(self.job["exercises"])):
            found = answer("not reached", self.trouble)
            known: list[int] = []
            for pid in filter(None, (self.snapshots.get(number), self.last)):
                if pid not in lines:
                    lines[pid] = Line(server, pid)
                reply = lines[pid].ask({"exercise": number, "known": known}, limit)
                if reply is None or "same" in reply:
                    continue
                known = reply.pop("objects", [])
                if "values" in reply:
                    reply = self.apart(number, reply["values"])
                found = reply
                if found["result"] in PASSED:
                    break
            say(exercise=number, **found)

    def apart(self, number: int, values: Any) -> dict:
        """The result of a check on plain values, in a fork of this process, in which no
        cell has run."""
        receiver, sender = os.pipe()
        child = os.fork()
        if child == 0:
            alone(sender)
            exercise = self.job["exercises"][number]
            try:
                names = {name: decoded(value) for name, value in values.items()}
                found = judged(
                    exercise, names, self.fresh, self.job["seconds"], control=False
                )
            except Exception:  # noqa: BLE001  (what a student has made up)
                found = answer("error", "the values cannot be read")
            with os.fdopen(sender, "w") as file:
                json.dump(found, file)
            os._exit(0)
        os.close(sender)
        with os.fdopen(receiver, "rb") as file:
            is_ready = select.select([file], [], [], self.job["seconds"] + GRACE)[0]
            text = file.read() if is_ready else b""
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)
        try:
            return json.loads(text)
        except ValueError:
            return answer("error", "the check ends its process")


class Line:
    """A connection to a process that waits."""

    def __init__(self, server: socket.socket, pid: int):
        self.file = self.connection = None
        server.settimeout(GRACE)
        try:
            os.kill(pid, signal.SIGUSR1)
            self.connection, _ = server.accept()
            self.file = self.connection.makefile("r")
        except OSError:
            self.connection = None

    def ask(self, request: dict, seconds: float) -> dict | None:
        """What the process says; None if it does not."""
        if self.connection is None:
            return None
        self.connection.settimeout(seconds)
        try:
            self.connection.sendall((json.dumps(request) + "\n").encode())
            reply = json.loads(self.file.readline(LONGEST))
        except (OSError, ValueError):  # among them one that comes too late
            self.connection = None
            return None
        keys = answer("").keys()
        if isinstance(reply, dict) and (
            {"values"} <= reply.keys() or keys <= reply.keys()
        ):
            return reply
        return reply if reply == {"same": True} else None


def size(folder: Path) -> int:
    """The bytes of all files in a folder."""
    found = 0
    for here, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                found += os.lstat(Path(here, name)).st_size
    return found


def alone(kept: int) -> None:
    """Close all files of this process but one, and the usual ones, which lead nowhere; it
    is ended as any other."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in 0, 1, 2:
        os.dup2(nowhere, number)
    for number in range(3, 256):
        if number != kept:
            with contextlib.suppress(OSError):
                os.close(number)


def set_limits(job: dict) -> None:
    import resource

    limits = {
        "AS": job["memory"],
        "FSIZE": job["disk"],
        "CPU": int(job["total"]) + 60,
    }
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def main() -> None:
    job = json.loads(sys.stdin.readline())
    prctl(SUBREAPER, 1)
    prctl(DEATH_SIGNAL, signal.SIGKILL)
    work = Path(job["work"])
    work.mkdir(parents=True, exist_ok=True)
    for name in "TMPDIR", "HOME":
        Path(os.environ[name]).mkdir(parents=True, exist_ok=True)
    shutil.copytree(
        job["given"], work, dirs_exist_ok=True, ignore=lambda *_: ["away"]
    )
    os.chdir(work)
    set_limits(job)
    if job["kind"] == "landlock":
        confine(str(work.parent), job["given"])
    prctl(DUMPABLE, 0)
    supervisor = Supervisor(job, work)

    def stop(number, frame):
        supervisor.end_all_but(set())
        os._exit(1)

    signal.signal(signal.SIGTERM, stop)
    supervisor.run()
    say(whole=True)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()

"""Processes of this machine, started with a time limit (chapter ``many_machines``)."""

import os
import re
import subprocess
import sys
from pathlib import Path

ENDED = re.compile(r"rank +: (\d+) .*\n +exitcode +: (-?\d+)")
# Seconds in which torch.distributed.run can stop the processes that it started.
GRACE = 10


class Failed(Exception):
    """A run that has failed, and why."""


def command(processes: int, *words: str, module: str = "machines") -> list[str]:
    """What starts some processes on this machine (chapter ``many_machines``)."""
    return [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *("--local-addr", "127.0.0.1"),  # its name may lead nowhere
        *("--nproc-per-node", str(processes)),
        *("-m", module, *words),
    ]


def run(
    processes: int, *words: str, module: str = "machines", seconds: float = 120
) -> str:
    """Run `command` to its end, for so many seconds at most. Returns what it printed;
    Failed says what went wrong. Chapter ``many_machines``.
    """
    return output_of(command(processes, *words, module=module), seconds)


def output_of(words: list[str], seconds: float) -> str:
    """What a command prints, if it succeeds; else Failed. Chapter ``many_machines``."""
    started = subprocess.Popen(
        words,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, errors = started.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Failed(f"stopped: it has not ended in {seconds:g} seconds.") from None
    finally:
        stop(started)
    if started.returncode:
        raise Failed(reason(errors))
    return out


def stop(started: subprocess.Popen) -> None:
    """Stop a command, and the processes that it started, if it has not ended."""
    started.terminate()
    try:
        started.communicate(timeout=GRACE)
    except subprocess.TimeoutExpired:
        started.kill()
        started.communicate()


def environment() -> dict[str, str]:
    """Of the processes: one thread each, and this tree first on their path. PyTorch for
    Windows comes without the library by which its launcher would listen.
    """
    code = str(Path(__file__).resolve().parents[1])
    paths = [code, os.environ.get("PYTHONPATH", "")]
    found = os.environ | {"OMP_NUM_THREADS": "1"}
    found["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return found | ({"USE_LIBUV": "0"} if sys.platform == "win32" else {})


def reason(errors: str) -> str:
    """A sentence for what torch.distributed.run and the processes said: their own
    sentences, and which ones a signal ended; else all that was said.
    """
    said = re.findall(r"^machines: (.+)", errors, re.MULTILINE)
    said += [
        f"process {rank} was ended by signal {-int(status)}."
        for rank, status in ENDED.findall(errors)
        if int(status) < 0 and int(status) != -15  # that of torch.distributed.run
    ]
    if "EADDRINUSE" in errors:
        said.append("the port is in use; choose another one.")
    return " ".join(dict.fromkeys(said)) or errors

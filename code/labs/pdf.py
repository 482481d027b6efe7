"""Prints a notebook."""

import re
import subprocess
import tempfile
from pathlib import Path

import pypandoc
import typst

HERE = Path(__file__).parent

FORMULA = re.compile(r"convert TeX math\s+(.*?)\s*, rendering as TeX", re.DOTALL)


class PrintError(Exception):
    """A notebook that cannot be printed, and why. ``formula`` are the lines of the
    formula that is not understood, if that is why."""

    def __init__(self, message: str):
        super().__init__(message)
        formula = FORMULA.search(message)
        self.formula = formula[1].splitlines() if formula else []


def printed(notebook: Path, title: str) -> bytes:
    """A notebook as PDF. The images that it shows are beside it.

    Pandoc makes a document for Typst, which sets it. Raises PrintError, for example
    where a formula has no meaning.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source.typ")
        command = [
            pypandoc.get_pandoc_path(),
            "--from=ipynb+raw_tex+startnum+footnotes",
            "--ipynb-output=all",  # pdf.lua chooses
            "--to=typst",
            "--syntax-highlighting=idiomatic",
            "--fail-if-warnings",
            "--extract-media=media",
            f"--resource-path={notebook.parent.resolve()}",
            f"--lua-filter={HERE / 'pdf.lua'}",
            f"--template={HERE / 'lab.typ'}",
            f"--metadata=title:{title}",
            f"--metadata=name:{notebook.stem}",
            f"--output={source}",
            str(notebook.resolve()),
        ]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode:
            raise PrintError(done.stderr)
        try:
            return typst.compile(str(source), root=folder, ignore_system_fonts=True)
        except typst.TypstError as error:
            raise PrintError(error.message) from None

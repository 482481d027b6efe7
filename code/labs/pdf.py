"""Prints a notebook."""

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import manimgx_fonts
import noto_cjk_sans_otc
import pypandoc
import typst

from .fault import one_line

HERE = Path(__file__).parent

# What no font of the page has, in the words of Typst.
NOT_SHOWN = re.compile(r'the text `"(.*?)"` could not be displayed')
ESCAPE = re.compile(r"\\u\{([0-9a-f]+)\}")


@dataclass(frozen=True)
class Trouble:
    """What cannot be printed: the id of a cell, a piece of its text, and why. The first
    two are empty where they are not known."""

    cell: str
    piece: str
    message: str


class PrintError(Exception):
    """A notebook that cannot be printed, and all that is wrong with it."""

    def __init__(self, troubles: list[Trouble]):
        super().__init__("; ".join(trouble.message for trouble in troubles))
        self.troubles = troubles


def printed(notebook: Path, title: str) -> bytes:
    """A notebook as PDF. The images that it shows are beside it.

    Pandoc makes a document for Typst, which sets it. Raises PrintError where something
    would be lost: a formula without a meaning, a letter that no font has.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source.typ")
        command = [
            pypandoc.get_pandoc_path(),
            "--from=ipynb+raw_tex+startnum+footnotes-pandoc_title_block",
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
        if troubles := told(done.stderr):
            raise PrintError(troubles)
        if done.returncode:
            raise PrintError([Trouble("", "", one_line(ValueError(done.stderr)))])
        return typeset(source)


def told(said: str) -> list[Trouble]:
    """What pdf.lua has found."""
    lines = [line.removeprefix("labs: ") for line in said.splitlines()]
    found = [json.loads(line) for line in lines if line.startswith('{"cell"')]
    return [Trouble(**each) for each in found]


def typeset(source: Path) -> bytes:
    """The PDF of a document. A first try is one for archives, in which Typst refuses
    letters without a form; else it would leave boxes in their place."""
    root = source.parent
    try:
        typst.compile(
            source,
            root=root,
            font_paths=fonts(),
            sys_inputs={"for": "archives"},
            pdf_standards="a-2b",
        )
    except typst.TypstError as error:
        found = dict.fromkeys(NOT_SHOWN.findall(error.diagnostic))
        if found:
            raise PrintError([not_shown(text) for text in found]) from None
    try:
        return typst.compile(source, root=root, font_paths=fonts())
    except typst.TypstError as error:
        raise PrintError([Trouble("", "", one_line(error))]) from None


@cache
def fonts() -> typst.Fonts:
    """Those of Typst itself, and those of packages; none of the computer's."""
    packages = noto_cjk_sans_otc, manimgx_fonts
    folders = [Path(package.__file__).parent for package in packages]
    return typst.Fonts(include_system_fonts=False, font_paths=folders)


def not_shown(escaped: str) -> Trouble:
    text = ESCAPE.sub(lambda found: chr(int(found[1], 16)), escaped)
    names = ", ".join(f"U+{ord(letter):04X}" for letter in dict.fromkeys(text))
    return Trouble("", text, f"no font has the character {names}")

"""Fonts with the characters that pages show, and no other."""

import re
from io import BytesIO
from pathlib import Path

import brotli  # noqa: F401 (fontTools compresses with it)
from fontTools import subset

FACE = re.compile(r"@font-face\s*\{[^}]*\}")
FAMILY = re.compile(r"font-family:\s*([^;}]+)")
SOURCE = re.compile(r'url\("?([^")]+\.woff2)[^)]*\)\s*format\("woff2"\)')


def reduced(style: str, characters: set[str], folder: Path) -> str:
    """The style sheet with the faces that it uses; their files are cut to ``characters``.

    Paths in it are relative to ``folder``. Of each face the WOFF2 file is kept, which all
    browsers read.
    """
    rest = FACE.sub("", style)

    def face(found: re.Match) -> str:
        family = _plain(FAMILY.search(found[0])[1])
        source = SOURCE.search(found[0])
        if source is None or family not in _plain(rest):
            return ""
        file = folder / source[1]
        has = _cut(file, characters)
        return (
            re.sub(
                r"src:[^;}]+", f'src:url("{source[1]}") format("woff2")', found[0]
            )
            if has
            else ""
        )

    return FACE.sub(face, style)


def _plain(names: str) -> str:
    """Names of families without the marks around spaces."""
    return re.sub(r"[\"'\\]", "", names)


def _cut(file: Path, characters: set[str]) -> bool:
    """Leave only these characters in a font; whether it has any of them."""
    options = subset.Options(flavor="woff2", hinting=False)
    options.drop_tables += ["FFTM"]
    font = subset.load_font(BytesIO(file.read_bytes()), options)
    held = {*font.getBestCmap()} & {ord(c) for c in characters}
    if held:
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=held)
        subsetter.subset(font)
        font["head"].modified = font["head"].created  # no clock in a built file
        font.recalcTimestamp = False
        subset.save_font(font, str(file), options)
    return bool(held)

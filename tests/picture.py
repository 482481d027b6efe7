"""Take the picture of a page that the README shows: ``python tests/picture.py``, after
``make book``.

It stands beside the tests, for it needs a browser, which no package of the book does.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import chromium
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PAGE, SECTION = "book/scalar.html", "the-derivative-of-a-weight"
PICTURE = ROOT / "book" / "static" / "page.png"
SIZE = 1200, 860  # pixels
COLOURS = 128
SECONDS = 60


class NoPicture(Exception):
    """Why there is none, in one sentence."""


# Chromium takes no picture of a page that is scrolled, but of a frame that is.
FRAME = """<!DOCTYPE html>
<style>body {{ margin: 0 }} iframe {{ border: 0; width: 100vw; height: 100vh }}</style>
<iframe src="page.html#{section}"></iframe>
"""
# The page as it is beside its files, but for the colour of a title that was jumped to.
HEAD = '<head><base href="{folder}/"><style>:target > * {{ background: none !important }}</style>'


def write_frame(site: Path, folder: Path) -> Path:
    """Write a frame with the section that the picture shows; where it is."""
    page = site / PAGE
    if not page.is_file():
        raise NoPicture(f"There is no page {page}; make book builds it.")
    html = page.read_text(encoding="utf-8")
    if f'id="{SECTION}"' not in html:
        raise NoPicture(
            f"{page} has no section {SECTION}; choose one in {__file__}."
        )
    head = HEAD.format(folder=page.parent.resolve().as_uri())
    (folder / "page.html").write_text(
        html.replace("<head>", head, 1), encoding="utf-8"
    )
    frame = folder / "frame.html"
    frame.write_text(FRAME.format(section=SECTION), encoding="utf-8")
    return frame


def take(site: Path, picture: Path) -> None:
    """Take the picture of the built site. Raises NoPicture, and NoChromium."""
    command = [chromium.path(), "--headless", "--no-sandbox", "--disable-gpu"]
    width, height = SIZE
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder, "shot.png")
        command += [
            f"--user-data-dir={folder}/profile",
            f"--window-size={width},{height}",
            "--force-device-scale-factor=1",
            "--hide-scrollbars",
            "--virtual-time-budget=5000",  # milliseconds, in which the page settles
            f"--screenshot={shot}",
            write_frame(site, Path(folder)).as_uri(),
        ]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            message = f"{command[0]} takes no picture within {SECONDS} seconds."
            raise NoPicture(message) from None
        if not shot.is_file():
            last = done.stderr.strip().rpartition("\n")[2]
            raise NoPicture(f"{command[0]} takes no picture: {last}")
        with Image.open(shot) as image:
            if image.getcolors(COLOURS):
                raise NoPicture(f"{command[0]} takes a picture of nothing.")
            few = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            few.save(picture, optimize=True)


def main() -> int:
    try:
        take(ROOT / "_build" / "html", PICTURE)
    except (NoPicture, chromium.NoChromium) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The picture is {PICTURE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

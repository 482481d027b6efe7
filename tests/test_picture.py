"""The picture of a page is taken by a command, or it says why not."""

import sys

import picture
import pytest
from PIL import Image

# Writes what it shows where it is told to, in many colours or in one.
BROWSER = """\
#!{python}
import sys
from urllib.parse import urlsplit
from pathlib import Path
from PIL import Image

options = dict(word.partition("=")[::2] for word in sys.argv[1:])
frame = Path(urlsplit(sys.argv[-1]).path)
assert "page.html#{section}" in frame.read_text()
assert (frame.parent / "page.html").is_file()
size = tuple(map(int, options["--window-size"].split(",")))
image = Image.linear_gradient("L").resize(size) if {works} else Image.new("L", size)
image.save(options["--screenshot"])
"""


@pytest.fixture
def site(tmp_path):
    page = tmp_path / "site" / picture.PAGE
    page.parent.mkdir(parents=True)
    html = f'<html><head></head><section id="{picture.SECTION}"></section></html>'
    page.write_text(html, encoding="utf-8")
    return tmp_path / "site"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "page.png"


def use_browser(monkeypatch, tmp_path, text, **values):
    path = tmp_path / "browser"
    values = {"python": sys.executable, "section": picture.SECTION} | values
    path.write_text(text.format(**values), encoding="utf-8")
    path.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(path))


def test_the_picture_has_its_size(monkeypatch, tmp_path, site, target):
    use_browser(monkeypatch, tmp_path, BROWSER, works=True)
    picture.take(site, target)
    with Image.open(target) as image:
        assert (image.size, image.mode) == (picture.SIZE, "P")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BROWSER, "takes a picture of nothing"),
        (
            "#!{python}\nimport sys; sys.exit('no display')",
            "no picture: no display",
        ),
    ],
)
def test_a_picture_of_nothing_is_none(
    monkeypatch, tmp_path, site, target, text, says
):
    use_browser(monkeypatch, tmp_path, text, works=False)
    with pytest.raises(picture.NoPicture, match=says):
        picture.take(site, target)
    assert not target.exists()


def test_without_a_browser_there_is_a_sentence(monkeypatch, capsys):
    monkeypatch.setenv("CHROMIUM", "none of this name")
    assert picture.main() == 1
    said = capsys.readouterr().err
    assert said == (
        "There is no browser none of this name; install chromium (on Debian: apt-get"
        " install chromium), or say where it is with CHROMIUM=path.\n"
    )


@pytest.mark.parametrize("attribute", ["PAGE", "SECTION"])
def test_a_page_that_has_changed_is_named(
    monkeypatch, tmp_path, site, target, attribute
):
    use_browser(monkeypatch, tmp_path, BROWSER, works=True)
    monkeypatch.setattr(picture, attribute, "another")
    with pytest.raises(picture.NoPicture, match="no (page|section) .*another"):
        picture.take(site, target)

"""The server of the site's tests does what a static host does."""

import gzip
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from serving import Server


@pytest.fixture
def server(tmp_path):
    site = tmp_path / "site"
    (site / "book").mkdir(parents=True)
    files = {
        "index.html": "home",
        "book/a.html": "a" * 1000,
        "a.png": "p",
        "404.html": "lost",
    }
    for name, text in files.items():
        (site / name).write_text(text, encoding="utf-8")
    (tmp_path / "secret.html").write_text("secret", encoding="utf-8")
    return Server(site)


def answer(server, name):
    """The headers and the content under a name."""
    with urlopen(Request(server.address(name))) as answered:
        body = answered.read()
        packed = answered.headers["Content-Encoding"] == "gzip"
        return answered.headers, gzip.decompress(body) if packed else body


@pytest.mark.parametrize(
    ("name", "content", "kind", "packed"),
    [
        ("book/a.html", b"a" * 1000, "text/html; charset=utf-8", True),
        ("book/a.html?b=c", b"a" * 1000, "text/html; charset=utf-8", True),
        ("", b"home", "text/html; charset=utf-8", True),
        ("a.png", b"p", "image/png", False),
    ],
)
def test_a_file_is_sent(server, name, content, kind, packed):
    headers, sent = answer(server, name)
    assert (sent, headers["Content-Type"]) == (content, kind)
    assert ("Content-Encoding" in headers) == packed


def test_what_is_put_comes_first(server):
    assert server.put("book/a.html", "b") == server.address("book/a.html")
    assert answer(server, "book/a.html")[1] == b"b"


def test_sizes_are_those_of_the_content_and_of_what_is_sent(server):
    size, sent = server.sizes(server.address("book/a.html?b"))
    assert size == 1000 > sent
    assert server.sizes(server.address("a.png")) == (1, 1)


@pytest.mark.parametrize(
    "name", ["none.html", "../secret.html", "%2e%2e/secret.html", "book"]
)
def test_what_is_not_there_has_a_page_that_says_so(server, name):
    with pytest.raises(HTTPError) as raised:
        urlopen(server.address(name))
    assert raised.value.code == 404
    assert gzip.decompress(raised.value.read()) == b"lost"

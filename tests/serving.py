"""A folder, served on this machine as a static host serves it: compressed, and with a page for what is missing."""

import gzip
import mimetypes
import sys
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What hosts compress; pictures and fonts are compressed already.
TEXTS = {
    "application/json",
    "application/xml",
    "image/svg+xml",
    "text/css",
    "text/html",
    "text/javascript",
    "text/plain",
    "text/xml",
}
# A visitor with this header waits for fonts and pictures, so that what else is there is painted before.
LATE = "X-Late"
LATER = "font/", "image/"
DELAY = 0.5  # seconds


def kind(path: str) -> str:
    """The media type by the name of a file."""
    return mimetypes.guess_type(path)[0] or "application/octet-stream"


@cache
def compressed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


class Threads(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *arguments):
        """A browser that has left a page wants no answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*arguments)


class Server:
    """Serves ``folder`` on a free port until the program ends; what is ``put`` comes before its files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.added = folder.resolve(), {}
        self.server = Threads(("127.0.0.1", 0), self.handler())
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def address(self, name: str) -> str:
        return f"{self.origin}/{name}"

    def put(self, name: str, text: str) -> str:
        """Serve a text under a name; its address."""
        self.added[name] = text.encode()
        return self.address(name)

    def content(self, name: str) -> bytes | None:
        """What is served under a name, if anything is."""
        if name in self.added:
            return self.added[name]
        path = (self.folder / (name or "index.html")).resolve()
        if path.is_dir():
            path /= "index.html"
        inside = path.is_relative_to(self.folder)
        return path.read_bytes() if inside and path.is_file() else None

    def sizes(self, address: str) -> tuple[int, int]:
        """The bytes of what is served at an address, and those that are sent."""
        name = unquote(urlsplit(address).path).lstrip("/")
        content = self.content(name)
        return len(content), len(self.sent(name, content))

    def sent(self, name: str, content: bytes) -> bytes:
        return compressed(content) if kind(name) in TEXTS else content

    def handler(self) -> type:
        """What answers requests."""
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # keeps connections open

            def do_GET(self):
                name = unquote(urlsplit(self.path).path).lstrip("/")
                content, status = owner.content(name), 200
                if content is None:
                    name, status = "404.html", 404
                    content = owner.content(name) or b"There is no such page."
                if not Path(name).suffix:
                    name = "index.html"
                if LATE in self.headers and kind(name).startswith(LATER):
                    time.sleep(DELAY)
                text = kind(name) in TEXTS
                self.send_response(status)
                self.send_header(
                    "Content-Type", kind(name) + "; charset=utf-8" * text
                )
                if text:
                    self.send_header("Content-Encoding", "gzip")
                self.send_header("Cache-Control", "max-age=600")
                body = owner.sent(name, content)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler

"""A package index that passes on pip's own one: a program for a container.

Below `/keep/` all answers have an ETag, as those of PyPI do, which allows pip to keep them and to
ask later whether they are still the same. Below `/forget/` they have nothing of the kind, as those
of some mirrors. Each request is logged, with the answer's status.

Source: https://github.com/pypi/warehouse/blob/main/docs/user/api/index.md#caching
"""

import gzip
import hashlib
import re
import sys
import urllib.error
import urllib.request
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urljoin

from pip._internal.models.index import PyPI  # says which index is its own


@cache
def fetch(url: str) -> bytes:
    """Return what there is at an address of the index, asked for once."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


@cache
def page(url: str, kind: str) -> bytes:
    """Return a page of the index, compressed, with links to files that lead here."""
    links = re.compile(r'href="([^"#]+)')

    def here(match: re.Match[str]) -> str:
        return f'href="/{kind}/files/' + urljoin(url, match[1]).removeprefix("https://")

    return gzip.compress(links.sub(here, fetch(url).decode()).encode())


class Handler(BaseHTTPRequestHandler):
    """Answers pip."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Pass on a page or a file."""
        kind, what, name = self.path[1:].split("/", 2)
        try:
            if what == "simple":
                self._answer(kind, page(f"{PyPI.simple_url}/{name}", kind), "text/html", "gzip")
            else:
                self._answer(kind, fetch(f"https://{name}"), "application/octet-stream")
        except urllib.error.HTTPError as refused:
            self.send_response(refused.code)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _answer(self, kind: str, content: bytes, media: str, coding: str = "identity") -> None:
        tag = f'"{hashlib.sha256(content).hexdigest()}"'
        same = kind == "keep" and self.headers["If-None-Match"] == tag
        self.send_response(304 if same else 200)
        if kind == "keep":
            self.send_header("ETag", tag)
        self.send_header("Content-Type", media)
        self.send_header("Content-Encoding", coding)
        self.send_header("Content-Length", "0" if same else str(len(content)))
        self.end_headers()
        if not same:
            self.wfile.write(content)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002
        """Log the status and what was asked for, such as `200 fastapi/`."""
        print(code, re.search("[^/]*/?$", self.path)[0], flush=True)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("", int(sys.argv[1])), Handler)
    print("ready", flush=True)
    server.serve_forever()

"""A server of this machine for the tests of downloads: it can break off, ignore ranges, and answer 404."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar

ServerT = TypeVar("ServerT", bound=ThreadingHTTPServer)


class LocalServer(ThreadingHTTPServer):
    """What is served, and how.

    Attributes
    ----------
    content : dict of str to bytes
        The files, by path.
    breaks_after : list of int
        For each of the next answers, after how many bytes it breaks off.
    knows_ranges : bool
        Whether a transfer can go on.
    asked : list of str
        The ranges of all requests, "" where there was none.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content: dict[str, bytes] = {}
        self.breaks_after: list[int] = []
        self.knows_ranges = True
        self.asked: list[str] = []

    def address(self, name: str) -> str:
        """Return where a file is."""
        return f"http://127.0.0.1:{self.server_port}/{name}"


class _Handler(BaseHTTPRequestHandler):
    server: LocalServer

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.server.asked.append(asked)
        content = self.server.content.get(self.path[1:])
        if content is None:
            self.send_error(404)
            return
        mark = f'"{hash(content)}"'
        start = 0
        if asked and self.server.knows_ranges and self.headers.get("If-Range") == mark:
            start = int(asked.removeprefix("bytes=").split("-")[0])
            self.send_response(206)
        else:
            self.send_response(200)
        self.send_header("ETag", mark)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        if self.server.breaks_after:
            body = body[: self.server.breaks_after.pop(0)]
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(server: ServerT) -> Iterator[ServerT]:
    """Serve until the block ends."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def local_server() -> AbstractContextManager[LocalServer]:
    """Serve what is put into its `content` until the block ends."""
    return serving(LocalServer())

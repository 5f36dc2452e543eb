"""A server on this machine that serves files by ranges, for rasters behind an address."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from core.addresses import allow


class Files(BaseHTTPRequestHandler):
    """Serves files below a folder by ranges; `/moved/` sends readers to another server."""

    seen: list[tuple[str, dict[str, str]]] = []  # noqa: RUF012 - emptied by the fixture

    def __init__(self, folder: Path, *rest: object) -> None:
        self.folder = folder
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        self.seen.append((self.path, dict(self.headers)))
        if self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", self.path.replace("/moved/", "/open/"))
            self.end_headers()
            return
        path = self.folder / self.path.rsplit("/", 1)[-1]
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        first, last = 0, len(content) - 1
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes="):
            start, end = wanted.removeprefix("bytes=").split("-")
            first, last = int(start), min(int(end or last), last)
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        if body:
            self.wfile.write(content[first : last + 1])

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder, let this process fetch it, and return the server's address."""
    Files.seen.clear()
    made = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, folder))
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    address = f"http://127.0.0.1:{made.server_port}"
    allow([f"{address}/open/", f"{address}/moved/"])
    try:
        yield address
    finally:
        allow([])
        made.shutdown()
        made.server_close()

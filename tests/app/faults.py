"""A bad network between editors and a server that may be killed: seeded faults on each request.

`Network` listens on one port for as long as a test takes and passes requests on to a server that
may go and come back on other ports. It drops requests and answers, cuts answers short, delays,
sends twice, sends late (after the sender has tried again and gone on), answers with server errors
and says that a token has expired. It also remembers what the server answered to each stroke.
"""

import json
import random
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULTS = (
    "drop request",
    "drop answer",
    "cut answer",
    "delay",
    "duplicate",
    "late copy",
    "late only",
    "error before",
    "error after",
    "expired",
)
FORWARDED = ("content-type", "x-cloudbrush-token", "x-cloudbrush-known", "if-none-match")
RETURNED = ("content-type", "x-version", "cache-control", "etag", "x-stretch-range")
LATE_S = (0.05, 0.6)
UP_LIMIT_S = 60.0

Name = tuple[str, int]
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Network:
    """Passes requests on to `port`, with a share of `rate` of those to a tile disturbed."""

    seed: int
    rate: float = 0.0
    port: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    outcomes: dict[Name, set[str]] = field(default_factory=dict)
    arrivals: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  # no secret
        self._lock = threading.Lock()
        self._late: list[threading.Thread] = []
        network = self

        class Handler(_Handler):
            net = network

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def entry(self) -> int:
        """Return the port on which editors reach the server."""
        return int(self._server.server_address[1])

    def url(self, tile: int, person: str) -> str:
        """Return the address of the editor of a tile."""
        return f"http://127.0.0.1:{self.entry}/?tile={tile}&person={person}"

    def calm(self) -> None:
        """Disturb nothing more, and wait for what is late."""
        self.rate = 0.0
        for thread in self._late:
            thread.join(10)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fault(self, method: str, path: str) -> str | None:
        """Return what goes wrong with a request; reading gets less of it than writing."""
        if not path.startswith("/tile/"):
            return None
        with self._lock:
            share = self.rate if method == "POST" else self.rate / 4
            if self._random.random() >= share:
                return None
            known = FAULTS if method == "POST" else ("drop request", "delay", "error before")
            found = self._random.choice(known)
            self.faults[found] = self.faults.get(found, 0) + 1
            return found

    def pause(self) -> float:
        with self._lock:
            return self._random.uniform(*LATE_S)

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Return the server's answer; raises OSError or HTTPException when there is none."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body if method == "POST" else None, headers)
            reply = connection.getresponse()
            content = reply.read()
            kept = {k: v for k, v in reply.getheaders() if k.lower() in RETURNED}
        finally:
            connection.close()
        if method == "POST":
            self._note(body, reply.status, content)
        return reply.status, kept, content

    def later(self, *request: object) -> None:
        """Pass a request on after a while, whatever its sender does meanwhile."""

        def send() -> None:
            time.sleep(self.pause())
            try:
                self.forward(*request)  # type: ignore[arg-type]
            except (OSError, HTTPException):
                return

        thread = threading.Thread(target=send, daemon=True)
        self._late.append(thread)
        thread.start()

    def _note(self, body: bytes, status: int, content: bytes) -> None:
        """Keep what became of a stroke, for tests that ask where one went."""
        try:
            wish = json.loads(body)
            name = (str(wish["client_id"]), int(wish["seq"]))
            told = str(json.loads(content).get("status", status))
        except (ValueError, KeyError, AttributeError):
            return
        with self._lock:
            self.arrivals += 1
            self.outcomes.setdefault(name, set()).add(told)


class _Handler(BaseHTTPRequestHandler):
    """One connection of an editor."""

    net: Network
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._pass("GET")

    def do_POST(self) -> None:
        self._pass("POST")

    def _pass(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {k: v for k, v in self.headers.items() if k.lower() in FORWARDED}
        request = (method, self.path, headers, body)
        fault = self.net.fault(method, self.path)
        try:
            answer = self._answer(fault, request)
        except (OSError, HTTPException):
            answer = None  # the server is away
        try:
            self._reply(answer, cut=fault == "cut answer")
        except OSError:
            self.close_connection = True  # the browser has gone

    def _answer(
        self, fault: str | None, request: tuple[str, str, dict[str, str], bytes]
    ) -> Answer | None:
        if fault in ("drop request", "late only"):
            if fault == "late only":
                self.net.later(*request)
            return None
        if fault == "error before":
            return _refusal(503, {"error": "The server is busy."})
        if fault == "expired":
            return _refusal(401, {"error": "expired", "reason": "expired"})
        if fault == "delay":
            time.sleep(self.net.pause())
        if fault == "late copy":
            self.net.later(*request)
        if fault == "duplicate":
            self.net.forward(*request)
        answer = self.net.forward(*request)
        if fault == "drop answer":
            return None
        return _refusal(500, {"error": "Broken."}) if fault == "error after" else answer

    def _reply(self, answer: Answer | None, *, cut: bool) -> None:
        if answer is None:
            self.close_connection = True
            self.connection.close()
            return
        status, headers, content = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _refusal(status: int, content: dict[str, str]) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()

"""Call an ASGI application in memory, one request at a time, as browsers do."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message

UNPACK: Mapping[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
}


@dataclass(frozen=True)
class Reply:
    """A finished response; `body` is unpacked as its headers say."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Send requests with a token to an application."""

    def __init__(self, app: ASGIApp, token: str | None = None) -> None:
        self.app, self.token = app, token

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        return self.request("GET", url, b"", headers)

    def post(self, url: str, body: object, headers: Mapping[str, str] | None = None) -> Reply:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", url, content, headers)

    def request(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Reply:
        known = {"content-length": str(len(body))} if method == "POST" else {}
        known |= {"x-cloudbrush-token": self.token} if self.token else {}
        known |= {"accept-encoding": "gzip, deflate"}
        known |= {name.lower(): value for name, value in (headers or {}).items()}
        # In a thread of its own: a browser that is driven in this one keeps a loop running.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, self._call(method, url, body, known)).result()

    async def _call(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        parts = urlsplit(url)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "root_path": "",
            "query_string": parts.query.encode(),
            "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        pieces = [body[i : i + 65536] for i in range(0, len(body), 65536)] or [b""]
        sent: list[Message] = []
        answered = asyncio.Event()

        async def receive() -> Message:
            if not pieces:
                await answered.wait()
                return {"type": "http.disconnect"}
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

        async def send(message: Message) -> None:
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                answered.set()

        await self.app(scope, receive, send)
        start = next(m for m in sent if m["type"] == "http.response.start")
        found = {k.decode().lower(): v.decode() for k, v in start["headers"]}
        content = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
        assert int(found.get("content-length", len(content))) == len(content)
        return Reply(start["status"], found, UNPACK[found.get("content-encoding", "")](content))

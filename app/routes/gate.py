"""The gate before every route: token, tile, and errors turned into answers for people."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.access import Denied, Grant, Purpose, allow, read_token
from app.quiet import QUIET
from app.routes.packing import packed
from core import catalogue
from core.errors import BadPatch, CloudbrushError, GridMismatch, NotEditable, NotFound, RasterError
from core.grid import BLOCK, Window, block
from core.history import Busy
from core.records import Tile
from core.store.engine import Store

TOKEN_HEADER = "X-Cloudbrush-Token"  # noqa: S105  # the name of a header
MAX_DIGITS = 9
REVALIDATE = "private, no-cache"

# The first class that fits an error gives its status. 503 tells the editor to keep the stroke and
# to try again: the fault is here and not in the stroke.
STATUS: tuple[tuple[type[CloudbrushError], int], ...] = (
    (NotFound, 404),
    (GridMismatch, 404),
    (NotEditable, 403),
    (BadPatch, 422),
    (RasterError, 503),
    (Busy, 503),
)


@dataclass(frozen=True)
class Visit:
    """A request that passed the gate: who asks, and the tile it is about."""

    request: Request
    store: Store
    tile: Tile
    grant: Grant

    def number(self, name: str) -> int:
        """Return a whole number from the path; raises `NotFound` for anything else."""
        return path_number(self.request, name)

    def block(self) -> Window:
        """Return the label block that the path names; raises `GridMismatch` outside the tile."""
        return block(self.tile.grid, self.number("by"), self.number("bx"), BLOCK)


Handler = Callable[[Visit], Response]


def guarded(store: Store, handler: Handler) -> Callable[[Request], Response]:
    """Return an endpoint for reading: token in the header or, for images, in the query."""

    def endpoint(request: Request) -> Response:
        token = request.headers.get(TOKEN_HEADER) or request.query_params.get("token")
        return answered(request, lambda: handler(admit(store, request, token, "view")))

    return endpoint


def admit(store: Store, request: Request, token: str | None, purpose: Purpose) -> Visit:
    """Return the visit; raises `Denied` or `NotFound`."""
    if not request.url.path.endswith("/live"):  # an open tile asks that each second
        QUIET.note()
    grant = read_token(store, token)
    tile = catalogue.tile(store, path_number(request, "tile"))
    allow(grant, purpose, tile.project_id)
    return Visit(request, store, tile, grant)


def answered(request: Request, work: Callable[[], Response]) -> Response:
    """Return the answer of `work` packed, or its error as JSON with words for people."""
    try:
        return packed(request, work())
    except CloudbrushError as error:
        return refusal(error)
    except (OperationalError, PoolTimeout):
        return refusal(Busy("database", found="a lock that lasts", todo="It is tried again."))


def refusal(error: CloudbrushError) -> JSONResponse:
    """Return an error as JSON with its status."""
    content = {"error": str(error)}
    if isinstance(error, Denied):
        return JSONResponse(content | {"reason": error.reason}, error.status)
    status = next((code for kind, code in STATUS if isinstance(error, kind)), 400)
    if isinstance(error, NotEditable):
        content["reason"] = "not editable"
    return JSONResponse(content, status)


def path_number(request: Request, name: str) -> int:
    """Return a whole number from the path; raises `NotFound` for anything else."""
    text = request.path_params[name]
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS):
        raise NotFound(f"{name} {text[:40]!r}", expected="a whole number")
    return int(text)


def query_number(request: Request, name: str, default: int | None, low: int, high: int) -> int:
    """Return a whole number from the query within [low, high]; raises `CloudbrushError`."""
    text = request.query_params.get(name)
    if text is None and default is not None:
        return default
    valid = text is not None and text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS
    if not valid or not low <= int(text or 0) <= high:
        found = "nothing" if text is None else repr(text[:40])
        raise CloudbrushError(f"query {name}", found=found, expected=f"{low} to {high}")
    return int(text or 0)


def fingerprint(*parts: object) -> str:
    """Return a short name that changes when any part does; files count by size and time."""
    digest = hashlib.sha256()
    for part in parts:
        text = repr(part)
        if isinstance(part, Path):
            stat = part.stat() if part.exists() else None
            text += f"{stat.st_size}/{stat.st_mtime_ns}" if stat else "none"
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:32]


def not_modified(request: Request, tag: str) -> Response | None:
    """Return 304 when the browser already holds what the tag names."""
    if f'"{tag}"' in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=cache_headers(tag))
    return None


def cache_headers(tag: str) -> dict[str, str]:
    """Return headers that let the browser keep an answer and ask whether it still holds.

    Ids of deleted tiles are given away again, so nothing is kept without asking.
    """
    return {"ETag": f'"{tag}"', "Cache-Control": REVALIDATE}

"""What routes that write share: bodies of bounded size, checked field by field."""

import base64
import binascii
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from app.access import Denied, read_token
from app.routes.gate import TOKEN_HEADER, Visit, admit, answered, refusal
from core.errors import BadPatch, CloudbrushError
from core.store.engine import Store

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_DRAINED_BYTES = 8 * MAX_BODY_BYTES
MAX_COUNT = 2**53 - 1
LAST_TIME_MS = 32_503_680_000_000  # the year 3000

Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Pixel = Annotated[int, Field(ge=0, le=2**31 - 1)]
Code = Annotated[int, Field(ge=0, le=255)]
Milliseconds = Annotated[float, Field(ge=0, le=LAST_TIME_MS, allow_inf_nan=False)]
ClientId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
ShortText = Annotated[str, Field(max_length=80)]


class Checked(BaseModel):
    """A body that may hold known fields of the right type only."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class StrokeName(Checked):
    """The name of a stroke for ever: its tab and its number there."""

    client_id: ClientId
    seq: Count


Body = TypeVar("Body", bound=Checked)


class TooLarge(CloudbrushError, ValueError):
    """A request body is larger than any stroke."""


async def posted(
    store: Store,
    request: Request,
    handle: Callable[[Visit, bytes], Response],
    limit: int = MAX_BODY_BYTES,
) -> Response:
    """Answer a body of at most `limit` bytes.

    Admits by the header alone: a token in an address ends up in logs and histories.
    """
    token = request.headers.get(TOKEN_HEADER)
    stream = request.stream()
    try:
        read_token(store, token)
        body = await _read_body(request, stream, limit)
    except Denied as error:
        await _drain(stream)
        return refusal(error)
    except TooLarge as error:
        await _drain(stream)
        return JSONResponse({"error": str(error)}, 413)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it; the stroke is sent again
    return await run_in_threadpool(
        answered, request, lambda: handle(admit(store, request, token, "edit"), body)
    )


async def _read_body(request: Request, stream: AsyncGenerator[bytes, None], limit: int) -> bytes:
    """Return the body; raises `TooLarge` as soon as it is seen to be."""
    announced = request.headers.get("Content-Length", "0")
    if announced.isascii() and announced.isdecimal() and len(announced) < 10:
        _check_size(int(announced), limit)
    elif announced:
        _check_size(limit + 1, limit)
    parts, size = [], 0
    async for part in stream:
        size += len(part)
        _check_size(size, limit)
        parts.append(part)
    return b"".join(parts)


async def _drain(stream: AsyncGenerator[bytes, None]) -> None:
    """Read what is still coming and drop it, up to a limit.

    A server that answers and closes while the browser sends looks to it like a lost network, and
    the stroke would be sent again for ever.
    """
    size = 0
    try:
        async for part in stream:
            size += len(part)
            if size > MAX_DRAINED_BYTES:
                return
    except ClientDisconnect:
        return


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        words = f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit} bytes"
        raise TooLarge(
            "request body",
            found=f"more than {words}",
            expected=f"at most {words}",
            todo="Paint it in smaller pieces.",
        )


def parse(kind: type[Body], body: bytes) -> Body:
    """Return the checked body; raises `BadPatch` that names the field."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        if first["type"] == "json_invalid":
            raise CloudbrushError("request body", found=first["msg"], expected="JSON") from error
        field = ".".join(str(part) for part in first["loc"])[:80] or "body"
        found, expected = _short(first["input"]), first["msg"].removeprefix("Input should be ")
        if first["type"] == "missing":
            found, expected = "nothing", "a value"
        elif first["type"] == "extra_forbidden":
            expected = "only fields that the route knows"
        raise BadPatch(f"field {field}", found=found, expected=expected) from error


def _short(value: object) -> str:
    if isinstance(value, list | dict):
        return f"{len(value)} entries"
    return repr(value)[:60] if not isinstance(value, int) or abs(value) < 2**64 else "a huge number"


def time_of(milliseconds: float | None) -> datetime | None:
    """Return milliseconds since 1970 as a time in UTC."""
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def bytes_of(text: str | None) -> npt.NDArray[np.uint8] | None:
    """Return the bytes that base64 text holds; raises `BadPatch`."""
    if text is None:
        return None
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    except (binascii.Error, ValueError) as error:
        raise BadPatch("field values", found="other letters", expected="base64") from error

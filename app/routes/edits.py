"""Saving strokes: the route that appends to the edit log.

Nothing is taken from the browser but the mask, and that is checked against tile, class table and
limits. The answer says what was saved, what others changed meanwhile, and what can be undone.
"""

import base64
import binascii
from collections.abc import AsyncGenerator, Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.access import Denied, read_token
from app.routes.gate import (
    MAX_DIGITS,
    TOKEN_HEADER,
    Visit,
    admit,
    answered,
    refusal,
)
from core import catalogue, history
from core.errors import BadPatch, CloudbrushError, NotFound
from core.grid import Window
from core.history import Edit, EditConflict, Saved
from core.predictions import prediction, read_prediction
from core.records import TileState
from core.store.engine import Store
from core.stroke import Effect, Stroke, Tool, marked

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_DRAINED_BYTES = 8 * MAX_BODY_BYTES
MAX_CHANGES = 500
KNOWN_HEADER = "X-Cloudbrush-Known"
MAX_COUNT = 2**53 - 1
LAST_TIME_MS = 32_503_680_000_000  # the year 3000

Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Pixel = Annotated[int, Field(ge=0, le=2**31 - 1)]
Code = Annotated[int, Field(ge=0, le=255)]
Milliseconds = Annotated[float, Field(ge=0, le=LAST_TIME_MS, allow_inf_nan=False)]
ClientId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
ShortText = Annotated[str, Field(max_length=80)]
ToolName = Literal[
    "brush",
    "fill",
    "fill_all",
    "polygon",
    "lasso",
    "encircle",
    "wand",
    "superpixel",
    "region",
    "object",
    "recode",
    "islands",
    "holes",
    "accept",
    "suggestion",
    "restore",
    "revert",
    "verify",
    "undo",
    "redo",
]
EffectName = Literal["class", "revert", "model", "verify", "unsure", "values"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class StrokeName(_Body):
    """The name of a stroke for ever: its tab and its number there."""

    client_id: ClientId
    seq: Count


class EditBody(_Body):
    """One stroke as the browser sends it. Times are milliseconds since 1970.

    `effect` may be missing: strokes that waited in a browser since before there were effects have
    none. `prediction` names the class map whose classes the effect "model" takes; `values` is one
    byte per marked pixel, as base64, for the effect "values".
    """

    client_id: ClientId
    seq: Count
    base_version: Count
    tool: ToolName
    effect: EffectName | None = None
    prediction: Pixel | None = None
    values: Annotated[str, Field(max_length=MAX_BODY_BYTES)] | None = None
    group_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")] | None = None
    from_classes: Annotated[list[Code], Field(max_length=256, fail_fast=True)] = []
    to_class: Code | None = None
    box: Annotated[list[Pixel], Field(min_length=4, max_length=4)] | None = None
    mask: Annotated[list[Pixel], Field(fail_fast=True)] | None = None
    started_at: Milliseconds | None = None
    ended_at: Milliseconds | None = None
    panes_shown: Annotated[list[ShortText], Field(max_length=32, fail_fast=True)] = []
    restrict: Annotated[str, Field(max_length=200)] | None = None
    reason: Annotated[str, Field(max_length=200)] | None = None
    reverses: StrokeName | None = None
    force: bool = False


class StateBody(_Body):
    """How far the work on a tile has come."""

    state: Literal["opened", "skipped", "done"]


Body = TypeVar("Body", bound=_Body)


class TooLarge(CloudbrushError, ValueError):
    """A request body is larger than any stroke."""


def edit_routes(store: Store) -> list[BaseRoute]:
    """Return the routes that write."""

    async def save(request: Request) -> Response:
        return await _posted(store, request, _save)

    async def state(request: Request) -> Response:
        return await _posted(store, request, _set_state)

    return [
        Route("/tile/{tile}/edits", save, methods=["POST"]),
        Route("/tile/{tile}/state", state, methods=["POST"]),
    ]


async def _posted(
    store: Store, request: Request, handle: Callable[[Visit, bytes], Response]
) -> Response:
    """Admit by the header alone: a token in an address ends up in logs and histories."""
    token = request.headers.get(TOKEN_HEADER)
    stream = request.stream()
    try:
        read_token(store, token)
        body = await _read_body(request, stream)
    except Denied as error:
        await _drain(stream)
        return refusal(error)
    except TooLarge as error:
        await _drain(stream)
        return JSONResponse({"error": str(error)}, 413)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it; the stroke is sent again
    return await run_in_threadpool(
        answered, lambda: handle(admit(store, request, token, "edit"), body)
    )


async def _read_body(request: Request, stream: AsyncGenerator[bytes, None]) -> bytes:
    """Return the body; raises `TooLarge` as soon as it is seen to be."""
    announced = request.headers.get("Content-Length", "0")
    if announced.isascii() and announced.isdecimal() and len(announced) < 10:
        _check_size(int(announced))
    elif announced:
        _check_size(MAX_BODY_BYTES + 1)
    parts, size = [], 0
    async for part in stream:
        size += len(part)
        _check_size(size)
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


def _check_size(size: int) -> None:
    if size > MAX_BODY_BYTES:
        raise TooLarge(
            "request body",
            found=f"more than {MAX_BODY_BYTES >> 20} MiB",
            expected=f"at most {MAX_BODY_BYTES >> 20} MiB",
            todo="Paint it in smaller pieces.",
        )


def _save(visit: Visit, body: bytes) -> Response:
    wish = _parse(EditBody, body)
    stroke = stroke_of(wish)
    if stroke.does is Effect.MODEL:
        stroke = _with_prediction(visit, stroke, wish.prediction)
    try:
        saved = history.append(visit.store, visit.tile.id, stroke, visit.grant.person_id)
    except EditConflict as error:
        content = {
            "status": "conflict",
            "error": str(error),
            "version": error.version,
            "overlap_px": error.overlap_px,
            "theirs": [edit_json(edit) for edit in error.theirs],
        }
        return JSONResponse(content, 409)
    return JSONResponse(_saved_json(saved, stroke, known_version(visit.request)))


def _with_prediction(visit: Visit, stroke: Stroke, prediction_id: int | None) -> Stroke:
    """Return the stroke with the predicted classes as they are on disk, whatever was shown."""
    if prediction_id is None:
        raise BadPatch("field prediction", found="nothing", expected="the number of a prediction")
    found = prediction(visit.store, prediction_id)
    if found.tile_id != visit.tile.id:
        raise NotFound(f"prediction {prediction_id}", expected=f"one of tile {visit.tile.name}")
    if not found.path.exists():
        raise NotFound(
            f"the file of prediction {prediction_id}",
            todo="Have the model predict this tile again.",
        )
    mask = marked(stroke, visit.tile.grid)
    codes, _ = read_prediction(visit.store, found, stroke.box)
    return replace(stroke, prediction_values=codes[mask])


def _set_state(visit: Visit, body: bytes) -> Response:
    state = TileState(_parse(StateBody, body).state)
    catalogue.set_tile_state(visit.store, visit.tile.id, state, visit.grant.person_id)
    return JSONResponse({"state": state.value})


def _parse(kind: type[Body], body: bytes) -> Body:
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


def stroke_of(body: EditBody) -> Stroke:
    """Return the stroke that a checked body describes."""
    return Stroke(
        client_id=body.client_id,
        seq=body.seq,
        base_version=body.base_version,
        tool=Tool(body.tool),
        box=Window(*body.box) if body.box is not None else None,
        runs=np.array(body.mask, np.int64) if body.mask is not None else None,
        to_class=body.to_class,
        effect=Effect(body.effect) if body.effect is not None else None,
        values=_bytes(body.values),
        group_id=body.group_id,
        from_classes=tuple(body.from_classes),
        started_at=_time(body.started_at),
        ended_at=_time(body.ended_at),
        panes_shown=tuple(body.panes_shown),
        restrict=body.restrict,
        reason=body.reason,
        reverses=(body.reverses.client_id, body.reverses.seq) if body.reverses else None,
        force=body.force,
    )


def _bytes(text: str | None) -> npt.NDArray[np.uint8] | None:
    if text is None:
        return None
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    except (binascii.Error, ValueError) as error:
        raise BadPatch("field values", found="other letters", expected="base64") from error


def _time(milliseconds: float | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def edit_json(edit: Edit) -> dict[str, Any]:
    """Return an edit as the browser reads it: runs as numbers, one byte per pixel as base64."""
    patch = edit.patch
    return {
        "version": edit.version,
        "client_id": edit.client_id,
        "seq": edit.seq,
        "person": edit.person,
        "tool": edit.tool,
        "to_class": edit.to_class,
        "saved_at": edit.saved_at.isoformat(timespec="milliseconds"),
        "box": [patch.box.y0, patch.box.x0, patch.box.h, patch.box.w],
        "mask": patch.runs.tolist(),
        "values": base64.b64encode(patch.new_values.tobytes()).decode(),
        "provenance": base64.b64encode(patch.new_provenance.tobytes()).decode(),
    }


def known_version(request: Request) -> int:
    """Return the version that the browser has said it holds; 0 where it says nothing of use."""
    text = request.headers.get(KNOWN_HEADER, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS else 0


def _saved_json(saved: Saved, stroke: Stroke, known: int) -> dict[str, Any]:
    """Return the answer; what others did up to version `known` is in the browser already."""
    edit = saved.edit
    return {
        "status": saved.status,
        "version": saved.version,
        "patch": edit_json(edit) if edit is not None and not _is_as_sent(saved, stroke) else None,
        "left_px": saved.left_px,
        "undo_depth": saved.undo_depth,
        "redo_depth": saved.redo_depth,
        "others": [edit_json(edit) for edit in saved.others if edit.version > known],
        "group": asdict(saved.group) if saved.group is not None else None,
    }


def _is_as_sent(saved: Saved, stroke: Stroke) -> bool:
    """Return whether the browser shows already what was saved.

    Then nothing is sent back: 45 MB for a large fill. What a model predicts is read from disk, and
    may differ from what the browser holds.
    """
    if saved.others or saved.edit is None or stroke.runs is None or stroke.does is Effect.MODEL:
        return False
    patch = saved.edit.patch
    return patch.box == stroke.box and np.array_equal(patch.runs, stroke.runs)

"""Saving strokes: the route that appends to the edit log.

Nothing is taken from the browser but the mask, and that is checked against tile, class table and
limits. The answer says what was saved, what others changed meanwhile, and what can be undone.
"""

import base64
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field
from starlette.background import BackgroundTasks
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.routes.bodies import (
    MAX_BODY_BYTES,
    Checked,
    ClientId,
    Code,
    Count,
    Milliseconds,
    Pixel,
    ShortText,
    StrokeName,
    bytes_of,
    parse,
    posted,
    time_of,
)
from app.routes.gate import (
    MAX_DIGITS,
    Visit,
)
from core import catalogue, history
from core.errors import BadPatch, NotFound
from core.grid import Window
from core.history import Edit, EditConflict, Saved
from core.predictions import prediction, read_prediction
from core.records import TileState
from core.store.engine import Store
from core.stroke import Effect, Stroke, Tool, marked

MAX_CHANGES = 500
KNOWN_HEADER = "X-Cloudbrush-Known"

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
    "patch",
    "undo",
    "redo",
]
EffectName = Literal["class", "revert", "model", "verify", "unsure", "values"]


class EditBody(Checked):
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
    from_classes: Annotated[list[Code], Field(max_length=256, fail_fast=True)] = Field(
        default_factory=list
    )
    to_class: Code | None = None
    box: Annotated[list[Pixel], Field(min_length=4, max_length=4)] | None = None
    mask: Annotated[list[Pixel], Field(fail_fast=True)] | None = None
    started_at: Milliseconds | None = None
    ended_at: Milliseconds | None = None
    panes_shown: Annotated[list[ShortText], Field(max_length=32, fail_fast=True)] = Field(
        default_factory=list
    )
    restrict: Annotated[str, Field(max_length=200)] | None = None
    reason: Annotated[str, Field(max_length=200)] | None = None
    reverses: StrokeName | None = None
    force: bool = False


class StateBody(Checked):
    """How far the work on a tile has come."""

    state: Literal["opened", "skipped", "done"]


def edit_routes(store: Store) -> list[BaseRoute]:
    """Return the routes that write."""

    async def save(request: Request) -> Response:
        return await posted(store, request, _save)

    async def state(request: Request) -> Response:
        return await posted(store, request, _set_state)

    return [
        Route("/tile/{tile}/edits", save, methods=["POST"]),
        Route("/tile/{tile}/state", state, methods=["POST"]),
    ]


def _save(visit: Visit, body: bytes) -> Response:
    wish = parse(EditBody, body)
    stroke = stroke_of(wish)
    if stroke.does is Effect.MODEL:
        stroke = _with_prediction(visit, stroke, wish.prediction)
    after = BackgroundTasks()
    try:
        saved = history.append(
            visit.store, visit.tile.id, stroke, visit.grant.person_id, after.add_task
        )
    except EditConflict as error:
        return conflict(error)
    told = not _is_as_sent(saved, stroke)
    answer = saved_json(saved, known_version(visit.request), told=told)
    return JSONResponse(answer, background=after)


def conflict(error: EditConflict) -> JSONResponse:
    """Return what others did on the same pixels, for the person to choose."""
    content = {
        "status": "conflict",
        "error": str(error),
        "version": error.version,
        "overlap_px": error.overlap_px,
        "theirs": [edit_json(edit) for edit in error.theirs],
    }
    return JSONResponse(content, 409)


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
    places = marked(stroke, visit.tile.grid)
    codes, _ = read_prediction(visit.store, found, stroke.box)
    return replace(stroke, prediction_values=codes[places.mask])


def _set_state(visit: Visit, body: bytes) -> Response:
    state = TileState(parse(StateBody, body).state)
    catalogue.set_tile_state(visit.store, visit.tile.id, state, visit.grant.person_id)
    return JSONResponse({"state": state.value})


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
        values=bytes_of(body.values),
        group_id=body.group_id,
        from_classes=tuple(body.from_classes),
        started_at=time_of(body.started_at),
        ended_at=time_of(body.ended_at),
        panes_shown=tuple(body.panes_shown),
        restrict=body.restrict,
        reason=body.reason,
        reverses=(body.reverses.client_id, body.reverses.seq) if body.reverses else None,
        force=body.force,
    )


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


def saved_json(saved: Saved, known: int, *, told: bool = True) -> dict[str, Any]:
    """Return the answer, with the patch if it is to be `told`.

    What others did up to version `known` is in the browser already.
    """
    edit = saved.edit
    return {
        "status": saved.status,
        "version": saved.version,
        "patch": edit_json(edit) if edit is not None and told else None,
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

"""Commands on many pixels, looked at and applied, and the return to an earlier version.

Both commands answer with lines of JSON: {"done", "of"} as they go on, and last {"preview"},
{"applied"} or {"error"}. A browser that hangs up stops a project's command between two tiles; sent
again under the same name it goes on. Undo goes the way of strokes.
"""

import json
from collections.abc import Generator, Iterator
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from app.routes.bodies import (
    Checked,
    ClientId,
    Code,
    Count,
    Milliseconds,
    Pixel,
    ShortText,
    parse,
    posted,
    time_of,
)
from app.routes.edits import conflict, known_version, saved_json
from app.routes.gate import Visit, refusal
from core import bulk
from core.bulk import Applied, Preview
from core.bulk_tile import Command, Limits, Progress, check_command
from core.catalogue import project
from core.errors import BadPatch, CloudbrushError
from core.grid import Window
from core.history import EditConflict
from core.log import Busy, Maker
from core.patch import Bytes, Mask, check_box, check_runs, decode_runs, encode_runs
from core.records import Tile
from core.restore import restore
from core.restrict import parse_restriction
from core.store.engine import Store
from core.stroke import Tool
from core.undo import group_name

SHOWN_RUNS = 400_000  # more would take longer to send than it is worth looking at

Codes = Annotated[list[Code], Field(max_length=256, fail_fast=True)]
Panes = Annotated[list[ShortText], Field(max_length=32, fail_fast=True)]


class AreaBody(Checked):
    """A drawn area: run lengths over a box, as in strokes."""

    box: Annotated[list[Pixel], Field(min_length=4, max_length=4)]
    mask: Annotated[list[Pixel], Field(fail_fast=True)]


class CommandBody(Checked):
    """What to do where. `acquisition` names the date whose cloud mask counts."""

    kind: Literal["recode", "islands", "holes", "accept"]
    scope: Literal["tile", "project"] = "tile"
    from_classes: Codes = Field(default_factory=list)
    to_class: Code | None = None
    size_px: Count = 0
    percent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0
    model: Annotated[str, Field(max_length=200)] | None = None
    prediction: Pixel | None = None
    verified: bool = False
    restrict: Annotated[str, Field(max_length=200)] | None = None
    area: AreaBody | None = None
    acquisition: Annotated[str, Field(max_length=120)] | None = None


class ApplyBody(CommandBody):
    """A command to be saved, named by its tab and number like a stroke."""

    client_id: ClientId
    seq: Count
    base_version: Count
    started_at: Milliseconds | None = None
    panes_shown: Panes = Field(default_factory=list)


class RestoreBody(Checked):
    """The version to bring back, as a new edit."""

    version: Count
    client_id: ClientId
    seq: Count
    base_version: Count
    started_at: Milliseconds | None = None
    ended_at: Milliseconds | None = None
    panes_shown: Panes = Field(default_factory=list)
    force: bool = False


def bulk_routes(store: Store) -> list[BaseRoute]:
    """Return the routes of commands on many pixels."""

    async def preview(request: Request) -> Response:
        return await posted(store, request, _preview)

    async def apply(request: Request) -> Response:
        return await posted(store, request, _apply)

    async def back(request: Request) -> Response:
        return await posted(store, request, _restore)

    return [
        Route("/tile/{tile}/bulk/preview", preview, methods=["POST"]),
        Route("/tile/{tile}/bulk", apply, methods=["POST"]),
        Route("/tile/{tile}/restore", back, methods=["POST"]),
    ]


def _preview(visit: Visit, body: bytes) -> Response:
    wish = parse(CommandBody, body)
    command, limits = _asked(visit, wish)
    tiles = bulk.scope_tiles(visit.store, visit.tile, wish.scope)
    return _lines(bulk.preview(visit.store, tiles, visit.tile.id, command, limits))


def _apply(visit: Visit, body: bytes) -> Response:
    wish = parse(ApplyBody, body)
    command, limits = _asked(visit, wish)
    tiles = bulk.scope_tiles(visit.store, visit.tile, wish.scope)
    maker = _maker(visit, wish)
    return _lines(bulk.apply(visit.store, tiles, visit.tile.id, command, limits, maker))


def _restore(visit: Visit, body: bytes) -> Response:
    wish = parse(RestoreBody, body)
    maker = replace(_maker(visit, wish), tool=Tool.RESTORE.value, ended_at=time_of(wish.ended_at))
    try:
        saved = restore(visit.store, visit.tile.id, wish.version, maker, force=wish.force)
    except EditConflict as error:
        return conflict(error)
    return JSONResponse(saved_json(saved, known_version(visit.request)))


def _maker(visit: Visit, wish: ApplyBody | RestoreBody) -> Maker:
    if wish.base_version > visit.tile.version:
        found, expected = str(wish.base_version), f"0 to {visit.tile.version}"
        raise BadPatch("field base_version", found=found, expected=expected, todo="Reload.")
    return Maker(
        person_id=visit.grant.person_id,
        base_version=wish.base_version,
        tool="",
        started_at=time_of(wish.started_at),
        panes_shown=tuple(wish.panes_shown),
        group_id=group_name(wish.client_id, wish.seq),
    )


def _asked(visit: Visit, wish: CommandBody) -> tuple[Command, Limits]:
    """Return the command and its limits; raises `BadPatch` that names the field."""
    classes = project(visit.store, visit.tile.project_id).classes
    command = Command(
        kind=wish.kind,
        from_classes=tuple(dict.fromkeys(wish.from_classes)),
        to_class=wish.to_class,
        size_px=wish.size_px,
        percent=wish.percent,
        model=wish.model,
        prediction_id=wish.prediction,
    )
    check_command(command, classes)
    restriction = replace(parse_restriction(wish.restrict), unverified=not wish.verified)
    if restriction.area and (wish.area is None or wish.scope == "project"):
        expected = "an area drawn on this tile, for this tile alone"
        raise BadPatch("field area", found="none, or a whole project", expected=expected)
    area = _area(visit.tile, wish.area) if restriction.area and wish.area is not None else None
    return command, Limits(restriction, area, wish.acquisition)


def _area(tile: Tile, drawn: AreaBody) -> tuple[Window, Mask]:
    box = Window(*drawn.box)
    check_box(box, tile.grid.height, tile.grid.width)
    return box, decode_runs(check_runs(np.array(drawn.mask, np.int64), box), box)


def _lines(steps: Generator[Any, None, None]) -> Response:
    """Stream the steps as lines of JSON. What fails before the first is an answer of its own."""
    first = next(steps)

    def lines() -> Iterator[str]:
        yield _line(first)
        try:
            for step in steps:
                yield _line(step)
        except CloudbrushError as error:
            yield json.dumps({"error": str(error), "status": refusal(error).status_code}) + "\n"
        except (OperationalError, PoolTimeout):
            busy = Busy("database", found="a lock that lasts", todo="Try again.")
            yield json.dumps({"error": str(busy), "status": 503}) + "\n"

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(lines(), media_type="application/x-ndjson", headers=headers)


def _line(step: Progress | Preview | Applied) -> str:
    if isinstance(step, Preview):
        content: dict[str, Any] = {"preview": _preview_json(step)}
    elif isinstance(step, Applied):
        content = {"applied": _applied_json(step)}
    else:
        content = asdict(step)
    return json.dumps(content) + "\n"


def _preview_json(found: Preview) -> dict[str, Any]:
    few = sum(len(patch.runs) for patch in found.patches) <= SHOWN_RUNS
    return {
        "pixels": found.pixels,
        "regions": found.regions,
        "tiles": found.tiles,
        "area_m2": found.area_m2,
        "changes": [
            {"from": c.from_class, "to": c.to_class, "pixels": c.pixels, "area_m2": c.area_m2}
            for c in found.changes
        ],
        "skipped": _skipped(found.skipped),
        "masks": [
            part
            for patch in found.patches
            for part in class_masks(patch.box, patch.mask, patch.new_values)
        ]
        if few
        else None,
    }


def class_masks(box: Window, mask: Mask, codes: Bytes) -> list[dict[str, Any]]:
    """Return [{to, box, mask}], the pixels of each class as runs over a box of their own.

    `mask` is bool [h, w] over the box, `codes` uint8 [n] the class of each marked pixel.
    """
    spread = np.zeros(mask.shape, np.uint8)
    spread[mask] = codes
    found = []
    for code in np.unique(codes):
        chosen = mask & (spread == code)
        rows = np.flatnonzero(chosen.any(axis=1))
        columns = np.flatnonzero(chosen.any(axis=0))
        top, left = int(rows[0]), int(columns[0])
        height, width = int(rows[-1]) - top + 1, int(columns[-1]) - left + 1
        runs = encode_runs(np.ascontiguousarray(chosen[top : top + height, left : left + width]))
        part = [box.y0 + top, box.x0 + left, height, width]
        found.append({"to": int(code), "box": part, "mask": runs.tolist()})
    return found


def _applied_json(done: Applied) -> dict[str, Any]:
    saved = done.saved
    return {
        "pixels": done.pixels,
        "tiles": done.tiles,
        "on": done.on,
        "skipped": _skipped(done.skipped),
        "status": saved.status if saved is not None else None,
        "version": saved.version if saved is not None else None,
        "undo_depth": saved.undo_depth if saved is not None else None,
        "redo_depth": saved.redo_depth if saved is not None else None,
    }


def _skipped(found: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"tile": name, "why": why} for name, why in found]

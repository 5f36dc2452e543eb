"""Suggestions after a few strokes: made ready when a tile opens, asked for after a stroke.

Nothing is taken from the browser but the name of its tab: the strokes are those of the edit log.
Accepting a suggestion is a stroke like any other.
"""

from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.routes.bodies import Checked, ClientId, Pixel, parse, posted
from app.routes.bulk import class_masks
from app.routes.gate import Visit
from core.aside import Overtaken, aside
from core.errors import NotEditable
from core.features import CHUNK, Sources, prepare, sources
from core.grid import Window, whole
from core.store.engine import Store
from core.suggest_log import Found, suggest_on


class PrepareBody(Checked):
    """What the features are made of; `at` is the pixel (row, column) looked at on a large tile."""

    acquisition: Pixel | None = None
    prediction: Pixel | None = None
    at: Annotated[list[Pixel], Field(min_length=2, max_length=2)] | None = None


class SuggestBody(Checked):
    """Whose strokes to learn from, and what the features are made of."""

    client_id: ClientId
    acquisition: Pixel | None = None
    prediction: Pixel | None = None


def suggest_routes(store: Store) -> list[BaseRoute]:
    """Return the routes of suggestions."""

    async def ready(request: Request) -> Response:
        return await posted(store, request, _prepare)

    async def suggest(request: Request) -> Response:
        return await posted(store, request, _suggest)

    return [
        Route("/tile/{tile}/suggest/prepare", ready, methods=["POST"]),
        Route("/tile/{tile}/suggest", suggest, methods=["POST"]),
    ]


def _prepare(visit: Visit, body: bytes) -> Response:
    wish = parse(PrepareBody, body)
    found = _sources(visit, wish.acquisition, wish.prediction)
    window = _looked_at(visit, wish.at)
    asker = ("prepare", visit.grant.person_id)
    try:
        aside().run(asker, lambda: prepare(visit.store, found, window))
    except Overtaken:
        return JSONResponse({"ready": False})
    return JSONResponse({"ready": True})


def _suggest(visit: Visit, body: bytes) -> Response:
    wish = parse(SuggestBody, body)
    found = _sources(visit, wish.acquisition, wish.prediction)
    person, client = visit.grant.person_id, wish.client_id
    try:
        made = aside().run(client, lambda: suggest_on(visit.store, found, person, client))
    except Overtaken:
        return JSONResponse({"status": "overtaken"})
    return JSONResponse(_found_json(made), headers={"Cache-Control": "no-store"})


def _sources(visit: Visit, acquisition: int | None, prediction: int | None) -> Sources:
    if not visit.tile.editable:
        found, expected = "a validation, test or frozen tile", "a training tile"
        raise NotEditable(f"tile {visit.tile.name}", found=found, expected=expected)
    return sources(visit.store, visit.tile, acquisition, prediction)


def _looked_at(visit: Visit, at: list[int] | None) -> Window:
    """Return the whole tile, or of a large one the pixel looked at: its chunk is made ready."""
    grid = visit.tile.grid
    if grid.height <= CHUNK and grid.width <= CHUNK:
        return whole(grid)
    row, column = at or (grid.height // 2, grid.width // 2)
    return Window(min(row, grid.height - 1), min(column, grid.width - 1), 1, 1)


def _found_json(found: Found) -> dict[str, Any]:
    suggestion, window = found.suggestion, found.window
    check = suggestion.check
    content: dict[str, Any] = {
        "status": suggestion.status,
        "version": found.version,
        "way": suggestion.way,
        "pixels": suggestion.pixels,
        "check": check and {
            "right": check.right,
            "present": check.present,
            "of": check.of,
            "confirmations": check.confirmations,
        },
    }  # fmt: skip
    if suggestion.mask is None or suggestion.codes is None:
        return content
    codes = suggestion.codes[suggestion.mask]
    return content | {"masks": class_masks(window, suggestion.mask, codes)}

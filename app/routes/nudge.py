"""Move a layer on the screen, for everybody: a nudge is kept with its layer, never with labels."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.routes.gate import TOKEN_HEADER, admit, answered
from app.routes.tiles import image_layer
from core.errors import CloudbrushError
from core.nudge import MAX_NUDGE_PX, STEP_PX, set_nudge
from core.store.engine import Store

MAX_BODY_BYTES = 1024

Pixels = Annotated[
    float, Field(ge=-MAX_NUDGE_PX, le=MAX_NUDGE_PX, multiple_of=STEP_PX, allow_inf_nan=False)
]


class NudgeBody(BaseModel):
    """How far down and right of its place a layer is shown, in tile pixels."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    y: Pixels
    x: Pixels


def nudge_routes(store: Store) -> list[BaseRoute]:
    """Return the route that keeps a nudge."""

    async def nudge(request: Request) -> Response:
        body = await _read(request)
        if body is None:
            return JSONResponse({"error": f"request body: more than {MAX_BODY_BYTES} bytes"}, 413)
        return await run_in_threadpool(answered, lambda: _set(store, request, body))

    return [Route("/tile/{tile}/nudge/{layer}", nudge, methods=["POST"])]


async def _read(request: Request) -> bytes | None:
    """Return the body, or None as soon as it is longer than any nudge."""
    content = b""
    try:
        async for part in request.stream():
            content += part
            if len(content) > MAX_BODY_BYTES:
                return None
    except ClientDisconnect:
        return b""
    return content


def _set(store: Store, request: Request, content: bytes) -> Response:
    visit = admit(store, request, request.headers.get(TOKEN_HEADER), "edit")
    layer = image_layer(store, visit.tile, visit.number("layer"))
    try:
        body = NudgeBody.model_validate_json(content)
    except ValidationError as error:
        raise CloudbrushError(
            "nudge",
            found="something else",
            expected=f"y and x, multiples of {STEP_PX:g} px up to {MAX_NUDGE_PX:g} px",
        ) from error
    set_nudge(store, visit.tile.id, layer.id, body.y, body.x)
    return JSONResponse({"y": body.y, "x": body.x})

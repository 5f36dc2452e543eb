"""Move a layer on the screen, for everybody: a nudge is kept with its layer, never with labels."""

from typing import Annotated

from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.routes.bodies import Checked, posted
from app.routes.gate import Visit
from app.routes.tiles import image_layer
from core.errors import CloudbrushError
from core.nudge import MAX_NUDGE_PX, STEP_PX, set_nudge
from core.store.engine import Store

MAX_BODY_BYTES = 1024

Pixels = Annotated[
    float, Field(ge=-MAX_NUDGE_PX, le=MAX_NUDGE_PX, multiple_of=STEP_PX, allow_inf_nan=False)
]


class NudgeBody(Checked):
    """How far down and right of its place a layer is shown, in tile pixels."""

    y: Pixels
    x: Pixels


def nudge_routes(store: Store) -> list[BaseRoute]:
    """Return the route that keeps a nudge."""

    async def nudge(request: Request) -> Response:
        return await posted(store, request, _set, MAX_BODY_BYTES)

    return [Route("/tile/{tile}/nudge/{layer}", nudge, methods=["POST"])]


def _set(visit: Visit, content: bytes) -> Response:
    layer = image_layer(visit.store, visit.tile, visit.number("layer"))
    try:
        body = NudgeBody.model_validate_json(content)
    except ValidationError as error:
        raise CloudbrushError(
            "nudge",
            found="something else",
            expected=f"y and x, multiples of {STEP_PX:g} px up to {MAX_NUDGE_PX:g} px",
        ) from error
    set_nudge(visit.store, visit.tile.id, layer.id, body.y, body.x)
    return JSONResponse({"y": body.y, "x": body.x})

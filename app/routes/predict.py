"""Make the prediction that the editor is about to show, when there is none yet.

A tile opens without waiting for a network; the editor asks for what is missing once the tile is
on the screen.
"""

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.routes.gate import Visit, guarded, query_number
from core import catalogue
from core.errors import CloudbrushError, NotFound
from core.records import Acquisition, Tile
from core.settings import Settings
from core.store.engine import Store
from core.trained import model

MOST_PX = 8192 * 8192


def predict_routes(store: Store, settings: Settings) -> list[BaseRoute]:
    """Return the route that makes predictions."""

    def predict(visit: Visit) -> Response:
        # Imported here: torch takes seconds, and no other route needs it.
        from models.predict import ensure_prediction

        record = model(store, visit.number("model"))
        if record.project_id != visit.tile.project_id:
            raise NotFound(
                f"model {record.id}", expected=f"one of tile {visit.tile.name}'s project"
            )
        _check_size(visit.tile)
        seen = _acquisition(visit)
        made = ensure_prediction(store, settings, visit.tile, record, seen)
        return JSONResponse({"id": made.id}, headers={"Cache-Control": "no-store"})

    return [Route("/tile/{tile}/predict/{model}", guarded(store, predict))]


def _check_size(tile: Tile) -> None:
    """Raise `CloudbrushError` for scenes that take minutes, for which nobody waits at a screen."""
    if tile.grid.height * tile.grid.width > MOST_PX:
        raise CloudbrushError(
            f"tile {tile.name}",
            found=f"{tile.grid.height:,} x {tile.grid.width:,} px",
            expected="at most 8,192 x 8,192 to be predicted while you wait",
            todo="Predict the project on the Train page.",
        )


def _acquisition(visit: Visit) -> Acquisition | None:
    if "acquisition" not in visit.request.query_params:
        return None
    wanted = query_number(visit.request, "acquisition", None, 0, 10**9)
    for date in catalogue.acquisitions(visit.store, visit.tile.id):
        if date.id == wanted:
            return date
    raise NotFound(f"acquisition {wanted}", expected=f"one of tile {visit.tile.name}")

"""Make the prediction that the editor is about to show, when there is none yet.

A tile opens without waiting for a network; the editor asks for what is missing once the tile is
on the screen.
"""

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.routes.gate import Visit, guarded, query_number
from core import catalogue
from core.errors import NotFound
from core.records import Acquisition
from core.settings import Settings
from core.store.engine import Store
from core.trained import model


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
        seen = _acquisition(visit)
        made = ensure_prediction(store, settings, visit.tile, record, seen)
        return JSONResponse({"id": made.id}, headers={"Cache-Control": "no-store"})

    return [Route("/tile/{tile}/predict/{model}", guarded(store, predict))]


def _acquisition(visit: Visit) -> Acquisition | None:
    if "acquisition" not in visit.request.query_params:
        return None
    wanted = query_number(visit.request, "acquisition", None, 0, 10**9)
    for date in catalogue.acquisitions(visit.store, visit.tile.id):
        if date.id == wanted:
            return date
    raise NotFound(f"acquisition {wanted}", expected=f"one of tile {visit.tile.name}")

"""Class maps from afar: coarse labels, predictions and clouds for views of large scenes."""

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.routes.gate import Visit, cache_headers, fingerprint, guarded, not_modified
from core import catalogue, predictions, pyramid
from core.errors import NotFound
from core.records import Modality
from core.store.engine import Store

BYTES = "application/octet-stream"


def overview_routes(store: Store) -> list[BaseRoute]:
    """Return the routes of coarse blocks; level z has one pixel for 2^z x 2^z of the tile."""
    handlers = {
        "/tile/{tile}/labels/overview/{z}/{by}/{bx}": labels,
        "/tile/{tile}/cloud/{acquisition}/overview/{z}/{by}/{bx}": cloud,
        "/tile/{tile}/prediction/{prediction}/overview/{z}/{by}/{bx}": prediction,
    }
    return [Route(path, guarded(store, handler)) for path, handler in handlers.items()]


def labels(visit: Visit) -> Response:
    """Return class codes, then provenance, of now."""
    found = pyramid.labels(visit.store, visit.tile.id, *_place(visit))
    content = found.labels.tobytes() + found.provenance.tobytes()
    headers = {"X-Version": str(found.version), "Cache-Control": "no-store"}
    return Response(content, media_type=BYTES, headers=headers)


def cloud(visit: Visit) -> Response:
    """Return the cloud levels under one acquisition."""
    wanted = visit.number("acquisition")
    for layer in catalogue.layers(visit.store, visit.tile.id, modality=Modality.CLOUD):
        if layer.acquisition_id == wanted:
            place = _place(visit)
            tag = fingerprint(layer, visit.tile.grid, place, layer.sources[0][0])
            return not_modified(visit.request, tag) or Response(
                pyramid.class_layer(layer, visit.tile.grid, *place).tobytes(),
                media_type=BYTES,
                headers=cache_headers(tag),
            )
    raise NotFound(f"cloud mask of acquisition {wanted}", expected="one of this tile")


def prediction(visit: Visit) -> Response:
    """Return class codes, then confidence, of a prediction."""
    found = predictions.prediction(visit.store, visit.number("prediction"))
    if found.tile_id != visit.tile.id:
        raise NotFound(f"prediction {found.id}", expected=f"one of tile {visit.tile.name}")
    place = _place(visit)
    tag = fingerprint(found.path, visit.tile.grid, place)
    return not_modified(visit.request, tag) or Response(
        pyramid.prediction(found, visit.tile.grid, *place).tobytes(),
        media_type=BYTES,
        headers=cache_headers(tag),
    )


def _place(visit: Visit) -> tuple[int, int, int]:
    return visit.number("z"), visit.number("by"), visit.number("bx")

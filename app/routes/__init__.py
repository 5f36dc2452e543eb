"""Routes beside the pages: public assets, tiles and edits, on the same port."""

from starlette.routing import BaseRoute

from app.routes.assets import asset_routes
from app.routes.bulk import bulk_routes
from app.routes.edits import edit_routes
from app.routes.live import live_routes
from app.routes.nudge import nudge_routes
from app.routes.overviews import overview_routes
from app.routes.pixels import pixel_routes
from app.routes.predict import predict_routes
from app.routes.suggest import suggest_routes
from app.routes.tiles import tile_routes
from app.routes.timeline import timeline_routes
from core.settings import Settings
from core.store.engine import Store


def routes(store: Store, settings: Settings) -> list[BaseRoute]:
    """Return every route of ours."""
    return [
        *asset_routes(),
        *tile_routes(store),
        *overview_routes(store),
        *edit_routes(store),
        *bulk_routes(store),
        *suggest_routes(store),
        *live_routes(store),
        *timeline_routes(store),
        *predict_routes(store, settings),
        *nudge_routes(store),
        *pixel_routes(store),
    ]

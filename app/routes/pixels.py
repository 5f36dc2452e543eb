"""What tools need of the images and the buildings: pixel values, superpixels and objects.

The pictures of the panes are partly JPEG; tools that compare values get the same stretch as bytes,
unharmed. Truth layers are served by no route.
"""

import numpy as np
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.routes.gate import (
    Visit,
    cache_headers,
    fingerprint,
    guarded,
    not_modified,
    query_number,
)
from app.routes.tiles import image_layer, stretch_mode
from core import objects
from core.display import layer_stretch, to_rgb8
from core.grid import Window
from core.raster import read
from core.store.engine import Store
from core.superpixels import superpixels

ASK_AGAIN_S = 1


def pixel_routes(store: Store) -> list[BaseRoute]:
    """Return the routes of pixel values, superpixels and objects."""
    handlers = {
        "/tile/{tile}/pixels/{layer}/{by}/{bx}": pixels,
        "/tile/{tile}/superpixels/{cy}/{cx}": segments,
        "/tile/{tile}/objects": buildings,
    }
    return [Route(path, guarded(store, handler)) for path, handler in handlers.items()]


def pixels(visit: Visit) -> Response:
    """Return uint8 [C + 1, h, w] of a block of 512 px: the channels shown, then 255 where valid.

    `stretch` is that of the image route. A layer shows one channel or three.
    """
    layer = image_layer(visit.store, visit.tile, visit.number("layer"))
    window, mode = visit.block(), stretch_mode(visit)
    sources = [path for path, _ in layer.sources]
    tag = fingerprint("pixels", layer, visit.tile.grid, window, mode, *sources)
    unchanged = not_modified(visit.request, tag)
    if unchanged is not None:
        return unchanged
    stretch = layer_stretch(layer, visit.tile.grid, mode)
    raster = read([layer.sources[band] for band in stretch.bands], visit.tile.grid, window)
    count = len(stretch.bands)
    shown = to_rgb8(raster, layer.unit, range(count), stretch.ranges)
    valid = np.where(raster.valid, np.uint8(255), np.uint8(0))
    content = np.concatenate([np.moveaxis(shown, -1, 0)[:count], valid[np.newaxis]])
    return Response(
        content.tobytes(), media_type="application/octet-stream", headers=cache_headers(tag)
    )


def segments(visit: Visit) -> Response:
    """Return superpixel ids of a chunk of 1024 px, little-endian uint16; 0 has no image.

    202 while they are being computed: the browser asks again.
    """
    path, content = superpixels(visit.store, visit.tile, visit.number("cy"), visit.number("cx"))
    if content is None:
        headers = {"Retry-After": str(ASK_AGAIN_S), "Cache-Control": "no-store"}
        return JSONResponse({"state": "computing"}, 202, headers)
    tag = fingerprint(path)
    unchanged = not_modified(visit.request, tag)
    if unchanged is not None:
        return unchanged
    # Kept as zlib, which is what HTTP calls deflate: nothing is packed or unpacked here.
    headers = cache_headers(tag) | {"Content-Encoding": "deflate"}
    return Response(content, media_type="application/octet-stream", headers=headers)


def buildings(visit: Visit) -> Response:
    """Return the objects of a window of a damage tile (of all of it without one)."""
    grid = visit.tile.grid
    y0 = query_number(visit.request, "y0", 0, 0, grid.height - 1)
    x0 = query_number(visit.request, "x0", 0, 0, grid.width - 1)
    h = query_number(visit.request, "h", grid.height, 1, grid.height)
    w = query_number(visit.request, "w", grid.width, 1, grid.width)
    found = objects.find(visit.store, visit.tile)
    listed = [
        {
            "id": each.id,
            "name": each.name,
            "box": [each.box.y0, each.box.x0, each.box.h, each.box.w],
            "at": list(each.at),
            "pixels": each.pixels,
            "class": each.code,
        }
        for each in found.within(Window(y0, x0, h, w))
    ]
    content = {"version": found.version, "objects": listed}
    return JSONResponse(content, headers={"Cache-Control": "no-store"})

"""What the editor shows: image blocks, values under the cursor, labels, clouds and predictions.

Everything is on the tile's own pixel grid, in blocks of 512 px. Truth layers are served by no
route: people correct what a model got wrong without seeing the answer.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
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
from app.routes.pictures import jpeg, png
from app.routes.thumbnails import thumbnail
from core import catalogue, history, predictions
from core.clouds.levels import takes_clouds
from core.clouds.preview import block_under, usual_height
from core.clouds.simulator import Sky
from core.display import (
    Mode,
    Range,
    Stretch,
    is_coloured,
    layer_stretch,
    to_rgb8,
    to_rgba8,
    to_unit,
    unit_label,
)
from core.errors import CloudbrushError, NotFound
from core.expression import BadExpression, parse
from core.expression_presets import presets
from core.grid import Window
from core.pyramid import level_block
from core.raster import read, read_layer
from core.records import Grid, Layer, Modality, Tile
from core.rendering import Rendering, draw, plan, value_at
from core.speckle import FILTERS
from core.store.engine import Store
from models.clouds import tile_sky

MOST_INDICES = 6
MOST_SEED = 10_000
MODES: tuple[Mode, ...] = ("auto", "percentile", "shadows", "fixed", "none")
CLASS_MAPS = (Modality.LABEL, Modality.TRUTH, Modality.CLOUD, Modality.MODEL)


def tile_routes(store: Store) -> list[BaseRoute]:
    """Return the reading routes of a tile."""
    handlers = {
        "/tile/{tile}/image/{layer}/{z}/{bx}/{by}": image,
        "/tile/{tile}/expression": expression,
        "/tile/{tile}/values/{layer}": values,
        "/tile/{tile}/labels/{by}/{bx}": labels,
        "/tile/{tile}/cloud/{acquisition}/{by}/{bx}": cloud,
        "/tile/{tile}/prediction/{prediction}/{by}/{bx}": prediction,
        "/tile/{tile}/thumbnail/{kind}": small_picture,
    }
    return [Route(path, guarded(store, handler)) for path, handler in handlers.items()]


def image(visit: Visit) -> Response:
    """Return one block of an image layer: PNG, or JPEG for optical without gaps."""
    layer, z = image_layer(visit.store, visit.tile, visit.number("layer")), visit.number("z")
    level = level_block(visit.tile.grid, z, visit.number("by"), visit.number("bx"))
    window, shape = level.window, level.shape
    rendering, minus = asked_rendering(visit)
    sky = asked_sky(visit, layer)
    paths = [path for one in (layer, minus) if one for path, _ in one.sources]
    tag = fingerprint(layer, visit.tile.grid, window, shape, rendering, minus, sky, *paths)
    worked_out = rendering.expression is not None or rendering.filter != "none" or minus is not None
    if worked_out:
        made = plan(layer, visit.tile.grid, rendering, minus)
        stretch = made.stretch
    else:
        stretch = layer_stretch(layer, visit.tile.grid, rendering.mode, rendering.bands)
    headers = cache_headers(tag) | {"X-Stretch-Range": _range_text(stretch)}
    unchanged = not_modified(visit.request, tag)
    if unchanged is not None:
        unchanged.headers["X-Stretch-Range"] = headers["X-Stretch-Range"]
        return unchanged
    if sky is not None:
        picture, gaps = block_under(
            layer, visit.tile.grid, sky, stretch, window, shape, fingerprint(*paths)
        )
    elif worked_out:
        picture, gaps = draw(made, visit.tile.grid, window, 1 << z)
    else:
        picture, gaps = _plain(layer, visit.tile.grid, window, shape, stretch)
    if layer.modality is Modality.OPTICAL and not gaps:
        return Response(jpeg(picture), media_type="image/jpeg", headers=headers)
    one_band = len(stretch.bands) == 1 and not is_coloured(layer.unit, stretch.bands)
    grey = not gaps and one_band and not worked_out
    content = png(picture[..., 0] if grey else picture)
    return Response(content, media_type="image/png", headers=headers)


def _plain(
    layer: Layer, grid: Grid, window: Window, shape: tuple[int, int], stretch: Stretch
) -> tuple[npt.NDArray[np.uint8], bool]:
    """Return the picture of bands as they are stored, and whether it has gaps."""
    chosen = [layer.sources[band] for band in stretch.bands]
    raster = read(chosen, grid, window, out_shape=shape)
    gaps = not raster.valid.all()
    to_picture = to_rgba8 if gaps else to_rgb8
    return to_picture(raster, layer.unit, range(len(chosen)), stretch.ranges), gaps


def expression(visit: Visit) -> Response:
    """Return whether an expression fits a layer, in words, with the layer's bands and presets."""
    number = query_number(visit.request, "layer", None, 0, 10**9)
    layer = image_layer(visit.store, visit.tile, number)
    text = visit.request.query_params.get("expr", "")
    content: dict[str, Any] = {"ok": True, "label": None, "error": None, "at": None}
    try:
        found = parse(text, layer.bands) if text.strip() else None
    except BadExpression as error:
        content |= {"ok": False, "error": str(error), "at": error.at}
    else:
        content["label"] = found and _name(layer, found.text)
    content["bands"] = list(layer.bands)
    content["presets"] = [
        {"name": one.name, "expr": one.text, "needs": list(one.needs), "help": one.help}
        for one in presets(layer)
    ]
    return JSONResponse(content, headers={"Cache-Control": "no-store"})


def _name(layer: Layer, text: str) -> str:
    return next((one.name for one in presets(layer) if one.text == text), text)


def values(visit: Visit) -> Response:
    """Return the values of a layer under one pixel, with their unit.

    Each `expr` of the query is worked out there as well.
    """
    layer = image_layer(visit.store, visit.tile, visit.number("layer"))
    grid = visit.tile.grid
    row = query_number(visit.request, "row", None, 0, grid.height - 1)
    column = query_number(visit.request, "col", None, 0, grid.width - 1)
    raster = read(layer.sources, grid, Window(row, column, 1, 1))
    valid = bool(raster.valid[0, 0])
    shown = to_unit(raster.values, layer.unit)[:, 0, 0]
    found = [round(float(value), 4) for value in shown] if valid else []
    return JSONResponse(
        {
            "bands": list(layer.bands),
            "values": found,
            "unit": unit_label(layer.unit),
            "valid": valid,
            "indices": [
                {"name": _name(layer, text), "value": found and round(found, 4)}
                for text in visit.request.query_params.getlist("expr")[:MOST_INDICES]
                for found in [value_at(layer, grid, row, column, text)]
            ],
        },
        headers={"Cache-Control": "no-store"},
    )


def labels(visit: Visit) -> Response:
    """Return class codes, then provenance, of one block; of a version, or of now."""
    window = visit.block()
    tile = visit.tile
    wanted = visit.request.query_params.get("version")
    if wanted is None:
        found = history.current(visit.store, tile.id, window)
    else:
        number = query_number(visit.request, "version", None, 0, 10**9)
        found = history.at_version(visit.store, tile.id, number, window)
    content = found.labels.tobytes() + found.provenance.tobytes()
    headers = {"X-Version": str(found.version), "Cache-Control": "no-store"}
    return Response(content, media_type="application/octet-stream", headers=headers)


def cloud(visit: Visit) -> Response:
    """Return the cloud levels of one block under one acquisition."""
    window, wanted = visit.block(), visit.number("acquisition")
    for layer in catalogue.layers(visit.store, visit.tile.id, modality=Modality.CLOUD):
        if layer.acquisition_id == wanted:
            tag = fingerprint(layer, window, layer.sources[0][0])
            unchanged = not_modified(visit.request, tag)
            if unchanged is not None:
                return unchanged
            return _bytes(read_layer(layer, visit.tile.grid, window).values[0], tag)
    raise NotFound(f"cloud mask of acquisition {wanted}", expected="one of this tile")


def prediction(visit: Visit) -> Response:
    """Return class codes, then confidence, of one block of a prediction."""
    window = visit.block()
    found = predictions.prediction(visit.store, visit.number("prediction"))
    if found.tile_id != visit.tile.id:
        raise NotFound(f"prediction {found.id}", expected=f"one of tile {visit.tile.name}")
    tag = fingerprint(found.path, window)
    unchanged = not_modified(visit.request, tag)
    if unchanged is not None:
        return unchanged
    return _bytes(np.stack(predictions.read_prediction(visit.store, found, window)), tag)


def small_picture(visit: Visit) -> Response:
    """Return a small picture of the tile for the browser page."""
    size = query_number(visit.request, "size", 160, 32, 512)
    found = thumbnail(visit.store, visit.tile, visit.request.path_params["kind"], size)
    return not_modified(visit.request, found.tag) or Response(
        found.content, media_type=found.media_type, headers=cache_headers(found.tag)
    )


def image_layer(store: Store, tile: Tile, layer_id: int) -> Layer:
    """Return an image layer of the tile; raises `NotFound`, for class maps and truth as well."""
    found = catalogue.layer(store, layer_id)
    if found.tile_id != tile.id or found.modality in CLASS_MAPS:
        raise NotFound(f"image layer {layer_id}", expected=f"one of tile {tile.name}")
    return found


def asked_rendering(visit: Visit) -> tuple[Rendering, Layer | None]:
    """Return the rendering that the query asks for, and the layer of a difference.

    Raises `CloudbrushError` with words for anything that is not one.
    """
    query = visit.request.query_params
    kind = _one_of(query.get("filter", "none"), FILTERS, "query filter")
    text = query.get("expr")
    if text is not None and "bands" in query:
        raise CloudbrushError("query", found="expr and bands", expected="one of them")
    rendering = Rendering(stretch_mode(visit), _bands(visit), text, kind)
    if "minus" not in query:
        return rendering, None
    number = query_number(visit.request, "minus", None, 0, 10**9)
    return rendering, image_layer(visit.store, visit.tile, number)


def asked_sky(visit: Visit, layer: Layer) -> Sky | None:
    """Return the simulated sky that the query asks for (`clouds` in percent, `seed`), or None.

    Raises `CloudbrushError` for images that are cloudy already, and beside anything worked out.
    """
    query = visit.request.query_params
    if "clouds" not in query:
        return None
    cover = query_number(visit.request, "clouds", None, 0, 100) / 100
    seed = query_number(visit.request, "seed", 0, 0, MOST_SEED)
    beside = [name for name in ("expr", "filter", "minus") if name in query]
    if beside:
        found = f"clouds and {', '.join(beside)}"
        raise CloudbrushError("query", found=found, expected="clouds over bands as they are stored")
    dates = catalogue.acquisitions(visit.store, visit.tile.id)
    date = next((date for date in dates if date.id == layer.acquisition_id), None)
    if layer.modality is not Modality.OPTICAL or (date is not None and not takes_clouds(date)):
        found = layer.modality.value if date is None else date.name
        raise CloudbrushError("query clouds", found=found, expected="a clear optical image")
    return tile_sky(Sky(cover, seed, height_m=usual_height(visit.tile.grid)), visit.tile)


Choice = TypeVar("Choice", bound=str)


def _one_of(text: str, choices: Sequence[Choice], where: str) -> Choice:
    for choice in choices:
        if text == choice:
            return choice
    raise CloudbrushError(where, found=repr(text[:40]), expected=", ".join(choices))


def stretch_mode(visit: Visit) -> Mode:
    """Return the stretch that the query asks for; raises `CloudbrushError` for unknown ones."""
    return _one_of(visit.request.query_params.get("stretch", "auto"), MODES, "query stretch")


def _bands(visit: Visit) -> tuple[int, ...] | None:
    """Return the bands asked for, 0-based, or None for the layer's own choice."""
    text = visit.request.query_params.get("bands")
    if text is None:
        return None
    parts = text.split(",")
    if not all(p.isascii() and p.isdecimal() and len(p) < 5 for p in parts) or len(parts) > 3:
        raise CloudbrushError("query bands", found=repr(text[:40]), expected="one to three numbers")
    return tuple(int(part) - 1 for part in parts)


def _range_text(stretch: Stretch) -> str:
    return ";".join(_one_range(limits) for limits in stretch.ranges) + f" {stretch.label}"


def _one_range(limits: Range) -> str:
    return ",".join(f"{limit:.4g}" for limit in limits)


def _bytes(content: npt.NDArray[np.uint8], tag: str) -> Response:
    return Response(
        content.astype(np.uint8, copy=False).tobytes(),
        media_type="application/octet-stream",
        headers=cache_headers(tag),
    )

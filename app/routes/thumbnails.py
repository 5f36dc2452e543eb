"""Small pictures of tiles, kept in the workspace. Deleting them changes nothing."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from app.routes.gate import fingerprint
from app.routes.pictures import jpeg, png
from core import catalogue, pyramid
from core.display import layer_stretch, to_rgb8, to_rgba8
from core.errors import NotFound
from core.predictions import find_prediction
from core.raster import describe_source, read, read_layer
from core.records import Grid, Layer, Modality, Prediction, Tile
from core.scores import model_source
from core.store.engine import Store
from core.trained import promoted

FOLDER = "thumbnails"
# Clear, thin, thick, shadow; anything else is black.
CLOUD_COLOURS = ((52, 58, 66), (148, 156, 166), (238, 240, 243), (98, 84, 128))
SHOWN = (Modality.OPTICAL, Modality.SAR, Modality.HEIGHT, Modality.CLOUD)

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Thumbnail:
    """An encoded picture; `tag` changes when the picture does."""

    content: bytes
    media_type: str
    tag: str


def thumbnail(store: Store, tile: Tile, kind: str, size: int) -> Thumbnail:
    """Return a picture of at most `size` px a side.

    `kind` is "optical" (clearest date), "sar", "cloud" (of that date), "label" (of now),
    "prediction" (of the promoted model, clearest date predicted) or the id of an image or cloud
    layer. Raises `NotFound`, for truth layers as well.
    """
    shape = _shape(tile, size)
    if kind == "label":
        born = catalogue.project(store, tile.project_id).created_at
        label = catalogue.layers(store, tile.id, modality=Modality.LABEL)
        files = [path for layer in label for path, _ in layer.sources]
        tag = fingerprint("label", tile.id, born, tile.version, tile.grid, shape, *files)
        return _kept(store, tag, "png", lambda: _label(store, tile, shape))
    if kind == "prediction":
        found = _prediction(store, tile)
        tag = fingerprint("prediction", found.path, tile.grid, shape)
        return _kept(store, tag, "png", lambda: _predicted(store, tile, found, shape))
    layer = _layer(store, tile, kind)
    tile = replace(tile, grid=picture_grid(tile.grid, layer))
    shape = _shape(tile, size)
    tag = fingerprint(layer, tile.grid, shape, *[path for path, _ in layer.sources])
    if layer.modality is Modality.CLOUD:
        return _kept(store, tag, "png", lambda: _cloud(tile, layer, shape))
    suffix = "jpg" if layer.modality is Modality.OPTICAL else "png"
    return _kept(store, tag, suffix, lambda: _image(tile, layer, shape, suffix))


def picture_grid(grid: Grid, layer: Layer) -> Grid:
    """Return the grid to draw an image on: the tile's, or its own where a tile holds one label.

    A list of classes is one row of cells (`core.patch_labels`), too coarse to look through.
    """
    if grid.height > 1 or layer.modality is Modality.CLOUD:
        return grid
    grids = [describe_source(source).grid for source in layer.sources]
    return max(grids, key=lambda found: found.height * found.width)


def _shape(tile: Tile, size: int) -> tuple[int, int]:
    coarser = max(tile.grid.height / size, tile.grid.width / size, 1.0)
    return max(round(tile.grid.height / coarser), 1), max(round(tile.grid.width / coarser), 1)


def _layer(store: Store, tile: Tile, kind: str) -> Layer:
    """Return the layer of that kind or id; of the clearest date where there are several."""
    found = [layer for layer in catalogue.layers(store, tile.id) if layer.modality in SHOWN]
    if kind.isdecimal():
        found = [layer for layer in found if str(layer.id) == kind]
    else:
        found = [layer for layer in found if layer.modality.value == kind]
    if not found:
        raise NotFound(
            f"picture {kind[:40]!r} of tile {tile.name}", expected="a kind or a layer id"
        )
    dates = [acquisition.id for acquisition in catalogue.acquisitions(store, tile.id)]
    rank = {acquisition_id: place for place, acquisition_id in enumerate(dates)}
    return min(found, key=lambda layer: rank.get(layer.acquisition_id or 0, -1))


def _prediction(store: Store, tile: Tile) -> Prediction:
    """Return the promoted model's prediction of the clearest date that has one."""
    model = promoted(store, tile.project_id)
    if model is not None:
        dates = [None, *(date.id for date in catalogue.acquisitions(store, tile.id))]
        for date in dates:
            found = find_prediction(store, tile.id, model_source(model.id, date))
            if found is not None:
                return found
    raise NotFound(f"prediction of tile {tile.name}", todo="Promote a model on the Train page.")


def _image(tile: Tile, layer: Layer, shape: tuple[int, int], suffix: str) -> Picture:
    stretch = layer_stretch(layer, tile.grid)
    chosen = [layer.sources[band] for band in stretch.bands]
    raster = read(chosen, tile.grid, out_shape=shape)
    draw = to_rgb8 if suffix == "jpg" else to_rgba8
    return draw(raster, layer.unit, range(len(chosen)), stretch.ranges)


def _cloud(tile: Tile, layer: Layer, shape: tuple[int, int]) -> Picture:
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(CLOUD_COLOURS)] = CLOUD_COLOURS
    picture: Picture = colours[read_layer(layer, tile.grid, out_shape=shape).values[0]]
    return picture


def _label(store: Store, tile: Tile, shape: tuple[int, int]) -> Picture:
    classes = catalogue.project(store, tile.project_id).classes
    picture: Picture = classes.rgb_lut[pyramid.small_labels(store, tile.id, shape)]
    return picture


def _predicted(store: Store, tile: Tile, found: Prediction, shape: tuple[int, int]) -> Picture:
    classes = catalogue.project(store, tile.project_id).classes
    codes = pyramid.small_prediction(found, tile.grid, shape)
    picture: Picture = classes.rgb_lut[codes]
    return picture


def _kept(store: Store, tag: str, suffix: str, draw: Callable[[], Picture]) -> Thumbnail:
    """Return the picture kept under its tag, drawn first where there is none."""
    media_type = "image/jpeg" if suffix == "jpg" else "image/png"
    path = store.folder(FOLDER) / f"{tag}.{suffix}"
    try:
        return Thumbnail(path.read_bytes(), media_type, tag)
    except FileNotFoundError:
        content = jpeg(draw()) if suffix == "jpg" else png(draw())
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    part.write_bytes(content)
    part.replace(path)
    return Thumbnail(content, media_type, tag)

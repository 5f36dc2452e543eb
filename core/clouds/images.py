"""Clouds of one image of a tile: found by its clear image, or drawn onto it.

Reads the optical layers of an acquisition; `core.clouds.levels` keeps what comes of it. Tiles
longer than `WORKED_PX` are compared on a coarser copy: levels of clouds do not need every pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core import catalogue
from core.clouds.difference import difference_levels
from core.clouds.levels import Simulated, add_simulated
from core.clouds.optics import to_light, under, wavelengths
from core.clouds.simulator import MAX_PX, Clouds, Sky, draw
from core.errors import CloudbrushError, NotFound
from core.ground import ground
from core.noise import Field
from core.raster import read
from core.records import Acquisition, Grid, Layer, Modality, Tile
from core.store.engine import Store

WORKED_PX = 3072
UNPLACED_PX_M = 1.0
"""What a pixel is taken to measure where the tile has no position."""

Mask = npt.NDArray[np.bool_]
Levels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Light:
    """The bands of one image as light, float32 [C, H, W], their names, and where all are valid."""

    values: Field
    valid: Mask
    names: tuple[str, ...]


def optical_layers(store: Store, tile: Tile, acquisition: Acquisition) -> list[Layer]:
    """Return the optical layers of one acquisition; raises `NotFound` without any."""
    layers = catalogue.layers(store, tile.id, modality=Modality.OPTICAL)
    found = [layer for layer in layers if layer.acquisition_id == acquisition.id]
    if not found:
        raise NotFound(f"image {acquisition.name}", expected=f"one of tile {tile.name}")
    return found


def worked_shape(grid: Grid) -> tuple[int, int]:
    """Return the shape (rows, columns) that levels are found at, coarser for long tiles."""
    times = max(grid.height, grid.width) / WORKED_PX
    if times <= 1:
        return grid.height, grid.width
    return max(round(grid.height / times), 1), max(round(grid.width / times), 1)


def to_tile(levels: Levels, grid: Grid) -> Levels:
    """Return levels that were found coarser on every pixel of the tile, by the nearest."""
    if levels.shape == (grid.height, grid.width):
        return levels
    rows, cols = (
        (np.arange(full) * (found / full)).astype(np.intp)
        for found, full in zip(levels.shape, (grid.height, grid.width), strict=True)
    )
    return np.asarray(levels[np.ix_(rows, cols)], np.uint8)


def read_light(
    layers: Sequence[Layer], tile: Tile, shape: tuple[int, int], wanted: Sequence[str] | None = None
) -> Light:
    """Return the bands of an image as light, all of them or those `wanted` by name."""
    values, names = [], []
    valid = np.ones(shape, np.bool_)
    for layer in layers:
        picked = [i for i, name in enumerate(layer.bands) if wanted is None or name in wanted]
        if not picked:
            continue
        raster = read([layer.sources[i] for i in picked], tile.grid, out_shape=shape)
        values.append(to_light(raster.values, layer.unit))
        names += [layer.bands[i] for i in picked]
        valid &= raster.valid
    return Light(np.concatenate(values), valid, tuple(names))


def levels_by_difference(
    store: Store, tile: Tile, acquisition: Acquisition, clear: Acquisition
) -> Levels:
    """Return cloud levels uint8 [H, W] of an image against a clear image of the same tile.

    Raises `CloudbrushError` when the two share no band.
    """
    pair = [optical_layers(store, tile, date) for date in (acquisition, clear)]
    names = [[name for layer in layers for name in layer.bands] for layers in pair]
    shared = [name for name in names[0] if name in names[1]]
    units = [{layer.unit for layer in layers} for layers in pair]
    if not shared or units[0] != units[1]:
        raise CloudbrushError(
            f"images {acquisition.name} and {clear.name} of {tile.name}",
            found=f"bands {', '.join(names[0])} and {', '.join(names[1])}",
            expected="two images that share bands and their unit",
            todo="Use the detector for this image.",
        )
    shape = worked_shape(tile.grid)
    now, then = (read_light(layers, tile, shape, shared) for layers in pair)
    order = [then.names.index(name) for name in now.names]
    waves = wavelengths(now.names)
    found = difference_levels(now.values, then.values[order], now.valid & then.valid, waves)
    return to_tile(found, tile.grid)


def draw_over(grid: Grid, sky: Sky, shape: tuple[int, int], valid: Mask) -> Clouds:
    """Return the clouds of a sky over a tile's grid, on a copy of it of `shape` (rows, columns)."""
    place = ground(grid)
    pixel_m = (place.width_m + place.height_m) / 2 if place else UNPLACED_PX_M
    times = round(max(grid.height / shape[0], grid.width / shape[1]))
    north = place.north_deg if place else 0.0
    return draw(sky, shape, pixel_m * times, north_deg=north, valid=valid)


def simulate(store: Store, tile: Tile, acquisition: Acquisition, sky: Sky, name: str) -> int:
    """Draw clouds onto an image and add it to the tile as an acquisition; return its id.

    A cover of 0 adds the clear image once more, with its files as they are. Raises
    `CloudbrushError` for tiles too large and names that are taken.
    """
    shape = (tile.grid.height, tile.grid.width)
    if shape[0] * shape[1] > MAX_PX:
        raise CloudbrushError(
            f"tile {tile.name}",
            found=f"{shape[0]} x {shape[1]} pixels",
            expected=f"at most {MAX_PX:,} for simulated clouds",
            todo="Cut the scene into tiles.",
        )
    layers = optical_layers(store, tile, acquisition)
    rasters = [read(layer.sources, tile.grid) for layer in layers]
    valid = np.logical_and.reduce([raster.valid for raster in rasters])
    clouds = draw_over(tile.grid, sky, shape, valid)
    images = []
    for layer, raster in zip(layers, rasters, strict=True):
        if sky.cover <= 0:
            images.append(Simulated(layer, None, layer.nodata))
            continue
        seen = under(
            raster.values,
            raster.valid,
            layer.unit,
            layer.bands,
            clouds.opacity,
            clouds.shade,
            clouds.glow,
        )
        images.append(Simulated(layer, *_with_gaps(seen, raster.valid, layer.nodata)))
    kept = sky.to_json() | {"of": acquisition.name}
    return add_simulated(store, tile, name, kept, clouds.levels(valid), images)


def _with_gaps(
    values: npt.NDArray[np.generic], valid: Mask, nodata: float | None
) -> tuple[npt.NDArray[np.generic], float | None]:
    """Return the image as it is written, and its nodata value: no valid pixel has that value."""
    if nodata is None and valid.all():
        return values, None
    none = 0.0 if nodata is None else nodata
    values = values.copy()
    # A pixel is a gap where all of its bands hold the nodata value.
    mistaken = valid & (values == none).all(axis=0)
    if values.dtype.kind == "f":
        values[:, mistaken] = np.nextafter(np.float32(none), np.float32(np.inf))
    else:
        step = 1 if none < np.iinfo(values.dtype).max else -1  # type: ignore[type-var]
        values[:, mistaken] = none + step
    values[:, ~valid] = none
    return values, none

"""Outlines in GeoJSON as class pixels: drawn on a grid, a pixel belongs where its centre lies."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.features import is_valid_geom, rasterize
from rasterio.transform import Affine
from rasterio.warp import transform_geom

from core.errors import RasterError
from core.grid import Window
from core.records import Grid
from core.sources.base import Array, Raster, RasterInfo
from core.sources.reduce import reduced
from core.sources.source import Part

MOST_BYTES = 2**28
LONLAT = "EPSG:4326"  # what GeoJSON is in where it names no other system
NOTHING = {"type": "FeatureCollection", "features": []}  # some sets write it as an empty file
SHAPES = ("Polygon", "MultiPolygon")


class VectorRaster:
    """Outlines drawn on the grid of their part; see `core.sources.base.Opened`."""

    def __init__(self, path: Path, part: Part) -> None:
        """Read the outlines; raises `RasterError`."""
        if part.grid is None:
            raise RasterError(str(path), found="outlines", expected="a grid to draw them on")
        self._grid = grid = part.grid
        self._shapes = _shapes(path, part, grid)
        self.info = RasterInfo(
            path=path,
            height=grid.height,
            width=grid.width,
            count=1,
            dtype="uint8",
            grid=grid,
            nodata=None,
            colours=None,
            descriptions=(part.field or "outlines",),
            has_gcps=False,
            has_mask=False,
            alpha_band=None,
            size_bytes=path.stat().st_size,
            overviews=(),
        )

    def read(
        self, bands: list[int], window: Window, shape: tuple[int, int], categorical: bool
    ) -> Raster:
        """Return a window of codes, uint8, 0 outside of all outlines; later ones lie on top."""
        return reduced(self._draw, window, shape, categorical)

    def holds_classes(self) -> bool:
        """Return True: there are no coarse copies."""
        return True

    def close(self) -> None:
        """Nothing is open."""

    def _draw(self, window: Window) -> Raster:
        valid = np.ones((window.h, window.w), np.bool_)
        values: Array = np.zeros((1, window.h, window.w), np.uint8)
        if self._shapes:
            corner = Affine(*self._grid.transform) @ Affine.translation(window.x0, window.y0)
            values[0] = rasterize(
                self._shapes,
                (window.h, window.w),
                transform=corner,
                all_touched=False,
                dtype="uint8",
            )
        return Raster(values, valid)


def read_geojson(path: Path) -> dict[str, Any]:
    """Return a GeoJSON feature collection; raises `RasterError`."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise RasterError(str(path), found=f"{size:,} bytes", expected=f"up to {MOST_BYTES:,}")
        text = path.read_text("utf-8-sig")
        found = json.loads(text) if text.strip() else NOTHING
    except (ValueError, RecursionError) as error:
        raise RasterError(str(path), found=str(error), expected="a GeoJSON file") from error
    if not isinstance(found, dict) or not isinstance(found.get("features"), list):
        raise RasterError(str(path), found="no features", expected="a GeoJSON feature collection")
    return found


def crs_of(collection: dict[str, Any]) -> str:
    """Return the CRS that a collection names in the old way, or longitude and latitude."""
    named = (collection.get("crs") or {}).get("properties", {}).get("name")
    return str(named) if named else LONLAT


def _shapes(path: Path, part: Part, grid: Grid) -> list[tuple[dict[str, Any], int]]:
    collection = read_geojson(path)
    codes = dict(part.codes)
    shapes = []
    try:
        source = CRS.from_string(crs_of(collection))
        target = CRS.from_string(grid.crs) if grid.crs else source
        for feature in collection["features"]:
            shape = feature.get("geometry")
            if not shape or shape.get("type") not in SHAPES or not is_valid_geom(shape):
                continue
            code = _code(path, feature, part.field, codes)
            moved = shape if source == target else transform_geom(source, target, shape)
            shapes.append((moved, code))
    except (CRSError, AttributeError, TypeError, KeyError) as error:
        raise RasterError(str(path), found=str(error), expected="outlines as GeoJSON") from error
    return shapes


def _code(path: Path, feature: dict[str, Any], field: str, codes: dict[str, int]) -> int:
    if not field:
        return 1
    value = (feature.get("properties") or {}).get(field)
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if text not in codes:
        raise RasterError(
            str(path), found=f"{field} = {text!r}", expected="one of " + ", ".join(map(repr, codes))
        )
    return codes[text]

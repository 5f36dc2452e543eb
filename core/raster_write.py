"""Writing GeoTIFFs: all of a file or nothing."""

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.transform import Affine

from core.errors import GridMismatch, RasterError
from core.grid import BLOCK
from core.records import Grid
from core.sources.base import Array, reason

LARGE_SIDE = 4096


def write_geotiff(
    path: Path,
    array: Array,
    grid: Grid,
    *,
    nodata: float | None = None,
    colours: Mapping[int, tuple[int, int, int]] | None = None,
    descriptions: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
    class_overviews: bool = False,
) -> None:
    """Write `array` [H, W] or [C, H, W] as a compressed GeoTIFF, all of it or nothing.

    The file appears under its name only when it is complete and on disk. `colours` needs one
    uint8 band. `class_overviews` adds coarse copies of nearest pixels to large rasters.
    """
    bands = array[np.newaxis] if array.ndim == 2 else array
    if bands.shape[1:] != (grid.height, grid.width):
        raise GridMismatch(
            str(path),
            found=f"an array of {bands.shape[1:]}",
            expected=f"{grid.height} x {grid.width} pixels",
        )
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "count": bands.shape[0],
        "height": grid.height,
        "width": grid.width,
        "dtype": bands.dtype.name,
        "crs": grid.crs,
        "transform": Affine(*grid.transform),
        "nodata": nodata,
        "compress": "deflate",
    }
    if min(grid.height, grid.width) >= 512:
        profile |= {"tiled": True, "blockxsize": 512, "blockysize": 512}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        with rasterio.open(part, "w", **profile) as target:
            if colours:
                target.write_colormap(1, {code: (*rgb, 255) for code, rgb in colours.items()})
            for number, text in enumerate(descriptions, start=1):
                target.set_band_description(number, text)
            target.update_tags(**(tags or {}))
            target.write(bands)
        factors = overview_factors(grid) if class_overviews else []
        if factors:
            with rasterio.open(part, "r+") as target:
                target.build_overviews(factors, Resampling.nearest)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except RasterioError as error:
        raise RasterError(str(path), found=reason(error), expected="to write a file") from error
    finally:
        part.unlink(missing_ok=True)


def overview_factors(grid: Grid) -> list[int]:
    """Return how many times coarser the copies of a large raster are: 2, 4, ... to one block."""
    longest = max(grid.height, grid.width)
    if longest <= LARGE_SIDE:
        return []
    return [1 << z for z in range(1, (longest - 1).bit_length() - BLOCK.bit_length() + 2)]

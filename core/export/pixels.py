"""Labels of a tile as strips of rows, and class rasters written and read back strip by strip.

A scene of 40,000 px a side passes through memory by 512 rows at a time. What was written is known
by its SHA-256, row by row, so that reading it back needs no second copy.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.shutil import copy as copy_raster
from rasterio.transform import Affine
from rasterio.windows import Window as RasterioWindow

from core import history
from core.errors import RasterError
from core.grid import BLOCK, Window, same_crs, same_grid
from core.raster import describe, overview_factors, read
from core.records import Grid, Tile
from core.store.engine import Store

EXACT_PX = 1e-6

Bytes = npt.NDArray[np.uint8]
Colours = Mapping[int, tuple[int, int, int]]
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Strip:
    """Whole rows of a tile: class codes and provenance, uint8 [h, W]."""

    window: Window
    labels: Bytes
    provenance: Bytes


def row_windows(grid: Grid) -> Iterator[Window]:
    """Yield windows of 512 whole rows, from the top; the last may be lower."""
    for y0 in range(0, grid.height, BLOCK):
        yield Window(y0, 0, min(BLOCK, grid.height - y0), grid.width)


def strips(store: Store, tile: Tile) -> Iterator[Strip]:
    """Yield a tile's labels at the version of the record, so that later edits cannot mix in."""
    for window in row_windows(tile.grid):
        found = history.at_version(store, tile.id, tile.version, window)
        yield Strip(window, found.labels, found.provenance)


def pixels_sha256(array: Bytes) -> str:
    """Return the SHA-256 of uint8 pixels [H, W], row by row."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


@dataclass
class Tally:
    """SHA-256 and pixel counts by code of a plane that passes by in strips."""

    digest: Any = field(default_factory=hashlib.sha256)
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))

    def add(self, rows: Bytes) -> None:
        """Add uint8 rows [h, W]."""
        self.digest.update(np.ascontiguousarray(rows).tobytes())
        self.counts += np.bincount(rows.ravel(), minlength=256)

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of all rows so far."""
        return str(self.digest.hexdigest())


@dataclass(frozen=True)
class Plane:
    """One file to write: its bands (of "labels" and "provenance"), nodata tag and colours."""

    path: Path
    bands: tuple[str, ...]
    colours: Colours
    nodata: int | None = None
    cog: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


def write_planes(
    store: Store, tile: Tile, planes: Sequence[Plane], progress: Progress | None = None
) -> dict[str, Tally]:
    """Write the files of a tile in one pass, read each back, and return what was written by band.

    `progress` gets the share of rows written. Raises `RasterError` when a file cannot be written
    or does not read back equal.
    """
    tallies = {"labels": Tally(), "provenance": Tally()}
    parts = {plane.path: plane.path.with_suffix(".part.tif") for plane in planes}
    try:
        with ExitStack() as stack:
            targets = [stack.enter_context(_create(parts[p.path], p, tile.grid)) for p in planes]
            for strip in strips(store, tile):
                rows = {"labels": strip.labels, "provenance": strip.provenance}
                for name, tally in tallies.items():
                    tally.add(rows[name])
                area = RasterioWindow(0, strip.window.y0, strip.window.w, strip.window.h)
                for plane, target in zip(planes, targets, strict=True):
                    for number, band in enumerate(plane.bands, start=1):
                        target.write(rows[band], number, window=area)
                if progress:
                    progress((strip.window.y0 + strip.window.h) / tile.grid.height)
        for plane in planes:
            _finish(parts[plane.path], plane, tile.grid)
    except RasterioError as error:
        where = str(planes[0].path)
        raise RasterError(where, found=str(error), expected="to write a file") from error
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    for plane in planes:
        verify(plane, tile.grid, {name: tallies[name].sha256 for name in plane.bands})
    return tallies


def _create(path: Path, plane: Plane, grid: Grid) -> Any:  # noqa: ANN401  # rasterio has no types
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "count": len(plane.bands),
        "height": grid.height,
        "width": grid.width,
        "dtype": "uint8",
        "crs": grid.crs,
        "transform": Affine(*grid.transform),
        "nodata": plane.nodata,
        "compress": "deflate",
        "interleave": "band",
        "bigtiff": "IF_SAFER",
    }
    if min(grid.height, grid.width) >= BLOCK:
        profile |= {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK}
    path.parent.mkdir(parents=True, exist_ok=True)
    target = rasterio.open(path, "w", **profile)
    target.write_colormap(1, {code: (*rgb, 255) for code, rgb in plane.colours.items()})
    for number, band in enumerate(plane.bands, start=1):
        target.set_band_description(number, band)
    target.update_tags(**plane.tags)
    return target


def _finish(part: Path, plane: Plane, grid: Grid) -> None:
    """Give a written file its name: as it is with coarse copies, or as a COG."""
    if plane.cog:
        options = {"compress": "deflate", "blocksize": BLOCK, "overview_resampling": "nearest"}
        copy_raster(part, plane.path, driver="COG", bigtiff="IF_SAFER", **options)
        return
    factors = overview_factors(grid)
    if factors:
        with rasterio.open(part, "r+") as target:
            target.build_overviews(factors, Resampling.nearest)
    part.replace(plane.path)


def verify(plane: Plane, grid: Grid, sha256: Mapping[str, str]) -> None:
    """Read a raster back; raises `RasterError` that names what is not as it was written."""
    info = describe(plane.path)
    found = info.colours or {}
    checks = {
        "pixels": _read_sha256(plane, info.grid) == dict(sha256),
        "position": same_grid(info.grid, grid, EXACT_PX),
        "CRS": same_crs(info.grid.crs, grid.crs),
        "nodata": info.nodata == plane.nodata,
        "transparency": info.alpha_band is None,
        "colour table": all(found.get(code) == rgb for code, rgb in plane.colours.items()),
    }
    wrong = [name for name, good in checks.items() if not good]
    if wrong:
        raise RasterError(
            str(plane.path),
            found=f"other {', '.join(wrong)} than written",
            expected="a file that reads back equal",
            todo="Check the disk and export again.",
        )


def _read_sha256(plane: Plane, grid: Grid) -> dict[str, str]:
    tallies = [Tally() for _ in plane.bands]
    sources = [(plane.path, number) for number in range(1, len(plane.bands) + 1)]
    for window in row_windows(grid):
        values = read(sources, grid, window, categorical=True).values
        for tally, rows in zip(tallies, values, strict=True):
            tally.add(rows)
    return {name: tally.sha256 for name, tally in zip(plane.bands, tallies, strict=True)}

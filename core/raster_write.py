"""Writing GeoTIFFs: all of a file or nothing."""

import os
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.transform import Affine
from rasterio.windows import Window

from core.errors import GridMismatch, RasterError
from core.grid import BLOCK
from core.records import Grid
from core.sources.base import Array, reason

LARGE_SIDE = 4096

ROWS: Mapping[str, object] = {
    "bigtiff": "IF_SAFER",
    "photometric": "MINISBLACK",  # four bands of bytes would be taken for colours with alpha
    "interleave": "band",
    "compress": "zstd",
    "zstd_level": 1,
    "predictor": 2,
}
"""How files are made that come row by row: while a network runs, so in as little time as may be.

On maps and probabilities this takes a tenth of the time of deflate, which `_profile` asks for, and
no more room.
"""


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
    profile = {**_profile(grid, bands.shape[0], bands.dtype.name), "nodata": nodata}
    part = _part(path)
    try:
        with rasterio.open(part, "w", **profile) as target:
            if colours:
                target.write_colormap(1, {code: (*rgb, 255) for code, rgb in colours.items()})
            _say(target, descriptions, tags)
            target.write(bands)
        _complete(part, path, grid, class_overviews=class_overviews)
    except RasterioError as error:
        raise RasterError(str(path), found=reason(error), expected="to write a file") from error
    finally:
        part.unlink(missing_ok=True)


class RowFile:
    """A GeoTIFF that comes row by row and appears under its name when it is whole.

    Rows are held until they fill blocks, so that each block is compressed once. A context: what
    was not finished when it ends leaves no file.
    """

    def __init__(
        self,
        folder: Path,
        grid: Grid,
        count: int,
        *,
        descriptions: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Begin a file of `count` uint8 bands, which lie apart in it."""
        self.grid, self.part = grid, _part(folder / f"rows-{secrets.token_hex(6)}.tif")
        profile = {**_profile(grid, count, "uint8"), **ROWS}
        self._waiting: list[Array] = []
        self._written = 0
        with _named(self.part):
            self._target = rasterio.open(self.part, "w", **profile)
            _say(self._target, descriptions, tags)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._target.close()
        finally:
            self.part.unlink(missing_ok=True)

    def add(self, rows: Array) -> None:
        """Add the next rows, uint8 [C, h, W].

        Raises `RasterError` when the disk refuses and `GridMismatch` when they do not fit.
        """
        self._waiting.append(rows)
        held = sum(part.shape[1] for part in self._waiting)
        if self._written + held > self.grid.height or rows.shape[2] != self.grid.width:
            raise GridMismatch(
                "rows of a raster",
                found=f"{rows.shape[2]} px wide, up to row {self._written + held}",
                expected=f"{self.grid.height} rows of {self.grid.width} px",
            )
        if held >= BLOCK:
            self._write(held - held % BLOCK)

    def finish(self, path: Path, *, class_overviews: bool = False) -> None:
        """Give the whole file its name; raises `GridMismatch` when rows are missing."""
        self._write(sum(part.shape[1] for part in self._waiting))
        if self._written != self.grid.height:
            raise GridMismatch(
                str(path), found=f"{self._written} rows", expected=f"{self.grid.height}"
            )
        with _named(path):
            self._target.close()
            _complete(self.part, path, self.grid, class_overviews=class_overviews)

    def _write(self, count: int) -> None:
        if not count:
            return
        held = self._waiting[0] if len(self._waiting) == 1 else np.concatenate(self._waiting, 1)
        area = Window(0, self._written, self.grid.width, count)
        with _named(self.part):
            self._target.write(held[:, :count], window=area)
        self._waiting = [held[:, count:]] if held.shape[1] > count else []
        self._written += count


def _profile(grid: Grid, count: int, dtype: str) -> dict[str, Any]:
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "count": count,
        "height": grid.height,
        "width": grid.width,
        "dtype": dtype,
        "crs": grid.crs,
        "transform": Affine(*grid.transform),
        "compress": "deflate",
    }
    if min(grid.height, grid.width) >= BLOCK:
        profile |= {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK}
    return profile


def _part(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")


def _say(target: Any, descriptions: Sequence[str], tags: Mapping[str, str] | None) -> None:  # noqa: ANN401
    for number, text in enumerate(descriptions, start=1):
        target.set_band_description(number, text)
    target.update_tags(**(tags or {}))


def _complete(part: Path, path: Path, grid: Grid, *, class_overviews: bool) -> None:
    """Add coarse copies, see to it that all is on disk, and give the file its name."""
    factors = overview_factors(grid) if class_overviews else []
    if factors:
        with rasterio.open(part, "r+") as target:
            target.build_overviews(factors, Resampling.nearest)
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(path)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except RasterioError as error:
        raise RasterError(str(path), found=reason(error), expected="to write a file") from error


def overview_factors(grid: Grid) -> list[int]:
    """Return how many times coarser the copies of a large raster are: 2, 4, ... to one block."""
    longest = max(grid.height, grid.width)
    if longest <= LARGE_SIDE:
        return []
    return [1 << z for z in range(1, (longest - 1).bit_length() - BLOCK.bit_length() + 2)]

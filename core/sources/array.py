"""One array of an HDF5, NetCDF or Zarr file as a raster: its dimensions, meaning and position."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from core.errors import RasterError
from core.grid import IDENTITY, Window
from core.records import Grid
from core.sources.base import Raster, RasterInfo, resolve
from core.sources.reduce import reduced
from core.sources.source import Part

MOST_CHUNK_BYTES = 2**30  # a chunk is unpacked whole, however little of it is asked for
MOST_WINDOW_BYTES = 2**33
UNEVEN_PX = 0.01
KNOWN_Y = ("y", "lat", "latitude", "northing", "rlat")
KNOWN_X = ("x", "lon", "longitude", "easting", "rlon")

Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class ArrayFile:
    """What an opener found: the array, the names of its dimensions, and what belongs to it.

    `beside` returns another array of the same group by name, or None.
    """

    path: Path
    array: Any
    names: tuple[str, ...]
    attributes: Attributes
    beside: Callable[[str], "ArrayFile | None"]
    size_bytes: int = 0
    chunk: tuple[int, ...] | None = None
    keep: tuple[Any, ...] = field(default=(), repr=False)


class ArrayRaster:
    """Windows of one array; see `core.sources.base.Opened`."""

    def __init__(self, file: ArrayFile, part: Part) -> None:
        """Raise `RasterError` where the array is not what `part` says."""
        self._file, self._axes = file, _axes(file, part)
        _check_size(file)
        shape = file.array.shape
        height, width = shape[self._axes.index("y")], shape[self._axes.index("x")]
        count = shape[self._axes.index("b")] if "b" in self._axes else 1
        grid, self._flip_y, self._flip_x = _position(file, self._axes, height, width)
        self._scale = _number(file.attributes, "scale_factor", 1.0)
        self._offset = _number(file.attributes, "add_offset", 0.0)
        nodata = _number(file.attributes, "_FillValue", np.nan)
        if np.isnan(nodata):
            nodata = _number(file.attributes, "missing_value", np.nan)
        self.info = RasterInfo(
            path=file.path,
            height=height,
            width=width,
            count=count,
            dtype="float32" if self._scaled else file.array.dtype.name,
            grid=grid,
            nodata=None if np.isnan(nodata) else float(nodata),
            colours=None,
            descriptions=(part.array,) * count,
            has_gcps=False,
            has_mask=False,
            alpha_band=None,
            size_bytes=file.size_bytes,
            overviews=(),
        )

    @property
    def _scaled(self) -> bool:
        return self._scale != 1.0 or self._offset != 0.0

    def read(
        self, bands: list[int], window: Window, shape: tuple[int, int], categorical: bool
    ) -> Raster:
        """Return a window of the array, north up."""

        def strip(part: Window) -> Raster:
            values = self._pixels(bands, part)
            return resolve(values, self.info.nodata, categorical, None)

        raster = reduced(strip, window, shape, categorical)
        if categorical or not self._scaled:
            return raster
        values = raster.values.astype(np.float32) * np.float32(self._scale)
        values += np.float32(self._offset)
        values[:, ~raster.valid] = 0
        return Raster(values, raster.valid)

    def holds_classes(self) -> bool:
        """Return True: there are no coarse copies."""
        return True

    def close(self) -> None:
        """Leave it to the last reference."""

    def _pixels(self, bands: list[int], window: Window) -> Any:  # noqa: ANN401
        """Return [C, h, w] in the array's dtype, in the byte order of this machine."""
        low, high = min(bands) - 1, max(bands)
        y0, x0 = window.y0, window.x0
        if self._flip_y:
            y0 = self.info.height - y0 - window.h
        if self._flip_x:
            x0 = self.info.width - x0 - window.w
        size = (high - low) * window.h * window.w * self._file.array.dtype.itemsize
        if size > MOST_WINDOW_BYTES:
            raise RasterError(
                str(self._file.path), found=f"{size:,} bytes at once", expected="a smaller tile"
            )
        cut = {"b": slice(low, high), "y": slice(y0, y0 + window.h), "x": slice(x0, x0 + window.w)}
        index = tuple(cut[axis] if isinstance(axis, str) else axis for axis in self._axes)
        values = np.asarray(self._file.array[index])
        kept = [axis for axis in self._axes if isinstance(axis, str)]
        if "b" not in kept:
            values, kept = values[np.newaxis], ["b", *kept]
        values = values.transpose([kept.index(axis) for axis in ("b", "y", "x")])
        values = values[[band - 1 - low for band in bands]] if "b" in self._axes else values
        values = values[:, :: -1 if self._flip_y else 1, :: -1 if self._flip_x else 1]
        native = values.dtype.newbyteorder("=")
        return np.array(values, native, order="C")


def _axes(file: ArrayFile, part: Part) -> tuple[int | str, ...]:
    """Return one entry for each dimension; guesses rows and columns where `part` names none."""
    shape = file.array.shape
    axes = part.axes or _guessed(file)
    chosen = [axis for axis in axes if isinstance(axis, str)]
    whole = sorted(chosen) in (["x", "y"], ["b", "x", "y"]) and len(axes) == len(shape)
    inside = whole and all(
        0 <= axis < size
        for axis, size in zip(axes, shape, strict=True)
        if not isinstance(axis, str)
    )
    if not inside or 0 in shape or file.array.dtype.kind not in "uif":
        raise RasterError(
            f"{file.path}, array {part.array!r}",
            found=f"{file.array.dtype} values in shape {tuple(shape)}",
            expected=f"real numbers read as {list(axes)}",
            todo="Choose another variable, or other dimensions.",
        )
    return axes


def _guessed(file: ArrayFile) -> tuple[int | str, ...]:
    """Return rows and columns by their names, or the last two; the first of all others."""
    lower = [name.rsplit("/", 1)[-1].lower() for name in file.names]
    ndim = len(file.array.shape)
    axes: list[int | str] = [0] * ndim
    y = next((i for i, name in enumerate(lower) if name in KNOWN_Y), ndim - 2)
    x = next((i for i, name in enumerate(lower) if name in KNOWN_X), ndim - 1)
    if ndim >= 2:
        axes[y], axes[x] = "y", "x"
    return tuple(axes)


def _check_size(file: ArrayFile) -> None:
    if file.chunk:
        size = int(np.prod([int(n) for n in file.chunk], dtype=object)) * file.array.dtype.itemsize
        if size > MOST_CHUNK_BYTES:
            raise RasterError(
                str(file.path),
                found=f"pieces of {size:,} bytes",
                expected=f"at most {MOST_CHUNK_BYTES:,}",
                todo="Write the file again in smaller chunks.",
            )


def _position(
    file: ArrayFile, axes: tuple[int | str, ...], height: int, width: int
) -> tuple[Grid, bool, bool]:
    """Return the grid, north up, and whether rows and columns are stored the other way round."""
    unplaced = Grid(height, width, IDENTITY, None), False, False
    if len(file.names) != len(axes):
        return unplaced
    ys = _steps(file.beside(file.names[axes.index("y")]))
    xs = _steps(file.beside(file.names[axes.index("x")]))
    if ys is None or xs is None:
        return unplaced
    (y0, step_y, _), (x0, step_x, units) = ys, xs
    flip_y, flip_x = step_y > 0, step_x < 0
    top = y0 + (step_y * (height - 1) if flip_y else 0.0) + abs(step_y) / 2
    left = x0 + (step_x * (width - 1) if flip_x else 0.0) - abs(step_x) / 2
    transform = (abs(step_x), 0.0, left, 0.0, -abs(step_y), top)
    return Grid(height, width, transform, _crs(file, units)), flip_y, flip_x


def _steps(coordinate: ArrayFile | None) -> tuple[float, float, str] | None:
    """Return (first, step, units) of evenly spaced coordinates of pixel centres, else None."""
    if coordinate is None or len(coordinate.array.shape) != 1:
        return None
    count = coordinate.array.shape[0]
    if not 2 <= count <= 2**20 or coordinate.array.dtype.kind not in "uif":
        return None
    values = np.asarray(coordinate.array[:], np.float64)
    step = float(values[-1] - values[0]) / (count - 1)
    even = values[0] + step * np.arange(count)
    if not np.isfinite(step) or step == 0 or np.abs(values - even).max() > UNEVEN_PX * abs(step):
        return None
    return float(values[0]), step, _text(coordinate.attributes, "units")


def _crs(file: ArrayFile, units: str) -> str | None:
    """Return the CRS of a CF grid mapping, degrees as WGS 84, or None."""
    named = _text(file.attributes, "grid_mapping") or "spatial_ref"
    mapping = file.beside(named)
    about = dict(mapping.attributes) if mapping else {}
    text = _text(about, "crs_wkt") or _text(about, "spatial_ref") or _text(file.attributes, "crs")
    try:
        if text:
            found = CRS.from_user_input(text)
        elif "grid_mapping_name" in about:
            found = CRS.from_cf({k: _plain(v) for k, v in about.items()})
        else:
            return "EPSG:4326" if units.startswith("degree") else None
    except (CRSError, KeyError, ValueError):
        return None
    authority = found.to_authority()
    return ":".join(authority) if authority else str(found.to_wkt())


def _number(attributes: Attributes, name: str, default: float) -> float:
    value = np.asarray(attributes.get(name, default))
    if value.size != 1 or value.dtype.kind not in "uif":
        return default
    return float(value.ravel()[0])


def _text(attributes: Attributes, name: str) -> str:
    value = _plain(attributes.get(name, ""))
    return value if isinstance(value, str) else ""


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        return value.tolist() if value.size != 1 else _plain(value.ravel()[0])
    return value.item() if isinstance(value, np.generic) else value

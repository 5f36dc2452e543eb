"""Which opener reads a file, and the files that each thread holds open."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rasterio.errors import RasterioError

from core.addresses import is_remote
from core.errors import CloudbrushError, RasterError
from core.sources.base import Opened, reason
from core.sources.gdal import GdalRaster
from core.sources.hdf5 import open_hdf5
from core.sources.laid import LaidRaster
from core.sources.netcdf3 import open_netcdf
from core.sources.recoded import AboveRaster, RecodedRaster
from core.sources.remote import open_remote
from core.sources.scaled import ScaledRaster
from core.sources.source import Part
from core.sources.vector import VectorRaster
from core.sources.zarr import open_zarr

HANDLES_PER_THREAD = 16

Key = tuple[Path, Part | None, int, int]
Opener = Callable[[Path, Part], Opened]

OPENERS: dict[str, Opener] = {
    ".h5": open_hdf5,
    ".hdf5": open_hdf5,
    ".nc": open_netcdf,
    ".nc4": open_netcdf,
    ".zarr": open_zarr,
    ".geojson": VectorRaster,
    ".json": VectorRaster,
}
VECTORS = (".geojson", ".json")


class _Handles(threading.local):
    """Open files of one thread; neither GDAL's nor HDF5's may be shared between threads."""

    def __init__(self) -> None:
        self.by_key: OrderedDict[Key, Opened] = OrderedDict()


_handles = _Handles()


def open_raster(path: Path, part: Part | None = None) -> Opened:
    """Return the raster of a path and part, kept open for this thread; raises `RasterError`."""
    if part and part.grid and path.suffix.lower() not in VECTORS:
        under = open_raster(path, replace(part, grid=None, stretch=False))
        if under.info.grid == part.grid:
            return under
        return LaidRaster(under, part.grid, stretch=part.stretch)
    try:
        size, mtime_ns = (0, 0) if is_remote(path) else _stamp(path)
        key = (path, part, size, mtime_ns)
        if key not in _handles.by_key:
            _handles.by_key[key] = _open_new(path, part, size, mtime_ns)
            while len(_handles.by_key) > HANDLES_PER_THREAD:
                _, oldest = _handles.by_key.popitem(last=False)
                oldest.close()
        _handles.by_key.move_to_end(key)
        return _handles.by_key[key]
    except (RasterioError, OSError, ValueError, KeyError, RuntimeError) as error:
        if isinstance(error, CloudbrushError):
            raise
        raise RasterError(
            str(path),
            found=reason(error),
            expected="a readable GeoTIFF, PNG or JPEG",
            todo="Copy or export the file again, or leave it out.",
        ) from error


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _open_new(path: Path, part: Part | None, size: int, mtime_ns: int) -> Opened:
    opener = OPENERS.get(path.suffix.lower())
    if opener:
        opened = opener(path, part or Part())
    elif is_remote(path):
        opened = open_remote(path)
    else:
        opened = GdalRaster(path, size, mtime_ns)
    if part and (part.nodata is not None or part.scale != 1.0 or part.offset != 0.0):
        opened = ScaledRaster(opened, part)
    if part and part.above is not None:
        opened = AboveRaster(opened, part.above)
    if part and part.codes and path.suffix.lower() not in VECTORS:
        opened = RecodedRaster(opened, part)
    return opened

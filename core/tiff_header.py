"""Headers of many TIFF files, fast: files that differ in their place only are described once.

GDAL takes most of a millisecond for a header. Here the tags of a file are read, and those that say
where it lies are set apart. The first file with the same other tags is described by GDAL, and the
next ones take over what it said, with their own place. Whatever is out of the ordinary (overviews,
files beside it, a place told in another way) goes to GDAL, one file at a time.

Source: TIFF 6.0, Adobe, 1992, sections 2 and 7; OGC GeoTIFF 1.1, 19-008r4, section 7.1.
"""

import os
import struct
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from core.grid import IDENTITY
from core.raster import describe
from core.sources.base import RasterInfo

SUFFIXES = (".tif", ".tiff")
BESIDE = (".aux.xml", ".ovr", ".msk")  # after the whole name
WORLD = (".tfw", ".tifw", ".wld")  # in place of the suffix
MOST_TAGS, MOST_BYTES = 64, 1 << 16
MOST_KNOWN = 1024

SCALE, TIE_POINT, MATRIX = 33550, 33922, 34264
DATA = (273, 279, 324, 325)  # offsets and lengths of strips and tiles
BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}

Transform = tuple[float, float, float, float, float, float]
Key = tuple[object, ...]

_known: dict[Key, RasterInfo | None] = {}


def describe_quickly(path: Path) -> RasterInfo:
    """Return what `core.raster.describe` returns; raises `RasterError` as it does."""
    try:
        found = _tags(path) if path.suffix.lower() in SUFFIXES else None
    except (OSError, struct.error, KeyError):
        found = None
    if found is None:
        return describe(path)
    key, transform, size = found
    if key not in _known:
        info = describe(path)
        if len(_known) < MOST_KNOWN:
            # Where GDAL sees the place otherwise, it is asked for each file.
            _known[key] = info if info.grid.transform == transform else None
        return info
    known = _known[key]
    if known is None:
        return describe(path)
    return replace(known, path=path, size_bytes=size, grid=replace(known.grid, transform=transform))


def _tags(path: Path) -> tuple[Key, Transform, int] | None:
    """Return all tags but those of place and data, the place, and the size in bytes.

    None where the file is not of the ordinary kind. Raises `struct.error` where it is cut short.
    """
    folder = path.parent
    beside = _beside(folder, folder.stat().st_mtime_ns)
    if path.name in beside or path.stem in beside:
        return None
    with path.open("rb") as file:
        start = file.read(8)
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(start[:4])
        if order is None:
            return None
        file.seek(struct.unpack(order + "I", start[4:])[0])
        (count,) = struct.unpack(order + "H", file.read(2))
        entries = file.read(12 * count + 4)
        (following,) = struct.unpack(order + "I", entries[12 * count :])
        if count > MOST_TAGS or following:
            return None
        key: list[object] = [order]
        place: dict[int, tuple[float, ...]] = {}
        for number in range(count):
            tag, kind, length, _ = struct.unpack_from(order + "HHII", entries, 12 * number)
            if tag in DATA:
                continue
            size = BYTES[kind] * length
            if size > MOST_BYTES:
                return None
            value = entries[12 * number + 8 : 12 * number + 8 + size]
            if size > 4:
                file.seek(struct.unpack_from(order + "I", entries, 12 * number + 8)[0])
                value = file.read(size)
            if tag in (SCALE, TIE_POINT, MATRIX):
                place[tag] = struct.unpack(f"{order}{length}d", value)
                value = b""
            key.append((tag, kind, length, value))
        transform = _transform(place)
        return (tuple(key), transform, file.seek(0, 2)) if transform else None


@lru_cache(maxsize=64)
def _beside(folder: Path, mtime_ns: int) -> frozenset[str]:
    """Return the names and stems of rasters in a folder that have a file beside them."""
    found = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            lower = entry.name.lower()
            for end in (*BESIDE, *WORLD):
                if lower.endswith(end):
                    found.add(entry.name[: -len(end)])
    return frozenset(found)


def _transform(place: dict[int, tuple[float, ...]]) -> Transform | None:
    """Return the affine numbers a..f of one tie point and a scale; None for any other place."""
    if not place:
        return IDENTITY
    scale, point = place.get(SCALE, ()), place.get(TIE_POINT, ())
    if MATRIX in place or len(scale) != 3 or len(point) != 6:
        return None
    column, row, _, x, y, _ = point
    return (scale[0], 0.0, x - column * scale[0], 0.0, -scale[1], y + row * scale[1])

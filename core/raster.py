"""The only place that reads rasters: describe, and read onto a tile's grid.

Reading order: nodata, masks and NaN first, then resampling, then casts. Pixels that are not valid
hold 0 in `values`; look at `valid` before any statistic. Class rasters are resampled nearest only,
images bilinear (averaged first where the file is much finer). Originals are opened read-only.
Each kind of file has its opener in `core.sources`, and `core.sources.source` says what a band is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.addresses import check_remote, is_remote
from core.errors import ClassTableError, DatasetError, RasterError
from core.grid import Window, offset_px, pixel_map, same_grid, whole
from core.raster_write import LARGE_SIDE, overview_factors, write_geotiff
from core.records import Grid, Layer, Modality
from core.sources.base import Array, Mask, Raster, RasterInfo, named_errors
from core.sources.gdal import DRIVERS
from core.sources.laid import sample
from core.sources.open import open_raster
from core.sources.source import Part, part_of

__all__ = [
    "CLASS_MODALITIES",
    "DRIVERS",
    "LARGE_SIDE",
    "SUFFIXES",
    "Array",
    "Mask",
    "Raster",
    "RasterInfo",
    "Sources",
    "apply_codes",
    "check_allowed",
    "describe",
    "describe_source",
    "overview_factors",
    "overviews_hold_classes",
    "read",
    "read_layer",
    "write_geotiff",
]

SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jp2")
CLASS_MODALITIES = frozenset({Modality.LABEL, Modality.TRUTH, Modality.CLOUD, Modality.MODEL})

Sources = Sequence[tuple[Path, int]]


def check_allowed(path: Path | str, roots: Sequence[Path]) -> Path:
    """Return the absolute path with links resolved.

    A remote path is held against the remote ones among the roots, which the setting
    `remote_roots` adds. Raises `DatasetError` when it lies outside every root or is no path at all.
    """
    if is_remote(Path(path)):
        return check_remote(Path(path), roots)
    try:
        full = Path(path).expanduser().resolve()
        inside = any(full.is_relative_to(root.resolve()) for root in roots)
    except (OSError, ValueError, RuntimeError) as error:
        raise DatasetError(
            "path", found=repr(str(path))[:200], expected=f"a path on this machine ({error})"
        ) from error
    if not inside:
        raise DatasetError(
            str(full),
            found="a path outside the folders that may be read",
            expected="a path below " + ", ".join(map(str, roots)),
            todo="Move the data there or add its folder to the setting data_roots.",
        )
    return full


def describe(path: Path, part: Part | None = None) -> RasterInfo:
    """Return what the header says; raises `RasterError` when the file cannot be opened."""
    return replace(open_raster(path, part).info, part=part)


def describe_source(source: tuple[Path, int]) -> RasterInfo:
    """Return what the header of a source says; raises `RasterError`."""
    return describe(source[0], part_of(source))


def read(
    sources: Sources,
    grid: Grid | None = None,
    window: Window | None = None,
    *,
    out_shape: tuple[int, int] | None = None,
    categorical: bool = False,
) -> Raster:
    """Read bands onto `grid` (that of the first file when None), resampled where grids differ.

    `sources` lists (path, 1-based band). `window` is in pixels of `grid`; `out_shape` (rows,
    columns) asks for a coarser or finer copy of it. Class rasters (`categorical`) keep their
    file's values, nodata tag included: their code map says what it means.
    Raises `RasterError` when a file cannot be read and `GridMismatch` when it lies elsewhere.
    """
    if not sources:
        raise RasterError("layer", found="no file", expected="at least one file and band")
    grid = grid or describe_source(sources[0]).grid
    window = window or whole(grid)
    shape = out_shape or (window.h, window.w)
    parts = [
        _read_file(path, part, [band for _, band in bands], grid, window, shape, categorical)
        for (path, part), bands in groupby(sources, key=lambda one: (one[0], part_of(one)))
    ]
    if len(parts) == 1:
        return parts[0]
    valid = np.logical_and.reduce([part.valid for part in parts])
    values = np.concatenate([part.values for part in parts])
    values[:, ~valid] = 0
    return Raster(values, valid)


def read_layer(
    layer: Layer,
    grid: Grid,
    window: Window | None = None,
    out_shape: tuple[int, int] | None = None,
) -> Raster:
    """Read a layer onto its tile's grid.

    Label, truth, cloud and model layers come back as uint8 [1, H, W] codes after their code map,
    with the layer's `nodata` code (255 when None) where the file has no value.
    """
    categorical = layer.modality in CLASS_MODALITIES
    raster = read(layer.sources, grid, window, out_shape=out_shape, categorical=categorical)
    if not categorical:
        return raster
    none = 255 if layer.nodata is None else int(layer.nodata)
    codes = apply_codes(raster, layer.code_map or {}, none, str(layer.sources[0][0]))
    return Raster(codes, codes[0] != none)


def apply_codes(
    raster: Raster, code_map: Mapping[int, int], none: int, where: str
) -> npt.NDArray[np.uint8]:
    """Return uint8 codes of a class raster; values not in `code_map` stay as they are.

    Raises `ClassTableError` for values that fit no code.
    """
    if raster.values.dtype == np.uint8:
        lut = np.arange(256, dtype=np.uint8)
        for value, code in code_map.items():
            if 0 <= value <= 255:
                lut[value] = code
        codes = lut[raster.values]
    else:
        found, inverse = np.unique(raster.values, return_inverse=True)
        targets = [code_map.get(int(v), v) if float(v).is_integer() else -1 for v in found.tolist()]
        wrong = [v for v, t in zip(found.tolist(), targets, strict=True) if not 0 <= t <= 255]
        if wrong:
            raise ClassTableError(
                where,
                found=f"values {wrong[:8]}",
                expected="whole class codes from 0 to 255",
                todo="Map them to classes or to void.",
            )
        codes = np.array(targets, np.uint8)[inverse].reshape(raster.values.shape)
    if not raster.valid.all():
        codes[:, ~raster.valid] = none
    return codes


def overviews_hold_classes(path: Path, part: Part | None = None) -> bool:
    """Return whether a class raster may be read from afar by its overviews; raises `RasterError`.

    Those that average codes are passed by.
    """
    return open_raster(path, part).holds_classes()


def _read_file(
    path: Path,
    part: Part | None,
    bands: list[int],
    grid: Grid,
    window: Window,
    shape: tuple[int, int],
    categorical: bool,
) -> Raster:
    source = open_raster(path, part)
    info = source.info
    if max(bands) > info.count or min(bands) < 1:
        raise RasterError(
            str(path), found=f"{info.count} bands", expected=f"at least {max(bands)} bands"
        )
    if np.dtype(info.dtype).kind not in "uif":
        raise RasterError(str(path), found=f"{info.dtype} values", expected="real numbers")
    with named_errors(path):
        if same_grid(grid, info.grid):
            return source.read(bands, window, shape, categorical)
        offset_px(grid, info.grid)
        # Grids that `offset_px` accepts are not turned by more than a pixel.
        return sample(source, pixel_map(grid, info.grid), bands, window, shape, categorical)

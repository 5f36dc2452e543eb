"""The only place that opens rasters: describe, read onto a tile's grid, and write.

Reading order: nodata, masks and NaN first, then resampling, then casts. Pixels that are not valid
hold 0 in `values`; look at `valid` before any statistic. Class rasters are resampled nearest only,
images bilinear (averaged first where the file is much finer). Originals are opened read-only.
"""

import os
import threading
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import MaskFlags, Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.transform import Affine
from rasterio.windows import Window as RasterioWindow

from core.errors import ClassTableError, DatasetError, GridMismatch, RasterError
from core.grid import BLOCK, Window, offset_px, pixel_map, same_grid, whole
from core.overviews import hold_classes
from core.records import Grid, Layer, Modality
from core.resample import bilinear, centres, nearest, plan_axis

DRIVERS = ("GTiff", "PNG", "JPEG", "JP2OpenJPEG")  # no driver that follows addresses in a file
SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jp2")
CLASS_MODALITIES = frozenset({Modality.LABEL, Modality.TRUTH, Modality.CLOUD, Modality.MODEL})
HANDLES_PER_THREAD = 16
LARGE_SIDE = 4096
KEPT_DTYPES = ("uint8", "int8", "uint16", "int16", "float32")

# Missing positions are reported as findings at import.
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)

Sources = Sequence[tuple[Path, int]]
Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RasterInfo:
    """What the header of a raster says. `colours` maps codes to (red, green, blue)."""

    path: Path
    height: int
    width: int
    count: int
    dtype: str
    grid: Grid
    nodata: float | None
    colours: dict[int, tuple[int, int, int]] | None
    descriptions: tuple[str, ...]
    has_gcps: bool
    has_mask: bool  # an internal mask or alpha band
    alpha_band: int | None
    size_bytes: int
    overviews: tuple[int, ...]  # how many times coarser the copies inside the file are


@dataclass(frozen=True)
class Raster:
    """Pixels: `values` [C, H, W] in the file's dtype or float32, and `valid` bool [H, W]."""

    values: Array
    valid: Mask


@dataclass(frozen=True)
class _Open:
    dataset: Any
    info: RasterInfo


class _Handles(threading.local):
    """Open files of one thread; a rasterio dataset must not be shared between threads."""

    def __init__(self) -> None:
        self.by_key: OrderedDict[tuple[Path, int, int], _Open] = OrderedDict()


_handles = _Handles()
_overviews_hold: dict[tuple[Path, int, int], bool] = {}


def check_allowed(path: Path | str, roots: Sequence[Path]) -> Path:
    """Return the absolute path with links resolved.

    Raises `DatasetError` when it lies outside every root or is no path at all.
    """
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


def describe(path: Path) -> RasterInfo:
    """Return what the header says; raises `RasterError` when the file cannot be opened."""
    return _open(path).info


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
    grid = grid or describe(sources[0][0]).grid
    window = window or whole(grid)
    shape = out_shape or (window.h, window.w)
    parts = [
        _read_file(path, [band for _, band in bands], grid, window, shape, categorical)
        for path, bands in groupby(sources, key=lambda source: source[0])
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
        raise RasterError(str(path), found=_reason(error), expected="to write a file") from error
    finally:
        part.unlink(missing_ok=True)


def overview_factors(grid: Grid) -> list[int]:
    """Return how many times coarser the copies of a large raster are: 2, 4, ... to one block."""
    longest = max(grid.height, grid.width)
    if longest <= LARGE_SIDE:
        return []
    return [1 << z for z in range(1, (longest - 1).bit_length() - BLOCK.bit_length() + 2)]


def _open(path: Path) -> _Open:
    try:
        stat = path.stat()
        key = (path, stat.st_mtime_ns, stat.st_size)
        if key not in _handles.by_key:
            _handles.by_key[key] = _open_new(path, stat.st_size)
            while len(_handles.by_key) > HANDLES_PER_THREAD:
                _, oldest = _handles.by_key.popitem(last=False)
                oldest.dataset.close()
        _handles.by_key.move_to_end(key)
        return _handles.by_key[key]
    except (RasterioError, OSError, ValueError) as error:
        if isinstance(error, RasterError):
            raise
        raise RasterError(
            str(path),
            found=_reason(error),
            expected="a readable GeoTIFF, PNG or JPEG",
            todo="Copy or export the file again, or leave it out.",
        ) from error


def _open_new(path: Path, size_bytes: int) -> _Open:
    with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="TRUE"):
        dataset = rasterio.DatasetReader(str(path), driver=list(DRIVERS))
    return _Open(dataset, _describe(path, dataset, size_bytes))


def overviews_hold_classes(path: Path) -> bool:
    """Return whether a class raster may be read from afar by its overviews; raises `RasterError`.

    Those that average codes are passed by. Remembered while the file's size and time stay.
    """
    stat = path.stat()
    key = (path, stat.st_size, stat.st_mtime_ns)
    if key not in _overviews_hold:
        with _named_errors(path):
            _overviews_hold[key] = hold_classes(_open(path).dataset)
    return _overviews_hold[key]


def _for_classes(source: _Open) -> Any:  # noqa: ANN401
    """Return what to read coarse classes from."""
    if overviews_hold_classes(source.info.path):
        return source.dataset
    path = str(source.info.path)
    return rasterio.DatasetReader(path, driver=list(DRIVERS), OVERVIEW_LEVEL="NONE")


def _describe(path: Path, dataset: Any, size_bytes: int) -> RasterInfo:  # noqa: ANN401
    transform = Affine(*dataset.transform[:6])
    if transform.determinant == 0:
        raise RasterError(
            str(path), found=f"pixels without area {tuple(transform)[:6]}", expected="a pixel size"
        )
    crs = dataset.crs.to_string() if dataset.crs else None
    a, b, c, d, e, f = tuple(transform)[:6]
    flags = dataset.mask_flag_enums
    alpha = [number for number, kind in enumerate(dataset.colorinterp, 1) if kind.name == "alpha"]
    return RasterInfo(
        path=path,
        height=dataset.height,
        width=dataset.width,
        count=dataset.count,
        dtype=dataset.dtypes[0],
        grid=Grid(dataset.height, dataset.width, (a, b, c, d, e, f), crs),
        nodata=dataset.nodata,
        colours=_colours(dataset),
        descriptions=tuple(text or "" for text in dataset.descriptions),
        has_gcps=bool(dataset.gcps[0]),
        has_mask=any(MaskFlags.per_dataset in of_band for of_band in flags),
        alpha_band=alpha[0] if alpha else None,
        size_bytes=size_bytes,
        overviews=tuple(dataset.overviews(1)),
    )


def _colours(dataset: Any) -> dict[int, tuple[int, int, int]] | None:  # noqa: ANN401
    try:
        table = dataset.colormap(1)
    except ValueError:  # rasterio's way to say that there is none
        return None
    return {code: (rgba[0], rgba[1], rgba[2]) for code, rgba in table.items()}


def _read_file(
    path: Path,
    bands: list[int],
    grid: Grid,
    window: Window,
    shape: tuple[int, int],
    categorical: bool,
) -> Raster:
    source = _open(path)
    info = source.info
    if max(bands) > info.count or min(bands) < 1:
        raise RasterError(
            str(path), found=f"{info.count} bands", expected=f"at least {max(bands)} bands"
        )
    if np.dtype(info.dtype).kind not in "uif":
        raise RasterError(str(path), found=f"{info.dtype} values", expected="real numbers")
    with _named_errors(path):
        if same_grid(grid, info.grid):
            return _read_pixels(source, bands, window, shape, categorical)
        offset_px(grid, info.grid)
        return _read_resampled(source, bands, grid, window, shape, categorical)


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except RasterioError as error:
        raise RasterError(
            str(path),
            found=_reason(error),
            expected="pixels that can be read",
            todo="The file is damaged or cut short: copy it again, or leave it out.",
        ) from error
    except GridMismatch as error:
        raise GridMismatch(
            f"{path}, {error.where}", found=error.found, expected=error.expected, todo=error.todo
        ) from error


def _reason(error: BaseException) -> str:
    return str(error.__cause__ or error).strip().rstrip(".") or type(error).__name__


def _read_pixels(
    source: _Open, bands: list[int], window: Window, shape: tuple[int, int], categorical: bool
) -> Raster:
    """Read a window of the file's own grid, averaged or nearest when `shape` is coarser."""
    info = source.info
    how = Resampling.nearest if categorical else Resampling.average
    area = RasterioWindow(window.x0, window.y0, window.w, window.h)
    coarse = categorical and shape != (window.h, window.w)
    dataset = _for_classes(source) if coarse else source.dataset
    values = dataset.read(bands, window=area, out_shape=(len(bands), *shape), resampling=how)
    valid = np.ones(shape, np.bool_)
    if info.nodata is not None and not categorical:
        valid &= ~_is_nodata(values, info.nodata)
    if info.has_mask:
        valid &= source.dataset.read_masks(bands[0], window=area, out_shape=shape) > 0
    if values.dtype.kind == "f":
        valid &= np.isfinite(values).all(axis=0)
    if not valid.all():
        values[:, ~valid] = 0
    keep = categorical or values.dtype.name in KEPT_DTYPES
    return Raster(values if keep else values.astype(np.float32), valid)


def _is_nodata(values: Array, nodata: float) -> Mask:
    """Return bool [H, W]. 0 is also a colour: it means no data only where all bands are 0."""
    if values.dtype.kind == "f":
        nodata = float(np.asarray(nodata, values.dtype))
    equal = values == nodata
    found: Mask = equal.all(axis=0) if nodata == 0 else equal.any(axis=0)
    return found


def _read_resampled(
    source: _Open,
    bands: list[int],
    grid: Grid,
    window: Window,
    shape: tuple[int, int],
    categorical: bool,
) -> Raster:
    """Sample the file at the centres of the wanted pixels, one axis after the other.

    Grids that `offset_px` accepts are not turned by more than a pixel, so the axes separate.
    """
    to_file = pixel_map(grid, source.info.grid)
    ys = to_file.e * centres(window.y0, window.h, shape[0]) + to_file.f
    xs = to_file.a * centres(window.x0, window.w, shape[1]) + to_file.c
    step_y, step_x = abs(to_file.e) * window.h / shape[0], abs(to_file.a) * window.w / shape[1]
    rows = plan_axis(ys, step_y, source.info.height)
    columns = plan_axis(xs, step_x, source.info.width)
    part = Window(rows.start, columns.start, rows.length, columns.length)
    raster = _read_pixels(source, bands, part, (rows.read, columns.read), categorical)
    sample = nearest if categorical else bilinear
    values, valid = sample(raster.values, raster.valid, rows, columns)
    if not valid.all():
        values[:, ~valid] = 0
    return Raster(values, valid)

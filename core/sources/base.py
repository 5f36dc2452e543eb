"""What every kind of file offers to `core.raster`: a header and windows of pixels."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from core.errors import CloudbrushError, GridMismatch, RasterError
from core.grid import Window
from core.records import Grid
from core.sources.source import Part

# Missing positions are reported as findings at import.
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)

KEPT_DTYPES = ("uint8", "int8", "uint16", "int16", "float32")

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
    part: Part | None = None


@dataclass(frozen=True)
class Raster:
    """Pixels: `values` [C, H, W] in the file's dtype or float32, and `valid` bool [H, W]."""

    values: Array
    valid: Mask


class Opened(Protocol):
    """An open raster, used by one thread. `read` gives pixels of its own grid."""

    info: RasterInfo

    def read(
        self, bands: list[int], window: Window, shape: tuple[int, int], categorical: bool
    ) -> Raster:
        """Return a window; where `shape` is coarser, averaged, or nearest when `categorical`.

        Pixels that are not valid hold 0; class rasters keep their nodata value and are valid
        wherever the file has a pixel.
        """

    def holds_classes(self) -> bool:
        """Return whether a class raster may be read coarsely by this file's overviews."""

    def close(self) -> None:
        """Give the file back."""


def resolve(values: Array, nodata: float | None, categorical: bool, mask: Mask | None) -> Raster:
    """Return pixels with nodata, `mask` (True is valid) and NaN told apart; see `Opened.read`."""
    valid = np.ones(values.shape[1:], np.bool_) if mask is None else mask
    if nodata is not None and not categorical:
        valid &= ~_is_nodata(values, nodata)
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


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Let errors of the libraries that read files name the file, for people."""
    try:
        yield
    except GridMismatch as error:
        raise GridMismatch(
            f"{path}, {error.where}", found=error.found, expected=error.expected, todo=error.todo
        ) from error
    except CloudbrushError:
        raise
    except (RasterioError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise RasterError(
            str(path),
            found=reason(error),
            expected="pixels that can be read",
            todo="The file is damaged or cut short: copy it again, or leave it out.",
        ) from error


def reason(error: BaseException) -> str:
    """Return what a library said, without its full stop."""
    return str(error.__cause__ or error).strip().rstrip(".") or type(error).__name__

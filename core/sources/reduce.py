"""Coarse copies of pixels that come without overviews: read strip by strip, averaged or nearest."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from core.grid import Window
from core.sources.base import Array, Raster

STRIP_PX = 2**22

ReadStrip = Callable[[Window], Raster]
Edges = npt.NDArray[np.intp]


def reduced(strip: ReadStrip, window: Window, shape: tuple[int, int], categorical: bool) -> Raster:
    """Return a window in `shape` (rows, columns) from what `strip` reads at full resolution.

    Images are averaged over their valid pixels and keep their dtype; classes take the pixel in the
    middle. Only some rows are in memory at a time.
    """
    if shape == (window.h, window.w):
        return strip(window)
    if categorical or shape[0] > window.h or shape[1] > window.w:
        return _picked(strip, window, shape)
    rows, columns = _edges(window.h, shape[0]), _edges(window.w, shape[1])
    at_once = max(STRIP_PX * shape[0] // (window.h * window.w), 1)
    parts = []
    for first in range(0, shape[0], at_once):
        edges = rows[first : first + at_once + 1]
        y0, y1 = int(edges[0]), int(edges[-1])
        raster = strip(Window(window.y0 + y0, window.x0, y1 - y0, window.w))
        parts.append(_averaged(raster, edges - y0, columns))
    return Raster(
        np.concatenate([part.values for part in parts], axis=1),
        np.concatenate([part.valid for part in parts]),
    )


def _edges(length: int, count: int) -> Edges:
    return np.floor(np.linspace(0, length, count + 1)).astype(np.intp)


def _averaged(raster: Raster, rows: Edges, columns: Edges) -> Raster:
    share = _summed(raster.valid[np.newaxis].astype(np.float64), rows, columns)[0]
    total = _summed(raster.values.astype(np.float64), rows, columns)
    mean = total / np.maximum(share, 1)
    if raster.values.dtype.kind in "ui":
        mean = np.rint(mean)
    return Raster(mean.astype(raster.values.dtype), share > 0)


def _summed(values: npt.NDArray[np.float64], rows: Edges, columns: Edges) -> Array:
    over_rows = np.add.reduceat(values, rows[:-1], axis=1)
    summed: Array = np.add.reduceat(over_rows, columns[:-1], axis=2)
    return summed


def _picked(strip: ReadStrip, window: Window, shape: tuple[int, int]) -> Raster:
    rows = ((np.arange(shape[0]) + 0.5) * window.h / shape[0]).astype(np.intp)
    columns = ((np.arange(shape[1]) + 0.5) * window.w / shape[1]).astype(np.intp)
    at_once = max(STRIP_PX // window.w, 1)
    values, valid = [], []
    for first in range(0, window.h, at_once):
        wanted = rows[(rows >= first) & (rows < first + at_once)]
        if wanted.size:
            y0, y1 = int(wanted[0]), int(wanted[-1]) + 1
            raster = strip(Window(window.y0 + y0, window.x0, y1 - y0, window.w))
            values.append(raster.values[:, wanted - y0][:, :, columns])
            valid.append(raster.valid[wanted - y0][:, columns])
    return Raster(np.concatenate(values, axis=1), np.concatenate(valid))

"""Whether the coarse copies inside a class raster hold its classes, or averages between them.

Common tools average or interpolate unless told otherwise; the mean of two class codes is a third
class. Such copies must never be read.
"""

from typing import Any

import numpy as np
from rasterio.enums import Resampling
from rasterio.windows import Window

SPOTS = 3  # a side: 9 windows from all over the raster
SPOT_PX = 256
MOST_STRANGE = 1e-3


def hold_classes(dataset: Any) -> bool:  # noqa: ANN401
    """Return whether each pixel of the first overview is one of those behind it, by samples.

    `dataset` is an open raster; True without overviews. Raises `rasterio.errors.RasterioError`.
    """
    factors = dataset.overviews(1)
    side = min(SPOT_PX, dataset.height, dataset.width) // factors[0] * factors[0] if factors else 0
    if side == 0:
        return True
    strange = [
        _strange(dataset, y, x, side, factors[0])
        for y in _starts(dataset.height, side, factors[0])
        for x in _starts(dataset.width, side, factors[0])
    ]
    return float(np.mean(strange)) <= MOST_STRANGE


def _starts(length: int, side: int, factor: int) -> list[int]:
    ends = np.linspace(0, length - side, SPOTS).astype(int) // factor * factor
    return sorted({int(start) for start in ends})


def _strange(dataset: Any, y: int, x: int, side: int, factor: int) -> float:  # noqa: ANN401
    """Return the share of coarse pixels that are none of the pixels behind or beside them."""
    window = Window(x, y, side, side)
    native = dataset.read(1, window=window)
    count = side // factor
    coarse = dataset.read(1, window=window, out_shape=(count, count), resampling=Resampling.nearest)
    # Sides that the factor does not divide shift the copy by part of a pixel.
    around = np.pad(native, factor, mode="edge")
    found = np.zeros(coarse.shape, np.bool_)
    for dy in range(-1, factor + 1):
        for dx in range(-1, factor + 1):
            shifted = around[factor + dy :: factor, factor + dx :: factor]
            found |= shifted[:count, :count] == coarse
    return float(1 - found.mean())

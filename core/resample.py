"""Sampling arrays along rows and columns: nearest for classes, bilinear for images. Pure numpy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

EDGE_PX = 1e-6  # rounding when a pixel centre falls on the border of another grid

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """Which pixels of a file to read along one axis, and where the samples fall among them.

    `read` is smaller than `length` where the file is much finer than the samples; `at` counts
    pixels read, 0.5 is the centre of the first; `inside` tells the samples within the file.
    """

    start: int
    length: int
    read: int
    at: Positions
    inside: Mask


def centres(start: int, length: int, count: int) -> Positions:
    """Return the centres of `count` equal steps over `length` pixels from `start`, float64."""
    steps: Positions = np.arange(count, dtype=np.float64) + 0.5
    return start + steps * (length / count)


def plan_axis(samples: Positions, step: float, size: int) -> Axis:
    """Return what to read of an axis of `size` pixels for samples `step` pixels apart.

    Where the file is finer, whole groups of pixels are averaged; they are counted from the file's
    edge, so that a window and the whole raster get the same groups.
    """
    finer = min(max(int(step + EDGE_PX), 1), size)
    groups = size // finer
    first = int(np.clip(np.floor(samples.min() / finer) - 1, 0, groups - 1))
    last = int(np.clip(np.ceil(samples.max() / finer) + 1, first + 1, groups))
    inside = (samples >= -EDGE_PX) & (samples <= size + EDGE_PX)
    return Axis(
        first * finer, (last - first) * finer, last - first, samples / finer - first, inside
    )


def nearest(values: Array, valid: Mask, rows: Axis, columns: Axis) -> tuple[Array, Mask]:
    """Sample `values` [C, H, W] and `valid` [H, W] by the pixel that holds each sample."""
    index = np.ix_(_holding(rows), _holding(columns))
    inside = rows.inside[:, None] & columns.inside[None, :]
    return values[:, index[0], index[1]], valid[index] & inside


def _holding(axis: Axis) -> npt.NDArray[np.intp]:
    return np.clip(np.floor(axis.at + EDGE_PX), 0, axis.read - 1).astype(np.intp)


def bilinear(values: Array, valid: Mask, rows: Axis, columns: Axis) -> tuple[Array, Mask]:
    """Weigh the four neighbours that are valid; at least half of the weight must be.

    `values` [C, H, W] holds 0 where not valid. Whole-number dtypes are rounded back.
    """
    mixed = _lerp(_lerp(values.astype(np.float32), rows, axis=1), columns, axis=2)
    inside: Mask = rows.inside[:, None] & columns.inside[None, :]
    if not valid.all():
        share = _lerp(_lerp(valid[None].astype(np.float32), rows, axis=1), columns, axis=2)
        inside &= share[0] >= 0.5
        mixed /= np.maximum(share, 1e-6)
    if values.dtype.kind in "ui":
        return np.rint(mixed).astype(values.dtype), inside
    return mixed, inside


def _lerp(values: npt.NDArray[np.float32], along: Axis, axis: int) -> npt.NDArray[np.float32]:
    low = np.floor(along.at - 0.5)
    shape = [1, 1, 1]
    shape[axis] = -1
    weight = (along.at - 0.5 - low).astype(np.float32).reshape(shape)
    first = np.clip(low, 0, along.read - 1).astype(np.intp)
    second = np.clip(low + 1, 0, along.read - 1).astype(np.intp)
    before, after = np.take(values, first, axis=axis), np.take(values, second, axis=axis)
    mixed: npt.NDArray[np.float32] = before * (1 - weight) + after * weight
    return mixed

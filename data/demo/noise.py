"""Texture primitives of the painted ground, beside the smooth noise of `core.noise`.

A *field* is float32 [H, W]. Wavelengths are in pixels. Every function takes its own generator, so
that one seed gives one scene whatever else is drawn.
"""

import numpy as np
import numpy.typing as npt

from core.noise import Field, Shape


def grain(rng: np.random.Generator, shape: Shape) -> Field:
    """Return white noise, mean 0 and deviation 1: gravel, leaves, sensor noise."""
    return rng.standard_normal(shape, np.float32)


def coordinates(shape: Shape) -> tuple[Field, Field]:
    """Return the row and the column of every pixel, as broadcastable [H, 1] and [1, W]."""
    rows = np.arange(shape[0], dtype=np.float32)[:, None]
    cols = np.arange(shape[1], dtype=np.float32)[None, :]
    return rows, cols


def rotated(shape: Shape, angle: float) -> tuple[Field, Field]:
    """Return coordinates (u along, v across) turned by `angle` radians, both [H, W] in pixels."""
    rows, cols = coordinates(shape)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return cols * cos + rows * sin, rows * cos - cols * sin


def pick(rng: np.random.Generator, ids: npt.NDArray[np.int32], low: float, high: float) -> Field:
    """Return one random value from `low` to `high` per id, laid out like `ids`."""
    table = rng.uniform(low, high, int(ids.max()) + 1).astype(np.float32)
    return np.asarray(table[ids], np.float32)

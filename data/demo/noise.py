"""Terrain and texture primitives: seeded fields on a pixel grid.

A *field* is float32 [H, W]. Wavelengths are in pixels. Every function takes its own generator, so
that one seed gives one scene whatever else is drawn.
"""

import numpy as np
import numpy.typing as npt
from scipy import fft

Field = npt.NDArray[np.float32]
Shape = tuple[int, int]


def fractal(
    rng: np.random.Generator, shape: Shape, wavelength: float, *, slope: float = 2.6
) -> Field:
    """Return Gaussian noise, mean 0 and deviation 1, whose power falls as frequency ** -slope.

    `wavelength` is the longest wave in pixels; longer ones are damped, so the field has no trend
    across the scene. The field wraps around at its borders.
    """
    rows, cols = shape
    fy = fft.fftfreq(rows).astype(np.float32)[:, None]
    fx = fft.rfftfreq(cols).astype(np.float32)[None, :]
    power = (fy * fy + fx * fx + np.float32(1.0 / wavelength) ** 2) ** np.float32(-slope / 4)
    power[0, 0] = 0
    spectrum = np.empty((rows, cols // 2 + 1), np.complex64)
    spectrum.real = rng.standard_normal(spectrum.shape, np.float32)
    spectrum.imag = rng.standard_normal(spectrum.shape, np.float32)
    spectrum *= power
    field = fft.irfft2(spectrum, s=shape, workers=1).astype(np.float32, copy=False)
    return np.asarray(field / max(float(field.std()), 1e-12), np.float32)


def grain(rng: np.random.Generator, shape: Shape) -> Field:
    """Return white noise, mean 0 and deviation 1: gravel, leaves, sensor noise."""
    return rng.standard_normal(shape, np.float32)


def smoothstep(values: Field, low: float, high: float) -> Field:
    """Return 0 below `low`, 1 above `high` and a smooth S between."""
    t = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


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

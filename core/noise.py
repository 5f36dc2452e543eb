"""Seeded smooth noise on a pixel grid, for clouds and for the ground of the demo scenes.

A *field* is float32 [H, W]. Wavelengths are in pixels. Every function takes its own generator, so
that one seed gives one field whatever else is drawn.
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


def smoothstep(values: Field, low: float, high: float) -> Field:
    """Return 0 below `low`, 1 above `high` and a smooth S between."""
    t = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)

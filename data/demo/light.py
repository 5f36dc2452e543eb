"""Sunlight and the optical sensor: cast shadows, relief, blur and noise.

Heights are metres above ground; one sun per picture, so that all shadows agree.
*Reflectance* is float32 [H, W, 3], 0 to 1, before light falls on it.
"""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.clouds.optics import TONE
from core.clouds.sun import Sun
from core.noise import Field

SKY = (0.24, 0.29, 0.37)
"""Light that reaches the shade, as a share of full light: bluer than the sun."""


def cast_shadow(height: Field, sun: Sun, pixel_m: float, *, tallest_m: float = 25.0) -> Field:
    """Return 0 (sunlit) to 1 (shaded) [H, W]; things count up to `tallest_m` above ground."""
    rows, cols = height.shape
    drop = np.float32(np.tan(np.radians(sun.elevation_deg)) * pixel_m)
    ray = np.zeros_like(height)
    for step in range(1, int(min(float(height.max()), tallest_m) / drop) + 1):
        dy, dx = round(sun.away[0] * step), round(sun.away[1] * step)
        to = (slice(max(dy, 0), rows + min(dy, 0)), slice(max(dx, 0), cols + min(dx, 0)))
        source = (slice(max(-dy, 0), rows + min(-dy, 0)), slice(max(-dx, 0), cols + min(-dx, 0)))
        np.maximum(ray[to], height[source] - np.float32(step) * drop, out=ray[to])
    return np.asarray(np.clip((ray - height) / np.float32(0.8), 0, 1), np.float32)


def relief(surface: Field, sun: Sun, pixel_m: float) -> Field:
    """Return sunlight on slopes relative to flat ground, [H, W]; `surface` in metres."""
    down_sun_y, down_sun_x = sun.away
    rise = (surface[2:, 1:-1] - surface[:-2, 1:-1]) * np.float32(down_sun_y)
    rise += (surface[1:-1, 2:] - surface[1:-1, :-2]) * np.float32(down_sun_x)
    slope = np.pad(rise, 1, mode="edge") / np.float32(2 * pixel_m)
    tangent = np.float32(1 / np.tan(np.radians(sun.elevation_deg)))
    return np.asarray(np.clip(1 + slope * tangent, 0.35, 1.6), np.float32)


def lighten(reflectance: Field, sunlight: Field, shade: Field) -> Field:
    """Return radiance [H, W, 3] of a surface under `sunlight` (relief) and `shade` (0 to 1)."""
    direct = (sunlight * (1 - shade))[..., None]
    sky = np.asarray(SKY, np.float32)
    return np.asarray(reflectance * (sky + (1 - sky) * direct), np.float32)


def expose(
    rng: np.random.Generator,
    radiance: Field,
    *,
    blur_px: float = 0.6,
    noise: float = 0.006,
    gain: float = 1.0,
) -> npt.NDArray[np.uint8]:
    """Return the picture uint8 [H, W, 3] that a camera with a little blur and noise takes."""
    seen = np.empty_like(radiance)
    for band in range(3):
        ndimage.gaussian_filter(radiance[..., band], blur_px, output=seen[..., band], truncate=3)
    seen += rng.standard_normal(seen.shape, np.float32) * np.float32(noise)
    return develop(seen * np.float32(gain))


def develop(radiance: Field) -> npt.NDArray[np.uint8]:
    """Return radiance as an 8-bit picture with the tone curve of aerial photographs."""
    tone = np.power(np.clip(radiance, 0, 1), np.float32(1 / TONE))
    return (tone * 255 + 0.5).astype(np.uint8)

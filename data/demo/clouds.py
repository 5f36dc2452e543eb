"""Clouds over a region: soft-edged, of several densities, with shadows where the sun throws them.

The demo draws its own weather, which varies across a region; what clouds are and what they do to
light is said in `core.clouds.simulator` and `core.clouds.optics`. Cloud bases lie much lower than
real ones, so that clouds and their shadows fit into tiles of a few hundred metres.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, special

from core.clouds.optics import SKYLIGHT_RGB
from core.clouds.simulator import Clouds
from core.clouds.sun import Sun
from core.noise import Field, Shape, fractal, smoothstep
from data.demo.light import develop


@dataclass(frozen=True)
class Weather:
    """One date: share of sky under cloud (0 to 1, more than 1 closes every gap), how much that
    varies across the scene, how far edges fade (in deviations of the noise), the share under a thin
    veil, and the cloud base."""

    cover: float
    spread: float = 0.12
    softness: float = 0.7
    veil: float = 0.0
    base_m: float = 45.0
    wavelength_px: float = 260.0


def draw_clouds(
    rng: np.random.Generator, shape: Shape, weather: Weather, sun: Sun, pixel_m: float
) -> Clouds:
    """Return the clouds of one date over a region."""
    puffs = fractal(rng, shape, weather.wavelength_px, slope=3.7)
    drift = fractal(rng, shape, max(shape) * 0.3, slope=6.0)
    share = np.clip(weather.cover + weather.spread * drift, 0.002, 0.998)
    limit = -special.ndtri(share).astype(np.float32)
    closed = np.float32(max(weather.cover - 1, 0))
    depth = puffs - limit + closed
    opacity = smoothstep(depth, -0.3 * weather.softness, 0.8 * weather.softness)
    if weather.veil:
        high = fractal(rng, shape, weather.wavelength_px * 1.6, slope=4.2)
        edge = float(-special.ndtri(weather.veil))
        opacity = 1 - (1 - opacity) * (1 - 0.42 * smoothstep(high, edge - 0.4, edge + 0.6))
    opacity = np.asarray(opacity * np.float32(0.99), np.float32)
    offset = sun.shadow_px(weather.base_m, pixel_m)
    shade = np.roll(opacity, offset, axis=(0, 1))
    ndimage.gaussian_filter(shade, 1.5, output=shade)
    glow = 0.83 + 0.10 * smoothstep(depth, 0, 2.2) + 0.025 * np.clip(puffs, -2, 2)
    return Clouds(opacity, shade, np.asarray(glow, np.float32))


def photograph(
    rng: np.random.Generator,
    seen: Field,
    clouds: Clouds | None,
    *,
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0),
    noise: float = 0.006,
) -> npt.NDArray[np.uint8]:
    """Return the picture uint8 [H, W, 3] of a blurred radiance `seen` under clouds.

    `tint` is the light of that date: no two dates show clear ground alike.
    """
    picture = seen * np.asarray(tint, np.float32)
    if clouds is not None:
        sky_only = 1 - clouds.shade[..., None] * (1 - np.array(SKYLIGHT_RGB, np.float32))
        picture *= sky_only
        opacity = clouds.opacity[..., None]
        picture += (
            clouds.glow[..., None] * np.array([1.0, 1.0, 1.015], np.float32) - picture
        ) * opacity
    picture += rng.standard_normal(picture.shape, np.float32) * np.float32(noise)
    return develop(picture)

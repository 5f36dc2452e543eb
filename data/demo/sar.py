"""Synthetic aperture radar pictures from backscatter and height.

*Power* is linear, *backscatter* its value in dB. The sensor looks along the rows: *near* is the
side that it stands on. Ground is terrain-corrected, so only heights above ground displace.
Echoes of high things arrive early and move towards the sensor (layover); ground behind them gets
no pulse (shadow); a wall that faces the sensor and the ground before it make a corner that returns
the pulse (double bounce). Speckle is multi-look: gamma distributed around the power.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.noise import Field

LOOKS = 4
"""Number of looks of every demo picture."""

NOISE_FLOOR_DB = -26.0
"""What the receiver shows of water and shadow."""


@dataclass(frozen=True)
class Geometry:
    """Where the sensor stands. `incidence_deg` is measured from the vertical."""

    near: Literal["left", "right"] = "left"
    incidence_deg: float = 40.0
    pixel_m: float = 0.5

    @property
    def layover_px_per_m(self) -> float:
        """Return how far one metre of height moves an echo towards the sensor."""
        return float(1 / np.tan(np.radians(self.incidence_deg)) / self.pixel_m)

    @property
    def shadow_px_per_m(self) -> float:
        """Return how far one metre of height shades the ground behind it."""
        return float(np.tan(np.radians(self.incidence_deg)) / self.pixel_m)


def to_power(backscatter_db: Field) -> Field:
    """Return linear power of a backscatter in dB."""
    return np.asarray(np.power(np.float32(10), backscatter_db * np.float32(0.1)), np.float32)


def slope_gain(terrain: Field, geometry: Geometry) -> Field:
    """Return the factor by which ground facing the sensor returns more; `terrain` in metres."""
    rise = np.gradient(terrain, geometry.pixel_m, axis=1).astype(np.float32)
    towards = rise if geometry.near == "left" else -rise
    return np.asarray(np.clip(1 + 2.2 * towards, 0.25, 3.0), np.float32)


def lit(height: Field, geometry: Geometry) -> npt.NDArray[np.bool_]:
    """Return bool [H, W]: where the pulse reaches; `height` above ground in metres."""
    if geometry.near == "right":
        return lit(height[:, ::-1], Geometry("left", geometry.incidence_deg, geometry.pixel_m))[
            :, ::-1
        ]
    reach = height * np.float32(geometry.shadow_px_per_m)
    reach += np.arange(height.shape[1], dtype=np.float32)
    return np.asarray(reach >= np.maximum.accumulate(reach, axis=1) - 0.5, np.bool_)


def radar_view(
    power: Field,
    height: Field,
    geometry: Geometry,
    *,
    wall_power: float = 0.25,
    bounce_power: float = 0.9,
) -> Field:
    """Return the power [H, W] that the sensor sees, before speckle.

    `height` is metres above ground. `wall_power` is the return of a square metre of wall,
    `bounce_power` that of a metre of wall height in the corner at its foot.
    """
    if geometry.near == "right":
        mirrored = Geometry("left", geometry.incidence_deg, geometry.pixel_m)
        return radar_view(
            power[:, ::-1],
            height[:, ::-1],
            mirrored,
            wall_power=wall_power,
            bounce_power=bounce_power,
        )[:, ::-1]
    seen = lit(height, geometry)
    shift = height * np.float32(geometry.layover_px_per_m)
    flat = shift < 0.25
    image = np.where(seen & flat, power, 0).astype(np.float32)
    rows, cols = np.nonzero(seen & ~flat)
    _splat(image, rows, cols - shift[rows, cols], power[rows, cols])
    _add_walls(image, height, seen, geometry, wall_power, bounce_power)
    return image + np.float32(10 ** (NOISE_FLOOR_DB / 10))


def _splat(
    image: Field, rows: npt.NDArray[np.intp], cols: npt.NDArray[np.float32], power: Field
) -> None:
    """Add `power` at fractional columns, shared between the two nearest; in place."""
    height, width = image.shape
    left = np.floor(cols).astype(np.int64)
    part = (cols - left).astype(np.float32)
    for offset, share in ((0, 1 - part), (1, part)):
        at = left + offset
        inside = (at >= 0) & (at < width)
        index = rows[inside] * width + at[inside]
        sums = np.bincount(index, weights=(power * share)[inside], minlength=height * width)
        image += sums.reshape(height, width).astype(np.float32)


def _add_walls(
    image: Field,
    height: Field,
    seen: npt.NDArray[np.bool_],
    geometry: Geometry,
    wall_power: float,
    bounce_power: float,
) -> None:
    """Add the echoes of walls that face the sensor and of the corners at their feet; in place."""
    rise = height[:, 1:] - height[:, :-1]
    rows, cols = np.nonzero((rise > 1.5) & seen[:, 1:])
    if not len(rows):
        return
    tall = rise[rows, cols]
    facing = _facing(height)[rows, cols]
    metres = np.maximum(tall * geometry.layover_px_per_m, 1).astype(np.int64)
    which = np.repeat(np.arange(len(rows)), metres)
    step = np.arange(len(which)) - np.repeat(np.cumsum(metres) - metres, metres)
    up = height[rows, cols][which] + (step + 0.5) / metres[which] * tall[which]
    start = (cols + 1)[which] - up * geometry.layover_px_per_m
    strength = np.full(len(which), wall_power, np.float32) * (0.25 + 0.75 * facing[which])
    _splat(image, rows[which], start.astype(np.float32), strength.astype(np.float32))
    foot = height[rows, cols] < 1.0
    corner = bounce_power * tall * (0.06 + 0.94 * facing)
    for offset, share in ((0.0, 0.6), (-1.0, 0.4)):
        at = (cols + offset).astype(np.float32)
        _splat(image, rows[foot], at[foot], (corner * share)[foot].astype(np.float32))


def _facing(height: Field) -> Field:
    """Return 0..1: how squarely the edges of high things face the sensor."""
    smooth = ndimage.uniform_filter(np.minimum(height, 12), 5)
    across = np.abs(ndimage.sobel(smooth, axis=1))
    along = np.abs(ndimage.sobel(smooth, axis=0))
    share = across / np.maximum(across + along, 1e-6)
    return np.asarray(share**4, np.float32)


def speckle(rng: np.random.Generator, power: Field, looks: int = LOOKS) -> Field:
    """Return power under fully developed speckle: gamma with mean `power` and `looks` looks."""
    fading = rng.standard_gamma(looks, power.shape, np.float32)
    return np.asarray(power * fading * np.float32(1 / looks), np.float32)


def estimate_looks(
    power: Field, flat: npt.NDArray[np.bool_] | None = None, *, window: int = 16
) -> float:
    """Return the equivalent number of looks: median of mean^2 / variance over even windows.

    `power` is linear, `flat` marks ground of one kind; windows that are not wholly flat are left
    out. Raises `ValueError` when none is left.
    """
    rows, cols = power.shape[0] // window, power.shape[1] // window

    def windows(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        cut = values[: rows * window, : cols * window].reshape(rows, window, cols, window)
        return cut.transpose(0, 2, 1, 3).reshape(rows * cols, window * window)

    blocks = np.asarray(windows(power), np.float64)
    if flat is not None:
        blocks = blocks[np.asarray(windows(flat), bool).all(axis=1)]
    if not len(blocks):
        raise ValueError("no window lies wholly on flat ground")
    return float(np.median(blocks.mean(axis=1) ** 2 / blocks.var(axis=1, ddof=1)))


def to_amplitude8(power: Field, *, full_scale_db: float = 2.0) -> npt.NDArray[np.uint8]:
    """Return relative amplitude uint8 [H, W]: the root of power, 255 at `full_scale_db`."""
    gain = 255 / np.sqrt(10 ** (full_scale_db / 10))
    scaled = np.sqrt(power) * np.float32(gain) + np.float32(0.5)
    return np.asarray(np.clip(scaled, 0, 255), np.uint8)


def to_amplitude_power(amplitude: npt.NDArray[np.uint8]) -> Field:
    """Return relative power of an 8-bit amplitude, for estimates of the number of looks."""
    return np.square(amplitude.astype(np.float32))

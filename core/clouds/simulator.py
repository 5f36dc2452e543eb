"""Clouds for any clear picture: seeded, of a set cover, with shadows where the sun throws them.

A *sky* is what a person asks for; *clouds* are what is drawn for one grid: opacity, shade on the
ground and brightness inside. `core.clouds.optics` says what they do to each band. Cover is counted
as everywhere: the share of valid pixels under thin or thick cloud or shadow.
"""

from dataclasses import asdict, dataclass, fields
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from core.clouds.cover import CLEAR, NONE, SHADOW, THICK, THIN
from core.clouds.sun import Sun, View
from core.errors import CloudbrushError
from core.noise import Field, Shape, fractal, smoothstep

THIN_FROM, THICK_FROM, SHADE_FROM = 0.10, 0.60, 0.35
TOLERANCE = 0.01
"""How far the cover of drawn clouds may lie from the cover that was asked for."""

CLOSED = 0.999
"""From this cover on, the sky is one closed deck without gaps or sunlit shadows."""

MOST = 0.98  # opacity of the thickest cloud
VEIL = 0.42  # opacity of the thickest veil: always thin cloud
RISE = (-0.3, 0.8)  # depth of noise over which opacity rises from 0 to 1, times the softness
DRAWN_PX = 2048  # longer pictures get clouds drawn coarser: their edges are soft anyway
MAX_PX = 2**26
SIZE_SHARE = 0.35  # of the longer side of the picture, where no size of clouds is given

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sky:
    """What is asked for. Angles in degrees, azimuths clockwise from north, lengths in metres.

    `thin` is the share of the cover that is a thin veil. `size_m` is the size of the largest
    clouds; None takes about a third of the picture. A `height_m` of 0 lays shadows under clouds.
    """

    cover: float
    seed: int = 0
    thin: float = 0.25
    shadows: bool = True
    sun_azimuth_deg: float = 150.0
    sun_elevation_deg: float = 45.0
    view_azimuth_deg: float = 100.0
    view_zenith_deg: float = 0.0
    height_m: float = 1000.0
    size_m: float | None = None
    softness: float = 0.7

    def __post_init__(self) -> None:
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if value is None and name == "size_m":
                continue
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not low <= value <= high:
                raise CloudbrushError(
                    f"sky, {name}", found=str(value)[:40], expected=f"{low:g} to {high:g}"
                )

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON, as an acquisition keeps them."""
        return asdict(self)

    @staticmethod
    def from_json(values: dict[str, Any]) -> "Sky":
        """Return the sky of kept settings; raises `CloudbrushError` for what is none."""
        known = {f.name for f in fields(Sky)}
        if "cover" not in values or not set(values) <= known:
            raise CloudbrushError(
                "sky", found=", ".join(sorted(map(str, values)))[:200], expected="settings of a sky"
            )
        return Sky(**values)


BOUNDS: dict[str, tuple[float, float]] = {
    "cover": (0, 1),
    "seed": (0, 2**31 - 1),
    "thin": (0, 1),
    "sun_azimuth_deg": (0, 360),
    "sun_elevation_deg": (10, 90),
    "view_azimuth_deg": (0, 360),
    "view_zenith_deg": (0, 60),
    "height_m": (0, 15_000),
    "size_m": (1, 1_000_000),
    "softness": (0.05, 3),
}


@dataclass(frozen=True)
class Clouds:
    """Opacity, shade on the ground and inner brightness, each float32 [H, W]."""

    opacity: Field
    shade: Field
    glow: Field

    def levels(self, valid: Mask | None = None) -> npt.NDArray[np.uint8]:
        """Return the mask uint8 [H, W] of what a person would call thin, thick and shadow.

        Pixels that are not `valid` have no level.
        """
        levels = np.full(self.opacity.shape, CLEAR, np.uint8)
        levels[self.shade >= SHADE_FROM] = SHADOW
        levels[self.opacity >= THIN_FROM] = THIN
        levels[self.opacity >= THICK_FROM] = THICK
        if valid is not None:
            levels[~valid] = NONE
        return levels


def draw(
    sky: Sky, shape: Shape, pixel_m: float, *, north_deg: float = 0.0, valid: Mask | None = None
) -> Clouds:
    """Return the clouds of a sky over a grid of `shape` pixels of `pixel_m` metres.

    `north_deg` is where north lies, clockwise from the top. The cover of `valid` pixels (bool
    [H, W], all of them when None) is the sky's, within `TOLERANCE`. One sky gives the same clouds
    on the same grid. Raises `CloudbrushError` for pictures of more than `MAX_PX` pixels.
    """
    if not 0 < shape[0] * shape[1] <= MAX_PX:
        raise CloudbrushError(
            "simulated clouds",
            found=f"{shape[0]} x {shape[1]} pixels",
            expected=f"at most {MAX_PX:,} pixels in a tile",
            todo="Cut the scene into tiles.",
        )
    counted = np.ones(shape, np.bool_) if valid is None else valid
    if sky.cover <= 0 or not counted.any():
        nothing = np.zeros(shape, np.float32)
        return Clouds(nothing, nothing, nothing + 1)
    rng = np.random.default_rng([sky.seed, round(sky.cover * 1000)])
    puffs, thrown, high = _noise(rng, sky, shape, pixel_m, north_deg)
    veil = _veil(high, counted, sky.thin * sky.cover)
    limit = _limit(sky, puffs, thrown, veil, counted)
    cloud = _opacity(puffs - limit, sky.softness)
    shade = _opacity(thrown - limit, sky.softness) if sky.shadows else np.zeros_like(cloud)
    depth = np.clip(puffs - limit, -9, 9).astype(np.float32)
    glow = 0.90 + 0.10 * smoothstep(depth, 0, 2.2) + 0.02 * np.clip(puffs, -2, 2)
    return Clouds(np.maximum(cloud, veil), shade, np.asarray(glow, np.float32))


def coarser(side_px: int) -> int:
    """Return how many pixels of a picture share one of the drawn noise, by its longer side."""
    return max(1, -(-side_px // DRAWN_PX))


def _noise(
    rng: np.random.Generator, sky: Sky, shape: Shape, pixel_m: float, north_deg: float
) -> tuple[Field, Field, Field]:
    """Return noise as it appears, as its shadow falls, and that of the veil, float32 [H, W] each.

    The canvas reaches beyond the picture, so that shadows come in from clouds outside it.
    """
    times = coarser(max(shape))
    rows, cols = (-(-side // times) for side in shape)
    step_m = pixel_m * times
    sun = Sun(sky.sun_azimuth_deg + north_deg, sky.sun_elevation_deg)
    view = View(sky.view_azimuth_deg + north_deg, sky.view_zenith_deg)
    shadow = sun.shadow_px(sky.height_m, step_m)
    seen = view.displacement_px(sky.height_m, step_m)
    # Farther than the picture is long, no cloud and its own shadow are both in it.
    dy = int(np.clip(shadow[0] - seen[0], -rows, rows))
    dx = int(np.clip(shadow[1] - seen[1], -cols, cols))
    canvas = fft.next_fast_len(rows + abs(dy)), fft.next_fast_len(cols + abs(dx))
    size_px = (sky.size_m / step_m) if sky.size_m else max(rows, cols) * SIZE_SHARE
    puffs = fractal(rng, canvas, max(size_px, 2.0), slope=3.7)
    high = fractal(rng, (rows, cols), max(size_px * 1.6, 2.0), slope=4.2)
    thrown = np.roll(puffs, (dy, dx), axis=(0, 1))
    found = (puffs[:rows, :cols], thrown[:rows, :cols], high)
    if times == 1:
        return found
    puffs, thrown, high = (_finer(field, times, shape) for field in found)
    return puffs, thrown, high


def _finer(field: Field, times: int, shape: Shape) -> Field:
    grown = ndimage.zoom(field, times, order=1, grid_mode=True, mode="nearest")
    return np.asarray(grown[: shape[0], : shape[1]], np.float32)


def _opacity(depth: Field, softness: float) -> Field:
    low, high = (edge * softness for edge in RISE)
    return np.asarray(MOST * smoothstep(depth, low, high), np.float32)


def _veil(high: Field, counted: Mask, share: float) -> Field:
    """Return the opacity of the veil, thin cloud on this share of the pixels that count."""
    if share <= 0:
        return np.zeros_like(high)
    edge = _largest(high[counted], share) - _depth_of(THIN_FROM / VEIL, (-0.4, 0.6))
    return np.asarray(VEIL * smoothstep(high - np.float32(edge), -0.4, 0.6), np.float32)


def _limit(sky: Sky, puffs: Field, thrown: Field, veil: Field, counted: Mask) -> np.float32:
    """Return where clouds begin in the noise, so that the cover is what was asked for.

    A pixel is covered when its noise, or the noise whose shadow it gets, is so far above the limit
    that the cloud is thin or the shade a shadow: the limit is a quantile.
    """
    if sky.cover >= CLOSED:
        return np.float32(puffs.min() - RISE[1] * sky.softness)
    edges = (RISE[0] * sky.softness, RISE[1] * sky.softness)
    height = puffs - np.float32(_depth_of(THIN_FROM / MOST, edges))
    if sky.shadows:
        height = np.maximum(height, thrown - np.float32(_depth_of(SHADE_FROM / MOST, edges)))
    height = np.where(veil >= THIN_FROM, np.float32(inf), height)
    return np.float32(_largest(height[counted], sky.cover))


def _largest(values: Field, share: float) -> float:
    """Return the value that this share of the values reaches or exceeds."""
    count = min(max(round(share * values.size), 1), values.size)
    return float(np.partition(values, values.size - count)[values.size - count])


def _depth_of(opacity: float, edges: tuple[float, float]) -> float:
    """Return where smoothstep between the edges has this value."""
    t = 0.5 - np.sin(np.arcsin(1 - 2 * opacity) / 3)
    return float(edges[0] + t * (edges[1] - edges[0]))

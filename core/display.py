"""From values to colours on a screen: stretches, dB, and RGBA with gaps left transparent.

Only calibrated SAR (dB or linear power) is shown in dB. 8-bit amplitude has no unit: it is
stretched by percentile and labelled as relative. One range serves a whole tile, so that its blocks
agree: `layer_stretch` finds it on a coarse copy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from core.errors import CloudbrushError
from core.grid import Window
from core.raster import Raster, describe_source, read
from core.records import Grid, Layer, Modality, Unit

Mode = Literal["auto", "percentile", "shadows", "fixed", "none"]
Range = tuple[float, float]

PERCENTILES = (2.0, 98.0)
SHADOW_PERCENTILES = (0.5, 35.0)  # shows what lies in shadow; all that is brighter is white
DB_RANGE: Range = (-25.0, 0.0)
REFLECTANCE_RANGE: Range = (0.0, 0.3)
FIXED_RANGES = {
    Unit.DB: DB_RANGE,
    Unit.LINEAR: DB_RANGE,
    Unit.REFLECTANCE: REFLECTANCE_RANGE,
}
LINEAR_FLOOR = 1e-5  # -50 dB, below the noise of every SAR in use
REFLECTANCE_SCALE = 1e-4  # Sentinel-2 and its kin store reflectance as whole numbers
COARSE_PX = 512
SAMPLED = 8  # without overviews, what is coarser than this is sampled: SAMPLED x SAMPLED windows

Values = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

# Band names of red, green and blue in common products, in that order.
_TRUE_COLOUR = (
    ("B4", "B3", "B2"),
    ("B04", "B03", "B02"),
    ("red", "green", "blue"),
    ("R", "G", "B"),
)


# Low ground to tall things; lightness rises all the way.
_HEIGHTS = (
    (24, 36, 74),
    (26, 94, 122),
    (58, 146, 120),
    (146, 190, 96),
    (238, 214, 128),
    (255, 250, 232),
)


@dataclass(frozen=True)
class Stretch:
    """Which bands (0-based) make the picture, one range for each or one for all, and in words."""

    bands: tuple[int, ...]
    ranges: tuple[Range, ...]
    label: str


def sar_db(linear: Values) -> npt.NDArray[np.float32]:
    """Return linear power in dB as float32; zero and below become the floor of -50 dB."""
    return (10.0 * np.log10(np.maximum(linear, LINEAR_FLOOR))).astype(np.float32)


def to_unit(values: Values, unit: Unit) -> Values:
    """Return values as they are shown: linear power in dB, whole-number reflectance as a share."""
    if unit is Unit.LINEAR:
        return sar_db(values)
    if unit is Unit.REFLECTANCE and values.dtype.kind in "ui":
        return values.astype(np.float32) * np.float32(REFLECTANCE_SCALE)
    return values


def unit_label(unit: Unit) -> str:
    """Return the unit of values after `to_unit`."""
    return Unit.DB.value if unit is Unit.LINEAR else unit.value


def stretch_range(values: Values, valid: Mask, unit: Unit, mode: Mode) -> Range:
    """Return (low, high) to be shown black and white, in the unit after `to_unit`.

    `values` is [C, H, W] or [H, W] as read; `auto` is fixed for calibrated SAR, percentile for the
    rest; `shadows` spreads the dark parts. Without a valid pixel, or with one value only, the range
    is widened to have a width.
    """
    how = _decided_by(unit, mode)
    if how == "none":
        return _plain_range(values, unit)
    if how == "fixed":
        return FIXED_RANGES[unit]
    shown = to_unit(values, unit)
    kept = shown[..., valid]
    if not kept.size:
        return _plain_range(values, unit)
    ends = SHADOW_PERCENTILES if how == "shadows" else PERCENTILES
    low, high = (float(v) for v in np.percentile(kept, ends))
    return (low, high) if high > low else (low, low + 1.0)


def _decided_by(unit: Unit, mode: Mode) -> Mode:
    """Return the mode in force: pixels decide under "percentile" and "shadows" alone."""
    if mode == "auto":
        return "fixed" if unit in (Unit.DB, Unit.LINEAR) else "percentile"
    return "percentile" if mode == "fixed" and unit not in FIXED_RANGES else mode


def _plain_range(values: Values, unit: Unit) -> Range:
    if unit in (Unit.DB, Unit.LINEAR):
        return DB_RANGE
    if unit is Unit.REFLECTANCE:
        return (0.0, 1.0)
    if values.dtype.kind in "ui":
        return (0.0, float(np.iinfo(values.dtype).max))
    return (0.0, 1.0)


def picture_bands(layer: Layer) -> tuple[int, ...]:
    """Return the bands (0-based) of a natural picture: three colours, or the first band alone.

    Two-band SAR shows its first band; the second is one click away.
    """
    if layer.modality is Modality.SAR or len(layer.bands) < 3:
        return (0,)
    lower = [name.lower() for name in layer.bands]
    for names in _TRUE_COLOUR:
        if all(name.lower() in lower for name in names):
            return tuple(lower.index(name.lower()) for name in names)
    return (0, 1, 2)


def layer_stretch(
    layer: Layer, grid: Grid, mode: Mode = "auto", bands: Sequence[int] | None = None
) -> Stretch:
    """Return the stretch of an image layer for its whole tile.

    8-bit optical is shown as it is under "auto": it was made for screens. Several bands share one
    range, which keeps hues, except for SAR. Raises `CloudbrushError` for bands that do not exist.
    """
    chosen = picture_bands(layer) if bands is None else tuple(bands)
    if not chosen or min(chosen) < 0 or max(chosen) >= len(layer.sources) or len(chosen) > 3:
        raise CloudbrushError(
            "bands",
            found=", ".join(str(band + 1) for band in chosen) or "none",
            expected=f"one to three of 1 to {len(layer.sources)}",
        )
    if mode == "auto" and layer.modality is Modality.OPTICAL and layer.unit is Unit.RELATIVE_8BIT:
        mode = "none"
    separate = layer.modality is Modality.SAR
    if mode == "shadows" and separate:
        mode = "auto"  # radar has no light: its dark parts are water and roads
    sources = tuple(layer.sources[band] for band in chosen)
    ranges = _ranges(sources, grid, layer.unit, mode, separate)
    return Stretch(chosen, ranges, unit_label(layer.unit))


@lru_cache(maxsize=512)
def _ranges(
    sources: tuple[tuple[Path, int], ...], grid: Grid, unit: Unit, mode: Mode, separate: bool
) -> tuple[Range, ...]:
    by_pixels = _decided_by(unit, mode) in ("percentile", "shadows")
    # Else one pixel tells the type of all, and nothing more is asked of it.
    raster = coarse(sources, grid) if by_pixels else read(sources, grid, Window(0, 0, 1, 1))
    if not separate:
        return (stretch_range(raster.values, raster.valid, unit, mode),)
    return tuple(stretch_range(band, raster.valid, unit, mode) for band in raster.values)


def coarse(sources: Sequence[tuple[Path, int]], grid: Grid) -> Raster:
    """Return some 512 x 512 pixels that stand for the whole tile.

    It is a coarse copy; of a large file without overviews, which would be read wholly for that, it
    is windows from all over it.
    """
    coarser = max(grid.height / COARSE_PX, grid.width / COARSE_PX, 1.0)
    if coarser <= SAMPLED or all(describe_source(one).overviews for one in sources):
        shape = (max(round(grid.height / coarser), 1), max(round(grid.width / coarser), 1))
        return read(sources, grid, out_shape=shape)
    side = COARSE_PX // SAMPLED
    rows = np.linspace(0, max(grid.height - side, 0), SAMPLED).astype(int).tolist()
    columns = np.linspace(0, max(grid.width - side, 0), SAMPLED).astype(int).tolist()
    h, w = min(side, grid.height), min(side, grid.width)
    parts = [[read(sources, grid, Window(y, x, h, w)) for x in columns] for y in rows]
    return Raster(
        np.block([[part.values for part in line] for line in parts]),
        np.block([[part.valid for part in line] for line in parts]),
    )


def to_rgb8(
    raster: Raster, unit: Unit, bands: Sequence[int], ranges: Sequence[Range]
) -> npt.NDArray[np.uint8]:
    """Return uint8 [H, W, 3]: three bands as colours, one as grey, two as first, second, first.

    `ranges` holds one range for all bands or one for each. Pixels that are not valid are black.
    """
    channels = [
        _to_bytes(raster.values[band], unit, ranges[i if len(ranges) > 1 else 0])
        for i, band in enumerate(bands)
    ]
    order = {1: (0, 0, 0), 2: (0, 1, 0), 3: (0, 1, 2)}[len(channels)]
    picture = np.empty((*raster.valid.shape, 3), np.uint8)
    for target, source in enumerate(order):
        picture[..., target] = channels[source]
    if is_coloured(unit, bands):
        picture = height_ramp()[picture[..., 0]]
    if not raster.valid.all():
        picture[~raster.valid] = 0
    return picture


def is_coloured(unit: Unit, bands: Sequence[int]) -> bool:
    """Return whether one band is shown in colours: heights are, everything else is grey."""
    return unit is Unit.METRE and len(bands) == 1


@lru_cache(maxsize=1)
def height_ramp() -> Bytes:
    """Return colours from low to high, uint8 [256, 3]: dark to light, told apart without hue."""
    places = np.linspace(0, 255, len(_HEIGHTS))
    channels = [np.interp(np.arange(256), places, one) for one in zip(*_HEIGHTS, strict=True)]
    ramp: Bytes = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    return ramp


def to_rgba8(
    raster: Raster, unit: Unit, bands: Sequence[int], ranges: Sequence[Range]
) -> npt.NDArray[np.uint8]:
    """Return uint8 [H, W, 4]: the picture of `to_rgb8`, transparent where nothing is valid."""
    picture = np.empty((*raster.valid.shape, 4), np.uint8)
    picture[..., :3] = to_rgb8(raster, unit, bands, ranges)
    picture[..., 3] = np.where(raster.valid, 255, 0)
    return picture


def _to_bytes(band: Values, unit: Unit, limits: Range) -> Bytes:
    """Stretch one band [H, W] to uint8; whole numbers of up to 16 bits go through a table."""
    low, high = limits
    if band.dtype in (np.uint8, np.uint16):
        levels = np.arange(np.iinfo(band.dtype).max + 1, dtype=band.dtype)
        table = _stretch(to_unit(levels, unit), low, high)
        return np.take(table, band)
    return _stretch(to_unit(band, unit), low, high)


def _stretch(values: Values, low: float, high: float) -> Bytes:
    scaled = (values.astype(np.float32) - np.float32(low)) * np.float32(255.0 / (high - low))
    rounded: Bytes = (np.clip(scaled, 0, 255) + np.float32(0.5)).astype(np.uint8)
    return rounded

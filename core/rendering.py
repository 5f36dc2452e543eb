"""Pictures that are worked out from a layer: expressions, speckle filters and differences.

A *rendering* says how a layer is shown. A plain one, bands with a stretch, is drawn by
`core.display` alone; the others pass through float32 here. One range serves the whole tile: it
comes from a coarse copy and is remembered.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.display import (
    PERCENTILES,
    REFLECTANCE_SCALE,
    Mode,
    Range,
    Stretch,
    coarse,
    layer_stretch,
    picture_bands,
    sar_db,
    unit_label,
)
from core.errors import CloudbrushError
from core.expression import Expression, evaluate, parse
from core.expression_presets import presets
from core.grid import Window
from core.raster import Raster, read
from core.records import Grid, Layer, Modality, Unit
from core.speckle import HALO, Filter, filtered

# Fixed ranges of a difference, either side of 0.
DB_DIFFERENCE = 6.0
REFLECTANCE_DIFFERENCE = 0.15

# From below 0 to above: blue, white, orange, which colour-blind people tell apart too.
_DIVERGING = ((16, 58, 122), (92, 156, 210), (245, 245, 245), (240, 160, 90), (150, 66, 6))

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Rendering:
    """How a layer is shown. `bands` (from 0) or `expression`, or the layer's own choice."""

    mode: Mode = "auto"
    bands: tuple[int, ...] | None = None
    expression: str | None = None
    filter: Filter = "none"


@dataclass(frozen=True)
class Plan:
    """A rendering of a layer that was checked, with the range of its whole tile.

    `minus` is what a difference takes away; its channels are read as `layer`'s are.
    """

    layer: "_Bands"
    stretch: Stretch
    minus: "_Bands | None"


@dataclass(frozen=True)
class _Bands:
    """What to read of a layer and how: everything that a picture depends on but its range."""

    sources: tuple[tuple[Path, int], ...]
    unit: Unit
    filter: Filter
    bands: tuple[int, ...]
    expression: Expression | None


def plan(layer: Layer, grid: Grid, rendering: Rendering, minus: Layer | None = None) -> Plan:
    """Return the checked rendering; raises `BadExpression` or `CloudbrushError` with words.

    `minus` asks for the difference of two layers: of an expression, of a band, or of the mean of
    the bands that are shown.
    """
    source = _bands(layer, rendering)
    if minus is not None:
        other = _bands(minus, rendering)
        _check_difference(layer, minus, source)
        limit = _difference_limit(source, other, grid, rendering.mode, layer.unit)
        unit = "" if source.expression else f" {unit_label(layer.unit)}"
        return Plan(source, Stretch(source.bands, ((-limit, limit),), f"difference{unit}"), other)
    if source.expression is None:
        return Plan(source, layer_stretch(layer, grid, rendering.mode, source.bands), None)
    known = next((p for p in presets(layer) if p.text == source.expression.text), None)
    name = known.name if known else "expression"
    if known and known.limits and rendering.mode in ("fixed", "none"):
        return Plan(source, Stretch(source.bands, (known.limits,), name), None)
    return Plan(source, Stretch(source.bands, _percentiles(source, grid), name), None)


def value_at(layer: Layer, grid: Grid, row: int, column: int, text: str) -> float | None:
    """Return what an expression gives at a pixel, of stored values without a filter.

    None where it has no value, and for an expression of several channels. Raises `BadExpression`.
    """
    source = _bands(layer, Rendering(expression=text))
    values, valid = _channels(source, grid, Window(row, column, 1, 1), 1)
    return float(values[0, 0, 0]) if len(values) == 1 and valid[0, 0] else None


def draw(made: Plan, grid: Grid, window: Window, step: int) -> tuple[Bytes, bool]:
    """Return uint8 [H, W, 3], or [H, W, 4] with gaps transparent, and whether there are gaps.

    `step` is how many pixels of the tile become one: the shape is the window's, divided and
    rounded up.
    """
    values, valid = _channels(made.layer, grid, window, step)
    ranges = made.stretch.ranges
    if made.minus is not None:
        values, valid = _difference(values, valid, *_channels(made.minus, grid, window, step))
        picture = _diverging()[_levels(values[0], ranges[0])]
    else:
        levels = [_levels(v, ranges[i if len(ranges) > 1 else 0]) for i, v in enumerate(values)]
        order = {1: (0, 0, 0), 2: (0, 1, 0), 3: (0, 1, 2)}[len(levels)]
        picture = np.stack([levels[i] for i in order], axis=-1)
    if valid.all():
        return picture, False
    picture[~valid] = 0
    return np.dstack([picture, np.where(valid, 255, 0).astype(np.uint8)]), True


def _bands(layer: Layer, rendering: Rendering) -> _Bands:
    """Return what to read; raises for bands, expressions and filters that do not fit the layer."""
    if rendering.filter != "none" and layer.modality is not Modality.SAR:
        found = f"{rendering.filter} on {layer.modality.value}"
        raise CloudbrushError("query filter", found=found, expected="a SAR layer")
    if rendering.expression is not None:
        expression = parse(rendering.expression, layer.bands)
        return _Bands(layer.sources, layer.unit, rendering.filter, expression.bands, expression)
    bands = picture_bands(layer) if rendering.bands is None else rendering.bands
    if not bands or min(bands) < 0 or max(bands) >= len(layer.sources) or len(bands) > 3:
        found = ", ".join(str(band + 1) for band in bands) or "none"
        expected = f"one to three of 1 to {len(layer.sources)} in {layer.name}"
        raise CloudbrushError("bands", found=found, expected=expected)
    return _Bands(layer.sources, layer.unit, rendering.filter, bands, None)


def _check_difference(layer: Layer, minus: Layer, source: _Bands) -> None:
    if layer.unit is not minus.unit:
        found = f"{layer.unit.value} and {minus.unit.value}"
        raise CloudbrushError("difference", found=found, expected="two layers of one unit")
    if source.expression is not None and len(source.expression.channels) > 1:
        found = "three expressions"
        raise CloudbrushError("difference", found=found, expected="one expression")


def _channels(source: _Bands, grid: Grid, window: Window, step: int) -> tuple[Floats, Mask]:
    """Return the values to be stretched, float32 [C, H, W], and valid [H, W], of a window."""
    shape = (-(-window.h // step), -(-window.w // step))
    if not source.bands:  # an expression of numbers alone
        return _worked_out(source, np.zeros((0, *shape), np.float32), np.ones(shape, np.bool_))
    top, left, area, rows, columns = _with_halo(source, grid, window, step, shape)
    raster = read([source.sources[b] for b in source.bands], grid, area, out_shape=(rows, columns))
    values = filtered(_floats(raster, source.unit), raster.valid, source.unit, source.filter)
    inner = np.s_[top : top + shape[0], left : left + shape[1]]
    return _worked_out(source, values[:, *inner], raster.valid[inner])


def _with_halo(
    source: _Bands, grid: Grid, window: Window, step: int, shape: tuple[int, int]
) -> tuple[int, int, Window, int, int]:
    """Return rows above, columns to the left, and the window and shape with what a filter needs."""
    if source.filter == "none":
        return 0, 0, window, *shape
    top = min(HALO, window.y0 // step)
    left = min(HALO, window.x0 // step)
    bottom = min(HALO, (grid.height - window.y0 - window.h) // step)
    right = min(HALO, (grid.width - window.x0 - window.w) // step)
    area = Window(
        window.y0 - top * step,
        window.x0 - left * step,
        window.h + (top + bottom) * step,
        window.w + (left + right) * step,
    )
    return top, left, area, shape[0] + top + bottom, shape[1] + left + right


def _floats(raster: Raster, unit: Unit) -> Floats:
    """Return values in the layer's own unit; whole-number reflectance becomes a share."""
    values = raster.values.astype(np.float32)
    if unit is Unit.REFLECTANCE and raster.values.dtype.kind in "ui":
        values *= np.float32(REFLECTANCE_SCALE)
    return values


def _worked_out(source: _Bands, values: Floats, valid: Mask) -> tuple[Floats, Mask]:
    if source.expression is not None:
        by_band = dict(zip(source.bands, values, strict=True))
        return evaluate(source.expression, by_band, valid)
    return (sar_db(values), valid) if source.unit is Unit.LINEAR else (values, valid)


def _difference(a: Floats, a_valid: Mask, b: Floats, b_valid: Mask) -> tuple[Floats, Mask]:
    """Return the difference of the means over the channels, float32 [1, H, W]."""
    values = a.mean(axis=0, keepdims=True) - b.mean(axis=0, keepdims=True)
    valid = a_valid & b_valid
    values[:, ~valid] = 0
    return values, valid


@lru_cache(maxsize=512)
def _percentiles(source: _Bands, grid: Grid) -> tuple[Range, ...]:
    values, valid = _coarse_channels(source, grid)
    return tuple(_percentile_range(band[valid]) for band in values)


def _percentile_range(kept: Floats) -> Range:
    if not kept.size:
        return (0.0, 1.0)
    low, high = (float(v) for v in np.percentile(kept, PERCENTILES))
    return (low, high) if high > low else (low, low + max(1.0, abs(low)))


def _difference_limit(source: _Bands, other: _Bands, grid: Grid, mode: Mode, unit: Unit) -> float:
    """Return how far either side of 0 a difference is shown."""
    if mode in ("fixed", "none") and source.expression is None:
        if unit in (Unit.DB, Unit.LINEAR):
            return DB_DIFFERENCE
        if unit is Unit.REFLECTANCE:
            return REFLECTANCE_DIFFERENCE
    return _percentile_limit(source, other, grid)


@lru_cache(maxsize=512)
def _percentile_limit(source: _Bands, other: _Bands, grid: Grid) -> float:
    pair = (_coarse_channels(part, grid) for part in (source, other))
    (a, a_valid), (b, b_valid) = pair
    if a.shape[1:] != b.shape[1:]:
        side = [min(x, y) for x, y in zip(a.shape[1:], b.shape[1:], strict=True)]
        a, b = a[:, : side[0], : side[1]], b[:, : side[0], : side[1]]
        a_valid, b_valid = (v[: side[0], : side[1]] for v in (a_valid, b_valid))
    values, valid = _difference(a, a_valid, b, b_valid)
    kept = np.abs(values[0][valid])
    limit = float(np.percentile(kept, PERCENTILES[1])) if kept.size else 1.0
    return limit if limit > 0 else 1.0


def _coarse_channels(source: _Bands, grid: Grid) -> tuple[Floats, Mask]:
    """Return the channels of a coarse copy; no filter, which would change little and cost much."""
    if not source.bands:
        return _worked_out(source, np.zeros((0, 1, 1), np.float32), np.ones((1, 1), np.bool_))
    raster = coarse([source.sources[band] for band in source.bands], grid)
    return _worked_out(source, _floats(raster, source.unit), raster.valid)


def _levels(values: Floats, limits: Range) -> Bytes:
    low, high = limits
    with np.errstate(over="ignore"):
        scaled = (values - np.float32(low)) * np.float32(255.0 / (high - low))
    levels: Bytes = (np.clip(scaled, 0, 255) + np.float32(0.5)).astype(np.uint8)
    return levels


@lru_cache(maxsize=1)
def _diverging() -> Bytes:
    """Return the colours of a difference, uint8 [256, 3]; 127 and 128 are white."""
    places = np.linspace(0, 255, len(_DIVERGING))
    ramps = [
        np.interp(np.arange(256), places, channel) for channel in zip(*_DIVERGING, strict=True)
    ]
    colours: Bytes = np.rint(np.stack(ramps, axis=-1)).astype(np.uint8)
    return colours

"""Cloud levels from the difference to a clear picture of the same ground: a method of our own.

Two dates differ without any cloud: light, haze, season and harvest change the ground. So each band
is first brought to the clear picture's scale by a robust line through the ground that both show,
and a pixel counts as changed only above the spread that is left there. Cloud brightens every
visible band; a shadow darkens every band, the longer waves most. A field that was cut or sown does
one of them in some bands and the opposite in others.

Words: *light* is float32 [C, H, W] in any linear scale, the same for both pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.clouds.cover import CLEAR, NONE, SHADOW, THICK, THIN
from core.clouds.optics import ABOVE_GROUND, BRIGHT_GROUND
from core.clouds.simulator import THICK_FROM
from core.errors import CloudbrushError
from core.noise import Field

Mask = npt.NDArray[np.bool_]
Levels = npt.NDArray[np.uint8]

VISIBLE_TO = 0.70  # micrometres
SURE_RISE, LEAST_RISE = (4.0, 0.10), (2.5, 0.04)
"""A cloud has a core that rose by so many deviations of the ground's change and by this share of
the way to a thick cloud, and reaches as far around it as the second pair holds."""
SURE_FALL, LEAST_FALL = 0.40, 0.25
"""A shadow has a core that lost this share of the light, and reaches as far as the second."""
FALL_SPREAD = 2.0  # deviations that a shadow must fall by
DIRECT_FROM = 0.60  # micrometres: shorter waves reach shadows from the sky
SMALLEST_PX = 12  # smaller specks are taken for noise
FEWEST_PX = 64  # fewer pixels cannot tell the ground's change
ROUNDS = 8
PLAUSIBLE = 0.5  # largest logarithm of the ratio of two dates of one ground
BRIGHTEST = 0.85  # rank from which the ground that agrees is taken for clouds that look like it
FADED = 0.4  # contrast of a closed deck, of that of the ground
UNSEEN_SPREAD = 0.1  # of the ground's median, where no ground is seen in both pictures
WHITE = 0.5  # least light of a thick cloud, in pictures whose white is about 1


@dataclass(frozen=True)
class Line:
    """The change of the ground in one band: now = gain * clear + offset, give or take `spread`."""

    gain: float
    offset: float
    spread: float


def difference_levels(
    light: Field, clear: Field, valid: Mask, waves: Sequence[float | None]
) -> Levels:
    """Return cloud levels uint8 [H, W] of a picture against a clear one; 255 where not valid.

    `valid` bool [H, W] is where both pictures have pixels; `waves` gives each band's wavelength in
    micrometres, None where it is not known. Raises `CloudbrushError` when shapes differ.
    """
    if light.shape != clear.shape or light.shape[1:] != valid.shape or len(waves) != len(light):
        raise CloudbrushError(
            "cloud difference",
            found=f"pictures {light.shape} and {clear.shape}, {len(waves)} wavelengths",
            expected="two pictures of one shape with a wavelength for each band",
        )
    levels = np.where(valid, CLEAR, NONE).astype(np.uint8)
    if valid.sum() < FEWEST_PX:
        return levels
    if _closed(light, clear, valid, _visible(waves)):
        levels[valid] = THICK
        return levels
    ground = _stable(light, clear, valid, _visible(waves))
    lines = [
        _line(now[ground], then[ground], float(np.median(then[valid])))
        for now, then in zip(light, clear, strict=True)
    ]
    expected = np.stack(
        [line.gain * band + line.offset for line, band in zip(lines, clear, strict=True)]
    )
    shadow = _shadow(light, expected, lines, waves) & valid
    opacity, risen = _opacity(light, expected, lines, waves, valid)
    cloud = without_specks(risen & valid, SMALLEST_PX)
    levels[without_specks(shadow & ~cloud, SMALLEST_PX)] = SHADOW
    levels[cloud] = THIN
    levels[cloud & (opacity >= THICK_FROM)] = THICK
    return levels


def _visible(waves: Sequence[float | None]) -> list[int]:
    """Return the places of the visible bands, or of all bands where none is known to be."""
    found = [i for i, wave in enumerate(waves) if wave is not None and wave < VISIBLE_TO]
    return found or list(range(len(waves)))


def _stable(light: Field, clear: Field, valid: Mask, visible: Sequence[int]) -> Mask:
    """Return the pixels that show the same ground in both pictures, bool [H, W].

    They are where most pixels agree on how much brighter the second date is, within what light and
    season do: first in the visible bands, where clouds stand out, then in the others, where shadows
    do. No pixel is left where all ground seems hidden.
    """
    rest = [i for i in range(len(light)) if i not in visible] or list(visible)
    kept = valid
    for bands in (visible, rest):
        change = _ratio(light, clear, bands)
        kept = kept & (np.abs(change) < PLAUSIBLE)
        if kept.sum() < FEWEST_PX:
            return np.zeros_like(valid)
        kept = kept & _within_shorth(change, kept)
    then = clear[list(visible)].mean(0)
    # What a closed deck agrees with is the brightest ground and no other.
    rank = float((then[valid] < np.median(then[kept])).mean())
    return kept if rank < BRIGHTEST else np.zeros_like(valid)


def _closed(light: Field, clear: Field, valid: Mask, visible: Sequence[int]) -> bool:
    """Return whether a picture is one closed deck: bright, and with little of the contrast."""
    now, then = (picture[list(visible)].mean(0)[valid] for picture in (light, clear))
    return bool(now.std() < FADED * then.std() and np.median(now) > 1.5 * np.median(then))


def _ratio(light: Field, clear: Field, bands: Sequence[int]) -> Field:
    now, then = light[list(bands)].mean(0), clear[list(bands)].mean(0)
    floor = max(float(np.percentile(then, 5)), 1e-6) / 10
    return np.asarray(np.log(np.maximum(now, floor) / np.maximum(then, floor)), np.float32)


def _within_shorth(values: Field, kept: Mask) -> Mask:
    """Return where values lie near the shortest interval that holds half of those kept."""
    ordered = np.sort(values[kept])
    half = max(len(ordered) // 2, 1)
    widths = ordered[half:] - ordered[: len(ordered) - half]
    first = int(widths.argmin())
    low, high = ordered[first], ordered[first + half]
    margin = (high - low) * 0.5
    return np.asarray((values >= low - margin) & (values <= high + margin))


def _line(now: Field, then: Field, middle: float) -> Line:
    """Return the line through the ground of one band, outliers left out round by round.

    Without ground the line says that nothing changed; `middle` is the median of the clear band.
    """
    if len(now) < FEWEST_PX:
        return Line(1.0, 0.0, max(UNSEEN_SPREAD * middle, 1e-6))
    gain, offset = 1.0, float(np.median(now - then))
    spread = 1e-6
    for _ in range(ROUNDS):
        left = now - (gain * then + offset)
        spread = max(1.4826 * float(np.median(np.abs(left - np.median(left)))), 1e-6)
        near = np.abs(left) <= 2.5 * spread
        if near.sum() < FEWEST_PX // 2:
            break
        x, y = then[near], now[near]
        variance = float(x.var())
        gain = float(((x - x.mean()) * (y - y.mean())).mean() / variance) if variance > 0 else 1.0
        gain = float(np.clip(gain, 0.5, 2.0))
        offset = float(y.mean() - gain * x.mean())
    return Line(gain, offset, spread)


def _shadow(
    light: Field, expected: Field, lines: Sequence[Line], waves: Sequence[float | None]
) -> Mask:
    """Return where the bands that show shadows fell together, bool [H, W]."""
    used = [i for i, wave in enumerate(waves) if wave is None or wave > DIRECT_FROM]
    used = used or list(range(len(waves)))
    fall = np.stack([(expected[i] - light[i]) / np.maximum(expected[i], 1e-6) for i in used])
    sure = np.stack([(expected[i] - light[i]) / lines[i].spread for i in used])
    share, fell = fall.mean(0), np.median(sure, 0) > FALL_SPREAD
    core, around = fell & (share > SURE_FALL), fell & (share > LEAST_FALL)
    return np.asarray(ndimage.binary_propagation(core, mask=around), np.bool_)


def _opacity(
    light: Field, expected: Field, lines: Sequence[Line], waves: Sequence[float | None], valid: Mask
) -> tuple[Field, Mask]:
    """Return the opacity of clouds, 0 to 1, and where the visible bands rose, each [H, W]."""
    visible = _visible(waves)
    now, then = light[visible].mean(0), expected[visible].mean(0)
    sure = np.stack([(light[i] - expected[i]) / lines[i].spread for i in visible]).min(0)
    bright = ABOVE_GROUND * float(np.percentile(then[valid], BRIGHT_GROUND))
    risen = valid & (sure > SURE_RISE[0]) & (now > bright)
    white = max(bright, WHITE)
    if risen.sum() >= FEWEST_PX:
        white = max(white, float(np.percentile(now[risen], 75)))
    opacity = (now - then) / np.maximum(white - then, 1e-6)
    core = (sure > SURE_RISE[0]) & (opacity > SURE_RISE[1])
    around = (sure > LEAST_RISE[0]) & (opacity > LEAST_RISE[1])
    return np.asarray(opacity, np.float32), ndimage.binary_propagation(core, mask=around)


def without_specks(found: Mask, smallest_px: int) -> Mask:
    """Return a mask bool [H, W] without specks and pinholes of fewer than so many pixels."""
    for value in (True, False):
        parts, count = ndimage.label(found == value)
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        small = sizes < smallest_px
        small[0] = False
        found = np.where(small[parts], not value, found)
    return np.asarray(found, np.bool_)

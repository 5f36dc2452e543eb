"""What clouds and their shadows do to the light of each band: a simple model of our own.

A pixel under a cloud of opacity a shows `ground * (1 - a) + cloud * a`. Thin cloud hides short
waves more than long ones, thick cloud hides all; cloud is bright and nearly white up to the near
infrared and darker beyond, where its ice and water take light up. In shadow the sun is gone and
the sky is left, which is bluer: `ground * (1 - shade * (1 - skylight))`.

The numbers are round ones of the usual order for water clouds over land, not fitted to any
picture; `docs/clouds.md` says what they are good for. Wavelengths are micrometres.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.display import REFLECTANCE_SCALE
from core.errors import CloudbrushError
from core.noise import Field
from core.records import Unit

TONE = 1.35
"""Exponent from an 8-bit picture made for the screen to light: light = (value / 255) ** TONE."""

SKYLIGHT_RGB = (0.28, 0.32, 0.40)
"""Light left in shadow in red, green and blue, as a share of full light."""

LEAST_WHITE = 0.80
"""Least light of a thick cloud in an 8-bit picture, where white is 1, and in reflectance."""

ABOVE_GROUND = 1.15
"""A cloud is at least so many times as bright as the brightest ground of the picture."""

BRIGHT_GROUND = 98.0
"""Percentile that counts as the brightest ground."""

# (wavelength, light of a thick cloud as reflectance, share of light left in shadow). The dip near
# 1.38 is water vapour above the cloud: only high cirrus is seen there.
_SPECTRUM = (
    (0.40, LEAST_WHITE, 0.50),
    (0.49, LEAST_WHITE, SKYLIGHT_RGB[2]),
    (0.56, LEAST_WHITE, SKYLIGHT_RGB[1]),
    (0.665, LEAST_WHITE, SKYLIGHT_RGB[0]),
    (0.705, 0.79, 0.26),
    (0.865, 0.79, 0.20),
    (0.945, 0.55, 0.18),
    (1.10, 0.72, 0.16),
    (1.34, 0.45, 0.14),
    (1.375, 0.04, 0.14),
    (1.42, 0.30, 0.14),
    (1.61, 0.58, 0.12),
    (2.20, 0.40, 0.08),
)
THIN_EXPONENT = 0.25
"""How much more a thin cloud hides short waves: optical depth goes as wavelength ** -exponent."""
VISIBLE = 0.56

# Centres of Sentinel-2's bands in its order, with the names that bands there have.
_AT: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.443, ("b1", "coastal")),
    (0.490, ("b2", "blue", "b")),
    (0.560, ("b3", "green", "g")),
    (0.665, ("b4", "red", "r")),
    (0.705, ("b5",)),
    (0.740, ("b6", "rededge")),
    (0.783, ("b7",)),
    (0.842, ("b8", "nir", "n")),
    (0.865, ("b8a",)),
    (0.945, ("b9",)),
    (1.375, ("b10", "cirrus")),
    (1.610, ("b11", "swir", "swir1")),
    (2.190, ("b12", "swir2")),
)
_KNOWN = {name: wave for wave, names in _AT for name in names}
_SENTINEL2 = tuple(names[0] for _, names in _AT)
_IN_ORDER = {
    3: ("red", "green", "blue"),
    4: ("red", "green", "blue", "nir"),
    12: tuple(name for name in _SENTINEL2 if name != "b10"),
    13: _SENTINEL2,
}
"""What the bands of a file without names are taken for, by their number."""

Values = npt.NDArray[np.generic]
Mask = npt.NDArray[np.bool_]


def wavelengths(names: Sequence[str]) -> tuple[float | None, ...]:
    """Return the wavelength of each band by its name, None where the name says nothing.

    Where no name says anything, 3 bands are taken for red, green and blue, 4 for these and near
    infrared, and 12 or 13 for Sentinel-2's in order.
    """
    found = tuple(_KNOWN.get(_plain(name)) for name in names)
    if any(found) or len(names) not in _IN_ORDER:
        return found
    return tuple(_KNOWN[name] for name in _IN_ORDER[len(names)])


def rgb_bands(names: Sequence[str]) -> tuple[int, int, int] | None:
    """Return the places (from 0) of the bands nearest to red, green and blue; None without."""
    found = wavelengths(names)
    picked = []
    for wanted in (0.665, 0.560, 0.490):
        near = [(abs(w - wanted), i) for i, w in enumerate(found) if w and abs(w - wanted) < 0.03]
        if not near:
            return None
        picked.append(min(near)[1])
    return picked[0], picked[1], picked[2]


def _plain(name: str) -> str:
    lower = name.strip().lower().replace("_", "").replace("-", "").replace(" ", "")
    if lower[:1] == "b" and lower[1:2] == "0":
        lower = "b" + lower[2:]
    return lower


def to_light(values: Values, unit: Unit) -> Field:
    """Return values as light, float32: reflectance as a share, 8-bit pictures without their tone.

    Other units stay as they are: their scale is not known.
    """
    if unit is Unit.RELATIVE_8BIT and values.dtype == np.uint8:
        return np.asarray((values.astype(np.float32) / 255) ** np.float32(TONE), np.float32)
    if unit is Unit.REFLECTANCE and values.dtype.kind in "ui":
        return values.astype(np.float32) * np.float32(REFLECTANCE_SCALE)
    return values.astype(np.float32)


def from_light(light: Field, unit: Unit, dtype: np.dtype[np.generic]) -> Values:
    """Return light in the unit and dtype that it came from; the inverse of `to_light`."""
    if unit is Unit.RELATIVE_8BIT and dtype == np.uint8:
        light = np.clip(light, 0, 1) ** np.float32(1 / TONE) * np.float32(255)
    elif unit is Unit.REFLECTANCE and dtype.kind in "ui":
        light = light / np.float32(REFLECTANCE_SCALE)
    if dtype.kind not in "ui":
        return light.astype(dtype)
    limits = np.iinfo(dtype)  # type: ignore[type-var]  # of whole numbers, as just asked
    return np.clip(np.rint(light), limits.min, limits.max).astype(dtype)


def under(
    values: Values,
    valid: Mask,
    unit: Unit,
    names: Sequence[str],
    opacity: Field,
    shade: Field,
    glow: Field,
) -> Values:
    """Return an image [C, H, W] as seen under clouds, in its own unit and dtype.

    `opacity`, `shade` and `glow` (brightness within the cloud, about 1) are float32 [H, W], 0 to 1.
    Pixels that are not `valid` stay as they are. Raises `CloudbrushError` when the number of names
    is not that of the bands.
    """
    if len(names) != values.shape[0]:
        raise CloudbrushError(
            "bands",
            found=f"{len(names)} names for {values.shape[0]} bands",
            expected="one each",
        )
    light = to_light(values, unit)
    waves = wavelengths(names)
    brightest = [_brightest(band[valid]) for band in light]
    scale = _whiteness(brightest, waves)
    seen = np.empty_like(light)
    for band, wave in enumerate(waves):
        white = _cloud_light(brightest[band], unit, wave, scale)
        hidden = _hidden(opacity, wave)
        lit = light[band] * (1 - shade * np.float32(1 - skylight(wave)))
        seen[band] = lit * (1 - hidden) + np.float32(white) * glow * hidden
    changed = from_light(seen, unit, values.dtype)
    untouched = ~valid | ((opacity <= 0) & (shade <= 0))
    changed[:, untouched] = values[:, untouched]
    return changed


def skylight(wave: float | None) -> float:
    """Return the share of light that is left in full shadow."""
    waves, _, left = zip(*_SPECTRUM, strict=True)
    return float(np.interp(wave or VISIBLE, waves, left))


def _brightest(ground: Field) -> float:
    return float(np.percentile(ground, BRIGHT_GROUND)) if ground.size else 0.0


def _whiteness(brightest: Sequence[float], waves: Sequence[float | None]) -> float:
    """Return how many times brighter than usual clouds must be to outshine the visible ground.

    Reflectance is not always a share of 1, and some ground is white; all visible bands get the
    same factor, so that clouds stay white.
    """
    needed = [
        ABOVE_GROUND * ground / LEAST_WHITE
        for ground, wave in zip(brightest, waves, strict=True)
        if wave is not None and wave < 0.7
    ]
    return max([1.0, *needed])


def _full(wave: float | None) -> float:
    """Return the light of a thick cloud as reflectance."""
    waves, cloud, _ = zip(*_SPECTRUM, strict=True)
    return float(np.interp(wave or VISIBLE, waves, cloud))


def _cloud_light(brightest: float, unit: Unit, wave: float | None, scale: float) -> float:
    """Return the light of a thick cloud in one band of a picture with this brightest ground."""
    if unit is Unit.REFLECTANCE:
        white = scale * _full(wave)
        visible = wave is not None and wave < 0.7
        cirrus = wave is not None and abs(wave - 1.375) < 0.02
        return white if visible or cirrus else max(white, ABOVE_GROUND * brightest)
    if unit is Unit.RELATIVE_8BIT:
        return min(LEAST_WHITE * scale, 1.0)
    return ABOVE_GROUND**2 * brightest


def _hidden(opacity: Field, wave: float | None) -> Field:
    if wave is None:
        return opacity
    power = np.float32((VISIBLE / wave) ** THIN_EXPONENT)
    return np.asarray(1 - (1 - opacity) ** power, np.float32)

"""Cells of tables that show scores by lightness."""

from collections.abc import Sequence

import numpy as np

from app.charts import HEAT
from app.theme import INK


def heat_css(value: object) -> str:
    """Return the style of a table cell for a score from 0 to 1: the darker, the higher.

    One hue from light to dark, so that it reads in grey and under every colour blindness; the
    number stands in black or white, whichever stands out more. Nothing where there is no score.
    """
    if not isinstance(value, float) or not np.isfinite(value):
        return ""
    places = [place for place, _ in HEAT]
    stops = np.array([list(bytes.fromhex(colour[1:])) for _, colour in HEAT])
    rgb = [round(float(np.interp(value, places, stops[:, band]))) for band in range(3)]
    ink = INK if _contrast(rgb, INK) >= _contrast(rgb, "#ffffff") else "#ffffff"
    return f"background-color: #{bytes(rgb).hex()}; color: {ink}"


def _contrast(rgb: Sequence[int], other: str) -> float:
    """Return the contrast of two colours by WCAG 2, from 1 to 21."""
    light, dark = sorted((_luminance(rgb), _luminance(bytes.fromhex(other[1:]))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(rgb: Sequence[int]) -> float:
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (band / 255 for band in rgb)
    ]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))

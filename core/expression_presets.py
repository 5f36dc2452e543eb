"""The usual expressions of a layer: indices and composites that its bands allow."""

from dataclasses import dataclass

from core.expression import vocabulary
from core.records import Layer, Modality, Unit


@dataclass(frozen=True)
class Preset:
    """An expression that a layer has the bands for. `limits` is its fixed range where it has one.

    `needs` names the layer's own bands; `help` is one sentence for people.
    """

    name: str
    text: str
    needs: tuple[str, ...]
    limits: tuple[float, float] | None
    help: str


_OPTICAL = (
    (
        "NDVI",
        "(nir - red) / (nir + red)",
        ("nir", "red"),
        (-1.0, 1.0),
        "Green plants are high, water is below zero.",
    ),
    (
        "NDWI",
        "(green - nir) / (green + nir)",
        ("green", "nir"),
        (-1.0, 1.0),
        "Open water is above zero.",
    ),
    (
        "NBR",
        "(nir - swir2) / (nir + swir2)",
        ("nir", "swir2"),
        (-1.0, 1.0),
        "Burnt ground is low.",
    ),
    (
        "Near infrared",
        "nir, red, green",
        ("nir", "red", "green"),
        None,
        "Near infrared as red: plants are red, water is black.",
    ),
)


def presets(layer: Layer) -> list[Preset]:
    """Return the usual expressions that a layer has the bands for."""
    names = vocabulary(layer.bands)
    table = _sar_presets(layer.unit) if layer.modality is Modality.SAR else _OPTICAL
    return [
        Preset(name, text, tuple(layer.bands[names[need]] for need in needs), limits, words)
        for name, text, needs, limits, words in table
        if all(need in names for need in needs)
    ]


def _sar_presets(
    unit: Unit,
) -> list[tuple[str, str, tuple[str, ...], tuple[float, float] | None, str]]:
    """Return what two polarisations give, by the unit of the layer's values."""
    difference, ratio, unit_text, limits = "VV - VH", "VV / VH", "", None
    if unit is Unit.LINEAR:
        difference = "10 * log10(VV / VH)"
    elif unit is Unit.DB:
        ratio = "10 ** ((VV - VH) / 10)"
    if unit in (Unit.LINEAR, Unit.DB):
        unit_text, limits = " dB", (0.0, 15.0)
    both = ("vv", "vh")
    words = "Double-bounce and rough ground are low, smooth ground is high."
    colours = f"VV, VH, {difference}"
    if unit is Unit.LINEAR:
        colours = f"10 * log10(VV), 10 * log10(VH), {difference}"
    return [
        ("VV-VH" + unit_text, difference, both, limits, words),
        ("VV/VH", ratio, both, None, "The same as a ratio."),
        (
            "VV, VH, VV-VH",
            colours,
            both,
            None,
            "Both polarisations and what parts them as colours.",
        ),
    ]

"""The usual expressions of a layer: what its bands allow, and the same for every unit."""

from pathlib import Path

import numpy as np
import pytest

from core.expression import evaluate, parse
from core.expression_presets import presets
from core.records import Layer, Modality, Unit

BANDS = ("B02", "B03", "B04", "B08")


def layer(modality: Modality, unit: Unit, *bands: str) -> Layer:
    sources = tuple((Path("x.tif"), i + 1) for i in range(len(bands)))
    return Layer(1, 1, None, modality, "x", sources, bands, unit, None, 0.0)


def test_presets_are_those_that_the_bands_allow() -> None:
    found = presets(layer(Modality.OPTICAL, Unit.REFLECTANCE, *BANDS))
    assert [preset.name for preset in found] == ["NDVI", "NDWI", "Near infrared"]
    assert found[0].needs == ("B08", "B04")
    assert not presets(layer(Modality.OPTICAL, Unit.RELATIVE_8BIT, "red", "green", "blue"))
    assert not presets(layer(Modality.SAR, Unit.DB, "VV"))


@pytest.mark.parametrize("unit", [Unit.DB, Unit.LINEAR])
def test_sar_presets_agree_between_units(unit: Unit) -> None:
    vv, vh = 0.2, 0.05
    stored = {0: vv, 1: vh} if unit is Unit.LINEAR else {0: to_db(vv), 1: to_db(vh)}
    values = {i: np.full((1, 1), value, np.float32) for i, value in stored.items()}
    found = {
        preset.name: evaluate(parse(preset.text, ("VV", "VH")), values, np.ones((1, 1), np.bool_))
        for preset in presets(layer(Modality.SAR, unit, "VV", "VH"))
    }
    assert found["VV-VH dB"][0].item() == pytest.approx(10 * np.log10(4), rel=1e-4)
    assert found["VV/VH"][0].item() == pytest.approx(4, rel=1e-4)
    assert found["VV, VH, VV-VH"][0][0].item() == pytest.approx(to_db(vv), rel=1e-4)


def to_db(power: float) -> float:
    return float(10 * np.log10(power))

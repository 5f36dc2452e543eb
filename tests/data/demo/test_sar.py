"""Speckle, layover, shadow and double bounce."""

import numpy as np
import pytest

from core.noise import Field
from data.demo.sar import (
    LOOKS,
    Geometry,
    estimate_looks,
    lit,
    radar_view,
    speckle,
    to_amplitude8,
    to_amplitude_power,
)

GROUND = 0.05
FOOTPRINT = slice(60, 80)


def house(metres: float = 8.0) -> tuple[Field, Field]:
    height = np.zeros((40, 160), np.float32)
    height[10:30, FOOTPRINT] = metres
    return np.full(height.shape, GROUND, np.float32), height


@pytest.mark.parametrize("looks", [1, 4, 9])
def test_speckle_has_the_set_number_of_looks_and_keeps_the_mean(looks: int) -> None:
    power = np.full((512, 512), GROUND, np.float32)
    seen = speckle(np.random.default_rng(1), power, looks)
    assert estimate_looks(seen) == pytest.approx(looks, rel=0.1)
    assert seen.mean() == pytest.approx(GROUND, rel=0.02)


def test_eight_bits_keep_the_number_of_looks() -> None:
    power = np.full((512, 512), GROUND, np.float32)
    amplitude = to_amplitude8(speckle(np.random.default_rng(2), power))
    assert estimate_looks(to_amplitude_power(amplitude)) == pytest.approx(LOOKS, rel=0.1)


def test_looks_are_estimated_on_flat_windows_only() -> None:
    power = np.full((64, 64), GROUND, np.float32)
    power[:, 32:] *= np.linspace(1, 30, 32, dtype=np.float32)
    seen = speckle(np.random.default_rng(3), power, 4)
    flat = np.zeros(power.shape, bool)
    flat[:, :32] = True
    assert estimate_looks(seen, flat) == pytest.approx(4, rel=0.25)
    assert estimate_looks(seen, ~flat) < 3.5
    with pytest.raises(ValueError, match="flat"):
        estimate_looks(seen, np.zeros(power.shape, bool))


def test_flat_ground_returns_its_own_power() -> None:
    power, height = house(0.0)
    assert radar_view(power, height, Geometry()) == pytest.approx(GROUND, rel=0.06)


@pytest.mark.parametrize("near", ["left", "right"])
def test_layover_lies_towards_the_sensor_and_shadow_away_from_it(near: str) -> None:
    geometry = Geometry("left" if near == "left" else "right")
    power, height = house()
    row = radar_view(power, height, geometry)[20]
    if near == "right":
        row = row[::-1]
    start, stop = (60, 80) if near == "left" else (80, 100)
    layover = row[start - 15 : start - 2].mean()
    shadow = row[stop + 1 : stop + 10].max()
    assert layover > 2 * GROUND
    assert shadow < GROUND / 5
    assert row[stop + 25 :].mean() == pytest.approx(GROUND, rel=0.1)


def test_a_taller_house_casts_a_longer_shadow() -> None:
    geometry = Geometry()
    dark = [int((~lit(house(metres)[1], geometry)[20]).sum()) for metres in (4.0, 8.0, 16.0)]
    expected = [metres * geometry.shadow_px_per_m for metres in (4.0, 8.0, 16.0)]
    assert dark == pytest.approx(expected, abs=2)


def test_a_wall_facing_the_sensor_shines_at_its_foot_and_the_far_one_does_not() -> None:
    power, height = house()
    row = radar_view(power, height, Geometry())[20]
    assert row[57:61].max() > 10 * row[79:83].max()
    assert row[57:61].max() == row.max()


def test_a_turned_wall_returns_less_than_one_that_faces_the_sensor() -> None:
    turned = np.zeros((120, 160), np.float32)
    rows, cols = np.mgrid[:120, :160]
    turned[np.abs(rows - 60) + np.abs(cols - 80) < 25] = 8
    power = np.full(turned.shape, GROUND, np.float32)
    corner = radar_view(power, turned, Geometry())
    facing = radar_view(*house(), Geometry())
    assert corner[48].max() < facing[20].max() / 2

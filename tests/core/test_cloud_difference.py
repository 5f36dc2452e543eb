"""Cloud levels from the difference to a clear picture: against clouds that were simulated, and
against the masks of real pairs of dates."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from core.clouds import optics
from core.clouds.cover import NONE, SHADOW, THICK, THIN
from core.clouds.difference import difference_levels
from core.clouds.simulator import Sky, draw
from core.errors import CloudbrushError
from core.noise import fractal
from core.raster import read
from core.records import Unit

SHAPE = (200, 200)
NAMES = ("B02", "B03", "B04", "B08", "B11")
WAVES = optics.wavelengths(NAMES)
VALID = np.ones(SHAPE, np.bool_)
COVERED = (THIN, THICK, SHADOW)


def country(seed: int = 1) -> npt.NDArray[np.float32]:
    """Return ground as reflectance: fields of two kinds with texture."""
    rng = np.random.default_rng(seed)
    texture = fractal(rng, SHAPE, 60)
    green = (fractal(rng, SHAPE, 40, slope=4) > 0)[None]
    field = np.array([0.03, 0.06, 0.04, 0.32, 0.18], np.float32)[:, None, None]
    soil = np.array([0.07, 0.10, 0.13, 0.22, 0.28], np.float32)[:, None, None]
    return np.asarray(np.where(green, field, soil) * (1 + 0.15 * texture), np.float32)


def second_date(ground: npt.NDArray[np.float32], seed: int = 9) -> npt.NDArray[np.float32]:
    """Return the ground under other light, with haze and noise, and a tenth of it harvested."""
    rng = np.random.default_rng(seed)
    gain = np.array([1.15, 1.12, 1.1, 0.92, 1.08], np.float32)[:, None, None]
    now = ground * gain + np.float32(0.01) + rng.normal(0, 0.004, ground.shape)
    cut = fractal(rng, SHAPE, 50, slope=5) > 1.3
    now[3, cut] *= 0.6
    now[2, cut] *= 1.5
    return now.astype(np.float32)


def iou(found: npt.NDArray[np.uint8], truth: npt.NDArray[np.uint8], *levels: int) -> float:
    a, b = np.isin(found, levels), np.isin(truth, levels)
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("cover", [0.1, 0.4, 0.7])
def test_simulated_clouds_are_found_on_another_date(cover: float) -> None:
    ground = country()
    clouds = draw(Sky(cover, seed=2, height_m=500), SHAPE, 10.0)
    now = optics.under(
        second_date(ground),
        VALID,
        Unit.REFLECTANCE,
        NAMES,
        clouds.opacity,
        clouds.shade,
        clouds.glow,
    )
    found = difference_levels(now.astype(np.float32), ground, VALID, WAVES)
    truth = clouds.levels()
    assert iou(found, truth, *COVERED) > 0.75
    assert iou(found, truth, THICK) > 0.7
    assert iou(found, truth, SHADOW) > 0.65


def test_another_date_without_clouds_is_clear() -> None:
    ground = country()
    found = difference_levels(second_date(ground), ground, VALID, WAVES)
    assert np.isin(found, COVERED).mean() < 0.01


def test_a_closed_deck_is_thick_cloud() -> None:
    ground = country()
    deck = np.random.default_rng(1).normal(0.8, 0.01, ground.shape).astype(np.float32)
    assert (difference_levels(deck, ground, VALID, WAVES) == THICK).all()


def test_gaps_have_no_level_and_do_not_count() -> None:
    ground = country()
    now, valid = second_date(ground), VALID.copy()
    valid[:, :150] = False
    now[:, ~valid] = 0
    found = difference_levels(now, ground, valid, WAVES)
    assert (found[~valid] == NONE).all()
    assert np.isin(found[valid], COVERED).mean() < 0.05


def test_too_few_pixels_tell_nothing() -> None:
    few = np.zeros(SHAPE, np.bool_)
    few[0, :10] = True
    found = difference_levels(country(2), country(), few, WAVES)
    assert not np.isin(found, COVERED).any()


def test_pictures_of_two_shapes_are_refused() -> None:
    with pytest.raises(CloudbrushError, match="two pictures of one shape"):
        difference_levels(country(), country()[:3], VALID, WAVES)


def test_the_real_pair_agrees_with_its_mask(real_data: Path) -> None:
    folder = real_data / "cloud-pair"
    clear, cloudy = (
        read([(folder / f"{name}.tif", band) for band in range(1, 13)]).values
        for name in ("clean", "cloudy")
    )
    mask = read([(folder / "mask.tif", 1)], categorical=True).values[0]
    waves = optics.wavelengths([""] * 12)
    found = difference_levels(cloudy, clear, np.ones(mask.shape, np.bool_), waves)
    cloud, shadow = mask == 1, mask == 2
    risen, fallen = np.isin(found, (THIN, THICK)), found == SHADOW
    assert (cloud & risen).sum() / (cloud | risen).sum() > 0.75
    assert (shadow & fallen).sum() / (shadow | fallen).sum() > 0.75

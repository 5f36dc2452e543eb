"""Clouds, their shadows and their masks."""

import numpy as np
import pytest

from core.clouds.cover import SHADOW, THICK, THIN, fractions
from core.clouds.simulator import Clouds
from core.clouds.sun import Sun
from data.demo.clouds import Weather, draw_clouds, photograph

SHAPE = (256, 256)
SUN = Sun(150, 48)


def clouds_of(weather: Weather, seed: int = 1) -> Clouds:
    return draw_clouds(np.random.default_rng(seed), SHAPE, weather, SUN, 0.5)


def test_cover_follows_the_weather() -> None:
    few, many = (sum(fractions(clouds_of(Weather(share)).levels())) for share in (0.1, 0.6))
    assert few < 0.35 < 0.5 < many


def test_a_closed_sky_is_almost_all_thick_cloud() -> None:
    _, thick, _ = fractions(clouds_of(Weather(1.5)).levels())
    assert thick > 0.9


def test_a_veil_is_thin() -> None:
    thin, thick, _ = fractions(clouds_of(Weather(0.01, veil=0.5)).levels())
    assert thin > 0.3
    assert thick < 0.1


def test_shadows_lie_where_the_sun_throws_the_clouds() -> None:
    clouds = clouds_of(Weather(0.2))
    rows, cols = SUN.shadow_px(Weather(0.2).base_m, 0.5)
    thrown = np.roll(clouds.opacity, (rows, cols), axis=(0, 1))
    here = np.corrcoef(clouds.shade.ravel(), thrown.ravel())[0, 1]
    elsewhere = np.corrcoef(clouds.shade.ravel(), clouds.opacity.ravel())[0, 1]
    assert np.hypot(rows, cols) > 20
    assert here > 0.95 > 0.5 > elsewhere


def test_edges_are_soft() -> None:
    opacity = clouds_of(Weather(0.4)).opacity
    between = (opacity > 0.1) & (opacity < 0.9)
    assert between.mean() > 0.1
    assert np.percentile(np.abs(np.diff(opacity, axis=1)), 95) < 0.25


def test_the_picture_hides_the_ground_under_thick_cloud_and_darkens_it_in_shadow() -> None:
    rng = np.random.default_rng(4)
    ground = np.full((*SHAPE, 3), 0.3, np.float32)
    clouds = clouds_of(Weather(0.3))
    levels = clouds.levels()
    seen = photograph(rng, ground, clouds).mean(axis=2)
    clear = photograph(rng, ground, None).mean()
    assert seen[levels == THICK].mean() > clear + 60
    assert seen[levels == SHADOW].mean() < clear - 10
    assert seen[levels == THIN].mean() == pytest.approx(clear, abs=80)

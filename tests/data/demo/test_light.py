"""Cast shadows, relief, and noise that they are tested on."""

import numpy as np
import pytest

from core.clouds.sun import Sun
from core.noise import fractal
from data.demo.light import cast_shadow, lighten, relief


def test_a_pole_throws_its_shadow_away_from_the_sun() -> None:
    height = np.zeros((80, 80), np.float32)
    height[38:42, 38:42] = 10
    shade = cast_shadow(height, Sun(90, 45), 0.5)
    assert shade[40, 22:37].min() == 1
    assert shade[40, 44:].max() == 0
    assert shade[:30].max() == shade[50:].max() == 0


def test_shadow_length_follows_the_elevation() -> None:
    height = np.zeros((20, 200), np.float32)
    height[:, 150:153] = 10
    low = int((cast_shadow(height, Sun(90, 30), 0.5)[10] > 0.5).sum())
    high = int((cast_shadow(height, Sun(90, 60), 0.5)[10] > 0.5).sum())
    assert low == pytest.approx(10 / np.tan(np.radians(30)) / 0.5, abs=3)
    assert high == pytest.approx(10 / np.tan(np.radians(60)) / 0.5, abs=3)


def test_slopes_towards_the_sun_are_brighter() -> None:
    rising_east = np.tile(np.arange(50, dtype=np.float32) * 0.1, (50, 1))
    assert relief(rising_east, Sun(90, 45), 0.5).mean() < 1
    assert relief(rising_east, Sun(270, 45), 0.5).mean() > 1


def test_shade_is_darker_and_bluer() -> None:
    white = np.ones((2, 2, 3), np.float32)
    shaded = lighten(white, np.ones((2, 2), np.float32), np.ones((2, 2), np.float32))
    assert shaded.max() < 0.5
    assert (shaded[..., 2] > shaded[..., 0]).all()


def test_noise_is_standard_and_longer_waves_are_smoother() -> None:
    fine = fractal(np.random.default_rng(1), (128, 128), 8)
    broad = fractal(np.random.default_rng(1), (128, 128), 100, slope=4)
    assert fine.std() == pytest.approx(1, abs=1e-3)
    assert abs(float(fine.mean())) < 1e-3
    assert np.abs(np.diff(broad)).mean() < np.abs(np.diff(fine)).mean() / 2

"""What clouds do to bands: brighter and whiter, bluer shadows, gaps untouched, units kept."""

import numpy as np
import pytest

from core.clouds import optics
from core.clouds.simulator import Sky, draw
from core.errors import CloudbrushError
from core.records import Unit

SHAPE = (40, 60)
SENTINEL = ("B02", "B03", "B04", "B08", "B11", "B12")
FULL = np.full(SHAPE, 0.98, np.float32)
NOTHING = np.zeros(SHAPE, np.float32)
EVEN = np.ones(SHAPE, np.float32)
VALID = np.ones(SHAPE, np.bool_)


def ground(*means: float, dtype: type = np.float32) -> np.ndarray:
    rng = np.random.default_rng(1)
    bands = [rng.normal(mean, 0.1 * mean, SHAPE) for mean in means]
    return np.stack(bands).astype(dtype)


REFLECTANCE = (0.05, 0.08, 0.06, 0.30, 0.22, 0.12)


def test_thick_cloud_is_bright_white_and_darker_in_the_short_wave_infrared() -> None:
    clear = ground(*REFLECTANCE)
    seen = optics.under(clear, VALID, Unit.REFLECTANCE, SENTINEL, FULL, NOTHING, EVEN)
    means = seen.mean(axis=(1, 2))
    assert means[:3] == pytest.approx([0.79] * 3, abs=0.02)
    assert means[3] > 0.7 > means[4] > means[5] > 0.35


def test_thin_cloud_hides_short_waves_more() -> None:
    clear = np.full((6, *SHAPE), 0.1, np.float32)
    thin = np.full(SHAPE, 0.3, np.float32)
    seen = optics.under(clear, VALID, Unit.REFLECTANCE, SENTINEL, thin, NOTHING, EVEN)
    rise = seen.mean(axis=(1, 2)) - 0.1
    assert rise[0] > rise[1] > rise[2] > rise[3] > rise[4] > rise[5] > 0


def test_shadow_is_darker_and_bluer() -> None:
    clear = ground(*REFLECTANCE)
    seen = optics.under(clear, VALID, Unit.REFLECTANCE, SENTINEL, NOTHING, EVEN, EVEN)
    left = seen.mean(axis=(1, 2)) / clear.mean(axis=(1, 2))
    assert 0.5 > left[0] > left[1] > left[2] > left[3] > left[4] > left[5] > 0.05


def test_clouds_are_brighter_than_the_ground_whatever_its_scale() -> None:
    clear = ground(*(8 * value for value in REFLECTANCE))
    seen = optics.under(clear, VALID, Unit.REFLECTANCE, SENTINEL, FULL, NOTHING, EVEN)
    assert (seen.mean(axis=(1, 2)) > np.percentile(clear, 98, axis=(1, 2)) * 0.98).all()
    visible = seen[:3].mean(axis=(1, 2))
    assert visible.max() / visible.min() < 1.05


@pytest.mark.parametrize(
    ("dtype", "unit", "scale"),
    [
        (np.uint16, Unit.REFLECTANCE, 10_000),
        (np.int16, Unit.REFLECTANCE, 10_000),
        (np.uint8, Unit.RELATIVE_8BIT, 255),
        (np.uint16, Unit.NUMBER, 2_000),
    ],
)
def test_dtype_and_unit_are_kept(dtype: type, unit: Unit, scale: float) -> None:
    clear = ground(*(scale * value for value in REFLECTANCE[:3]), dtype=dtype)
    clouds = draw(Sky(0.5, seed=1), SHAPE, 10.0)
    names = ("red", "green", "blue")
    seen = optics.under(clear, VALID, unit, names, clouds.opacity, clouds.shade, clouds.glow)
    levels = clouds.levels()
    assert seen.dtype == dtype
    assert seen[:, levels == 2].mean() > 1.1 * clear[:, levels == 2].mean()
    assert seen[:, levels == 3].mean() < 0.8 * clear[:, levels == 3].mean()
    untouched = (clouds.opacity == 0) & (clouds.shade == 0)
    assert untouched.any()
    assert (seen[:, untouched] == clear[:, untouched]).all()


def test_gaps_stay_as_they_are() -> None:
    clear = ground(*REFLECTANCE)
    valid = VALID.copy()
    valid[:9], clear[:, :9] = False, 0
    seen = optics.under(clear, valid, Unit.REFLECTANCE, SENTINEL, FULL, NOTHING, EVEN)
    assert not seen[:, :9].any()


def test_light_and_back_is_the_same_picture() -> None:
    values = np.arange(256, dtype=np.uint8)
    light = optics.to_light(values, Unit.RELATIVE_8BIT)
    assert (optics.from_light(light, Unit.RELATIVE_8BIT, values.dtype) == values).all()


def test_bands_are_known_by_name_or_by_number() -> None:
    assert optics.wavelengths(("B04", "b8a", "SWIR_1", "x")) == (0.665, 0.865, 1.61, None)
    assert optics.wavelengths(("1", "2", "3")) == (0.665, 0.56, 0.49)
    assert optics.wavelengths(tuple(str(n) for n in range(13)))[10] == 1.375
    assert optics.rgb_bands(("B02", "B03", "B04", "B08")) == (2, 1, 0)
    assert optics.rgb_bands(("B05", "B06", "B07", "B11")) is None


def test_a_name_too_few_is_refused() -> None:
    with pytest.raises(CloudbrushError, match="2 names for 6 bands"):
        optics.under(ground(*REFLECTANCE), VALID, Unit.REFLECTANCE, ("a", "b"), FULL, NOTHING, EVEN)

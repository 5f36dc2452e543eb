"""The cloud simulator: set covers, shadows by sun, view and height, seeds, bounds of settings."""

import numpy as np
import pytest

from core.clouds.cover import NONE, SHADOW, THICK, THIN, fractions
from core.clouds.simulator import MAX_PX, TOLERANCE, Clouds, Sky, draw
from core.errors import CloudbrushError

SHAPE = (160, 200)


def drawn(**settings: float | bool | None) -> Clouds:
    return draw(Sky(**({"cover": 0.4, "seed": 3} | settings)), SHAPE, 10.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("cover", [0.0, 0.05, 0.25, 0.5, 0.75, 0.97, 1.0])
@pytest.mark.parametrize("thin", [0.0, 0.5, 1.0])
def test_the_cover_is_the_one_asked_for(cover: float, thin: float) -> None:
    levels = drawn(cover=cover, thin=thin).levels()
    assert sum(fractions(levels)) == pytest.approx(cover, abs=TOLERANCE)


def test_the_cover_is_of_valid_pixels() -> None:
    valid = np.ones(SHAPE, np.bool_)
    valid[:, :120] = False
    levels = draw(Sky(0.5, seed=1), SHAPE, 10.0, valid=valid).levels(valid)
    assert (levels[~valid] == NONE).all()
    assert sum(fractions(levels)) == pytest.approx(0.5, abs=TOLERANCE)


def test_a_tile_without_valid_pixels_stays_clear() -> None:
    clouds = draw(Sky(0.5), SHAPE, 10.0, valid=np.zeros(SHAPE, np.bool_))
    assert not clouds.opacity.any()


def test_a_full_cover_is_a_closed_deck() -> None:
    _, thick, _ = fractions(drawn(cover=1.0).levels())
    assert thick > 0.99


def test_thin_decides_how_much_is_a_veil() -> None:
    few, many = (fractions(drawn(thin=thin).levels()) for thin in (0.0, 1.0))
    assert many[0] == pytest.approx(0.4, abs=TOLERANCE)
    assert few[1] > 0.1 > many[1]


def test_a_seed_gives_the_same_clouds_and_another_one_others() -> None:
    first, again, other = (drawn(seed=seed).opacity for seed in (5, 5, 6))
    assert (first == again).all()
    assert np.abs(first - other).max() > 0.5


def moved(clouds: Clouds) -> tuple[int, int]:
    """Return how far (rows, columns) the shade lies from the clouds, by their correlation."""
    spectrum = np.fft.fft2(clouds.shade) * np.conj(np.fft.fft2(clouds.opacity))
    peak = np.unravel_index(int(np.fft.ifft2(spectrum).real.argmax()), SHAPE)
    rows, cols = (int(p) if p <= n // 2 else int(p) - n for p, n in zip(peak, SHAPE, strict=True))
    return rows, cols


def test_shadows_fall_away_from_the_sun_by_height_and_elevation() -> None:
    # Sun in the south at 45 degrees: the shadow of a cloud at 200 m lies 200 m north of it.
    assert moved(drawn(thin=0.0, sun_azimuth_deg=180, height_m=200)) == (-20, 0)
    low = drawn(thin=0.0, sun_azimuth_deg=90, height_m=200, sun_elevation_deg=30)
    assert moved(low) == (0, -35)  # in the east: 200 m / tan 30 = 346 m to the west


def test_a_slanted_view_moves_clouds_away_from_the_sensor() -> None:
    settings = {"thin": 0.0, "sun_azimuth_deg": 180.0, "height_m": 200.0}
    slanted = drawn(**settings, view_azimuth_deg=90, view_zenith_deg=45)
    assert moved(slanted) == (-20, 20)  # clouds appear 200 m west of where they are


def test_north_that_is_not_up_turns_sun_and_shadow() -> None:
    sky = Sky(0.4, seed=3, thin=0.0, sun_azimuth_deg=180, height_m=200)
    assert moved(draw(sky, SHAPE, 10.0, north_deg=90.0)) == (0, 20)


def test_shadows_longer_than_the_picture_come_from_clouds_outside_it() -> None:
    levels = drawn(height_m=9000, sun_elevation_deg=20).levels()
    assert sum(fractions(levels)) == pytest.approx(0.4, abs=TOLERANCE)
    assert (levels == SHADOW).any()


def test_without_shadows_only_clouds_count() -> None:
    levels = drawn(shadows=False).levels()
    assert fractions(levels)[2] == 0
    assert np.isin(levels, (THIN, THICK)).mean() == pytest.approx(0.4, abs=TOLERANCE)


def test_long_pictures_are_drawn_coarser_and_keep_their_cover() -> None:
    levels = draw(Sky(0.3, seed=2), (64, 4500), 1.0).levels()
    assert sum(fractions(levels)) == pytest.approx(0.3, abs=TOLERANCE)


def test_a_picture_too_large_is_refused() -> None:
    with pytest.raises(CloudbrushError, match="Cut the scene into tiles"):
        draw(Sky(0.3), (1, MAX_PX + 1), 1.0)


@pytest.mark.parametrize(
    "settings",
    [{"cover": 1.2}, {"cover": 0.5, "sun_elevation_deg": 0}, {"cover": True}, {"cover": "much"}],
)
def test_settings_out_of_bounds_are_named(settings: dict[str, float]) -> None:
    with pytest.raises(CloudbrushError, match="sky, "):
        Sky(**settings)  # type: ignore[arg-type]


def test_a_sky_is_kept_as_json_and_read_again() -> None:
    sky = Sky(0.5, seed=4, size_m=300.0)
    assert Sky.from_json(sky.to_json()) == sky
    with pytest.raises(CloudbrushError, match="settings of a sky"):
        Sky.from_json({"cover": 0.1, "colour": 3})

"""Pixel sizes on the ground and north, held against known places."""

from math import cos, radians

import pytest

from core.ground import Ground, ground
from core.records import Grid

TOKYO = (500_000.0, 4_000_000.0)


def found(grid: Grid) -> Ground:
    size = ground(grid)
    assert size is not None
    return size


def test_projected_pixels_keep_their_size_and_north_is_up() -> None:
    size = found(Grid(1024, 1024, (10.0, 0.0, TOKYO[0], 0.0, -10.0, TOKYO[1]), "EPSG:32654"))
    assert size.width_m == pytest.approx(10.0, rel=1e-3)
    assert size.height_m == pytest.approx(10.0, rel=1e-3)
    assert size.north_deg == pytest.approx(0.0, abs=0.1)


def test_pixels_in_degrees_are_narrower_away_from_the_equator() -> None:
    size = found(Grid(200, 200, (1e-4, 0.0, 139.0, 0.0, -1e-4, 60.01), "EPSG:4326"))
    assert size.height_m == pytest.approx(11.14, rel=2e-3)
    assert size.width_m / size.height_m == pytest.approx(cos(radians(60)), rel=5e-3)


def test_pixels_need_not_be_square() -> None:
    size = found(Grid(64, 64, (5.0, 0.0, TOKYO[0], 0.0, -20.0, TOKYO[1]), "EPSG:32654"))
    assert size.width_m == pytest.approx(5.0, rel=1e-3)
    assert size.height_m == pytest.approx(20.0, rel=1e-3)


def test_web_mercator_is_measured_on_the_ground() -> None:
    # y = 8.4e6 lies at about 60 degrees north, where the projection doubles lengths.
    size = found(Grid(100, 100, (10.0, 0.0, 1.5e7, 0.0, -10.0, 8.4e6), "EPSG:3857"))
    assert size.width_m == pytest.approx(5.0, rel=0.01)


@pytest.mark.parametrize(
    ("transform", "north"),
    [
        ((0.0, 10.0, *TOKYO[:1], 10.0, 0.0, TOKYO[1]), 90.0),
        ((10.0, 0.0, *TOKYO[:1], 0.0, 10.0, TOKYO[1]), 180.0),
    ],
)
def test_north_follows_a_turned_grid(
    transform: tuple[float, float, float, float, float, float], north: float
) -> None:
    size = found(Grid(100, 100, transform, "EPSG:32654"))
    assert abs(size.north_deg) == pytest.approx(north, abs=0.1)


def test_without_crs_there_is_no_size() -> None:
    assert ground(Grid(10, 10, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), None)) is None


def test_a_local_system_has_no_way_to_the_globe() -> None:
    local = 'LOCAL_CS["site",UNIT["foot",0.3048]]'
    assert ground(Grid(10, 10, (2.0, 0.0, 0.0, 0.0, -4.0, 0.0), local)) is None

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import GridMismatch
from core.grid import (
    block,
    blocks,
    lonlat_corners,
    offset_px,
    pixel_to_lonlat,
    same_grid,
)
from core.records import Grid
from tests.rasters import grid_of, unplaced


@given(st.integers(1, 200), st.integers(1, 200), st.integers(9, 120))
@settings(deadline=None, derandomize=True)
def test_blocks_cover_every_pixel_once(height: int, width: int, size: int) -> None:
    seen = np.zeros((height, width), np.uint8)
    for window in blocks(unplaced(height, width), size):
        seen[window.slices] += 1
    assert (seen == 1).all()


def test_block_is_cropped_at_the_far_edge() -> None:
    window = block(unplaced(600, 700), 1, 1)
    assert (window.y0, window.x0, window.h, window.w) == (512, 512, 88, 188)


@pytest.mark.parametrize("index", [(2, 0), (0, 2), (-1, 0)])
def test_block_outside_is_refused(index: tuple[int, int]) -> None:
    with pytest.raises(GridMismatch, match="expected inside 600 x 700"):
        block(unplaced(600, 700), *index)


def test_grids_that_differ_in_the_15th_digit_are_the_same() -> None:
    a = grid_of(512, 512, pixel=8.983152841195215e-05, crs="EPSG:4326")
    b = grid_of(512, 512, pixel=8.983152841195216e-05, crs="EPSG:4326")
    assert a != b
    assert same_grid(a, b)


@settings(deadline=None, derandomize=True)
@given(st.floats(-0.99, 0.99), st.floats(-0.99, 0.99))
def test_offset_is_the_distance_in_pixels(dx: float, dy: float) -> None:
    a = grid_of(pixel=0.6)
    b = grid_of(pixel=0.6, east=500_000 + 0.6 * dx, north=4_000_000 + 0.6 * dy)
    assert offset_px(a, b) == pytest.approx(np.hypot(dx, dy), abs=1e-5)


def test_offset_beyond_a_pixel_is_refused_with_the_sides() -> None:
    with pytest.raises(GridMismatch, match=r"sides off by 3\.0"):
        offset_px(grid_of(), grid_of(east=500_003.0))


def test_coarser_pixels_on_the_same_ground_agree() -> None:
    assert offset_px(grid_of(64, 64, pixel=10), grid_of(32, 32, pixel=20)) == 0
    assert not same_grid(grid_of(64, 64, pixel=10), grid_of(32, 32, pixel=20))


def test_other_extent_is_refused() -> None:
    with pytest.raises(GridMismatch):
        offset_px(grid_of(64, 64), grid_of(64, 70))


def test_other_crs_is_refused_by_both_names() -> None:
    with pytest.raises(GridMismatch, match=r"EPSG:32655.*EPSG:32654"):
        offset_px(grid_of(), grid_of(crs="EPSG:32655"))


def test_same_crs_in_other_words_is_the_same() -> None:
    from rasterio.crs import CRS

    assert same_grid(grid_of(), grid_of(crs=CRS.from_epsg(32654).to_wkt()))


def test_a_lost_crs_on_the_same_coordinates_is_accepted() -> None:
    assert offset_px(grid_of(), grid_of(crs=None)) == 0


def test_a_turned_grid_is_refused() -> None:
    turned = Grid(48, 40, (0.9, 0.3, 500_000.0, 0.3, -0.9, 4_000_000.0), "EPSG:32654")
    with pytest.raises(GridMismatch):
        offset_px(grid_of(), turned)


def test_an_unplaced_grid_joins_any_of_its_shape_and_no_other() -> None:
    assert offset_px(grid_of(), unplaced()) == 0
    with pytest.raises(GridMismatch, match="has no position"):
        offset_px(grid_of(), unplaced(48, 41))


def test_corners_lie_in_order_on_the_globe() -> None:
    corners = lonlat_corners(grid_of(100, 100, pixel=10))
    assert corners is not None
    (west, north), (east, _), (_, south), _ = corners
    assert 140 < west < east < 142
    assert 36 < south < north < 37


def test_without_crs_there_is_no_longitude() -> None:
    assert lonlat_corners(unplaced()) is None
    assert pixel_to_lonlat(unplaced(), 0, 0) is None


def test_pixel_centre_is_half_a_pixel_inside() -> None:
    grid = Grid(2, 2, (1.0, 0.0, 10.0, 0.0, -1.0, 50.0), "EPSG:4326")
    assert pixel_to_lonlat(grid, 0, 1) == pytest.approx((11.5, 49.5))

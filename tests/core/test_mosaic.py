"""Islands and holes found window by window are those of the whole raster."""

from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core import regions
from core.grid import Window
from core.mosaic import Mosaic, painted
from core.patch import Bytes, Mask

VOID = 0
# Few classes: regions then wind through many windows.
rasters = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14).flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.uint8, shape, elements=st.integers(0, 2)),
        hnp.arrays(np.bool_, shape, elements=st.integers(0, 9).map(lambda n: n == 0)),
    )
)
sides = st.integers(1, 6)
sizes = st.integers(1, 30)


def by_windows(labels: Bytes, fixed: Mask, side: int, rule: str, size: int) -> Bytes:
    """Return what a rule makes of a raster that is seen window by window."""
    height, width = labels.shape
    windows = [
        Window(y, x, min(side, height - y), min(side, width - x))
        for y in range(0, height, side)
        for x in range(0, width, side)
    ]
    mosaic = Mosaic(height, width)
    for window in windows:
        mosaic.add(window, labels[window.slices], fixed[window.slices])
    change: Callable[[int, int], dict[Window, Bytes]] = getattr(mosaic, rule)
    found = change(size, VOID)
    done = np.zeros_like(labels)
    for window in windows:
        done[window.slices] = painted(labels[window.slices], found[window])
    return done


@given(rasters, sides, sizes)
def test_islands_are_those_of_the_whole(raster: tuple[Bytes, Mask], side: int, size: int) -> None:
    labels, fixed = raster
    expected = regions.remove_islands(labels, size, VOID, fixed)
    assert np.array_equal(by_windows(labels, fixed, side, "without_islands", size), expected)


@given(rasters, sides, sizes)
def test_holes_are_those_of_the_whole(raster: tuple[Bytes, Mask], side: int, size: int) -> None:
    labels, fixed = raster
    expected = regions.fill_holes(labels, size, VOID, fixed)
    assert np.array_equal(by_windows(labels, fixed, side, "without_holes", size), expected)


def test_a_snake_through_every_window_is_one_region() -> None:
    labels = np.full((12, 12), 1, np.uint8)
    labels[::2] = 2
    labels[1::4, -1] = labels[3::4, 0] = 2
    fixed = np.zeros_like(labels, np.bool_)
    snake = int((labels == 2).sum())
    kept = by_windows(labels, fixed, 4, "without_islands", snake)
    gone = by_windows(labels, fixed, 4, "without_islands", snake + 1)
    # The ground between its turns is smaller than the snake, so it goes first.
    assert (kept == 2).all()
    assert np.array_equal(gone, regions.remove_islands(labels, snake + 1, VOID))

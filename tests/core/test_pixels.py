"""Pixels of a box, by their index where they are few and by the mask where they are many."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.grid import Window
from core.pixels import DENSE, Pixels, decode_runs, encode_runs, tight

SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 40))
MASKS = SHAPES.flatmap(lambda shape: arrays.arrays(np.bool_, shape))
FEW = SHAPES.flatmap(
    lambda shape: st.sets(st.integers(0, shape[0] * shape[1] - 1), max_size=6).map(
        lambda chosen: np.isin(np.arange(shape[0] * shape[1]), list(chosen)).reshape(shape)
    )
)


def of(mask: Any, y0: int = 3, x0: int = 5) -> Pixels:
    """Return the pixels of a mask whose corner is at (y0, x0)."""
    return Pixels(Window(y0, x0, *mask.shape), encode_runs(mask))


@given(MASKS | FEW)
def test_rows_columns_and_count_are_those_of_the_mask(mask: Any) -> None:
    places = of(mask)
    rows, columns = np.nonzero(mask)
    assert places.count == mask.sum()
    assert np.array_equal(places.mask, mask)
    assert np.array_equal(places.rows, rows + 3)
    assert np.array_equal(places.columns, columns + 5)
    assert np.array_equal(decode_runs(places.runs, places.box), mask)


@given(MASKS | FEW, st.integers(0, 10), st.integers(0, 30), st.integers(1, 9), st.integers(1, 30))
def test_values_reach_their_pixels_in_any_window(
    mask: Any, y0: int, x0: int, h: int, w: int
) -> None:
    places, whole = of(mask), np.zeros((60, 90), np.uint8)
    values = np.arange(1, places.count + 1).astype(np.uint8)
    whole[places.rows, places.columns] = values
    window = Window(y0, x0, h, w)
    once, twice = np.zeros((h, w), np.uint8), np.zeros((h, w), np.uint8)
    places.put(window, (once, values), (twice, values // 2))
    expected = whole[y0 : y0 + h, x0 : x0 + w]
    assert np.array_equal(once, expected)
    assert np.array_equal(twice, expected // 2)


@given(MASKS | FEW, st.randoms(use_true_random=False))
def test_narrowed_pixels_have_the_smallest_box(mask: Any, chance: Any) -> None:
    places = of(mask)
    kept = np.array([chance.random() < 0.5 for _ in range(places.count)], np.bool_)
    if not kept.any():
        return
    found = places.narrowed(kept)
    wanted = np.zeros_like(mask)
    wanted[mask] = kept
    assert (found.box, found.runs.tolist()) == (
        tight(places.box, wanted).box,
        tight(places.box, wanted).runs.tolist(),
    )
    assert found.runs.dtype == np.uint32
    assert found.count == kept.sum()


@pytest.mark.parametrize(("marked", "dense"), [(DENSE, False), (DENSE + 1, True)])
def test_one_in_so_many_is_where_the_way_changes(marked: int, dense: bool) -> None:
    mask = np.zeros((DENSE, DENSE), np.bool_)
    mask.ravel()[:marked] = True
    assert of(mask).dense is dense

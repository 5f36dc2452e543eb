"""Speckle filters: what they keep, what they smooth, and that blocks meet."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from core.records import Unit
from core.speckle import _HALVES, HALO, LOOKS, _row_sums, _runs, filtered, lee, refined_lee

Power = npt.NDArray[np.float32]
Work = Callable[[Power, npt.NDArray[np.bool_]], Power]
Change = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
BOTH = pytest.mark.parametrize("work", [lee, refined_lee])


def speckled(clean: npt.NDArray[np.floating], seed: int = 1) -> Power:
    """Return power with speckle of `LOOKS` looks on it."""
    noise = np.random.default_rng(seed).gamma(LOOKS, 1 / LOOKS, clean.shape)
    return (clean * noise).astype(np.float32)


def all_of(image: Power) -> npt.NDArray[np.bool_]:
    return np.ones(image.shape, np.bool_)


@BOTH
def test_a_constant_image_stays_constant(work: Work) -> None:
    image = np.full((20, 30), 0.125, np.float32)
    assert np.allclose(work(image, all_of(image)), 0.125, rtol=1e-6)


@BOTH
def test_the_mean_is_kept_and_the_variance_goes_down(work: Work) -> None:
    image = speckled(np.full((200, 200), 0.05))
    found = work(image, all_of(image))
    assert found.mean() == pytest.approx(image.mean(), rel=0.02)
    assert found.var() < 0.2 * image.var()


@BOTH
@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_edges_are_kept_better_than_by_a_mean(work: Work, turn: int) -> None:
    rows, columns = np.mgrid[:120, :120]
    side = (columns < 60, rows < 60, rows + columns < 120, rows < columns)[turn]
    clean = np.where(side, 0.01, 0.2)
    image = speckled(clean)
    near = ndimage.binary_dilation(side, iterations=3) & ndimage.binary_dilation(
        ~side, iterations=3
    )
    found = work(image, all_of(image))
    mean = ndimage.uniform_filter(image, 7)
    assert np.abs(found - clean)[near].mean() < 0.8 * np.abs(mean - clean)[near].mean()


def test_the_refined_filter_smooths_along_an_edge() -> None:
    rows, columns = np.mgrid[:160, :160]
    for side in (columns < 80, rows < 80, rows + columns < 160, rows < columns):
        clean = np.where(side, 0.02, 0.2)
        image = speckled(clean)
        near = ndimage.binary_dilation(side) & ~side
        errors = [
            np.abs(work(image, all_of(image)) - clean)[near].mean() for work in (lee, refined_lee)
        ]
        assert errors[1] < 0.8 * errors[0]


def test_each_half_window_holds_28_pixels() -> None:
    # A single bright pixel is counted by each half that holds it: 28 places around it.
    image = np.zeros((15, 15))
    image[7, 7] = 1
    runs = _runs(np.pad(image, HALO))
    for rows in _HALVES:
        sums = _row_sums(runs, rows, image.shape)
        assert sums.sum() == 28
        assert sums[7, 7] == 1
    opposite = _row_sums(runs, _HALVES[4], image.shape) + _row_sums(runs, _HALVES[5], image.shape)
    assert np.max(opposite) == 2
    assert np.min(opposite[4:11, 4:11]) == 1


@BOTH
def test_what_is_not_valid_takes_no_part(work: Work) -> None:
    image = speckled(np.full((40, 40), 0.1))
    valid = all_of(image)
    valid[:, 25:] = False
    image[:, 25:] = 1e6
    found = work(image, valid)
    assert found[:, :25].max() < 1
    assert np.array_equal(found[:, 25:], image[:, 25:])


@BOTH
def test_blocks_with_a_halo_equal_the_whole(work: Work) -> None:
    image = speckled(np.exp(np.random.default_rng(3).normal(0, 1, (64, 64))))
    image[10:12, 30:33] = 1e5  # a bright target, across the cut
    valid = np.random.default_rng(4).random(image.shape) > 0.1
    whole = work(image, valid)
    for y0, y1, x0, x1 in ((0, 32, 0, 32), (32, 64, 32, 64), (0, 32, 32, 64), (17, 45, 9, 31)):
        top, left = max(y0 - HALO, 0), max(x0 - HALO, 0)
        part = np.s_[top : y1 + HALO, left : x1 + HALO]
        inner = work(image[part], valid[part])[y0 - top : y1 - top, x0 - left : x1 - left]
        assert np.array_equal(inner, whole[y0:y1, x0:x1])


@pytest.mark.parametrize("unit", [Unit.DB, Unit.LINEAR, Unit.RELATIVE_8BIT])
def test_values_come_back_in_their_own_unit(unit: Unit) -> None:
    power = speckled(np.full((1, 40, 40), 0.05))
    ways: dict[Unit, tuple[Change, Change]] = {
        Unit.DB: (lambda x: 10 * np.log10(x), lambda x: 10 ** (x / 10)),
        Unit.LINEAR: (lambda x: x, lambda x: x),
        Unit.RELATIVE_8BIT: (np.sqrt, np.square),
    }
    shown = ways[unit][0](power)
    found = filtered(shown, all_of(power[0]), unit, "lee")
    back = ways[unit][1](found)
    assert np.allclose(back[0], lee(power[0], all_of(power[0])), rtol=1e-4)
    assert filtered(shown, all_of(power[0]), unit, "none") is shown

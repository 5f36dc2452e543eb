"""Bootstrap over tiles: seeded, paired, summed before it divides, honest about missing classes."""

import numpy as np
import pytest

from core import metrics
from core.bootstrap import difference, draw_tiles, interval, totals


def tiles(
    count: int, classes: int = 3, seed: int = 0
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    rng = np.random.default_rng(seed)
    matrices = rng.integers(0, 50, (count, classes + 1, classes + 1))
    matrices += 200 * np.eye(classes + 1, dtype=np.int64)
    return matrices.astype(np.int64)


def test_same_seed_same_interval() -> None:
    first, again = (interval(tiles(12), metrics.iou, seed=4) for _ in range(2))
    other = interval(tiles(12), metrics.iou, seed=5)
    assert np.array_equal(first.low, again.low)
    assert not np.array_equal(first.low, other.low)


def test_draws_sum_matrices_before_they_divide() -> None:
    matrices = tiles(6)
    weights = draw_tiles(6, 20, 1)
    assert (weights.sum(1) == 6).all()
    summed = totals(weights, matrices)
    for row, total in zip(weights, summed, strict=True):
        expected = np.repeat(matrices, row.astype(int), axis=0).sum(0)
        assert np.array_equal(total, expected)


def test_interval_holds_the_score_of_all_tiles() -> None:
    found = interval(tiles(30), metrics.iou)
    assert np.array_equal(found.value, metrics.iou(tiles(30).sum(0)))
    assert ((found.low < found.value) & (found.value < found.high)).all()


def test_equal_tiles_leave_no_doubt() -> None:
    found = interval(np.repeat(tiles(1), 8, axis=0), metrics.iou)
    assert np.allclose(found.low, found.high)


def test_difference_is_paired_by_tile() -> None:
    before = tiles(20)
    same = difference(before, before, metrics.iou)
    assert np.array_equal(same.low, np.zeros(3)) and np.array_equal(same.high, np.zeros(3))
    after = before + 40 * np.eye(4, dtype=np.int64)
    paired = difference(before, after, metrics.iou)
    alone = interval(after, metrics.iou)
    assert (paired.low > 0).all()
    assert (paired.high - paired.low < alone.high - alone.low).all()


def test_unpaired_sets_are_refused() -> None:
    with pytest.raises(ValueError, match="not paired"):
        difference(tiles(3), tiles(4), metrics.iou)


def test_draws_without_the_class_are_counted() -> None:
    matrices = tiles(10)
    matrices[1:, 2, :] = 0
    found = interval(matrices, metrics.iou, draws=2000)
    # A draw of ten tiles misses one given tile with probability 0.9 ** 10 = 0.35.
    assert 600 < int(found.lacking[2]) < 800
    assert found.lacking[0] == 0
    assert np.isfinite(found.low[2])


def test_absent_class_has_no_interval() -> None:
    matrices = tiles(10)
    matrices[:, 1, :] = 0
    found = interval(matrices, metrics.iou)
    assert np.isnan([found.value[1], found.low[1], found.high[1]]).all()
    assert found.lacking[1] == found.draws


def test_few_tiles_get_no_interval() -> None:
    found = interval(tiles(4), metrics.overall_accuracy)
    assert np.isfinite(found.value) and np.isnan(found.low)
    assert np.isfinite(interval(tiles(4), metrics.overall_accuracy, min_tiles=4).low)


def test_no_tiles_is_no_score() -> None:
    found = interval(tiles(3)[:0], metrics.iou)
    assert np.isnan(found.value).all() and found.tiles == 0

"""Bootstrap intervals over tiles: draw tiles with replacement, sum their matrices, score once.

The same draws serve both sides of a comparison, so that a difference is paired by tile. A class
may be missing from a draw; how many draws lacked it is reported with its interval. The spread
between training seeds is not in these intervals.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from core.metrics import Matrix, Scores

DRAWS = 1000
LEVEL = 0.95
MIN_TILES = 5
"""Fewer tiles than this get no interval: resampling three tiles says nothing."""

Score = Callable[[Matrix], Scores]
"""Turns matrices [..., K+1, K+1] into scores [...] or [..., K]."""


@dataclass(frozen=True, eq=False)
class Interval:
    """A score of all tiles and its interval; arrays of one shape, NaN where there is none.

    `lacking` counts the draws, of `draws`, in which the score did not exist.
    """

    value: Scores
    low: Scores
    high: Scores
    lacking: npt.NDArray[np.int64]
    draws: int
    tiles: int


@lru_cache(maxsize=2)
def draw_tiles(tiles: int, draws: int = DRAWS, seed: int = 0) -> npt.NDArray[np.float64]:
    """Return how often each tile was drawn, [draws, tiles]; every row sums to `tiles`.

    The array is shared between calls (drawing 5,000 tiles takes longer than scoring them) and
    cannot be written to.
    """
    rng = np.random.default_rng(seed)
    chances = np.full(tiles, 1 / max(tiles, 1))
    drawn = rng.multinomial(tiles, chances, draws) if tiles else np.zeros((draws, 0))
    weights = drawn.astype(np.float64)
    weights.flags.writeable = False
    return weights


def totals(weights: npt.NDArray[np.float64], matrices: npt.NDArray[np.int64]) -> Matrix:
    """Return the summed matrix of every draw, float64 [draws, n, n], from [tiles, n, n]."""
    size = matrices.shape[1] * matrices.shape[2]
    flat = matrices.reshape(len(matrices), size).astype(np.float64)
    return (weights @ flat).reshape(len(weights), *matrices.shape[1:])


def interval(
    matrices: npt.NDArray[np.int64],
    score: Score,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    min_tiles: int = MIN_TILES,
) -> Interval:
    """Return the score of summed matrices [tiles, n, n] with its interval."""
    weights = draw_tiles(len(matrices), draws, seed)
    samples = score(totals(weights, matrices))
    return _interval(score(matrices.sum(0)), samples, len(matrices), min_tiles)


def difference(
    before: npt.NDArray[np.int64],
    after: npt.NDArray[np.int64],
    score: Score,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    min_tiles: int = MIN_TILES,
) -> Interval:
    """Return score(after) - score(before) with its interval; both are [tiles, n, n] by tile.

    Raises `ValueError` when the two do not hold the same number of tiles.
    """
    if before.shape != after.shape:
        raise ValueError(f"not paired: {before.shape} and {after.shape}")
    weights = draw_tiles(len(before), draws, seed)
    samples = score(totals(weights, after)) - score(totals(weights, before))
    value = score(after.sum(0)) - score(before.sum(0))
    return _interval(value, samples, len(before), min_tiles)


def _interval(value: Scores, samples: Scores, tiles: int, min_tiles: int) -> Interval:
    """Summarise samples [draws, ...] around the score of all tiles [...]."""
    lacking = np.asarray(np.isnan(samples).sum(0), np.int64)
    known = (lacking < len(samples)) & np.isfinite(value)
    low, high = np.full(known.shape, np.nan), np.full(known.shape, np.nan)
    if tiles >= max(min_tiles, 2) and known.any():
        tail = 50 * (1 - LEVEL)
        low[known], high[known] = np.nanpercentile(samples[:, known], [tail, 100 - tail], axis=0)
    return Interval(np.asarray(value, np.float64), low, high, lacking, len(samples), tiles)

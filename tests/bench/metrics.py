"""How much faster a confusion matrix is than scikit-learn's, in the same run on the same arrays.

Both run in one thread, so the ratio is that of one core.
"""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from time import perf_counter

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix

from core.classes import OPEN_EARTH_MAP_SAR
from core.metrics import confusion, confusions

SIZE = 1024
RUNS = 15
TILES = 5000
DISTINCT = 8
SAMPLED = 20

Figures = dict[str, dict[str, float | int | str]]
Pair = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def run() -> Figures:
    """Return the figures of one tile and of many."""
    return one_tile() | many_tiles()


def one_tile() -> Figures:
    """Return `matrix_speedup`: median time of scikit-learn over ours, 1024x1024 uint8 in memory."""
    reference, prediction = _maps(0)
    lut = OPEN_EARTH_MAP_SAR.index_lut
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(RUNS):
        ours.append(_seconds(lambda: confusion(reference, prediction, lut)))
        # Without `labels`, which would make scikit-learn ten times slower.
        theirs.append(_seconds(lambda: confusion_matrix(reference.ravel(), prediction.ravel())))
    labels = [*OPEN_EARTH_MAP_SAR.codes, OPEN_EARTH_MAP_SAR.void_code]
    expected = confusion_matrix(reference.ravel(), prediction.ravel(), labels=labels)
    if not np.array_equal(confusion(reference, prediction, lut), expected):
        raise AssertionError("the two matrices differ")
    return {
        "matrix_speedup": {
            "value": round(median(theirs) / median(ours), 2),
            "unit": "times scikit-learn",
            "n": RUNS,
        },
        "matrix_ms": {"value": round(median(ours) * 1000, 3), "unit": "ms", "n": RUNS},
    }


def many_tiles(tiles: int = TILES, sampled: int = SAMPLED) -> Figures:
    """Return `matrix_speedup_5000`: scoring 5,000 tiles one after the other, with progress.

    A handful of distinct tiles in memory stand for them. scikit-learn takes minutes for that many,
    so its time is the mean of `sampled` tiles spread over the same run.
    """
    maps = [_maps(seed) for seed in range(DISTINCT)]
    lut = OPEN_EARTH_MAP_SAR.index_lut
    theirs: list[float] = []
    told: list[float] = []
    made: list[npt.NDArray[np.int64]] = []

    def pairs() -> Iterator[Pair]:
        for number in range(tiles):
            reference, prediction = maps[number % DISTINCT]
            if number % (tiles // sampled) == 0:
                theirs.append(
                    _seconds(partial(confusion_matrix, reference.ravel(), prediction.ravel()))
                )
            yield reference, prediction

    both = _seconds(lambda: made.append(confusions(pairs(), lut, count=tiles, report=told.append)))
    ours = both - sum(theirs)
    if len(told) != tiles or made[0].sum() != tiles * SIZE * SIZE:
        raise AssertionError("not every pixel of every tile was counted and reported")
    mean = sum(theirs) / len(theirs)
    return {
        "matrix_speedup_5000": {
            "value": round(mean * tiles / ours, 2),
            "unit": "times scikit-learn",
            "n": tiles,
        },
        "matrix_seconds_5000": {"value": round(ours, 2), "unit": "s", "n": tiles},
    }


def _maps(seed: int) -> Pair:
    """Return a map of 32 px patches with 3 % void, and the same with 20 % of the pixels wrong."""
    rng = np.random.default_rng(seed)
    patches = rng.integers(1, 9, (SIZE // 32, SIZE // 32), dtype=np.uint8)
    reference = np.kron(patches, np.ones((32, 32), np.uint8))
    reference[rng.random(reference.shape) < 0.03] = 0
    wrong = rng.random(reference.shape) < 0.2
    prediction = np.where(wrong, rng.integers(1, 9, reference.shape, dtype=np.uint8), reference)
    return reference, prediction.astype(np.uint8)


def _seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start

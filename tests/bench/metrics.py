"""How much faster a confusion matrix is than scikit-learn's, in the same run on the same arrays."""

from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix

from core.classes import OPEN_EARTH_MAP_SAR
from core.metrics import confusion

SIZE = 1024
RUNS = 15


def run() -> dict[str, dict[str, float | int | str]]:
    """Return `matrix_speedup`: median time of scikit-learn over ours, 1024x1024 uint8 in memory."""
    reference, prediction = _maps()
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


def _maps() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return a map of 32 px patches with 3 % void, and the same with 20 % of the pixels wrong."""
    rng = np.random.default_rng(0)
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

"""Scores from confusion matrices. Needs numpy only.

A *matrix* is int64 [..., K+1, K+1]: rows are the reference, columns the map that is scored; the
last row and column hold void and any other code. Matrices are summed first and divided once, so a
matrix may be that of a tile, a cloud level or a bootstrap draw, and every function works on a
stack of them. A map that leaves a labelled pixel void is wrong there: the pixel is never dropped.

An *absent* class has NaN as its score. Two tests are in use and differ for a class that is only
predicted falsely: "reference" calls it absent when no reference pixel has it, "either" only when no
pixel of the map has it either, so that its score is 0. Scores are taken over labelled reference
pixels unless `void_counts`. Which rule a benchmark follows is in `core.presets`.
"""

from collections.abc import Callable, Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.int64] | npt.NDArray[np.float64]
"""Pixel counts [..., K+1, K+1]; float64 only for sums of many draws (exact below 2**53)."""

Scores = npt.NDArray[np.float64]
AbsentRule = Literal["skip", "zero"]
AbsentTest = Literal["reference", "either"]

_NARROW = 16
_CHUNK = 1 << 16


def confusion(
    reference: npt.NDArray[np.uint8],
    prediction: npt.NDArray[np.uint8],
    classes: npt.NDArray[np.uint8] | int,
) -> npt.NDArray[np.int64]:
    """Count pixels by reference and predicted class; int64 [K+1, K+1].

    `reference` and `prediction` are uint8 of one shape. `classes` is a table's `index_lut`
    (uint8 [256], code to index, 255 for void), or K where the arrays already hold indices and
    everything from K on is void. Raises `ValueError` when the shapes differ.
    """
    if reference.shape != prediction.shape:
        raise ValueError(f"shapes differ: {reference.shape} and {prediction.shape}")
    lut = np.arange(256) if isinstance(classes, int) else classes.astype(np.int64)
    count = classes if isinstance(classes, int) else _classes_in(classes)
    index = np.minimum(lut, count)
    one, other = reference.ravel(), prediction.ravel()
    if count >= _NARROW:
        pairs = (index * (count + 1))[one] + index[other]
        return np.bincount(pairs, minlength=(count + 1) ** 2).reshape(count + 1, -1)
    first = int(np.argmin(index))
    if not np.array_equal(index, np.minimum((np.arange(256) - first) % 256, count)):
        one, other, first = index.astype(np.uint8)[one], index.astype(np.uint8)[other], 0
    return _count_narrow(one, other, first, count)


def _count_narrow(
    reference: npt.NDArray[np.uint8], prediction: npt.NDArray[np.uint8], first: int, count: int
) -> npt.NDArray[np.int64]:
    """Count pairs of codes that run from `first`, fewer than 16; int64 [count+1, count+1].

    One byte holds both indices of a pixel and bincount sees two pixels at a time, in chunks that
    stay in the cache: 1.2 ms for 1024x1024 where plain indexing takes 9. Codes below `first` wrap
    around to large values, which become void like every other unknown code.
    """
    size = count + 1
    last = np.full(_CHUNK, count, np.uint8)  # an array: a scalar operand is 15 times slower here
    codes, other = np.empty(_CHUNK, np.uint8), np.empty(_CHUNK, np.uint8)
    pairs, high = codes.view(np.uint16), np.empty(_CHUNK // 2, np.uint16)
    bins = np.empty(_CHUNK // 2, np.intp)
    two = np.zeros(size**4, np.int64)
    even = reference.size // 2 * 2
    for start in range(0, even, _CHUNK):
        n = min(_CHUNK, even - start)
        a, b, v, h = codes[:n], other[:n], pairs[: n // 2], high[: n // 2]
        np.subtract(reference[start : start + n], np.uint8(first), out=a)
        np.minimum(a, last[:n], out=a)
        np.multiply(a, np.uint8(size), out=a)
        np.subtract(prediction[start : start + n], np.uint8(first), out=b)
        np.minimum(b, last[:n], out=b)
        np.add(a, b, out=a)
        # low + 256 * high becomes low + size**2 * high, so that few bins are needed.
        np.right_shift(v, 8, out=h)
        np.multiply(h, np.uint16(256 - size**2), out=h)
        np.subtract(v, h, out=h)
        bins[: n // 2] = h
        two += np.bincount(bins[: n // 2], minlength=two.size)
    both = two.reshape(size**2, size**2)
    counts = (both.sum(0) + both.sum(1)).reshape(size, size)
    if even < reference.size:
        last_pixel = (
            min((int(image[-1]) - first) % 256, count) for image in (reference, prediction)
        )
        counts[tuple(last_pixel)] += 1
    return np.asarray(counts, np.int64)


def confusions(
    pairs: Iterable[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]],
    classes: npt.NDArray[np.uint8] | int,
    *,
    count: int | None = None,
    report: Callable[[float], None] | None = None,
) -> npt.NDArray[np.int64]:
    """Count many tiles one after the other; int64 [tiles, K+1, K+1], one matrix per tile.

    `pairs` gives (reference, prediction) as for `confusion` and may make them as it goes, so that
    only one tile is in memory. `report` is told the share of `count` tiles that are done.
    """
    found: list[npt.NDArray[np.int64]] = []
    for reference, prediction in pairs:
        found.append(confusion(reference, prediction, classes))
        if report is not None and count:
            report(len(found) / count)
    size = (classes if isinstance(classes, int) else _classes_in(classes)) + 1
    return np.stack(found) if found else np.zeros((0, size, size), np.int64)


def without_reference(matrix: Matrix, rows: npt.NDArray[np.bool_]) -> Matrix:
    """Return a copy in which the pixels of the marked reference rows (bool [K+1]) never counted."""
    return np.where(rows[:, None], np.zeros((), matrix.dtype), matrix)


def labelled(matrix: Matrix) -> Matrix:
    """Return a copy without the pixels whose reference is void."""
    rows = np.zeros(matrix.shape[-1], np.bool_)
    rows[-1] = True
    return without_reference(matrix, rows)


def reference_pixels(matrix: Matrix) -> Scores:
    """Return the reference pixels of each class, [..., K]."""
    return np.asarray(matrix[..., :-1, :].sum(-1), np.float64)


def iou(matrix: Matrix, *, void_counts: bool = False, absent: AbsentTest = "reference") -> Scores:
    """Return intersection over union per class, [..., K]; NaN where the class is absent.

    With `void_counts` a class predicted on unlabelled ground is a false alarm; without, such
    ground is left out.
    """
    hit, actual, predicted = _counts(matrix if void_counts else labelled(matrix))
    return _over(hit, actual + predicted - hit, _present(actual, predicted, absent))


def f1(matrix: Matrix, *, void_counts: bool = False, absent: AbsentTest = "reference") -> Scores:
    """Return F1 (Dice) per class, [..., K]; NaN where the class is absent."""
    hit, actual, predicted = _counts(matrix if void_counts else labelled(matrix))
    return _over(2 * hit, actual + predicted, _present(actual, predicted, absent))


def precision(matrix: Matrix, *, void_counts: bool = False) -> Scores:
    """Return precision per class, [..., K]; NaN where absent or never predicted."""
    hit, actual, predicted = _counts(matrix if void_counts else labelled(matrix))
    return _over(hit, predicted, (actual > 0) & (predicted > 0))


def recall(matrix: Matrix) -> Scores:
    """Return recall per class, [..., K]; NaN where the class is absent."""
    hit, actual, _ = _counts(labelled(matrix))
    return _over(hit, actual, actual > 0)


def overall_accuracy(matrix: Matrix) -> Scores:
    """Return the share of labelled pixels that are right, [...]; NaN when there are none."""
    hit, actual, _ = _counts(matrix)
    total = actual.sum(-1)
    return _over(hit.sum(-1), total, total > 0)


def average_accuracy(matrix: Matrix) -> Scores:
    """Return the mean of the recalls of the classes that occur, [...]."""
    return mean(recall(matrix))


def kappa(matrix: Matrix) -> Scores:
    """Return Cohen's kappa over labelled pixels, [...]; NaN when chance alone is perfect."""
    counts = labelled(matrix)
    rows = np.asarray(counts.sum(-1), np.float64)
    columns = np.asarray(counts.sum(-2), np.float64)
    total = rows.sum(-1)
    accuracy = overall_accuracy(matrix)
    chance = _over((rows * columns).sum(-1), total**2, total > 0)
    return _over(accuracy - chance, 1 - chance, chance < 1)


def frequency_weighted_iou(matrix: Matrix) -> Scores:
    """Return the mean of IoU weighted by reference pixels, [...]."""
    pixels = reference_pixels(matrix)
    total = pixels.sum(-1)
    return _over((pixels * np.nan_to_num(iou(matrix))).sum(-1), total, total > 0)


def mean(
    values: Scores, *, excluded: npt.NDArray[np.bool_] | None = None, absent: AbsentRule = "skip"
) -> Scores:
    """Return the mean over classes of [..., K], [...]; NaN when no class is left.

    `excluded` (bool [K]) leaves classes out of the mean although their pixels count elsewhere;
    `absent` leaves NaN out or counts it as 0.
    """
    kept = values if excluded is None else values[..., ~excluded]
    there = np.isfinite(kept)
    number = np.full(there.shape[:-1], kept.shape[-1]) if absent == "zero" else there.sum(-1)
    return _over(np.where(there, kept, 0.0).sum(-1), np.asarray(number, np.float64), number > 0)


def localisation(matrix: Matrix) -> dict[str, Scores]:
    """Return precision, recall, F1 and IoU of any class but the first (BRIGHT: of buildings).

    A building that the map leaves void is missed. Each is [...], NaN where it has no meaning.
    """
    counts = np.asarray(labelled(matrix), np.float64)
    hit = counts[..., 1:-1, 1:-1].sum((-1, -2))
    missed = counts[..., 1:-1, :].sum((-1, -2)) - hit
    false = counts[..., 0, 1:-1].sum(-1)
    return {
        "precision": _over(hit, hit + false, hit + false > 0),
        "recall": _over(hit, hit + missed, hit + missed > 0),
        "f1": _over(2 * hit, 2 * hit + missed + false, hit + false > 0),
        "iou": _over(hit, hit + missed + false, hit + missed > 0),
    }


def damage_f1(matrix: Matrix) -> Scores:
    """Return F1 of classes 1..K-1 where the reference shows a building, [..., K-1] (BRIGHT).

    Missed buildings count against their class; false alarms on background do not count.
    """
    rows = np.zeros(matrix.shape[-1], np.bool_)
    rows[[0, -1]] = True
    return f1(without_reference(matrix, rows))[..., 1:]


def harmonic_mean(values: Scores, *, absent: AbsentRule = "skip") -> Scores:
    """Return the harmonic mean over the last axis, [...]; one 0 makes it 0.

    BRIGHT's own figure counts an absent class as 0; `absent="skip"` leaves it out.
    """
    there = np.isfinite(values)
    filled = np.where(there, values, 0.0 if absent == "zero" else 1.0)
    counted = np.ones_like(there) if absent == "zero" else there
    number = counted.sum(-1)
    inverse = np.where(counted & (filled > 0), 1 / np.where(filled > 0, filled, 1.0), 0.0).sum(-1)
    zero = (counted & (filled == 0)).any(-1)
    result = _over(np.asarray(number, np.float64), inverse, (number > 0) & ~zero)
    return np.asarray(np.where(zero, 0.0, result), np.float64)


def _counts(matrix: Matrix) -> tuple[Scores, Scores, Scores]:
    """Return hits, reference pixels and predicted pixels of each class, float64 [..., K]."""
    counts = np.asarray(matrix, np.float64)
    hit = np.diagonal(counts, axis1=-2, axis2=-1)[..., :-1]
    return hit, counts.sum(-1)[..., :-1], counts.sum(-2)[..., :-1]


def _present(actual: Scores, predicted: Scores, absent: AbsentTest) -> npt.NDArray[np.bool_]:
    return np.asarray(actual > 0 if absent == "reference" else actual + predicted > 0)


def _classes_in(lut: npt.NDArray[np.uint8]) -> int:
    """Return K of a table's `index_lut`, uint8 [256]."""
    return int(lut[lut < 255].max()) + 1


def _over(top: Scores, bottom: Scores, valid: npt.NDArray[np.bool_]) -> Scores:
    """Return top / bottom, NaN where not valid, without warnings."""
    return np.asarray(np.where(valid, top / np.where(valid, bottom, 1.0), np.nan), np.float64)

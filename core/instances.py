"""Average precision of single objects, as MS-COCO counts it. Needs numpy and scipy only.

An object is a mask of its own, given as a number in an id map (int [H, W], 0 is none). Predicted
objects come with a score. Those of one tile are taken from the highest score down: each hits the
free object of the reference that it overlaps most, where their IoU reaches the limit, and is a
false alarm else. Hits of all tiles are put in one order by score, and the precision is averaged
over 101 levels of recall, each time the best precision at that recall or beyond. mAP50 is its mean
over the classes, at an IoU of 0.5 [Lin et al. 2014, Microsoft COCO; its evaluation code].
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.errors import CloudbrushError

RECALLS = np.linspace(0.0, 1.0, 101)

Ids = npt.NDArray[np.integer]
Scores = npt.NDArray[np.float64]
Hits = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Matched:
    """The predicted objects of one tile and class: score and whether it hit; all of the reference.

    `scores` float64 [n] and `hits` bool [n] are in falling order of score.
    """

    scores: Scores
    hits: Hits
    references: int


def objects(
    mask: npt.NDArray[np.bool_], confidence: npt.NDArray[np.integer] | npt.NDArray[np.floating]
) -> tuple[Ids, Scores]:
    """Return the connected pieces of a mask as ids from 1, and the mean confidence of each.

    bool [H, W] and any unit [H, W] in; int [H, W] and float64 [n] out. Pieces that touch only at
    a corner are two, as buildings are in `core.damage`. This makes objects of a map of pixels:
    crowns that touch become one.
    """
    ids, count = ndimage.label(mask)
    numbers = np.arange(1, count + 1)
    means = ndimage.mean(confidence, ids, numbers) if count else np.zeros(0)
    return ids, np.asarray(means, np.float64)


def match(
    reference: Ids, predicted: Ids, scores: Scores, *, iou: float = 0.5, most: int | None = None
) -> Matched:
    """Return which predicted objects of a tile hit one of the reference.

    `scores[i]` belongs to the predicted object i + 1. `most` keeps only so many of the highest
    scores, as MS-COCO keeps 100. Raises `CloudbrushError` when shapes or numbers do not fit.
    """
    if reference.shape != predicted.shape or predicted.max(initial=0) > len(scores):
        raise CloudbrushError(
            "objects to score",
            found=f"{reference.shape}, {predicted.shape}, {len(scores)} scores",
            expected="two id maps of one shape and a score for each predicted object",
        )
    overlap = _iou(reference, predicted, len(scores))
    order = np.argsort(-scores, kind="stable")[:most]
    there = np.bincount(reference.ravel(), minlength=overlap.shape[0] + 1)[1:] > 0
    free = there.copy()
    hits = np.zeros(len(order), np.bool_)
    for place, number in enumerate(order):
        column = np.where(free, overlap[:, number], -1.0)
        # Of equal overlaps the last is taken, as in the evaluation code of MS-COCO.
        best = len(column) - 1 - int(np.argmax(column[::-1])) if len(column) else -1
        if best >= 0 and column[best] >= min(iou, 1 - 1e-10):
            free[best] = False
            hits[place] = True
    return Matched(scores[order], hits, int(there.sum()))


def average_precision(tiles: Iterable[Matched]) -> float:
    """Return the average precision over all tiles; NaN without an object in their reference."""
    found = list(tiles)
    total = sum(tile.references for tile in found)
    if not total:
        return float("nan")
    scores = np.concatenate([tile.scores for tile in found])
    hits = np.concatenate([tile.hits for tile in found])[np.argsort(-scores, kind="stable")]
    caught = np.cumsum(hits)
    recall = caught / total
    precision = caught / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, RECALLS, side="left")
    return float(np.append(best, 0.0)[np.minimum(places, len(best))].mean())


def mean_average_precision(by_class: Sequence[Iterable[Matched]]) -> float:
    """Return the mean over the classes that the reference has; NaN when it has none."""
    found = np.array([average_precision(tiles) for tiles in by_class])
    return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")


def _iou(reference: Ids, predicted: Ids, count: int) -> Scores:
    """Return the IoU of each object of the reference with each predicted one, float64 [R, P]."""
    rows, columns = int(reference.max(initial=0)) + 1, count + 1
    pairs = reference.ravel().astype(np.int64) * columns + predicted.ravel()
    both = np.bincount(pairs, minlength=rows * columns).reshape(rows, columns)
    union = both.sum(1, keepdims=True) + both.sum(0, keepdims=True) - both
    return np.asarray((both / np.maximum(union, 1))[1:, 1:], np.float64)

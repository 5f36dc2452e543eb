"""BRIGHT's own scores, number for number, from a matrix whose first class is background.

BRIGHT's evaluation code adds `EPSILON` below the line of IoU, precision, recall and F1, so that a
class that is absent scores 0 and not NaN: an event without *damaged* is capped. The one division
without it is that of the location F1, which is NaN when no building is found. Reference pixels
without a class never count; a map's void is wrong. After ChenHongruixuan/BRIGHT (metrics file); the
same scores with absent classes left out are in `core.metrics`.
"""

import numpy as np

from core import metrics
from core.metrics import Matrix, Scores

EPSILON = 1e-7


def iou(matrix: Matrix) -> Scores:
    """Return IoU per class, [..., K], 0 where the class is absent."""
    hit, actual, predicted = _counts(metrics.labelled(matrix))
    return np.asarray(hit / (actual + predicted - hit + EPSILON))


def mean_iou(matrix: Matrix) -> Scores:
    """Return the mean of `iou` over all classes, background among them, [...]."""
    return np.asarray(iou(matrix).mean(-1))


def mean_accuracy(matrix: Matrix) -> Scores:
    """Return the mean recall over all classes, [...]; an absent class counts as 0."""
    hit, actual, _ = _counts(metrics.labelled(matrix))
    return np.asarray((hit / (actual + EPSILON)).mean(-1))


def location_f1(matrix: Matrix) -> Scores:
    """Return F1 of buildings against background, [...]; NaN when none is found."""
    counts = np.asarray(metrics.labelled(matrix), np.float64)
    hit = counts[..., 1:-1, 1:-1].sum((-1, -2))
    actual, predicted = counts[..., 1:-1, :].sum((-1, -2)), counts[..., :, 1:-1].sum((-1, -2))
    precision, recall = hit / (predicted + EPSILON), hit / (actual + EPSILON)
    both = precision + recall
    return np.asarray(
        np.where(both > 0, 2 * precision * recall / np.where(both > 0, both, 1.0), np.nan)
    )


def damage_f1_by_class(matrix: Matrix) -> Scores:
    """Return F1 of each damage class where the reference shows a building, [..., K-1].

    A missed building counts against its class; false alarms on background do not count.
    """
    rows = np.zeros(matrix.shape[-1], np.bool_)
    rows[[0, -1]] = True
    hit, actual, predicted = _counts(metrics.without_reference(matrix, rows))
    precision, recall = hit / (predicted + EPSILON), hit / (actual + EPSILON)
    return np.asarray((2 * precision * recall / (precision + recall + EPSILON))[..., 1:])


def damage_f1(matrix: Matrix) -> Scores:
    """Return the harmonic mean of `damage_f1_by_class`, [...]; one class at 0 makes it 0."""
    return metrics.harmonic_mean(damage_f1_by_class(matrix), absent="zero")


def disaster_type(event: str) -> str:
    """Return the type of an event: what stands after the last "-", or the name itself."""
    return event.rsplit("-", 1)[-1]


def _counts(matrix: Matrix) -> tuple[Scores, Scores, Scores]:
    counts = np.asarray(matrix, np.float64)
    hit = np.diagonal(counts, axis1=-2, axis2=-1)[..., :-1]
    return hit, counts.sum(-1)[..., :-1], counts.sum(-2)[..., :-1]

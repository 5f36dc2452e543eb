"""Buildings of a damage map: connected components, one class each, one count each.

A *building* is a 4-connected component of pixels whose code is a damage class; `BACKGROUND` and the
class table's void are no buildings. Its id is its place in scan order (first pixel, row by row),
from 1, so that ids stay the same as long as the label does. *Severity* is the order of the class
table: intact, damaged, destroyed. Pixels say how much area is right; buildings say how many homes.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from core.classes import ClassTable, LabelArray

BACKGROUND = 0
"""The code of ground without buildings in every damage dataset that we read."""

FOUND_SHARE = 0.5
"""A building counts as found when at least this share of its pixels is predicted as building."""

MIN_BUILDING_PX = 20
"""Smaller pieces are not counted: specks of a map, and slivers of houses cut by a tile's edge."""

IdArray = npt.NDArray[np.int32]
Matrix = npt.NDArray[np.int64]


def buildings(labels: LabelArray, classes: ClassTable) -> tuple[IdArray, int]:
    """Return building ids int32 [H, W], 0 where there is none, and their number.

    `labels` is uint8 [H, W] in codes. The connected components are those of building pixels of any
    damage class: a house whose roof carries two classes is still one house.
    """
    # Not at the top: networks and training need numpy and torch alone.
    from scipy import ndimage

    ids, count = ndimage.label(_is_building(labels, classes))
    return ids.astype(np.int32, copy=False), int(count)


def building_classes(ids: IdArray, labels: LabelArray, classes: ClassTable) -> LabelArray:
    """Return the code of each building, uint8 [n]: the majority of the damage classes inside.

    Ties go to the more severe class, because a home that needs help must not be overlooked. A
    building without any damage class inside gets `BACKGROUND`. `ids` as from `buildings`, of this
    map or of another one on the same grid.
    """
    votes = _votes(ids, labels, classes)
    return _codes(classes)[_majority(votes, classes)]


def building_shares(
    ids: IdArray, labels: LabelArray, classes: ClassTable
) -> npt.NDArray[np.float64]:
    """Return the share of each building's pixels that each class has, float64 [n, K].

    In the order of the class table; what is void or other is no column and lowers the sum. `ids` as
    in `building_classes`.
    """
    votes = _votes(ids, labels, classes)
    shares: npt.NDArray[np.float64] = votes[:, :-1] / votes.sum(1, keepdims=True)
    return shares


def building_matrix(
    reference: LabelArray, prediction: LabelArray, classes: ClassTable
) -> npt.NDArray[np.int64]:
    """Return the confusion of buildings, int64 [K+1, K+1]: rows reference, columns prediction.

    The K classes are in table order, the last row and column void or other, as in pixel matrices.
    A reference building of which less than `FOUND_SHARE` is predicted as building is missed: it
    counts in the background column, or in the last one where the prediction is mostly void. A
    predicted building that touches no reference building and no void is a false alarm, in the
    background row. Buildings below `MIN_BUILDING_PX` and ground without any are not counted.
    """
    size = len(classes.codes) + 1
    background = int(classes.index_lut[BACKGROUND])
    matrix = np.zeros((size, size), np.int64)
    ids, _ = buildings(reference, classes)
    truth = _majority(_votes(ids, reference, classes), classes)
    votes = _votes(ids, prediction, classes)
    found = _damage_votes(votes, classes).sum(1) >= FOUND_SHARE * votes.sum(1)
    lost = np.where(votes[:, -1] > votes[:, background], size - 1, background)
    counted = votes.sum(1) >= MIN_BUILDING_PX
    column = np.where(found, _majority(votes, classes), lost)
    np.add.at(matrix, (truth[counted], column[counted]), 1)
    alarms = _false_alarms(reference, prediction, classes)
    matrix[background] += np.bincount(alarms, minlength=size)
    return matrix


def building_details(
    reference: LabelArray, prediction: LabelArray, classes: ClassTable
) -> dict[str, Any]:
    """Return what an evaluation row of a damage project stores beside its pixel matrix.

    `{"buildings": [[...], ...]}`, the rows of `building_matrix` as plain integers.
    """
    return {"buildings": building_matrix(reference, prediction, classes).tolist()}


def stored_matrix(details: dict[str, Any] | None) -> npt.NDArray[np.int64] | None:
    """Return the building matrix kept by `building_details`, or None where there is none."""
    rows = (details or {}).get("buildings")
    return None if rows is None else np.array(rows, np.int64)


def _is_building(labels: LabelArray, classes: ClassTable) -> npt.NDArray[np.bool_]:
    damage = np.zeros(256, np.bool_)
    damage[[code for code in classes.codes if code != BACKGROUND]] = True
    return damage[labels]


def _votes(ids: IdArray, labels: LabelArray, classes: ClassTable) -> Matrix:
    """Return the pixels of each building by class index, int64 [n, K+1]; the last is void."""
    size = len(classes.codes) + 1
    inside = ids > 0
    index = np.minimum(classes.index_lut[labels[inside]], size - 1).astype(np.int64)
    count = int(ids.max(initial=0))
    flat = np.bincount((ids[inside].astype(np.int64) - 1) * size + index, minlength=count * size)
    return flat.reshape(count, size).astype(np.int64, copy=False)


def _damage_votes(votes: Matrix, classes: ClassTable) -> Matrix:
    keep = votes.copy()
    keep[:, [int(classes.index_lut[BACKGROUND]), -1]] = 0
    return keep


def _majority(votes: Matrix, classes: ClassTable) -> npt.NDArray[np.int64]:
    """Return the class index with most damage votes per building, the more severe in a tie."""
    damage = _damage_votes(votes, classes)
    # argmax takes the first of equals, so look from the most severe end.
    index = damage.shape[1] - 1 - damage[:, ::-1].argmax(1)
    return np.where(damage.any(1), index, int(classes.index_lut[BACKGROUND]))


def _codes(classes: ClassTable) -> LabelArray:
    return np.array([*classes.codes, classes.void_code], np.uint8)


def _false_alarms(
    reference: LabelArray, prediction: LabelArray, classes: ClassTable
) -> npt.NDArray[np.int64]:
    """Return the class index of each predicted building on ground without buildings."""
    ids, _ = buildings(prediction, classes)
    votes = _votes(ids, prediction, classes)
    under = _votes(ids, reference, classes)
    alone = under[:, int(classes.index_lut[BACKGROUND])] == under.sum(1)
    return _majority(votes[alone & (votes.sum(1) >= MIN_BUILDING_PX)], classes)

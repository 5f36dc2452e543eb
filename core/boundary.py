"""Boundary IoU: how well the edges of a map lie on those of the reference.

Of each class only the pixels within `width_px` of its own edge are compared, so that large areas do
not hide a poor outline. After Cheng, Girshick, Dollar, Berg and Kirillov, "Boundary IoU: Improving
Object-Centric Image Segmentation Evaluation", CVPR 2021. As there, distance is that of a square
(rows or columns); unlike there, the rim of a tile and unlabelled ground make no edge, as what lies
beyond them is unknown. No benchmark here reports it.

Counts are int64 [..., 3, K]: pixels of both edges, of the reference's, of the map's. Like confusion
matrices they are summed first and divided once.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.metrics import Scores

Bytes = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.int64]

KEY = "boundary"
SHARE_OF_DIAGONAL = 0.005
UNKNOWN = 255


def default_width(height: int, width: int) -> int:
    """Return 0.5 % of a tile's diagonal in px, at least 1: 7 px for 1024 x 1024."""
    return max(1, round(SHARE_OF_DIAGONAL * float(np.hypot(height, width))))


def boundary_counts(
    reference: Bytes,
    prediction: Bytes,
    lut: Bytes,
    width_px: int,
    inside: tuple[slice, slice] = (slice(None), slice(None)),
) -> Counts:
    """Count edge pixels per class, int64 [3, K], of uint8 [H, W] in codes.

    `lut` is a table's `index_lut`. With `inside` only that part is counted; the rest is margin.
    """
    classes = int(lut[lut < UNKNOWN].max()) + 1
    actual = lut[reference]
    unlabelled = actual == UNKNOWN
    found = np.minimum(lut[prediction], classes).astype(np.uint8)  # K: the map says nothing
    found[unlabelled] = UNKNOWN
    near = [_near_edge(plane, width_px) for plane in (actual, found)]
    keep = ~unlabelled[inside]
    one, other = actual[inside][keep], found[inside][keep]
    at_one, at_other = (mask[inside][keep] for mask in near)
    picked = (one[at_one & at_other & (one == other)], one[at_one], other[at_other])
    return np.stack([np.bincount(p, minlength=classes + 1)[:classes] for p in picked])


def boundary_iou(counts: Counts | npt.NDArray[np.float64]) -> Scores:
    """Return boundary IoU per class, [..., K]; NaN where the reference has no edge of the class."""
    both, actual, predicted = (np.asarray(counts[..., i, :], np.float64) for i in range(3))
    valid = actual > 0
    union = np.where(valid, actual + predicted - both, 1.0)
    return np.asarray(np.where(valid, both / union, np.nan), np.float64)


def details_of(counts: Counts, width_px: int) -> dict[str, Any]:
    """Return what an evaluation keeps."""
    return {"px": width_px, "counts": counts.tolist()}


def stored_counts(details: dict[str, Any] | None, width_px: int | None = None) -> Counts | None:
    """Return the counts that an evaluation keeps, of that width if one is asked for, or None."""
    kept = (details or {}).get(KEY)
    if not kept or (width_px is not None and kept["px"] != width_px):
        return None
    return np.array(kept["counts"], np.int64)


def _near_edge(plane: Bytes, width_px: int) -> npt.NDArray[np.bool_]:
    """Return bool [H, W]: another class within `width_px` rows and columns; unknown is no class.

    One pass for all classes: a pixel is inside when least and greatest class around it are equal.
    """
    unknown = plane == UNKNOWN
    least, greatest = plane, np.where(unknown, np.uint8(0), plane)
    for axis in (0, 1):
        size = 2 * width_px + 1
        least = ndimage.minimum_filter1d(least, size, axis, mode="nearest")
        greatest = ndimage.maximum_filter1d(greatest, size, axis, mode="nearest")
    return np.asarray((least != greatest) & ~unknown)

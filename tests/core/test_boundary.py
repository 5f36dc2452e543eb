"""Boundary IoU: agrees with erosion class by class, blind to the rim of a tile and to void."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from core.boundary import boundary_counts, boundary_iou, default_width, details_of, stored_counts
from core.classes import BRIGHT, OPEN_EARTH_MAP_SAR

LUT = BRIGHT.index_lut


def patches(seed: int, void: bool = False) -> npt.NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 4, (9, 11), dtype=np.uint8)
    if void:
        small[rng.random(small.shape) < 0.15] = 255
    return np.kron(small, np.ones((7, 6), np.uint8))


def by_erosion(
    reference: npt.NDArray[np.uint8], prediction: npt.NDArray[np.uint8], width: int
) -> npt.NDArray[np.int64]:
    """Count as the paper defines it, one class after the other; unknown ground makes no edge."""
    square = np.ones((2 * width + 1, 2 * width + 1), bool)
    unknown = reference == 255
    found = []
    for code in BRIGHT.codes:
        near = []
        for plane in (reference, prediction):
            mask = (plane == code) & ~unknown
            inner = ndimage.binary_erosion(mask | unknown, square, border_value=1)
            near.append(mask & ~inner)
        found.append([(near[0] & near[1]).sum(), near[0].sum(), near[1].sum()])
    return np.array(found).T


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("void", [False, True])
def test_counts_are_those_of_erosion(width: int, void: bool) -> None:
    reference, prediction = patches(1, void), np.roll(patches(1), 2, axis=1)
    prediction[5:9, 5:30] = 255  # the map says nothing: wrong, and an edge of what is around it
    found = boundary_counts(reference, prediction, LUT, width)
    assert np.array_equal(found, by_erosion(reference, prediction, width))
    assert found[0].sum() > 0


def test_parts_of_a_tile_sum_to_the_whole_with_a_margin() -> None:
    reference, prediction = patches(1, void=True), patches(2)
    whole = boundary_counts(reference, prediction, LUT, 3)
    top = boundary_counts(reference[:33], prediction[:33], LUT, 3, (slice(0, 30), slice(None)))
    low = boundary_counts(reference[27:], prediction[27:], LUT, 3, (slice(3, None), slice(None)))
    assert np.array_equal(top + low, whole)


def test_large_area_does_not_hide_a_poor_outline() -> None:
    reference = np.zeros((100, 100), np.uint8)
    reference[10:90, 10:90] = 1
    prediction = np.roll(reference, 3, axis=0)
    counts = boundary_counts(reference, prediction, LUT, 4)
    area = ((reference == 1) & (prediction == 1)).sum() / (
        (reference == 1) | (prediction == 1)
    ).sum()
    assert boundary_iou(counts)[1] < 0.7 < 0.9 < area
    assert np.array_equal(boundary_iou(boundary_counts(reference, reference, LUT, 4))[:2], [1, 1])
    assert np.isnan(boundary_iou(counts)[2:]).all()


def test_rim_of_a_tile_is_no_edge() -> None:
    plain = np.ones((20, 20), np.uint8)
    assert not boundary_counts(plain, plain, LUT, 5).any()


def test_width_follows_the_diagonal() -> None:
    assert [default_width(*shape) for shape in ((1024, 1024), (512, 512), (10, 10))] == [7, 4, 1]


def test_counts_are_kept_with_their_width() -> None:
    counts = boundary_counts(patches(1), patches(2), OPEN_EARTH_MAP_SAR.index_lut, 3)
    kept = {"boundary": details_of(counts, 3)}
    found = stored_counts(kept, 3)
    assert found is not None and np.array_equal(found, counts)
    assert stored_counts(kept, 4) is None and stored_counts(None) is None

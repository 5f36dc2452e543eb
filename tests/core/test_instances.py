"""Average precision of objects: by hand, and as pycocotools counts it."""

import contextlib
import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from core.errors import CloudbrushError
from core.instances import Matched, average_precision, match, mean_average_precision, objects

Ids = npt.NDArray[np.int64]


def row(*lengths: int, start: int = 0) -> Ids:
    """Return an id map of one row with objects of these lengths, a gap of 2 between them."""
    ids = np.zeros((1, 60), np.int64)
    for number, length in enumerate(lengths, 1):
        ids[0, start : start + length] = number
        start += length + 2
    return ids


def test_by_hand_a_hit_a_miss_and_a_false_alarm() -> None:
    reference = row(10, 10)
    predicted = np.zeros_like(reference)
    predicted[0, :8] = 1  # IoU 8 / 10 with the first
    predicted[0, 40:50] = 2  # on nothing
    found = match(reference, predicted, np.array([0.6, 0.9]))
    assert found.scores.tolist() == [0.9, 0.6]
    assert found.hits.tolist() == [False, True]
    # Recall 0 then 1/2, precision 0 then 1/2: 51 of 101 levels are reached at precision 1/2.
    assert average_precision([found]) == pytest.approx(51 / 101 / 2)


def test_by_hand_half_an_overlap_is_a_hit_and_less_is_none() -> None:
    reference, predicted = row(10), row(5)
    assert match(reference, predicted, np.ones(1)).hits.tolist() == [True]  # 5 / 10
    assert match(reference, row(4), np.ones(1)).hits.tolist() == [False]


def test_by_hand_the_second_on_one_object_is_a_false_alarm() -> None:
    reference = row(10)
    predicted = np.zeros_like(reference)
    predicted[0, :5], predicted[0, 5:10] = 1, 2
    found = match(reference, predicted, np.array([0.5, 0.7]))
    assert found.hits.tolist() == [True, False]
    assert average_precision([found]) == 1.0  # recall 1 comes before the false alarm


def test_by_hand_one_order_by_score_over_all_tiles() -> None:
    one = Matched(np.array([0.9, 0.3]), np.array([True, False]), 1)
    two = Matched(np.array([0.8, 0.2]), np.array([False, True]), 1)
    # In order: hit, miss, miss, hit: precision 1 up to recall 1/2, then 2/4.
    assert average_precision([one, two]) == pytest.approx((51 * 1.0 + 50 * 0.5) / 101)
    apart = (average_precision([one]) + average_precision([two])) / 2
    assert average_precision([one, two]) != pytest.approx(apart)


def test_without_objects() -> None:
    nothing = np.zeros((4, 4), np.int64)
    assert np.isnan(average_precision([match(nothing, nothing, np.zeros(0))]))
    assert average_precision([match(row(3), row(), np.zeros(0))]) == 0.0
    only_false = match(np.zeros((1, 60), np.int64), row(3), np.ones(1))
    assert np.isnan(average_precision([only_false]))
    hit = match(row(3), row(3), np.ones(1))
    assert mean_average_precision([[hit], [only_false]]) == 1.0
    assert average_precision([hit, only_false]) == 1.0  # of equal scores the first tile comes first
    assert np.isnan(mean_average_precision([]))


def test_shapes_and_scores_must_fit() -> None:
    with pytest.raises(CloudbrushError, match="objects to score"):
        match(row(3), row(3)[:, :50], np.ones(1))
    with pytest.raises(CloudbrushError, match="objects to score"):
        match(row(3), row(3, 3), np.ones(1))


def test_pieces_of_a_map_are_objects_with_their_mean_confidence() -> None:
    mask = np.array([[1, 1, 0], [0, 0, 1]], bool)
    ids, scores = objects(mask, np.array([[10, 30, 0], [0, 0, 50]], np.uint8))
    assert ids.tolist() == [[1, 1, 0], [0, 0, 2]]
    assert scores.tolist() == [20.0, 50.0]
    assert objects(np.zeros((2, 2), bool), np.zeros((2, 2)))[1].shape == (0,)


def scene(seed: int) -> tuple[Ids, Ids, npt.NDArray[np.float64]]:
    """Return boxes that overlap those of the reference more or less, with scores, some equal."""
    rng = np.random.default_rng(seed)
    reference, predicted = np.zeros((2, 64, 64), np.int64)
    count = int(rng.integers(0, 9))
    for number in range(1, count + 1):
        y, x, side = (*rng.integers(0, 52, 2), rng.integers(3, 12))
        reference[y : y + side, x : x + side] = number
        dy, dx = rng.integers(-2, 3, 2)
        if rng.random() < 0.8:
            top, left = max(y + dy, 0), max(x + dx, 0)
            predicted[top : top + side, left : left + side] = predicted.max() + 1
    for _ in range(int(rng.integers(0, 4))):
        y, x = rng.integers(0, 58, 2)
        predicted[y : y + 5, x : x + 5] = predicted.max() + 1
    scores = rng.integers(1, 12, int(predicted.max())) / 12
    return reference, predicted, scores


def theirs(scenes: list[tuple[Ids, Ids, npt.NDArray[np.float64]]], most: int) -> float:
    """Return what pycocotools finds at IoU 0.5."""
    held: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for image, (reference, predicted, scores) in enumerate(scenes, 1):
        for ids, into in ((reference, held), (predicted, found)):
            for number in np.unique(ids[ids > 0]):
                runs = coco_mask.encode(np.asfortranarray(ids == number, np.uint8))
                one = {"image_id": image, "category_id": 1, "segmentation": runs}
                if into is found:
                    one["score"] = float(scores[number - 1])
                area = int((ids == number).sum())
                into.append(one | {"id": len(into) + 1, "iscrowd": 0, "area": area})
    truth = COCO()
    images = [{"id": n + 1, "height": 64, "width": 64} for n in range(len(scenes))]
    truth.dataset = {"images": images, "annotations": held, "categories": [{"id": 1}]}
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        judge = COCOeval(truth, truth.loadRes(found), "segm")
        judge.params.iouThrs = np.array([0.5])
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.params.maxDets = [most]
        judge.evaluate()
        judge.accumulate()
    return float(judge.eval["precision"].mean())


@pytest.mark.parametrize("most", [3, 100])
@pytest.mark.parametrize("seed", range(12))
def test_pycocotools_finds_the_same(seed: int, most: int) -> None:
    scenes = [scene(10 * seed + number) for number in range(6)]
    matched = []
    for reference, predicted, scores in scenes:
        kept = np.unique(predicted[predicted > 0])  # some were painted over entirely
        numbers = np.zeros(int(predicted.max()) + 1, np.int64)
        numbers[kept] = np.arange(1, len(kept) + 1)
        matched.append(match(reference, numbers[predicted], scores[kept - 1], most=most))
    assert average_precision(matched) == pytest.approx(theirs(scenes, most), abs=1e-12)

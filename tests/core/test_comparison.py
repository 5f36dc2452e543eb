"""Comparisons: every map on the same rows, sums before divisions, the worst change first."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from core import aligned, comparison, metrics
from core.aligned import Scored, align
from core.bootstrap import Interval
from core.classes import ClassEntry, ClassTable
from core.presets import PRESETS
from core.scores import Evaluation
from core.verdict import in_words

CLASSES = ClassTable(
    "three",
    (
        ClassEntry(1, "Water", "#0000ff"),
        ClassEntry(2, "Road", "#888888"),
        ClassEntry(3, "Snow", "#ffffff"),
    ),
    void=0,
)
PLAIN = PRESETS["plain"]
EDGES = (0.0, 0.5, 1.0)


def matrix(right: int, wrong: int) -> npt.NDArray[np.int64]:
    """Two classes: `right` pixels of each are right; `wrong` water pixels are called road."""
    found = np.zeros((4, 4), np.int64)
    found[0, 0] = found[1, 1] = right
    found[0, 1] = wrong
    return found


def evaluations(tiles: int = 6) -> list[Evaluation]:
    """Model 1 sees two acquisitions per tile, model 2 only SAR, labels know no acquisition."""
    found = []
    for tile in range(1, tiles + 1):
        clear, cloudy = 10 * tile, 10 * tile + 1
        found += [
            Evaluation(tile, f"m1/a{clear}", "truth", matrix(90, 10), 1, clear),
            Evaluation(tile, f"m1/a{cloudy}", "truth", matrix(60, 40), 1, cloudy),
            Evaluation(tile, "m2", "truth", matrix(75, 20 + tile), 2),
            Evaluation(tile, "label/0", "truth", matrix(80, 20)),
        ]
    return found


COVERS = {10 * tile + late: 0.9 * late for tile in range(1, 7) for late in (0, 1)}


@pytest.fixture
def scored() -> Scored:
    return align(evaluations(), ["m1", "m2"], COVERS)


def test_maps_are_named_without_their_acquisition() -> None:
    assert aligned.maps_in(evaluations(1)) == ["m1", "m2", "label/0"]


def test_map_without_acquisition_stands_under_every_sky(scored: Scored) -> None:
    assert len(scored.tile_ids) == 12 and scored.tiles == 6
    assert np.array_equal(scored.matrices["m2"][0], scored.matrices["m2"][1])


def test_maps_that_know_no_sky_have_one_row_per_tile() -> None:
    found = align(evaluations(), ["m2", "label/0"], COVERS)
    assert len(found.tile_ids) == 6 and (found.acquisition_ids == -1).all()


def test_only_rows_that_all_maps_share_are_scored() -> None:
    some = [e for e in evaluations() if e.source not in {"m1/a10", "m2"} or e.tile_id > 1]
    found = align(some, ["m1", "m2"], COVERS)
    assert set(found.tile_ids) == {2, 3, 4, 5, 6}


def test_nothing_in_common_is_empty() -> None:
    found = align(evaluations(), ["m1", "m9"], COVERS)
    assert found.tiles == 0


def test_by_tile_sums_the_rows_of_a_tile(scored: Scored) -> None:
    assert np.array_equal(scored.by_tile("m1")[0], matrix(90, 10) + matrix(60, 40))
    assert np.array_equal(scored.by_tile("m1").sum(0), scored.total("m1"))


def test_levels_split_the_rows_and_sar_stays_flat(scored: Scored) -> None:
    frame = comparison.level_frame(scored, EDGES, PLAIN, CLASSES, draws=50)
    table = frame.pivot(index="level", columns="map", values="score")
    assert list(frame["tiles"]) == [6, 6, 6, 6]
    assert table["m1"]["0-50 %"] > table["m2"]["0-50 %"] > table["m1"]["50-100 %"]
    assert table["m2"].nunique() == 1


def test_level_without_rows_is_left_out(scored: Scored) -> None:
    frame = comparison.level_frame(scored, (0.0, 0.2, 0.5, 1.0), PLAIN, CLASSES, draws=10)
    assert list(dict.fromkeys(frame["level"])) == ["0-20 %", "50-100 %"]


def test_unknown_cover_belongs_to_no_level() -> None:
    found = align(evaluations(), ["m1"], {})
    assert (found.levels(EDGES) == -1).all()


def test_class_frame_puts_what_got_worse_first(scored: Scored) -> None:
    worse = {**scored.matrices, "m3": scored.matrices["m1"].copy()}
    worse["m3"][:, 1, 3] += 50
    changed = Scored(scored.tile_ids, scored.acquisition_ids, scored.covers, worse)
    frame = comparison.class_frame(changed, "m1", "m3", PLAIN, CLASSES, draws=100)
    assert list(frame["class"]) == ["Road", "Water", "Snow"]
    assert frame["change_high"][0] < 0
    assert np.isnan(frame["change"][2]) and frame["lacking"][2] == 1
    assert list(frame["pixels"]) == [900, 1200, 0]


def test_heat_map_numbers_are_sums(scored: Scored) -> None:
    frame = comparison.level_class_frame(scored, "m1", EDGES, PLAIN, CLASSES)
    cell = frame[(frame["level"] == "0-50 %") & (frame["class"] == "Water")].iloc[0]
    assert cell["iou"] == pytest.approx(metrics.iou(matrix(90, 10))[0])
    assert (cell["pixels"], cell["tiles"]) == (600, 6)
    assert frame[frame["class"] == "Snow"]["iou"].isna().all()


def test_overall_frame_of_no_maps_is_empty(scored: Scored) -> None:
    none = replace(scored, matrices={})
    assert comparison.overall_frame(none, PLAIN, CLASSES, draws=50).empty


def test_overall_frame_counts_classes_in_the_mean(scored: Scored) -> None:
    frame = comparison.overall_frame(scored, PLAIN, CLASSES, draws=50).set_index("map")
    assert frame["classes_in_mean"]["m1"] == 2
    expected = metrics.mean(metrics.iou(scored.total("m1")))
    assert frame["score"]["m1"] == pytest.approx(float(expected))


def test_tiles_come_worst_first(scored: Scored) -> None:
    frame = comparison.tile_frame(scored, "m2", "m1", PLAIN, CLASSES)
    assert frame["after"].is_monotonic_increasing
    assert set(frame["acquisition"][:6]) == {11, 21, 31, 41, 51, 61}
    assert frame["iou_3"].isna().all()


def test_confusion_opens_its_tiles(scored: Scored) -> None:
    frame = comparison.confused_frame(scored, "m2", 0, 1)
    assert frame["tile"][0] == 6 and frame["pixels"][0] == 26
    assert comparison.confused_frame(scored, "m2", 1, 0).empty


def test_buildings_are_counted_where_they_are_stored() -> None:
    rows = matrix(3, 1).tolist()
    found = [
        Evaluation(1, "m2", "truth", matrix(70, 30), 2, None, {"buildings": rows}),
        Evaluation(2, "m2", "truth", matrix(70, 30), 2),
    ]
    counted = aligned.align_buildings(found, ["m2"], {})
    assert list(counted.tile_ids) == [1] and counted.total("m2").sum() == 7


def words(value: float, low: float, high: float, scored: Scored) -> str:
    mean, least, most = (np.array(number) for number in (value, low, high))
    change = Interval(mean, least, most, np.array(0), 100, 6)
    frame = comparison.class_frame(scored, "m2", "m1", PLAIN, CLASSES, draws=50)
    return in_words(change, frame, "Before", "After", "mIoU", "plain mean")


def test_sentence_names_size_doubt_and_rule(scored: Scored) -> None:
    said = words(0.031, 0.012, 0.05, scored)
    assert said.startswith("After gains 3.1 points of mIoU over Before (95 % interval +1.2 to +5.0")
    assert "plain mean" in said
    assert "may be chance" in words(-0.01, -0.03, 0.01, scored)
    assert "too few" in words(0.1, np.nan, np.nan, scored)
    assert "nothing to compare" in words(np.nan, np.nan, np.nan, scored)

"""Groups: any mix of keys, sums of matrices, pooled figures beside plain means."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from core import grouping
from core.aligned import Scored, align, align_boundaries, align_parts
from core.classes import BRIGHT
from core.comparison import boundary_frame
from core.grouping import KEYS, Facts, group_frame, groups, plain_means
from core.parts import count_parts, details_of, summed
from core.presets import PRESETS
from core.scores import Evaluation

RULE = PRESETS["dfc25_t2"]
EDGES = (0.0, 0.5, 1.0)
EVENTS = {1: "bata-explosion", 2: "bata-explosion", 3: "noto-earthquake", 4: "haiti-earthquake"}
FACTS = Facts(
    EDGES,
    EVENTS,
    {1: "train", 2: "val", 3: "val", 4: "test"},
    {"m1": "optical and SAR", "m2": "SAR", "m3": "SAR"},
    {7: "Ada", 8: "Ben"},
)


def matrix(seed: int) -> npt.NDArray[np.int64]:
    found = np.zeros((5, 5), np.int64)
    found[:4, :4] = np.random.default_rng(seed).integers(1, 50, (4, 4)) + 60 * np.eye(4, dtype=int)
    return found


def parted(seed: int) -> dict[str, Any]:
    """Two parts, one by Ada and one as it came, that sum to the matrix of the seed."""
    whole = matrix(seed)
    changed = whole // 3
    return {"parts": details_of({(0, 0): whole - changed, (1, 7): changed})}


def evaluations() -> list[Evaluation]:
    found = []
    for tile in EVENTS:
        details = parted(tile) if tile == 2 else None
        for late in (0, 1):
            date = 10 * tile + late
            same = matrix(tile) if tile == 2 else matrix(100 + date)
            found.append(Evaluation(tile, f"m1/a{date}", "frozen", same, 1, date, details))
        found.append(Evaluation(tile, "m2", "frozen", matrix(tile), 2, None, details))
    return found


COVERS: dict[int, float | None] = {
    10 * tile + late: 0.9 * late for tile in EVENTS for late in (0, 1)
}
COVERS[40] = None


@pytest.fixture
def scored() -> Scored:
    return align(evaluations(), ["m1", "m2"], COVERS)


@pytest.fixture
def parts() -> Scored:
    return align_parts(evaluations(), ["m1", "m2"], COVERS, edited={2, 3})


@pytest.mark.parametrize(
    "keys", [c for n in range(4) for c in combinations([k for k in KEYS if k != "input"], n)]
)
def test_every_mix_of_keys_sums_to_the_whole(parts: Scored, keys: Sequence[str]) -> None:
    found = groups(parts, keys, FACTS)
    for name in parts.matrices:
        total = sum((part.total(name) for part in found.values()), np.zeros((5, 5), np.int64))
        assert np.array_equal(total, parts.total(name))
    assert sum(len(part.tile_ids) for part in found.values()) == len(parts.tile_ids)


def test_parts_sum_to_their_tiles(scored: Scored, parts: Scored) -> None:
    for name in scored.matrices:
        assert np.array_equal(parts.by_tile(name), scored.by_tile(name))


def test_groups_come_in_a_sensible_order(parts: Scored) -> None:
    def names(*keys: str) -> list[tuple[str, ...]]:
        return list(groups(parts, keys, FACTS))

    assert names("cloud") == [("0-50 %",), ("50-100 %",), ("not known",)]
    assert names("split") == [("train",), ("val",), ("test",)]
    assert names("type") == [("earthquake",), ("explosion",)]
    assert names("provenance") == [("as it came",), ("changed",), ("not recorded",)]
    assert names("labeler") == [("nobody",), ("Ada",), ("not recorded",)]
    assert names("event", "cloud")[:2] == [
        ("bata-explosion", "0-50 %"),
        ("bata-explosion", "50-100 %"),
    ]


def test_tile_edited_before_parts_were_kept_is_not_guessed(parts: Scored) -> None:
    unknown = groups(parts, ["provenance"], FACTS)["not recorded",]
    assert set(unknown.tile_ids) == {3}


def test_keys_of_pixels_need_parts(scored: Scored) -> None:
    with pytest.raises(ValueError, match="parts of tiles"):
        groups(scored, ["labeler"], FACTS)
    with pytest.raises(KeyError):
        groups(scored, ["colour"], FACTS)


def test_events_are_pooled_and_their_plain_mean_is_another_number(scored: Scored) -> None:
    frame = group_frame(scored, ["event"], FACTS, RULE, BRIGHT, damage=True, draws=10)
    bata = frame[(frame["event"] == "bata-explosion") & (frame["map"] == "m2")].iloc[0]
    pooled = 2 * matrix(1) + 2 * matrix(2)
    assert bata["miou"] == pytest.approx(float(RULE.mean_iou(pooled, BRIGHT)))
    assert (bata["tiles"], bata["images"]) == (2, 4)
    means = plain_means(frame, ["miou", "damage_f1"]).set_index("map")
    of_m2 = frame[frame["map"] == "m2"]
    assert means["groups"]["m2"] == 3
    assert means["miou"]["m2"] == pytest.approx(of_m2["miou"].mean())
    overall = group_frame(scored, [], FACTS, RULE, BRIGHT, draws=10).set_index("map")
    assert overall["miou"]["m2"] != pytest.approx(means["miou"]["m2"], abs=1e-4)


def test_maps_of_one_input_are_summed() -> None:
    third = [Evaluation(t, "m3", "frozen", matrix(50 + t), 3) for t in EVENTS]
    rows = align([*evaluations(), *third], ["m1", "m2", "m3"], COVERS)
    frame = group_frame(rows, ["input"], FACTS, RULE, BRIGHT, draws=10).set_index("map")
    assert set(frame.index) == {"optical and SAR", "SAR"}
    both = rows.total("m2") + rows.total("m3")
    assert frame["miou"]["SAR"] == pytest.approx(float(RULE.mean_iou(both, BRIGHT)))


def test_rows_of_a_mark_are_those_of_its_group(scored: Scored) -> None:
    frame = group_frame(scored, ["type", "split"], FACTS, RULE, BRIGHT, draws=10)
    for group, tiles in frame.drop_duplicates("group")[["group", "tiles"]].itertuples(index=False):
        assert grouping.rows_of(scored, ["type", "split"], FACTS, group).tiles == tiles
    assert grouping.rows_of(scored, ["type"], FACTS, "of nobody").tiles == 0


def test_pixels_are_counted_by_provenance_and_person() -> None:
    rng = np.random.default_rng(2)
    reference, prediction = rng.integers(0, 4, (2, 40, 50), dtype=np.uint8)
    provenance = rng.integers(0, 3, (40, 50), dtype=np.uint8)
    people = np.where(provenance > 0, rng.integers(7, 9, (40, 50)), 0).astype(np.int32)
    whole = count_parts(reference, prediction, provenance, people, BRIGHT.index_lut)
    assert set(whole) == {(0, 0), (1, 7), (1, 8), (2, 7), (2, 8)}
    here = (provenance == 2) & (people == 8) & (reference == 1) & (prediction == 3)
    assert whole[2, 8][1, 3] == here.sum() > 0
    halves = [
        count_parts(reference[cut], prediction[cut], provenance[cut], people[cut], BRIGHT.index_lut)
        for cut in (slice(0, 13), slice(13, 40))
    ]
    together = summed(halves)
    assert all(np.array_equal(together[part], whole[part]) for part in whole)


def test_boundaries_of_one_width_are_compared() -> None:
    counts = np.array([[5, 3, 0, 0], [8, 6, 0, 2], [7, 6, 1, 0]])
    kept = {"boundary": {"px": 3, "counts": counts.tolist()}}
    other = {"boundary": {"px": 9, "counts": counts.tolist()}}
    found = [
        *(Evaluation(t, "m2", "truth", matrix(t), 2, None, kept) for t in (1, 2)),
        Evaluation(3, "m2", "truth", matrix(3), 2, None, other),
        Evaluation(4, "m2", "truth", matrix(4), 2),
    ]
    rows = align_boundaries(found, ["m2"], {})
    assert list(rows.tile_ids) == [1, 2]
    frame = boundary_frame(rows, PRESETS["plain"], BRIGHT).set_index("class")
    assert list(frame["m2"].round(4).fillna(-1)) == [0.5, 0.3333, -1, 0, 0.2778]
    assert frame["pixels"]["mean"] == 32

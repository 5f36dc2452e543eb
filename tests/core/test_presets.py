"""Presets: the published vector under each rule, and that the three switches are separate."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import bright, metrics
from core.classes import BRIGHT, OPEN_EARTH_MAP_SAR, ClassEntry, ClassTable
from core.errors import NotFound
from core.presets import (
    FIGURES,
    PRESETS,
    UNLABELLED,
    Preset,
    batch_mean_miou,
    figures_shown,
    preset,
)

VECTOR = np.zeros((5, 5), np.int64)
VECTOR[:4, :4] = [[5870, 336, 0, 335], [63, 1119, 0, 61], [0, 0, 0, 0], [19, 22, 0, 367]]
FOUR = ClassTable("four", tuple(ClassEntry(c, f"c{c}", "#000000") for c in (1, 2, 4, 5)), void=0)
PLAIN = PRESETS["plain"]


def own(**switches: Any) -> Preset:
    return replace(PLAIN, **switches)


def rounded(value: Any) -> Any:
    return np.round(value, 4).tolist()


@pytest.mark.parametrize(
    ("rule", "figure", "expected"),
    [
        (PLAIN, "miou", 0.6806),
        (PRESETS["dfc25_t2"], "miou", 0.5104),
        (own(exclude_from_mean=frozenset({0})), "miou", 0.5777),
        (own(ignore_codes=frozenset({0, UNLABELLED})), "miou", 0.8336),
        (PLAIN, "overall_accuracy", 0.8979),
        (PLAIN, "kappa", 0.7369),
        (PLAIN, "mean_f1", 0.7964),
        (PLAIN, "average_accuracy", 0.8991),
        (PLAIN, "fw_iou", 0.8365),
        (PRESETS["dfc25_t2"], "average_accuracy", 0.6743),
        (PRESETS["dfc25_t2"], "location_f1", 0.8065),
        (PRESETS["dfc25_t2"], "damage_f1", 0.0),
        (PRESETS["dfc25_t2"], "damage_f1_present", 0.9074),
        (PRESETS["dfc25_t2"], "overall_accuracy", 0.8979),
    ],
)
def test_vector(rule: Preset, figure: str, expected: float) -> None:
    assert rounded(rule.figure(figure, VECTOR, BRIGHT)) == expected


def test_vector_by_the_rules_of_dfc2020() -> None:
    rule = PRESETS["dfc2020"]
    assert [rounded(rule.figure(name, VECTOR, FOUR)) for name in rule.headline] == [0.8991, 0.5104]


def test_vector_by_the_code_of_bright() -> None:
    assert rounded(bright.iou(VECTOR)) == [0.8863, 0.6989, 0.0, 0.4565]
    assert rounded(bright.mean_iou(VECTOR)) == 0.5104
    assert rounded(bright.mean_accuracy(VECTOR)) == 0.6743
    assert rounded(bright.damage_f1_by_class(VECTOR)) == [0.9388, 0.0, 0.8780]
    assert (rounded(bright.location_f1(VECTOR)), float(bright.damage_f1(VECTOR))) == (0.8065, 0.0)


def test_bright_counts_absent_classes_as_zero_and_nothing_found_as_no_number() -> None:
    none_found = np.zeros((5, 5), np.int64)
    none_found[:4, 0] = [10, 5, 0, 0]
    assert bright.iou(none_found)[2] == 0 and np.isnan(bright.location_f1(none_found))
    assert float(bright.damage_f1(none_found)) == 0


def test_bright_damage_forgives_false_alarms_on_background_and_no_missed_building() -> None:
    alarms, missed = VECTOR.copy(), VECTOR.copy()
    alarms[0, 1:4] += 500
    missed[1, 0] += 500
    same = bright.damage_f1_by_class(VECTOR)
    assert np.array_equal(bright.damage_f1_by_class(alarms), same)
    assert bright.damage_f1_by_class(missed)[0] < same[0]
    assert bright.location_f1(alarms) < bright.location_f1(VECTOR)


@pytest.mark.parametrize(
    ("event", "kind"),
    [("la_palma-volcano", "volcano"), ("noto-earthquake", "earthquake"), ("nowhere", "nowhere")],
)
def test_type_of_a_disaster_is_the_end_of_its_name(event: str, kind: str) -> None:
    assert bright.disaster_type(event) == kind


def test_tracks_differ_only_by_what_is_predicted_on_void() -> None:
    matrix = np.zeros((9, 9), np.int64)
    matrix[0, 0] = matrix[1, 1] = 10
    both = [PRESETS["dfc25_t1"], PRESETS["dfc25_t1_void"]]
    assert [float(rule.mean_iou(matrix, OPEN_EARTH_MAP_SAR)) for rule in both] == [1, 1]
    matrix[8, 0] = 10
    assert [float(rule.mean_iou(matrix, OPEN_EARTH_MAP_SAR)) for rule in both] == [0.75, 1]


SWITCHES = {
    "ignore_codes": (frozenset({UNLABELLED}), frozenset({UNLABELLED, 1}), frozenset[int]()),
    "exclude_from_mean": (frozenset[int](), frozenset({0}), frozenset({3})),
    "absent_class": ("skip", "zero"),
    "absent_test": ("reference", "either"),
}


@pytest.mark.parametrize("chosen", list(product(*SWITCHES.values())))
def test_every_mix_of_switches_is_the_plain_definition(chosen: tuple[Any, ...]) -> None:
    rule = own(**dict(zip(SWITCHES, chosen, strict=True)))
    matrix = VECTOR.copy()
    matrix[:, 2] = [7, 0, 0, 1, 3]  # class 2 is only ever predicted, also on unlabelled ground
    matrix[1, 4] = 11
    assert float(rule.mean_iou(matrix, BRIGHT)) == pytest.approx(by_hand(rule, matrix))


def by_hand(rule: Preset, matrix: npt.NDArray[np.int64]) -> float:
    """Loop over pixels' rows and classes, as the definition says."""
    rows = [r for r in range(5) if (r if r < 4 else UNLABELLED) not in rule.ignore_codes]
    values = []
    for c in range(4):
        if c in rule.exclude_from_mean or c in rule.ignore_codes:
            continue
        hit = int(matrix[c, c])
        actual, predicted = int(matrix[c].sum()), sum(int(matrix[r, c]) for r in rows)
        there = actual > 0 if rule.absent_test == "reference" else actual + predicted > 0
        if there:
            values.append(hit / (actual + predicted - hit))
        elif rule.absent_class == "zero":
            values.append(0.0)
    return float(np.mean(values))


@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_no_pixel_is_dropped_for_what_was_predicted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.integers(0, 50, (5, 5))
    for rule in PRESETS.values():
        counted = rule.counted(matrix, BRIGHT)
        kept = counted.sum(1) > 0
        assert np.array_equal(counted[kept], matrix[kept])
        void_predicted = matrix.copy()
        void_predicted[1, 4] += 40
        if rule.exclude_from_mean == {0}:
            continue
        assert rule.mean_iou(void_predicted, BRIGHT) <= rule.mean_iou(matrix, BRIGHT)


def test_mean_says_who_is_not_in_it() -> None:
    said = PLAIN.mean_in_words(VECTOR, BRIGHT)
    assert said == "Mean over 3 of 4 classes; Damaged not in the reference, left out."
    zero = PRESETS["dfc25_t2"].mean_in_words(VECTOR, BRIGHT)
    assert zero == "Mean over 4 of 4 classes; Damaged not in the reference, counted as 0."
    out = own(exclude_from_mean=frozenset({0})).mean_in_words(VECTOR, BRIGHT)
    assert "Mean over 2 of 4 classes; Background left out by the rules;" in out


def test_mean_gives_the_other_figure_where_the_tests_of_absence_disagree() -> None:
    matrix = VECTOR.copy()
    matrix[0, 2] = 100
    said = PLAIN.mean_in_words(matrix, BRIGHT)
    other = float(own(absent_test="either").mean_iou(matrix, BRIGHT))
    assert f"Damaged predicted all the same: counted as 0, mIoU is {other:.3f}." in said
    turned = own(absent_test="either").mean_in_words(matrix, BRIGHT)
    assert f"left out, mIoU is {float(PLAIN.mean_iou(matrix, BRIGHT)):.3f}." in turned


def test_rules_in_words_follow_the_switches() -> None:
    assert "Nothing is ignored" in PRESETS["dfc25_t1"].rule
    assert "code 0" in PRESETS["dfc25_t1"].rule
    assert "counts as 0 (in mean class accuracy it is left out)" in PRESETS["dfc2020"].rule
    assert "that neither the reference nor the map has counts as 0." in PRESETS["dfc25_t2"].rule
    assert "Reference pixels of codes 3, 7 are" in own(ignore_codes=frozenset({7, 3})).rule
    for rule in PRESETS.values():
        assert rule.title and rule.description.endswith(".")
        assert rule.lead in FIGURES and set(rule.headline) <= set(FIGURES)


def test_presets_are_those_of_the_benchmarks() -> None:
    assert set(PRESETS) == {
        *("dfc25_t1", "dfc25_t1_void", "dfc25_t2", "dfc2020", "cloudlulc", "landcover_ai"),
        *("kuro_siwo", "bigearthnet_map", "oam_tcd", "patch_labels", "patch_lists", "plain"),
    }
    assert preset("plain") is PLAIN
    with pytest.raises(NotFound, match="dfc25_t1"):
        preset("of nobody")


def test_figures_of_damage_are_shown_for_damage_alone() -> None:
    rule = PRESETS["dfc25_t2"]
    assert figures_shown(rule, damage=True)[:4] == list(rule.headline[:4])
    assert figures_shown(rule, damage=False)[:2] == ["miou", "overall_accuracy"]
    assert "merged_f1" in figures_shown(PRESETS["kuro_siwo"], damage=False)


def test_merged_water_is_one_class() -> None:
    three = ClassTable("w", tuple(ClassEntry(c, f"w{c}", "#000000") for c in (0, 1, 2)), void=3)
    matrix = np.zeros((4, 4), np.int64)
    matrix[:3, :3] = [[80, 5, 5], [2, 3, 10], [4, 10, 6]]
    hit, false, missed = 29, 10, 6
    found = PRESETS["kuro_siwo"].figure("merged_f1", matrix, three)
    assert float(found) == pytest.approx(2 * hit / (2 * hit + false + missed))


def test_excluded_background_still_takes_false_alarms() -> None:
    canopy = ClassTable("t", (ClassEntry(0, "no", "#000000"), ClassEntry(1, "yes", "#ffffff")))
    matrix = np.array([[70, 20, 0], [5, 5, 0], [0, 0, 0]])
    assert float(PRESETS["oam_tcd"].mean_iou(matrix, canopy)) == pytest.approx(5 / 30)


def test_batch_mean_is_another_number() -> None:
    first, second = np.zeros((2, 9, 9), np.int64)
    first[0, 0], first[8, 0], second[0, 0], second[1, 0], second[1, 1] = 50, 50, 10, 30, 60
    batches = np.stack([first, second])
    rule = PRESETS["dfc25_t1"]
    expected = np.mean([0.5, np.mean([10 / 40, 60 / 90])])
    assert batch_mean_miou(batches, rule, OPEN_EARTH_MAP_SAR) == pytest.approx(expected, abs=1e-6)
    pooled = float(rule.mean_iou(batches.sum(0), OPEN_EARTH_MAP_SAR))
    assert pooled != pytest.approx(expected, abs=0.01)
    assert np.isnan(batch_mean_miou(batches[:0], rule, OPEN_EARTH_MAP_SAR))


def test_scores_of_damage_agree_with_general_ones_where_nothing_is_absent() -> None:
    rng = np.random.default_rng(5)
    matrix = rng.integers(1, 1000, (5, 5))
    assert np.allclose(bright.iou(matrix), metrics.iou(matrix))
    assert np.allclose(bright.damage_f1_by_class(matrix), metrics.damage_f1(matrix))
    assert np.isclose(bright.location_f1(matrix), metrics.localisation(matrix)["f1"])


def test_page_says_the_rules_of_every_preset() -> None:
    page = " ".join((Path(__file__).parents[2] / "docs" / "scoring.md").read_text().split())
    for rule in PRESETS.values():
        titles = ", ".join(FIGURES[name].title for name in rule.headline)
        said = f"### `{rule.name}`: {rule.title} {rule.description} Reports: {titles}."
        assert said in page, f"docs/scoring.md does not say: {said}"

"""Scores: the published vector, agreement with scikit-learn, rules for absent classes."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from core import metrics
from core.classes import BRIGHT, OPEN_EARTH_MAP_SAR, ClassEntry, ClassTable
from core.presets import PRESETS, Preset, preset

VECTOR = np.zeros((5, 5), np.int64)
VECTOR[:4, :4] = [[5870, 336, 0, 335], [63, 1119, 0, 61], [0, 0, 0, 0], [19, 22, 0, 367]]
NAN = float("nan")


def same(found: Any, expected: list[float]) -> bool:
    return np.array_equal(np.round(found, 4), expected, equal_nan=True)


def test_vector_class_scores() -> None:
    assert same(metrics.iou(VECTOR), [0.8863, 0.6989, NAN, 0.4565])
    assert same(metrics.f1(VECTOR), [0.9397, 0.8228, NAN, 0.6268])
    assert same(metrics.precision(VECTOR), [0.9862, 0.7576, NAN, 0.4810])
    assert same(metrics.recall(VECTOR), [0.8974, 0.9002, NAN, 0.8995])


def test_vector_overall_scores() -> None:
    assert round(float(metrics.overall_accuracy(VECTOR)), 4) == 0.8979
    assert round(float(metrics.kappa(VECTOR)), 4) == 0.7369
    assert round(float(metrics.mean(metrics.f1(VECTOR))), 4) == 0.7964
    assert round(float(metrics.average_accuracy(VECTOR)), 4) == 0.8991
    assert round(float(metrics.mean(metrics.recall(VECTOR), absent="zero")), 4) == 0.6743
    assert round(float(metrics.frequency_weighted_iou(VECTOR)), 4) == 0.8365


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (PRESETS["plain"], 0.6806),
        (PRESETS["dfc25_t2"], 0.5104),
        (Preset("b", "", "", exclude_from_mean=frozenset({0})), 0.5777),
        (Preset("i", "", "", ignore_codes=frozenset({0})), 0.8336),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_vector_means(rule: Preset, expected: float) -> None:
    assert round(float(rule.mean_iou(VECTOR, BRIGHT)), 4) == expected


def test_vector_localisation_and_damage() -> None:
    found = metrics.localisation(VECTOR)
    assert {name: round(float(value), 4) for name, value in found.items()} == {
        "precision": 0.7004,
        "recall": 0.9503,
        "f1": 0.8065,
        "iou": 0.6757,
    }
    damage = metrics.damage_f1(VECTOR)
    assert same(damage, [0.9388, NAN, 0.8780])
    assert float(metrics.harmonic_mean(damage, absent="zero")) == 0
    assert round(float(metrics.harmonic_mean(damage)), 4) == 0.9074


def test_harmonic_mean_of_a_zero_is_zero() -> None:
    assert float(metrics.harmonic_mean(np.array([0.5, 0.0]))) == 0
    assert np.isnan(metrics.harmonic_mean(np.array([NAN, NAN])))


def test_void_ground_is_a_false_alarm_only_for_track_1() -> None:
    matrix = np.zeros((9, 9), np.int64)
    matrix[0, 0] = matrix[1, 1] = 10
    matrix[8, 0] = 10
    assert float(PRESETS["dfc25_t1"].mean_iou(matrix, OPEN_EARTH_MAP_SAR)) == 0.75
    assert float(PRESETS["dfc25_t1_void"].mean_iou(matrix, OPEN_EARTH_MAP_SAR)) == 1
    assert float(metrics.iou(matrix)[0]) == 1


def test_void_prediction_is_wrong_not_dropped() -> None:
    matrix = np.zeros((3, 3), np.int64)
    matrix[0] = [6, 0, 4]
    assert float(metrics.iou(matrix)[0]) == 0.6
    assert float(metrics.overall_accuracy(matrix)) == 0.6


def test_falsely_predicted_absent_class_has_no_score() -> None:
    matrix = np.zeros((3, 3), np.int64)
    matrix[0, :2] = [9, 1]
    assert np.isnan(metrics.iou(matrix)[1])
    assert PRESETS["plain"].classes_in_mean(matrix, BRIGHT_PAIR) == 1
    assert PRESETS["dfc25_t2"].classes_in_mean(matrix, BRIGHT_PAIR) == 2


BRIGHT_PAIR = ClassTable("two", (ClassEntry(0, "a", "#000000"), ClassEntry(1, "b", "#ffffff")))


def test_empty_matrix_gives_nan_without_warning() -> None:
    empty = np.zeros((5, 5), np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(metrics.iou(empty)).all()
        for score in (metrics.overall_accuracy, metrics.kappa, metrics.frequency_weighted_iou):
            assert np.isnan(score(empty))
        assert np.isnan(metrics.localisation(empty)["f1"])


def test_stack_of_matrices_scores_like_each_alone() -> None:
    stack = np.stack([VECTOR, VECTOR.T.copy(), VECTOR * 3])
    for score in (metrics.iou, metrics.f1, metrics.kappa, metrics.damage_f1):
        alone = [score(matrix) for matrix in stack]
        assert np.array_equal(score(stack), np.stack(alone), equal_nan=True)


def test_confusion_refuses_other_shapes() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        metrics.confusion(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8), 2)


@st.composite
def maps(draw: st.DrawFn) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], int]:
    classes = draw(st.sampled_from([2, 3, 8, 15, 16, 19, 64]))
    size = draw(st.integers(1, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = np.array([*range(classes), 255], np.uint8)
    weights = rng.dirichlet(np.full(values.size, 0.3))
    return (
        rng.choice(values, size, p=weights),
        rng.choice(values, size, p=weights),
        classes,
    )


@given(maps())
@settings(max_examples=120, deadline=None)
def test_confusion_agrees_with_scikit_learn(
    case: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], int],
) -> None:
    reference, prediction, classes = case
    expected = oracle.confusion_matrix(reference, prediction, labels=[*range(classes), 255])
    found = metrics.confusion(reference, prediction, classes)
    assert found.dtype == np.int64
    assert np.array_equal(found, expected)


@given(maps())
@settings(max_examples=120, deadline=None)
def test_scores_agree_with_scikit_learn(
    case: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], int],
) -> None:
    reference, prediction, classes = case
    matrix = metrics.confusion(reference, prediction, classes)
    kept = reference != 255
    if not kept.any():
        return
    actual, found = reference[kept], prediction[kept]
    present = np.isin(np.arange(classes), actual)
    options: dict[str, Any] = {"labels": np.arange(classes), "average": None, "zero_division": 0}
    pairs = (
        (metrics.iou, oracle.jaccard_score),
        (metrics.f1, oracle.f1_score),
        (metrics.recall, oracle.recall_score),
        (metrics.precision, oracle.precision_score),
    )
    for ours, theirs in pairs:
        values = ours(matrix)
        assert np.isnan(values[~present]).all()
        expected = theirs(actual, found, **options)
        assert np.allclose(np.nan_to_num(values[present]), expected[present])
    assert np.isclose(metrics.overall_accuracy(matrix), oracle.accuracy_score(actual, found))
    if len({*actual, *found}) > 1:
        assert np.isclose(metrics.kappa(matrix), oracle.cohen_kappa_score(actual, found))


def test_confusion_reads_codes_through_the_class_table() -> None:
    reference = np.array([[1, 8], [0, 9]], np.uint8)
    prediction = np.array([[1, 1], [8, 8]], np.uint8)
    matrix = metrics.confusion(reference, prediction, OPEN_EARTH_MAP_SAR.index_lut)
    assert matrix.shape == (9, 9)
    assert (matrix[0, 0], matrix[7, 0], matrix[8, 7]) == (1, 1, 2)
    assert matrix.sum() == 4


@pytest.mark.parametrize("codes", [(1, 2, 3), (0, 1, 2, 3), (3, 1, 7), (250, 20, 40), (254, 0)])
@pytest.mark.parametrize("shape", [(301, 451), (256, 512), (1, 1)])
def test_any_codes_and_sizes_are_counted(codes: tuple[int, ...], shape: tuple[int, int]) -> None:
    table = ClassTable("t", tuple(ClassEntry(code, str(code), "#000000") for code in codes))
    rng = np.random.default_rng(7)
    values = np.array([*codes, 255, 99, 251], np.uint8)
    reference, prediction = rng.choice(values, shape), rng.choice(values, shape)
    known = [np.where(np.isin(m, codes), m, 255).ravel() for m in (reference, prediction)]
    expected = oracle.confusion_matrix(*known, labels=[*codes, 255])
    assert np.array_equal(metrics.confusion(reference, prediction, table.index_lut), expected)


def test_group_matrices_sum_to_the_whole_and_means_do_not() -> None:
    rng = np.random.default_rng(3)
    reference = rng.integers(0, 4, (4, 64, 64), dtype=np.uint8)
    prediction = np.where(rng.random(reference.shape) < 0.4, reference, 1).astype(np.uint8)
    reference[0] = np.minimum(reference[0], 1)
    parts = np.stack(
        [metrics.confusion(r, p, 4) for r, p in zip(reference, prediction, strict=True)]
    )
    whole = metrics.confusion(reference, prediction, 4)
    assert np.array_equal(parts.sum(0), whole)
    plain = preset("plain")
    assert plain.mean_iou(whole, BRIGHT) != np.mean(plain.mean_iou(parts, BRIGHT))


def test_presets_describe_themselves() -> None:
    assert set(PRESETS) == {"dfc25_t1", "dfc25_t1_void", "dfc25_t2", "plain"}
    assert all(p.title and p.description.endswith(".") for p in PRESETS.values())

"""Scores: the published vector, agreement with scikit-learn, rules for absent classes."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from core import metrics
from core.classes import BRIGHT, OPEN_EARTH_MAP_SAR, ClassEntry, ClassTable

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


def test_void_prediction_is_wrong_not_dropped() -> None:
    matrix = np.zeros((3, 3), np.int64)
    matrix[0] = [6, 0, 4]
    assert float(metrics.iou(matrix)[0]) == 0.6
    assert float(metrics.overall_accuracy(matrix)) == 0.6


def test_class_only_falsely_predicted_is_absent_by_one_test_and_zero_by_the_other() -> None:
    matrix = np.zeros((4, 4), np.int64)
    matrix[0, :2] = [9, 1]
    for score in (metrics.iou, metrics.f1):
        assert np.array_equal(np.isnan(score(matrix)), [False, True, True])
        assert np.array_equal(np.isnan(score(matrix, absent="either")), [False, False, True])
        assert score(matrix, absent="either")[1] == 0


def test_void_ground_is_left_out_unless_it_counts() -> None:
    matrix = np.zeros((3, 3), np.int64)
    matrix[0, 0] = matrix[1, 1] = matrix[2, 0] = 10
    assert list(metrics.iou(matrix)) == list(metrics.precision(matrix)) == [1, 1]
    assert list(metrics.iou(matrix, void_counts=True)) == [0.5, 1]
    assert list(metrics.precision(matrix, void_counts=True)) == [0.5, 1]
    assert metrics.f1(matrix, void_counts=True)[0] == pytest.approx(2 / 3)
    assert float(metrics.overall_accuracy(matrix)) == 1


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
    parts = metrics.confusions(zip(reference, prediction, strict=True), 4)
    whole = metrics.confusion(reference, prediction, 4)
    assert np.array_equal(parts.sum(0), whole)
    means = [float(metrics.mean(metrics.iou(matrix))) for matrix in parts]
    assert float(metrics.mean(metrics.iou(whole))) != pytest.approx(np.mean(means), abs=1e-3)


def test_many_tiles_are_counted_one_by_one_with_progress() -> None:
    alive: list[int] = []
    told: list[float] = []

    def pairs() -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]]:
        for number in range(5):
            assert len(told) == number  # a tile is made only when the one before is done
            alive.append(number)
            tile = np.full((3, 3), number % 2, np.uint8)
            yield tile, tile

    found = metrics.confusions(pairs(), BRIGHT.index_lut, count=5, report=told.append)
    assert told == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert [matrix.trace() for matrix in found] == [9] * 5 and found[1, 1, 1] == 9
    assert metrics.confusions([], BRIGHT.index_lut).shape == (0, 5, 5)


@given(st.integers(2, 9), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_scores_of_random_matrices_agree_with_scikit_learn(classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = np.zeros((classes + 1, classes + 1), np.int64)
    matrix[:-1, :-1] = rng.integers(0, 60, (classes, classes)) * (rng.random(classes) < 0.8)
    rows, columns = np.indices(matrix.shape)
    actual, found = (np.repeat(axis.ravel(), matrix.ravel()) for axis in (rows, columns))
    if not actual.size:
        return
    present = np.unique(actual)
    options: dict[str, Any] = {"labels": present, "average": "macro", "zero_division": 0}
    assert np.isclose(
        metrics.mean(metrics.iou(matrix)), oracle.jaccard_score(actual, found, **options)
    )
    assert np.isclose(metrics.mean(metrics.f1(matrix)), oracle.f1_score(actual, found, **options))
    assert np.isclose(
        metrics.average_accuracy(matrix), oracle.recall_score(actual, found, **options)
    )
    weighted = oracle.jaccard_score(actual, found, labels=present, average="weighted")
    assert np.isclose(metrics.frequency_weighted_iou(matrix), weighted)
    either = np.union1d(actual, found)
    assert np.isclose(
        metrics.mean(metrics.iou(matrix, absent="either")),
        oracle.jaccard_score(actual, found, labels=either, average="macro", zero_division=0),
    )
    buildings = metrics.localisation(matrix)
    binary = oracle.precision_recall_fscore_support(
        actual > 0, found > 0, average="binary", zero_division=0
    )
    for name, expected in zip(("precision", "recall", "f1"), binary, strict=False):
        assert np.isclose(np.nan_to_num(buildings[name]), expected)

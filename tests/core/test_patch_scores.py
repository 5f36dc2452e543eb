"""Scores of whole patches agree with scikit-learn, for one class and for lists."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    cohen_kappa_score,
    f1_score,
)

from core.classes import ClassEntry, ClassTable
from core.errors import DatasetError
from core.patch_index import PatchLabel
from core.patch_labels import NONE, cells_of
from core.patch_scores import average_precision, read_predictions, score_patches
from core.records import Split

TABLE = ClassTable("five", tuple(ClassEntry(i, f"class {i}", f"#0000{i}0") for i in range(5)))
NAMES = [entry.name for entry in TABLE.entries]
BASE = PatchLabel(1, "p", "", Split.VAL, False, 0, (4, 4), (0,), (0,), (0,))


def labels(codes: list[tuple[int, ...]]) -> list[PatchLabel]:
    return [replace(BASE, name=f"p{i}", codes=row) for i, row in enumerate(codes)]


def csv_of_scores(scores: np.ndarray) -> str:
    lines = [",".join(["patch", *NAMES])]
    lines += [f"p{i}," + ",".join(f"{v:.3f}" for v in row) for i, row in enumerate(scores)]
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(3))
def test_one_class_agrees_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    actual = rng.integers(0, 4, 60)  # the last class has no patch
    scores = rng.random((60, 5)).round(1) + np.eye(5)[actual] * 0.3
    made = read_predictions(csv_of_scores(scores), TABLE, lists=False)
    found = score_patches(labels([(int(code),) for code in actual]), made, TABLE)
    guess = np.array([made.codes[f"p{i}"][0] for i in range(60)])
    assert found.patches == 60
    assert found.overall_accuracy == pytest.approx(accuracy_score(actual, guess))
    assert found.kappa == pytest.approx(cohen_kappa_score(actual, guess))
    wanted = f1_score(actual, guess, labels=range(4), average="macro")
    assert found.mean_f1 == pytest.approx(wanted)
    aps = [average_precision_score(actual == k, scores[:, k].round(3)) for k in range(4)]
    assert found.ap[:4] == pytest.approx(aps) and np.isnan(found.ap[4])
    assert found.mean_ap == pytest.approx(np.mean(aps))


@pytest.mark.parametrize("seed", range(3))
def test_lists_agree_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    actual = rng.random((40, 5)) < 0.4
    scores = rng.random((40, 5)).round(2)
    cells = [cells_of(np.flatnonzero(row).tolist(), TABLE) for row in actual]
    made = read_predictions(csv_of_scores(scores), TABLE, lists=True)
    found = score_patches(labels(cells), made, TABLE)
    guess = scores >= 0.5
    assert found.f1 == pytest.approx(f1_score(actual, guess, average=None))
    assert found.mean_f1 == pytest.approx(f1_score(actual, guess, average="macro"))
    assert found.micro_f1 == pytest.approx(f1_score(actual, guess, average="micro"))
    assert found.mean_ap == pytest.approx(average_precision_score(actual, scores))
    assert np.isnan(found.overall_accuracy) and np.isnan(found.kappa)


def test_equal_scores_are_one_step() -> None:
    present = np.array([True, False, True, False])
    assert average_precision(present, np.full(4, 0.5)) == 0.5
    assert np.isnan(average_precision(np.zeros(4, bool), np.arange(4.0)))


def test_classes_come_as_names_or_codes() -> None:
    made = read_predictions("patch,class\np0,Class 3\np1,0\n", TABLE, lists=False)
    assert made.codes == {"p0": (3,), "p1": (0,)} and not made.scores
    made = read_predictions("patch,class\np0,class 3; 0\np1,\n", TABLE, lists=True)
    assert made.codes == {"p0": (0, NONE, NONE, 3, NONE), "p1": (NONE,) * 5}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("patch\np0\n", "one column for each class"),
        ("patch,class\np0,moon\n", "line 2: found 'moon'"),
        ("patch,class\np0,0;1\n", "one class of the project"),
        (",".join(["patch", *NAMES]) + "\np0,1,2,x,4,5\n", "could not convert"),
        (",".join(["patch", *NAMES]) + "\np0,1,2,nan,4,5\n", "no number"),
        ("", "columns none"),
    ],
)
def test_tables_that_cannot_be_read_say_where(text: str, words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        read_predictions(text, TABLE, lists=False)


def test_predictions_of_other_patches_score_nothing() -> None:
    made = read_predictions("patch,class\nelsewhere,0\n", TABLE, lists=False)
    with pytest.raises(DatasetError, match="elsewhere"):
        score_patches(labels([(0,)]), made, TABLE)

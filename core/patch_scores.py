"""Scores of predicted labels of whole patches against the labels of now, one count per patch.

Predictions come as a table: a column `patch`, and either a column `class` (a name or a code;
several joined by ";" for lists), or one column of scores for each class. From scores the class is
the highest one, and of a list every class with 0.5 or more. Average precision needs scores.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core import metrics
from core.classes import ClassTable
from core.errors import DatasetError
from core.patch_index import PatchLabel
from core.patch_labels import NONE, PatchCodes, cells_of
from core.presets import preset

THRESHOLD = 0.5
MOST_NAMED = 5

Flags = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Predicted:
    """Predicted labels by patch, and scores [K] by patch where the table holds them."""

    codes: Mapping[str, PatchCodes]
    scores: Mapping[str, Scores]


@dataclass(frozen=True)
class PatchScores:
    """Scores over `patches`. NaN where there is none.

    Overall accuracy and kappa are for one class per patch, `micro_f1` for lists; `mean_ap` needs
    scores. F1 and average precision are by class, NaN for classes that no patch has; their means
    are over the others.
    """

    patches: int
    overall_accuracy: float
    kappa: float
    mean_f1: float
    micro_f1: float
    mean_ap: float
    f1: Scores
    ap: Scores


def read_predictions(text: str, classes: ClassTable, *, lists: bool) -> Predicted:
    """Return the predictions of a CSV with a header; raises `DatasetError` naming the line."""
    rows = csv.DictReader(io.StringIO(text))
    columns = rows.fieldnames or ()
    names = [entry.name for entry in classes.entries]
    scored = all(name in columns for name in names)
    if "patch" not in columns or not (scored or "class" in columns):
        raise DatasetError(
            "table of predictions",
            found=f"columns {', '.join(columns) or 'none'}"[:200],
            expected="patch, and class or one column for each class",
        )
    codes: dict[str, PatchCodes] = {}
    scores: dict[str, Scores] = {}
    for row in rows:
        where = f"line {rows.line_num}"
        if scored:
            scores[row["patch"]] = found = _numbers(where, [row[name] for name in names])
            codes[row["patch"]] = _of_scores(found, classes, lists=lists)
        else:
            codes[row["patch"]] = _of_words(where, row["class"] or "", classes, lists=lists)
    return Predicted(codes, scores)


def _numbers(where: str, cells: Sequence[str | None]) -> Scores:
    try:
        found = np.array([float(cell or "") for cell in cells])
    except ValueError as error:
        raise DatasetError(where, found=str(error), expected="a number for each class") from error
    if not np.isfinite(found).all():
        raise DatasetError(where, found="a score that is no number", expected="numbers")
    return found


def _of_scores(scores: Scores, classes: ClassTable, *, lists: bool) -> PatchCodes:
    if not lists:
        return (classes.codes[int(scores.argmax())],)
    return cells_of([classes.codes[i] for i in np.flatnonzero(scores >= THRESHOLD)], classes)


def _of_words(where: str, text: str, classes: ClassTable, *, lists: bool) -> PatchCodes:
    known = {entry.name.lower(): entry.code for entry in classes.entries}
    known |= {str(code): code for code in classes.codes}
    words = [word.strip().lower() for word in text.split(";") if word.strip()]
    unknown = [word for word in words if word not in known]
    if unknown or (not lists and len(words) != 1):
        expected = "classes of the project" if lists else "one class of the project"
        raise DatasetError(where, found=repr(text)[:80], expected=expected)
    found = [known[word] for word in words]
    return cells_of(found, classes) if lists else (found[0],)


def score_patches(
    patches: Sequence[PatchLabel], predicted: Predicted, classes: ClassTable
) -> PatchScores:
    """Score the patches that have a prediction; raises `DatasetError` when there is none."""
    known = [patch for patch in patches if patch.name in predicted.codes]
    if not known:
        some = ", ".join(list(predicted.codes)[:MOST_NAMED])
        raise DatasetError(
            "table of predictions",
            found=f"none of these patches, but {some or 'nothing'}",
            expected="names of patches of the project",
        )
    reference = np.array([patch.codes for patch in known], np.uint8)
    found = np.array([predicted.codes[patch.name] for patch in known], np.uint8)
    held = all(patch.name in predicted.scores for patch in known)
    scores = np.array([predicted.scores[patch.name] for patch in known]) if held else None
    present = presence(reference, classes)
    ap = _every_ap(present, scores) if scores is not None else np.full(present.shape[1], np.nan)
    rule = preset("patch_labels" if reference.shape[1] == 1 else "patch_lists")
    matrix = metrics.confusion(reference, found, classes.index_lut)
    f1 = rule.f1(matrix, classes)
    one = reference.shape[1] == 1
    return PatchScores(
        len(known),
        float(rule.figure("overall_accuracy", matrix, classes)) if one else float("nan"),
        float(rule.figure("kappa", matrix, classes)) if one else float("nan"),
        float(rule.figure("mean_f1", matrix, classes)),
        _micro_f1(present, presence(found, classes)),
        _mean(ap),
        np.asarray(f1, np.float64),
        ap,
    )


def presence(codes: npt.NDArray[np.uint8], classes: ClassTable) -> Flags:
    """Return bool [patches, K]: which classes each patch has; `codes` [patches, 1 or K]."""
    if codes.shape[1] == len(classes.codes):
        has: Flags = codes != NONE
        return has
    return np.asarray(codes == np.array(classes.codes, np.uint8), np.bool_)


def average_precision(present: Flags, scores: Scores) -> float:
    """Return the area under precision by recall as steps, NaN where no patch has the class.

    `present` and `scores` are [patches]. Patches of equal score count as one step, as in
    scikit-learn's `average_precision_score`.
    """
    if not present.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(present[order])
    last_of_score = np.append(np.diff(scores[order]) != 0, True)
    hits, count = hits[last_of_score], np.flatnonzero(last_of_score) + 1
    gained = np.diff(hits, prepend=0) / hits[-1]
    return float((gained * hits / count).sum())


def _every_ap(present: Flags, scores: Scores) -> Scores:
    columns = zip(present.T, scores.T, strict=True)
    return np.array([average_precision(*column) for column in columns])


def _mean(values: Scores) -> float:
    kept = values[np.isfinite(values)]
    return float(kept.mean()) if len(kept) else float("nan")


def _micro_f1(present: Flags, found: Flags) -> float:
    both, total = int((present & found).sum()), int(present.sum() + found.sum())
    return 2 * both / total if total else float("nan")

"""Scores in a few numbers, from stored matrices. Needs no torch, so that pages stay quick."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core import catalogue, metrics, scores
from core.presets import preset
from core.records import Modality, ModelRecord, Project, Split, Tile
from core.scores import Evaluation, Reference
from core.store.engine import Store


def validation_summary(store: Store, tiles: Sequence[Tile]) -> dict[Reference, int]:
    """Return how many tiles scores are taken on, by reference, as `validation_tiles` picks them."""
    frozen = sum(tile.frozen for tile in tiles)
    held = [tile for tile in tiles if tile.split is Split.VAL and not tile.frozen]
    clean = sum(bool(catalogue.layers(store, t.id, modality=Modality.TRUTH)) for t in held)
    found: dict[Reference, int] = {"truth": clean, "frozen": frozen}
    if clean or frozen:
        return {reference: count for reference, count in found.items() if count}
    return {"pseudo": len(held) or sum(tile.editable for tile in tiles)}


def main_reference(counts: Mapping[Reference, int]) -> Reference:
    """Return what headline scores are read against: truth, else frozen, else pseudo-labels."""
    for reference in scores.REFERENCES:
        if counts.get(reference):
            return reference
    return "pseudo"


def summaries(store: Store, project: Project, reference: Reference) -> dict[int, dict[str, Any]]:
    """Return the scores of every model of a project against a reference, by model id."""
    by_model: dict[int, list[Evaluation]] = {}
    for found in scores.evaluations(store, project.id, reference=reference):
        if found.model_id is not None:
            by_model.setdefault(found.model_id, []).append(found)
    clearest = clearest_dates(store, project)
    return {m: _summary(project, found, clearest) for m, found in by_model.items()}


def summary(
    store: Store, project: Project, record: ModelRecord, reference: Reference
) -> dict[str, Any]:
    """Return IoU by class and the project's mean IoU of a model, from stored matrices.

    "all" sums every optical date, "clear" the clearest date of each tile only. NaN becomes None.
    """
    found = scores.evaluations(store, project.id, reference=reference, model_id=record.id)
    return {"model_id": record.id, **_summary(project, found, clearest_dates(store, project))}


def clearest_dates(store: Store, project: Project) -> dict[int, int]:
    """Return the id of the clearest optical date of each tile that has one."""
    dates = catalogue.project_acquisitions(store, project.id)
    return {tile_id: found[0].id for tile_id, found in dates.items()}


def _summary(
    project: Project, found: Sequence[Evaluation], clearest: Mapping[int, int]
) -> dict[str, Any]:
    clear = [e for e in found if e.acquisition_id in (None, clearest.get(e.tile_id))]
    return {
        "all": _scores_of(project, [e.matrix for e in found]),
        "clear": _scores_of(project, [e.matrix for e in clear]),
    }


def _scores_of(
    project: Project, matrices: Sequence[npt.NDArray[np.int64]]
) -> dict[str, Any] | None:
    if not matrices:
        return None
    matrix = np.sum(matrices, axis=0)
    rules = preset(project.preset)
    mean = float(rules.mean_iou(matrix, project.classes))
    return {
        "miou": _number(mean),
        "iou": [_number(float(value)) for value in rules.iou(matrix, project.classes)],
        "pixels": int(metrics.reference_pixels(matrix).sum()),
        "matrices": len(matrices),
    }


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None

"""Scores of catalogued models and of labels: one confusion matrix per tile and acquisition.

A model without optical input has one matrix per tile: clouds cannot change it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core import catalogue, history, metrics, scores
from core.damage import building_details
from core.errors import Cancelled
from core.predictions import read_prediction
from core.records import ModelRecord, Project, Tile
from core.scores import Evaluation, Reference, model_source
from core.settings import Settings
from core.store.engine import Store
from models.predict import Report, acquisitions_of, ensure_prediction, never, silent
from models.registry import load_model
from models.training_set import ValidationTile, read_frozen, read_truth

Bytes = npt.NDArray[np.uint8]


def evaluate_model(
    store: Store,
    settings: Settings,
    project: Project,
    record: ModelRecord,
    validation: Sequence[ValidationTile],
    *,
    report: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> int:
    """Score a model on every validation tile and acquisition; return the number of matrices."""
    loaded = load_model(record)
    found: list[Evaluation] = []
    for number, held in enumerate(validation):
        for date in acquisitions_of(store, record, held.tile):
            if cancelled():
                raise Cancelled("evaluation", found="a request to stop")
            report(number / len(validation), f"Scoring {record.name} on {held.tile.name}")
            made = ensure_prediction(store, settings, held.tile, record, date, loaded=loaded)
            codes, _ = read_prediction(store, made)
            source = model_source(record.id, made.acquisition_id)
            matrix = metrics.confusion(held.labels, codes, project.classes.index_lut)
            found.append(
                Evaluation(
                    held.tile.id,
                    source,
                    held.reference,
                    matrix,
                    record.id,
                    made.acquisition_id,
                    _details(project, held.labels, codes),
                )
            )
    scores.save_evaluations(store, found)
    return len(found)


def evaluate_labels(
    store: Store, project: Project, *, cancelled: Callable[[], bool] = never
) -> int:
    """Score labels as they came and of now where a clean reference is; return the matrices made.

    The reference is truth, on training tiles too, and the frozen labels where a person froze them.
    A matrix is made again only when its tile has a newer label version.
    """
    seen = {
        (e.tile_id, e.source, e.reference): (e.details or {}).get("version")
        for e in scores.evaluations(store, project.id)
    }
    found: list[Evaluation] = []
    for tile in catalogue.tiles(store, project.id):
        if cancelled():
            raise Cancelled("evaluation", found="a request to stop")
        for reference, wanted in _label_work(tile):
            if seen.get((tile.id, wanted, reference)) == tile.version:
                continue
            clean = (
                read_truth(store, project, tile)
                if reference == "truth"
                else read_frozen(store, project, tile)
            )
            if clean is None:
                continue
            found.append(_label_evaluation(store, project, tile, wanted, reference, clean))
    scores.save_evaluations(store, found)
    return len(found)


def _label_work(tile: Tile) -> list[tuple[Reference, str]]:
    work: list[tuple[Reference, str]] = [
        ("truth", scores.PSEUDO_LABEL),
        ("truth", scores.LABEL_NOW),
    ]
    return [*work, ("frozen", scores.PSEUDO_LABEL)] if tile.frozen else work


def _label_evaluation(
    store: Store, project: Project, tile: Tile, source: str, reference: Reference, clean: Bytes
) -> Evaluation:
    labels = (
        history.original(store, tile.id)
        if source == scores.PSEUDO_LABEL
        else history.current(store, tile.id).labels
    )
    matrix = metrics.confusion(clean, labels, project.classes.index_lut)
    details = {**(_details(project, clean, labels) or {}), "version": tile.version}
    return Evaluation(tile.id, source, reference, matrix, details=details)


def _details(project: Project, reference: Bytes, codes: Bytes) -> dict[str, Any] | None:
    if project.kind != "damage":
        return None
    return building_details(reference, codes, project.classes)


def forget_frozen_scores(store: Store, project_id: int) -> None:
    """Drop scores against frozen labels of tiles that are frozen no longer."""
    given_back = [tile.id for tile in catalogue.tiles(store, project_id) if not tile.frozen]
    scores.forget_evaluations(store, given_back, reference="frozen")

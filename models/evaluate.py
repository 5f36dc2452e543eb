"""Scores of catalogued models and of labels: one confusion matrix per tile and acquisition.

A model without optical input has one matrix per tile: clouds cannot change it. Tiles are taken one
after the other and kept as they come, so that memory stays flat and a stopped job loses little.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from core import catalogue, history, scores
from core.authors import Ids, authors
from core.errors import Cancelled
from core.grid import Window
from core.legend import require_named
from core.options import boundary_px
from core.predictions import read_prediction
from core.records import Modality, ModelRecord, Prediction, Project, Tile
from core.scores import Evaluation, Reference, model_source
from core.settings import Settings
from core.store.engine import Store
from models.measure import Behind, Read, measure
from models.predict import Report, acquisitions_of, ensure_prediction, never, silent
from models.registry import load_model
from models.validation_set import ValidationTile, read_frozen, truth_reader

KEEP_EVERY = 64
"""Matrices that are written in one transaction."""

LABEL_WORK: tuple[tuple[Reference, str], ...] = (
    ("truth", scores.PSEUDO_LABEL),
    ("truth", scores.LABEL_NOW),
    ("frozen", scores.PSEUDO_LABEL),
)
"""What labels are scored against. Labels of now are never scored against frozen ones: that would
compare people with themselves."""

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
    """Score a model on every validation tile and acquisition; return the number of matrices.

    Raises `ClassTableError` while a class has no name.
    """
    require_named(project)
    loaded = load_model(record)

    def found() -> Iterator[Evaluation]:
        for number, held in enumerate(validation):
            report(number / len(validation), f"Scoring {record.name} on {held.tile.name}")
            behind = _behind(store, held.tile) if held.reference == "frozen" else None
            for date in acquisitions_of(store, record, held.tile):
                made = ensure_prediction(store, settings, held.tile, record, date, loaded=loaded)

                codes = _map_reader(store, made)
                measured = measure(project, held.tile.grid, held.read, codes, behind)
                yield Evaluation(
                    held.tile.id,
                    model_source(record.id, made.acquisition_id),
                    held.reference,
                    measured.matrix,
                    record.id,
                    made.acquisition_id,
                    measured.details or None,
                )

    return _keep(store, found(), cancelled)


def evaluate_labels(
    store: Store,
    project: Project,
    *,
    report: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> int:
    """Score labels as they came and of now where a clean reference is; return the matrices made.

    The reference is truth, on training tiles too, and the frozen labels where a person froze them.
    A matrix is made again only when its tile has a newer label version, or when the settings of the
    project ask for other counts. Raises `ClassTableError` while a class has no name.
    """
    require_named(project)
    seen = {
        (e.tile_id, e.source, e.reference): (e.details or {}).get("stamp")
        for e in scores.evaluations(store, project.id)
    }
    truths = catalogue.project_layers(store, project.id, Modality.TRUTH)
    tiles = [t for t in catalogue.tiles(store, project.id) if t.frozen or t.id in truths]

    def found() -> Iterator[Evaluation]:
        for number, tile in enumerate(tiles):
            report(number / len(tiles), f"Scoring labels of {tile.name}")
            clean: dict[Reference, Callable[[Window], Bytes]] = {}
            if tile.id in truths:
                clean["truth"] = truth_reader(project, tile, truths[tile.id][0])
            if tile.frozen:
                clean["frozen"] = partial(read_frozen, store, project, tile)
            for reference, source in LABEL_WORK:
                known = seen.get((tile.id, source, reference)) == _stamp(project, tile)
                if reference in clean and not known:
                    work = (store, project, tile, source, reference)
                    yield _label_evaluation(*work, clean[reference])

    return _keep(store, found(), cancelled)


def _keep(store: Store, found: Iterator[Evaluation], cancelled: Callable[[], bool]) -> int:
    """Write evaluations as they come; return their number. Raises `Cancelled`."""
    waiting: list[Evaluation] = []
    count = 0
    try:
        for evaluation in found:
            if cancelled():
                raise Cancelled("evaluation", found="a request to stop")
            waiting.append(evaluation)
            count += 1
            if len(waiting) == KEEP_EVERY:
                scores.save_evaluations(store, waiting)
                waiting = []
    finally:
        scores.save_evaluations(store, waiting)
    return count


def _label_evaluation(
    store: Store,
    project: Project,
    tile: Tile,
    source: str,
    reference: Reference,
    clean: Callable[[Window], Bytes],
) -> Evaluation:
    def labels(window: Window) -> Bytes:
        if source == scores.PSEUDO_LABEL:
            return history.original(store, tile.id, window)
        return history.at_version(store, tile.id, tile.version, window).labels

    measured = measure(project, tile.grid, clean, labels, _behind(store, tile))
    details = {**measured.details, "stamp": _stamp(project, tile)}
    return Evaluation(tile.id, source, reference, measured.matrix, details=details)


def _map_reader(store: Store, made: Prediction) -> Read:
    return lambda window: read_prediction(store, made, window)[0]


def _behind(store: Store, tile: Tile) -> Behind | None:
    """Return what tells who is behind the pixels of a tile's label; None where nobody edited it."""
    if not tile.version:
        return None

    def read(window: Window) -> tuple[Bytes, Ids]:
        provenance = history.at_version(store, tile.id, tile.version, window).provenance
        return provenance, authors(store, tile.id, window, tile.version)

    return read


def _stamp(project: Project, tile: Tile) -> list[int]:
    """Return what the matrix of a label depends on: its version and the settings of the project."""
    return [tile.version, boundary_px(project) or 0]


def forget_frozen_scores(store: Store, project_id: int) -> None:
    """Drop scores against frozen labels of tiles that are frozen no longer."""
    given_back = [tile.id for tile in catalogue.tiles(store, project_id) if not tile.frozen]
    scores.forget_evaluations(store, given_back, reference="frozen")

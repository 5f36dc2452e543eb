"""What the browser of tiles sorts and filters by: pixels per class and disagreement of each tile.

*Disagreement* is the share of labelled pixels where the shown model's class differs from the label
of now, on the clearest date that it was predicted for. Scenes of more than 8,192 x 8,192 pixels are
estimated from a regular sample, so that a look at the list never reads them wholly. Tallies are a
cache in a table, so that queries can ask for them; a tile is read again only when its label or the
shown prediction has changed. The scan of a tile writes its first one.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, exists, func, not_, or_, select
from sqlalchemy.orm import aliased

from core import catalogue, history, pyramid
from core.classes import ClassTable, LabelArray
from core.errors import CloudbrushError
from core.predictions import predictions, read_prediction
from core.records import Acquisition, ModelRecord, Prediction, Project, Tile
from core.scan import tally_row
from core.store.engine import Store, chunks
from core.store.tables import EditRow, PredictionRow, TallyRow, TileRow
from core.trained import promoted

WHOLE_PX = 2**26  # 8,192 x 8,192; larger scenes are estimated
SAMPLED_SIDE = 2048
CHUNK, FEW = 200, 10


@dataclass(frozen=True)
class Tally:
    """Pixels of the label by class code, and the disagreement (None without a prediction)."""

    pixels: dict[int, int]
    disagreement: float | None

    @property
    def classes(self) -> frozenset[int]:
        """Return the codes that occur in the label."""
        return frozenset(self.pixels)


def tallies(
    store: Store,
    project: Project,
    tiles: Sequence[Tile],
    acquisitions: Mapping[int, Sequence[Acquisition]],
    shown: ModelRecord | None,
) -> dict[int, Tally]:
    """Return the tally of each tile by id; a tile whose rasters cannot be read has none.

    `acquisitions` by tile id, clearest first; `shown` is the promoted model or None.
    """
    ids = [tile.id for tile in tiles]
    kept = _kept(store, ids)
    maps = _shown_maps(store, ids, acquisitions, shown)
    changed: list[TallyRow] = []
    result: dict[int, Tally] = {}
    for tile in tiles:
        prediction = maps.get(tile.id)
        name, row = _map_name(shown, prediction), kept.get(tile.id)
        if row is not None and (row.version, row.map) == (tile.version, name):
            counts = {int(code): int(n) for code, n in row.pixels.items()}
            result[tile.id] = Tally(counts, row.disagreement)
            continue
        found = _count(store, tile, project.classes, prediction)
        if found is not None:
            result[tile.id] = found
            how = {"shown": name, "disagreement": found.disagreement}
            changed.append(tally_row(tile.id, found.pixels, version=tile.version, **how))  # type: ignore[arg-type]
    if changed:
        with store.write() as session:
            for row in changed:
                if session.get(TileRow, row.tile_id) is not None:  # not deleted meanwhile
                    session.merge(row)
    return result


def refresh(store: Store, project: Project, seconds: float | None = None) -> int:
    """Count the tiles of a project anew that have changed; return how many are left to count.

    `seconds` is how long it may take, None for as long as it takes. Tiles that were not scanned, or
    cannot be worked on, are passed over.
    """
    shown = promoted(store, project.id)
    begun = time.monotonic()
    tried: set[int] = set()
    while True:
        waiting = [t for t in stale(store, project.id, shown, CHUNK + len(tried)) if t not in tried]
        if not waiting:
            return 0
        for start in range(0, len(waiting), FEW):
            if seconds is not None and time.monotonic() - begun > seconds:
                return count_stale(store, project.id, shown)
            ids = waiting[start : start + FEW]
            tried.update(ids)
            dates = catalogue.acquisitions_by_id(store, ids)
            tallies(store, project, catalogue.tiles_by_id(store, ids), dates, shown)


def stale(store: Store, project_id: int, shown: ModelRecord | None, limit: int) -> list[int]:
    """Return the ids of tiles, at most `limit`, whose tally is missing or of an earlier state."""
    query = select(TileRow.id).outerjoin(TallyRow, TallyRow.tile_id == TileRow.id)
    query = query.where(*_stale(project_id, shown)).order_by(TileRow.name).limit(limit)
    with store.read() as session:
        return list(session.scalars(query))


def count_stale(store: Store, project_id: int, shown: ModelRecord | None) -> int:
    """Return how many tiles have no tally of now."""
    query = select(func.count(TileRow.id)).outerjoin(TallyRow, TallyRow.tile_id == TileRow.id)
    with store.read() as session:
        return session.scalar(query.where(*_stale(project_id, shown))) or 0


def _stale(project_id: int, shown: ModelRecord | None) -> list[ColumnElement[bool]]:
    """Return when a tile joined with its tally has to be counted anew.

    A better date that was predicted later is found when the tile itself is looked at.
    """
    of_now = aliased(TallyRow)
    newer = (
        select(EditRow.tile_id)
        .outerjoin(of_now, of_now.tile_id == EditRow.tile_id)
        .join(TileRow, TileRow.id == EditRow.tile_id)
        .where(TileRow.project_id == project_id)
        .group_by(EditRow.tile_id, of_now.version)
        .having(func.max(EditRow.version) != of_now.version)
    )
    reasons: list[ColumnElement[bool]] = [TallyRow.tile_id.is_(None), TileRow.id.in_(newer)]
    if shown is not None:
        mapped = exists().where(
            PredictionRow.tile_id == TileRow.id, PredictionRow.model_id == shown.id
        )
        reasons.append(mapped & not_(TallyRow.map.startswith(map_prefix(shown))))
    return [
        TileRow.project_id == project_id,
        TileRow.scanned_at.is_not(None),
        TileRow.problem.is_(None),
        or_(*reasons),
    ]


def map_prefix(shown: ModelRecord) -> str:
    """Return how the names begin of the maps that tallies of a model were compared with."""
    return f"m{shown.id}:"


def _map_name(shown: ModelRecord | None, prediction: Prediction | None) -> str:
    if shown is None or prediction is None:
        return ""
    return map_prefix(shown) + prediction.path.name


def tally(labels: LabelArray, predicted: LabelArray | None, classes: ClassTable) -> Tally:
    """Return the tally of one label, uint8 codes of any shape, and a prediction like it."""
    counts = np.bincount(labels.ravel(), minlength=256)
    pixels = {code: int(counts[code]) for code in classes.codes if counts[code]}
    if predicted is None:
        return Tally(pixels, None)
    known = classes.index_lut[labels] != 255
    labelled = int(known.sum())
    differs = int(((labels != predicted) & known).sum())
    return Tally(pixels, differs / labelled if labelled else None)


def _count(
    store: Store, tile: Tile, classes: ClassTable, prediction: Prediction | None
) -> Tally | None:
    try:
        if tile.grid.height * tile.grid.width > WHOLE_PX:
            return _estimate(store, tile, classes, prediction)
        labels = history.current(store, tile.id).labels
        predicted = read_prediction(store, prediction)[0] if prediction else None
    except CloudbrushError:
        # A raster that went missing is reported where the tile is opened, not in a list of tiles.
        return None
    return tally(labels, predicted, classes)


def _estimate(
    store: Store, tile: Tile, classes: ClassTable, prediction: Prediction | None
) -> Tally:
    """Return the tally of a large scene from every so many of its pixels."""
    grid = tile.grid
    step = -(-max(grid.height, grid.width) // SAMPLED_SIDE)
    shape = (-(-grid.height // step), -(-grid.width // step))
    labels = pyramid.small_labels(store, tile.id, shape)
    predicted = pyramid.small_prediction(prediction, grid, shape) if prediction else None
    found = tally(labels, predicted, classes)
    scale = grid.height * grid.width / labels.size
    pixels = {code: round(count * scale) for code, count in found.pixels.items()}
    return Tally(pixels, found.disagreement)


def _shown_maps(
    store: Store,
    tile_ids: Sequence[int],
    acquisitions: Mapping[int, Sequence[Acquisition]],
    shown: ModelRecord | None,
) -> dict[int, Prediction]:
    """Return by tile the prediction of `shown` for the clearest date that has one."""
    if shown is None:
        return {}
    best: dict[int, tuple[int, Prediction]] = {}
    for prediction in predictions(store, tile_ids=tile_ids, model_id=shown.id):
        order = [a.id for a in acquisitions.get(prediction.tile_id, ())]
        rank = order.index(prediction.acquisition_id) if prediction.acquisition_id in order else -1
        if prediction.path.exists() and rank <= best.get(prediction.tile_id, (rank,))[0]:
            best[prediction.tile_id] = rank, prediction
    return {tile: prediction for tile, (_, prediction) in best.items()}


def _kept(store: Store, tile_ids: Sequence[int]) -> dict[int, TallyRow]:
    with store.read() as session:
        return {
            row.tile_id: row
            for some in chunks(tile_ids)
            for row in session.scalars(select(TallyRow).where(TallyRow.tile_id.in_(some)))
        }

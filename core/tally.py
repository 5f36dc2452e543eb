"""What the browser of tiles sorts and filters by: pixels per class and disagreement of each tile.

*Disagreement* is the share of labelled pixels where the shown model's class differs from the label
of now, on the clearest date that it was predicted for. Scenes of more than 8,192 x 8,192 pixels are
estimated from a regular sample, so that a look at the list never reads them wholly. Tallies are a
cache in the workspace, one file per project; a tile is read again only when its label or the shown
prediction has changed.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from core import history, pyramid
from core.classes import ClassTable, LabelArray
from core.errors import CloudbrushError
from core.predictions import predictions, read_prediction
from core.records import Acquisition, ModelRecord, Prediction, Project, Tile
from core.store.engine import Store

FOLDER = "tallies"
WHOLE_PX = 2**26  # 8,192 x 8,192; larger scenes are estimated
SAMPLED_SIDE = 2048


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
    path = store.folder(FOLDER) / f"project-{project.id}.json"
    kept = _kept(path)
    maps = _shown_maps(store, project, acquisitions, shown)
    found: dict[str, dict[str, object]] = {}
    result: dict[int, Tally] = {}
    for tile in tiles:
        prediction = maps.get(tile.id)
        stamp = _stamp(tile, prediction)
        entry = kept.get(str(tile.id), {})
        tally = (
            _from_json(entry)
            if entry.get("stamp") == stamp
            else _count(store, tile, project.classes, prediction)
        )
        if tally is not None:
            result[tile.id] = tally
            found[str(tile.id)] = {"stamp": stamp, **asdict(tally)}
    if found != kept:
        _keep(path, found)
    return result


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
    project: Project,
    acquisitions: Mapping[int, Sequence[Acquisition]],
    shown: ModelRecord | None,
) -> dict[int, Prediction]:
    """Return by tile the prediction of `shown` for the clearest date that has one."""
    if shown is None:
        return {}
    best: dict[int, tuple[int, Prediction]] = {}
    for prediction in predictions(store, project_id=project.id, model_id=shown.id):
        order = [a.id for a in acquisitions.get(prediction.tile_id, ())]
        rank = order.index(prediction.acquisition_id) if prediction.acquisition_id in order else -1
        if prediction.path.exists() and rank <= best.get(prediction.tile_id, (rank,))[0]:
            best[prediction.tile_id] = rank, prediction
    return {tile: prediction for tile, (_, prediction) in best.items()}


def _stamp(tile: Tile, prediction: Prediction | None) -> str:
    # Tiles of a deleted project may give their ids to others, so the name is part of it.
    return f"{tile.name}|{tile.version}|{prediction.path.name if prediction else ''}"


def _from_json(entry: Mapping[str, object]) -> Tally | None:
    pixels, share = entry.get("pixels"), entry.get("disagreement")
    if not isinstance(pixels, dict) or not isinstance(share, float | int | None):
        return None
    return Tally({int(code): int(n) for code, n in pixels.items()}, share)


def _kept(path: Path) -> dict[str, dict[str, object]]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep(path: Path, found: Mapping[str, object]) -> None:
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    part.write_text(json.dumps(found))
    part.replace(path)

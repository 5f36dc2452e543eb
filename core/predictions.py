"""Class maps of models and of other people: rows, and files of two bands named by their content.

Band 1 holds class codes, band 2 confidence from 0 to 255; both uint8 on the tile's grid.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from core import catalogue
from core.errors import NotFound
from core.grid import Window
from core.raster import read, write_geotiff
from core.records import Prediction
from core.store.engine import Store, chunks
from core.store.tables import PredictionRow, TileRow, now

Bytes = npt.NDArray[np.uint8]


def save_prediction(
    store: Store,
    tile_id: int,
    source: str,
    codes: Bytes,
    confidence: Bytes,
    *,
    model_id: int | None = None,
    acquisition_id: int | None = None,
) -> Prediction:
    """Write a class map, uint8 [H, W] twice, in place of an older one of the same source.

    `source` is "m3" or "m3/a17" for models (`core.scores.model_source`), "layer/5" for imports.
    """
    digest = hashlib.sha256(codes.tobytes() + confidence.tobytes())
    digest.update(str(codes.shape).encode())
    sha256 = digest.hexdigest()
    grid = catalogue.tile(store, tile_id).grid
    # Positions are part of the file, so tiles that look alike keep files of their own.
    path = store.folder("predictions", sha256[:2]) / f"{sha256[2:24]}-{tile_id}.tif"
    if not path.exists():
        names = ("class code", "confidence 0-255")
        both = np.stack([codes, confidence])
        write_geotiff(path, both, grid, descriptions=names, class_overviews=True)
    with store.write() as session:
        query = select(PredictionRow).where(
            PredictionRow.tile_id == tile_id, PredictionRow.source == source
        )
        row = session.scalar(query)
        if row is None:
            row = PredictionRow(
                tile_id=tile_id, source=source, model_id=model_id, acquisition_id=acquisition_id
            )
            session.add(row)
        row.path, row.sha256 = str(path.relative_to(store.workspace)), sha256
        row.created_at = now()
        session.flush()
        return _prediction(store, row)


def prediction(store: Store, prediction_id: int) -> Prediction:
    """Return one prediction; raises `NotFound`."""
    with store.read() as session:
        row = session.get(PredictionRow, prediction_id)
    if row is None:
        raise NotFound(f"prediction {prediction_id}", todo="Open the tile again.")
    return _prediction(store, row)


def find_prediction(store: Store, tile_id: int, source: str) -> Prediction | None:
    """Return the prediction of a source on a tile when its file is there, or None."""
    query = select(PredictionRow).where(
        PredictionRow.tile_id == tile_id, PredictionRow.source == source
    )
    with store.read() as session:
        row = session.scalar(query)
    found = _prediction(store, row) if row is not None else None
    return found if found is not None and found.path.exists() else None


def predictions(
    store: Store,
    *,
    project_id: int | None = None,
    tile_id: int | None = None,
    tile_ids: Sequence[int] | None = None,
    model_id: int | None = None,
) -> list[Prediction]:
    """Return predictions, oldest first: of a project, tiles, a model, or any mix of these."""
    query = select(PredictionRow).join(TileRow).order_by(PredictionRow.id)
    if project_id is not None:
        query = query.where(TileRow.project_id == project_id)
    if tile_id is not None:
        query = query.where(PredictionRow.tile_id == tile_id)
    if model_id is not None:
        query = query.where(PredictionRow.model_id == model_id)
    lists = [None] if tile_ids is None else list(chunks(tile_ids))
    with store.read() as session:
        return [
            _prediction(store, row)
            for ids in lists
            for row in session.scalars(
                query if ids is None else query.where(PredictionRow.tile_id.in_(ids))
            )
        ]


def read_prediction(
    store: Store, found: Prediction, window: Window | None = None
) -> tuple[Bytes, Bytes]:
    """Return class codes and confidence of a window, both uint8 [h, w]."""
    grid = catalogue.tile(store, found.tile_id).grid
    bands = [(found.path, 1), (found.path, 2)]
    values = read(bands, grid, window, categorical=True).values
    return values[0].astype(np.uint8, copy=False), values[1].astype(np.uint8, copy=False)


def _prediction(store: Store, row: PredictionRow) -> Prediction:
    return Prediction(
        row.id, row.tile_id, row.model_id, row.acquisition_id, store.workspace / row.path
    )

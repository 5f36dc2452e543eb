"""Class maps of models and of other people: rows, and files of two bands named by their content.

Band 1 holds class codes, band 2 confidence from 0 to 255; both uint8 on the tile's grid. Where they
were asked for, the probabilities of all classes lie beside it in a file of their own: a band per
class, 0 to 255, in blocks that are read by window.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from core import catalogue
from core.errors import GridMismatch, NotFound
from core.grid import Window
from core.map_files import probabilities_beside
from core.raster import describe, read
from core.raster_write import RowFile
from core.records import Prediction
from core.store.engine import Store, chunks
from core.store.tables import PredictionRow, TileRow, now

Bytes = npt.NDArray[np.uint8]

CLASS_BAND = "class "


class NewPrediction:
    """A class map that comes row by row; see `new_prediction`. `saved` is set when it is whole."""

    saved: Prediction

    def __init__(self, map_file: RowFile, probability_file: RowFile | None) -> None:
        self._map, self._probabilities = map_file, probability_file
        self._digests = [hashlib.sha256() for _ in range(3)]

    def add(self, codes: Bytes, confidence: Bytes, probabilities: Bytes | None = None) -> None:
        """Add the next rows: uint8 [h, W] twice, and uint8 [K, h, W] where they are kept."""
        self._map.add(np.stack([codes, confidence]))
        parts = [codes, confidence]
        if self._probabilities is not None and probabilities is not None:
            self._probabilities.add(probabilities)
            parts.append(probabilities)
        for digest, part in zip(self._digests, parts, strict=False):
            digest.update(np.ascontiguousarray(part).data)

    def finish(self, folder: Path, tile_id: int) -> tuple[Path, str]:
        """Name the files by their content; return the map's path and sha256."""
        whole = b"".join(digest.digest() for digest in self._digests)
        sha256 = hashlib.sha256(whole).hexdigest()
        # Positions are part of the file, so tiles that look alike keep files of their own.
        path = folder / sha256[:2] / f"{sha256[2:24]}-{tile_id}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        if self._probabilities is not None:
            self._probabilities.finish(probabilities_beside(path))
        self._map.finish(path, class_overviews=True)
        return path, sha256


@contextmanager
def new_prediction(
    store: Store,
    tile_id: int,
    source: str,
    *,
    model_id: int | None = None,
    acquisition_id: int | None = None,
    probabilities: Sequence[int] = (),
) -> Iterator[NewPrediction]:
    """Give what takes a class map by rows; it is kept when the block ends without an error.

    It takes the place of an older one of the same source. `source` is "m3" or "m3/a17" for models
    (`core.scores.model_source`), "layer/5" for imports. `probabilities` lists the class codes in
    the order of the bands when probabilities are kept too.
    """
    grid = catalogue.tile(store, tile_id).grid
    folder = store.folder("predictions")
    with ExitStack() as stack:
        names = ("class code", "confidence 0-255")
        first = stack.enter_context(RowFile(folder, grid, 2, descriptions=names))
        second = None
        if probabilities:
            bands = [f"{CLASS_BAND}{code}" for code in probabilities]
            file = RowFile(folder, grid, len(bands), descriptions=bands)
            second = stack.enter_context(file)
        made = NewPrediction(first, second)
        yield made
        path, sha256 = made.finish(folder, tile_id)
    made.saved = _keep(store, tile_id, source, path, sha256, model_id, acquisition_id)


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
    """Write a whole class map, uint8 [H, W] twice; as `new_prediction` does by rows.

    Raises `GridMismatch` when the arrays are not of the tile's size.
    """
    grid = catalogue.tile(store, tile_id).grid
    if not codes.shape == confidence.shape == (grid.height, grid.width):
        raise GridMismatch(
            f"map {source} of tile {tile_id}",
            found=f"arrays of {codes.shape} and {confidence.shape}",
            expected=f"{grid.height} x {grid.width} pixels",
        )
    with new_prediction(
        store, tile_id, source, model_id=model_id, acquisition_id=acquisition_id
    ) as made:
        made.add(codes, confidence)
    return made.saved


def _keep(
    store: Store,
    tile_id: int,
    source: str,
    path: Path,
    sha256: str,
    model_id: int | None,
    acquisition_id: int | None,
) -> Prediction:
    """Write the row of a map whose files are there."""
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


def has_probabilities(found: Prediction) -> bool:
    """Return whether the probabilities of all classes were kept beside a map."""
    return probabilities_beside(found.path).exists()


def read_probabilities(
    store: Store, found: Prediction, window: Window | None = None
) -> tuple[tuple[int, ...], Bytes]:
    """Return class codes [K] and probabilities times 255, uint8 [K, h, w], of a window.

    Raises `NotFound` when they were not kept.
    """
    path = probabilities_beside(found.path)
    if not path.exists():
        raise NotFound(
            f"probabilities of prediction {found.id}",
            todo="Predict the tile again and ask for probabilities.",
        )
    grid = catalogue.tile(store, found.tile_id).grid
    info = describe(path)
    codes = tuple(int(text.removeprefix(CLASS_BAND)) for text in info.descriptions if text)
    bands = [(path, band) for band in range(1, info.count + 1)]
    values = read(bands, grid, window, categorical=True).values
    return codes, values.astype(np.uint8, copy=False)


def _prediction(store: Store, row: PredictionRow) -> Prediction:
    return Prediction(
        row.id, row.tile_id, row.model_id, row.acquisition_id, store.workspace / row.path
    )

"""Prediction of tiles of the catalogue: one map per tile, or per optical date.

Maps that are already there are not made again. A tile is predicted from the inputs of the model
that it has; one that has none of them is refused by name. How many views a map is the mean of is
the model's own, in its card, so that a map and its scores say the same of it for good; so is
whether the buildings of the map vote (`core.object_vote`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from core import catalogue
from core.errors import Cancelled, CloudbrushError
from core.grid import Window
from core.object_vote import object_vote, severity_of
from core.predictions import find_prediction, has_probabilities, new_prediction
from core.records import Acquisition, Layer, Modality, ModelRecord, Prediction, Tile
from core.scores import model_source
from core.settings import Settings
from core.store.engine import Store
from models.blend import Rows
from models.model_files import LoadedModel
from models.post import voting
from models.registry import load_model
from models.sample import Bands
from models.scene import PLAIN, How, Read, Report, predict_scene, predict_windows, silent
from models.train import pick_device
from models.training.scoring import never
from models.training_set import read_image
from models.valid_area import SEEN_AROUND_PX, with_signal

__all__ = [
    "Report",
    "acquisitions_of",
    "ensure_prediction",
    "never",
    "predict_array",
    "predict_tiles",
    "predict_windows",
    "silent",
]


def predict_array(
    model: LoadedModel, inputs: Mapping[str, Bands], *, device: str = "cpu", how: How = PLAIN
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.uint8]], ...]:
    """Return class codes and confidence, both uint8 [H, W], of images [C, H, W] by modality.

    Confidence is the probability of the class that the network gives, 0 to 255. What is missing is
    left out, or NaN. bfloat16 is taken where neither `how` nor the model forbids it.
    """
    how = replace(how, mixed_precision=how.mixed_precision and model.mixed_precision)

    def read(y0: int, x0: int, height: int, width: int) -> Mapping[str, Bands]:
        return {m: v[:, y0 : y0 + height, x0 : x0 + width] for m, v in inputs.items()}

    height, width = next(iter(inputs.values())).shape[1:]
    index, confidence = predict_windows(model.network, read, height, width, how=how, device=device)
    codes = np.asarray(model.codes, np.uint8)[index]
    if model.vote is not None:
        codes = object_vote(codes, severity_of(model.codes), model.vote)
    return codes, confidence


def ensure_prediction(
    store: Store,
    settings: Settings,
    tile: Tile,
    record: ModelRecord,
    acquisition: Acquisition | None,
    *,
    loaded: LoadedModel | None = None,
    probabilities: bool = False,
    report: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> Prediction:
    """Return the map of a model on a tile, made now when it is missing.

    `acquisition` is the optical date; models without optical input ignore it. `loaded` saves
    reading the weights again. With `probabilities` those of all classes are kept beside the map,
    and a map without them is made again. Raises `CloudbrushError` when the tile has no input of
    the model, and `Cancelled` when asked to stop; no half map is left.
    """
    seen = acquisition if record.uses_optical else None
    source = model_source(record.id, seen.id if seen else None)
    found = find_prediction(store, tile.id, source)
    if found is not None and (has_probabilities(found) or not probabilities):
        return found
    model = loaded or load_model(record)
    read = input_reader(store, tile, tuple(record.bands), seen)
    codes = np.asarray(model.codes, np.uint8)
    void = np.uint8(catalogue.project(store, tile.project_id).classes.void_code)
    with (
        new_prediction(
            store,
            tile.id,
            source,
            model_id=record.id,
            acquisition_id=seen.id if seen else None,
            probabilities=model.codes if probabilities else (),
        ) as made,
        voting(model.vote, model.codes, made.add) as add,
    ):

        def keep(rows: Rows) -> None:
            found, confidence = codes[rows.index], rows.confidence
            if model.valid_area:
                there = _with_signal(read, rows, tile.grid.height)
                found, confidence = np.where(there, found, void), confidence * there
            add(found, confidence, rows.probabilities)

        predict_scene(
            model.network,
            read,
            tile.grid.height,
            tile.grid.width,
            keep,
            how=replace(
                PLAIN,
                views=model.views,
                probabilities=probabilities,
                mixed_precision=model.mixed_precision,
            ),
            device=pick_device(settings.device),
            report=report,
            cancelled=cancelled,
        )
    return made.saved


def _with_signal(
    read: Read, rows: Rows, height: int
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Return where SAR shows anything in finished rows; everywhere, where there is no SAR.

    `height` is the scene's: rows around are read too, so that the strips do not matter.
    """
    count, width = rows.index.shape
    above, end = max(rows.y0 - SEEN_AROUND_PX, 0), rows.y0 + count
    image = read(above, 0, min(end + SEEN_AROUND_PX, height) - above, width).get("sar")
    if image is None:
        return np.ones(rows.index.shape, np.bool_)
    return with_signal(image)[rows.y0 - above : end - above]


def input_reader(
    store: Store, tile: Tile, modalities: Sequence[str], acquisition: Acquisition | None
) -> Read:
    """Return what reads windows of a tile, NaN where it has no data, without what it lacks.

    `acquisition` chooses the optical date; None takes the only or first optical layer. Raises
    `CloudbrushError` when the tile has none of the modalities.
    """
    layers: dict[str, Layer] = {}
    for modality in modalities:
        found = catalogue.layers(store, tile.id, modality=Modality(modality))
        if modality == Modality.OPTICAL and acquisition is not None:
            found = [layer for layer in found if layer.acquisition_id == acquisition.id]
        if found:
            layers[modality] = found[0]
    if not layers:
        date = f" of {acquisition.name}" if acquisition else ""
        raise CloudbrushError(
            f"tile {tile.name}",
            found=f"no {' and no '.join(modalities)} image{date}",
            expected="one",
            todo="Choose a model that reads what the tile has.",
        )

    def read(y0: int, x0: int, height: int, width: int) -> dict[str, Bands]:
        window = Window(y0, x0, height, width)
        return {m: read_image(layer, tile.grid, window) for m, layer in layers.items()}

    return read


def acquisitions_of(store: Store, record: ModelRecord, tile: Tile) -> Sequence[Acquisition | None]:
    """Return what a model predicts a tile from: each optical date, clearest first, or once."""
    if not record.uses_optical:
        return [None]
    return catalogue.acquisitions(store, tile.id) or [None]


def predict_tiles(
    store: Store,
    settings: Settings,
    record: ModelRecord,
    tiles: Sequence[Tile],
    *,
    every_date: bool = True,
    probabilities: bool = False,
    report: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> int:
    """Make the missing maps of a model; return how many there are now.

    With `every_date` False only the clearest optical date of each tile is predicted. Raises
    `Cancelled` when asked to stop, at the next window.
    """
    loaded = load_model(record)
    work = []
    for tile in tiles:
        dates = acquisitions_of(store, record, tile)
        work += [(tile, date) for date in (dates if every_date else dates[:1])]
    for done, (tile, date) in enumerate(work):
        if cancelled():
            raise Cancelled("prediction", found="a request to stop")
        told = _within(report, done, len(work), f"Predicting {tile.name}")
        told(0.0, "")
        ensure_prediction(
            store,
            settings,
            tile,
            record,
            date,
            loaded=loaded,
            probabilities=probabilities,
            report=told,
            cancelled=cancelled,
        )
    return len(work)


def _within(report: Report, done: int, count: int, name: str) -> Report:
    """Return what reports the progress within one of several tiles."""

    def told(share: float, row: str) -> None:
        report((done + share) / count, f"{name}, {row.lower()}" if row else name)

    return told

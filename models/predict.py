"""Prediction: a network over an image of any size, by windows that overlap and are blended.

First arrays, then tiles of the catalogue. A model without optical input has one map per tile, any
other one per optical date. Maps that are already there are not made again.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch

from core import catalogue
from core.errors import Cancelled
from core.grid import Window
from core.predictions import find_prediction, save_prediction
from core.records import Acquisition, ModelRecord, Prediction, Tile
from core.scores import model_source
from core.settings import Settings
from core.store.engine import Store
from models.networks import SegmentationNetwork
from models.registry import LoadedModel, load_model
from models.sample import Bands
from models.train import mixed_precision_helps, pick_device
from models.training_set import read_inputs

WINDOW_PX = 1024
OVERLAP_PX = 128

Codes = npt.NDArray[np.uint8]
Read = Callable[[int, int, int, int], Mapping[str, Bands]]
"""Reads (y0, x0, height, width) of every modality as [C, height, width]."""

Report = Callable[[float, str], None]
"""Told the share that is done and what is being done."""


def silent(_share: float, _message: str) -> None:
    """Report nothing."""


def never() -> bool:
    """Never ask to stop."""
    return False


def predict_array(
    model: LoadedModel, inputs: Mapping[str, Bands], *, device: str = "cpu"
) -> tuple[Codes, Codes]:
    """Return class codes and confidence, both uint8 [H, W], of images [C, H, W] by modality.

    Confidence is the probability of the class, 0 to 255.
    """

    def read(y0: int, x0: int, height: int, width: int) -> Mapping[str, Bands]:
        return {m: v[:, y0 : y0 + height, x0 : x0 + width] for m, v in inputs.items()}

    height, width = next(iter(inputs.values())).shape[1:]
    index, confidence = predict_windows(model.network, read, height, width, device=device)
    return np.asarray(model.codes, np.uint8)[index], confidence


@torch.inference_mode()
def predict_windows(
    network: SegmentationNetwork,
    read: Read,
    height: int,
    width: int,
    *,
    window_px: int = WINDOW_PX,
    overlap_px: int = OVERLAP_PX,
    device: str = "cpu",
) -> tuple[Codes, Codes]:
    """Return class index and confidence, both uint8 [H, W], reading window by window.

    Probabilities are kept for one row of windows only, so a large scene fits in memory. Where
    windows overlap, each counts by its distance to its own edge.
    """
    network = network.on(device).eval()
    half = mixed_precision_helps(device)
    rows, columns = (_starts(n, window_px, overlap_px) for n in (height, width))
    index = np.zeros((height, width), np.uint8)
    confidence = np.zeros((height, width), np.uint8)
    band = np.zeros((network.spec.classes, min(window_px, height), width), np.float32)
    for number, y0 in enumerate(rows):
        h = band.shape[1]
        for x0 in columns:
            w = min(window_px, width)
            tensors = {
                m: torch.from_numpy(np.array(v, np.float32)[None]).to(
                    device, memory_format=torch.channels_last
                )
                for m, v in read(y0, x0, h, w).items()
                if m in network.spec.bands
            }
            with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half):
                logits = network(tensors)
            found = torch.softmax(logits.float()[0], 0).cpu().numpy()
            band[:, :, x0 : x0 + w] += found * _ramp(h, w, overlap_px)
        done = h if number == len(rows) - 1 else rows[number + 1] - y0
        ready = band[:, :done]
        index[y0 : y0 + done] = ready.argmax(0)
        confidence[y0 : y0 + done] = np.rint(255 * ready.max(0) / ready.sum(0))
        band[:, : h - done] = band[:, done:].copy()
        band[:, h - done :] = 0
    return index, confidence


def _starts(length: int, window: int, overlap: int) -> list[int]:
    """Return where windows start so that they cover `length` and overlap by at least `overlap`."""
    if length <= window:
        return [0]
    count = -(-(length - overlap) // (window - overlap))
    return [round(i * (length - window) / (count - 1)) for i in range(count)]


def _ramp(height: int, width: int, overlap: int) -> npt.NDArray[np.float32]:
    """Return float32 [h, w] that falls from 1 inside towards the window's edges."""

    def side(n: int) -> npt.NDArray[np.float32]:
        distance = np.minimum(np.arange(1, n + 1), np.arange(n, 0, -1))
        return np.minimum(distance / max(overlap, 1), 1.0).astype(np.float32)

    return side(height)[:, None] * side(width)[None, :]


def ensure_prediction(
    store: Store,
    settings: Settings,
    tile: Tile,
    record: ModelRecord,
    acquisition: Acquisition | None,
    *,
    loaded: LoadedModel | None = None,
) -> Prediction:
    """Return the map of a model on a tile, made now when it is missing.

    `acquisition` is the optical date; models without optical input ignore it. `loaded` saves
    reading the weights again. Raises `CloudbrushError` when the tile lacks an input.
    """
    seen = acquisition if record.uses_optical else None
    source = model_source(record.id, seen.id if seen else None)
    found = find_prediction(store, tile.id, source)
    if found is not None:
        return found
    model = loaded or load_model(record)

    def read(y0: int, x0: int, height: int, width: int) -> dict[str, Bands]:
        window = Window(y0, x0, height, width)
        return read_inputs(store, tile, tuple(record.bands), seen, window)

    index, confidence = predict_windows(
        model.network,
        read,
        tile.grid.height,
        tile.grid.width,
        device=pick_device(settings.device),
    )
    codes = np.asarray(model.codes, np.uint8)[index]
    return save_prediction(
        store,
        tile.id,
        source,
        codes,
        confidence,
        model_id=record.id,
        acquisition_id=seen.id if seen else None,
    )


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
    report: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> int:
    """Make the missing maps of a model; return how many there are now.

    With `every_date` False only the clearest optical date of each tile is predicted.
    """
    loaded = load_model(record)
    work = []
    for tile in tiles:
        dates = acquisitions_of(store, record, tile)
        work += [(tile, date) for date in (dates if every_date else dates[:1])]
    for done, (tile, date) in enumerate(work):
        if cancelled():
            raise Cancelled("prediction", found="a request to stop")
        report(done / len(work), f"Predicting {tile.name}")
        ensure_prediction(store, settings, tile, record, date, loaded=loaded)
    return len(work)

"""What suggestions look at: about 50 numbers per pixel of a tile, from its images and a prediction.

Each channel (optical and SAR bands as they are stretched for the screen, and ratios of them) gives
its value, its means at three scales, its deviations at two, and its gradient; a prediction adds the
confidence of each class. Ranges are those of the whole tile, so that chunks of a large one fit
together. Numbers are kept as int8, `SCALE` to one unit: 55 MB for a chunk of 1024 x 1024 px.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from sqlalchemy import Engine

from core import catalogue
from core.classes import ClassTable
from core.clouds.cover import CLEAR
from core.display import layer_stretch, to_unit
from core.errors import NotFound
from core.grid import Window, block
from core.predictions import prediction, read_prediction
from core.raster import read, read_layer
from core.records import Layer, Modality, Prediction, Tile
from core.store.engine import Store

CHUNK = 1024
MARGIN = 32  # what filters see beyond a chunk
KEPT_CHUNKS = 4  # 220 MB
SCALE = 48.0
MEANS, DEVIATIONS = (5, 15, 41), (5, 15)
MAX_OPTICAL, MAX_SAR, MAX_CLASSES = 3, 2, 8

Plane = npt.NDArray[np.float32]
Features = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Sources:
    """What the features of a tile are made of, at one optical date and with one prediction."""

    tile: Tile
    classes: ClassTable
    layers: tuple[Layer, ...]
    cloud: Layer | None
    prediction: Prediction | None

    @property
    def key(self) -> tuple[object, ...]:
        """Return what changes when any feature may: files count by size and time."""
        layers = (*self.layers, *((self.cloud,) if self.cloud else ()))
        paths = [path for layer in layers for path, _ in layer.sources]
        paths += [self.prediction.path] if self.prediction else []
        return (self.tile.id, self.tile.name, self.tile.grid, *map(_stamp, paths))


@dataclass
class _Kept:
    """Chunks of one database, newest last, and what is being made."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    chunks: OrderedDict[tuple[object, ...], Features] = field(default_factory=OrderedDict)
    making: dict[tuple[object, ...], threading.Lock] = field(default_factory=dict)


_kept: WeakKeyDictionary[Engine, _Kept] = WeakKeyDictionary()
_kept_lock = threading.Lock()


def sources(
    store: Store, tile: Tile, acquisition_id: int | None, prediction_id: int | None
) -> Sources:
    """Return what the features of a tile are made of; raises `NotFound` for what is not its own."""
    dates = catalogue.acquisitions(store, tile.id)
    if acquisition_id is not None and acquisition_id not in [date.id for date in dates]:
        raise NotFound(f"acquisition {acquisition_id}", expected=f"one of tile {tile.name}")
    found = prediction(store, prediction_id) if prediction_id is not None else None
    if found is not None and (found.tile_id != tile.id or not found.path.exists()):
        raise NotFound(f"prediction {prediction_id}", expected=f"one of tile {tile.name}")
    layers = catalogue.layers(store, tile.id)
    chosen = acquisition_id if acquisition_id is not None else (dates[0].id if dates else None)
    optical = [x for x in layers if x.modality is Modality.OPTICAL and x.acquisition_id == chosen]
    sar = [x for x in layers if x.modality is Modality.SAR]
    clouds = [x for x in layers if x.modality is Modality.CLOUD and x.acquisition_id == chosen]
    classes = catalogue.project(store, tile.project_id).classes
    shown = (*optical[:1], *sar[:1])
    return Sources(tile, classes, shown, clouds[0] if clouds else None, found)


def features(store: Store, found: Sources, window: Window) -> Features:
    """Return int8 [h, w, F] over a window, F the same for every window; made where missing.

    A chunk of 1024 x 1024 px takes about a second to make. Raises `RasterError`.
    """
    parts = [(chunk, _chunk(store, found, chunk)) for chunk in _chunks(found, window)]
    if len(parts) == 1:
        chunk, values = parts[0]
        y0, x0 = window.y0 - chunk.y0, window.x0 - chunk.x0
        return values[y0 : y0 + window.h, x0 : x0 + window.w]
    joined = np.zeros((window.h, window.w, parts[0][1].shape[2]), np.int8)
    for chunk, values in parts:
        y0, x0 = max(chunk.y0, window.y0), max(chunk.x0, window.x0)
        y1 = min(chunk.y0 + chunk.h, window.y0 + window.h)
        x1 = min(chunk.x0 + chunk.w, window.x0 + window.w)
        inner = values[y0 - chunk.y0 : y1 - chunk.y0, x0 - chunk.x0 : x1 - chunk.x0]
        joined[y0 - window.y0 : y1 - window.y0, x0 - window.x0 : x1 - window.x0] = inner
    return joined


def prepare(store: Store, found: Sources, window: Window) -> None:
    """Make the features of a window, for the suggestions to come."""
    for chunk in _chunks(found, window):
        _chunk(store, found, chunk)


def _chunks(found: Sources, window: Window) -> Iterator[Window]:
    for by in range(window.y0 // CHUNK, (window.y0 + window.h - 1) // CHUNK + 1):
        for bx in range(window.x0 // CHUNK, (window.x0 + window.w - 1) // CHUNK + 1):
            yield block(found.tile.grid, by, bx, CHUNK)


def _chunk(store: Store, found: Sources, chunk: Window) -> Features:
    with _kept_lock:
        kept = _kept.setdefault(store.engine, _Kept())
    key = (*found.key, chunk)
    with kept.lock:
        making = kept.making.setdefault(key, threading.Lock())
    # Who asks while it is being made waits for it; others go on.
    with making:
        with kept.lock:
            known = kept.chunks.get(key)
            if known is not None:
                kept.chunks.move_to_end(key)
                return known
        made = _make(store, found, chunk)
        with kept.lock:
            kept.chunks[key] = made
            kept.making.pop(key, None)
            while len(kept.chunks) > KEPT_CHUNKS:
                kept.chunks.popitem(last=False)
    return made


def _make(store: Store, found: Sources, chunk: Window) -> Features:
    """Return int8 [h, w, F] of one chunk."""
    grid = found.tile.grid
    y0, x0 = max(chunk.y0 - MARGIN, 0), max(chunk.x0 - MARGIN, 0)
    y1 = min(chunk.y0 + chunk.h + MARGIN, grid.height)
    x1 = min(chunk.x0 + chunk.w + MARGIN, grid.width)
    wide = Window(y0, x0, y1 - y0, x1 - x0)
    inner = (slice(chunk.y0 - y0, chunk.y0 - y0 + chunk.h),
             slice(chunk.x0 - x0, chunk.x0 - x0 + chunk.w))  # fmt: skip
    planes = [
        _quantised(plane[inner])
        for channel in _channels(found, wide)
        for plane in _derived(channel)
    ]
    planes += [_quantised(plane[inner]) for plane in _others(store, found, wide)]
    if not planes:
        planes = [np.zeros((chunk.h, chunk.w), np.int8)]
    made = np.stack(planes, axis=-1)
    made.flags.writeable = False
    return made


def _channels(found: Sources, window: Window) -> Iterator[Plane]:
    """Yield channels of about 0 to 1 over the window, float32 [h, w]; where nothing is, 0.5."""
    for layer in found.layers:
        most = MAX_OPTICAL if layer.modality is Modality.OPTICAL else MAX_SAR
        bands = list(_bands(found, layer, window, most))
        yield from bands
        if len(bands) > 1:
            first, last = bands[0], bands[-1]
            ratio = (last - first) / (np.abs(last) + np.abs(first) + np.float32(0.05))
            yield (0.5 + 0.5 * ratio).astype(np.float32)


def _bands(found: Sources, layer: Layer, window: Window, most: int) -> Iterator[Plane]:
    raster = read(layer.sources[:most], found.tile.grid, window)
    shown = to_unit(raster.values, layer.unit)
    for number, band in enumerate(shown):
        low, high = layer_stretch(layer, found.tile.grid, "auto", (number,)).ranges[0]
        scaled = (band.astype(np.float32) - np.float32(low)) / np.float32(max(high - low, 1e-9))
        scaled = np.clip(scaled, -0.5, 1.5)
        scaled[~raster.valid] = 0.5
        yield scaled


def _derived(channel: Plane) -> Iterator[Plane]:
    """Yield the value of a channel, its means, its deviations and its gradient."""
    yield channel - 0.5
    square = channel * channel
    for size in MEANS:
        mean = ndimage.uniform_filter(channel, size, mode="nearest")
        yield mean - 0.5
        if size in DEVIATIONS:
            spread = ndimage.uniform_filter(square, size, mode="nearest") - mean * mean
            yield 3 * np.sqrt(np.maximum(spread, 0))
    across = ndimage.sobel(channel, axis=0, mode="nearest")
    along = ndimage.sobel(channel, axis=1, mode="nearest")
    yield np.hypot(across, along) * np.float32(0.25)


def _others(store: Store, found: Sources, window: Window) -> Iterator[Plane]:
    """Yield whether cloud is in the way, and how sure a model is of each class."""
    if found.cloud is not None:
        levels = read_layer(found.cloud, found.tile.grid, window).values[0]
        yield (levels != CLEAR).astype(np.float32)
    if found.prediction is not None:
        codes, confidence = read_prediction(store, found.prediction, window)
        for code in _told_apart(found.classes.codes):
            sure = np.where(codes == code, confidence, 0).astype(np.float32) / np.float32(255)
            yield ndimage.uniform_filter(sure, 3, mode="nearest")


def _told_apart(codes: Sequence[int]) -> Sequence[int]:
    return codes[:MAX_CLASSES]


def _quantised(plane: npt.NDArray[Any]) -> Features:
    scaled: Features = np.clip(np.rint(plane * np.float32(SCALE)), -127, 127).astype(np.int8)
    return scaled


def _stamp(path: Path) -> tuple[str, int, int]:
    stat = path.stat() if path.exists() else None
    return (str(path), stat.st_size, stat.st_mtime_ns) if stat else (str(path), 0, 0)

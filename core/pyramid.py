"""Class maps from afar: labels of now, predictions and clouds at one pixel for 2^z x 2^z.

A huge scene is never replayed to be looked at. A coarse block of labels is the label file read
coarsely, with the keyframes of its blocks and each edit since laid on it at the pixels that stand
for their surroundings: those in the middle. What was worked out is remembered with its version and
brought up to date by the edits since, so that a look costs what happened since the last one.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine, RowMapping
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.grid import BLOCK, Window, block, whole
from core.original import Ground, ground, read_original
from core.patch import plane
from core.raster import read, read_layer
from core.records import Grid, Layer, Prediction
from core.replay import Labels, edits_between, edits_since, keyframes, keys_of, patch_of
from core.store.engine import Store

MAX_LEVEL = 12
EDITS_PER_KEYFRAME = 10  # so many edits take as long to lay as a keyframe takes to unpack
KEPT = 160  # coarse blocks of half a megabyte each

Bytes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.intp]
Versions = npt.NDArray[np.int32]
_Key = tuple[int, datetime, int, int, int]


@dataclass(frozen=True)
class Level:
    """A block of level z: its window in pixels of the tile, and its own shape (rows, columns)."""

    window: Window
    shape: tuple[int, int]

    @property
    def rows(self) -> Rows:
        """Return the row of the tile that each row stands for: the one in its middle."""
        return _middles(self.window.y0, self.window.h, self.shape[0])

    @property
    def columns(self) -> Rows:
        """Return the column of the tile that each column stands for."""
        return _middles(self.window.x0, self.window.w, self.shape[1])


def _middles(start: int, length: int, count: int) -> Rows:
    steps = np.floor((np.arange(count) + 0.5) * (length / count)).astype(np.intp)
    middles: Rows = start + np.minimum(steps, length - 1)
    return middles


def level_block(grid: Grid, z: int, by: int, bx: int) -> Level:
    """Return a block of at most 512 x 512 pixels, each 2^z x 2^z of the tile.

    Raises `NotFound` for levels and blocks that do not exist.
    """
    if not 0 <= z <= MAX_LEVEL:
        raise NotFound(f"level {z}", expected=f"0 to {MAX_LEVEL}")
    side, step = BLOCK << z, 1 << z
    y0, x0 = by * side, bx * side
    if not (0 <= y0 < grid.height and 0 <= x0 < grid.width):
        raise NotFound(f"block {by}/{bx} of level {z}", expected="a block inside the tile")
    window = Window(y0, x0, min(side, grid.height - y0), min(side, grid.width - x0))
    return Level(window, (-(-window.h // step), -(-window.w // step)))


def labels(store: Store, tile_id: int, z: int, by: int, bx: int) -> Labels:
    """Return class codes and provenance of now in one coarse block, both uint8 [h, w]."""
    with store.read() as session:
        here = ground(session, tile_id)
        level = level_block(here.grid, z, by, bx)
        key = (tile_id, here.born, z, by, bx)
        known = _memory(store).get(key)
        if known is None or known.version > here.version:
            found = _from_keyframes(session, here, level)
        else:
            found = _caught_up(session, here, level, known)
    _memory(store).keep(key, found)
    return found


def small_labels(store: Store, tile_id: int, shape: tuple[int, int]) -> Bytes:
    """Return the class codes of now of a whole tile, uint8 of a small shape (rows, columns)."""
    with store.read() as session:
        here = ground(session, tile_id)
        level = Level(whole(here.grid), shape)
        return _from_keyframes(session, here, level).labels


def class_layer(layer: Layer, grid: Grid, z: int, by: int, bx: int) -> Bytes:
    """Return the codes of a class layer in one coarse block, uint8 [h, w]."""
    level = level_block(grid, z, by, bx)
    codes: Bytes = read_layer(layer, grid, level.window, level.shape).values[0]
    return codes


def prediction(found: Prediction, grid: Grid, z: int, by: int, bx: int) -> Bytes:
    """Return class codes and confidence of a prediction in one coarse block, uint8 [2, h, w]."""
    return _prediction(found, grid, level_block(grid, z, by, bx))


def small_prediction(found: Prediction, grid: Grid, shape: tuple[int, int]) -> Bytes:
    """Return the class codes of a prediction on a whole tile, uint8 of a small shape."""
    codes: Bytes = _prediction(found, grid, Level(whole(grid), shape))[0]
    return codes


def _prediction(found: Prediction, grid: Grid, level: Level) -> Bytes:
    bands = [(found.path, 1), (found.path, 2)]
    raster = read(bands, grid, level.window, out_shape=level.shape, categorical=True)
    values: Bytes = raster.values.astype(np.uint8, copy=False)
    return values


def _from_keyframes(session: Session, here: Ground, level: Level) -> Labels:
    """Return a coarse block of now, from the keyframes of the blocks under it.

    Nearly all edits of a much edited tile are older than the keyframes of its blocks. A huge scene
    with few edits is quicker without them.
    """
    codes = read_original(session, here, level.window, level.shape).copy()
    work = _Work(level, codes, np.zeros_like(codes), np.zeros(level.shape, np.int32))
    keys = keys_of(level.window)
    versions = dict.fromkeys(keys, 0)
    if here.version > EDITS_PER_KEYFRAME * len(keys):
        for key, stored in keyframes(session, here, keys, here.version):
            work.take(block(here.grid, *key), stored)
            versions[key] = stored.version
    for row in edits_since(session, here.tile_id, versions, here.version, level.window):
        work.lay(row)
    return Labels(work.codes, work.provenance, here.version)


def _caught_up(session: Session, here: Ground, level: Level, known: Labels) -> Labels:
    """Return a coarse block after the edits since its version."""
    if known.version == here.version:
        return known
    seen = np.broadcast_to(np.int32(known.version), level.shape)
    work = _Work(level, known.labels.copy(), known.provenance.copy(), seen)
    for row in edits_between(session, here.tile_id, known.version, here.version, level.window):
        work.lay(row)
    return Labels(work.codes, work.provenance, here.version)


class _Work:
    """A coarse block while edits are laid on it. `seen` is the version that each pixel is at."""

    def __init__(self, level: Level, codes: Bytes, provenance: Bytes, seen: Versions) -> None:
        self.rows, self.columns = level.rows, level.columns
        self.codes, self.provenance, self.seen = codes, provenance, seen

    def take(self, box: Window, stored: Labels) -> None:
        """Write what is known of a box at a version."""
        inner, outer = self._samples(box)
        self.codes[outer] = stored.labels[inner]
        self.provenance[outer] = stored.provenance[inner]
        self.seen[outer] = stored.version

    def lay(self, row: RowMapping) -> None:
        """Write one edit at the pixels that it covers and that have not seen it."""
        inner, outer = self._samples(Window(row["y0"], row["x0"], row["h"], row["w"]))
        old = self.seen[outer] < row["version"]
        if not old.any():
            return  # it lies between the pixels that stand for their surroundings
        patch = patch_of(row)
        mask = patch.mask[inner] & old
        self.codes[outer][mask] = plane(patch, patch.new_values)[inner][mask]
        self.provenance[outer][mask] = plane(patch, patch.new_provenance)[inner][mask]

    def _samples(self, box: Window) -> tuple[tuple[Rows, ...], tuple[slice, slice]]:
        """Return which pixels of a box stand for their surroundings, and where they go."""
        top, bottom = np.searchsorted(self.rows, (box.y0, box.y0 + box.h))
        left, right = np.searchsorted(self.columns, (box.x0, box.x0 + box.w))
        inner = np.ix_(self.rows[top:bottom] - box.y0, self.columns[left:right] - box.x0)
        return inner, (slice(top, bottom), slice(left, right))


@dataclass
class _Memory:
    """Coarse blocks by tile and place, the least recently used dropped."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    blocks: OrderedDict[_Key, Labels] = field(default_factory=OrderedDict)

    def get(self, key: _Key) -> Labels | None:
        with self.lock:
            found = self.blocks.get(key)
            if found is not None:
                self.blocks.move_to_end(key)
            return found

    def keep(self, key: _Key, found: Labels) -> None:
        with self.lock:
            old = self.blocks.get(key)
            if old is None or old.version <= found.version:
                self.blocks[key] = found
                self.blocks.move_to_end(key)
            while len(self.blocks) > KEPT:
                self.blocks.popitem(last=False)


_memories: WeakKeyDictionary[Engine, _Memory] = WeakKeyDictionary()
_memories_lock = threading.Lock()


def _memory(store: Store) -> _Memory:
    with _memories_lock:
        return _memories.setdefault(store.engine, _Memory())

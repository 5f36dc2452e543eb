"""Superpixels: small regions of like image values, for tools that assign them as a whole.

They are made by SLIC (scikit-image) on the optical image of the clearest date and the SAR, both as
they are shown, in *chunks* of 1024 px: a scene of any size costs only what is looked at. A chunk is
kept as a file in the workspace under a name made of its layers, so that other images make other
files; deleting them costs time only. SLIC works outside the interpreter's lock, in one thread for
the process: routes never wait for it, they ask again.
"""

import fcntl
import hashlib
import os
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.segmentation import slic

from core import catalogue
from core.display import layer_stretch, to_rgb8
from core.errors import CloudbrushError, NotFound
from core.grid import Window, block
from core.raster import read
from core.records import Grid, Layer, Modality, Tile
from core.store.engine import Store

CHUNK = 1024
FOLDER = "superpixels"
RECIPE = 1
"""Counted up when what SLIC is told changes, so that older files are not taken for new ones."""

SEGMENT_PX = 200
COMPACTNESS = 0.15
ITERATIONS = 8
OPTICAL_SIGMA = 0.7
SAR_SIGMA = 1.6  # speckle would make segments of single pixels
ABANDONED_S = 20.0
MAX_WAITING = 64

Ids = npt.NDArray[np.uint16]
Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def segments(image: Image, valid: Mask) -> Ids:
    """Return segment ids uint16 [h, w] from 1, and 0 where `valid` is False.

    `image` is float32 [h, w, C] in 0 to 1. Ids rise in scan order without gaps; the same image
    gives the same ones.
    """
    if not valid.any():
        return np.zeros(valid.shape, np.uint16)
    found = slic(
        image,
        n_segments=max(1, round(valid.size / SEGMENT_PX)),
        compactness=COMPACTNESS,
        max_num_iter=ITERATIONS,
        convert2lab=False,
        start_label=1,
        channel_axis=-1,
    )
    found[~valid] = 0
    values, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    order = np.where(values == 0, -1, first).argsort()
    ranks = np.empty(len(values), np.uint16)
    ranks[order] = np.arange(len(values)) + (values[order[0]] != 0)
    return ranks[inverse].reshape(valid.shape)


def segment_layers(store: Store, tile: Tile) -> tuple[Layer, ...]:
    """Return the layers that superpixels follow: the clearest optical image, and every SAR image.

    Raises `NotFound` where a tile has neither.
    """
    layers = catalogue.layers(store, tile.id)
    rank = {date.id: place for place, date in enumerate(catalogue.acquisitions(store, tile.id))}
    optical = [layer for layer in layers if layer.modality is Modality.OPTICAL]
    optical.sort(key=lambda layer: rank.get(layer.acquisition_id or 0, -1))
    found = (*optical[:1], *[layer for layer in layers if layer.modality is Modality.SAR])
    if not found:
        raise NotFound(f"superpixels of tile {tile.name}", expected="an optical or a SAR image")
    return found


def chunk_image(layers: tuple[Layer, ...], grid: Grid, window: Window) -> tuple[Image, Mask]:
    """Return the stretched, smoothed channels float32 [h, w, C] of a window, and what is valid.

    A pixel is valid where any layer is; a layer without a value there is 0. Each layer counts the
    same, however many channels it has.
    """
    planes, valid = [], np.zeros((window.h, window.w), np.bool_)
    for layer in layers:
        sar = layer.modality is Modality.SAR
        # A picture shows one polarisation; segments follow both.
        bands = range(min(2, len(layer.sources))) if sar else None
        stretch = layer_stretch(layer, grid, bands=bands)
        raster = read([layer.sources[band] for band in stretch.bands], grid, window)
        count = len(stretch.bands)
        shown = to_rgb8(raster, layer.unit, range(count), stretch.ranges)[..., :count]
        sigma = SAR_SIGMA if sar else OPTICAL_SIGMA
        smooth = ndimage.gaussian_filter(shown.astype(np.float32) / 255.0, (sigma, sigma, 0))
        planes.append(smooth / np.float32(count**0.5))
        valid |= raster.valid
    return np.concatenate(planes, axis=-1), valid


def chunk_path(store: Store, tile: Tile, layers: tuple[Layer, ...], cy: int, cx: int) -> Path:
    """Return where a chunk is kept; the name changes when a layer or one of its files does."""
    facts = [(layer.modality, layer.sources, layer.unit, layer.nodata) for layer in layers]
    digest = hashlib.sha256(repr((RECIPE, tile.grid, facts)).encode())
    for path in sorted({path for layer in layers for path, _ in layer.sources}):
        stat = path.stat() if path.exists() else None
        digest.update(repr(stat and (stat.st_size, stat.st_mtime_ns)).encode())
    mine = store.folder(FOLDER, f"project-{tile.project_id}", digest.hexdigest()[:24])
    return mine / f"{cy}_{cx}.z"


def pack(ids: Ids) -> bytes:
    """Return ids as zlib over little-endian uint16, row by row."""
    return zlib.compress(ids.astype("<u2", copy=False).tobytes(), 1)


def unpack(content: bytes, window: Window) -> Ids | None:
    """Return the ids of a window, or None for bytes that are not its ids."""
    try:
        flat = np.frombuffer(zlib.decompress(content), "<u2")
    except (zlib.error, ValueError):
        return None
    return flat.reshape(window.h, window.w) if flat.size == window.h * window.w else None


def make_chunk(path: Path, layers: tuple[Layer, ...], grid: Grid, window: Window) -> bytes:
    """Return a chunk's packed ids, kept under `path`; made first unless another process just did.

    The file appears under its name only when it is complete. Raises `RasterError` when an image
    cannot be read.
    """
    with path.with_suffix(".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = read_chunk(path, window)
        if kept is not None:
            return kept
        content = pack(segments(*chunk_image(layers, grid, window)))
        part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        part.write_bytes(content)
        part.replace(path)
        return content


def read_chunk(path: Path, window: Window) -> bytes | None:
    """Return a chunk's packed ids, or None where there is no file or a damaged one."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if unpack(content, window) is not None else None


@dataclass
class _Job:
    """A chunk that somebody waits for; `asked` is when last."""

    work: Callable[[], object]
    asked: float
    error: CloudbrushError | None = None


@dataclass
class Maker:
    """Makes chunks one after the other in one thread: the one that was asked for last comes first.

    What nobody has asked for again within `ABANDONED_S` is dropped unmade.
    """

    clock: Callable[[], float] = time.monotonic
    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: OrderedDict[Path, _Job] = field(default_factory=OrderedDict)
    failed: dict[Path, CloudbrushError] = field(default_factory=dict)
    working: Path | None = None
    alive: bool = False

    def ask(self, path: Path, work: Callable[[], object]) -> None:
        """Have a chunk made soon; raises the error that its last attempt ended with, once."""
        with self.lock:
            error = self.failed.pop(path, None)
            if error is not None:
                raise error
            if path == self.working:
                return
            self.waiting[path] = _Job(work, self.clock())
            self.waiting.move_to_end(path)
            while len(self.waiting) > MAX_WAITING:
                self.waiting.popitem(last=False)
            if not self.alive:
                self.alive = True
                threading.Thread(target=self._run, name="superpixels", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self.lock:
                self.working = None
                job = self._next()
                if job is None:
                    self.alive = False
                    return
            try:
                job.work()
            except CloudbrushError as error:
                self._fail(error)
            except Exception as error:  # whatever it is, the thread goes on with the next chunk
                self._fail(CloudbrushError("superpixels", found=str(error) or "no memory"))

    def _fail(self, error: CloudbrushError) -> None:
        with self.lock:
            if self.working is not None:
                self.failed[self.working] = error

    def _next(self) -> _Job | None:
        while self.waiting:
            path, job = self.waiting.popitem()
            if self.clock() - job.asked <= ABANDONED_S:
                self.working = path
                return job
        return None


_maker = Maker()


def superpixels(
    store: Store, tile: Tile, cy: int, cx: int, maker: Maker = _maker
) -> tuple[Path, bytes | None]:
    """Return where a chunk is kept and its packed ids; None while they are being made.

    (cy, cx) counts chunks of `CHUNK` px; those at the far edges are smaller. Raises `GridMismatch`
    outside the tile, `NotFound` without an image, `RasterError` when an image cannot be read.
    """
    window = block(tile.grid, cy, cx, CHUNK)
    layers = segment_layers(store, tile)
    path = chunk_path(store, tile, layers, cy, cx)
    kept = read_chunk(path, window)
    if kept is None:
        maker.ask(path, lambda: make_chunk(path, layers, tile.grid, window))
    return path, kept

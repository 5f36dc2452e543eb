"""Prediction of a scene of any size: read, predicted and blended at the same time.

One thread reads windows ahead into buffers that are made once, this one runs the network and
blends, and another hands finished rows on, for instance to a file. Arrays in, arrays out; torch
and numpy only.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.errors import Cancelled, ModelFileError
from models.blend import Blender, Rows
from models.networks import SegmentationNetwork
from models.sample import Bands
from models.training.scoring import never
from models.training.speed import mixed_precision_helps
from models.tta import Take, largest_scale, mean_probabilities
from models.windows import Cell, Layout, lay_out
from models.zoo.views import VIEWS

WINDOW_PX = 1024
OVERLAP_PX = 128
GPU_BATCH = 8
AHEAD = 2  # batches that are read before they are needed

Codes = npt.NDArray[np.uint8]
Read = Callable[[int, int, int, int], Mapping[str, Bands]]
"""Reads (y0, x0, height, width) of every modality as [C, height, width]. What is missing is left
out, or NaN."""

Sink = Callable[[Rows], None]
Report = Callable[[float, str], None]
"""Told the share that is done and what is being done."""


def silent(_share: float, _message: str) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class How:
    """How a scene is predicted.

    `window_px` is the most a window measures, or what the network takes at once where that is
    less; small scenes take one window, others are cut into as few windows as share `overlap_px`.
    `batch` windows are predicted at once; 0 chooses by device. `views` is of `models.zoo.views`;
    `probabilities` asks for those of all classes too; `mixed_precision` computes in bfloat16 where
    the device is fast at it.
    """

    window_px: int = WINDOW_PX
    overlap_px: int = OVERLAP_PX
    batch: int = 0
    views: int = 1
    probabilities: bool = False
    mixed_precision: bool = True

    def __post_init__(self) -> None:
        if self.views not in VIEWS:
            raise ModelFileError(
                "views of a prediction",
                found=repr(self.views)[:40],
                expected=f"one of {', '.join(map(str, VIEWS))}",
            )


PLAIN = How()


def predict_windows(
    network: SegmentationNetwork,
    read: Read,
    height: int,
    width: int,
    *,
    how: How = PLAIN,
    device: str = "cpu",
) -> tuple[Codes, Codes]:
    """Return class index and confidence of a scene, both uint8 [H, W], as whole arrays.

    `predict_scene` does the same without holding the scene.
    """
    parts: list[Rows] = []
    predict_scene(network, read, height, width, parts.append, how=how, device=device)
    index = np.concatenate([rows.index for rows in parts])
    return index, np.concatenate([rows.confidence for rows in parts])


@torch.inference_mode()
def predict_scene(
    network: SegmentationNetwork,
    read: Read,
    height: int,
    width: int,
    sink: Sink,
    *,
    how: How = PLAIN,
    device: str = "cpu",
    report: Report = silent,
    cancelled: Callable[[], bool] = never,
) -> None:
    """Predict a scene window by window and give finished rows to `sink`, from the top down.

    `read` and `sink` are called from threads of their own, each from one only. Progress is
    reported for each row of windows. Raises `Cancelled` when asked to stop, and whatever `read` or
    `sink` raise; nothing runs any more then.
    """
    network = network.on(device).eval()
    layout = _layout(network, height, width, how)
    blender = Blender(layout, network.spec.classes, device=device, probabilities=how.probabilities)
    size = min(how.batch or _batch(device), len(layout))
    half = how.mixed_precision and mixed_precision_helps(device)
    with (
        closing(_ReadAhead(network, read, layout, size, device)) as ahead,
        ThreadPoolExecutor(1, "prediction-rows") as handing,
    ):
        handed: Future[None] | None = None
        for cells, inputs in ahead:
            if cancelled():
                raise Cancelled("prediction", found="a request to stop")
            takes = _found(network, inputs, how.views, half)
            ahead.refill()
            for cell, take in zip(cells, takes, strict=True):
                rows = blender.add(cell, take)
                if rows is None:
                    continue
                if handed is not None:
                    handed.result()
                handed = handing.submit(sink, rows)
                count = len(layout.y.starts)
                report((cell.row + 1) / count, f"Row {cell.row + 1} of {count}")
        if handed is not None:
            handed.result()


def _layout(network: SegmentationNetwork, height: int, width: int, how: How) -> Layout:
    """Return the windows of a scene, which the network takes at once also in the largest view."""
    window, overlap = how.window_px, how.overlap_px
    most = network.most_px
    if most is not None and (fits := int(most / largest_scale(how.views))) < window:
        window, overlap = fits, min(overlap, fits // 2)
    return lay_out(height, width, window, overlap, network.stride)


def _batch(device: str) -> int:
    """Return how many windows are predicted at once: a CPU is busy with one."""
    return GPU_BATCH if torch.device(device).type == "cuda" else 1


def _found(
    network: SegmentationNetwork, inputs: Mapping[str, Tensor], views: int, half: bool
) -> list[Take]:
    """Return what gives probabilities of each window; runs fewer at once where memory is short."""
    try:
        return mean_probabilities(network, inputs, views, half=half)
    except torch.cuda.OutOfMemoryError:
        count = next(iter(inputs.values())).shape[0]
        if count == 1:
            raise
        torch.cuda.empty_cache()
        halves = (slice(0, count // 2), slice(count // 2, count))
        parts = [{m: x[part] for m, x in inputs.items()} for part in halves]
        return [take for part in parts for take in _found(network, part, views, half)]


Batch = tuple[list[Cell], dict[str, Tensor]]


class _ReadAhead:
    """Gives batches of windows on the device, while a thread reads the next ones.

    `AHEAD` batches are read or being read. It is for the caller to ask for the next one, with
    `refill`, when the network has run: on a CPU its threads would wait for the one that reads.
    Buffers are one more, for the batch that is predicted.
    """

    def __init__(
        self, network: SegmentationNetwork, read: Read, layout: Layout, size: int, device: str
    ) -> None:
        self.read, self.layout, self.size, self.device = read, layout, size, device
        self.cells = layout.cells()
        self.buffers = deque(_buffers(network, layout, size, device) for _ in range(AHEAD + 1))
        self.waiting: deque[tuple[list[Cell], dict[str, Tensor], Future[None]]] = deque()
        self.pool = ThreadPoolExecutor(1, "prediction-reads")
        self.refill()

    def refill(self) -> None:
        """Have windows read until enough are waiting or none are left."""
        while len(self.waiting) < AHEAD and (batch := list(islice(self.cells, self.size))):
            buffer = self.buffers[0]
            self.buffers.rotate(-1)
            filled = self.pool.submit(_fill, buffer, batch, self.read, self.layout)
            self.waiting.append((batch, buffer, filled))

    def __iter__(self) -> Iterator[Batch]:
        while self.waiting:
            cells, buffer, filled = self.waiting.popleft()
            filled.result()
            yield (
                cells,
                {m: b[: len(cells)].to(self.device, non_blocking=True) for m, b in buffer.items()},
            )

    def close(self) -> None:
        """Read no more; waits for the window that is being read."""
        self.pool.shutdown(cancel_futures=True)


def _buffers(
    network: SegmentationNetwork, layout: Layout, size: int, device: str
) -> dict[str, Tensor]:
    """Return room for a batch of windows by modality, float32 [B, C, h, w]."""
    return {
        modality: torch.empty(
            (size, bands, layout.y.size, layout.x.size),
            memory_format=torch.channels_last,
            pin_memory=torch.device(device).type == "cuda",
        )
        for modality, bands in network.spec.bands.items()
    }


def _fill(buffer: Mapping[str, Tensor], cells: Sequence[Cell], read: Read, layout: Layout) -> None:
    """Read windows into a buffer; where they reach past the scene its edge is repeated."""
    for number, cell in enumerate(cells):
        height = min(layout.y.size, layout.y.length - cell.y0)
        width = min(layout.x.size, layout.x.length - cell.x0)
        images = read(cell.y0, cell.x0, height, width)
        for modality, room in buffer.items():
            place = room[number].numpy()
            if modality not in images:
                place[:] = np.nan
                continue
            np.copyto(place[:, :height, :width], images[modality], casting="unsafe")
            place[:, height:, :width] = place[:, height - 1 : height, :width]
            place[:, :, width:] = place[:, :, width - 1 : width]

"""Probabilities of a window, on whatever computes quickest: numpy on a CPU, torch on a GPU.

On a CPU the network's threads take turns with whatever else runs there, and each operation of
torch waits for all of them; numpy needs no second thread. What it needs is few rows at a time: a
window in float32 is larger than the processor's cache, and each pass would go to memory.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Bytes = npt.NDArray[np.uint8]

Planes = Any
"""Float32 [K, h, w], one class after the other in memory: a numpy array where the network runs on a
CPU, a tensor where it runs on a GPU."""

STRIP_ROWS = 16


def zeros(shape: Sequence[int], device: str | torch.device) -> Planes:
    """Return planes of zeros."""
    if torch.device(device).type == "cpu":
        return np.zeros(shape, np.float32)
    return torch.zeros(tuple(shape), device=device)


def strips(height: int, device: str | torch.device) -> Iterator[slice]:
    """Yield the rows of a window in strips that are quick to compute."""
    step = STRIP_ROWS if torch.device(device).type == "cpu" else height
    for row in range(0, height, step):
        yield slice(row, min(row + step, height))


def softmax(logits: Tensor) -> Planes:
    """Return the probabilities of logits [K, h, w], in any memory layout."""
    if logits.device.type != "cpu":
        return torch.softmax(logits.contiguous(), 0, dtype=torch.float32)
    planes = _copied(logits)
    planes -= planes.max(0)
    np.exp(planes, out=planes)
    planes *= 1 / planes.sum(0)
    return planes


def _copied(logits: Tensor) -> npt.NDArray[np.float32]:
    if logits.dtype == torch.bfloat16:  # which numpy lacks: the upper half of a float32
        halves = logits.view(torch.int16).numpy().view(np.uint16)
        return np.left_shift(halves, 16, dtype=np.uint32, order="C").view(np.float32)
    return np.array(logits.numpy(), np.float32, order="C")


def highest(planes: Planes) -> tuple[Bytes, Planes]:
    """Return the first class of the highest probability, uint8 [h, w], and that probability."""
    if isinstance(planes, Tensor):
        best, index = planes.max(0)
        return index.to(torch.uint8).cpu().numpy(), best
    best = planes[0].copy()
    found = np.zeros(best.shape, np.uint8)
    for number, plane in enumerate(planes[1:], start=1):
        higher = plane > best
        np.maximum(found, higher.view(np.uint8) * np.uint8(number), out=found)
        np.maximum(best, plane, out=best)
    return found, best


def in_8_bits(planes: Planes) -> Bytes:
    """Return values times 255, rounded; what lies above 255 by rounding alone becomes 255."""
    scaled = planes * 255
    if isinstance(scaled, Tensor):
        return scaled.round_().to(torch.uint8).cpu().numpy()
    rounded: Bytes = np.rint(scaled, out=scaled).astype(np.uint8)
    return rounded

"""Brush strokes as a hand makes them: a round brush dragged along a short curve."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from core.grid import Window

Mask = npt.NDArray[np.bool_]

SIZE = 1024
LONGEST_PX = 160


def strokes(count: int, seed: int, radius: int = 16) -> Iterator[tuple[Window, Mask]]:
    """Yield box and bool mask of `count` strokes on a tile of 1024 x 1024."""
    generator = np.random.default_rng(seed)
    for _ in range(count):
        steps = np.arange(0, generator.uniform(0, LONGEST_PX), radius / 4)
        angle = generator.uniform(0, 2 * np.pi) + steps * generator.normal(0, 0.01)
        margin = radius + LONGEST_PX
        start = generator.uniform(margin, SIZE - margin, 2)
        points = start + np.stack([np.sin(angle) * steps, np.cos(angle) * steps], axis=1)
        yield _stamped(points if len(points) else start[None], radius)


def _stamped(points: npt.NDArray[np.float64], radius: int) -> tuple[Window, Mask]:
    low = np.floor(points.min(axis=0)).astype(int) - radius
    high = np.ceil(points.max(axis=0)).astype(int) + radius + 1
    box = Window(int(low[0]), int(low[1]), *(int(side) for side in high - low))
    rows, columns = np.mgrid[box.y0 : box.y0 + box.h, box.x0 : box.x0 + box.w]
    mask = np.zeros((box.h, box.w), np.bool_)
    for y, x in points:
        mask |= (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
    return box, mask

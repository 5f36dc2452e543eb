"""Where the windows of a scene lie, and how much each counts where they overlap. Numpy only.

Every window of a scene has one size, and starts at a multiple of the network's stride, so that a
network that halves its input meets the same pairs of pixels as on the whole scene. A window counts
nothing within `margin` of an edge that lies inside the scene, because there it does not see what
lies beyond, and rises from there in a straight line; the shares of all windows at a pixel sum to
one. So a network that looks no further than the margin gives exactly what it gives on the whole
scene, and any other one passes from window to window without a step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Shares = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Axis:
    """The windows along one side of a scene of `length` pixels.

    They start at `starts` and are `size` long. The last one may reach past the scene by less than
    a stride: there the scene's edge is repeated. `overlap` is what they were asked to share.
    """

    length: int
    size: int
    starts: tuple[int, ...]
    overlap: int

    def ends(self, number: int) -> int:
        """Return up to where all windows are known once this one is: where the next starts."""
        last = number == len(self.starts) - 1
        return self.length if last else self.starts[number + 1]

    def shared(self, number: int) -> int:
        """Return how many pixels at its end a window, not the last, shares with the next one."""
        return self.starts[number] + self.size - self.starts[number + 1]

    @property
    def most_shared(self) -> int:
        """Return the most that any window shares with the next one; 0 where there is but one."""
        return max((self.shared(number) for number in range(len(self.starts) - 1)), default=0)

    @cached_property
    def shares(self) -> tuple[Shares, ...]:
        """Return how much each window counts at each of its pixels, float32 [size], summing to 1.

        The margin is a quarter of the overlap, and windows change over the half between.
        """
        margin = self.overlap // 4
        ramp = max(1, self.overlap - 2 * margin)
        inside = np.arange(self.size) + 0.5 - margin
        rise = np.clip(inside / ramp, 0.0, 1.0)
        total = np.zeros(self.starts[-1] + self.size)
        raw = []
        for number, start in enumerate(self.starts):
            weight = np.ones(self.size)
            if number > 0:
                weight *= rise
            if number < len(self.starts) - 1:
                weight *= rise[::-1]
            raw.append(weight)
            total[start : start + self.size] += weight
        return tuple(
            (weight / total[start : start + self.size]).astype(np.float32)
            for start, weight in zip(self.starts, raw, strict=True)
        )


@dataclass(frozen=True)
class Cell:
    """One window of a scene: its row and column among the windows, and its upper left pixel."""

    row: int
    column: int
    y0: int
    x0: int


@dataclass(frozen=True)
class Layout:
    """All windows of a scene, taken row by row."""

    y: Axis
    x: Axis

    def __len__(self) -> int:
        return len(self.y.starts) * len(self.x.starts)

    def cells(self) -> Iterator[Cell]:
        """Yield the windows from the upper left, row by row."""
        for row, y0 in enumerate(self.y.starts):
            for column, x0 in enumerate(self.x.starts):
                yield Cell(row, column, y0, x0)


def lay_out(height: int, width: int, window_px: int, overlap_px: int, stride: int) -> Layout:
    """Return the windows of a scene, none larger than `window_px` but for the stride.

    Raises `ValueError` when the overlap is not smaller than the window.
    """
    return Layout(*(_axis(n, window_px, overlap_px, stride) for n in (height, width)))


def _axis(length: int, window: int, overlap: int, stride: int) -> Axis:
    """Return as few windows as do, all of one size: the smallest that keeps the overlap."""
    if not 0 <= overlap < window:
        raise ValueError(f"overlap of {overlap} px in windows of {window} px")
    units, shared = _up(length, stride), _up(overlap, stride)
    most = max(window // stride, shared + 1)
    if units <= most:
        return Axis(length, units * stride, (0,), overlap)
    count = _up(units - shared, most - shared)
    size = _up(units + (count - 1) * shared, count)
    last = units - size
    starts = tuple(stride * (i * last // (count - 1)) for i in range(count))
    return Axis(length, size * stride, starts, overlap)


def _up(number: int, unit: int) -> int:
    """Return how many units hold a number."""
    return -(-number // unit)

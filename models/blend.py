"""Probabilities of overlapping windows, blended into whole rows of a scene.

Only what later windows still add to is kept: the strip shared with the window to the right, and
the strip shared with the windows below. So memory grows with a scene's width by the overlap alone,
and not with its height.
"""

from dataclasses import dataclass

import numpy as np
import torch

from models import planes
from models.planes import Bytes, Planes
from models.tta import Take
from models.windows import Cell, Layout, Shares


@dataclass(frozen=True)
class Rows:
    """Finished rows of a scene from row `y0` on, over its whole width.

    `index` is the class index of the highest probability and `confidence` that probability times
    255, both uint8 [h, W]; `probabilities` uint8 [K, h, W] are those of all classes, where wanted.
    """

    y0: int
    index: Bytes
    confidence: Bytes
    probabilities: Bytes | None = None


class Blender:
    """Takes windows row by row in the order of a layout, and gives rows when they are complete."""

    def __init__(
        self, layout: Layout, classes: int, *, device: str = "cpu", probabilities: bool = False
    ) -> None:
        self.layout, self.classes, self.keeps = layout, classes, probabilities
        self.device = device
        self.shares_y = [_on(device, shares) for shares in layout.y.shares]
        self.shares_x = [_on(device, shares) for shares in layout.x.shares]
        below, right = layout.y.most_shared, layout.x.most_shared
        self.above = planes.zeros((classes, below, layout.x.length), device)
        self.left = planes.zeros((classes, layout.y.size, right), device)
        self.rows: Rows | None = None

    def add(self, cell: Cell, take: Take) -> Rows | None:
        """Add a window, given by what gives rows of its probabilities.

        Returns the rows that are finished with the last window of a row, None before.
        """
        y, x = self.layout.y, self.layout.x
        high = y.ends(cell.row) - cell.y0
        if cell.column == 0 or self.rows is None:
            self.rows = self._empty(cell.y0, high)
        for rows in planes.strips(y.size, self.device):
            found = take(rows)
            if len(self.layout) > 1:
                shares = self.shares_y[cell.row][rows]
                found *= shares[:, None] * self.shares_x[cell.column]
            strip = self._pass_right(found, rows, cell)
            self._pass_down(strip, rows, cell, high)
            if rows.start < high:
                _put(self.rows, strip[:, : high - rows.start], rows.start, cell.x0)
        return self.rows if cell.column == len(x.starts) - 1 else None

    def _pass_right(self, found: Planes, rows: slice, cell: Cell) -> Planes:
        """Add what the window to the left left, keep what the next adds to; return the others."""
        x, left = self.layout.x, self.left[:, rows]
        if cell.column > 0:
            shared = x.shared(cell.column - 1)
            found[:, :, :shared] += left[:, :, :shared]
        wide = x.ends(cell.column) - cell.x0
        if cell.column < len(x.starts) - 1:
            left[:, :, : x.shared(cell.column)] = found[:, :, wide:]
        return found[:, :, :wide]

    def _pass_down(self, strip: Planes, rows: slice, cell: Cell, high: int) -> None:
        """Add what the windows above left, and leave what those below will add to."""
        above = self.above[:, :, cell.x0 : cell.x0 + strip.shape[2]]
        if cell.row > 0:
            shared = above[:, rows.start : min(rows.stop, self.layout.y.shared(cell.row - 1))]
            strip[:, : shared.shape[1]] += shared
        if cell.row < len(self.layout.y.starts) - 1 and rows.stop > high:
            # These rows of `above` have been added by now: they lie higher in the window.
            start = max(rows.start, high)
            above[:, start - high : rows.stop - high] = strip[:, start - rows.start :]

    def _empty(self, y0: int, high: int) -> Rows:
        shape = (high, self.layout.x.length)
        every = np.empty((self.classes, *shape), np.uint8) if self.keeps else None
        return Rows(y0, np.empty(shape, np.uint8), np.empty(shape, np.uint8), every)


def _put(rows: Rows, done: Planes, y0: int, x0: int) -> None:
    """Write what is known of some pixels into the rows, from their row `y0` and column `x0` on."""
    place = (slice(y0, y0 + done.shape[1]), slice(x0, x0 + done.shape[2]))
    rows.index[place], best = planes.highest(done)
    rows.confidence[place] = planes.in_8_bits(best)
    if rows.probabilities is not None:
        rows.probabilities[:, *place] = planes.in_8_bits(done)


def _on(device: str, shares: Shares) -> Planes:
    return shares if torch.device(device).type == "cpu" else torch.from_numpy(shares).to(device)

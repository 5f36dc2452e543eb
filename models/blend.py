"""Probabilities of overlapping windows, blended into whole rows of a scene.

Only what later windows still add to is kept: the strip shared with the window to the right, and
the strip shared with the windows below. So memory grows with a scene's width by the overlap alone,
and not with its height.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.windows import Cell, Layout

Bytes = npt.NDArray[np.uint8]


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
        self.shares_y = [torch.from_numpy(s).to(device) for s in layout.y.shares]
        self.shares_x = [torch.from_numpy(s).to(device) for s in layout.x.shares]
        below = max(layout.y.size - layout.y.ends(r) + y0 for r, y0 in enumerate(layout.y.starts))
        shape = (classes, max(below, 0), layout.x.length)
        self.above = torch.zeros(shape if len(layout.y.starts) > 1 else (0, 0, 0), device=device)
        self.left: Tensor | None = None
        self.rows: Rows | None = None

    def add(self, cell: Cell, found: Tensor) -> Rows | None:
        """Add probabilities float32 [K, h, w] of a window, which are changed in place.

        Returns the rows that are finished with the last window of a row, None before.
        """
        y, x = self.layout.y, self.layout.x
        if len(self.layout) > 1:
            share = self.shares_y[cell.row][:, None] * self.shares_x[cell.column][None, :]
            found = found.mul_(share)
        if self.left is not None:
            found[:, :, : self.left.shape[2]] += self.left
        wide, high = x.ends(cell.column) - cell.x0, y.ends(cell.row) - cell.y0
        last = cell.column == len(x.starts) - 1
        self.left = None if last else found[:, :, wide:].clone()
        strip = found[:, :, :wide]
        if len(y.starts) > 1:
            self._pass_down(strip, cell, high)
        if cell.column == 0 or self.rows is None:
            self.rows = self._empty(cell.y0, high)
        _put(self.rows, strip[:, :high], cell.x0)
        return self.rows if last else None

    def _pass_down(self, strip: Tensor, cell: Cell, high: int) -> None:
        """Add what the windows above left, and leave what those below will add to."""
        above = self.above[:, :, cell.x0 : cell.x0 + strip.shape[2]]
        if cell.row > 0:
            strip[:, : above.shape[1]] += above
        rest = strip[:, high:] if cell.row < len(self.layout.y.starts) - 1 else strip[:, :0]
        above[:, : rest.shape[1]] = rest
        above[:, rest.shape[1] :] = 0

    def _empty(self, y0: int, high: int) -> Rows:
        shape = (high, self.layout.x.length)
        every = np.empty((self.classes, *shape), np.uint8) if self.keeps else None
        return Rows(y0, np.empty(shape, np.uint8), np.empty(shape, np.uint8), every)


def _put(rows: Rows, done: Tensor, x0: int) -> None:
    """Write what is known of some columns into the rows."""
    columns = slice(x0, x0 + done.shape[2])
    best, index = done.max(0)
    rows.index[:, columns] = index.to(torch.uint8).cpu().numpy()
    rows.confidence[:, columns] = _in_8_bits(best)
    if rows.probabilities is not None:
        rows.probabilities[:, :, columns] = _in_8_bits(done)


def _in_8_bits(values: Tensor) -> Bytes:
    return (values * 255).round_().clamp_(0, 255).to(torch.uint8).cpu().numpy()

"""Some pixels of a box, as run lengths, and the quick way to read and write values at them.

*Runs* are the run lengths of a mask over the box, row-major, starting with the run of unmarked
pixels (which may be 0). A long thin stroke has a box of millions of pixels and marks few of them:
then work goes by the index of each. A fill marks most of its box: then work goes by the mask.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.grid import BLOCK, Window

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Runs = npt.NDArray[np.uint32]
Index = npt.NDArray[np.int32]
Places = npt.NDArray[np.intp]

DENSE = 8
"""A box with more than one marked pixel in so many is worked on by its mask."""


def encode_runs(mask: Mask) -> Runs:
    """Return the run lengths of bool [h, w], row-major, starting with the run of False."""
    flat = mask.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate([[0, 0] if flat[0] else [0], edges, [flat.size]])
    return np.diff(bounds).astype(np.uint32)


def decode_runs(runs: npt.NDArray[np.integer], box: Window) -> Mask:
    """Return bool [h, w] of checked runs over the box."""
    marked = np.zeros(len(runs), np.bool_)
    marked[1::2] = True
    return np.repeat(marked, runs).reshape(box.h, box.w)


@dataclass(frozen=True, eq=False)
class Pixels:
    """The pixels that checked runs mark in a box, in row-major order."""

    box: Window
    runs: Runs

    @cached_property
    def count(self) -> int:
        """Return how many pixels are marked."""
        return int(self.runs[1::2].sum(dtype=np.int64))

    @property
    def dense(self) -> bool:
        """Return whether so many are marked that the mask is the quicker way."""
        return self.count * DENSE > self.box.h * self.box.w

    @cached_property
    def mask(self) -> Mask:
        """Return bool [h, w] over the box."""
        return decode_runs(self.runs, self.box)

    @cached_property
    def flat(self) -> Index:
        """Return where each pixel is in the flattened box, rising, int32 [n]."""
        ends = np.cumsum(self.runs, dtype=np.int64)[1::2]
        lengths = self.runs[1::2].astype(np.int64)
        before = np.cumsum(lengths) - lengths
        flat: Index = np.repeat((ends - lengths - before).astype(np.int32), lengths)
        flat += np.arange(self.count, dtype=np.int32)
        return flat

    @cached_property
    def rows(self) -> Index:
        """Return the tile row of each pixel, int32 [n]."""
        rows: Index = self.flat // np.int32(self.box.w) + np.int32(self.box.y0)
        return rows

    @cached_property
    def columns(self) -> Index:
        """Return the tile column of each pixel, int32 [n]."""
        starts = (self.rows - np.int32(self.box.y0)) * np.int32(self.box.w)
        return self.flat - starts + np.int32(self.box.x0)

    @cached_property
    def _before_row(self) -> npt.NDArray[np.int64]:
        """Return how many pixels are marked before each row of the box, int64 [h + 1]."""
        return np.concatenate([[0], np.cumsum(np.count_nonzero(self.mask, axis=1))])

    @cached_property
    def blocks(self) -> list[tuple[int, int]]:
        """Return (row, column) of every block of `BLOCK` px that holds one, or where dense may."""
        box = self.box
        wide = (box.x0 + box.w - 1) // BLOCK + 1
        if self.dense:
            return [
                (by, bx)
                for by in range(box.y0 // BLOCK, (box.y0 + box.h - 1) // BLOCK + 1)
                for bx in range(box.x0 // BLOCK, wide)
            ]
        counts = np.bincount(self.rows // BLOCK * wide + self.columns // BLOCK)
        return [divmod(key, wide) for key in np.flatnonzero(counts).tolist()]

    def inside(self, window: Window) -> tuple[Places, Places | slice]:
        """Return the pixels inside a window: where in it, flattened, and which of all they are.

        The windows asked for are mostly the blocks below a stroke, row by row of them.
        """
        first, last = np.searchsorted(self.rows, (window.y0, window.y0 + window.h))
        rows, columns = self.rows[first:last], self.columns[first:last]
        corner = window.y0 * window.w + window.x0
        if self.box.x0 >= window.x0 and self.box.x0 + self.box.w <= window.x0 + window.w:
            return rows.astype(np.intp) * window.w + columns - corner, slice(first, last)
        kept = np.flatnonzero((columns >= window.x0) & (columns < window.x0 + window.w))
        return rows[kept].astype(np.intp) * window.w + columns[kept] - corner, first + kept

    def put(self, window: Window, *pairs: tuple[Bytes, Bytes]) -> None:
        """Write values, uint8 [n], into arrays over a window, uint8 [h, w], in place.

        `pairs` are (array, values). Pixels outside the window are left out.
        """
        if self.dense:
            self._put_by_mask(window, pairs)
            return
        where, which = self.inside(window)
        for target, values in pairs:
            np.put(target, where, values[which])

    def _put_by_mask(self, window: Window, pairs: tuple[tuple[Bytes, Bytes], ...]) -> None:
        box = self.box
        top, bottom = max(box.y0, window.y0), min(box.y0 + box.h, window.y0 + window.h)
        left, right = max(box.x0, window.x0), min(box.x0 + box.w, window.x0 + window.w)
        if top >= bottom or left >= right:
            return
        band = self.mask[top - box.y0 : bottom - box.y0]
        first, last = self._before_row[[top - box.y0, bottom - box.y0]]
        columns = slice(left - box.x0, right - box.x0)
        inner = band[:, columns]
        for target, values in pairs:
            spread = np.zeros(band.shape, np.uint8)
            spread[band] = values[first:last]
            part = target[
                top - window.y0 : bottom - window.y0, left - window.x0 : right - window.x0
            ]
            np.copyto(part, spread[:, columns], where=inner)

    def narrowed(self, kept: Mask) -> "Pixels":
        """Return the pixels that `kept`, bool [n], marks, at least one; the box is drawn tight."""
        if self.dense:
            mask = np.zeros_like(self.mask)
            mask[self.mask] = kept
            return tight(self.box, mask)
        rows, columns = self.rows[kept], self.columns[kept]
        top, left = int(rows[0]), int(columns.min())
        box = Window(top, left, int(rows[-1]) - top + 1, int(columns.max()) - left + 1)
        flat = (rows - np.int32(top)) * np.int32(box.w) + (columns - np.int32(left))
        return Pixels(box, _runs_of(flat, box.h * box.w))


def tight(box: Window, mask: Mask) -> Pixels:
    """Return the pixels of bool [h, w] over a box, at least one; the box is drawn tight."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    inner = Window(
        box.y0 + top, box.x0 + left, int(rows[-1]) - top + 1, int(columns[-1]) - left + 1
    )
    return Pixels(inner, encode_runs(mask[top : top + inner.h, left : left + inner.w]))


def _runs_of(flat: Index, area: int) -> Runs:
    """Return the runs of rising places in a flattened box of `area` pixels."""
    breaks = np.flatnonzero(np.diff(flat) != 1)
    starts = np.concatenate([flat[:1], flat[breaks + 1]])
    ends = np.concatenate([flat[breaks], flat[-1:]]) + 1
    bounds = np.stack([starts, ends], axis=1).ravel()
    runs = np.diff(bounds, prepend=0)
    left = area - int(bounds[-1])
    return (np.append(runs, left) if left else runs).astype(np.uint32)

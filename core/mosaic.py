"""Regions of a class raster that is too large to be seen at once, found window by window.

Windows come row by row, as `core.grid.blocks` yields them, and cover the raster. Regions of one
class that meet at the border of two windows are one region; what is then said of the whole raster
is exactly what `core.regions` says of it. Only tables of the regions are kept, no pixels.
"""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from core.grid import Window
from core.patch import Bytes, Mask
from core.regions import Graph, Ints, Regions, find_regions, without_holes, without_islands


class Mosaic:
    """The regions of a raster of `height` x `width` px; see the module."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self._count = 0
        self._first: dict[Window, int] = {}
        self._parts: list[Graph] = []
        self._kept: list[Mask] = []
        self._outside: list[Mask] = []
        self._crossing: list[Ints] = []
        # The last row seen above each column, and the last column of the window before.
        self._above: Ints = np.zeros(width, np.int64)
        self._before: Ints = np.zeros(0, np.int64)

    def add(self, window: Window, labels: Bytes, fixed: Mask | None = None) -> None:
        """Take the labels, uint8 [h, w], of the next window, and its pixels that must not change.

        A region that holds a fixed pixel, in whatever window, is left as it is, whole.
        """
        found = find_regions(labels)
        first, self._first[window] = self._count, self._count
        self._count += len(found.codes)
        graph = Graph(found.codes, found.sizes, found.a + first, found.b + first, found.sides)
        self._parts.append(graph)
        self._kept.append(found.holding(fixed))
        self._outside.append(found.touching(*self._ends(window)))
        self._meet(window, found, first)

    def _ends(self, window: Window) -> tuple[bool, bool, bool, bool]:
        """Return the sides of a window that are sides of the raster."""
        bottom, right = window.y0 + window.h, window.x0 + window.w
        return window.y0 == 0, window.x0 == 0, bottom == self.height, right == self.width

    def _meet(self, window: Window, found: Regions, first: int) -> None:
        """Note which regions lie side by side across the borders above and to the left."""
        columns = slice(window.x0, window.x0 + window.w)
        if window.y0:
            self._crossing.append(np.stack([self._above[columns], found.ids[0] + first]))
        if window.x0:
            self._crossing.append(np.stack([self._before, found.ids[:, 0] + first]))
        self._above[columns] = found.ids[-1] + first
        self._before = (found.ids[:, -1] + first).astype(np.int64)

    def without_islands(self, size: int, void: int) -> dict[Window, Bytes]:
        """Return the classes of the regions of each window after `core.regions.remove_islands`."""
        graph, names = self._whole()
        kept = _any(np.concatenate(self._kept), names, graph)
        return self._by_window(without_islands(graph, size, void, kept)[names])

    def without_holes(self, size: int, void: int) -> dict[Window, Bytes]:
        """Return the classes of the regions of each window after `core.regions.fill_holes`."""
        graph, names = self._whole()
        closed = _any(np.concatenate(self._kept + self._outside), np.tile(names, 2), graph)
        return self._by_window(without_holes(graph, size, void, closed)[names])

    def _whole(self) -> tuple[Graph, Ints]:
        """Return the regions of the whole raster, and the one that each region found belongs to."""
        codes = np.concatenate([part.codes for part in self._parts])
        sizes = np.concatenate([part.sizes for part in self._parts])
        across = np.concatenate([np.empty((2, 0), np.int64), *self._crossing], axis=1)
        same = codes[across[0]] == codes[across[1]]
        joined = coo_matrix((np.ones(same.sum(), np.bool_), across[:, same]), (len(codes),) * 2)
        count, found = connected_components(joined, directed=False)
        names = found.astype(np.int64)
        whole_codes = np.zeros(count, np.uint8)
        whole_codes[names] = codes
        whole_sizes = np.zeros(count, np.int64)
        np.add.at(whole_sizes, names, sizes)
        one = names[np.concatenate([*(part.a for part in self._parts), across[0, ~same]])]
        other = names[np.concatenate([*(part.b for part in self._parts), across[1, ~same]])]
        lengths = [*(part.sides for part in self._parts), np.ones((~same).sum(), np.int64)]
        keys = np.minimum(one, other) * count + np.maximum(one, other)
        pairs, place = np.unique(keys, return_inverse=True)
        sides = np.zeros(len(pairs), np.int64)
        np.add.at(sides, place, np.concatenate(lengths))
        return Graph(whole_codes, whole_sizes, pairs // count, pairs % count, sides), names

    def _by_window(self, codes: Bytes) -> dict[Window, Bytes]:
        starts = list(self._first.values())
        return dict(zip(self._first, np.split(codes, starts[1:]), strict=True))


def painted(labels: Bytes, codes: Bytes) -> Bytes:
    """Return the labels of a window with its regions given these classes."""
    done: Bytes = codes[find_regions(labels).ids]
    return done


def _any(marked: Mask, names: Ints, graph: Graph) -> Mask:
    """Return bool [R]: the regions of the whole of which any part is marked."""
    found = np.zeros(len(graph.codes), np.bool_)
    found[names[marked]] = True
    return found

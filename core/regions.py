"""Connected regions of a class raster, and rules that change many pixels at once. Pure arrays.

A *region* is a set of pixels of one class that hang together by their sides, as the fill tool sees
it. Class rasters are uint8 [H, W]; every function returns a new one. *Fixed* pixels, bool [H, W],
must not change: a region that holds one is left as it is, whole.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from skimage.measure import label

from core.patch import Bytes, Mask

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Graph:
    """Regions and which of them lie side by side, without their pixels.

    `codes` is uint8 [R] and `sizes` [R] in pixels. `a`, `b` and `sides` [E] list neighbours, each
    pair once, with the count of pixel sides that they share.
    """

    codes: Bytes
    sizes: Ints
    a: Ints
    b: Ints
    sides: Ints


@dataclass(frozen=True, eq=False)
class Regions(Graph):
    """The regions of a class raster, numbered from 0 row by row. `ids` is int [H, W]."""

    ids: npt.NDArray[np.integer]

    def touching(self, top: bool, left: bool, bottom: bool, right: bool) -> Mask:
        """Return bool [R]: the regions that reach one of the sides asked for of the raster."""
        found = np.zeros(len(self.codes), np.bool_)
        edges = (self.ids[0], self.ids[:, 0], self.ids[-1], self.ids[:, -1])
        for edge, asked in zip(edges, (top, left, bottom, right), strict=True):
            if asked:
                found[edge] = True
        return found

    def holding(self, pixels: Mask | None) -> Mask:
        """Return bool [R]: the regions that hold one of these pixels, bool [H, W]."""
        found = np.zeros(len(self.codes), np.bool_)
        if pixels is not None:
            found[self.ids[pixels]] = True
        return found


def find_regions(labels: Bytes) -> Regions:
    """Return the regions of a class raster, uint8 [H, W]."""
    ids, count = _label(labels, -1)
    ids = ids - 1
    codes = np.zeros(count, np.uint8)
    codes[ids.ravel()] = labels.ravel()
    sizes = np.bincount(ids.ravel(), minlength=count).astype(np.int64)
    pairs = []
    for one, other in ((ids[:, :-1], ids[:, 1:]), (ids[:-1], ids[1:])):
        apart = one != other
        one, other = one[apart].astype(np.int64), other[apart].astype(np.int64)
        pairs.append(np.minimum(one, other) * count + np.maximum(one, other))
    keys, sides = np.unique(np.concatenate(pairs), return_counts=True)
    ends = (keys // count, keys % count)
    return Regions(codes, sizes, *ends, sides.astype(np.int64), ids)


def remove_islands(labels: Bytes, size: int, void: int, fixed: Mask | None = None) -> Bytes:
    """Return the raster with regions of fewer than `size` px given the class most around them.

    Their neighbours vote by the pixel sides that they share; the lower code wins a tie. Regions
    beside other islands only wait until those have a class. Void has no islands and no vote, so
    what only void surrounds stays.
    """
    found = find_regions(labels)
    done: Bytes = without_islands(found, size, void, found.holding(fixed))[found.ids]
    return done


def without_islands(found: Graph, size: int, void: int, kept: Mask) -> Bytes:
    """Return the class of each region, uint8 [R], after `remove_islands`; `kept` ones stay."""
    island = (found.sizes < size) & (found.codes != void) & ~kept
    codes = found.codes.copy()
    source, target = np.concatenate([found.a, found.b]), np.concatenate([found.b, found.a])
    sides = np.concatenate([found.sides, found.sides])
    while True:
        open_ = island[source]
        source, target, sides = source[open_], target[open_], sides[open_]
        votes = ~island[target] & (codes[target] != void)
        if not votes.any():
            return codes
        chosen, winners = _majority(source[votes], codes[target[votes]], sides[votes])
        codes[chosen] = winners
        island[chosen] = False


def _majority(voters: Ints, codes: Bytes, weights: Ints) -> tuple[Ints, Bytes]:
    """Return each voter once with the code of the largest weight, the lower code in a tie."""
    keys, place = np.unique(voters * 256 + codes, return_inverse=True)
    total = np.bincount(place, weights=weights)
    order = np.lexsort((keys % 256, -total, keys // 256))
    chosen, first = np.unique(keys[order] // 256, return_index=True)
    return chosen, (keys[order][first] % 256).astype(np.uint8)


def fill_holes(labels: Bytes, size: int, void: int, fixed: Mask | None = None) -> Bytes:
    """Return the raster with holes of up to `size` px given the class around them.

    A hole is what one class surrounds on all sides, of whatever classes or void it consists; what
    reaches the side of the raster is none. Of holes within holes the largest that fits wins.
    """
    found = find_regions(labels)
    closed = found.touching(True, True, True, True) | found.holding(fixed)
    done: Bytes = without_holes(found, size, void, closed)[found.ids]
    return done


def without_holes(found: Graph, size: int, void: int, closed: Mask) -> Bytes:
    """Return the class of each region, uint8 [R], after `fill_holes`.

    `closed` ones, bool [R], are part of no hole: they stay or reach the side of the raster.
    """
    holes: list[tuple[int, int, Ints]] = []
    for code in np.unique(found.codes):
        if code != void:
            holes += _holes_of(found, int(code), size, closed)
    codes = found.codes.copy()
    for _, code, members in sorted(holes, key=lambda hole: hole[:2]):
        codes[members] = code
    return codes


def _holes_of(found: Graph, code: int, size: int, closed: Mask) -> list[tuple[int, int, Ints]]:
    """Return (pixels, code, regions) of each hole in a class."""
    count = len(found.codes)
    inside = found.codes != code
    linked = inside[found.a] & inside[found.b]
    ends = (found.a[linked], found.b[linked])
    graph = coo_matrix((np.ones(len(ends[0]), np.bool_), ends), (count, count))
    number, group = connected_components(graph, directed=False)
    sizes = np.bincount(group, weights=found.sizes, minlength=number).astype(np.int64)
    good = sizes <= size
    good[group[~inside]] = False
    good[group[closed]] = False
    members = np.flatnonzero(good[group])
    members = members[np.argsort(group[members], kind="stable")]
    if not len(members):
        return []
    names, starts = np.unique(group[members], return_index=True)
    parts = np.split(members, starts[1:])
    return [(int(sizes[name]), code, part) for name, part in zip(names, parts, strict=True)]


def recode(labels: Bytes, sources: Collection[int], to_class: int) -> Bytes:
    """Return the raster with every pixel of the classes `sources` given `to_class`."""
    lut = np.arange(256, dtype=np.uint8)
    lut[list(sources)] = to_class
    return lut[labels]


def accept(
    labels: Bytes, predicted: Bytes, confidence: Bytes, percent: float, index_lut: Bytes
) -> Bytes:
    """Return the raster with the predicted class where the model is at least `percent` % sure.

    `confidence` is 0 to 255; `index_lut` uint8 [256] is 255 for codes that are no class, where the
    label stays.
    """
    sure = confidence.astype(np.float32) * np.float32(100 / 255) >= percent - 1e-4
    answer: Bytes = np.where(sure & (index_lut[predicted] != 255), predicted, labels)
    return answer


def count_changes(old: Bytes, new: Bytes) -> dict[tuple[int, int], int]:
    """Return pixels by (from code, to code), largest first; arrays of any one shape."""
    changed = old != new
    pairs = old[changed].astype(np.int64) * 256 + new[changed]
    counts = np.bincount(pairs, minlength=65536)
    found = np.flatnonzero(counts)
    order = found[np.argsort(-counts[found], kind="stable")]
    return {(int(pair) // 256, int(pair) % 256): int(counts[pair]) for pair in order}


def count_regions(old: Bytes, new: Bytes) -> int:
    """Return how many connected regions of one change, from one class to another, there are."""
    pairs = np.where(old != new, old.astype(np.int32) * 256 + new + 1, 0)
    return _label(pairs, 0)[1]


def _label(values: npt.NDArray[Any], background: int) -> tuple[Ints, int]:
    """Return the regions of equal values by number from 1, and their count."""
    run: Callable[..., tuple[Ints, int]] = label
    ids, count = run(values, background=background, connectivity=1, return_num=True)
    return ids, int(count)

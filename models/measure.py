"""One map against one reference on one tile: its matrix, and what is counted beside it.

Tiles are read by windows, so that a scene of any size fits in memory. Beside the confusion matrix
stand, where asked for, edge pixels for boundary IoU, the pixels apart by who is behind the label,
and for damage the matrix of buildings.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from core import boundary, metrics, parts, patch_labels
from core.authors import Ids
from core.damage import building_details
from core.grid import Window, blocks, whole
from core.options import boundary_px
from core.records import Grid, Project

WINDOW_PX = 2048

Codes = npt.NDArray[np.uint8]
Read = Callable[[Window], Codes]
"""Reads the class codes of a window, uint8 [h, w]."""

Behind = Callable[[Window], tuple[Codes, Ids]]
"""Reads provenance and person ids of a window, [h, w] each."""


@dataclass(frozen=True, eq=False)
class Measured:
    """A confusion matrix, int64 [K+1, K+1], and details for its evaluation row."""

    matrix: npt.NDArray[np.int64]
    details: dict[str, Any] = field(default_factory=dict)


def measure(
    project: Project, grid: Grid, reference: Read, codes: Read, behind: Behind | None = None
) -> Measured:
    """Score a map on a tile by the settings of its project; `behind` parts the pixels too."""
    lut = project.classes.index_lut
    if project.kind == patch_labels.ONE:
        one, other = (_most(read(whole(grid))) for read in (reference, codes))
        return Measured(metrics.confusion(one, other, lut))
    size = len(project.classes.codes)
    matrix = np.zeros((size + 1, size + 1), np.int64)
    edges = np.zeros((3, size), np.int64)
    apart: list[parts.Matrices] = []
    width = boundary_px(project)
    for window in blocks(grid, WINDOW_PX):
        around = grown(window, grid, width or 0)
        actual, found = reference(around), codes(around)
        inside = within(window, around)
        matrix += metrics.confusion(actual[inside], found[inside], lut)
        if width:
            edges += boundary.boundary_counts(actual, found, lut, width, inside)
        if behind is not None:
            apart.append(parts.count_parts(actual[inside], found[inside], *behind(window), lut))
    details: dict[str, Any] = {}
    if width:
        details[boundary.KEY] = boundary.details_of(edges, width)
    if behind is not None:
        details[parts.KEY] = parts.details_of(parts.summed(apart))
    if project.kind == "damage":
        every = whole(grid)
        details |= building_details(reference(every), codes(every), project.classes)
    return Measured(matrix, details)


def grown(window: Window, grid: Grid, margin: int) -> Window:
    """Return the window with a margin on all sides, as far as the grid goes."""
    y0, x0 = max(window.y0 - margin, 0), max(window.x0 - margin, 0)
    y1 = min(window.y0 + window.h + margin, grid.height)
    x1 = min(window.x0 + window.w + margin, grid.width)
    return Window(y0, x0, y1 - y0, x1 - x0)


def within(window: Window, around: Window) -> tuple[slice, slice]:
    """Return where a window lies in a larger one that holds it."""
    y0, x0 = window.y0 - around.y0, window.x0 - around.x0
    return slice(y0, y0 + window.h), slice(x0, x0 + window.w)


def _most(codes: Codes) -> Codes:
    """Return the most frequent code, uint8 [1]: the one class of a patch."""
    return np.array([np.bincount(codes.ravel(), minlength=256).argmax()], np.uint8)

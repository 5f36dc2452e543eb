"""Labels of whole patches, kept as ordinary label rasters so that the edit log needs nothing new.

*One class per patch*: every pixel of the tile has its code, and a correction is an edit of every
pixel. *Several classes per patch* (a list): the tile is 1 x K over the ground of its images, one
*cell* per class; cell k holds code k where the patch has the class and void where it has not. The
classes of such a table have codes 0 to K-1, and void is 255.

Version 0 is not a file but the few codes that the catalogue keeps for the tile. Versions, undo,
conflicts, provenance, training and export are those of any other label.
"""

from collections.abc import Collection

import numpy as np

from core.classes import ClassTable
from core.errors import BadPatch, ClassTableError
from core.found import FoundTile
from core.grid import Window
from core.patch import Bytes, Patch, plane
from core.records import Grid

ONE = "patch"
LIST = "patch_list"
KINDS = (ONE, LIST)
NONE = 255

PatchCodes = tuple[int, ...]
"""One code of the patch, or K cells."""


def cells_of(present: Collection[int], classes: ClassTable) -> PatchCodes:
    """Return the cells of a list of class codes; raises `ClassTableError` for unknown ones."""
    if classes.codes != tuple(range(len(classes.codes))) or classes.void_code != NONE:
        raise ClassTableError(
            f"class table {classes.name}",
            found=f"codes {classes.codes}, void {classes.void_code}",
            expected=f"codes from 0 on without a gap and void {NONE}, for lists of classes",
        )
    unknown = sorted(set(present) - set(classes.codes))
    if unknown:
        found = f"codes {unknown}"
        raise ClassTableError(f"class table {classes.name}", found=found, expected="known classes")
    return tuple(code if code in present else NONE for code in classes.codes)


def list_grid(images: Grid, count: int) -> Grid:
    """Return the grid of a list: 1 x `count` cells over the ground of the images."""
    a, b, c, d, e, f = images.transform
    wide, high = images.width / count, float(images.height)
    return Grid(1, count, (a * wide, b * high, c, d * wide, e * high, f), images.crs)


def checked(tile: FoundTile, grid: Grid, classes: ClassTable) -> tuple[Grid, dict[int, int]]:
    """Return the grid of a found patch on the grid of its images, and its cells by code.

    Raises `ClassTableError` when its codes do not fit the class table.
    """
    codes = tile.patch_codes or ()
    unknown = classes.unknown_codes(np.array(codes, np.uint8))
    if len(codes) == len(classes.codes) and not unknown:
        cells_of([code for code in codes if code != NONE], classes)
        return list_grid(grid, len(codes)), {code: codes.count(code) for code in set(codes)}
    if len(codes) != 1 or unknown:
        raise ClassTableError(
            tile.name,
            found=f"patch codes {codes}",
            expected=f"one of {classes.codes}, or one cell per class",
        )
    return grid, {codes[0]: grid.height * grid.width}


def cells_at(codes: PatchCodes, window: Window, out_shape: tuple[int, int] | None = None) -> Bytes:
    """Return version 0 of a window, uint8 [h, w], or of the shape asked for."""
    shape = out_shape or (window.h, window.w)
    if len(codes) == 1:
        return np.full(shape, codes[0], np.uint8)
    columns = np.floor((np.arange(shape[1]) + 0.5) * (window.w / shape[1])).astype(np.intp)
    row = np.array(codes, np.uint8)[window.x0 + columns]
    return np.ascontiguousarray(np.broadcast_to(row, shape))


def codes_in(labels: Bytes, count: int) -> PatchCodes:
    """Return the label that a tile's raster, uint8 [h, w], stands for; `count` cells, or 1.

    Of one class per patch it is the most common one, should pixels differ after all.
    """
    if count == 1:
        return (int(np.bincount(labels.ravel(), minlength=256).argmax()),)
    return tuple(labels[0].tolist())


def check_whole(codes: PatchCodes, grid: Grid, patch: Patch) -> None:
    """Raise `BadPatch` when a change would leave the tile without one label for all of it."""
    if not patch.pixels:
        return
    if len(codes) == 1:
        if patch.pixels == grid.height * grid.width and not np.ptp(patch.new_values):
            return
        found = f"{patch.pixels} pixels"
        expected = f"one class for all {grid.height * grid.width} pixels: the label is the patch's"
    else:
        values = plane(patch, patch.new_values)[0][patch.mask[0]]
        cells = patch.box.x0 + np.flatnonzero(patch.mask[0])
        if ((values == NONE) | (values == cells)).all():
            return
        found = f"codes {sorted(set(values.tolist()))} in cells {cells.tolist()}"
        expected = "in each cell its own class or none"
    todo = "Set it on the Patches page."
    raise BadPatch("field mask", found=found, expected=expected, todo=todo)

"""Suggestions from the edit log: the strokes of a tab that stand, and what they say of the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.classes import Provenance
from core.features import Sources, features
from core.grid import Window
from core.log import stacks_of
from core.original import ground
from core.patch import Patch
from core.records import Grid
from core.replay import edits_between, patch_of, region
from core.store.engine import Store
from core.stroke import Tool
from core.suggest import REACH_PX, Example, Suggestion, suggest

MAX_STROKES = 12
MAX_SIDE = 1024
# What a machine chose says nothing of where it is right.
NOT_BY_HAND = frozenset(
    {
        Tool.RECODE,
        Tool.ISLANDS,
        Tool.HOLES,
        Tool.ACCEPT,
        Tool.SUGGESTION,
        Tool.RESTORE,
        Tool.IMPORT,
    }
)


@dataclass(frozen=True, eq=False)
class Found:
    """A suggestion over a window, worked out from the labels at `version`."""

    suggestion: Suggestion
    window: Window
    version: int


def suggest_on(store: Store, sources: Sources, person_id: int, client_id: str) -> Found:
    """Return what the newest strokes of a tab suggest on a tile.

    Raises `NotFound` and `RasterError`.
    """
    tile = sources.tile
    patches, version = _strokes(store, tile.id, person_id, client_id)
    if not patches:
        return Found(Suggestion("few"), Window(0, 0, 1, 1), version)
    window, near = neighbourhood([patch.box for patch in patches], tile.grid)
    found = [_example(patches[i], window) for i in near]
    examples = [example for example in found if len(example.rows)]
    now = region(store, tile.id, window, version)
    values = features(store, sources, window)
    return Found(suggest(values, now.labels, now.provenance, examples), window, version)


def _strokes(store: Store, tile_id: int, person_id: int, client_id: str) -> tuple[list[Patch], int]:
    """Return the newest strokes by hand of a tab that stand, oldest first, and the version."""
    with store.read() as session:
        here = ground(session, tile_id)
        steps = [
            step
            for step in stacks_of(store, session, here, person_id).undo
            if step.root.name[0] == client_id and step.root.tool not in NOT_BY_HAND
        ]
        rows = [
            edits_between(session, tile_id, row.version - 1, row.version)[0]
            for step in steps[-MAX_STROKES:]
            for row in step.rows
        ]
    patches = [patch_of(row) for row in rows]
    return [patch for patch in patches if _says(patch)], here.version


def _says(patch: Patch) -> bool:
    """Return whether a stroke says which class is right."""
    return bool(patch.pixels) and bool((patch.new_provenance != Provenance.UNSURE).any())


def neighbourhood(boxes: Sequence[Window], grid: Grid) -> tuple[Window, list[int]]:
    """Return the window around the newest of the boxes, and which of them lie in it.

    Older boxes join as long as the window stays within 1024 px a side; the last box is the newest.
    """
    newest = boxes[-1]
    top, left = newest.y0, newest.x0
    bottom, right = newest.y0 + newest.h, newest.x0 + newest.w
    near = [len(boxes) - 1]
    for number in range(len(boxes) - 2, -1, -1):
        box = boxes[number]
        y0, x0 = min(top, box.y0), min(left, box.x0)
        y1, x1 = max(bottom, box.y0 + box.h), max(right, box.x0 + box.w)
        if max(y1 - y0, x1 - x0) + 2 * REACH_PX <= MAX_SIDE:
            top, left, bottom, right = y0, x0, y1, x1
            near.append(number)
    y0, y1 = _within(top - REACH_PX, bottom + REACH_PX, grid.height)
    x0, x1 = _within(left - REACH_PX, right + REACH_PX, grid.width)
    return Window(y0, x0, y1 - y0, x1 - x0), sorted(near)


def _within(low: int, high: int, size: int) -> tuple[int, int]:
    """Return a stretch of at most `MAX_SIDE` around the middle, inside the tile."""
    if high - low > MAX_SIDE:
        low = (low + high - MAX_SIDE) // 2
        high = low + MAX_SIDE
    return max(low, 0), min(high, size)


def _example(patch: Patch, window: Window) -> Example:
    """Return a stroke as an example, without what lies outside the window."""
    rows, columns = np.nonzero(patch.mask)
    rows = rows + (patch.box.y0 - window.y0)
    columns = columns + (patch.box.x0 - window.x0)
    inside = (rows >= 0) & (rows < window.h) & (columns >= 0) & (columns < window.w)
    return Example(
        rows[inside], columns[inside], patch.old_values[inside], patch.new_values[inside]
    )

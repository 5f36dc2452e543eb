"""Bring a tile back to an earlier version, as a new edit: history is never cut."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from core.grid import Window, blocks
from core.group import Prepared, append_prepared
from core.log import ATTEMPTS, Busy, Maker, Saved
from core.original import ground
from core.patch import MAX_BOX_PX, Patch, make_patch
from core.records import Grid
from core.replay import region
from core.store.engine import Store
from core.stroke import Effect, Tool

WINDOW_PX = 4096


def restore(
    store: Store, tile_id: int, version: int, maker: Maker, *, force: bool = False
) -> Saved:
    """Append what takes labels and provenance back to `version`, as rows of `maker.group_id`.

    One row, or one for each window of 4096 px of a larger tile. Raises `NotFound` for a version
    that does not exist, `NotEditable`, `EditConflict` unless `force`, and `Busy`.
    """
    maker = replace(
        maker, tool=Tool.RESTORE.value, effect=Effect.VALUES.value, reason=f"version {version}"
    )
    for _ in range(ATTEMPTS):
        with store.read() as session:
            here = ground(session, tile_id)
        found = (
            difference(store, tile_id, window, here.version, version)
            for window in windows(here.grid)
        )
        patches = tuple(patch for patch in found if patch is not None)
        prepared = Prepared(patches, here.version, exact=True, asks=not force)
        saved = append_prepared(store, tile_id, maker, prepared)
        if saved is not None:
            return saved
    raise Busy(f"tile {tile_id}", found="many people saving at once", todo="It is tried again.")


def windows(grid: Grid) -> Iterator[Window]:
    """Yield the whole grid, or windows that a patch can hold where it is larger."""
    if grid.height * grid.width <= MAX_BOX_PX:
        yield Window(0, 0, grid.height, grid.width)
    else:
        yield from blocks(grid, WINDOW_PX)


def difference(store: Store, tile_id: int, window: Window, now: int, wanted: int) -> Patch | None:
    """Return the patch from version `now` to version `wanted` over a window; None when alike."""
    old = region(store, tile_id, window, now)
    new = region(store, tile_id, window, wanted)
    everywhere = np.ones((window.h, window.w), np.bool_)
    return make_patch(window, old.labels, old.provenance, everywhere, new.labels, new.provenance)

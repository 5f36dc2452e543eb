"""Nudges: how far a layer is moved on the screen because it lies beside the others.

A nudge is for display only. Rasters, labels, features and exports never see it.
"""

from math import isfinite

from sqlalchemy import select

from core.errors import CloudbrushError, NotFound
from core.store.engine import Store
from core.store.tables import LayerRow

MAX_NUDGE_PX = 200.0
STEP_PX = 0.5


def nudges(store: Store, tile_id: int) -> dict[int, tuple[float, float]]:
    """Return (down, right) in tile pixels of every layer of a tile that is nudged, by layer id."""
    query = select(LayerRow.id, LayerRow.nudge_y, LayerRow.nudge_x).where(
        LayerRow.tile_id == tile_id
    )
    with store.read() as session:
        found = {row: (down, right) for row, down, right in session.execute(query)}
    return {row: nudge for row, nudge in found.items() if nudge != (0.0, 0.0)}


def set_nudge(store: Store, tile_id: int, layer_id: int, down: float, right: float) -> None:
    """Move a layer on the screen to (down, right) from its place, in steps of half a tile pixel.

    Raises `NotFound` for a layer of another tile, `CloudbrushError` for other numbers.
    """
    for value in (down, right):
        if not (isfinite(value) and abs(value) <= MAX_NUDGE_PX and value % STEP_PX == 0):
            raise CloudbrushError(
                "nudge",
                found=repr(value),
                expected=f"steps of {STEP_PX:g} px, at most {MAX_NUDGE_PX:g} px",
            )
    with store.write() as session:
        row = session.get(LayerRow, layer_id)
        if row is None or row.tile_id != tile_id:
            raise NotFound(f"layer {layer_id}", expected="one of this tile")
        row.nudge_y, row.nudge_x = down, right

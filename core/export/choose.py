"""Which tiles go out, and how large an export of them can get."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, func, or_, select

from core import catalogue
from core.records import Modality, Tile, TileState
from core.store.engine import Store
from core.store.tables import EditRow, LayerRow, TileEventRow, TileRow


class Which(StrEnum):
    """Which tiles go out. Tiles that never had a label and no edit have nothing to export."""

    ALL = "all"
    EDITED = "edited"
    DONE = "done"


@dataclass(frozen=True)
class Plan:
    """What an export would hold. `pixels` is the count over all tiles."""

    tiles: int
    edited: int
    edits: int
    pixels: int


def plan(store: Store, project_id: int, which: Which = Which.ALL) -> Plan:
    """Return the count of the tiles that would go out, of their edits and of their pixels."""
    version = (
        select(EditRow.tile_id, func.max(EditRow.version).label("version"))
        .group_by(EditRow.tile_id)
        .subquery()
    )
    edits = func.coalesce(version.c.version, 0)
    query = (
        select(
            func.count(TileRow.id),
            func.count(version.c.version),
            func.coalesce(func.sum(edits), 0),
            func.coalesce(func.sum(TileRow.height * TileRow.width), 0),
        )
        .outerjoin(version, version.c.tile_id == TileRow.id)
        .where(TileRow.project_id == project_id, or_(_has_label(), edits > 0))
    )
    if which is Which.EDITED:
        query = query.where(edits > 0)
    elif which is Which.DONE:
        query = query.where(_newest_state() == TileState.DONE.value)
    with store.read() as session:
        return Plan(*(int(value) for value in session.execute(query).one()))


def _has_label() -> ColumnElement[bool]:
    return (
        select(LayerRow.id)
        .where(LayerRow.tile_id == TileRow.id, LayerRow.modality == Modality.LABEL.value)
        .exists()
    )


def _newest_state() -> ColumnElement[str]:
    return (
        select(TileEventRow.state)
        .where(TileEventRow.tile_id == TileRow.id)
        .order_by(TileEventRow.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def tiles_of(store: Store, project_id: int, which: Which = Which.ALL) -> list[Tile]:
    """Return the tiles that go out, in name order."""
    query = select(TileRow.id).where(TileRow.project_id == project_id, _has_label())
    with store.read() as session:
        labelled = set(session.scalars(query))
    return [
        tile
        for tile in catalogue.tiles(store, project_id)
        if (tile.id in labelled or tile.version) and _wanted(tile, which)
    ]


def _wanted(tile: Tile, which: Which) -> bool:
    if which is Which.EDITED:
        return tile.version > 0
    return which is Which.ALL or tile.state is TileState.DONE

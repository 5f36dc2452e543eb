"""Rows of the catalogue's tables as the records that leave the store."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from core.records import Acquisition, Grid, Layer, Modality, Split, Tile, TileState, Unit
from core.sources.source import from_json
from core.store.tables import AcquisitionRow, EditRow, LayerRow, TileEventRow, TileRow

SPLITS = {split.value: split for split in Split}
STATES = {state.value: state for state in TileState}


def tile_query() -> Select[Any]:
    """Return the columns of tiles: plain rows and no more of them than a tile takes.

    There may be tens of thousands.
    """
    version = (
        select(func.max(EditRow.version)).where(EditRow.tile_id == TileRow.id).scalar_subquery()
    )
    state = (
        select(TileEventRow.state)
        .where(TileEventRow.tile_id == TileRow.id)
        .order_by(TileEventRow.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(
        TileRow.id,
        TileRow.project_id,
        TileRow.name,
        TileRow.region,
        TileRow.split,
        TileRow.height,
        TileRow.width,
        TileRow.transform,
        TileRow.crs,
        TileRow.lonlat,
        TileRow.problem,
        TileRow.reserved_at.is_not(None).label("reserved"),
        TileRow.frozen_at.is_not(None).label("frozen"),
        TileRow.scanned_at.is_not(None).label("scanned"),
        version.label("version"),
        state.label("state"),
    )


def tile_rows(session: Session, query: Select[Any]) -> Iterator[Tile]:
    """Yield the tiles of a `tile_query`."""
    for row in session.connection().execute(query):
        yield tile_of(row)


def tile_of(row: Row[Any]) -> Tile:
    """Return a tile from a row of a `tile_query`."""
    a, b, c, d, e, f = row.transform
    return Tile(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        region=row.region,
        split=SPLITS[row.split],
        grid=Grid(row.height, row.width, (a, b, c, d, e, f), row.crs),
        state=STATES[row.state] if row.state else TileState.NEW,
        version=row.version or 0,
        reserved=row.reserved,
        frozen=row.frozen,
        lonlat=tuple((x, y) for x, y in row.lonlat) if row.lonlat else None,
        scanned=row.scanned,
        problem=row.problem,
    )


def acquisition_of(row: AcquisitionRow) -> Acquisition:
    """Return an acquisition."""
    return Acquisition(
        row.id,
        row.tile_id,
        row.name,
        row.date,
        row.thin,
        row.thick,
        row.shadow,
        row.cloud_source,
        row.simulated,
    )


def layer_of(row: LayerRow) -> Layer:
    """Return a layer."""
    return Layer(
        row.id,
        row.tile_id,
        row.acquisition_id,
        Modality(row.modality),
        row.name,
        tuple(from_json(source) for source in row.sources),
        tuple(row.bands),
        Unit(row.unit),
        row.nodata,
        row.offset_px,
        {int(value): int(code) for value, code in row.code_map.items()} if row.code_map else None,
    )

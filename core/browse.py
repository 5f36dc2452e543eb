"""The tiles of a project by filter and order, page by page, however many there are.

Filters, order and pages are questions to the database; only the tiles of one page become records.
The map gets a few numbers of every tile that fits (`places`), to draw footprints or heaps of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, func, null, select

from core.records import ModelRecord, Split, TileState
from core.store.engine import Store
from core.store.tables import AcquisitionRow, TallyRow, TileEventRow, TileRow
from core.tally import map_prefix

Order = Literal["differ most", "name", "clearest first", "cloudiest first"]
DateInView = Literal["clearest", "cloudiest"]
RESERVED = "reserved"

_COVER = AcquisitionRow.thin + AcquisitionRow.thick + AcquisitionRow.shadow


@dataclass(frozen=True)
class Area:
    """A rectangle of the map in degrees, or without positions the tiles between two, by name."""

    low: tuple[float, float] | str
    high: tuple[float, float] | str
    region: str | None = None


@dataclass(frozen=True)
class Wish:
    """What tiles must be like, and in which order; None means that anything goes.

    `cover` is a range [low, high) that any date of the tile may have; `split` may be
    "reserved"; `placed` asks for tiles with a position, or without. `date` is the date in view.
    """

    region: str | None = None
    split: str | None = None
    cover: tuple[float, float] | None = None
    code: int | None = None
    state: TileState | None = None
    problem: bool = False
    area: Area | None = None
    placed: bool | None = None
    order: Order = "name"
    date: DateInView = "clearest"


class Place(NamedTuple):
    """A tile on the map. `cover` is of the date in view; `disagreement` with the shown model."""

    tile_id: int
    region: str
    lon: float | None
    lat: float | None
    state: str
    cover: float | None
    disagreement: float | None


def count(store: Store, project_id: int, wish: Wish) -> int:
    """Return how many tiles fit."""
    query = select(func.count(TileRow.id)).where(*_where(project_id, wish))
    with store.read() as session:
        return session.scalar(query) or 0


def page(
    store: Store,
    project_id: int,
    wish: Wish,
    shown: ModelRecord | None,
    *,
    offset: int,
    limit: int,
) -> list[int]:
    """Return the ids of the tiles on one page, in the order wished for."""
    query = select(TileRow.id).where(*_where(project_id, wish))
    query = query.order_by(*_order(wish, shown), TileRow.name).offset(offset).limit(limit)
    with store.read() as session:
        return list(session.scalars(query))


def places(store: Store, project_id: int, wish: Wish, shown: ModelRecord | None) -> list[Place]:
    """Return every tile that fits as the map needs it, by region and name."""
    place = TileRow.id, TileRow.region, TileRow.lon, TileRow.lat
    query = select(*place, _state(), _cover(wish.date), _disagreement(shown))
    query = query.where(*_where(project_id, wish)).order_by(TileRow.region, TileRow.name)
    with store.read() as session:
        return [Place(*row) for row in session.execute(query)]


def regions(store: Store, project_id: int) -> list[str]:
    """Return the regions of a project, sorted."""
    query = select(TileRow.region).where(TileRow.project_id == project_id).distinct()
    with store.read() as session:
        return sorted(session.scalars(query))


def names_between(store: Store, first: int, last: int) -> tuple[str, str]:
    """Return the names of two tiles, for an `Area` without positions."""
    query = select(TileRow.id, TileRow.name).where(TileRow.id.in_((first, last)))
    with store.read() as session:
        names = {row.id: row.name for row in session.execute(query)}
    return names[first], names[last]


class Progress(NamedTuple):
    """Tiles of a project: all, those to be edited, done ones of these, and how they are known."""

    tiles: int
    work: int
    done: int
    placed: int
    unscanned: int
    problems: int


def progress(store: Store, project_id: int) -> Progress:
    """Return how far the work on a project is."""
    work = and_(
        TileRow.split == Split.TRAIN.value,
        TileRow.frozen_at.is_(None),
        TileRow.problem.is_(None),
    )
    done = and_(work, _state() == TileState.DONE.value)
    flags: Sequence[ColumnElement[bool]] = (
        work,
        done,
        TileRow.lon.is_not(None),
        TileRow.scanned_at.is_(None),
        TileRow.problem.is_not(None),
    )
    sums = [func.coalesce(func.sum(case((flag, 1), else_=0)), 0) for flag in flags]
    query = select(func.count(TileRow.id), *sums).where(TileRow.project_id == project_id)
    with store.read() as session:
        return Progress(*(int(number) for number in session.execute(query).one()))


def _where(project_id: int, wish: Wish) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [TileRow.project_id == project_id]
    if wish.region is not None:
        found.append(TileRow.region == wish.region)
    if wish.split == RESERVED:
        found.append(TileRow.reserved_at.is_not(None))
    elif wish.split is not None:
        found.append(TileRow.split == wish.split)
    if wish.cover is not None:
        low, high = wish.cover
        top = high >= _COVER if high >= 1 else high > _COVER
        found.append(exists().where(AcquisitionRow.tile_id == TileRow.id, low <= _COVER, top))
    if wish.code is not None:
        holds = TallyRow.present.contains(f",{wish.code},")
        found.append(exists().where(TallyRow.tile_id == TileRow.id, holds))
    if wish.state is not None:
        found.append(_state() == wish.state.value)
    if wish.problem:
        found.append(TileRow.problem.is_not(None))
    if wish.placed is not None:
        found.append(TileRow.lon.is_not(None) if wish.placed else TileRow.lon.is_(None))
    return found + (_in_area(wish.area) if wish.area else [])


def _in_area(area: Area) -> list[ColumnElement[bool]]:
    if isinstance(area.low, str) or isinstance(area.high, str):
        between = [TileRow.name >= area.low, TileRow.name <= area.high]
        return [*between, TileRow.region == area.region] if area.region is not None else between
    (west, south), (east, north) = area.low, area.high
    return [TileRow.lon.between(west, east), TileRow.lat.between(south, north)]


def _state() -> ColumnElement[str]:
    """Return the newest state of a tile: a question about its events, of which there are few."""
    newest = (
        select(TileEventRow.state)
        .where(TileEventRow.tile_id == TileRow.id)
        .order_by(TileEventRow.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(newest, TileState.NEW.value)


def _cover(date: DateInView) -> ColumnElement[float | None]:
    """Return the cloud cover of the date in view."""
    of = func.min(_COVER) if date == "clearest" else func.max(_COVER)
    return select(of).where(AcquisitionRow.tile_id == TileRow.id).scalar_subquery()


def _disagreement(shown: ModelRecord | None) -> ColumnElement[Any]:
    """Return the disagreement with the model that is shown, none for that with another."""
    if shown is None:
        return null()
    query = select(TallyRow.disagreement).where(TallyRow.tile_id == TileRow.id)
    return query.where(TallyRow.map.startswith(map_prefix(shown))).scalar_subquery()


def _order(wish: Wish, shown: ModelRecord | None) -> list[ColumnElement[Any]]:
    cover = _cover(wish.date)
    unknown = case((cover.is_(None), 1), else_=0)
    orders: dict[Order, list[ColumnElement[Any]]] = {
        "differ most": [func.coalesce(_disagreement(shown), 0).desc()],
        "name": [],
        "clearest first": [unknown, cover],
        "cloudiest first": [unknown, cover.desc()],
    }
    return orders[wish.order]

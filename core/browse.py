"""The tiles of a project by filter and order, page by page, however many there are.

Filters, order and pages are questions to the database; only the tiles of one page become records.
The map gets a few numbers of every tile that fits (`places`), to draw footprints or heaps of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    not_,
    null,
    select,
)

from core.records import Modality, ModelRecord, Split, Tile, TileState
from core.store.engine import Store
from core.store.tables import (
    AcquisitionRow,
    EditRow,
    LayerRow,
    TallyRow,
    TileEventRow,
    TileRow,
)
from core.tally import map_prefix

Order = Literal["differ most", "name", "clearest first", "cloudiest first"]
DateInView = Literal["clearest", "cloudiest"]
By = Literal["disagreement", "cloud cover", "state"]
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
    """A tile on the map, with what it is coloured by; the rest is not asked for.

    `cover` is of the date in view, `disagreement` with the shown model.
    """

    tile_id: int
    name: str
    region: str
    held: bool  # it takes no edits
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


def places(
    store: Store, project_id: int, wish: Wish, shown: ModelRecord | None, by: By | None = None
) -> list[Place]:
    """Return every tile that fits as the map needs it, by region and name.

    `by` asks for what tiles are coloured by and leaves the rest out, for many tiles; None for all.
    """
    cover = _cover(wish.date) if by in (None, "cloud cover") else null()
    disagreement = _disagreement(shown) if by in (None, "disagreement") else null()
    state = _state() if by in (None, "state") else literal(TileState.NEW.value)
    place = TileRow.lon, TileRow.lat, state, cover, disagreement
    query = select(TileRow.id, TileRow.name, TileRow.region, not_(_work()), *place)
    query = query.where(*_where(project_id, wish)).order_by(TileRow.region, TileRow.name)
    with store.read() as session:
        # Without the object mapper, which takes most of the time for tens of thousands of rows.
        return [Place._make(row) for row in session.connection().execute(query)]


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


def first_waiting(store: Store, project_id: int) -> int | None:
    """Return the first tile by name that takes edits and is neither done nor skipped."""
    ended = (TileState.DONE.value, TileState.SKIPPED.value)
    query = select(TileRow.id).where(TileRow.project_id == project_id, _work())
    query = query.where(_state().not_in(ended)).order_by(TileRow.name).limit(1)
    with store.read() as session:
        return session.scalar(query)


def edited(store: Store, project_id: int) -> list[int]:
    """Return the tiles that have edits."""
    query = select(EditRow.tile_id).join(TileRow).where(TileRow.project_id == project_id)
    with store.read() as session:
        return list(session.scalars(query.distinct()))


def middle_tile(store: Store, project_id: int, modality: Modality | None) -> int | None:
    """Return the tile in the middle by name of those with such a layer, or of all."""
    query = select(TileRow.id).where(TileRow.project_id == project_id)
    if modality is not None:
        has = exists().where(LayerRow.tile_id == TileRow.id, LayerRow.modality == modality.value)
        query = query.where(has)
    with store.read() as session:
        tiles = session.scalar(select(func.count()).select_from(query.subquery())) or 0
        return session.scalar(query.order_by(TileRow.name).offset(tiles // 2).limit(1))


@dataclass(frozen=True)
class Neighbours:
    """The tiles before and after one, and its place among those of its kind, from 1."""

    previous: int | None
    next: int | None
    index: int
    count: int


def neighbours(store: Store, tile: Tile) -> Neighbours:
    """Return where a tile stands by name among the tiles that take edits, or that do not."""
    kind = _work() if tile.editable else not_(_work())
    line = select(TileRow.id).where(TileRow.project_id == tile.project_id, kind)
    before, after = line.where(TileRow.name < tile.name), line.where(TileRow.name > tile.name)
    with store.read() as session:

        def size(query: Select[int]) -> int:
            return session.scalar(select(func.count()).select_from(query.subquery())) or 0

        return Neighbours(
            session.scalar(before.order_by(TileRow.name.desc()).limit(1)),
            session.scalar(after.order_by(TileRow.name).limit(1)),
            size(before) + 1,
            size(line),
        )


class Progress(NamedTuple):
    """Tiles of a project: all, those to be edited, done ones of these, and how they are known."""

    tiles: int
    work: int
    placed: int
    unscanned: int
    problems: int
    done: int
    covered: bool  # the cloud cover of some is known
    compared: bool  # some were compared with the map of a model


def progress(store: Store, project_id: int) -> Progress:
    """Return how far the work on a project is."""
    flags: Sequence[ColumnElement[bool]] = (
        _work(),
        TileRow.lon.is_not(None),
        TileRow.scanned_at.is_(None),
        TileRow.problem.is_not(None),
    )
    sums = [func.coalesce(func.sum(case((flag, 1), else_=0)), 0) for flag in flags]
    counts = select(func.count(TileRow.id), *sums).where(TileRow.project_id == project_id)
    covered = select(AcquisitionRow.id).join(TileRow).where(_COVER.is_not(None))
    compared = select(TallyRow.tile_id).join(TileRow).where(TallyRow.disagreement.is_not(None))
    with store.read() as session:
        numbers = [int(number) for number in session.execute(counts).one()]
        done = session.scalar(_done(project_id)) or 0
        some = [
            session.scalar(query.where(TileRow.project_id == project_id).limit(1)) is not None
            for query in (covered, compared)
        ]
    tiles, work, placed, unscanned, problems = numbers
    return Progress(tiles, work, placed, unscanned, problems, done, *some)


def _done(project_id: int) -> Select[int]:
    """Return the count of tiles to be edited whose newest state is done, from their events."""
    newest = select(func.max(TileEventRow.id)).group_by(TileEventRow.tile_id)
    query = select(func.count(TileEventRow.id)).join(TileRow, TileRow.id == TileEventRow.tile_id)
    is_done = TileEventRow.state == TileState.DONE.value
    return query.where(
        TileEventRow.id.in_(newest), is_done, TileRow.project_id == project_id, _work()
    )


def _work() -> ColumnElement[bool]:
    """Return whether a tile takes edits, as `Tile.editable` says it."""
    return and_(
        TileRow.split == Split.TRAIN.value,
        TileRow.frozen_at.is_(None),
        TileRow.problem.is_(None),
    )


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

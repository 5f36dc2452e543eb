"""Who has a tile open: a row with a time for each browser tab. It informs and never locks.

Tabs say each second that they are here. A process keeps that in memory and writes to the table, for
other processes, once in a while: a write for each call would wait for the disk as long as a stroke.
"""

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import IntegrityError, OperationalError

from core.store.engine import Store
from core.store.tables import PersonRow, PresenceRow, now

HERE_S = 6.0  # who said nothing for longer has left
WRITE_EVERY_S = 2.0
KEPT_S = 60.0
MOST_TABS = 10_000


@dataclass(frozen=True)
class Visitor:
    """Another tab that has the tile open."""

    person_id: int
    name: str
    client_id: str


Key = tuple[int, str]  # tile and client


@dataclass
class _Board:
    """What this process knows: when it heard of each tab, on the clock of `time.monotonic`."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    seen: dict[Key, tuple[int, float]] = field(default_factory=dict)
    unwritten: dict[Key, int] = field(default_factory=dict)
    written_at: float = -WRITE_EVERY_S


_boards: WeakKeyDictionary[Engine, _Board] = WeakKeyDictionary()
_boards_lock = threading.Lock()


def visit(store: Store, tile_id: int, person_id: int, client_id: str) -> list[Visitor]:
    """Say that a tab has the tile open; returns the other tabs that have, by name.

    Every call names tile and person by ids that exist.
    """
    board = _board(store)
    with board.lock:
        at = monotonic()
        board.seen[tile_id, client_id] = (person_id, at)
        board.unwritten[tile_id, client_id] = person_id
        due = at - board.written_at >= WRITE_EVERY_S
        batch = board.unwritten if due else {}
        if due:
            board.unwritten, board.written_at = {}, at
            _forget_old(board, at)
    if batch:
        _write(store, batch)
    return others(store, tile_id, client_id)


def leave(store: Store, tile_id: int, client_id: str) -> None:
    """Say that a tab has left the tile."""
    board, key = _board(store), (tile_id, client_id)
    with board.lock:
        known = board.seen.pop(key, None)
        board.unwritten.pop(key, None)
    if known is not None:
        _write(store, {}, key)


def others(store: Store, tile_id: int, client_id: str) -> list[Visitor]:
    """Return the tabs other than `client_id` that have the tile open, by name."""
    board, at = _board(store), monotonic()
    with board.lock:
        here = {
            client: person
            for (tile, client), (person, seen) in board.seen.items()
            if tile == tile_id and client != client_id and at - seen < HERE_S
        }
        # Rows of tabs that this process hears of itself are older than what it has in memory.
        ours = {client for tile, client in board.seen if tile == tile_id} | {client_id}
    recent = now() - timedelta(seconds=HERE_S + WRITE_EVERY_S)
    with store.read() as session:
        rows = session.execute(
            select(PresenceRow.client_id, PresenceRow.person_id).where(
                PresenceRow.tile_id == tile_id, PresenceRow.at > recent
            )
        ).all()
        here |= {client: person for client, person in rows if client not in ours}
        if not here:
            return []
        query = select(PersonRow.id, PersonRow.name).where(PersonRow.id.in_(set(here.values())))
        names = {number: name for number, name in session.execute(query).all()}
    found = [Visitor(person, names.get(person, "?"), client) for client, person in here.items()]
    return sorted(found, key=lambda visitor: (visitor.name, visitor.client_id))


def _board(store: Store) -> _Board:
    with _boards_lock:
        return _boards.setdefault(store.engine, _Board())


def _forget_old(board: _Board, at: float) -> None:
    gone = [key for key, (_, seen) in board.seen.items() if at - seen > KEPT_S]
    if len(board.seen) - len(gone) > MOST_TABS:
        gone = sorted(board.seen, key=lambda key: board.seen[key][1])[:-MOST_TABS]
    for key in gone:
        del board.seen[key]


def _write(store: Store, batch: dict[Key, int], left: Key | None = None) -> None:
    """Keep rows for other processes, and drop the tab that left.

    A failure costs them a moment of knowing, nothing more.
    """
    try:
        with store.write() as session:
            old = now() - timedelta(seconds=KEPT_S)
            session.execute(delete(PresenceRow).where(PresenceRow.at < old))
            for tile_id, client_id in [*batch, *([left] if left else [])]:
                same = (PresenceRow.tile_id == tile_id, PresenceRow.client_id == client_id)
                session.execute(delete(PresenceRow).where(*same))
            for (tile_id, client_id), person_id in batch.items():
                row = PresenceRow(tile_id=tile_id, client_id=client_id, person_id=person_id)
                session.add(row)
    except (IntegrityError, OperationalError):
        return

"""The engine and its sessions: one `Store` per process, short transactions, SQLite made safe.

`read()` gives a session that sees one snapshot; `write()` takes the write lock at its start and
commits at its end, so that a conflict shows as a constraint failure and never as a lost update.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, RLock
from weakref import WeakKeyDictionary

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from core.settings import Settings

BUSY_TIMEOUT_MS = 15_000
WRITE = "cloudbrush_write"  # execution option: take the write lock when the transaction begins
MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Store:
    """A migrated database and the workspace folder beside it."""

    engine: Engine
    workspace: Path

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session for reading; nothing is committed."""
        with Session(self.engine, expire_on_commit=False) as session:
            if self.engine.dialect.name == "postgresql":  # SQLite's readers see one as they are
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session that holds the write lock; commits unless the block raises."""
        with (
            _turn(self.engine),
            Session(self.engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            session.connection(execution_options={WRITE: True})
            yield session

    def folder(self, *parts: str) -> Path:
        """Return a folder below the workspace, made if missing."""
        path = self.workspace.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


MOST_IN = 900  # values in one list of a query; databases take only so many


def chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield ids in pieces that a query can hold in a list."""
    for start in range(0, len(ids), MOST_IN):
        yield ids[start : start + MOST_IN]


_turns: WeakKeyDictionary[Engine, RLock] = WeakKeyDictionary()
_turns_lock = Lock()


def _turn(engine: Engine) -> AbstractContextManager[object]:
    """Return what threads of this process wait on before they write.

    SQLite has one writer at a time, and who finds it busy sleeps and looks again, ever longer: with
    many writers some would wait for seconds. Other processes still wait in that way.
    """
    if engine.dialect.name != "sqlite":
        return nullcontext()
    with _turns_lock:
        return _turns.setdefault(engine, RLock())


def open_store(settings: Settings) -> Store:
    """Make the workspace, bring the database to the newest schema and return the store."""
    settings.workspace.mkdir(parents=True, exist_ok=True)
    engine = make_engine(settings.url)
    migrate(engine)
    return Store(engine, settings.workspace)


def make_engine(url: str) -> Engine:
    """Return an engine; on SQLite every connection gets the durable settings."""
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # Autocommit mode hands BEGIN to us: the driver's own deferred BEGIN would make a
    # read-then-write transaction fail with SQLITE_BUSY at once instead of waiting.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def migrate(engine: Engine, revision: str = "head") -> None:
    """Run the Alembic migrations up to `revision`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect().execution_options(**{WRITE: True}) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

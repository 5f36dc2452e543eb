"""Database tables. Rows stay inside `core`; `core.records` holds what leaves.

Append-only tables (edit, tile_event, promotion, job_event) have no update path in code.
Times are UTC. Large arrays live in files of the workspace; the row holds the path below it.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcTime(TypeDecorator[datetime]):
    """A time in UTC; SQLite forgets the zone, so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time with its zone."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """Root of all tables."""

    type_annotation_map = {dict[str, Any]: JSON, list[Any]: JSON, datetime: UtcTime}  # noqa: RUF012


def _project_fk() -> Mapped[int]:
    return mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)


def _tile_fk() -> Mapped[int]:
    return mapped_column(ForeignKey("tile.id", ondelete="CASCADE"), index=True)


class PersonRow(Base):
    """Somebody who edits."""

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class ProjectRow(Base):
    """One dataset opened with its class table, scoring preset and root."""

    __tablename__ = "project"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    reader: Mapped[str] = mapped_column(String(60))
    root: Mapped[str]
    preset: Mapped[str] = mapped_column(String(40))
    class_table: Mapped[str] = mapped_column(String(80))
    void_code: Mapped[int | None]
    options: Mapped[dict[str, Any] | None]  # settings, such as edges of cloud levels
    created_at: Mapped[datetime] = mapped_column(default=now)
    archived_at: Mapped[datetime | None]


class ClassEntryRow(Base):
    """One class of a project."""

    __tablename__ = "class_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = _project_fk()
    position: Mapped[int]
    code: Mapped[int]
    name: Mapped[str] = mapped_column(String(80))
    colour: Mapped[str] = mapped_column(String(7))
    __table_args__ = (UniqueConstraint("project_id", "code"),)


class TileRow(Base):
    """A piece of ground on one pixel grid."""

    __tablename__ = "tile"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = _project_fk()
    name: Mapped[str] = mapped_column(String(200))
    region: Mapped[str] = mapped_column(String(120))
    split: Mapped[str] = mapped_column(String(10))
    height: Mapped[int]
    width: Mapped[int]
    crs: Mapped[str | None]
    transform: Mapped[list[Any]]
    lonlat: Mapped[list[Any] | None]
    lon: Mapped[float | None]  # of the centre, for questions about where tiles lie
    lat: Mapped[float | None]
    reserved_at: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]
    frozen_version: Mapped[int | None]
    label_sha256: Mapped[str | None] = mapped_column(String(64))
    patch_codes: Mapped[list[Any] | None]  # label of a whole patch as it came; null: a raster
    scanned_at: Mapped[datetime | None]  # when the pixels were read and checked; null: headers only
    problem: Mapped[str | None] = mapped_column(Text)  # why its pixels cannot be worked on
    __table_args__ = (UniqueConstraint("project_id", "name"),)


class AcquisitionRow(Base):
    """One optical image of a tile at one date. Fractions are of valid pixels."""

    __tablename__ = "acquisition"
    id: Mapped[int] = mapped_column(primary_key=True)
    tile_id: Mapped[int] = _tile_fk()
    name: Mapped[str] = mapped_column(String(120))
    date: Mapped[str | None] = mapped_column(String(32))
    thin: Mapped[float | None]
    thick: Mapped[float | None]
    shadow: Mapped[float | None]
    cloud_source: Mapped[str | None] = mapped_column(String(60))
    simulated: Mapped[dict[str, Any] | None]  # seed and settings, where clouds were simulated
    __table_args__ = (UniqueConstraint("tile_id", "name"),)


class LayerRow(Base):
    """One raster of a tile or acquisition. `sources` lists [path, band]."""

    __tablename__ = "layer"
    id: Mapped[int] = mapped_column(primary_key=True)
    tile_id: Mapped[int] = _tile_fk()
    acquisition_id: Mapped[int | None] = mapped_column(
        ForeignKey("acquisition.id", ondelete="CASCADE"), index=True
    )
    modality: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(120))
    sources: Mapped[list[Any]]
    bands: Mapped[list[Any]]
    unit: Mapped[str] = mapped_column(String(20))
    nodata: Mapped[float | None]
    offset_px: Mapped[float] = mapped_column(default=0.0)
    nudge_y: Mapped[float] = mapped_column(default=0.0, server_default="0")  # for display only, px
    nudge_x: Mapped[float] = mapped_column(default=0.0, server_default="0")
    code_map: Mapped[dict[str, Any] | None]  # file code (as text) to class code, where they differ
    stats: Mapped[list[Any] | None]  # of each file: [bytes, mtime in ns, SHA-256 once scanned]


class EditRow(Base):
    """One stroke or command; append-only. The unique version is the conflict check."""

    __tablename__ = "edit"
    id: Mapped[int] = mapped_column(primary_key=True)
    tile_id: Mapped[int] = _tile_fk()
    version: Mapped[int]
    base_version: Mapped[int]
    client_id: Mapped[str] = mapped_column(String(64))
    seq: Mapped[int]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    saved_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    tool: Mapped[str] = mapped_column(String(20))
    effect: Mapped[str | None] = mapped_column(String(12))  # null for undo, redo and old rows
    from_classes: Mapped[list[Any]]
    to_class: Mapped[int | None]
    y0: Mapped[int]
    x0: Mapped[int]
    h: Mapped[int]
    w: Mapped[int]
    pixels: Mapped[int]
    mask: Mapped[bytes] = mapped_column(LargeBinary)
    old_values: Mapped[bytes] = mapped_column(LargeBinary)
    new_values: Mapped[bytes] = mapped_column(LargeBinary)
    old_provenance: Mapped[bytes] = mapped_column(LargeBinary)
    new_provenance: Mapped[bytes] = mapped_column(LargeBinary)
    panes_shown: Mapped[list[Any]]
    restrict: Mapped[str | None] = mapped_column(String(200))
    group_id: Mapped[str | None] = mapped_column(String(64), index=True)
    reverses: Mapped[int | None] = mapped_column(ForeignKey("edit.id"))
    reason: Mapped[str | None] = mapped_column(String(200))
    __table_args__ = (
        UniqueConstraint("tile_id", "version"),
        UniqueConstraint("client_id", "seq"),
    )


class PresenceRow(Base):
    """A browser tab that has a tile open, and when it last said so; informs and never locks."""

    __tablename__ = "presence"
    id: Mapped[int] = mapped_column(primary_key=True)
    tile_id: Mapped[int] = _tile_fk()
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    client_id: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (UniqueConstraint("tile_id", "client_id"),)


class KeyframeRow(Base):
    """A compressed copy of labels and provenance at a version: a cache that may be deleted."""

    __tablename__ = "keyframe"
    id: Mapped[int] = mapped_column(primary_key=True)
    tile_id: Mapped[int] = _tile_fk()
    version: Mapped[int]
    block_y: Mapped[int]
    block_x: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = (UniqueConstraint("tile_id", "version", "block_y", "block_x"),)


class TallyRow(Base):
    """Pixels of a tile's label by class, and how much a map differs from it: a cache.

    It holds for that version of the label and that map (a file name, "" for none). `present` lists
    the class codes between commas, so that a query can look for one: ",1,5,".
    """

    __tablename__ = "tally"
    tile_id: Mapped[int] = mapped_column(
        ForeignKey("tile.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int]
    map: Mapped[str] = mapped_column(String(200))
    pixels: Mapped[dict[str, Any]]
    present: Mapped[str] = mapped_column(Text)
    disagreement: Mapped[float | None]


class TileEventRow(Base):
    """Opened, skipped, done, frozen: who and when; append-only."""

    __tablename__ = "tile_event"
    id: Mapped[int] = mapped_column(primary_key=True)
    tile_id: Mapped[int] = _tile_fk()
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    state: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(default=now)


class ModelRow(Base):
    """Weights and card of a trained network; `weights` is a path below the workspace."""

    __tablename__ = "model"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = _project_fk()
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("model.id"))
    name: Mapped[str] = mapped_column(String(120))
    network: Mapped[str] = mapped_column(String(60))
    bands: Mapped[dict[str, Any]]
    weights: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    card: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)


class PromotionRow(Base):
    """Which model the editor shows, over time; append-only, the newest that stands counts.

    A row with `takes_back` takes back an earlier promotion and promotes nothing.
    """

    __tablename__ = "promotion"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = _project_fk()
    model_id: Mapped[int | None] = mapped_column(ForeignKey("model.id", ondelete="CASCADE"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    takes_back: Mapped[int | None] = mapped_column(ForeignKey("promotion.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=now)


class PredictionRow(Base):
    """A class map and its confidence; `path` is below the workspace.

    `source` tells apart what may be null: "m3" or "m3/a17" for models, "layer/5" for imported maps.
    """

    __tablename__ = "prediction"
    id: Mapped[int] = mapped_column(primary_key=True)
    tile_id: Mapped[int] = _tile_fk()
    model_id: Mapped[int | None] = mapped_column(
        ForeignKey("model.id", ondelete="CASCADE"), index=True
    )
    acquisition_id: Mapped[int | None] = mapped_column(
        ForeignKey("acquisition.id", ondelete="CASCADE")
    )
    source: Mapped[str] = mapped_column(String(60))
    path: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (UniqueConstraint("tile_id", "source"),)


class EvaluationRow(Base):
    """One confusion matrix of one map against one reference on one tile.

    `source` as in prediction, or "label/0" (as it came) and "label/VERSION" (corrected).
    `reference` is "truth", "frozen" (user-corrected and frozen) or "pseudo".
    `matrix` is int64 [K+1, K+1], little endian, zlib; the last row and column are void or other.
    """

    __tablename__ = "evaluation"
    id: Mapped[int] = mapped_column(primary_key=True)
    tile_id: Mapped[int] = _tile_fk()
    model_id: Mapped[int | None] = mapped_column(
        ForeignKey("model.id", ondelete="CASCADE"), index=True
    )
    acquisition_id: Mapped[int | None] = mapped_column(
        ForeignKey("acquisition.id", ondelete="CASCADE")
    )
    source: Mapped[str] = mapped_column(String(60))
    reference: Mapped[str] = mapped_column(String(20))
    matrix: Mapped[bytes] = mapped_column(LargeBinary)
    details: Mapped[dict[str, Any] | None]  # per-building counts for damage
    created_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (UniqueConstraint("tile_id", "source", "reference"),)


class JobRow(Base):
    """Durable work. At most one running job per device, by a unique partial index."""

    __tablename__ = "job"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    project_id: Mapped[int | None] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), index=True
    )
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    state: Mapped[str] = mapped_column(String(12), index=True)
    device: Mapped[str] = mapped_column(String(20), default="default")
    payload: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any] | None]
    progress: Mapped[float] = mapped_column(default=0.0)
    message: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    attempt_token: Mapped[str | None] = mapped_column(String(64))
    pid: Mapped[int | None]
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    __table_args__ = (
        Index(
            "one_running_job_per_device",
            "device",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )


class JobEventRow(Base):
    """A point on a job's curves; append-only."""

    __tablename__ = "job_event"
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(default=now)
    values: Mapped[dict[str, Any]]

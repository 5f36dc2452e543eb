"""The edit log as people read it: who changed what, when, and with which images on screen."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import RowMapping, func, select
from sqlalchemy.orm import aliased

from core import catalogue
from core.classes import ClassTable
from core.grid import Window
from core.original import ground
from core.patch import Patch
from core.replay import PATCH_COLUMNS, patch_of
from core.store.engine import Store
from core.store.tables import EditRow, PersonRow, TileRow
from core.stroke import effect_of
from core.undo import MARK, plain_name

EDIT_COLUMNS = (
    "tile",
    "version",
    "saved_at",
    "person",
    "tool",
    "effect",
    "changes",
    "pixels",
    "y0",
    "x0",
    "h",
    "w",
    "seconds",
    "panes_shown",
    "restrict",
    "reason",
    "reverses_version",
    "base_version",
    "client_id",
    "seq",
)
_Reversed = aliased(EditRow)
_SUMMARIES = (
    select(
        TileRow.name.label("tile"),
        PersonRow.name.label("person"),
        _Reversed.version.label("reversed_version"),
        EditRow.person_id,
        EditRow.saved_at,
        EditRow.started_at,
        EditRow.ended_at,
        EditRow.tool,
        EditRow.effect,
        EditRow.panes_shown,
        EditRow.restrict,
        EditRow.reason,
        EditRow.base_version,
        EditRow.client_id,
        EditRow.seq,
        *PATCH_COLUMNS,
    )
    .join(TileRow, EditRow.tile_id == TileRow.id)
    .join(PersonRow, EditRow.person_id == PersonRow.id)
    .outerjoin(_Reversed, EditRow.reverses == _Reversed.id)
)


@dataclass(frozen=True)
class EditSummary:
    """One edit in words and numbers. `changes` counts pixels by (from code, to code).

    `effect` is what became of the pixels, as in `core.stroke`; None for undo and redo.

    `seconds` is the time from press to release, None where the browser did not say.
    `reverses` is the version that an undo or redo takes back.
    """

    tile: str
    version: int
    saved_at: datetime
    person: str
    person_id: int
    tool: str
    effect: str | None
    changes: dict[tuple[int, int], int]
    pixels: int
    box: Window
    seconds: float | None
    panes_shown: tuple[str, ...]
    restrict: str | None
    reason: str | None
    reverses: int | None
    base_version: int
    client_id: str
    seq: int


@dataclass(frozen=True)
class Share:
    """What one person did on a tile: the count of their edits and the version of the newest."""

    person_id: int
    name: str
    edits: int
    newest: int


def timeline(
    store: Store,
    tile_id: int,
    *,
    before: int | None = None,
    limit: int | None = None,
    person_id: int | None = None,
) -> list[EditSummary]:
    """Return the edits of a tile, oldest first; raises `NotFound`.

    With `limit`, only the newest ones; `before` leaves out that version and later ones, and
    `person_id` other people's.
    """
    with store.read() as session:
        ground(session, tile_id)
        query = _SUMMARIES.where(EditRow.tile_id == tile_id).order_by(EditRow.version.desc())
        if before is not None:
            query = query.where(EditRow.version < before)
        if person_id is not None:
            query = query.where(EditRow.person_id == person_id)
        rows = session.execute(query.limit(limit)).mappings()
        return [_summary(row) for row in rows][::-1]


@dataclass(frozen=True)
class Maker:
    """Who made an edit, when, with what and where; `reverses` is a version it takes back."""

    person: str
    tool: str
    saved_at: datetime
    box: Window
    reverses: int | None


def makers(store: Store, tile_id: int) -> dict[int, Maker]:
    """Return who made each edit of a tile, by version, without a look at its pixels."""
    query = (
        select(
            EditRow.version,
            PersonRow.name,
            EditRow.tool,
            EditRow.saved_at,
            EditRow.y0,
            EditRow.x0,
            EditRow.h,
            EditRow.w,
            _Reversed.version,
        )
        .join(PersonRow, EditRow.person_id == PersonRow.id)
        .outerjoin(_Reversed, EditRow.reverses == _Reversed.id)
        .where(EditRow.tile_id == tile_id)
        .order_by(EditRow.version)
    )
    with store.read() as session:
        return {
            version: Maker(person, tool, saved_at, Window(y0, x0, h, w), reverses)
            for version, person, tool, saved_at, y0, x0, h, w, reverses in session.execute(query)
        }


def shares(store: Store, tile_id: int) -> list[Share]:
    """Return who edited a tile and how often, those with most edits first."""
    count = func.count(EditRow.id)
    query = (
        select(EditRow.person_id, PersonRow.name, count, func.max(EditRow.version))
        .join(PersonRow, EditRow.person_id == PersonRow.id)
        .where(EditRow.tile_id == tile_id)
        .group_by(EditRow.person_id, PersonRow.name)
        .order_by(count.desc(), PersonRow.name)
    )
    with store.read() as session:
        return [Share(*row) for row in session.execute(query)]


def last_seq(store: Store, client_id: str) -> int:
    """Return the highest number that a tab has saved a stroke or command under; 0 for none."""
    begins = func.substr(EditRow.client_id, 1, len(client_id) + 1) == client_id + MARK
    grouped = select(EditRow.client_id).where(begins).distinct()
    plain = select(func.max(EditRow.seq)).where(EditRow.client_id == client_id)
    with store.read() as session:
        numbers = [plain_name(name, 0)[1] for name in session.scalars(grouped)]
        return max([session.scalar(plain) or 0, *numbers])


def edits_frame(store: Store, project_id: int) -> list[dict[str, str | int | float]]:
    """Return the edits of a project as rows of `EDIT_COLUMNS`, by tile name and version.

    Empty cells are empty text, times are ISO 8601 in UTC, so that a CSV of them reads anywhere.
    """
    classes = catalogue.project(store, project_id).classes
    tiles = [tile.id for tile in catalogue.tiles(store, project_id) if tile.version]
    # One tile at a time: their number may exceed what one statement can name.
    return [row for tile_id in tiles for row in edits_of(store, tile_id, classes)]


def edits_of(store: Store, tile_id: int, classes: ClassTable) -> list[dict[str, str | int | float]]:
    """Return the edits of one tile as rows of `EDIT_COLUMNS`, by version."""
    return [_cells(edit, classes) for edit in timeline(store, tile_id)]


def _summary(row: RowMapping) -> EditSummary:
    patch = patch_of(row)
    started, ended = row["started_at"], row["ended_at"]
    return EditSummary(
        tile=row["tile"],
        version=row["version"],
        saved_at=row["saved_at"],
        person=row["person"],
        person_id=row["person_id"],
        tool=row["tool"],
        effect=effect_of(row["tool"], row["effect"]),
        changes=class_changes(patch),
        pixels=patch.pixels,
        box=patch.box,
        seconds=(ended - started).total_seconds() if started and ended else None,
        panes_shown=tuple(row["panes_shown"]),
        restrict=row["restrict"],
        reason=row["reason"],
        reverses=row["reversed_version"],
        base_version=row["base_version"],
        client_id=row["client_id"],
        seq=row["seq"],
    )


def class_changes(patch: Patch) -> dict[tuple[int, int], int]:
    """Return pixel counts by (from code, to code), largest first; from = to is a verified pixel."""
    pairs = patch.old_values.astype(np.uint16) * 256 + patch.new_values
    codes, counts = np.unique(pairs, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {(int(codes[i]) // 256, int(codes[i]) % 256): int(counts[i]) for i in order}


def _cells(edit: EditSummary, classes: ClassTable) -> dict[str, str | int | float]:
    names = {entry.code: entry.name for entry in classes.entries} | {classes.void_code: "void"}
    changes = [
        f"{names.get(old, old)} -> {names.get(new, new)}: {count}"
        for (old, new), count in edit.changes.items()
    ]
    box = edit.box
    return {
        "tile": edit.tile,
        "version": edit.version,
        "saved_at": edit.saved_at.isoformat(timespec="milliseconds"),
        "person": edit.person,
        "tool": edit.tool,
        "effect": edit.effect or "",
        "changes": "; ".join(changes),
        "pixels": edit.pixels,
        "y0": box.y0,
        "x0": box.x0,
        "h": box.h,
        "w": box.w,
        "seconds": "" if edit.seconds is None else round(edit.seconds, 3),
        "panes_shown": " ".join(edit.panes_shown),
        "restrict": edit.restrict or "",
        "reason": edit.reason or "",
        "reverses_version": "" if edit.reverses is None else edit.reverses,
        "base_version": edit.base_version,
        "client_id": edit.client_id,
        "seq": edit.seq,
    }

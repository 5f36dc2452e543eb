"""The edit log as people read it: who changed what, when, and with which images on screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import RowMapping, select
from sqlalchemy.orm import aliased

from core import catalogue
from core.classes import ClassTable
from core.grid import Window
from core.original import ground
from core.patch import Patch
from core.replay import PATCH_COLUMNS, patch_of
from core.store.engine import Store
from core.store.tables import EditRow, PersonRow, TileRow

EDIT_COLUMNS = (
    "tile",
    "version",
    "saved_at",
    "person",
    "tool",
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


@dataclass(frozen=True)
class EditSummary:
    """One edit in words and numbers. `changes` counts pixels by (from code, to code).

    `seconds` is the time from press to release, None where the browser did not say.
    `reverses` is the version that an undo or redo takes back.
    """

    tile: str
    version: int
    saved_at: datetime
    person: str
    tool: str
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


def timeline(store: Store, tile_id: int) -> list[EditSummary]:
    """Return every edit of a tile, oldest first."""
    with store.read() as session:
        ground(session, tile_id)
    return _summaries(store, [tile_id])


def edits_frame(store: Store, project_id: int) -> list[dict[str, str | int | float]]:
    """Return the edits of a project as rows of `EDIT_COLUMNS`, by tile name and version.

    Empty cells are empty text, times are ISO 8601 in UTC, so that a CSV of them reads anywhere.
    """
    classes = catalogue.project(store, project_id).classes
    tiles = [tile.id for tile in catalogue.tiles(store, project_id) if tile.version]
    return [_cells(edit, classes) for edit in _summaries(store, tiles)]


def _summaries(store: Store, tile_ids: Sequence[int]) -> list[EditSummary]:
    query = (
        select(
            TileRow.name.label("tile"),
            PersonRow.name.label("person"),
            _Reversed.version.label("reversed_version"),
            EditRow.saved_at,
            EditRow.started_at,
            EditRow.ended_at,
            EditRow.tool,
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
        .order_by(EditRow.version)
    )
    found: list[EditSummary] = []
    with store.read() as session:
        # One tile at a time: their number may exceed what one statement can name.
        for tile_id in tile_ids:
            rows = session.execute(query.where(EditRow.tile_id == tile_id)).mappings()
            found += [_summary(row) for row in rows]
    return found


def _summary(row: RowMapping) -> EditSummary:
    patch = patch_of(row)
    started, ended = row["started_at"], row["ended_at"]
    return EditSummary(
        tile=row["tile"],
        version=row["version"],
        saved_at=row["saved_at"],
        person=row["person"],
        tool=row["tool"],
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

"""The edit log: the only writer of edits. Append, merge or refuse, undo and redo.

A tile's *version* is the count of its edits; version 0 is the label file. Every stroke or command
is one row with the patch of what it really changed. Rows are never updated or deleted. A stroke
names the version it was painted on (its *base*): patches that other tabs appended since are merged
when they touch other pixels, and asked about when they overlap.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import BadPatch, CloudbrushError, NotEditable, NotFound
from core.grid import Window
from core.memory import Block, BlockKey, memory
from core.original import Ground, ground
from core.patch import (
    Bytes,
    Mask,
    Patch,
    disjoint,
    empty_patch,
    encode,
    mask_in,
)
from core.replay import (
    KEYFRAME_EVERY,
    PATCH_COLUMNS,
    Labels,
    after_patches,
    edits_between,
    is_warm,
    join,
    join_original,
    load_blocks,
    original_region,
    patch_of,
    region,
    write_keyframes,
)
from core.store.engine import Store
from core.store.tables import EditRow, PersonRow
from core.stroke import REVERSING, Stroke, change, check_stroke, reverse
from core.timeline import edits_frame, timeline
from core.undo import LogRow, Stacks

ATTEMPTS = 8

__all__ = [
    "Busy",
    "Edit",
    "EditConflict",
    "Labels",
    "Saved",
    "append",
    "at_version",
    "changes",
    "current",
    "edits_frame",
    "original",
    "stacks",
    "timeline",
]


@dataclass(frozen=True)
class Edit:
    """A patch with the row that it came from."""

    version: int
    client_id: str
    seq: int
    person: str
    tool: str
    patch: Patch


@dataclass(frozen=True)
class Saved:
    """The answer to a stroke.

    `status` is "saved", "unchanged" (nothing to change, no row) or "duplicate" (a resend, already
    saved at `version`). `left_px` counts pixels that an undo or redo left, because others had
    changed them. `others` holds what other tabs appended since the stroke's base version.
    """

    status: str
    version: int
    edit: Edit | None
    left_px: int
    undo_depth: int
    redo_depth: int
    others: tuple[Edit, ...]


class EditConflict(CloudbrushError, ValueError):
    """A stroke overlaps pixels that another tab changed since its base version."""

    def __init__(self, version: int, overlap_px: int, theirs: tuple[Edit, ...]) -> None:
        self.version, self.overlap_px, self.theirs = version, overlap_px, theirs
        people = ", ".join(sorted({edit.person for edit in theirs}))
        super().__init__(
            "stroke",
            found=f"{overlap_px} px that {people} changed meanwhile",
            expected="pixels that nobody else changed",
            todo="Keep yours, or take theirs.",
        )


class Busy(CloudbrushError, TimeoutError):
    """The log could not be written just now; the same stroke may be sent again."""


def original(store: Store, tile_id: int, window: Window | None = None) -> Bytes:
    """Return the label of a tile as it came: class codes, uint8 [h, w]."""
    return original_region(store, tile_id, window)


def current(store: Store, tile_id: int, window: Window | None = None) -> Labels:
    """Return the labels and provenance of now, of the whole tile or of a window."""
    return region(store, tile_id, window, None)


def at_version(store: Store, tile_id: int, version: int, window: Window | None = None) -> Labels:
    """Return the labels and provenance after `version` edits; raises `NotFound` beyond the last."""
    return region(store, tile_id, window, version)


def changes(
    store: Store, tile_id: int, since: int, limit: int | None = None
) -> tuple[int, list[Edit]]:
    """Return the version of now and the first `limit` edits after version `since`."""
    with store.read() as session:
        newest = ground(session, tile_id).version
        up_to = newest if limit is None else min(newest, since + limit)
        return newest, _edits(session, tile_id, since, up_to)


def stacks(store: Store, tile_id: int, person_id: int) -> Stacks:
    """Return what a person can undo and redo on a tile."""
    with store.read() as session:
        return _stacks(store, session, ground(session, tile_id), person_id)


def append(store: Store, tile_id: int, stroke: Stroke, person_id: int) -> Saved:
    """Append a stroke and return once it is on disk.

    A resend of the same (client_id, seq) changes nothing and gets the same version. Raises
    `BadPatch`, `NotEditable`, `NotFound`, `RasterError`, and `EditConflict` unless `force`.
    """
    mask = _prepare(store, tile_id, stroke)
    for _ in range(ATTEMPTS):
        try:
            with store.write() as session:
                writer = _Writer(store, session, tile_id, stroke, mask, person_id)
                saved = writer.write()
        except IntegrityError:
            continue  # another process took the version, or saved this very stroke
        if saved.status == "saved":
            writer.remember(saved)
            if saved.version % KEYFRAME_EVERY == 0:
                write_keyframes(store, tile_id, saved.version)
        return saved
    raise Busy(
        f"tile {tile_id}", found="many people saving at once", todo="The stroke is sent again."
    )


def _prepare(store: Store, tile_id: int, stroke: Stroke) -> Mask | None:
    """Check the stroke, and read what it needs from disk before the write lock is taken."""
    with store.read() as session:
        here = ground(session, tile_id)
        mask = check_stroke(stroke, here.grid, memory(store).class_table(session, here))
        if stroke.box is not None and here.editable and not is_warm(store, here, stroke.box):
            load_blocks(store, session, here, stroke.box, here.version)
    return mask


class _Writer:
    """One stroke on its way into the log, within one transaction."""

    def __init__(
        self,
        store: Store,
        session: Session,
        tile_id: int,
        stroke: Stroke,
        mask: Mask | None,
        person_id: int,
    ) -> None:
        self.store, self.session, self.person_id = store, session, person_id
        self.stroke, self.mask = stroke, mask
        self.here = ground(session, tile_id, for_update=True)
        self.stacks = Stacks()
        self.blocks: dict[BlockKey, Block] = {}

    def write(self) -> Saved:
        """Append the row, unless the stroke was saved before or changes nothing."""
        self.stacks = _stacks(self.store, self.session, self.here, self.person_id)
        before = self._saved_before()
        if before is not None:
            return before
        person = self._checked_person()
        others = self._others()
        target: LogRow | None = None
        if self.stroke.tool in REVERSING:
            target = self._target()
            patch, left_px = self._reversed(target)
        else:
            patch, left_px = self._painted(), 0
            self._check_conflict(patch, others)
        if patch is None:
            return self._answer("unchanged", self.here.version, None, left_px, others)
        row = self._row(patch, target)
        self.session.add(row)
        self.session.flush()
        self.stacks = self.stacks.after([_log_row(row)], row.version)
        edit = Edit(row.version, row.client_id, row.seq, person, row.tool, patch)
        return self._answer("saved", row.version, edit, left_px, others)

    def remember(self, saved: Saved) -> None:
        """Keep in memory what the stroke led to; only for a transaction that was committed."""
        known = memory(self.store)
        known.keep_stack(self.here, self.person_id, self.stacks)
        if saved.edit is not None:
            done = [(saved.version, saved.edit.patch)]
            known.keep_blocks(self.here, after_patches(self.blocks, done, saved.version))

    def _answer(
        self, status: str, version: int, edit: Edit | None, left_px: int, others: list[Edit]
    ) -> Saved:
        depths = len(self.stacks.undo), len(self.stacks.redo)
        return Saved(status, version, edit, left_px, *depths, tuple(others))

    def _load(self, box: Window) -> tuple[Bytes, Bytes]:
        self.blocks = load_blocks(self.store, self.session, self.here, box, self.here.version)
        return join(self.blocks.values(), box)

    def _checked_person(self) -> str:
        """Return the person's name; raises unless the stroke may be saved on this tile."""
        if not self.here.editable:
            raise NotEditable(
                f"tile {self.here.name}",
                found="a validation, test or frozen tile",
                expected="a training tile",
                todo="Models are scored on this tile, so it takes no edits.",
            )
        if self.stroke.base_version > self.here.version:
            found, expected = str(self.stroke.base_version), f"0 to {self.here.version}"
            todo = "Reload the tile."
            raise BadPatch("field base_version", found=found, expected=expected, todo=todo)
        query = select(PersonRow.name).where(PersonRow.id == self.person_id)
        person = self.session.scalar(query)
        if person is None:
            raise NotFound(f"person {self.person_id}", todo="Enter your name again.")
        return person

    def _saved_before(self) -> Saved | None:
        stroke = self.stroke
        row = self.session.scalar(
            select(EditRow).where(EditRow.client_id == stroke.client_id, EditRow.seq == stroke.seq)
        )
        if row is None:
            return None
        if (row.tile_id, row.person_id) != (self.here.tile_id, self.person_id):
            raise BadPatch(
                "field seq",
                found=f"{stroke.seq}, which is another stroke",
                expected="a new number for each stroke",
                todo="Reload the tile.",
            )
        (edit,) = _edits(self.session, row.tile_id, row.version - 1, row.version)
        target = self.session.get(EditRow, row.reverses) if row.reverses is not None else None
        left_px = target.pixels - row.pixels if target is not None else 0
        return self._answer("duplicate", row.version, edit, left_px, self._others())

    def _others(self) -> list[Edit]:
        base, newest = self.stroke.base_version, self.here.version
        if base >= newest:
            return []
        return _edits(self.session, self.here.tile_id, base, newest, self.stroke.client_id)

    def _painted(self) -> Patch | None:
        if self.stroke.box is None or self.mask is None:
            return None
        labels, provenance = self._load(self.stroke.box)
        first = join_original(self.blocks.values(), self.stroke.box)
        classes = memory(self.store).class_table(self.session, self.here)
        return change(self.stroke, self.mask, labels, provenance, first, classes)

    def _target(self) -> LogRow | None:
        """Return the row to reverse, or None; raises `BadPatch` for somebody else's stroke."""
        name = self.stroke.reverses
        target = self.stacks.target(self.stroke.tool, name)
        if target is None and name is not None:
            query = select(EditRow.person_id)
            query = query.where(EditRow.client_id == name[0], EditRow.seq == name[1])
            if self.session.scalar(query) not in (None, self.person_id):
                found = "somebody else's stroke"
                raise BadPatch("field reverses", found=found, expected="one of your own")
        return target

    def _reversed(self, target: LogRow | None) -> tuple[Patch | None, int]:
        """Return what undoing or redoing changes, and how many pixels it leaves to others."""
        if target is None:
            return None, 0
        rows = edits_between(self.session, self.here.tile_id, target.version - 1, target.version)
        done = patch_of(rows[0])
        patch = reverse(done, *self._load(done.box)) or empty_patch(done.box)
        return patch, done.pixels - patch.pixels

    def _check_conflict(self, patch: Patch | None, others: Sequence[Edit]) -> None:
        if patch is None or self.stroke.force:
            return
        theirs = tuple(edit for edit in others if not disjoint(patch, edit.patch))
        if theirs:
            masks = [patch.mask & mask_in(edit.patch, patch.box) for edit in theirs]
            common = int(np.logical_or.reduce(masks).sum())
            raise EditConflict(self.here.version, common, theirs)

    def _row(self, patch: Patch, target: LogRow | None) -> EditRow:
        stroke, coded = self.stroke, encode(patch)
        return EditRow(
            tile_id=self.here.tile_id,
            version=self.here.version + 1,
            base_version=stroke.base_version,
            client_id=stroke.client_id,
            seq=stroke.seq,
            person_id=self.person_id,
            started_at=stroke.started_at,
            ended_at=stroke.ended_at,
            tool=stroke.tool.value,
            effect=stroke.does.value if stroke.does is not None else None,
            from_classes=list(stroke.from_classes),
            to_class=stroke.to_class,
            y0=patch.box.y0,
            x0=patch.box.x0,
            h=patch.box.h,
            w=patch.box.w,
            pixels=patch.pixels,
            panes_shown=list(stroke.panes_shown),
            restrict=stroke.restrict,
            group_id=stroke.group_id,
            reverses=target.id if target is not None else None,
            reason=stroke.reason,
            **coded._asdict(),
        )


def _edits(
    session: Session, tile_id: int, after: int, up_to: int, not_client: str | None = None
) -> list[Edit]:
    """Return the edits with after < version <= up_to, oldest first; one client's left out."""
    query = (
        select(EditRow.client_id, EditRow.seq, PersonRow.name, EditRow.tool, *PATCH_COLUMNS)
        .join(PersonRow, EditRow.person_id == PersonRow.id)
        .where(EditRow.tile_id == tile_id, EditRow.version > after, EditRow.version <= up_to)
        .order_by(EditRow.version)
    )
    if not_client is not None:
        query = query.where(EditRow.client_id != not_client)
    return [
        Edit(r["version"], r["client_id"], r["seq"], r["name"], r["tool"], patch_of(r))
        for r in session.execute(query).mappings()
    ]


def _log_row(row: EditRow) -> LogRow:
    return LogRow(row.id, row.version, row.client_id, row.seq, row.tool, row.reverses)


def _stacks(store: Store, session: Session, here: Ground, person_id: int) -> Stacks:
    known = memory(store).stack(here, person_id)
    if known.version == here.version:
        return known
    query = (
        select(
            EditRow.id,
            EditRow.version,
            EditRow.client_id,
            EditRow.seq,
            EditRow.tool,
            EditRow.reverses,
        )
        .where(EditRow.tile_id == here.tile_id, EditRow.person_id == person_id)
        .where(EditRow.version > known.version, EditRow.version <= here.version)
        .order_by(EditRow.version)
    )
    known = known.after((LogRow(*row) for row in session.execute(query)), here.version)
    memory(store).keep_stack(here, person_id, known)
    return known

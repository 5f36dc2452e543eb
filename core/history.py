"""The edit log: the only writer of edits. Append, merge or refuse, undo and redo.

A tile's *version* is the count of its edits; version 0 is the label file. Every stroke or command
is one row with the patch of what it really changed. Rows are never updated or deleted. A stroke
names the version it was painted on (its *base*): patches that other tabs appended since are merged
when they touch other pixels, and asked about when they overlap.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import catalogue
from core.errors import BadPatch, CloudbrushError, NotEditable, NotFound
from core.grid import Window
from core.original import Ground, ground
from core.patch import (
    Bytes,
    Mask,
    Patch,
    empty_patch,
    encode,
    mask_in,
)
from core.replay import (
    KEYFRAME_EVERY,
    PATCH_COLUMNS,
    Labels,
    edits_between,
    join,
    join_original,
    load_blocks,
    memory,
    newest_version,
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
        ground(session, tile_id)
        newest = newest_version(session, tile_id)
        up_to = newest if limit is None else min(newest, since + limit)
        return newest, _edits(session, tile_id, since, up_to)


def stacks(store: Store, tile_id: int, person_id: int) -> Stacks:
    """Return what a person can undo and redo on a tile."""
    with store.read() as session:
        here = ground(session, tile_id)
        return _stacks(store, session, here, person_id, newest_version(session, tile_id))


def append(store: Store, tile_id: int, stroke: Stroke, person_id: int) -> Saved:
    """Append a stroke and return once it is on disk.

    A resend of the same (client_id, seq) changes nothing and gets the same version. Raises
    `BadPatch`, `NotEditable`, `NotFound`, `RasterError`, and `EditConflict` unless `force`.
    """
    writer = _Writer(store, tile_id, stroke, person_id)
    writer.prepare()
    for _ in range(ATTEMPTS):
        try:
            with store.write() as session:
                saved = writer.write(session)
        except IntegrityError:
            continue  # another process took the version, or saved this very stroke
        if saved.status == "saved" and saved.version % KEYFRAME_EVERY == 0:
            write_keyframes(store, tile_id, saved.version)
        return saved
    raise Busy(
        f"tile {tile_id}", found="many people saving at once", todo="The stroke is sent again."
    )


class _Writer:
    """One stroke on its way into the log."""

    def __init__(self, store: Store, tile_id: int, stroke: Stroke, person_id: int) -> None:
        self.store, self.tile_id, self.stroke, self.person_id = store, tile_id, stroke, person_id
        self.mask: Mask | None = None

    def prepare(self) -> None:
        """Check the stroke, and read what it needs before the write lock is taken."""
        with self.store.read() as session:
            here = ground(session, self.tile_id)
            classes = catalogue.project_in(session, here.project_id).classes
            self.mask = check_stroke(self.stroke, here.grid, classes)
            if self.stroke.box is not None and here.editable:
                newest = newest_version(session, self.tile_id)
                load_blocks(self.store, session, here, self.stroke.box, newest)

    def write(self, session: Session) -> Saved:
        """Append the row within the session's transaction."""
        here = ground(session, self.tile_id, for_update=True)
        newest = newest_version(session, self.tile_id)
        before = self._saved_before(session, here, newest)
        if before is not None:
            return before
        person = self._checked_person(session, here, newest)
        others = self._others(session, newest)
        target: LogRow | None = None
        known = _stacks(self.store, session, here, self.person_id, newest)
        if self.stroke.tool in REVERSING:
            target = self._target(session, known)
            patch, left_px = self._reversed(session, here, newest, target)
        else:
            patch, left_px = self._painted(session, here, newest), 0
            self._check_conflict(patch, others, newest)
        if patch is None:
            depths = len(known.undo), len(known.redo)
            return Saved("unchanged", newest, None, left_px, *depths, tuple(others))
        row = self._row(newest + 1, patch, target)
        session.add(row)
        session.flush()
        known = known.after([_log_row(row)], row.version)
        edit = Edit(row.version, row.client_id, row.seq, person, row.tool, patch)
        depths = len(known.undo), len(known.redo)
        return Saved("saved", row.version, edit, left_px, *depths, tuple(others))

    def _checked_person(self, session: Session, here: Ground, newest: int) -> str:
        """Return the person's name; raises unless the stroke may be saved on this tile."""
        if not here.editable:
            raise NotEditable(
                f"tile {here.name}",
                found="a validation, test or frozen tile",
                expected="a training tile",
                todo="Models are scored on this tile, so it takes no edits.",
            )
        if self.stroke.base_version > newest:
            found, expected = str(self.stroke.base_version), f"0 to {newest}"
            todo = "Reload the tile."
            raise BadPatch("field base_version", found=found, expected=expected, todo=todo)
        person = session.get(PersonRow, self.person_id)
        if person is None:
            raise NotFound(f"person {self.person_id}", todo="Enter your name again.")
        return person.name

    def _saved_before(self, session: Session, here: Ground, newest: int) -> Saved | None:
        stroke = self.stroke
        row = session.scalar(
            select(EditRow).where(EditRow.client_id == stroke.client_id, EditRow.seq == stroke.seq)
        )
        if row is None:
            return None
        if row.tile_id != self.tile_id or row.person_id != self.person_id:
            raise BadPatch(
                "field seq",
                found=f"{stroke.seq}, which is another stroke",
                expected="a new number for each stroke",
                todo="Reload the tile.",
            )
        edit = _edits(session, self.tile_id, row.version - 1, row.version)[0]
        target = session.get(EditRow, row.reverses) if row.reverses is not None else None
        left_px = target.pixels - row.pixels if target is not None else 0
        known = _stacks(self.store, session, here, self.person_id, newest)
        depths = len(known.undo), len(known.redo)
        others = tuple(self._others(session, newest))
        return Saved("duplicate", row.version, edit, left_px, *depths, others)

    def _others(self, session: Session, newest: int) -> list[Edit]:
        stroke = self.stroke
        return _edits(session, self.tile_id, stroke.base_version, newest, stroke.client_id)

    def _painted(self, session: Session, here: Ground, newest: int) -> Patch | None:
        box, mask = self.stroke.box, self.mask
        if box is None or mask is None:
            return None
        blocks = load_blocks(self.store, session, here, box, newest)
        labels, provenance = join(blocks.values(), box)
        first = join_original(blocks.values(), box)
        return change(self.stroke, mask, labels, provenance, first)

    def _target(self, session: Session, known: Stacks) -> LogRow | None:
        name = self.stroke.reverses
        target = known.target(self.stroke.tool, name)
        if target is None and name is not None:
            query = select(EditRow.person_id).where(
                EditRow.client_id == name[0], EditRow.seq == name[1]
            )
            owner = session.scalar(query)
            if owner not in (None, self.person_id):
                raise BadPatch(
                    "field reverses", found="somebody else's stroke", expected="one of your own"
                )
        return target

    def _reversed(
        self, session: Session, here: Ground, newest: int, target: LogRow | None
    ) -> tuple[Patch | None, int]:
        """Return what undoing or redoing changes, and how many pixels it leaves to others."""
        if target is None:
            return None, 0
        rows = edits_between(session, self.tile_id, target.version - 1, target.version)
        done = patch_of(rows[0])
        blocks = load_blocks(self.store, session, here, done.box, newest)
        patch = reverse(done, *join(blocks.values(), done.box)) or empty_patch(done.box)
        return patch, done.pixels - patch.pixels

    def _check_conflict(self, patch: Patch | None, others: Sequence[Edit], newest: int) -> None:
        if patch is None or self.stroke.force:
            return
        theirs, common = [], empty_patch(patch.box).mask
        for edit in others:
            both = patch.mask & mask_in(edit.patch, patch.box)
            if both.any():
                theirs.append(edit)
                common = common | both
        if theirs:
            raise EditConflict(newest, int(common.sum()), tuple(theirs))

    def _row(self, version: int, patch: Patch, target: LogRow | None) -> EditRow:
        stroke, coded = self.stroke, encode(patch)
        return EditRow(
            tile_id=self.tile_id,
            version=version,
            base_version=stroke.base_version,
            client_id=stroke.client_id,
            seq=stroke.seq,
            person_id=self.person_id,
            started_at=stroke.started_at,
            ended_at=stroke.ended_at,
            tool=stroke.tool.value,
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


def _stacks(store: Store, session: Session, here: Ground, person_id: int, newest: int) -> Stacks:
    known = memory(store).stack(here, person_id, newest)
    if known.version == newest:
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
        .where(EditRow.version > known.version, EditRow.version <= newest)
        .order_by(EditRow.version)
    )
    known = known.after((LogRow(*row) for row in session.execute(query)), newest)
    memory(store).keep_stack(here, person_id, known)
    return known

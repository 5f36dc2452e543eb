"""The edit log: the only writer of edits. Append, merge or refuse, undo and redo.

A tile's *version* is the count of its edits; version 0 is the label file. Every stroke or command
is one row with the patch of what it really changed. Rows are never updated or deleted. A stroke
names the version it was painted on (its *base*): patches that other tabs appended since are merged
when they touch other pixels, and asked about when they overlap.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import numpy as np
from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import BadPatch
from core.grid import Window
from core.group import reverse_elsewhere
from core.log import (
    ATTEMPTS,
    Busy,
    Edit,
    EditConflict,
    Group,
    Saved,
    check_editable,
    edit_of,
    edit_row,
    edits,
    log_row,
    maker_of,
    person_name,
    reversals,
    stacks_of,
)
from core.memory import Block, BlockKey, memory
from core.original import ground
from core.patch import Bytes, Patch, Pixels, disjoint, mask_in
from core.replay import (
    Labels,
    after_patches,
    is_warm,
    keep_keyframes,
    load_blocks,
    original_region,
    pick,
    region,
)
from core.scan import ensure_scanned
from core.store.engine import Store
from core.store.tables import EditRow, PersonRow
from core.stroke import REVERSING, Stroke, change, check_stroke
from core.timeline import edits_frame, timeline
from core.undo import MARK, Stacks, Step, group_name

__all__ = [
    "Busy",
    "Edit",
    "EditConflict",
    "Group",
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


_OF_NAME = (
    select(EditRow)
    .where(
        or_(
            and_(EditRow.client_id == bindparam("client_id"), EditRow.seq == bindparam("seq")),
            EditRow.client_id == bindparam("extended"),
        )
    )
    .order_by(EditRow.version)
)


def do_now(work: Callable[[], None]) -> None:
    """Do what is to be done afterwards at once."""
    work()


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
        return newest, edits(session, tile_id, since, up_to)


def stacks(store: Store, tile_id: int, person_id: int) -> Stacks:
    """Return what a person can undo and redo on a tile."""
    with store.read() as session:
        return stacks_of(store, session, ground(session, tile_id), person_id)


def append(
    store: Store,
    tile_id: int,
    stroke: Stroke,
    person_id: int,
    afterwards: Callable[[Callable[[], None]], None] = do_now,
) -> Saved:
    """Append a stroke and return once it is on disk.

    `afterwards` takes what only makes the next strokes quicker, so that the answer need not wait
    for it; it may be dropped. A resend of the same (client_id, seq) changes nothing and gets the
    same version. Raises `BadPatch`, `NotEditable`, `NotFound`, `RasterError`, and `EditConflict`
    unless `force`.
    """
    ready = _prepare(store, tile_id, stroke)
    for _ in range(ATTEMPTS):
        try:
            with store.write() as session:
                writer = _Writer(store, session, tile_id, stroke, ready, person_id)
                saved = writer.write()
        except IntegrityError:
            continue  # another process took the version, or saved this very stroke
        except _Outdated:
            ready = _from_database(store, tile_id, stroke)
            continue
        if saved.status == "saved":
            writer.keep_stack()
            afterwards(partial(writer.remember, saved))
        return _with_other_tiles(store, tile_id, stroke, person_id, saved)
    raise Busy(
        f"tile {tile_id}", found="many people saving at once", todo="The stroke is sent again."
    )


def _with_other_tiles(
    store: Store, tile_id: int, stroke: Stroke, person_id: int, saved: Saved
) -> Saved:
    """Return the answer after undo or redo of a command has reached its other tiles as well."""
    if stroke.tool not in REVERSING or saved.edit is None:
        return saved
    maker = maker_of(stroke, person_id, f"{stroke.client_id}{MARK}{stroke.seq}")
    done = reverse_elsewhere(store, tile_id, stroke.tool, maker)
    if done is None:
        return saved
    group, left_px = done
    return replace(saved, group=group, left_px=saved.left_px + left_px)


@dataclass(frozen=True)
class _Ready:
    """The pixels of a stroke (None for undo and redo), checked against a tile born at that time."""

    born: datetime
    places: Pixels | None


class _Outdated(Exception):  # not an error: the stroke is checked anew
    """The tile was imported anew since the stroke was checked against it."""


def _prepare(store: Store, tile_id: int, stroke: Stroke) -> _Ready:
    """Check the stroke, and read what it needs from disk before the write lock is taken.

    Mostly the last edit has left all that in memory, and the database need not be asked for it.
    """
    return _from_memory(store, tile_id, stroke) or _from_database(store, tile_id, stroke)


def _from_database(store: Store, tile_id: int, stroke: Stroke) -> _Ready:
    with store.read() as session:
        here = ground(session, tile_id)
        if here.scanned or not here.editable:
            places = check_stroke(stroke, here.grid, memory(store).class_table(session, here))
            if places is not None and here.editable and not is_warm(store, here, places):
                load_blocks(store, session, here, places, here.version)
            return _Ready(here.born, places)
    ensure_scanned(store, tile_id)
    return _from_database(store, tile_id, stroke)


def _from_memory(store: Store, tile_id: int, stroke: Stroke) -> _Ready | None:
    """Return a stroke that fits the tile as it was last, with its blocks in memory; else None."""
    known = memory(store)
    here = known.ground(tile_id)
    classes = known.classes.get((here.project_id, here.born)) if here is not None else None
    if here is None or classes is None:
        return None
    try:
        places = check_stroke(stroke, here.grid, classes)
    except BadPatch:  # by a tile that may be gone: what the database says of it counts
        return None
    warm = places is None or is_warm(store, here, places)
    return _Ready(here.born, places) if warm else None


class _Writer:
    """One stroke on its way into the log, within one transaction."""

    def __init__(
        self,
        store: Store,
        session: Session,
        tile_id: int,
        stroke: Stroke,
        ready: _Ready,
        person_id: int,
    ) -> None:
        self.store, self.session, self.person_id = store, session, person_id
        self.stroke, self.places = stroke, ready.places
        self.here = ground(session, tile_id, for_update=True)
        if self.here.born != ready.born:
            raise _Outdated
        self.stacks = Stacks()
        self.group: str | None = None
        self.blocks: dict[BlockKey, Block] = {}

    def write(self) -> Saved:
        """Append the rows, unless the stroke was saved before or changes nothing."""
        self.stacks = stacks_of(self.store, self.session, self.here, self.person_id)
        before = self._saved_before()
        if before is not None:
            return before
        person = self._checked_person()
        others = self._others()
        left_px = 0
        if self.stroke.tool in REVERSING:
            rows, left_px = self._reversing()
        else:
            patch = self._painted()
            self._check_conflict(patch, others)
            name = (self.stroke.client_id, self.stroke.seq)
            rows = [(self._row(patch, name, 0), patch)] if patch is not None else []
        for row, _ in rows:
            self.session.add(row)
            self.session.flush()
        done_rows = (log_row(row) for row, _ in rows)
        self.stacks = self.stacks.after(done_rows, self.here.version + len(rows))
        done = [edit_of(row, person, patch) for row, patch in rows]
        return self._answer("saved" if rows else "unchanged", done, left_px, others)

    def keep_stack(self) -> None:
        """Remember what can be undone; only for a transaction that was committed, like the next."""
        memory(self.store).keep_stack(self.here, self.person_id, self.stacks)

    def remember(self, saved: Saved) -> None:
        """Remember the labels that the stroke led to, and write the keyframes that are due."""
        known = memory(self.store)
        # The windows of a large command are read again from the log when they are looked at.
        if saved.edit is not None and self.stacks.version == self.here.version + 1:
            done = [(saved.version, saved.edit.patch)]
            known.keep_blocks(self.here, after_patches(self.blocks, done, saved.version))
            known.keep_untouched(self.here, saved.version, saved.edit.patch.places.blocks)
        known.keep_ground(replace(self.here, version=saved.version))
        keep_keyframes(self.store, self.here.tile_id, self.here.version, saved.version)

    def _answer(self, status: str, done: Sequence[Edit], left_px: int, others: list[Edit]) -> Saved:
        depths = len(self.stacks.undo), len(self.stacks.redo)
        version = done[-1].version if done else self.here.version
        edit = done[0] if done else None
        return Saved(status, version, edit, left_px, *depths, (*others, *done[1:]))

    def _load(self, places: Pixels) -> None:
        self.blocks = load_blocks(self.store, self.session, self.here, places, self.here.version)

    def _checked_person(self) -> str:
        """Return the person's name; raises unless the stroke may be saved on this tile."""
        check_editable(self.here)
        if self.stroke.base_version > self.here.version:
            found, expected = str(self.stroke.base_version), f"0 to {self.here.version}"
            todo = "Reload the tile."
            raise BadPatch("field base_version", found=found, expected=expected, todo=todo)
        return person_name(self.session, self.person_id)

    def _saved_before(self) -> Saved | None:
        stroke = self.stroke
        extended = f"{stroke.client_id}{MARK}{stroke.seq}"
        name = {"client_id": stroke.client_id, "seq": stroke.seq, "extended": extended}
        rows = self.session.scalars(_OF_NAME, name).all()
        if not rows:
            return None
        here = [row for row in rows if row.tile_id == self.here.tile_id]
        mine = all(row.person_id == self.person_id for row in rows)
        alike = all(row.tool == stroke.tool for row in rows if row.client_id == extended)
        if not here or not mine or not alike:
            raise BadPatch(
                "field seq",
                found=f"{stroke.seq}, which is another stroke",
                expected="a new number for each stroke",
                todo="Reload the tile.",
            )
        left_px = 0
        for row in here:
            target = self.session.get(EditRow, row.reverses) if row.reverses is not None else None
            left_px += target.pixels - row.pixels if target is not None else 0
        person = self.session.scalar(select(PersonRow.name).where(PersonRow.id == self.person_id))
        done = [edit_of(row, person or "") for row in here]
        return self._answer("duplicate", done, left_px, self._others())

    def _others(self) -> list[Edit]:
        base, newest = self.stroke.base_version, self.here.version
        if base >= newest:
            return []
        return edits(self.session, self.here.tile_id, base, newest, self.stroke.client_id)

    def _painted(self) -> Patch | None:
        if self.places is None:
            return None
        self._load(self.places)
        classes = memory(self.store).class_table(self.session, self.here)
        return change(self.stroke, self.places, *pick(self.blocks.values(), self.places), classes)

    def _target(self) -> Step | None:
        """Return what to reverse, or None; raises `BadPatch` for somebody else's stroke."""
        name = self.stroke.reverses
        target = self.stacks.target(self.stroke.tool, name)
        if target is None and name is not None:
            query = select(EditRow.person_id)
            query = query.where(EditRow.client_id == name[0], EditRow.seq == name[1])
            if self.session.scalar(query) not in (None, self.person_id):
                found = "somebody else's stroke"
                raise BadPatch("field reverses", found=found, expected="one of your own")
        return target

    def _reversing(self) -> tuple[list[tuple[EditRow, Patch]], int]:
        """Return the rows that undo or redo here, and how many pixels they leave to others."""
        step, stroke = self._target(), self.stroke
        if step is None:
            return [], 0
        found = reversals(self.store, self.session, self.here, step.rows)
        left_px = sum(left for _, _, left in found)
        if step.group is None:
            target, patch, _ = found[0]
            self._load(patch.places)
            row = self._row(patch, (stroke.client_id, stroke.seq), 0, target.id)
            return [(row, patch)], left_px
        group = group_name(stroke.client_id, stroke.seq)
        self.group = group
        return [
            (self._row(patch, (group, target.id), i, target.id), patch)
            for i, (target, patch, _) in enumerate(found)
        ], left_px

    def _check_conflict(self, patch: Patch | None, others: Sequence[Edit]) -> None:
        if patch is None or self.stroke.force:
            return
        theirs = tuple(edit for edit in others if not disjoint(patch, edit.patch))
        if theirs:
            masks = [patch.mask & mask_in(edit.patch, patch.box) for edit in theirs]
            common = int(np.logical_or.reduce(masks).sum())
            raise EditConflict(self.here.version, common, theirs)

    def _row(
        self, patch: Patch, name: tuple[str, int], after: int, reverses: int | None = None
    ) -> EditRow:
        """Return the row for a patch, `after` other rows of this stroke."""
        stroke = self.stroke
        maker = maker_of(stroke, self.person_id, self.group or stroke.group_id)
        return edit_row(self.here, self.here.version + 1 + after, name, patch, maker, reverses)

"""Commands of many rows: prepared patches on one tile, and undo and redo on all tiles at once.

Each tile takes all its rows in one transaction, or none. Between tiles a command can be stopped or
killed; sent again under the same name, it goes on where it was, and what it did is one step for its
person, on every tile that it reached.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import BadPatch
from core.log import (
    ATTEMPTS,
    Busy,
    Edit,
    EditConflict,
    Group,
    Maker,
    Saved,
    check_editable,
    edit_of,
    edit_row,
    edits,
    log_row,
    person_name,
    reversals,
    rows_of,
    stacks_of,
)
from core.memory import memory
from core.original import Ground, ground
from core.patch import Patch, encode_runs, mask_in
from core.replay import keep_keyframes
from core.scan import ensure_scanned
from core.store.engine import Store
from core.store.tables import EditRow, TileRow
from core.stroke import Tool
from core.undo import Stacks, plain_name


@dataclass(frozen=True)
class Prepared:
    """Patches of one command on one tile, worked out from the labels at `version`.

    `exact`: they hold at that version only; else pixels that were changed since are left out of
    them. `asks`: raise `EditConflict` for pixels that other tabs changed after the base version.
    """

    patches: tuple[Patch, ...]
    version: int
    exact: bool = False
    asks: bool = False


@dataclass
class _Turn:
    """One tile, locked, and the person whose command it takes."""

    store: Store
    session: Session
    here: Ground
    maker: Maker

    @property
    def group(self) -> str:
        """Return the name of the command: the client id of its rows."""
        return self.maker.group_id or ""

    def stacks(self) -> Stacks:
        """Return what the person can undo and redo here."""
        return stacks_of(self.store, self.session, self.here, self.maker.person_id)

    def add(self, rows: Sequence[EditRow]) -> Stacks:
        """Add the rows and return the person's stacks after them."""
        before = self.stacks()
        for row in rows:
            self.session.add(row)
            self.session.flush()
        return before.after(map(log_row, rows), self.here.version + len(rows))

    def row(self, i: int, seq: int, patch: Patch, reverses: int | None = None) -> EditRow:
        """Return the i-th row of this turn."""
        name = (self.group, seq)
        return edit_row(self.here, self.here.version + 1 + i, name, patch, self.maker, reverses)

    def duplicate(self) -> Saved | None:
        """Return the answer of a command that the tile has taken already, or None."""
        rows = rows_of(self.session, self.here.tile_id, self.group)
        tab, seq = plain_name(self.group, 0)
        query = select(EditRow.id).where(EditRow.client_id == tab, EditRow.seq == seq)
        same = all(
            (row.person_id, row.tool) == (self.maker.person_id, self.maker.tool) for row in rows
        )
        if not same or self.session.scalar(query) is not None:
            found = f"{seq}, which is another stroke"
            raise BadPatch("field seq", found=found, expected="a new number for each command")
        return self.answer("duplicate", rows, self.stacks(), self.others()) if rows else None

    def others(self) -> list[Edit]:
        """Return what other tabs appended since the base version."""
        tab, _ = plain_name(self.group, 0)
        base, newest = self.maker.base_version, self.here.version
        if base >= newest:
            return []
        return edits(self.session, self.here.tile_id, base, newest, tab)

    def answer(
        self, status: str, rows: Sequence[EditRow], stacks: Stacks, others: Sequence[Edit]
    ) -> Saved:
        """Return the answer for rows of this command on this tile."""
        person = person_name(self.session, self.maker.person_id)
        done = [edit_of(row, person) for row in rows]
        version = done[-1].version if done else self.here.version
        depths = len(stacks.undo), len(stacks.redo)
        return Saved(status, version, done[0] if done else None, 0, *depths, (*others, *done[1:]))


def taken(store: Store, tile_id: int, maker: Maker) -> Saved | None:
    """Return the answer of a command that a tile has taken already, or None.

    Raises `BadPatch` when its name belongs to something else.
    """
    with store.read() as session:
        return _Turn(store, session, ground(session, tile_id), maker).duplicate()


def append_prepared(store: Store, tile_id: int, maker: Maker, prepared: Prepared) -> Saved | None:
    """Append patches as rows of the group `maker.group_id`, all or none; resending is harmless.

    Returns None when they must hold exactly and the tile has moved on. Raises `NotEditable`,
    `NotFound`, `BadPatch`, `EditConflict` and `Busy`.
    """
    ensure_scanned(store, tile_id)
    for _ in range(ATTEMPTS):
        try:
            with store.write() as session:
                turn = _Turn(store, session, ground(session, tile_id, for_update=True), maker)
                saved = turn.duplicate()
                if saved is not None:
                    return saved
                check_editable(turn.here)
                found = _append(turn, prepared)
        except IntegrityError:
            continue  # another process took the version, or runs this very command
        if found is None:
            return None
        saved, stacks = found
        memory(store).keep_stack(turn.here, maker.person_id, stacks)
        keep_keyframes(store, tile_id, turn.here.version, saved.version)
        return saved
    raise _busy(tile_id)


def _append(turn: _Turn, prepared: Prepared) -> tuple[Saved, Stacks] | None:
    tile_id, newest = turn.here.tile_id, turn.here.version
    since = edits(turn.session, tile_id, prepared.version, newest)
    if since and prepared.exact:
        return None
    others = turn.others()
    left = [_without(patch, since) for patch in prepared.patches]
    patches = [patch for patch in left if patch.pixels]
    if prepared.asks:
        _check_conflict(newest, patches, others)
    rows = [turn.row(i, tile_id * 10_000 + i, patch) for i, patch in enumerate(patches)]
    stacks = turn.add(rows)
    return turn.answer("saved" if rows else "unchanged", rows, stacks, others), stacks


def _without(patch: Patch, since: Iterable[Edit]) -> Patch:
    """Return the patch without the pixels that later edits changed."""
    mask = patch.mask.copy()
    for edit in since:
        mask &= ~mask_in(edit.patch, patch.box)
    kept = mask[patch.mask]
    if kept.all():
        return patch
    return Patch(
        patch.box,
        encode_runs(mask),
        patch.old_values[kept],
        patch.new_values[kept],
        patch.old_provenance[kept],
        patch.new_provenance[kept],
    )


def _check_conflict(version: int, patches: Sequence[Patch], others: Sequence[Edit]) -> None:
    theirs, common = [], 0
    for edit in others:
        shared = sum(
            int(np.count_nonzero(patch.mask & mask_in(edit.patch, patch.box))) for patch in patches
        )
        if shared:
            theirs.append(edit)
            common += shared
    if theirs:
        raise EditConflict(version, common, tuple(theirs))


def reverse_elsewhere(
    store: Store, tile_id: int, tool: Tool, maker: Maker
) -> tuple[Group, int] | None:
    """Undo or redo on the other tiles of a command what was reversed on `tile_id` just now.

    `maker.group_id` names the undo or redo. Returns what it changed on all tiles, and how many
    pixels of the other tiles it left to others; None when it was about a stroke of its own.
    """
    with store.read() as session:
        rows = rows_of(session, tile_id, maker.group_id or "")
        group = _root_group(session, rows[0]) if rows else None
        if group is None:
            return None
        project_id = ground(session, tile_id).project_id
        query = (
            select(EditRow.tile_id)
            .join(TileRow)
            .where(EditRow.group_id == group, EditRow.person_id == maker.person_id)
            .where(TileRow.project_id == project_id, EditRow.tile_id != tile_id)
            .distinct()
            .order_by(EditRow.tile_id)
        )
        elsewhere = session.scalars(query).all()
    first_id = min(row.id for row in rows)
    left_px, skipped = 0, []
    for other in elsewhere:
        found = _reverse_tile(store, other, tool, maker, group, first_id)
        if isinstance(found, str):
            skipped.append(found)
        else:
            left_px += found
    return _summed_up(store, maker, tuple(skipped)), left_px


def _root_group(session: Session, row: EditRow) -> str | None:
    while row.reverses is not None:
        target = session.get(EditRow, row.reverses)
        if target is None:
            return None
        row = target
    return row.group_id


def _summed_up(store: Store, maker: Maker, skipped: tuple[str, ...]) -> Group:
    pixels = func.coalesce(func.sum(EditRow.pixels), 0)
    query = select(func.count(EditRow.tile_id.distinct()), pixels)
    with store.read() as session:
        tiles, changed = session.execute(query.where(EditRow.client_id == maker.group_id)).one()
    return Group(tiles, int(changed), skipped)


def _reverse_tile(
    store: Store, tile_id: int, tool: Tool, maker: Maker, group: str, first_id: int
) -> int | str:
    """Reverse a group on one more tile; returns the pixels left, or the name of a locked tile.

    Rows after `first_id`, the first of this undo or redo, are later answers to it and stay.
    """
    for _ in range(ATTEMPTS):
        try:
            with store.write() as session:
                here = ground(session, tile_id, for_update=True)
                turn = _Turn(store, session, here, replace(maker, base_version=here.version))
                if rows_of(session, tile_id, turn.group):
                    return 0
                step = turn.stacks().of_group(tool, group)
                if step is None or any(row.id > first_id for row in step.rows):
                    return 0
                if not here.editable:
                    return here.name
                found = reversals(store, session, here, step.rows)
                rows = [turn.row(i, t.id, p, t.id) for i, (t, p, _) in enumerate(found)]
                stacks = turn.add(rows)
        except IntegrityError:
            continue
        memory(store).keep_stack(here, maker.person_id, stacks)
        keep_keyframes(store, tile_id, here.version, here.version + len(rows))
        return sum(left for _, _, left in found)
    raise _busy(tile_id)


def _busy(tile_id: int) -> Busy:
    return Busy(f"tile {tile_id}", found="many people saving at once", todo="It is tried again.")

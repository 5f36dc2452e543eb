"""Rows of the edit log as the rest of `core` reads and makes them. `core.history` writes them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased

from core.errors import CloudbrushError, NotEditable, NotFound
from core.grid import Window
from core.memory import memory
from core.original import Ground
from core.patch import Encoded, Patch, decode, empty_patch, encode, mask_in
from core.patch_labels import check_whole
from core.replay import PATCH_COLUMNS, edits_between, load_blocks, patch_of, pick
from core.scan import not_workable
from core.store.engine import Store
from core.store.tables import EditRow, PersonRow
from core.stroke import Stroke, Tool, reverse
from core.undo import MARK, LogRow, Stacks, plain_name

ATTEMPTS = 8


_Below = aliased(EditRow)
_NAME = select(PersonRow.name).where(PersonRow.id == bindparam("person_id"))


@dataclass(frozen=True)
class Edit:
    """A patch with the row that it came from; (client_id, seq) names the stroke or command.

    `to_class` is the class that was painted, None where the pixels got several or kept theirs.
    """

    version: int
    client_id: str
    seq: int
    person: str
    tool: str
    patch: Patch
    saved_at: datetime
    to_class: int | None


@dataclass(frozen=True)
class Group:
    """What a command, its undo or redo changed on all tiles. `skipped` names tiles left out."""

    tiles: int
    pixels: int
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Saved:
    """The answer to a stroke.

    `status` is "saved", "unchanged" (nothing to change, no row) or "duplicate" (a resend, already
    saved at `version`). `left_px` counts pixels that an undo or redo left, because others had
    changed them. `others` holds what other tabs appended since the stroke's base version, and
    further patches of a command that needed several on this tile. `group` sums up a command on all
    its tiles; None for a stroke of its own.
    """

    status: str
    version: int
    edit: Edit | None
    left_px: int
    undo_depth: int
    redo_depth: int
    others: tuple[Edit, ...]
    group: Group | None = None


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


@dataclass(frozen=True)
class Maker:
    """What the rows of one stroke or command have in common, as the edit log keeps it.

    `effect` is None for undo and redo. Times are UTC.
    """

    person_id: int
    base_version: int
    tool: str
    effect: str | None = None
    from_classes: tuple[int, ...] = ()
    to_class: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    panes_shown: tuple[str, ...] = ()
    restrict: str | None = None
    reason: str | None = None
    group_id: str | None = None


def maker_of(stroke: Stroke, person_id: int, group_id: str | None) -> Maker:
    """Return what the edit log keeps of a stroke beside its pixels."""
    return Maker(
        person_id=person_id,
        base_version=stroke.base_version,
        tool=stroke.tool.value,
        effect=stroke.does.value if stroke.does is not None else None,
        from_classes=stroke.from_classes,
        to_class=stroke.to_class,
        started_at=stroke.started_at,
        ended_at=stroke.ended_at,
        panes_shown=stroke.panes_shown,
        restrict=stroke.restrict,
        reason=stroke.reason,
        group_id=group_id,
    )


def edit_row(
    here: Ground,
    version: int,
    name: tuple[str, int],
    patch: Patch,
    maker: Maker,
    reverses: int | None = None,
) -> EditRow:
    """Return a row for `patch`, not yet added to a session.

    Raises `BadPatch` where the label belongs to the whole patch and the change does not.
    """
    if here.patch_codes is not None:
        check_whole(here.patch_codes, here.grid, patch)
    return EditRow(
        tile_id=here.tile_id,
        version=version,
        base_version=maker.base_version,
        client_id=name[0],
        seq=name[1],
        person_id=maker.person_id,
        started_at=maker.started_at,
        ended_at=maker.ended_at,
        tool=maker.tool,
        effect=maker.effect,
        from_classes=list(maker.from_classes),
        to_class=maker.to_class,
        y0=patch.box.y0,
        x0=patch.box.x0,
        h=patch.box.h,
        w=patch.box.w,
        pixels=patch.pixels,
        panes_shown=list(maker.panes_shown),
        restrict=maker.restrict,
        group_id=maker.group_id,
        reverses=reverses,
        reason=maker.reason,
        **encode(patch)._asdict(),
    )


def edit_of(row: EditRow, person: str, patch: Patch | None = None) -> Edit:
    """Return a row as an edit, with its patch where that is known already."""
    if patch is None:
        values = (row.old_values, row.new_values, row.old_provenance, row.new_provenance)
        patch = decode(Window(row.y0, row.x0, row.h, row.w), Encoded(row.mask, *values))
    name = plain_name(row.client_id, row.seq)
    return Edit(row.version, *name, person, row.tool, patch, row.saved_at, row.to_class)


def edits(
    session: Session, tile_id: int, after: int, up_to: int, not_client: str | None = None
) -> list[Edit]:
    """Return the edits with after < version <= up_to, oldest first.

    Those of the tab `not_client` are left out, rows that the server added for it as well.
    """
    query = (
        select(
            EditRow.client_id,
            EditRow.seq,
            PersonRow.name,
            EditRow.tool,
            EditRow.saved_at,
            EditRow.to_class,
            *PATCH_COLUMNS,
        )
        .join(PersonRow, EditRow.person_id == PersonRow.id)
        .where(EditRow.tile_id == tile_id, EditRow.version > after, EditRow.version <= up_to)
        .order_by(EditRow.version)
    )
    if not_client is not None:
        query = query.where(
            EditRow.client_id != not_client,
            func.substr(EditRow.client_id, 1, len(not_client) + 1) != not_client + MARK,
        )
    return [
        Edit(
            r["version"],
            *plain_name(r["client_id"], r["seq"]),
            r["name"],
            r["tool"],
            patch_of(r),
            r["saved_at"],
            r["to_class"],
        )
        for r in session.execute(query).mappings()
    ]


def check_editable(here: Ground) -> None:
    """Raise `NotEditable` for a tile that takes no edits."""
    if here.problem is not None:
        raise not_workable(here.name, here.problem)
    if not here.editable:
        raise NotEditable(
            f"tile {here.name}",
            found="a validation, test or frozen tile",
            expected="a training tile",
            todo="Models are scored on this tile, so it takes no edits.",
        )


def person_name(session: Session, person_id: int) -> str:
    """Return a person's name; raises `NotFound`."""
    name: str | None = session.connection().scalar(_NAME, {"person_id": person_id})
    if name is None:
        raise NotFound(f"person {person_id}", todo="Enter your name again.")
    return name


def log_row(row: EditRow) -> LogRow:
    """Return what the stacks need to know of a row."""
    return LogRow(row.id, row.version, row.client_id, row.seq, row.tool, row.reverses, row.group_id)


def stacks_of(store: Store, session: Session, here: Ground, person_id: int) -> Stacks:
    """Return what a person can undo and redo on a tile at its version of now."""
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
            EditRow.group_id,
        )
        .where(EditRow.tile_id == here.tile_id, EditRow.person_id == person_id)
        .where(EditRow.version > known.version, EditRow.version <= here.version)
        .order_by(EditRow.version)
    )
    known = known.after((LogRow(*row) for row in session.execute(query)), here.version)
    memory(store).keep_stack(here, person_id, known)
    return known


def reversals(
    store: Store, session: Session, here: Ground, targets: Iterable[LogRow]
) -> list[tuple[LogRow, Patch, int]]:
    """Return (row, patch, pixels left) for rows to reverse, newest first.

    Pixels whose class or provenance others changed since are left. Rows of one step do not overlap,
    so each is taken back from the labels of now.
    """
    found = []
    for target in reversed(tuple(targets)):
        rows = edits_between(session, here.tile_id, target.version - 1, target.version)
        done = patch_of(rows[0])
        if target.tool != Tool.UNDO:
            done = _without_reversed(session, here, target, done)
        blocks = load_blocks(store, session, here, done.places, here.version)
        labels, provenance, _ = pick(blocks.values(), done.places)
        patch, left = reverse(done, labels, provenance)
        found.append((target, patch or empty_patch(done.box), left))
    return found


def _without_reversed(session: Session, here: Ground, target: LogRow, done: Patch) -> Patch:
    """Return what an edit did as if edits below it, reversed while it stood, had not been.

    A command can be taken back from another tile while later strokes lie over it here. When these
    are undone in turn, what shows is what was below the command.
    """
    old, behind = done.old_values.copy(), done.old_provenance.copy()
    for version in _reversed_below(session, here.tile_id, target.version):
        below = patch_of(edits_between(session, here.tile_id, version - 1, version)[0])
        shared = mask_in(below, done.box)[done.mask]
        if not shared.any():
            continue
        inside = mask_in(done, below.box)[below.mask]
        same = shared.copy()
        same[shared] = (old[shared] == below.new_values[inside]) & (
            behind[shared] == below.new_provenance[inside]
        )
        kept = same[shared]
        old[same] = below.old_values[inside][kept]
        behind[same] = below.old_provenance[inside][kept]
    return replace(done, old_values=old, old_provenance=behind)


def _reversed_below(session: Session, tile_id: int, version: int) -> list[int]:
    """Return versions before `version` that were reversed after it and still are, newest first."""
    later = (EditRow.tile_id == tile_id, EditRow.version > version)
    query = select(_Below.id, _Below.version).join(EditRow, EditRow.reverses == _Below.id)
    below = session.execute(query.where(*later, _Below.version < version)).all()
    if not below:
        return []
    pairs = select(EditRow.reverses, EditRow.id).where(*later, EditRow.reverses.is_not(None))
    by_target = {target: row_id for target, row_id in session.execute(pairs)}
    found = []
    for row_id, at in below:
        times, last = 0, row_id
        while last in by_target:
            times, last = times + 1, by_target[last]
        found += [at] if times % 2 else []
    return sorted(found, reverse=True)


def rows_of(session: Session, tile_id: int, client_id: str) -> Sequence[EditRow]:
    """Return the rows that the server added on a tile under a name of `core.undo.group_name`."""
    query = (
        select(EditRow)
        .where(EditRow.client_id == client_id, EditRow.tile_id == tile_id)
        .order_by(EditRow.version)
    )
    return session.scalars(query).all()

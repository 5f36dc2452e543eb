"""Replay: the labels of a tile at any version, from the file as it came and the edit log.

Work goes by *blocks* of 512 px, so that a stroke on a huge scene touches only what it must. A block
starts from its newest keyframe, or from the label file, and takes the later patches in order.
Two caches make this fast and may vanish at any time: keyframes in the database, and the newest
blocks in memory.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import RowMapping, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.grid import BLOCK, Window, block, whole
from core.memory import Block, BlockKey, memory
from core.original import Ground, ground, read_original
from core.patch import Bytes, Encoded, Patch, Pixels, apply, decode
from core.store.engine import Store
from core.store.tables import EditRow, KeyframeRow

KEYFRAME_EVERY = 50
PATCH_COLUMNS = (
    EditRow.version,
    EditRow.y0,
    EditRow.x0,
    EditRow.h,
    EditRow.w,
    EditRow.mask,
    EditRow.old_values,
    EditRow.new_values,
    EditRow.old_provenance,
    EditRow.new_provenance,
)


@dataclass(frozen=True)
class Labels:
    """Class codes and provenance, both uint8 [h, w], after `version` edits."""

    labels: Bytes
    provenance: Bytes
    version: int


def region(store: Store, tile_id: int, window: Window | None, version: int | None) -> Labels:
    """Return the labels of a window (None: all) at a version (None: the newest).

    Raises `NotFound` for a version that does not exist yet.
    """
    with store.read() as session:
        here = ground(session, tile_id)
        wanted = here.version if version is None else version
        if not 0 <= wanted <= here.version:
            found = f"tile {here.name}, version {wanted}"
            raise NotFound(found, expected=f"0 to {here.version}", todo="Reload the tile.")
        window = window or whole(here.grid)
        found_blocks = load_blocks(store, session, here, window, wanted)
    labels, provenance = join(found_blocks.values(), window)
    return Labels(labels, provenance, wanted)


def original_region(store: Store, tile_id: int, window: Window | None = None) -> Bytes:
    """Return the label of a window as it came, uint8 [h, w]; void where there is none."""
    with store.read() as session:
        here = ground(session, tile_id)
        return read_original(session, here, window or whole(here.grid))


def join(blocks: Iterable[Block], window: Window) -> tuple[Bytes, Bytes]:
    """Return labels and provenance of a window that the blocks cover, as fresh arrays."""
    labels = np.empty((window.h, window.w), np.uint8)
    provenance = np.empty((window.h, window.w), np.uint8)
    for part in blocks:
        inner, outer = meet(part.window, window)
        labels[outer] = part.labels[inner]
        provenance[outer] = part.provenance[inner]
    return labels, provenance


def _join_original(blocks: Iterable[Block], window: Window) -> Bytes:
    """Return the label as it came over a window that the blocks cover."""
    labels = np.empty((window.h, window.w), np.uint8)
    for part in blocks:
        inner, outer = meet(part.window, window)
        labels[outer] = part.original[inner]
    return labels


def pick(blocks: Iterable[Block], places: Pixels) -> tuple[Bytes, Bytes, Bytes]:
    """Return labels, provenance and the label as it came of pixels that the blocks cover.

    Each is uint8 [n].
    """
    if places.dense:
        known = list(blocks)
        planes = (*join(known, places.box), _join_original(known, places.box))
        labels, provenance, original = (values[places.mask] for values in planes)
        return labels, provenance, original
    labels, provenance, original = (np.empty(places.count, np.uint8) for _ in range(3))
    for part in blocks:
        where, which = places.inside(part.window)
        labels[which] = part.labels.take(where)
        provenance[which] = part.provenance.take(where)
        original[which] = part.original.take(where)
    return labels, provenance, original


def meet(a: Window, b: Window) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return the slices of the common part of two windows that touch, in each of them."""
    y0, x0 = max(a.y0, b.y0), max(a.x0, b.x0)
    y1, x1 = min(a.y0 + a.h, b.y0 + b.h), min(a.x0 + a.w, b.x0 + b.w)
    return (
        (slice(y0 - a.y0, y1 - a.y0), slice(x0 - a.x0, x1 - a.x0)),
        (slice(y0 - b.y0, y1 - b.y0), slice(x0 - b.x0, x1 - b.x0)),
    )


def keys_of(window: Window) -> list[BlockKey]:
    """Return (row, column) of every block that a window touches."""
    rows = range(window.y0 // BLOCK, (window.y0 + window.h - 1) // BLOCK + 1)
    columns = range(window.x0 // BLOCK, (window.x0 + window.w - 1) // BLOCK + 1)
    return [(by, bx) for by in rows for bx in columns]


def is_warm(store: Store, here: Ground, places: Pixels) -> bool:
    """Return whether the blocks that hold the pixels are in memory."""
    known = memory(store)
    return all(known.block(here, key, here.version) for key in places.blocks)


def load_blocks(
    store: Store, session: Session, here: Ground, where: Window | Pixels, version: int
) -> dict[BlockKey, Block]:
    """Return the blocks that a window touches, or that pixels lie in, at `version`.

    Raises `RasterError`.
    """
    known = memory(store)
    keys = where.blocks if isinstance(where, Pixels) else keys_of(where)
    bases = {key: known.block(here, key, version) for key in keys}
    missing = [key for key, found in bases.items() if found is None]
    starts = {key: found for key, found in bases.items() if found is not None}
    if missing:
        starts |= _stored_blocks(session, here, missing, version)
    fresh = _caught_up(session, here, starts, version)
    known.keep_blocks(here, fresh)
    return fresh


def _stored_blocks(
    session: Session, here: Ground, keys: Sequence[BlockKey], version: int
) -> dict[BlockKey, Block]:
    """Return blocks from their newest keyframes, or as they came."""
    windows = {key: block(here.grid, *key) for key in keys}
    hull = _hull(windows.values())
    original = read_original(session, here, hull)
    found = {}
    for key, window in windows.items():
        inner = meet(hull, window)[0]
        first = np.ascontiguousarray(original[inner])
        found[key] = Block(window, 0, _sealed(first), first, _sealed(np.zeros_like(first)))
    for key, stored in keyframes(session, here, keys, version):
        found[key] = replace(
            found[key], version=stored.version, labels=stored.labels, provenance=stored.provenance
        )
    return found


def keyframes(
    session: Session, here: Ground, keys: Sequence[BlockKey], version: int
) -> Iterator[tuple[BlockKey, Labels]]:
    """Yield the newest keyframe of each block up to a version, where there is a usable one."""
    for key, at in _newest_keyframes(session, here.tile_id, keys, version).items():
        stored = _keyframe(session, here.tile_id, key, at, block(here.grid, *key))
        if stored is not None:
            yield key, Labels(*stored, at)


def _newest_keyframes(
    session: Session, tile_id: int, keys: Sequence[BlockKey], version: int
) -> dict[BlockKey, int]:
    query = (
        select(KeyframeRow.block_y, KeyframeRow.block_x, func.max(KeyframeRow.version))
        .where(KeyframeRow.tile_id == tile_id, KeyframeRow.version <= version)
        .group_by(KeyframeRow.block_y, KeyframeRow.block_x)
    )
    wanted = set(keys)
    return {(by, bx): at for by, bx, at in session.execute(query) if (by, bx) in wanted}


def _keyframe(
    session: Session, tile_id: int, key: BlockKey, version: int, window: Window
) -> tuple[Bytes, Bytes] | None:
    """Return labels and provenance; None for bytes that cannot be used, as if they were absent."""
    data = session.scalar(
        select(KeyframeRow.data).where(
            KeyframeRow.tile_id == tile_id,
            KeyframeRow.version == version,
            KeyframeRow.block_y == key[0],
            KeyframeRow.block_x == key[1],
        )
    )
    try:
        flat = np.frombuffer(zlib.decompress(data or b""), np.uint8)
    except zlib.error:
        return None
    if flat.size != 2 * window.h * window.w:
        return None
    labels, provenance = flat.reshape(2, window.h, window.w)
    return labels, provenance


def _keyframe_bytes(part: Block) -> bytes:
    return zlib.compress(part.labels.tobytes() + part.provenance.tobytes(), 1)


def keep_keyframes(store: Store, tile_id: int, before: int, version: int) -> None:
    """Write keyframes when the edits after version `before` made them due."""
    last = before // KEYFRAME_EVERY
    if version // KEYFRAME_EVERY > last:
        write_keyframes(store, tile_id, version, last * KEYFRAME_EVERY)


def write_keyframes(store: Store, tile_id: int, version: int, after: int) -> None:
    """Keep copies of the blocks that edits after version `after` touched.

    A failure costs time, not edits.
    """
    try:
        with store.write() as session:
            here = ground(session, tile_id)
            query = select(EditRow.y0, EditRow.x0, EditRow.h, EditRow.w).where(
                EditRow.tile_id == tile_id,
                EditRow.version > after,
                EditRow.version <= version,
            )
            boxes = [Window(*row) for row in session.execute(query)]
            for by, bx in sorted({key for box in boxes for key in keys_of(box)}):
                corner = Window(by * BLOCK, bx * BLOCK, 1, 1)
                part = load_blocks(store, session, here, corner, version)[by, bx]
                data = _keyframe_bytes(part)
                session.add(
                    KeyframeRow(tile_id=tile_id, version=version, block_y=by, block_x=bx, data=data)
                )
    except SQLAlchemyError:
        return


def _caught_up(
    session: Session, here: Ground, starts: dict[BlockKey, Block], version: int
) -> dict[BlockKey, Block]:
    """Return the blocks after the patches between their version and `version`."""
    behind = {key: part for key, part in starts.items() if part.version < version}
    if not behind:
        return starts
    hull = _hull(part.window for part in behind.values())
    versions = {key: part.version for key, part in behind.items()}
    rows = edits_since(session, here.tile_id, versions, version, hull)
    return starts | after_patches(
        behind, ((row["version"], patch_of(row)) for row in rows), version
    )


def after_patches(
    blocks: dict[BlockKey, Block], patches: Iterable[tuple[int, Patch]], version: int
) -> dict[BlockKey, Block]:
    """Return the blocks at `version`, after those (version, patch) that are later than each."""
    work: dict[BlockKey, tuple[Bytes, Bytes]] = {}
    for number, patch in patches:
        for key in keys_of(patch.box):
            part = blocks.get(key)
            if part is None or number <= part.version:
                continue
            if key not in work:
                work[key] = (part.labels.copy(), part.provenance.copy())
            apply(*work[key], patch, y0=part.window.y0, x0=part.window.x0)
    done = {}
    for key, part in blocks.items():
        labels, provenance = work.get(key, (part.labels, part.provenance))
        done[key] = replace(
            part, version=version, labels=_sealed(labels), provenance=_sealed(provenance)
        )
    return done


def edits_since(
    session: Session, tile_id: int, versions: Mapping[BlockKey, int], up_to: int, window: Window
) -> Sequence[RowMapping]:
    """Return the patch columns of the edits that some block of a window has not seen yet.

    `versions` says up to which edit each block is. One that nobody touched may be far behind the
    others, so boxes are asked for first: they are cheap, and most edits miss it.
    """
    oldest = min(versions.values())
    query = select(EditRow.version, EditRow.y0, EditRow.x0, EditRow.h, EditRow.w).where(
        EditRow.tile_id == tile_id, EditRow.version > oldest, EditRow.version <= up_to
    )
    wanted = {
        number
        for number, *box in session.execute(query)
        if any(versions.get(key, up_to) < number for key in keys_of(Window(*box)))
    }
    if not wanted:
        return []
    rows = edits_between(session, tile_id, min(wanted) - 1, max(wanted), window)
    return [row for row in rows if row["version"] in wanted]


def edits_between(
    session: Session, tile_id: int, after: int, up_to: int, window: Window | None = None
) -> Sequence[RowMapping]:
    """Return the patch columns of edits with after < version <= up_to that touch the window."""
    query = select(*PATCH_COLUMNS).where(
        EditRow.tile_id == tile_id, EditRow.version > after, EditRow.version <= up_to
    )
    if window is not None:
        query = query.where(
            EditRow.y0 < window.y0 + window.h,
            EditRow.y0 + EditRow.h > window.y0,
            EditRow.x0 < window.x0 + window.w,
            EditRow.x0 + EditRow.w > window.x0,
        )
    return session.execute(query.order_by(EditRow.version)).mappings().all()


def patch_of(row: RowMapping) -> Patch:
    """Return the patch of a row of `PATCH_COLUMNS`."""
    return decode(
        Window(row["y0"], row["x0"], row["h"], row["w"]),
        Encoded(
            row["mask"],
            row["old_values"],
            row["new_values"],
            row["old_provenance"],
            row["new_provenance"],
        ),
    )


def _hull(windows: Iterable[Window]) -> Window:
    parts = list(windows)
    y0, x0 = min(p.y0 for p in parts), min(p.x0 for p in parts)
    y1, x1 = max(p.y0 + p.h for p in parts), max(p.x0 + p.w for p in parts)
    return Window(y0, x0, y1 - y0, x1 - x0)


def _sealed(array: Bytes) -> Bytes:
    array.flags.writeable = False
    return array

"""Labels of now of all patches of a project, kept in memory and brought up to date by the log.

A page of patches out of 400,000 must not replay each of them. What is remembered is one code and
one provenance for each patch (or cell); edits since are laid on it. It may vanish at any time.
"""

import threading
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.classes import Provenance
from core.errors import NotFound
from core.patch import Bytes
from core.patch_labels import NONE, PatchCodes
from core.records import Split
from core.replay import PATCH_COLUMNS, patch_of
from core.store.engine import Store
from core.store.tables import EditRow, ProjectRow, TileRow

KEPT = 4  # projects
IDS_AT_ONCE = 500

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PatchLabel:
    """A patch and its label of now.

    `codes` are those of `core.patch_labels`, `first` those it came with; `origin` is the provenance
    of the code, or of each cell. `shape` is the tile's (rows, columns).
    """

    tile_id: int
    name: str
    region: str
    split: Split
    editable: bool
    version: int
    shape: tuple[int, int]
    first: PatchCodes
    codes: PatchCodes
    origin: tuple[int, ...]

    @property
    def present(self) -> tuple[int, ...]:
        """Return the codes of the classes that the patch has."""
        return tuple(code for code in self.codes if code != NONE)


@dataclass(frozen=True)
class PatchFilter:
    """Which patches to show; None means that anything goes. `code` NONE: patches without any.

    `origin`: patches whose label, or any cell of it, has this provenance.
    """

    split: Split | None = None
    region: str | None = None
    code: int | None = None
    origin: Provenance | None = None


@dataclass
class _Index:
    """Arrays by patch, in the order of names."""

    born: datetime
    ids: Ids
    regions: npt.NDArray[np.str_]
    splits: npt.NDArray[np.str_]
    codes: Bytes  # [patches, cells]
    origin: Bytes
    edits: int = 0
    last: int = 0
    rows: dict[int, int] = field(default_factory=dict)


def find_patches(store: Store, project_id: int, wanted: PatchFilter) -> Ids:
    """Return the ids of the patches that fit, in the order of their names."""
    index = _current(store, project_id)
    keep = np.ones(len(index.ids), np.bool_)
    if wanted.split is not None:
        keep &= index.splits == wanted.split.value
    if wanted.region is not None:
        keep &= index.regions == wanted.region
    if wanted.code == NONE:
        keep &= (index.codes == NONE).all(axis=1)
    elif wanted.code is not None:
        keep &= (index.codes == wanted.code).any(axis=1)
    if wanted.origin is not None:
        keep &= (index.origin == wanted.origin).any(axis=1)
    return index.ids[keep]


def patches(store: Store, project_id: int, ids: Sequence[int]) -> list[PatchLabel]:
    """Return these patches with their labels of now, in this order; without those that are gone."""
    index = _current(store, project_id)
    version = select(func.max(EditRow.version)).where(EditRow.tile_id == TileRow.id)
    query = select(TileRow, version.scalar_subquery()).where(TileRow.project_id == project_id)
    found = {}
    with store.read() as session:
        for start in range(0, len(ids), IDS_AT_ONCE):
            part = [int(tile_id) for tile_id in ids[start : start + IDS_AT_ONCE]]
            for row, number in session.execute(query.where(TileRow.id.in_(part))):
                found[row.id] = _label(index, row, number or 0)
    return [found[int(tile_id)] for tile_id in ids if int(tile_id) in found]


def _label(index: _Index, row: TileRow, version: int) -> PatchLabel:
    at = index.rows[row.id]
    return PatchLabel(
        row.id,
        row.name,
        row.region,
        Split(row.split),
        row.split == Split.TRAIN and row.frozen_at is None,
        version,
        (row.height, row.width),
        tuple(row.patch_codes or ()),
        tuple(index.codes[at].tolist()),
        tuple(index.origin[at].tolist()),
    )


def regions_of(store: Store, project_id: int) -> list[str]:
    """Return the regions of a project's patches by name."""
    return [str(name) for name in np.unique(_current(store, project_id).regions)]


def count_origins(store: Store, project_id: int) -> dict[Provenance, int]:
    """Return how many patches to correct have a label, or any cell of it, of each provenance."""
    index = _current(store, project_id)
    origin = index.origin[index.splits == Split.TRAIN.value]
    return {kind: int((origin == kind).any(axis=1).sum()) for kind in Provenance}


def _current(store: Store, project_id: int) -> _Index:
    """Return the index with every edit of now; raises `NotFound` without patches."""
    memory = _memory(store)
    with memory.lock, store.read() as session:
        born = session.scalar(select(ProjectRow.created_at).where(ProjectRow.id == project_id))
        known = memory.indexes.get(project_id)
        tiles = select(func.count()).where(TileRow.project_id == project_id)
        if known is not None and (known.born != born or len(known.ids) != session.scalar(tiles)):
            known = None  # another project of that number, or more patches
        if known is None or not _caught_up(session, project_id, known):
            known = _built(session, project_id, born)
            _caught_up(session, project_id, known)
        memory.keep(project_id, known)
    return known


def _built(session: Session, project_id: int, born: datetime | None) -> _Index:
    columns = (TileRow.id, TileRow.region, TileRow.split, TileRow.patch_codes)
    query = select(*columns).where(TileRow.project_id == project_id)
    rows = session.execute(query.order_by(TileRow.name)).all()
    if born is None or not rows or any(not row[3] for row in rows):
        found = "a label that is a raster" if rows else "nothing"
        raise NotFound(f"patches of project {project_id}", found=found, expected="patch labels")
    codes = np.array([row[3] for row in rows], np.uint8)
    return _Index(
        born,
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows]),
        np.array([row[2] for row in rows]),
        codes,
        np.zeros_like(codes),
        rows={row[0]: at for at, row in enumerate(rows)},
    )


def _caught_up(session: Session, project_id: int, known: _Index) -> bool:
    """Lay later edits on the index; False where it does not fit the log."""
    mine = select(EditRow.id).join(TileRow).where(TileRow.project_id == project_id).subquery()
    count = session.scalar(select(func.count()).select_from(mine)) or 0
    if count == known.edits:
        return True
    query = select(EditRow.id, EditRow.tile_id, EditRow.pixels, *PATCH_COLUMNS).join(TileRow)
    query = query.where(TileRow.project_id == project_id, EditRow.id > known.last)
    rows = session.execute(query.order_by(EditRow.id)).mappings().all()
    # An edit with a smaller number may have been committed later by another process.
    if len(rows) != count - known.edits:
        return False
    for row in rows:
        _lay(known, row)
    known.edits, known.last = count, rows[-1]["id"]
    return True


def _lay(index: _Index, row: Any) -> None:  # noqa: ANN401  # a mapping of columns
    if not row["pixels"]:
        return
    at = index.rows[row["tile_id"]]
    if index.codes.shape[1] == 1:
        # The edit covers the patch with one class (`core.patch_labels.check_whole`).
        index.codes[at] = zlib.decompress(row["new_values"])[0]
        index.origin[at] = zlib.decompress(row["new_provenance"])[0]
        return
    patch = patch_of(row)
    cells = patch.box.x0 + np.flatnonzero(patch.mask[0])
    index.codes[at, cells] = patch.new_values
    index.origin[at, cells] = patch.new_provenance


@dataclass
class _Memory:
    """Indexes by project, the least recently used dropped."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    indexes: OrderedDict[int, _Index] = field(default_factory=OrderedDict)

    def keep(self, project_id: int, index: _Index) -> None:
        self.indexes[project_id] = index
        self.indexes.move_to_end(project_id)
        while len(self.indexes) > KEPT:
            self.indexes.popitem(last=False)


_memories: WeakKeyDictionary[Engine, _Memory] = WeakKeyDictionary()
_memories_lock = threading.Lock()


def _memory(store: Store) -> _Memory:
    with _memories_lock:
        return _memories.setdefault(store.engine, _Memory())

"""Who is behind each pixel of a label: the person of the newest edit that stands there.

An edit that was undone does not stand; after a redo the redo does. Pixels as they came have nobody.
"""

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import aliased

from core.classes import Provenance
from core.grid import Window, whole
from core.original import ground
from core.patch import mask_in
from core.replay import PATCH_COLUMNS, patch_of, region
from core.store.engine import Store
from core.store.tables import EditRow
from core.stroke import Tool

NOBODY = 0

Ids = npt.NDArray[np.int32]

_Later = aliased(EditRow)


def authors(
    store: Store, tile_id: int, window: Window | None = None, version: int | None = None
) -> Ids:
    """Return person ids of a window at a version (None: all, the newest), int32 [h, w].

    `NOBODY` stands where the label is as it came. Raises `NotFound` for an unknown tile or version.
    """
    labels = region(store, tile_id, window, version)
    undone = (
        select(_Later.id)
        .where(_Later.tile_id == tile_id, _Later.version <= labels.version)
        .where(_Later.reverses == EditRow.id)
        .exists()
    )
    query = (
        select(EditRow.person_id, *PATCH_COLUMNS)
        .where(EditRow.tile_id == tile_id, EditRow.version <= labels.version, EditRow.pixels > 0)
        .where(EditRow.tool != Tool.UNDO, ~undone)
        .order_by(EditRow.version)
    )
    with store.read() as session:
        here = window or whole(ground(session, tile_id).grid)
        rows = session.execute(query).mappings().all()
    ids: Ids = np.full((here.h, here.w), NOBODY, np.int32)
    for row in rows:
        ids[mask_in(patch_of(row), here)] = row["person_id"]
    ids[labels.provenance == Provenance.PSEUDO] = NOBODY
    return ids

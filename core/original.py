"""Version 0 of a tile: its label file as it came, read-only and held to the hash of its import."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from core import catalogue
from core.errors import NotFound, RasterError
from core.grid import Window
from core.patch import Bytes
from core.patch_labels import cells_at
from core.raster import read_layer
from core.records import Grid, Modality, Split
from core.store.tables import EditRow, ProjectRow, TileRow


@dataclass(frozen=True)
class Ground:
    """A tile as the edit log sees it; `version` is the count of its edits.

    `scanned` says whether its pixels were read (`core.scan`), and `problem` why they cannot be
    worked on. `born` is when its files became known: it tells a tile apart from an earlier one of
    its id, and from itself before its files were imported anew.
    """

    tile_id: int
    project_id: int
    name: str
    born: datetime
    grid: Grid
    editable: bool
    label_sha256: str | None
    version: int
    scanned: bool = True
    problem: str | None = None
    patch_codes: tuple[int, ...] | None = None


_GROUND = (
    select(
        TileRow.project_id,
        TileRow.name,
        TileRow.height,
        TileRow.width,
        TileRow.transform,
        TileRow.crs,
        TileRow.split,
        TileRow.frozen_at,
        TileRow.label_sha256,
        TileRow.scanned_at,
        TileRow.problem,
        TileRow.patch_codes,
        ProjectRow.created_at.label("born"),
        select(func.coalesce(func.max(EditRow.version), 0))
        .where(EditRow.tile_id == TileRow.id)
        .scalar_subquery()
        .label("version"),
    )
    .join(ProjectRow, TileRow.project_id == ProjectRow.id)
    .where(TileRow.id == bindparam("tile_id"))
)
_LOCK = select(TileRow.id).where(TileRow.id == bindparam("tile_id")).with_for_update()


def ground(session: Session, tile_id: int, *, for_update: bool = False) -> Ground:
    """Return the tile; raises `NotFound`. `for_update` locks its row where the database can."""
    if for_update and session.get_bind().dialect.name != "sqlite":
        # A statement of its own: what one statement reads beside the lock may be older than it.
        # SQLite has no row locks and needs none, since writers hold the whole file.
        session.execute(_LOCK, {"tile_id": tile_id})
    row = session.connection().execute(_GROUND, {"tile_id": tile_id}).mappings().first()
    if row is None:
        raise NotFound(f"tile {tile_id}", todo="Open the project again; it may have been deleted.")
    a, b, c, d, e, f = row["transform"]
    return Ground(
        tile_id=tile_id,
        project_id=row["project_id"],
        name=row["name"],
        born=row["scanned_at"] or row["born"],
        grid=Grid(row["height"], row["width"], (a, b, c, d, e, f), row["crs"]),
        editable=row["split"] == Split.TRAIN and not (row["frozen_at"] or row["problem"]),
        label_sha256=row["label_sha256"],
        version=row["version"],
        # The label of a whole patch is no file: nothing has to be read before an edit.
        scanned=row["scanned_at"] is not None or bool(row["patch_codes"]),
        problem=row["problem"],
        patch_codes=tuple(row["patch_codes"]) if row["patch_codes"] else None,
    )


def read_original(
    session: Session, here: Ground, window: Window, out_shape: tuple[int, int] | None = None
) -> Bytes:
    """Return the class codes of a window as they came, uint8 [h, w]; void where there is no label.

    `out_shape` (rows, columns) asks for a coarser copy, each pixel one of the window's. Raises
    `RasterError` when the file cannot be read or is not the one that was imported: every edit
    builds on it.
    """
    if here.patch_codes is not None:
        return cells_at(here.patch_codes, window, out_shape)
    void = catalogue.project_in(session, here.project_id).classes.void_code
    layers = catalogue.layers_in(session, here.tile_id, modality=Modality.LABEL)
    if not layers:
        return np.full(out_shape or (window.h, window.w), void, np.uint8)
    _check_file(layers[0].sources[0][0], here)
    raster = read_layer(layers[0], here.grid, window, out_shape)
    codes: Bytes = np.where(raster.valid, raster.values[0], np.uint8(void))
    return codes


def _check_file(path: Path, here: Ground) -> None:
    if here.label_sha256 is None:
        return
    try:
        stat = path.stat()
        sha256 = file_sha256(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise RasterError(
            str(path),
            found=error.strerror or "no file",
            expected=f"the label file of tile {here.name}",
            todo="Put the file back; the edits on it are kept.",
        ) from error
    if sha256 != here.label_sha256:
        raise other_content(path, sha256, here.label_sha256)


def other_content(path: Path, sha256: str, imported: str) -> RasterError:
    """Return the error for a label file that is not the one that was imported."""
    return RasterError(
        str(path),
        found=f"other content (SHA-256 {sha256[:12]}...)",
        expected=f"the file that was imported ({imported[:12]}...)",
        todo="Put the imported file back: the edits build on it and are kept. "
        "To use the new file, import it as another project.",
    )


@lru_cache(maxsize=4096)
def file_sha256(path: Path, size: int, mtime_ns: int) -> str:
    """Return the SHA-256 of a file; remembered for as long as its size and time stay the same."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

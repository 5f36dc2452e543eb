"""The catalogue: projects, tiles, acquisitions, layers and people, as plain records.

Every function takes the `Store` first, holds its session inside and returns records.
"""

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from core.classes import ClassEntry, ClassTable
from core.clouds.files import forget_files
from core.errors import CloudbrushError, NotFound
from core.map_files import unlink_map
from core.records import (
    Acquisition,
    Layer,
    Modality,
    Person,
    Project,
    Split,
    Tile,
    TileState,
)
from core.rows import acquisition_of, layer_of, tile_of, tile_query, tile_rows
from core.store.engine import Store, chunks
from core.store.tables import (
    AcquisitionRow,
    ClassEntryRow,
    EditRow,
    JobRow,
    LayerRow,
    ModelRow,
    PersonRow,
    PredictionRow,
    ProjectRow,
    TileEventRow,
    TileRow,
    now,
)

# Folders of the workspace with a part for each project that can be made again.
CACHES = ("superpixels",)


def ensure_person(store: Store, name: str) -> Person:
    """Return the person of that name, added when new. Raises when the name is blank or too long."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 80:
        raise CloudbrushError("your name", found=f"{len(name)} letters", expected="1 to 80")
    with store.write() as session:
        row = session.scalar(select(PersonRow).where(PersonRow.name == name))
        if row is None:
            row = PersonRow(name=name)
            session.add(row)
            session.flush()
        return Person(row.id, row.name)


def people(store: Store) -> list[Person]:
    """Return everybody, oldest first."""
    with store.read() as session:
        return [Person(r.id, r.name) for r in session.scalars(select(PersonRow).order_by("id"))]


def projects(store: Store, *, archived: bool = False) -> list[Project]:
    """Return the projects by age; archived ones only when asked for."""
    with store.read() as session:
        rows = session.scalars(select(ProjectRow).order_by(ProjectRow.id)).all()
        return [_project(session, row) for row in rows if archived or row.archived_at is None]


def project(store: Store, project_id: int) -> Project:
    """Return one project; raises `NotFound`."""
    with store.read() as session:
        return project_in(session, project_id)


def project_in(session: Session, project_id: int) -> Project:
    """Return one project as a session sees it; raises `NotFound`."""
    return _project(session, _get(session, ProjectRow, project_id))


def rename_project(store: Store, project_id: int, name: str) -> None:
    """Give a project another name. Raises when it is blank, too long or taken."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 120:
        raise CloudbrushError("project name", found=f"{len(name)} letters", expected="1 to 120")
    with store.write() as session:
        taken = session.scalar(select(ProjectRow.id).where(ProjectRow.name == name))
        if taken not in (None, project_id):
            raise CloudbrushError("project name", found=f"{name!r} twice", expected="a new name")
        _get(session, ProjectRow, project_id).name = name


def archive_project(store: Store, project_id: int, *, archived: bool = True) -> None:
    """Hide a project from the home page, or bring it back. Nothing is deleted."""
    with store.write() as session:
        _get(session, ProjectRow, project_id).archived_at = now() if archived else None


def delete_project(store: Store, project_id: int) -> None:
    """Delete a project with its edits, models, maps and scores, rows and files.

    Originals stay on disk, those of a demo too, and so do exports. Of the workspace only files that
    no other project names are deleted, and only after the database has forgotten the project.
    """
    with store.write() as session:
        row = _get(session, ProjectRow, project_id)
        mine = _files_of(session, project_id)
        session.delete(row)
        session.flush()
        kept = {*session.scalars(select(ModelRow.weights)), *session.scalars(_PREDICTION_PATHS)}
    forget_files(store, project_id)
    for cache in CACHES:
        shutil.rmtree(store.workspace / cache / f"project-{project_id}", ignore_errors=True)
    for name in mine - kept:
        path = store.workspace / name
        unlink_map(path)
        if path.suffix == ".safetensors":
            for beside in (".json", ".onnx"):
                path.with_suffix(beside).unlink(missing_ok=True)


# Every request asks for its tile: the statement is put together once.
_TILE = tile_query().where(TileRow.id == bindparam("tile_id"))
_PREDICTION_PATHS = select(PredictionRow.path)


def _files_of(session: Session, project_id: int) -> set[str]:
    """Return the files of a project's models, maps, tallies and jobs, below the workspace."""
    weights = select(ModelRow.weights).where(ModelRow.project_id == project_id)
    maps = _PREDICTION_PATHS.join(TileRow).where(TileRow.project_id == project_id)
    logs = session.scalars(select(JobRow.id).where(JobRow.project_id == project_id))
    return {
        *session.scalars(weights),
        *session.scalars(maps),
        *(f"logs/job-{job_id}.log" for job_id in logs),
        f"imports/project-{project_id}.jsonl",
    }


def tiles(store: Store, project_id: int, *, split: Split | None = None) -> list[Tile]:
    """Return the tiles of a project in name order."""
    query = tile_query().where(TileRow.project_id == project_id).order_by(TileRow.name)
    if split is not None:
        query = query.where(TileRow.split == split.value)
    with store.read() as session:
        return list(tile_rows(session, query))


IMAGES = (Modality.OPTICAL, Modality.SAR, Modality.HEIGHT)


def inputs(store: Store, among: Sequence[Tile]) -> tuple[str, ...]:
    """Return which of optical, SAR and height the first tile has that may be learnt from.

    Empty where no tile may be.
    """
    for tile in among:
        if tile.trainable:
            there = {layer.modality for layer in layers(store, tile.id)}
            return tuple(kind.value for kind in IMAGES if kind in there)
    return ()


def splits(store: Store, project_id: int) -> set[Split]:
    """Return the splits that the tiles of a project are in."""
    query = select(TileRow.split).where(TileRow.project_id == project_id).distinct()
    with store.read() as session:
        return {Split(split) for split in session.scalars(query)}


def tiles_by_id(store: Store, tile_ids: Sequence[int]) -> list[Tile]:
    """Return the tiles of these ids, in their order; ids without a tile are passed over."""
    found: dict[int, Tile] = {}
    with store.read() as session:
        for some in chunks(tile_ids):
            query = tile_query().where(TileRow.id.in_(some))
            found |= {tile.id: tile for tile in tile_rows(session, query)}
    return [found[tile_id] for tile_id in tile_ids if tile_id in found]


def tile(store: Store, tile_id: int) -> Tile:
    """Return one tile; raises `NotFound`."""
    with store.read() as session:
        row = session.connection().execute(_TILE, {"tile_id": tile_id}).first()
    if row is None:
        raise NotFound(f"tile {tile_id}", todo="Open the project again; it may have been deleted.")
    return tile_of(row)


def acquisitions(store: Store, tile_id: int) -> list[Acquisition]:
    """Return the optical dates of a tile, clearest first, unknown cover last."""
    return acquisitions_by_id(store, [tile_id]).get(tile_id, [])


def project_acquisitions(store: Store, project_id: int) -> dict[int, list[Acquisition]]:
    """Return the optical dates of every tile of a project, by tile id, clearest first."""
    query = select(AcquisitionRow).join(TileRow).where(TileRow.project_id == project_id)
    by_tile: dict[int, list[Acquisition]] = {}
    with store.read() as session:
        for row in session.scalars(query):
            by_tile.setdefault(row.tile_id, []).append(acquisition_of(row))
    return {tile_id: _clearest_first(found) for tile_id, found in by_tile.items()}


def acquisitions_by_id(store: Store, tile_ids: Sequence[int]) -> dict[int, list[Acquisition]]:
    """Return the optical dates of these tiles, by tile id, clearest first."""
    by_tile: dict[int, list[Acquisition]] = {}
    with store.read() as session:
        for some in chunks(tile_ids):
            query = select(AcquisitionRow).where(AcquisitionRow.tile_id.in_(some))
            for row in session.scalars(query):
                by_tile.setdefault(row.tile_id, []).append(acquisition_of(row))
    return {tile_id: _clearest_first(found) for tile_id, found in by_tile.items()}


def _clearest_first(found: Sequence[Acquisition]) -> list[Acquisition]:
    return sorted(found, key=lambda a: (a.cover is None, a.cover or 0.0, a.id))


def layers_by_id(
    store: Store, tile_ids: Sequence[int], modality: Modality | None = None
) -> dict[int, list[Layer]]:
    """Return the layers of these tiles, by tile id, all or of one modality."""
    by_tile: dict[int, list[Layer]] = {}
    with store.read() as session:
        for some in chunks(tile_ids):
            query = select(LayerRow).where(LayerRow.tile_id.in_(some)).order_by(LayerRow.id)
            if modality is not None:
                query = query.where(LayerRow.modality == modality.value)
            by_tile |= _by_tile(session, query)
    return by_tile


def _by_tile(session: Session, query: Select[LayerRow]) -> dict[int, list[Layer]]:
    found: dict[int, list[Layer]] = {}
    for row in session.scalars(query):
        found.setdefault(row.tile_id, []).append(layer_of(row))
    return found


def layers(store: Store, tile_id: int, *, modality: Modality | None = None) -> list[Layer]:
    """Return the layers of a tile, all or of one modality."""
    with store.read() as session:
        return layers_in(session, tile_id, modality=modality)


def layers_in(session: Session, tile_id: int, *, modality: Modality | None = None) -> list[Layer]:
    """Return the layers of a tile as a session sees them, all or of one modality."""
    query = select(LayerRow).where(LayerRow.tile_id == tile_id).order_by(LayerRow.id)
    if modality is not None:
        query = query.where(LayerRow.modality == modality.value)
    return [layer_of(row) for row in session.scalars(query)]


def project_layers(store: Store, project_id: int, modality: Modality) -> dict[int, list[Layer]]:
    """Return the layers of one modality of every tile of a project, by tile id."""
    query = select(LayerRow).join(TileRow).order_by(LayerRow.id)
    query = query.where(TileRow.project_id == project_id, LayerRow.modality == modality.value)
    with store.read() as session:
        return _by_tile(session, query)


def layer(store: Store, layer_id: int) -> Layer:
    """Return one layer; raises `NotFound`."""
    with store.read() as session:
        return layer_of(_get(session, LayerRow, layer_id))


def last_edit_at(store: Store, project_id: int) -> datetime | None:
    """Return when a label of the project was last changed, or None."""
    query = select(func.max(EditRow.saved_at)).join(TileRow)
    with store.read() as session:
        return session.scalar(query.where(TileRow.project_id == project_id))


def set_tile_state(
    store: Store, tile_id: int, state: TileState, person_id: int | None = None
) -> None:
    """Record that a tile was opened, skipped or done. Labels and provenance stay as they are."""
    with store.write() as session:
        _get(session, TileRow, tile_id)
        session.add(TileEventRow(tile_id=tile_id, person_id=person_id, state=state.value))


def reserve_tiles(store: Store, tile_ids: Sequence[int]) -> None:
    """Set training tiles aside for validation: they stay editable and are never trained on."""
    with store.write() as session:
        for tile_id in tile_ids:
            row = _get(session, TileRow, tile_id)
            if row.split != Split.TRAIN:
                raise CloudbrushError(
                    f"tile {row.name}",
                    found=f"a tile of the {row.split} split",
                    expected="a training tile",
                    todo="Tiles of other splits are never trained on; choose another tile.",
                )
            row.reserved_at = row.reserved_at or now()


def freeze_tiles(store: Store, tile_ids: Sequence[int]) -> None:
    """Make the labels of reserved tiles final, at their version of now: models are scored on them.

    Tiles that were not reserved are reserved by it.
    """
    reserve_tiles(store, tile_ids)
    with store.write() as session:
        for tile_id in tile_ids:
            row = _get(session, TileRow, tile_id)
            row.frozen_at = now()
            row.frozen_version = _version_of(session, tile_id)


def give_back_tiles(store: Store, tile_ids: Sequence[int]) -> None:
    """Return reserved or frozen tiles to training."""
    with store.write() as session:
        for tile_id in tile_ids:
            row = _get(session, TileRow, tile_id)
            row.reserved_at = row.frozen_at = row.frozen_version = None


def _version_of(session: Session, tile_id: int) -> int:
    query = select(func.max(EditRow.version)).where(EditRow.tile_id == tile_id)
    return session.scalar(query) or 0


Row = TypeVar("Row", ProjectRow, TileRow, LayerRow)


def _get(session: Session, kind: type[Row], row_id: int) -> Row:
    row = session.get(kind, row_id)
    if row is None:
        raise NotFound(
            f"{kind.__tablename__} {row_id}", todo="Go back to Home; it may have been deleted."
        )
    return row


def _project(session: Session, row: ProjectRow) -> Project:
    query = select(ClassEntryRow).where(ClassEntryRow.project_id == row.id)
    entries = session.scalars(query.order_by(ClassEntryRow.position))
    classes = ClassTable(
        row.class_table,
        tuple(ClassEntry(e.code, e.name, e.colour) for e in entries),
        row.void_code,
    )
    return Project(
        row.id,
        row.name,
        row.kind,
        row.reader,
        Path(row.root),
        row.preset,
        classes,
        row.created_at,
        row.archived_at is not None,
        row.options or {},
    )

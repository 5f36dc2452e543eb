"""Write checked tiles into the catalogue.

A small dataset is checked, pixels included, and written in one transaction or not at all. A large
one is written batch by batch by a job (`data.importing`): its project is hidden until the last
batch, and an import that was stopped goes on where it was.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core import catalogue
from core.check import Checked, Progress, check
from core.checked import CheckedLayer, CheckedTile
from core.classes import ClassTable
from core.clouds.cover import mask_source
from core.errors import DatasetError
from core.found import Finding, FoundDataset, FoundLayer
from core.records import Modality, Project
from core.scan import tally_row
from core.sources.source import to_json
from core.store.engine import Store
from core.store.tables import (
    AcquisitionRow,
    ClassEntryRow,
    LayerRow,
    ProjectRow,
    TileRow,
    now,
)

DEFAULT_ACQUISITION = "clear"

Values = dict[str, Any]


def import_dataset(
    store: Store,
    found: FoundDataset,
    name: str,
    *,
    roots: Sequence[Path],
    checked: Checked | None = None,
    progress: Progress | None = None,
    options: Mapping[str, Any] | None = None,
) -> Project:
    """Check a found dataset, pixels included, and write it as a project of that name.

    `checked` spares the check when it was made before, on the same `found`; `options` are kept with
    the project. Raises `DatasetError` when the name is taken or no tile can be imported; the
    database is then as it was.
    """
    name = free_name(store, name)
    if checked is None or checked.dataset is not found:
        checked = check(found, roots=roots, progress=progress)
    if not checked.tiles:
        raise nothing_to_import(found, checked.findings)
    with store.write() as session:
        project_id = add_project(session, found, name, options)
        write_tiles(session, project_id, checked.tiles, found.classes)
    return catalogue.project(store, project_id)


def nothing_to_import(found: FoundDataset, findings: Sequence[Finding]) -> DatasetError:
    """Return the error for a dataset without a tile that can be read."""
    return DatasetError(
        found.title,
        found=first_errors(findings) or "no tile",
        expected="at least one tile that can be read",
        todo="Mend the files or choose another folder.",
    )


def free_name(store: Store, name: str) -> str:
    """Return the name with single blanks; raises `DatasetError` when empty, long or taken."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 120:
        raise DatasetError("project name", found=f"{len(name)} letters", expected="1 to 120")
    with store.read() as session:
        _check_free(session, name)
    return name


def _check_free(session: Session, name: str) -> None:
    if session.scalar(select(ProjectRow.id).where(ProjectRow.name == name)):
        raise DatasetError(
            "project name",
            found=f"{name!r}, which another project has",
            expected="a new name",
            todo="Choose another name, or rename or delete the other project.",
        )


def first_errors(findings: Sequence[Finding], most: int = 3) -> str:
    """Return the first errors in words, and how many more there are."""
    errors = [f"{f.where}: {f.message}" for f in findings if f.level == "error"]
    more = f" (and {len(errors) - most} more)" if len(errors) > most else ""
    return " ".join(errors[:most]) + more


def add_project(
    session: Session,
    found: FoundDataset,
    name: str,
    options: Mapping[str, Any] | None = None,
    *,
    hidden: bool = False,
) -> int:
    """Add a project without tiles and return its id; raises `DatasetError` for a name in use."""
    _check_free(session, name)
    project = ProjectRow(
        name=name,
        kind=found.kind,
        reader=found.reader,
        root=str(found.root),
        preset=found.preset,
        class_table=found.classes.name,
        void_code=found.classes.void,
        options=dict(options) if options else None,
        archived_at=now() if hidden else None,
    )
    session.add(project)
    session.flush()
    for position, entry in enumerate(found.classes.entries):
        session.add(
            ClassEntryRow(
                project_id=project.id,
                position=position,
                code=entry.code,
                name=entry.name,
                colour=entry.colour,
            )
        )
    session.flush()
    return project.id


def write_tiles(
    session: Session, project_id: int, tiles: Sequence[CheckedTile], classes: ClassTable
) -> None:
    """Write tiles with their acquisitions and layers; their names are new in the project."""
    if not tiles:
        return
    rows = [_tile_values(tile, project_id) for tile in tiles]
    made = session.execute(insert(TileRow).returning(TileRow.name, TileRow.id), rows).all()
    ids = {name: tile_id for name, tile_id in made}  # rows are no plain pairs
    for tile in tiles:
        if tile.scan:
            pixels = {code: n for code, n in tile.scan.codes.items() if code in classes.codes}
            session.add(tally_row(ids[tile.found.name], pixels))
    write_layers(session, [(ids[tile.found.name], tile) for tile in tiles])


def write_layers(session: Session, tiles: Sequence[tuple[int, CheckedTile]]) -> None:
    """Write acquisitions and layers of tiles, given with their ids."""
    dates = [row for tile_id, tile in tiles for row in _acquisition_values(tile, tile_id)]
    known: dict[tuple[int, str], int] = {}
    if dates:
        columns = AcquisitionRow.tile_id, AcquisitionRow.name, AcquisitionRow.id
        for tile_id, name, row_id in session.execute(
            insert(AcquisitionRow).returning(*columns), dates
        ):
            known[tile_id, name] = row_id
    layers = [
        layer_values(
            layer,
            tile_id,
            known.get((tile_id, _acquisition_name(layer.found, tile) or "")),
            tile.scan.hashes[place] if tile.scan else (),
        )
        for tile_id, tile in tiles
        for place, layer in enumerate(tile.layers)
    ]
    if layers:
        session.execute(insert(LayerRow), layers)


def _tile_values(tile: CheckedTile, project_id: int) -> Values:
    return {
        "project_id": project_id,
        "name": tile.found.name,
        "split": tile.found.split.value,
        "label_sha256": tile.label_sha256,
        "patch_codes": list(tile.found.patch_codes) if tile.found.patch_codes else None,
        "scanned_at": now() if tile.scan else None,
        **place_values(tile),
    }


def place_values(tile: CheckedTile) -> Values:
    """Return the columns of a tile that say where it lies."""
    corners = tile.lonlat
    return {
        "region": tile.region,
        "height": tile.grid.height,
        "width": tile.grid.width,
        "crs": tile.grid.crs,
        "transform": list(tile.grid.transform),
        "lonlat": [list(corner) for corner in corners] if corners else None,
        "lon": sum(lon for lon, _ in corners) / len(corners) if corners else None,
        "lat": sum(lat for _, lat in corners) / len(corners) if corners else None,
    }


def _acquisition_name(layer: FoundLayer, tile: CheckedTile) -> str | None:
    """Return the acquisition that a layer belongs to; a lone cloud mask belongs to the only one."""
    if layer.modality is Modality.OPTICAL:
        return layer.acquisition or layer.date or DEFAULT_ACQUISITION
    if layer.modality is Modality.CLOUD:
        if layer.acquisition:
            return layer.acquisition
        optical = [la.found for la in tile.layers if la.found.modality is Modality.OPTICAL]
        return _acquisition_name(optical[0], tile) if len(optical) == 1 else None
    return None


def _acquisition_values(tile: CheckedTile, tile_id: int) -> list[Values]:
    rows: dict[str | None, Values] = {}
    for layer in tile.layers:
        name = _acquisition_name(layer.found, tile)
        if layer.found.modality is Modality.OPTICAL and name not in rows:
            rows[name] = {"tile_id": tile_id, "name": name, "date": layer.found.date}
            rows[name] |= dict.fromkeys(("thin", "thick", "shadow", "cloud_source"))
    for place, layer in enumerate(tile.layers):
        row = rows.get(_acquisition_name(layer.found, tile))
        fractions = tile.scan.fractions.get(place) if tile.scan else None
        if row and fractions:
            row["thin"], row["thick"], row["shadow"] = (float(share) for share in fractions)
            row["cloud_source"] = mask_source(layer.code_map)
    return list(rows.values())


def layer_values(
    layer: CheckedLayer, tile_id: int, acquisition_id: int | None, hashes: Sequence[str] = ()
) -> Values:
    """Return the columns of a checked layer; `hashes` are of its files, once they were read."""
    found = layer.found
    code_map = layer.code_map
    hashed: Sequence[str | None] = hashes or [None] * len(layer.stats)
    stats = [[*stat, sha256] for stat, sha256 in zip(layer.stats, hashed, strict=True)]
    return {
        "tile_id": tile_id,
        "acquisition_id": acquisition_id,
        "modality": found.modality.value,
        "name": found.name or found.acquisition or found.modality.value,
        "sources": [to_json(source) for source in found.sources],
        "bands": list(found.bands),
        "unit": found.unit.value,
        "nodata": layer.nodata,
        "offset_px": layer.offset_px,
        "code_map": {str(value): code for value, code in code_map.items()} if code_map else None,
        "stats": stats or None,
    }


def layer_row(layer: CheckedLayer, tile_id: int, acquisition_id: int | None) -> LayerRow:
    """Return the table row of a checked layer."""
    return LayerRow(**layer_values(layer, tile_id, acquisition_id))

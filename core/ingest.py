"""Write a checked dataset into the catalogue, all of it in one transaction or nothing.

`core.check` finds out what can be imported; tiles with an error are left out.
"""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import catalogue
from core.check import Checked, CheckedLayer, CheckedTile, Progress, check
from core.errors import DatasetError
from core.found import Finding, FoundDataset, FoundLayer
from core.records import Modality, Project
from core.store.engine import Store
from core.store.tables import (
    AcquisitionRow,
    ClassEntryRow,
    LayerRow,
    ProjectRow,
    TileRow,
)

DEFAULT_ACQUISITION = "clear"


def import_dataset(
    store: Store,
    found: FoundDataset,
    name: str,
    *,
    roots: Sequence[Path],
    checked: Checked | None = None,
    progress: Progress | None = None,
) -> Project:
    """Check a found dataset and write it as a project of that name.

    `checked` spares the check when it was made before, on the same `found`. Raises `DatasetError`
    when the name is taken or no tile can be imported; the database is then as it was.
    """
    name = free_name(store, name)
    if checked is None or checked.dataset is not found:
        checked = check(found, roots=roots, progress=progress)
    if not checked.tiles:
        raise DatasetError(
            found.title,
            found=first_errors(checked.findings) or "no tile",
            expected="at least one tile that can be read",
            todo="Mend the files or choose another folder.",
        )
    with store.write() as session:
        if session.scalar(select(ProjectRow.id).where(ProjectRow.name == name)):
            raise _taken(name)
        project_id = _write(session, checked, name)
    return catalogue.project(store, project_id)


def free_name(store: Store, name: str) -> str:
    """Return the name with single blanks; raises `DatasetError` when empty, long or taken."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 120:
        raise DatasetError("project name", found=f"{len(name)} letters", expected="1 to 120")
    with store.read() as session:
        if session.scalar(select(ProjectRow.id).where(ProjectRow.name == name)):
            raise _taken(name)
    return name


def _taken(name: str) -> DatasetError:
    return DatasetError(
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


def _write(session: Session, checked: Checked, name: str) -> int:
    found = checked.dataset
    project = ProjectRow(
        name=name,
        kind=found.kind,
        reader=found.reader,
        root=str(found.root),
        preset=found.preset,
        class_table=found.classes.name,
        void_code=found.classes.void,
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
    tiles = [(tile, _tile_row(tile, project.id)) for tile in checked.tiles]
    session.add_all(row for _, row in tiles)
    session.flush()
    dated = [(tile, row, _acquisition_rows(tile, row.id)) for tile, row in tiles]
    session.add_all(row for _, _, rows in dated for row in rows.values())
    session.flush()
    for tile, row, acquisitions in dated:
        for layer in tile.layers:
            held = acquisitions.get(_acquisition_name(layer.found, tile))
            session.add(layer_row(layer, row.id, held.id if held else None))
    return project.id


def _tile_row(tile: CheckedTile, project_id: int) -> TileRow:
    return TileRow(
        project_id=project_id,
        name=tile.found.name,
        region=tile.region,
        split=tile.found.split.value,
        height=tile.grid.height,
        width=tile.grid.width,
        crs=tile.grid.crs,
        transform=list(tile.grid.transform),
        lonlat=[list(corner) for corner in tile.lonlat] if tile.lonlat else None,
        label_sha256=tile.label_sha256,
        patch_codes=list(tile.found.patch_codes) if tile.found.patch_codes else None,
    )


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


def _acquisition_rows(tile: CheckedTile, tile_id: int) -> dict[str | None, AcquisitionRow]:
    rows: dict[str | None, AcquisitionRow] = {}
    for layer in tile.layers:
        name = _acquisition_name(layer.found, tile)
        if layer.found.modality is Modality.OPTICAL and name not in rows:
            rows[name] = AcquisitionRow(tile_id=tile_id, name=name, date=layer.found.date)
    for layer in tile.layers:
        row = rows.get(_acquisition_name(layer.found, tile))
        if row and layer.fractions:
            row.thin, row.thick, row.shadow = (float(share) for share in layer.fractions)
            row.cloud_source = "mask"
    return rows


def layer_row(layer: CheckedLayer, tile_id: int, acquisition_id: int | None) -> LayerRow:
    """Return the table row of a checked layer."""
    found = layer.found
    code_map = layer.code_map
    return LayerRow(
        tile_id=tile_id,
        acquisition_id=acquisition_id,
        modality=found.modality.value,
        name=found.name or found.acquisition or found.modality.value,
        sources=[[str(path), band] for path, band in found.sources],
        bands=list(found.bands),
        unit=found.unit.value,
        nodata=layer.nodata,
        offset_px=layer.offset_px,
        code_map={str(value): code for value, code in code_map.items()} if code_map else None,
    )

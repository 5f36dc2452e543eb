"""Corrected labels as GeoTIFF, their provenance beside them, and the edit log as CSV.

An export is a folder of its own below `exports` in the workspace. It is written under a hidden
name, read back, compared pixel by pixel, and only then given its name: what has a name is whole.
Originals are read through the edit log and never written.
"""

import csv
import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from core import catalogue, history
from core.classes import ClassTable, Provenance
from core.errors import CloudbrushError, DatasetError, RasterError
from core.grid import same_crs, same_grid
from core.raster import describe, read, write_geotiff
from core.records import Grid, Modality, Project, Tile, TileState
from core.store.engine import Store
from core.store.tables import LayerRow, TileRow
from core.timeline import EDIT_COLUMNS, edits_frame

PROVENANCE_COLOURS: dict[Provenance, tuple[int, int, int]] = {
    Provenance.PSEUDO: (200, 200, 196),
    Provenance.CHANGED: (179, 64, 46),
    Provenance.VERIFIED: (15, 110, 132),
    Provenance.MODEL: (123, 63, 160),
    Provenance.UNSURE: (244, 185, 66),
}
MANIFEST = "manifest.json"
EDITS = "edits.csv"
MAX_NAME = 80
EXACT_PX = 1e-6

Bytes = npt.NDArray[np.uint8]
Colours = Mapping[int, tuple[int, int, int]]
Progress = Callable[[int, int, str], None]


class Which(StrEnum):
    """Which tiles go out. Tiles that never had a label and no edit have nothing to export."""

    ALL = "all"
    EDITED = "edited"
    DONE = "done"


@dataclass(frozen=True)
class Plan:
    """What an export would hold. `most_bytes` is its size before compression."""

    tiles: tuple[Tile, ...]
    edits: int
    most_bytes: int


@dataclass(frozen=True)
class Exported:
    """A finished export that was read back and found equal."""

    name: str
    folder: Path
    files: int
    size_bytes: int
    manifest: dict[str, Any]


def plan_export(store: Store, project_id: int, which: Which = Which.ALL) -> Plan:
    """Return the tiles that an export would hold and how large it can get."""
    labelled = _labelled(store, project_id)
    tiles = tuple(
        tile
        for tile in catalogue.tiles(store, project_id)
        if (tile.id in labelled or tile.version) and _wanted(tile, which)
    )
    pixels = sum(tile.grid.height * tile.grid.width for tile in tiles)
    return Plan(tiles, sum(tile.version for tile in tiles), 2 * pixels)


def _wanted(tile: Tile, which: Which) -> bool:
    if which is Which.EDITED:
        return tile.version > 0
    return which is Which.ALL or tile.state is TileState.DONE


def _labelled(store: Store, project_id: int) -> set[int]:
    query = (
        select(LayerRow.tile_id)
        .join(TileRow, LayerRow.tile_id == TileRow.id)
        .where(TileRow.project_id == project_id, LayerRow.modality == Modality.LABEL.value)
    )
    with store.read() as session:
        return set(session.scalars(query))


def export_labels(
    store: Store,
    project_id: int,
    name: str,
    *,
    which: Which = Which.ALL,
    person: str = "",
    progress: Progress | None = None,
) -> Exported:
    """Write labels, provenance and edit log of a project and verify them.

    `progress` gets (done, all, message). Raises `DatasetError` when the name is taken or cannot be
    one, or when there is nothing to export, and `RasterError` when a file does not read back
    equal; nothing stays behind then.
    """
    project = catalogue.project(store, project_id)
    target = export_folder(store, name)
    plan = plan_export(store, project_id, which)
    if not plan.tiles:
        raise DatasetError(
            "export",
            found=f"no tile for {which.value!r}",
            expected="at least one tile",
            todo="Choose all tiles, or correct one first.",
        )
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        (part / "labels").mkdir(parents=True)
        tiles = _write_tiles(store, project, plan.tiles, part, progress)
        edits = _write_edits(store, project_id, tiles, part / EDITS)
        manifest = _manifest(project, which, person, tiles, edits)
        (part / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    files = [path for path in target.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    return Exported(target.name, target, len(files), size, manifest)


def export_folder(store: Store, name: str) -> Path:
    """Return the folder of a new export; raises `DatasetError` for a bad or a taken name."""
    if not re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9._ -]{{0,{MAX_NAME - 1}}}", name):
        raise DatasetError(
            "export name",
            found=repr(name[:MAX_NAME]),
            expected=f"1 to {MAX_NAME} letters, digits, blanks, dots, hyphens or underscores",
        )
    folder = store.folder("exports") / name
    if folder.exists():
        raise DatasetError("export name", found=f"{name!r}, which exists", expected="a new name")
    return folder


def suggest_name(project: Project, now: datetime) -> str:
    """Return a name for an export of now."""
    return f"{safe_name(project.name)[:50]}-{now:%Y%m%d-%H%M%S}"


def safe_name(name: str) -> str:
    """Return a name as a file name: other letters become underscores, no leading dot."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".-_") or "tile"


def _write_tiles(
    store: Store,
    project: Project,
    tiles: Sequence[Tile],
    part: Path,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    """Write and verify both rasters of each tile; return their entries of the manifest."""
    colours = class_colours(project.classes)
    entries = []
    taken: set[str] = set()
    for done, tile in enumerate(tiles, start=1):
        stem = safe_name(tile.name)
        if stem.lower() in taken or stem.endswith("_provenance"):
            stem = f"{stem}_{tile.id}"
        taken.add(stem.lower())
        now = history.current(store, tile.id)
        label, provenance = part / "labels" / f"{stem}.tif", f"{stem}_provenance.tif"
        _write_checked(label, now.labels, tile.grid, project.classes.void_code, colours)
        _write_checked(
            label.with_name(provenance), now.provenance, tile.grid, None, provenance_colours()
        )
        counts = np.bincount(now.provenance.ravel(), minlength=len(Provenance))
        entries.append(
            {
                "name": tile.name,
                "label": f"labels/{stem}.tif",
                "provenance": f"labels/{provenance}",
                "version": now.version,
                "split": tile.split.value,
                "region": tile.region,
                "height": tile.grid.height,
                "width": tile.grid.width,
                "crs": tile.grid.crs,
                "label_sha256": pixels_sha256(now.labels),
                "provenance_sha256": pixels_sha256(now.provenance),
                "pixels_by_provenance": {
                    code.name.lower(): int(counts[code]) for code in Provenance if counts[code]
                },
            }
        )
        if progress:
            progress(done, len(tiles), tile.name)
    return entries


def class_colours(classes: ClassTable) -> dict[int, tuple[int, int, int]]:
    """Return the colour table of label files; void is black."""
    lut = classes.rgb_lut.tolist()
    codes = (*classes.codes, classes.void_code)
    return {code: (lut[code][0], lut[code][1], lut[code][2]) for code in codes}


def provenance_colours() -> dict[int, tuple[int, int, int]]:
    """Return the colour table of provenance files."""
    return {int(code): rgb for code, rgb in PROVENANCE_COLOURS.items()}


def pixels_sha256(array: Bytes) -> str:
    """Return the SHA-256 of uint8 pixels [H, W], row by row."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def _write_checked(
    path: Path, array: Bytes, grid: Grid, nodata: int | None, colours: Colours
) -> None:
    write_geotiff(path, array, grid, nodata=nodata, colours=colours)
    verify(path, array, grid, nodata, colours)


def verify(path: Path, array: Bytes, grid: Grid, nodata: int | None, colours: Colours) -> None:
    """Read a raster back; raises `RasterError` that names what is not as it was written."""
    info = describe(path)
    found = info.colours or {}
    checks = {
        "pixels": np.array_equal(read([(path, 1)], categorical=True).values[0], array),
        "position": same_grid(info.grid, grid, EXACT_PX),
        "CRS": same_crs(info.grid.crs, grid.crs),
        "nodata": info.nodata == nodata,
        "colour table": all(found.get(code) == rgb for code, rgb in colours.items()),
    }
    wrong = [name for name, good in checks.items() if not good]
    if wrong:
        raise RasterError(
            str(path),
            found=f"other {', '.join(wrong)} than written",
            expected="a file that reads back equal",
            todo="Check the disk and export again.",
        )


def _write_edits(
    store: Store, project_id: int, tiles: Sequence[Mapping[str, Any]], path: Path
) -> int:
    """Write the edits up to the exported versions and read them back; return their number."""
    versions = {tile["name"]: tile["version"] for tile in tiles}
    rows = [
        row
        for row in edits_frame(store, project_id)
        if int(row["version"]) <= versions.get(row["tile"], 0)
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, EDIT_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    if found != [{column: str(row[column]) for column in EDIT_COLUMNS} for row in rows]:
        raise CloudbrushError(
            str(path), found="other rows than written", expected=f"{len(rows)} edits"
        )
    return len(rows)


def _manifest(
    project: Project,
    which: Which,
    person: str,
    tiles: Sequence[Mapping[str, Any]],
    edits: int,
) -> dict[str, Any]:
    classes = project.classes
    return {
        "format": "cloudbrush export",
        "format_version": 1,
        "project": project.name,
        "kind": project.kind,
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "exported_by": person,
        "tiles_chosen": which.value,
        "void_code": classes.void_code,
        "classes": [
            {"code": entry.code, "name": entry.name, "colour": entry.colour}
            for entry in classes.entries
        ],
        "provenance_codes": {code.name.lower(): int(code) for code in Provenance},
        "edits": edits,
        "verified": "every raster and the edit log were read back and compared",
        "tiles": list(tiles),
    }


def exports(store: Store) -> list[Path]:
    """Return the finished exports, newest first."""
    folder = store.folder("exports")
    found = [path for path in folder.iterdir() if (path / MANIFEST).is_file()]
    return sorted(
        (path for path in found if not path.name.startswith(".")),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )


def zip_export(folder: Path) -> Path:
    """Return the export as one zip file beside its folder, made when it is not there yet."""
    target = folder.with_name(f"{folder.name}.zip")
    if target.is_file():
        return target
    part = target.with_name(f".{target.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:  # rasters are compressed
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, Path(folder.name) / path.relative_to(folder))
    part.replace(target)
    return target

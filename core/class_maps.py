"""Class maps from elsewhere, shown as predictions beside those of the project's own models.

Any class raster will do: its codes go through a map into the project's class table, and it is
resampled onto the tile's grid. Its confidence is full, because such a map does not tell its doubts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import delete, select

from core import catalogue
from core.check import Progress, check_class_raster
from core.checked import CheckedLayer
from core.errors import CloudbrushError, DatasetError
from core.found import Finding, FoundLayer
from core.ingest import first_errors, layer_row
from core.predictions import save_prediction
from core.raster import SUFFIXES, check_allowed, read_layer
from core.records import Modality, Tile, Unit
from core.store.engine import Store
from core.store.tables import EvaluationRow, LayerRow, PredictionRow

FULL_CONFIDENCE = 255


@dataclass(frozen=True)
class AddedPredictions:
    """How many class maps were added, and what was wrong with the others."""

    added: int
    findings: tuple[Finding, ...]


def add_predictions(
    store: Store,
    project_id: int,
    source: Path | Sequence[Path],
    code_map: Mapping[int, int] | None = None,
    *,
    roots: Sequence[Path],
    name: str = "imported map",
    progress: Progress | None = None,
) -> AddedPredictions:
    """Add class rasters (a folder or files) as predictions of the tiles whose names they carry.

    `code_map` turns the files' codes into the project's. A map replaces an earlier one of the same
    `name`. Files without a tile, and maps that fail the check, are reported. Raises `DatasetError`
    when nothing can be added.
    """
    project = catalogue.project(store, project_id)
    files = _class_files(source, roots)
    tiles = catalogue.tiles(store, project_id)
    matched, findings = _match(files, tiles)
    ready = []
    for done, (tile, path) in enumerate(matched, start=1):
        found = FoundLayer(
            Modality.MODEL,
            ((path, 1),),
            ("class",),
            Unit.CODE,
            code_map=dict(code_map or {}),
            name=name,
        )
        try:
            layer = check_class_raster(found, tile.grid, project.classes, roots, findings)
            ready.append((tile, layer))
        except CloudbrushError as error:
            findings.append(Finding("error", str(path), str(error)))
        if progress:
            progress(done, len(matched), path.name)
    if not ready:
        raise DatasetError(
            "predictions",
            found=first_errors(findings) or f"{len(files)} rasters, none named like a tile",
            expected="class rasters named like the tiles",
        )
    for tile, layer in ready:
        _add(store, tile, layer)
    return AddedPredictions(len(ready), tuple(findings))


def _class_files(source: Path | Sequence[Path], roots: Sequence[Path]) -> list[Path]:
    if not isinstance(source, Path):
        return [check_allowed(path, roots) for path in source]
    folder = check_allowed(source, roots)
    if not folder.is_dir():
        raise DatasetError(str(folder), found="no folder", expected="a folder of class rasters")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def _match(
    files: Sequence[Path], tiles: Sequence[Tile]
) -> tuple[list[tuple[Tile, Path]], list[Finding]]:
    """Pair files with tiles by stem; a stem may go on after the tile's name (`NAME_pred`)."""
    by_name = {tile.name: tile for tile in tiles}
    matched: dict[int, tuple[Tile, Path]] = {}
    findings = []
    for path in files:
        stem = path.stem
        while stem and stem not in by_name:
            stem = stem.rpartition("_")[0]
        tile = by_name.get(stem)
        if tile is None:
            findings.append(Finding("warning", str(path), "no tile has this name; left out"))
        elif tile.id in matched:
            findings.append(Finding("warning", str(path), f"a second file for {tile.name}"))
        else:
            matched[tile.id] = (tile, path)
    return list(matched.values()), findings


def _add(store: Store, tile: Tile, checked: CheckedLayer) -> None:
    """Write the layer, then its map; an earlier map of that name gives way with its scores."""
    found = checked.found
    with store.write() as session:
        earlier = select(LayerRow).where(
            LayerRow.tile_id == tile.id,
            LayerRow.modality == Modality.MODEL.value,
            LayerRow.name == found.name,
        )
        for old in session.scalars(earlier):
            for kind in (PredictionRow, EvaluationRow):
                session.execute(
                    delete(kind).where(kind.tile_id == tile.id, kind.source == source_of(old.id))
                )
            session.delete(old)
        row = layer_row(checked, tile.id, None)
        session.add(row)
        session.flush()
        layer_id = row.id
    codes = read_layer(catalogue.layer(store, layer_id), tile.grid).values[0]
    doubts = np.full_like(codes, FULL_CONFIDENCE)
    save_prediction(store, tile.id, source_of(layer_id), codes, doubts)


def source_of(layer_id: int) -> str:
    """Return how predictions and evaluations name an imported map."""
    return f"layer/{layer_id}"

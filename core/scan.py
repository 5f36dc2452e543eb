"""Read the pixels of a tile: do its codes have a class, are its images there, what covers it.

An import reads headers only (`core.headers`). Pixels are read once, by the job `scan`, and in any
case before a tile's first edit or training: whatever builds on a tile calls `ensure_scanned`
first. What was found is kept with the tile: the hashes of its files, the cloud cover of its dates,
and, where its pixels cannot be worked on, the problem in words. Such a tile takes no edits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import catalogue
from core.checked import Scan, files_of, known_codes, stats_of
from core.classes import ClassTable
from core.clouds import cover as cloud
from core.errors import ClassTableError, CloudbrushError, NotEditable, RasterError
from core.found import Finding
from core.grid import Window
from core.original import file_sha256, other_content
from core.patch_labels import LIST
from core.raster import (
    CLASS_MODALITIES,
    apply_codes,
    describe_source,
    overviews_hold_classes,
    read,
)
from core.records import Grid, Layer, Modality
from core.sources.source import by_raster
from core.store.engine import Store
from core.store.tables import AcquisitionRow, LayerRow, TallyRow, TileRow, now

SAMPLES, SAMPLE_ROWS = 4, 256
COARSE_PX = 512
STRIP_PX = 2**22

Counts = npt.NDArray[np.int64]


def scan_layers(
    layers: Sequence[Layer], grid: Grid, classes: ClassTable, where: str
) -> tuple[Scan, list[Finding]]:
    """Return what the pixels of a tile's layers hold, and what a person should know.

    Raises `ClassTableError` for codes without a class, `RasterError` for pixels that cannot be
    read, and `DatasetError` for a cloud mask without a valid pixel.
    """
    findings: list[Finding] = []
    codes: dict[int, int] = {}
    fractions: dict[int, tuple[float, float, float]] = {}
    for place, layer in enumerate(layers):
        if layer.modality not in CLASS_MODALITIES:
            _check_valid_pixels(layer, grid)
            continue
        counts = count_codes(layer, grid, classes)
        findings += _about_overviews(layer)
        if layer.modality is Modality.CLOUD:
            fractions[place] = cloud.fractions_of_counts(counts)
        elif layer.modality is Modality.LABEL:
            codes = {int(c): int(n) for c, n in enumerate(counts) if n}
            if set(codes) <= {classes.void_code}:
                findings.append(Finding("warning", where, "the label is void everywhere"))
    return Scan(codes, fractions, tuple(_hashes(layer) for layer in layers)), findings


def ensure_scanned(store: Store, tile_id: int) -> None:
    """Read the pixels of a tile unless that was done before.

    Raises `NotEditable` where they cannot be worked on, in the words of the problem.
    """
    with store.read() as session:
        state = session.execute(
            select(TileRow.scanned_at, TileRow.problem, TileRow.name, TileRow.patch_codes).where(
                TileRow.id == tile_id
            )
        ).first()
    if state is not None and state.patch_codes and state.problem is None:
        # The label of a whole patch is no file, and its images may lie in one of many gigabytes.
        return
    if state is None or (state.scanned_at is not None and state.problem is None):
        return
    problem = state.problem or scan_tile(store, tile_id)
    if problem is not None:
        raise not_workable(state.name, problem)


def not_workable(name: str, problem: str) -> NotEditable:
    """Return the error for a tile whose pixels cannot be worked on."""
    return NotEditable(
        f"tile {name}",
        found=problem.rstrip("."),
        expected="files whose pixels can be worked on",
        todo="Its labels stay as they are. Mend the files, then scan the tile again in Explore.",
    )


def scan_tile(store: Store, tile_id: int) -> str | None:
    """Read the pixels of a tile and keep what they hold; return its problem in words, or None."""
    tile = catalogue.tile(store, tile_id)
    project = catalogue.project(store, tile.project_id)
    layers = [la for la in catalogue.layers(store, tile_id) if la.modality is not Modality.MODEL]
    # A list of classes has a grid of cells; its images are looked at on their own.
    listed = project.kind == LIST and bool(layers)
    grid = describe_source(layers[0].sources[0]).grid if listed else tile.grid
    try:
        scan, _ = scan_layers(layers, grid, project.classes, tile.name)
        _check_label(store, tile_id, layers, scan)
    except CloudbrushError as error:
        with store.write() as session:
            mark_problem(session, tile_id, str(error))
        return str(error)
    with store.write() as session:
        _keep(session, tile_id, layers, scan, project.classes)
    return None


def _check_label(store: Store, tile_id: int, layers: Sequence[Layer], scan: Scan) -> None:
    """Raise `RasterError` when the label is not the file that the edits on it build on."""
    with store.read() as session:
        kept = session.scalar(select(TileRow.label_sha256).where(TileRow.id == tile_id))
    for layer, hashes in zip(layers, scan.hashes, strict=True):
        if kept and layer.modality is Modality.LABEL and hashes and hashes[0] != kept:
            raise other_content(layer.sources[0][0], hashes[0], kept)


def mark_problem(session: Session, tile_id: int, problem: str) -> None:
    """Keep why a tile cannot be worked on."""
    where = TileRow.id == tile_id
    session.execute(update(TileRow).where(where).values(scanned_at=now(), problem=problem))


def _keep(
    session: Session, tile_id: int, layers: Sequence[Layer], scan: Scan, classes: ClassTable
) -> None:
    changes: dict[str, object] = {"scanned_at": now(), "problem": None}
    for place, (layer, hashes) in enumerate(zip(layers, scan.hashes, strict=True)):
        stats = stats_of(files_of(layer.sources))
        if stats and hashes:
            rows = [[*stat, sha256] for stat, sha256 in zip(stats, hashes, strict=True)]
            session.execute(update(LayerRow).where(LayerRow.id == layer.id).values(stats=rows))
        if layer.modality is Modality.LABEL and hashes:
            changes["label_sha256"] = hashes[0]
        if place in scan.fractions and layer.acquisition_id is not None:
            source = cloud.mask_source(layer.code_map)
            _keep_cover(session, layer.acquisition_id, scan.fractions[place], source)
    session.execute(update(TileRow).where(TileRow.id == tile_id).values(**changes))
    tile = session.get(TileRow, tile_id)
    counts = scan.codes
    if tile is not None and tile.patch_codes:
        each = tile.height * tile.width // len(tile.patch_codes)
        counts = dict.fromkeys(tile.patch_codes, each)
    pixels = {code: n for code, n in counts.items() if code in classes.codes}
    session.merge(tally_row(tile_id, pixels))


def _keep_cover(
    session: Session, acquisition_id: int, fractions: tuple[float, float, float], source: str
) -> None:
    """Keep the cover that the dataset's own mask says, unless it was found in another way."""
    row = session.get(AcquisitionRow, acquisition_id)
    if row is not None and row.cloud_source in (None, *cloud.GIVEN_SOURCES):
        row.thin, row.thick, row.shadow = fractions
        row.cloud_source = source


def tally_row(
    tile_id: int,
    pixels: dict[int, int],
    *,
    version: int = 0,
    shown: str = "",
    disagreement: float | None = None,
) -> TallyRow:
    """Return the row that keeps a tally; `shown` names the map that it was compared with."""
    return TallyRow(
        tile_id=tile_id,
        version=version,
        map=shown,
        pixels={str(code): count for code, count in pixels.items()},
        present="".join(f",{code}" for code in sorted(pixels)) + ",",
        disagreement=disagreement,
    )


def _hashes(layer: Layer) -> tuple[str, ...]:
    """Return the SHA-256 of each file of a layer; empty where one of them is no plain file."""
    paths = files_of(layer.sources)
    if not all(path.is_file() for path in paths):
        return ()
    return tuple(sha256_of(path) for path in paths)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as it is now; raises `OSError`."""
    stat = path.stat()
    return file_sha256(path, stat.st_size, stat.st_mtime_ns)


def _about_overviews(layer: Layer) -> list[Finding]:
    paths = files_of(layer.sources)
    if all(overviews_hold_classes(path, part) for path, part in by_raster(layer.sources)):
        return []
    text = "its overviews average class codes and are passed by: make them anew by nearest"
    return [Finding("warning", str(paths[0]), text)]


def _check_valid_pixels(layer: Layer, grid: Grid) -> None:
    """Read strips at full resolution, all of a small tile: overviews may be fine in a bad file."""
    found = False
    starts = np.linspace(0, max(grid.height - SAMPLE_ROWS, 0), SAMPLES).astype(int)
    for y0 in sorted({int(start) for start in starts}):
        window = Window(y0, 0, min(SAMPLE_ROWS, grid.height - y0), grid.width)
        found |= bool(read(layer.sources, grid, window).valid.any())
    if found:
        return
    shape = (min(grid.height, COARSE_PX), min(grid.width, COARSE_PX))
    if not read(layer.sources, grid, out_shape=shape).valid.any():
        raise RasterError(
            str(layer.sources[0][0]),
            found="no valid pixel (all nodata)",
            expected="an image",
            todo="Check its nodata value, or leave the file out.",
        )


@dataclass
class _Unknown:
    """Values of a class raster that no class has, with their pixels."""

    pixels: dict[float, int]
    known: set[int]

    def error(self, where: str) -> ClassTableError:
        """Return the error that names each value, the most frequent first."""
        listed = sorted(self.pixels.items(), key=lambda item: -item[1])
        named = ", ".join(f"{value:g} ({n:,} px)" for value, n in listed[:8])
        more = f" and {len(listed) - 8} more values" if len(listed) > 8 else ""
        return ClassTableError(
            where,
            found=f"unknown codes {named}{more}",
            expected=f"codes {sorted(self.known)}",
            todo="Add them to the class table, or map them to a class or to void.",
        )


def count_codes(layer: Layer, grid: Grid, classes: ClassTable) -> Counts:
    """Return pixels by code, int64 [256], on the tile's grid, read strip by strip.

    Raises `ClassTableError` that names each unknown value with its pixels.
    """
    none = 255 if layer.nodata is None else int(layer.nodata)
    code_map, where = layer.code_map or {}, str(layer.sources[0][0])
    unknown = _Unknown({}, known_codes(layer.modality, classes))
    rows = max(STRIP_PX // grid.width, 1)
    counts = np.zeros(256, np.int64)
    for y0 in range(0, grid.height, rows):
        window = Window(y0, 0, min(rows, grid.height - y0), grid.width)
        raster = read(layer.sources, grid, window, categorical=True)
        values, pixels = np.unique(raster.values[:, raster.valid], return_counts=True)
        for value, n in zip(values.tolist(), pixels.tolist(), strict=True):
            whole = float(value).is_integer()
            if not whole or code_map.get(int(value), value) not in unknown.known:
                unknown.pixels[value] = unknown.pixels.get(value, 0) + n
        if not unknown.pixels:
            codes = apply_codes(raster, code_map, none, where)
            counts += np.bincount(codes.ravel(), minlength=256)
    if unknown.pixels:
        raise unknown.error(where)
    return counts

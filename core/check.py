"""Check every raster of a found dataset before anything is written.

Headers of all files are read, class rasters wholly and images on a coarse copy, so that a file
that opens but cannot be read is found here and not in the editor. A tile with an error is left
out; all findings are kept.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core import cloud, patch_labels
from core.classes import ClassTable
from core.errors import (
    ClassTableError,
    CloudbrushError,
    DatasetError,
    GridMismatch,
    RasterError,
)
from core.found import Finding, FoundDataset, FoundLayer, FoundTile
from core.grid import SAME_PX, Window, is_placed, lonlat_corners, offset_px
from core.original import file_sha256
from core.raster import (
    CLASS_MODALITIES,
    RasterInfo,
    apply_codes,
    check_allowed,
    describe,
    overviews_hold_classes,
    read,
)
from core.records import Grid, Modality, Split, Unit

MAX_TILE_PX = 2**31  # 46,340 x 46,340; pixels of larger rasters cannot be counted in 32 bits
SAMPLES, SAMPLE_ROWS = 4, 256
COARSE_PX = 512
STRIP_PX = 2**22
CHECK_THREADS = min(4, os.cpu_count() or 1)

# The tile takes the grid of the first of these that it has.
GRID_ORDER = (
    Modality.LABEL,
    Modality.TRUTH,
    Modality.SAR,
    Modality.OPTICAL,
    Modality.CLOUD,
    Modality.MODEL,
)

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class CheckedLayer:
    """A layer that can be read on its tile's grid.

    For class layers `code_map` is complete and `nodata` the code of pixels without a value.
    `fractions` (thin, thick, shadow) belong to cloud layers.
    """

    found: FoundLayer
    offset_px: float
    nodata: float | None
    code_map: dict[int, int] | None
    fractions: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class CheckedTile:
    """A tile whose layers all passed. `codes` counts label pixels by class code, void included."""

    found: FoundTile
    grid: Grid
    lonlat: tuple[tuple[float, float], ...] | None
    layers: tuple[CheckedLayer, ...]
    label_sha256: str | None
    codes: dict[int, int]

    @property
    def region(self) -> str:
        """Return the region as found, or the one-degree cell of the upper left corner, or all."""
        if self.found.region or not self.lonlat:
            return self.found.region or "all"
        lon, lat = (int(np.floor(angle)) for angle in self.lonlat[0])
        return f"{abs(lat)}{'N' if lat >= 0 else 'S'} {abs(lon)}{'E' if lon >= 0 else 'W'}"


@dataclass(frozen=True)
class Checked:
    """A dataset after the check: what can be imported, and everything there is to know about it."""

    dataset: FoundDataset
    tiles: tuple[CheckedTile, ...]
    findings: tuple[Finding, ...]

    @property
    def codes(self) -> dict[int, int]:
        """Return label pixels by class code over all tiles."""
        total: dict[int, int] = {}
        for tile in self.tiles:
            for code, pixels in tile.codes.items():
                total[code] = total.get(code, 0) + pixels
        return total


def check(
    found: FoundDataset, *, roots: Sequence[Path], progress: Progress | None = None
) -> Checked:
    """Check every tile of a found dataset; writes nothing.

    `roots` are the folders that rasters may be read from; `progress` gets (done, all, message).
    """
    tiles: list[CheckedTile] = []
    findings = [*found.findings, *_names_twice(found)]
    with ThreadPoolExecutor(CHECK_THREADS) as pool:
        results = pool.map(lambda tile: _check_tile(tile, found.classes, roots), found.tiles)
        for done, (tile, about) in enumerate(results, start=1):
            findings += about
            if tile:
                tiles.append(tile)
            if progress:
                progress(done, len(found.tiles), found.tiles[done - 1].name)
    tiles = list({tile.found.name: tile for tile in reversed(tiles)}.values())[::-1]
    unplaced = [tile.found.name for tile in tiles if tile.lonlat is None]
    if unplaced:
        text = (
            f"{len(unplaced)} of {len(tiles)} tiles have no position: a grid takes the map's place"
        )
        findings.append(Finding("info", found.title, text))
    return Checked(found, tuple(tiles), tuple(findings))


def _names_twice(found: FoundDataset) -> list[Finding]:
    seen: set[str] = set()
    twice = []
    for tile in found.tiles:
        if tile.name in seen:
            twice.append(Finding("error", tile.name, "two tiles have this name; the first is kept"))
        seen.add(tile.name)
    return twice


def _check_tile(
    tile: FoundTile, classes: ClassTable, roots: Sequence[Path]
) -> tuple[CheckedTile | None, list[Finding]]:
    findings: list[Finding] = []
    try:
        tile = replace(tile, layers=tuple(_allowed(layer, roots) for layer in tile.layers))
        infos = [_headers(layer) for layer in tile.layers]
        _check_images_present(tile)
        grid = _tile_grid(tile, infos)
        layers, codes = [], {}
        for layer, files in zip(tile.layers, infos, strict=True):
            checked, counts = _check_layer(layer, files, grid, classes, findings)
            layers.append(checked)
            if layer.modality is Modality.LABEL:
                codes = {int(c): int(n) for c, n in enumerate(counts) if n}
        if tile.patch_codes is not None:
            grid, codes = patch_labels.checked(tile, grid, classes)
        else:
            _report_about_label(tile, codes, classes, findings)
    except CloudbrushError as error:
        return None, [*findings, Finding("error", tile.name, str(error))]
    sha256 = next((_sha256(la) for la in tile.layers if la.modality is Modality.LABEL), None)
    lonlat = lonlat_corners(grid)
    return CheckedTile(tile, grid, lonlat, tuple(layers), sha256, codes), findings


def check_class_raster(
    found: FoundLayer,
    grid: Grid,
    classes: ClassTable,
    roots: Sequence[Path],
    findings: list[Finding],
) -> CheckedLayer:
    """Check one class raster against the grid of a tile that exists already.

    Adds to `findings`; raises a `CloudbrushError` when the raster cannot be used.
    """
    found = _allowed(found, roots)
    return _check_layer(found, _headers(found), grid, classes, findings)[0]


def _sha256(layer: FoundLayer) -> str:
    path = layer.sources[0][0]
    stat = path.stat()
    return file_sha256(path, stat.st_size, stat.st_mtime_ns)


def _allowed(layer: FoundLayer, roots: Sequence[Path]) -> FoundLayer:
    """Return the layer with absolute paths, links resolved; raises outside the roots."""
    allowed = {path: check_allowed(path, roots) for path, _ in layer.sources}
    return replace(layer, sources=tuple((allowed[path], band) for path, band in layer.sources))


def _headers(layer: FoundLayer) -> list[RasterInfo]:
    """Return the header of each file of a layer, once; raises where a band is missing."""
    infos = []
    for path in dict.fromkeys(path for path, _ in layer.sources):
        info = describe(path)
        wanted = max(band for p, band in layer.sources if p == path)
        colours = info.count - (info.alpha_band is not None)
        if wanted > colours or (layer.modality in CLASS_MODALITIES and colours != 1):
            number = "1 band" if layer.modality in CLASS_MODALITIES else f"at least {wanted} bands"
            raise RasterError(
                str(path),
                found=f"{colours} bands",
                expected=f"{number} for {layer.modality.value}",
                todo="Choose another file for this role, or export it again.",
            )
        infos.append(info)
    return infos


def _check_images_present(tile: FoundTile) -> None:
    if not any(la.modality in (Modality.OPTICAL, Modality.SAR) for la in tile.layers):
        held = ", ".join(la.modality.value for la in tile.layers) or "nothing"
        raise DatasetError(
            tile.name,
            found=held,
            expected="an optical or a SAR image as partner",
            todo="Add the missing file under the same name.",
        )


def _tile_grid(tile: FoundTile, infos: list[list[RasterInfo]]) -> Grid:
    """Return the label's grid, or else the next in order; any file may lend its position."""
    pairs = zip(tile.layers, infos, strict=True)
    ordered = sorted(pairs, key=lambda pair: GRID_ORDER.index(pair[0].modality))
    first = ordered[0][1][0]
    # A SAR tile in single-band files of several pixel sizes takes the finest.
    grid = min((info.grid for info in ordered[0][1]), key=lambda g: -g.height * g.width)
    if grid.height * grid.width > MAX_TILE_PX:
        raise RasterError(
            str(first.path),
            found=f"{grid.height} x {grid.width} pixels",
            expected=f"at most {MAX_TILE_PX:,} pixels in a tile",
            todo="Cut the scene into tiles.",
        )
    if grid.crs is None:
        for _, files in ordered:
            for info in files:
                same_shape = (info.height, info.width) == (grid.height, grid.width)
                if same_shape and info.grid.crs and not is_placed(grid):
                    return info.grid
    return grid


def _check_layer(
    layer: FoundLayer,
    infos: list[RasterInfo],
    grid: Grid,
    classes: ClassTable,
    findings: list[Finding],
) -> tuple[CheckedLayer, npt.NDArray[np.int64]]:
    offset = max(_check_offset(layer, info, grid, findings) for info in infos)
    if layer.modality not in CLASS_MODALITIES:
        return _check_image(layer, infos, grid, offset, findings), np.zeros(256, np.int64)
    none = cloud.NONE if layer.modality is Modality.CLOUD else classes.void_code
    known = set(cloud.LEVELS) if layer.modality is Modality.CLOUD else {*classes.codes, none}
    code_map = dict(layer.code_map or {})
    nodata = infos[0].nodata
    if nodata is not None and float(nodata).is_integer() and int(nodata) not in known:
        code_map.setdefault(int(nodata), none)
    counts = _count_codes(layer, grid, code_map, known, none)
    if not all(overviews_hold_classes(info.path) for info in infos):
        text = "its overviews average class codes and are passed by: make them anew by nearest"
        findings.append(Finding("warning", str(infos[0].path), text))
    shares = None
    if layer.modality is Modality.CLOUD:
        shares = cloud.fractions_of_counts(counts)
    return CheckedLayer(layer, offset, none, code_map or None, shares), counts


def _check_offset(
    layer: FoundLayer, info: RasterInfo, grid: Grid, findings: list[Finding]
) -> float:
    try:
        offset = offset_px(grid, info.grid)
    except GridMismatch as error:
        raise GridMismatch(
            f"{info.path}, {error.where}",
            found=error.found,
            expected=error.expected,
            todo=error.todo,
        ) from error
    where = str(info.path)
    if info.has_gcps and info.grid.crs is None:
        text = "placed by ground control points only: used pixel by pixel, without a position"
        findings.append(Finding("warning", where, text))
    if offset > SAME_PX:
        text = f"lies {offset:.2f} pixels off the tile's grid: resampled when read"
        findings.append(Finding("warning", where, text))
    elif (info.height, info.width) != (grid.height, grid.width):
        text = (
            f"{info.height} x {info.width} pixels on the ground of {grid.height} x {grid.width}: "
            "resampled when read"
        )
        findings.append(Finding("info", where, text))
    colours = info.count - (info.alpha_band is not None)
    used = {band for path, band in layer.sources if path == info.path}
    if len(used) < colours:
        text = f"{colours} bands, of which {len(used)} are used"
        findings.append(Finding("info", where, text))
    return offset


def _check_image(
    layer: FoundLayer,
    infos: list[RasterInfo],
    grid: Grid,
    offset: float,
    findings: list[Finding],
) -> CheckedLayer:
    path = str(infos[0].path)
    if not _has_valid_pixels(layer, grid):
        raise RasterError(
            path,
            found="no valid pixel (all nodata)",
            expected="an image",
            todo="Check its nodata value, or leave the file out.",
        )
    unit = layer.unit
    if unit is Unit.RELATIVE_8BIT and infos[0].dtype != "uint8":
        unit = Unit.NUMBER
    elif infos[0].dtype == "uint8":
        unit = Unit.RELATIVE_8BIT
    if unit is not layer.unit:
        text = f"{infos[0].dtype} values: taken as {unit.value}, not as {layer.unit.value}"
        findings.append(Finding("warning", path, text))
        layer = replace(layer, unit=unit)
    return CheckedLayer(layer, offset, infos[0].nodata, None)


def _has_valid_pixels(layer: FoundLayer, grid: Grid) -> bool:
    """Read strips at full resolution, all of a small tile: overviews may be fine in a bad file."""
    found = False
    starts = np.linspace(0, max(grid.height - SAMPLE_ROWS, 0), SAMPLES).astype(int)
    for y0 in sorted({int(start) for start in starts}):
        window = Window(y0, 0, min(SAMPLE_ROWS, grid.height - y0), grid.width)
        found |= bool(read(layer.sources, grid, window).valid.any())
    if found:
        return True
    shape = (min(grid.height, COARSE_PX), min(grid.width, COARSE_PX))
    return bool(read(layer.sources, grid, out_shape=shape).valid.any())


def _count_codes(
    layer: FoundLayer, grid: Grid, code_map: dict[int, int], known: set[int], none: int
) -> npt.NDArray[np.int64]:
    """Return pixels by code, int64 [256], on the tile's grid, read strip by strip.

    Raises `ClassTableError` that names each unknown value with its pixels.
    """
    rows = max(STRIP_PX // grid.width, 1)
    counts = np.zeros(256, np.int64)
    unknown: dict[float, int] = {}
    for y0 in range(0, grid.height, rows):
        window = Window(y0, 0, min(rows, grid.height - y0), grid.width)
        raster = read(layer.sources, grid, window, categorical=True)
        values, pixels = np.unique(raster.values[:, raster.valid], return_counts=True)
        for value, n in zip(values.tolist(), pixels.tolist(), strict=True):
            if not float(value).is_integer() or code_map.get(int(value), value) not in known:
                unknown[value] = unknown.get(value, 0) + n
        if not unknown:
            codes = apply_codes(raster, code_map, none, str(layer.sources[0][0]))
            counts += np.bincount(codes.ravel(), minlength=256)
    if unknown:
        listed = sorted(unknown.items(), key=lambda item: -item[1])
        named = ", ".join(f"{value:g} ({n:,} px)" for value, n in listed[:8])
        more = f" and {len(listed) - 8} more values" if len(listed) > 8 else ""
        raise ClassTableError(
            str(layer.sources[0][0]),
            found=f"unknown codes {named}{more}",
            expected=f"codes {sorted(known)}",
            todo="Add them to the class table, or map them to a class or to void.",
        )
    return counts


def _report_about_label(
    tile: FoundTile, codes: dict[int, int], classes: ClassTable, findings: list[Finding]
) -> None:
    kinds = {layer.modality for layer in tile.layers}
    if Modality.LABEL not in kinds and Modality.TRUTH not in kinds:
        starts = "starts unlabelled" if tile.split is Split.TRAIN else "cannot be scored"
        text = f"no label: the tile {starts}"
        findings.append(Finding("info", tile.name, text))
    elif Modality.LABEL in kinds and set(codes) <= {classes.void_code}:
        findings.append(Finding("warning", tile.name, "the label is void everywhere"))

"""What the headers of a tile's files say: its grid, and whether its layers lie on it.

Headers, sizes and times only; no pixel is read. `core.scan` reads pixels.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core import patch_labels
from core.addresses import is_remote
from core.checked import CheckedLayer, CheckedTile, files_of, known_codes, stats_of
from core.classes import ClassTable
from core.clouds import cover as cloud
from core.errors import CloudbrushError, DatasetError, GridMismatch, RasterError
from core.found import ALL_BANDS, Finding, FoundLayer, FoundTile
from core.grid import SAME_PX, is_placed, lonlat_corners, offset_px
from core.raster import CLASS_MODALITIES, RasterInfo, check_allowed, describe
from core.records import Grid, Modality, Split, Unit
from core.sources.source import Source, by_raster, part_of, with_path
from core.tiff_header import describe_quickly

MAX_TILE_PX = 2**31  # 46,340 x 46,340; pixels of larger rasters cannot be counted in 32 bits
COLOURS = ("red", "green", "blue")

# The tile takes the grid of the first of these that it has.
GRID_ORDER = (
    Modality.LABEL,
    Modality.TRUTH,
    Modality.SAR,
    Modality.OPTICAL,
    Modality.HEIGHT,
    Modality.CLOUD,
    Modality.MODEL,
)


def check_headers(
    tile: FoundTile,
    classes: ClassTable,
    roots: Sequence[Path],
    folders: dict[Path, Path] | None = None,
) -> tuple[CheckedTile | None, list[Finding]]:
    """Return a tile by the headers of its files, None when it has an error, and the findings.

    `folders` remembers over several calls where folders lie, links resolved.
    """
    findings: list[Finding] = []
    folders = {} if folders is None else folders
    try:
        layers = tuple(_allowed(layer, roots, folders) for layer in tile.layers)
        return _check(replace(tile, layers=layers), classes, findings), findings
    except CloudbrushError as error:
        return None, [*findings, Finding("error", tile.name, str(error))]


def _check(tile: FoundTile, classes: ClassTable, findings: list[Finding]) -> CheckedTile:
    infos = [_headers(layer) for layer in tile.layers]
    _check_images_present(tile)
    grid = _tile_grid(tile, infos)
    layers = tuple(
        _check_layer(layer, files, grid, classes, findings)
        for layer, files in zip(tile.layers, infos, strict=True)
    )
    kinds = {layer.modality for layer in tile.layers}
    if tile.patch_codes is not None:
        grid, _ = patch_labels.checked(tile, grid, classes)
    elif Modality.LABEL not in kinds and Modality.TRUTH not in kinds:
        starts = "starts unlabelled" if tile.split is Split.TRAIN else "cannot be scored"
        findings.append(Finding("info", tile.name, f"no label: the tile {starts}"))
    return CheckedTile(tile, grid, lonlat_corners(grid), layers)


def check_class_header(
    found: FoundLayer,
    grid: Grid,
    classes: ClassTable,
    roots: Sequence[Path],
    findings: list[Finding],
) -> CheckedLayer:
    """Check the header of one class raster against the grid of a tile that exists already.

    Adds to `findings`; raises a `CloudbrushError` when the raster cannot be used.
    """
    found = _allowed(found, roots, {})
    return _check_layer(found, _headers(found), grid, classes, findings)


def _allowed(layer: FoundLayer, roots: Sequence[Path], folders: dict[Path, Path]) -> FoundLayer:
    """Return the layer with absolute paths, links resolved; raises outside the roots."""
    allowed = {path: _resolved(path, roots, folders) for path, _ in layer.sources}
    return replace(layer, sources=tuple(with_path(one, allowed[one[0]]) for one in layer.sources))


def _resolved(path: Path, roots: Sequence[Path], folders: dict[Path, Path]) -> Path:
    """Return an allowed path, links resolved; a plain file lies where its folder does."""
    if is_remote(path) or path.is_symlink() or not path.is_file():
        return check_allowed(path, roots)
    if path.parent not in folders:
        folders[path.parent] = check_allowed(path.parent, roots)
    return folders[path.parent] / path.name


def _headers(layer: FoundLayer) -> list[RasterInfo]:
    """Return the header of each file of a layer, once; raises where a band is missing."""
    infos = []
    for (path, part), bands in by_raster(layer.sources).items():
        info = describe_quickly(path) if part is None else describe(path, part)
        wanted = max(bands)
        colours = info.count - (info.alpha_band is not None)
        # A declaration that names the band of a class file knows that there are others.
        lone = layer.modality in CLASS_MODALITIES and layer.bands in ((), ("class",))
        if wanted > colours or (lone and colours != 1):
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
) -> CheckedLayer:
    offset = max(_check_offset(layer, info, grid, findings) for info in infos)
    stats = stats_of(files_of(layer.sources))
    if layer.modality not in CLASS_MODALITIES:
        layer = _with_unit_of_values(_with_all_bands(layer, infos), infos[0], findings)
        return CheckedLayer(layer, offset, infos[0].nodata, None, stats)
    none = cloud.NONE if layer.modality is Modality.CLOUD else classes.void_code
    code_map = dict(layer.code_map or {})
    nodata = infos[0].nodata
    known = known_codes(layer.modality, classes)
    if nodata is not None and float(nodata).is_integer() and int(nodata) not in known:
        code_map.setdefault(int(nodata), none)
    return CheckedLayer(layer, offset, none, code_map or None, stats)


def _check_offset(
    layer: FoundLayer, info: RasterInfo, grid: Grid, findings: list[Finding]
) -> float:
    try:
        offset = 0.0 if info.grid == grid else offset_px(grid, info.grid)
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
    used = set(by_raster(layer.sources)[info.path, info.part])
    if len(used) < colours and ALL_BANDS not in used:
        text = f"{colours} bands, of which {len(used)} are used"
        findings.append(Finding("info", where, text))
    return offset


def _with_all_bands(layer: FoundLayer, infos: list[RasterInfo]) -> FoundLayer:
    """Return an image layer with every band spelt out, and named by its file where it has none."""
    if all(layer.bands) and all(source[1] != ALL_BANDS for source in layer.sources):
        return layer
    known = {(info.path, info.part): info for info in infos}
    sources: list[Source] = []
    names: list[str] = []
    for source, name in zip(layer.sources, layer.bands, strict=True):
        info = known[source[0], part_of(source)]
        count = info.count - (info.alpha_band is not None)
        three = layer.modality is Modality.OPTICAL and count == 3
        for number in range(1, count + 1) if source[1] == ALL_BANDS else (source[1],):
            given = name or (*info.descriptions, *[""] * number)[number - 1]
            sources.append(Source(info.path, number, info.part))
            names.append(given or (COLOURS[number - 1] if three else f"band {number}"))
    return replace(layer, sources=tuple(sources), bands=tuple(names))


def _with_unit_of_values(
    layer: FoundLayer, info: RasterInfo, findings: list[Finding]
) -> FoundLayer:
    unit = layer.unit
    if unit is Unit.RELATIVE_8BIT and info.dtype != "uint8":
        unit = Unit.NUMBER
    elif info.dtype == "uint8":
        unit = Unit.RELATIVE_8BIT
    if unit is layer.unit:
        return layer
    text = f"{info.dtype} values: taken as {unit.value}, not as {layer.unit.value}"
    findings.append(Finding("warning", str(info.path), text))
    return replace(layer, unit=unit)

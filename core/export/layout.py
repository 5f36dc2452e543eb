"""The dataset in the layout it came in: the same names, folders, codes and headers, labels of now.

A label file is a copy of the original in which only changed pixels are rewritten, as the file's own
values: the code map of the import is turned round (`file_value`). Pixels that nobody changed keep
their value, whatever it was. Other files are listed, hard-linked or copied.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.transform import Affine
from rasterio.windows import Window as RasterioWindow

from core import catalogue, history
from core.errors import ClassTableError, DatasetError, RasterError
from core.export.edit_log import write_edits
from core.export.frame import Work
from core.export.others import bring, write_others
from core.export.pixels import row_windows
from core.grid import SAME_PX, Window, is_placed, same_crs, same_grid
from core.pixels import Bytes, Mask
from core.raster import describe
from core.records import Grid, Layer, Modality, Tile
from core.replay import meet
from core.sources.source import part_of

DATASET = "dataset"
COARSE = ".ovr"
WORLD_FILES = (".tfw", ".pgw", ".wld", ".prj")
EDITABLE = (".tif", ".tiff", ".png")

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Piece:
    """A tile's label in a file: the layer, and the tile's upper left pixel in the file."""

    tile: Tile
    layer: Layer
    y0: int
    x0: int


def write_layout(work: Work) -> dict[str, Any]:
    """Write the dataset below `dataset/`, read the labels back, and say what was done.

    Raises `DatasetError` for labels in files that cannot be rewritten, `ClassTableError` for a
    class that the file has no value for, and `RasterError` for a file that reads back otherwise.
    """
    tiles = work.tiles()
    root = work.project.root.resolve()
    files, without = _label_files(work, tiles, root)
    target = work.folder / DATASET
    entries = []
    for done, (path, pieces) in enumerate(sorted(files.items())):
        work.share = 0.8 * done / len(files)
        place = path.relative_to(root)
        changed = _write_file(work, path, pieces, target / place)
        entries += [
            {
                "name": piece.tile.name,
                "label": f"{DATASET}/{place.as_posix()}",
                "version": piece.tile.version,
                "split": piece.tile.split.value,
                "region": piece.tile.region,
                "pixels_changed": changed[piece.tile.id],
            }
            for piece in pieces
        ]
    brought = {path for label in files for path in (label, *_beside(label))}
    kept = write_others(work, root, brought)
    notes = [f"{len(without)} tiles came without a label file and are left out: {without[:5]}"]
    return {
        "edits": write_edits(work, tiles),
        "verified": "every rewritten label was read back and compared",
        "others": kept,
        "notes": notes if without else [],
        "tiles": entries,
    }


def _label_files(
    work: Work, tiles: list[Tile], root: Path
) -> tuple[dict[Path, list[Piece]], list[str]]:
    """Return the tiles of each label file, and the names of those that came without one."""
    layers = catalogue.project_layers(work.store, work.project.id, Modality.LABEL)
    files: dict[Path, list[Piece]] = defaultdict(list)
    without = []
    for tile in tiles:
        if tile.id not in layers:
            without.append(tile.name)
            continue
        layer = layers[tile.id][0]
        path = layer.sources[0][0]
        if not path.is_relative_to(root):
            raise DatasetError(
                str(path), found="a label outside the dataset's folder", expected=f"below {root}"
            )
        piece = _piece(tile, layer)
        if piece is not None:
            files[path].append(piece)
    return files, without


def _piece(tile: Tile, layer: Layer) -> Piece | None:
    """Return where a tile lies in its label file; None where that is no file to rewrite.

    Raises `DatasetError` when such a tile was edited, or does not lie on the file's pixels.
    """
    path, _ = layer.sources[0]
    part = part_of(layer.sources[0])
    plain = part is None or (not part.array and not part.field and part.scale == 1)
    if path.suffix.lower() not in EDITABLE or not plain:
        if tile.version == 0:
            return None  # goes along with the other files
        raise DatasetError(
            str(path),
            found="labels in a kind of file that is only read here",
            expected=", ".join(EDITABLE),
            todo="Export GeoTIFF labels.",
        )
    y0, x0 = _place(tile.grid, describe(path).grid, str(path))
    return Piece(tile, layer, y0, x0)


def _place(tile: Grid, file: Grid, where: str) -> tuple[int, int]:
    """Return the row and column in the file of a tile's first pixel."""
    if (tile.height, tile.width) == (file.height, file.width):
        if same_grid(tile, file) or not (is_placed(tile) and is_placed(file)):
            return 0, 0
    elif same_crs(tile.crs, file.crs):
        # A piece of a scene lies in the scene's coordinates, be they only its pixels.
        to_file = ~Affine(*file.transform) @ Affine(*tile.transform)
        x0, y0 = to_file @ (0.0, 0.0)
        x1, y1 = to_file @ (float(tile.width), float(tile.height))
        sizes = abs(x1 - x0 - tile.width), abs(y1 - y0 - tile.height)
        off = abs(x0 - round(x0)), abs(y0 - round(y0))
        inside = x0 > -0.5 and y0 > -0.5 and x1 < file.width + 0.5 and y1 < file.height + 0.5
        if max(*sizes, *off) <= SAME_PX and inside:
            return round(y0), round(x0)
    raise DatasetError(
        where,
        found="labels that were resampled onto the tile's grid",
        expected="tiles on the pixels of their label file",
        todo="Export GeoTIFF labels.",
    )


def _write_file(work: Work, path: Path, pieces: list[Piece], target: Path) -> dict[int, int]:
    """Write a label file with what changed and check it; return changed pixels by tile."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unchanged = {piece.tile.id: 0 for piece in pieces}
    edited = [piece for piece in pieces if piece.tile.version]
    if not edited:
        how = "link" if work.option("others", "list") == "link" else "copy"
        for source in (path, *_beside(path)):
            bring(source, target.with_name(source.name), how)
        return unchanged
    for source in (path, *_beside(path)):
        if source.suffix != COARSE:  # coarse copies of the label as it came
            shutil.copyfile(source, target.with_name(source.name))
    rewrite = _rewrite_png if target.suffix.lower() == ".png" else _rewrite_tiff
    try:
        changed = rewrite(work, target, edited)
        for piece in edited:
            _check(work, path, target, piece, edited)
    except RasterioError as error:
        raise RasterError(str(target), found=str(error), expected="to write a file") from error
    return unchanged | changed


def _beside(path: Path) -> list[Path]:
    """Return the small files beside a raster that hold its position, CRS or coarse copies."""
    names = [f"{path.name}{suffix}" for suffix in (".aux.xml", COARSE)]
    names += [path.with_suffix(suffix).name for suffix in WORLD_FILES]
    found = (path.with_name(name) for name in names)
    return [beside for beside in found if beside.is_file()]


def _strips(work: Work, piece: Piece) -> Iterator[tuple[RasterioWindow, Bytes, Bytes]]:
    """Yield rows of a tile: their window in the file, the codes as they came and those of now."""
    tile = piece.tile
    for window in row_windows(tile.grid):
        work.tick(work.share, tile.name)
        old = history.original(work.store, tile.id, window)
        new = history.at_version(work.store, tile.id, tile.version, window).labels
        yield RasterioWindow(piece.x0, piece.y0 + window.y0, window.w, window.h), old, new


def _rewrite_tiff(work: Work, target: Path, pieces: list[Piece]) -> dict[int, int]:
    """Rewrite changed pixels in place, so that all else in the file stays as it is."""
    changed = {}
    # A COG may be updated; its blocks then lie in another order, which readers do not mind.
    with rasterio.open(target, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as file:
        for piece in pieces:
            changed[piece.tile.id] = 0
            band = piece.layer.sources[0][1]
            values = _values(work, piece.layer, file.dtypes[band - 1], file.nodata)
            for area, old, new in _strips(work, piece):
                differs = old != new
                if differs.any():
                    rows = file.read(band, window=area)
                    rows[differs] = _recoded(new[differs], values, str(target))
                    file.write(rows, band, window=area)
                    changed[piece.tile.id] += int(differs.sum())
        factors = file.overviews(1)
        if factors:
            file.build_overviews(factors, Resampling.nearest)
    return changed


def _rewrite_png(work: Work, target: Path, pieces: list[Piece]) -> dict[int, int]:
    """Rewrite a PNG as a whole: it cannot be changed in place."""
    changed = {}
    with rasterio.open(target) as file:
        bands, nodata, count = file.read(), file.nodata, file.count
        colours = file.colormap(1) if file.colorinterp[0].name == "palette" else None
    for piece in pieces:
        changed[piece.tile.id] = 0
        band = piece.layer.sources[0][1]
        values = _values(work, piece.layer, bands.dtype.name, nodata)
        for area, old, new in _strips(work, piece):
            rows = bands[band - 1][area.toslices()]
            differs = old != new
            rows[differs] = _recoded(new[differs], values, str(target))
            changed[piece.tile.id] += int(differs.sum())
    profile = {"driver": "PNG", "count": count, "height": bands.shape[1], "width": bands.shape[2]}
    target.unlink()
    with rasterio.open(target, "w", dtype=bands.dtype.name, nodata=nodata, **profile) as file:
        if colours:
            file.write_colormap(1, colours)
        file.write(bands)
    return changed


def _values(work: Work, layer: Layer, dtype: str, nodata: float | None) -> dict[int, int]:
    """Return the file value of each class code and of void, where the file can hold one."""
    classes = work.project.classes
    found = {}
    for code in (*classes.codes, classes.void_code):
        value = file_value(code, layer.code_map or {}, dtype, nodata, classes.void_code)
        if value is not None:
            found[code] = value
    return found


def file_value(
    code: int, code_map: Mapping[int, int], dtype: str, nodata: float | None, void: int
) -> int | None:
    """Return the value that stands for a class code in a file; None when there is none.

    `code_map` turns file values into class codes; values that it does not name are codes as they
    are. A class gets a value that the map names for it: its own number, else the lowest; without
    one, its own number. Void gets the file's nodata value, else 0, else the same as a class.
    """
    kind = np.dtype(dtype)
    limits = np.iinfo(kind) if kind.kind in "iu" else np.iinfo(np.int32)

    def means(value: int) -> bool:
        return limits.min <= value <= limits.max and code_map.get(value, value) == code

    mapped = [value for value in sorted(code_map) if means(value)]
    if code != void:
        wanted = [*([code] if code in code_map else []), *mapped, code]
    else:
        tag = [int(nodata)] if nodata is not None and float(nodata).is_integer() else []
        wanted = [*tag, *([0] if code == 0 else []), *mapped, code]
    return next((value for value in wanted if means(value)), None)


def _recoded(codes: Bytes, values: Mapping[int, int], where: str) -> Array:
    """Return the file values of class codes; raises `ClassTableError` where there is none."""
    lut = np.zeros(256, np.int64)
    for code, value in values.items():
        lut[code] = value
    missing = sorted({int(code) for code in np.unique(codes)} - set(values))
    if missing:
        raise ClassTableError(
            where,
            found=f"class codes {missing} in the corrected labels",
            expected="classes that a value of this file stands for",
            todo="Export GeoTIFF labels, or change these pixels to another class.",
        )
    return lut[codes]


def _check(work: Work, path: Path, target: Path, piece: Piece, pieces: list[Piece]) -> None:
    """Hold a rewritten file against the original; raises `RasterError` where it is otherwise."""
    band, code_map = piece.layer.sources[0][1], piece.layer.code_map or {}
    before, after = describe(path), describe(target)
    header = ("height", "width", "count", "dtype", "grid", "nodata", "colours", "descriptions")
    good = all(getattr(before, name) == getattr(after, name) for name in header)
    with rasterio.open(path) as original, rasterio.open(target) as written:
        for area, old, new in _strips(work, piece):
            first, second = original.read(window=area), written.read(window=area)
            same = first == second
            if first.dtype.kind == "f":
                same |= np.isnan(first) & np.isnan(second)
            differs = old != new
            same[band - 1] |= differs | _by_others(work, piece, pieces, area, differs, new)
            codes = _as_codes(second[band - 1][differs], code_map)
            good = good and bool(same.all()) and bool((codes == new[differs]).all())
    if not good:
        raise RasterError(
            str(target),
            found="other values or another header than meant",
            expected="the original but for the changed pixels",
            todo="Check the disk and export again.",
        )


def _by_others(
    work: Work,
    piece: Piece,
    pieces: list[Piece],
    area: RasterioWindow,
    differs: Mask,
    codes: Bytes,
) -> Mask:
    """Return where other tiles of the same scene changed pixels of an area, bool [h, w].

    Raises `DatasetError` where a tile that overlaps this one gave a pixel another class.
    """
    found = np.zeros(codes.shape, np.bool_)
    here = Window(area.row_off, area.col_off, area.height, area.width)
    for other in pieces:
        tile = other.tile
        ground = Window(other.y0, other.x0, tile.grid.height, tile.grid.width)
        if other is piece or not touch(here, ground):
            continue
        inner, outer = meet(ground, here)
        (y0, y1), (x0, x1) = ((part.start, part.stop) for part in inner)
        window = Window(y0, x0, y1 - y0, x1 - x0)
        old = history.original(work.store, tile.id, window)
        new = history.at_version(work.store, tile.id, tile.version, window).labels
        if (differs[outer] & (old != new) & (new != codes[outer])).any():
            raise DatasetError(
                f"tiles {piece.tile.name} and {tile.name}",
                found="different classes for the same pixels, where they overlap",
                expected="one class for each pixel of the scene",
                todo="Correct one of them, or export GeoTIFF labels.",
            )
        found[outer] |= old != new
    return found


def touch(a: Window, b: Window) -> bool:
    """Return whether two windows have pixels in common."""
    rows = a.y0 < b.y0 + b.h and b.y0 < a.y0 + a.h
    return rows and a.x0 < b.x0 + b.w and b.x0 < a.x0 + a.w


def _as_codes(values: Array, code_map: Mapping[int, int]) -> Array:
    """Return what file values mean as class codes."""
    found, inverse = np.unique(values, return_inverse=True)
    return np.array([code_map.get(int(v), int(v)) for v in found.tolist()], np.int64)[inverse]

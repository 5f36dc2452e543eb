"""Buildings of damage maps as polygons: class, share, area, for people who go there.

A row per building, from the labels of now or from a model's maps. A building is a connected piece
of damage classes, as in `core.damage`; its class is that of most of its pixels.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import rasterio.features
from scipy import ndimage

from core import catalogue, history, trained
from core.classes import ClassTable, LabelArray
from core.damage import BACKGROUND, IdArray, building_classes, building_shares, buildings
from core.errors import DatasetError
from core.export.frame import Work
from core.export.submission import maps
from core.export.vectors import class_names, write_tables
from core.ground import ground
from core.pixels import Bytes
from core.predictions import read_prediction
from core.records import Grid, ModelRecord, Split, Tile
from core.store.engine import Store

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

LABELS, EVERY = "labels", "all"
MAX_PX = 8192 * 8192

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """The buildings of one map in scan order, n of them.

    `codes` uint8 [n]; `shares` float64 [n, K] of the class table's codes; `pixels` int64 [n];
    `confidence` float64 [n], the mean of the map's confidence from 0 to 1, NaN without one.
    """

    ids: IdArray
    codes: LabelArray
    shares: Floats
    pixels: npt.NDArray[np.int64]
    confidence: Floats

    def __len__(self) -> int:
        return len(self.codes)


def tabulate(codes: LabelArray, classes: ClassTable, confidence: Bytes | None = None) -> Table:
    """Return the buildings of a damage map uint8 [H, W]; `confidence` uint8 [H, W] is its own."""
    ids, count = buildings(codes, classes)
    mean = np.full(count, np.nan)
    if confidence is not None and count:
        mean = np.asarray(ndimage.mean(confidence, ids, np.arange(1, count + 1))) / 255
    return Table(
        ids,
        building_classes(ids, codes, classes),
        building_shares(ids, codes, classes),
        np.bincount(ids.ravel(), minlength=count + 1)[1:],
        mean,
    )


def pixel_area_m2(grid: Grid) -> float:
    """Return what a pixel at the centre of a grid covers, in square metres; NaN if unknown."""
    found = ground(grid)
    return found.width_m * found.height_m if found else float("nan")


def mapped_tiles(store: Store, project_id: int, part: str) -> list[Tile]:
    """Return the tiles of a part ("all" or a split) that a model's maps go out of.

    They need no labels. Raises `DatasetError` for a part that is none, or without a tile.
    """
    found = catalogue.tiles(store, project_id)
    return _of_part([tile for tile in found if tile.problem is None], part)


def _of_part(tiles: list[Tile], part: str) -> list[Tile]:
    known = [EVERY, *(split.value for split in Split)]
    if part not in known:
        raise DatasetError("export of buildings, part", found=repr(part), expected=", ".join(known))
    found = [tile for tile in tiles if part in (EVERY, tile.split.value)]
    if not found:
        raise DatasetError(
            "export of buildings",
            found=f"no tile in {part}",
            expected="at least one",
            todo="Choose another part.",
        )
    return found


def model_of(store: Store, project_id: int, source: str) -> ModelRecord | None:
    """Return the model that an order names, None for labels; raises `DatasetError`."""
    if source == LABELS:
        return None
    for record in trained.models(store, project_id):
        if str(record.id) == source:
            return record
    raise DatasetError(
        "export of buildings", found=f"model {source[:40]!r}", expected="a model of this project"
    )


def write_buildings(work: Work) -> dict[str, Any]:
    """Write the buildings and read them back; return what the manifest says of them.

    Raises `DatasetError` for a tile of more than `MAX_PX` pixels, for maps that are missing and
    where there is no building at all, and `RasterError` when a file reads back otherwise.
    """
    source = work.option("source", LABELS)
    record = model_of(work.store, work.project.id, source)
    part = work.option("part", EVERY)
    if record is None:
        tiles = _of_part(work.tiles(), part)
    else:
        tiles = mapped_tiles(work.store, work.project.id, part)
    made_by = record.name if record else "labels"
    tables: dict[str | None, list[GeoDataFrame]] = defaultdict(list)
    entries: list[dict[str, Any]] = []
    for done, tile in enumerate(tiles):
        work.tick(done / len(tiles), tile.name)
        found = tabulate(*_map(work, tile, record))
        if len(found):
            tables[tile.grid.crs].append(_frame(work, tile, found, made_by))
        version = {} if record else {"version": tile.version}
        entries.append({"name": tile.name, **version, "buildings": len(found)})
    if not tables:
        raise DatasetError(
            "export of buildings",
            found=f"no building in {len(tiles)} tiles",
            expected="at least one",
        )
    write_tables(work.folder, "buildings", tables, work.option("file", "gpkg"))
    return {
        "verified": "every building was read back and compared",
        "source": made_by,
        "buildings": sum(entry["buildings"] for entry in entries),
        "tiles": entries,
    }


def _map(work: Work, tile: Tile, record: ModelRecord | None) -> tuple[Any, ClassTable, Any]:
    """Return the map of a tile, the class table, and the map's confidence or None."""
    if tile.grid.height * tile.grid.width > MAX_PX:
        raise DatasetError(
            f"tile {tile.name}",
            found=f"{tile.grid.height} x {tile.grid.width} pixels",
            expected=f"at most {MAX_PX:,} pixels for buildings",
            todo="Cut the scene into smaller tiles.",
        )
    if record is None:
        labels = history.at_version(work.store, tile.id, tile.version).labels
        return labels, work.project.classes, None
    ((_, found),) = maps(work.store, record, [tile])
    if found is None:
        raise DatasetError(
            f"tile {tile.name}",
            found=f"no map of {record.name}",
            expected="one",
            todo="Let the model predict this tile first.",
        )
    codes, confidence = read_prediction(work.store, found)
    return codes, work.project.classes, confidence


def _frame(work: Work, tile: Tile, found: Table, made_by: str) -> "GeoDataFrame":
    """Return the buildings of a tile as a table in the CRS of the tile."""
    import geopandas

    classes = work.project.classes
    names, count = class_names(classes), len(found)
    area = found.pixels * pixel_area_m2(tile.grid)
    places = [classes.codes.index(code) for code in found.codes]
    columns: dict[str, Any] = {
        "tile": [tile.name] * count,
        "region": [tile.region] * count,
        "split": [tile.split.value] * count,
        "building": list(range(1, count + 1)),
        "class_code": [int(code) for code in found.codes],
        "class": [names[int(code)] for code in found.codes],
        "share": found.shares[np.arange(count), places].round(4),
        "pixels": found.pixels,
        "area_m2": area.round(2),
        "confidence": found.confidence.round(4),
        "made_by": [made_by] * count,
    }
    for place, code in enumerate(classes.codes):
        if code != BACKGROUND:
            columns[f"share_{code}"] = found.shares[:, place].round(4)
    return geopandas.GeoDataFrame(columns, geometry=_outlines(found, tile), crs=tile.grid.crs)


def _outlines(found: Table, tile: Tile) -> list[Any]:
    """Return the outline of each building in the coordinates of its tile, holes left open."""
    from rasterio.transform import Affine
    from shapely.geometry import shape

    place = Affine(*tile.grid.transform) if tile.grid.crs else Affine.identity()
    shapes: list[Any] = [None] * len(found)
    for outline, number in rasterio.features.shapes(found.ids, found.ids > 0, 4, place):
        shapes[int(number) - 1] = shape(outline)
    return shapes

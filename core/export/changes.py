"""Changed regions: where labels now differ from the label as it came, as polygons in one table.

A *region* is a 4-connected set of pixels with the same class before and now whose change goes back
to the same edit. Which edit that is follows from the log: undo gives a pixel back to the edit that
had it before, redo to the edit that is done again. What was changed and put back is no region.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import rasterio.features
from rasterio.transform import Affine

from core import history
from core.errors import DatasetError
from core.export.frame import Work
from core.export.vectors import class_names, write_tables
from core.grid import Window, block
from core.pixels import Bytes
from core.records import Tile
from core.replay import edits_between, keys_of, meet, patch_of
from core.store.engine import Store
from core.timeline import Maker, makers

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Versions = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Region:
    """A polygon in pixels of its tile (x = column, y = row), its change and the edit behind it."""

    polygon: Any
    from_code: int
    to_code: int
    version: int

    @property
    def pixels(self) -> int:
        """Return the count of pixels inside."""
        pixels: int = round(self.polygon.area)
        return pixels


def responsible(store: Store, tile: Tile, window: Window, found: dict[int, Maker]) -> Versions:
    """Return for each pixel the version of the edit behind its class, int32 [h, w]; 0 for none.

    `found` are the tile's edits by version, as from `core.timeline.makers`.
    """
    behind = np.zeros((window.h, window.w), np.int32)
    undone = {maker.reverses for maker in found.values()}
    before: dict[int | None, tuple[tuple[slice, slice], Versions]] = {}
    with store.read() as session:
        rows = edits_between(session, tile.id, 0, tile.version, window)
    for row in rows:
        version, patch = int(row["version"]), patch_of(row)
        inner, outer = meet(patch.box, window)
        recoded = patch.mask.copy()
        recoded[patch.mask] = patch.old_values != patch.new_values
        if version in undone:
            before[version] = outer, behind[outer].copy()
        source: Versions | int = version
        taken_back = found[version].reverses
        if taken_back in before:
            full = np.zeros_like(behind)
            full[before[taken_back][0]] = before[taken_back][1]
            source = full[outer]
        behind[outer] = np.where(recoded[inner], source, behind[outer])
    return behind


def regions(store: Store, tile: Tile) -> Iterator[Region]:
    """Yield the changed regions of a tile at its version, block by block; whole ones at the end."""
    import shapely
    from shapely.geometry import shape

    found = makers(store, tile.id)
    boxes = [maker.box for version, maker in found.items() if version <= tile.version]
    pieces: dict[tuple[int, int, int], list[Any]] = defaultdict(list)
    blocks: dict[tuple[int, int, int], int] = defaultdict(int)
    for by, bx in sorted({key for box in boxes for key in keys_of(box)}):
        window = block(tile.grid, by, bx)
        old = history.original(store, tile.id, window)
        new = history.at_version(store, tile.id, tile.version, window).labels
        if np.array_equal(old, new):
            continue
        behind = responsible(store, tile, window, found)
        by_change = _pieces(old, new, behind, window)
        for change, shapes in by_change.items():
            pieces[change] += [shape(found_shape) for found_shape in shapes]
            blocks[change] += 1
    for change, polygons in sorted(pieces.items()):
        # A region that crosses the edge of a block comes in pieces: put them together.
        whole = shapely.unary_union(polygons) if blocks[change] > 1 else polygons
        parts = shapely.get_parts(shapely.make_valid(np.atleast_1d(whole))).tolist()
        yield from (Region(part, *change) for part in parts if part.area)


def _pieces(
    old: Bytes, new: Bytes, behind: Versions, window: Window
) -> dict[tuple[int, int, int], list[Any]]:
    """Return the outlines of connected pixels by (from, to, version), in pixels of the tile."""
    changed = old != new
    keys = (old.astype(np.int64) << 40) | (new.astype(np.int64) << 32) | behind
    values, inverse = np.unique(keys[changed], return_inverse=True)
    numbered = np.zeros(old.shape, np.int32)
    numbered[changed] = inverse + 1
    found: dict[tuple[int, int, int], list[Any]] = defaultdict(list)
    at = Affine.translation(window.x0, window.y0)
    for outline, number in rasterio.features.shapes(numbered, changed, 4, at):
        key = int(values[int(number) - 1])
        found[key >> 40, key >> 32 & 0xFF, key & 0xFFFFFFFF].append(outline)
    return found


def write_changes(work: Work) -> dict[str, Any]:
    """Write the changed regions of the tiles and read them back; return what the manifest says.

    Raises `DatasetError` when nothing has changed, `RasterError` when a file reads back otherwise.
    """
    tables: dict[str | None, list[GeoDataFrame]] = defaultdict(list)
    entries = []
    tiles = [tile for tile in work.tiles() if tile.version]
    for done, tile in enumerate(tiles):
        work.tick(done / len(tiles), tile.name)
        rows = list(regions(work.store, tile))
        if rows:
            tables[tile.grid.crs].append(_frame(work, tile, rows))
        pixels = sum(row.pixels for row in rows)
        entries.append(
            {"name": tile.name, "version": tile.version, "regions": len(rows), "pixels": pixels}
        )
    if not tables:
        raise DatasetError(
            "export",
            found="no pixel whose class differs from the label as it came",
            expected="at least one changed pixel",
            todo="Correct a tile first, or export the labels.",
        )
    write_tables(work.folder, "changes", tables, work.option("file", "parquet"))
    return {
        "verified": "every region was read back and compared",
        "regions": sum(entry["regions"] for entry in entries),
        "tiles": entries,
    }


def _frame(work: Work, tile: Tile, rows: list[Region]) -> "GeoDataFrame":
    """Return the regions of a tile as a table in the CRS of the tile."""
    import geopandas
    import pandas as pd
    from shapely.affinity import affine_transform

    a, b, c, d, e, f = tile.grid.transform
    found = makers(work.store, tile.id)
    names = class_names(work.project.classes)
    behind = [found[row.version] for row in rows]
    columns = {
        "tile": [tile.name] * len(rows),
        "region": [tile.region] * len(rows),
        "split": [tile.split.value] * len(rows),
        "from_code": [row.from_code for row in rows],
        "from_class": [names.get(row.from_code, str(row.from_code)) for row in rows],
        "to_code": [row.to_code for row in rows],
        "to_class": [names.get(row.to_code, str(row.to_code)) for row in rows],
        "author": [maker.person for maker in behind],
        "tool": [maker.tool for maker in behind],
        "version": [row.version for row in rows],
        "saved_at": pd.to_datetime([maker.saved_at for maker in behind], utc=True).as_unit("ms"),
        "pixels": [row.pixels for row in rows],
    }
    shapes = [affine_transform(row.polygon, [a, b, d, e, c, f]) for row in rows]
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs=tile.grid.crs)

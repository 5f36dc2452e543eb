"""Changed regions: polygons of what really differs, with the edit behind each."""

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio.features
from rasterio.transform import Affine

from core import catalogue, history
from core.errors import DatasetError
from core.export.changes import regions
from core.export.formats import export
from core.export.frame import Order
from core.grid import Window
from core.ingest import import_dataset
from core.records import Tile
from core.store.engine import Store
from core.stroke import Tool
from tests.core.export.hands import back, paint
from tests.rasters import dataset, grid_of, make_tile, unplaced


def tiles(store: Store, folder: Path, *found: Any) -> list[Tile]:
    project = import_dataset(store, dataset(folder, *found), "P", roots=[folder])
    return catalogue.tiles(store, project.id)


def one(store: Store, folder: Path, height: int = 48, width: int = 40) -> Tile:
    label = np.ones((height, width), np.uint8)
    (tile,) = tiles(store, folder, make_tile(folder, grid=grid_of(height, width), label=label))
    return tile


def found(store: Store, tile: Tile) -> list[tuple[int, int, int, int]]:
    """Return (from, to, version, pixels) of each region of now."""
    now = catalogue.tile(store, tile.id)
    return [(r.from_code, r.to_code, r.version, r.pixels) for r in regions(store, now)]


def test_a_region_goes_back_to_the_edit_that_gave_it_its_class(
    store: Store, tmp_path: Path
) -> None:
    tile = one(store, tmp_path)
    paint(store, tile.id, Window(10, 10, 10, 10), 5)
    paint(store, tile.id, Window(15, 10, 10, 10), 6, "Ben")
    paint(store, tile.id, Window(15, 10, 2, 10), 1)  # put back as it was: no change any more
    assert found(store, tile) == [(1, 5, 1, 50), (1, 6, 2, 80)]


def test_undo_and_redo_give_pixels_back_to_the_edit_they_came_from(
    store: Store, tmp_path: Path
) -> None:
    tile = one(store, tmp_path)
    paint(store, tile.id, Window(0, 0, 10, 10), 5)
    paint(store, tile.id, Window(5, 0, 10, 10), 6)
    back(store, tile.id)
    assert found(store, tile) == [(1, 5, 1, 100)]
    back(store, tile.id, Tool.REDO)
    assert found(store, tile) == [(1, 5, 1, 50), (1, 6, 2, 100)]
    back(store, tile.id)
    back(store, tile.id)
    assert found(store, tile) == []


def test_a_region_across_blocks_is_one_polygon(store: Store, tmp_path: Path) -> None:
    tile = one(store, tmp_path, 600, 600)
    paint(store, tile.id, Window(500, 500, 40, 30), 5)
    assert found(store, tile) == [(1, 5, 1, 1200)]


def test_a_ring_that_meets_itself_at_a_corner_is_a_valid_polygon(
    store: Store, tmp_path: Path
) -> None:
    tile = one(store, tmp_path)
    paint(store, tile.id, Window(0, 0, 4, 4), 5)
    paint(store, tile.id, Window(1, 1, 1, 1), 1)
    paint(store, tile.id, Window(2, 2, 1, 1), 1)
    paint(store, tile.id, Window(3, 3, 1, 1), 1)
    now = catalogue.tile(store, tile.id)
    assert all(region.polygon.is_valid for region in regions(store, now))
    assert found(store, tile) == [(1, 5, 1, 13)]


@pytest.mark.parametrize("file", ["parquet", "gpkg"])
def test_the_table_says_who_changed_what_and_lies_where_the_pixels_lie(
    store: Store, tmp_path: Path, file: str
) -> None:
    tile = one(store, tmp_path)
    paint(store, tile.id, Window(10, 10, 10, 10), 5)
    paint(store, tile.id, Window(15, 10, 10, 10), 6, "Ben", Tool.POLYGON)
    done = export(store, tile.project_id, "C", Order("changes", options={"file": file}))
    path = next(done.folder.glob("changes.*"))
    table = geopandas.read_parquet(path) if file == "parquet" else geopandas.read_file(path)
    assert table.crs.to_epsg() == 32654
    assert table[
        ["tile", "author", "from_class", "to_class", "tool", "version", "pixels"]
    ].values.tolist() == [
        ["a", "Ada", "Bareland", "Tree", "brush", 1, 50],
        ["a", "Ben", "Bareland", "Water", "polygon", 2, 100],
    ]
    assert (table["saved_at"].dt.tz_convert("UTC").dt.year >= 2020).all()
    # Drawn by another hand, the polygons give back every changed pixel.
    drawn = rasterio.features.rasterize(
        zip(table.geometry, table["to_code"], strict=True),
        (48, 40),
        fill=0,
        transform=Affine(*tile.grid.transform),
    )
    now, first = history.current(store, tile.id).labels, history.original(store, tile.id)
    assert np.array_equal(drawn, np.where(now != first, now, 0))


def test_tiles_of_several_crs_share_a_table_and_unplaced_ones_have_their_own(
    store: Store, tmp_path: Path
) -> None:
    ones = np.ones((48, 40), np.uint8)
    grids = {"a": grid_of(), "b": grid_of(crs="EPSG:32655"), "c": unplaced()}
    made = [make_tile(tmp_path, name, grid=grid, label=ones) for name, grid in grids.items()]
    for tile in tiles(store, tmp_path, *made):
        paint(store, tile.id, Window(4, 6, 10, 10), 5)
    done = export(store, tile.project_id, "C", Order("changes"))
    placed = geopandas.read_parquet(done.folder / "changes.parquet")
    assert placed.crs.to_epsg() == 4326
    assert placed["tile"].tolist() == ["a", "b"]
    assert placed.geometry.centroid.x.round().tolist() == [141, 147]
    pixels = geopandas.read_parquet(done.folder / "changes_pixels.parquet")
    assert pixels.crs is None
    assert pixels.total_bounds.tolist() == [6, 4, 16, 14]


def test_no_change_is_said(store: Store, tmp_path: Path) -> None:
    tile = one(store, tmp_path)
    with pytest.raises(DatasetError, match="no pixel whose class differs"):
        export(store, tile.project_id, "C", Order("changes"))

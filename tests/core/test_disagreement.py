"""Where models disagree: maps counted by hand, rows all models share, samples of large tiles."""

from pathlib import Path

import numpy as np
import pytest

from core.classes import ClassEntry, ClassTable
from core.disagreement import difference, pooled, read_maps, shared_rows
from core.raster import write_geotiff
from core.records import Grid, Prediction

CLASSES = ClassTable("three", tuple(ClassEntry(c, f"c{c}", "#112233") for c in (1, 2, 5)), 0)


def codes(*rows: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.array(rows, np.uint8)


def test_pixels_without_a_class_in_every_map_do_not_count() -> None:
    found = difference([codes([1, 2, 5, 0]), codes([1, 5, 0, 0])], CLASSES)
    assert (found.pixels, found.differing) == (3, 2)  # 2 against 5, and 5 against no class
    assert found.share == pytest.approx(2 / 3)
    table = found.tables[0, 1]
    assert table[0, 0] == 1 and table[1, 2] == 1 and table[2, 3] == 1 and table.sum() == 4


def test_of_three_maps_one_that_differs_is_enough() -> None:
    maps = [codes([1, 1, 2, 0]), codes([1, 1, 2, 0]), codes([1, 5, 2, 0])]
    found = difference(maps, CLASSES)
    assert (found.pixels, found.differing) == (3, 1)
    assert set(found.tables) == {(0, 1), (0, 2), (1, 2)}
    assert pooled([found, found]).pixels == 6
    # Two maps take the short way by their table, and must come to the same.
    assert difference([maps[0], maps[2]], CLASSES).differing == 1


def test_nothing_known_has_no_share() -> None:
    assert np.isnan(difference([codes([0]), codes([0])], CLASSES).share)


@pytest.fixture
def made(tmp_path: Path) -> list[Prediction]:
    """Return maps of two tiles: m1 reads optical on dates 7 and 8, m2 reads SAR only."""
    path = tmp_path / "map.tif"
    path.touch()
    rows = [(1, 1, 7), (1, 1, 8), (2, 1, 9), (1, 2, None), (3, 2, None)]
    return [Prediction(n, tile, model, date, path) for n, (tile, model, date) in enumerate(rows)]


def test_a_map_without_a_date_stands_under_every_sky(made: list[Prediction]) -> None:
    rows = shared_rows(made, [1, 2])
    assert [(r.tile_id, r.acquisition_id) for r in rows] == [(1, 7), (1, 8)]
    assert [r.maps[1].id for r in rows] == [3, 3]
    assert [(r.tile_id, r.acquisition_id) for r in shared_rows(made, [2])] == [(1, None), (3, None)]


def test_a_map_whose_file_is_gone_is_not_compared(made: list[Prediction]) -> None:
    made[0].path.unlink()
    assert shared_rows(made, [1, 2]) == []


def test_large_tiles_are_read_from_a_sample(tmp_path: Path) -> None:
    grid = Grid(1500, 3000, (1, 0, 0, 0, -1, 0), None)
    maps = []
    for number, right in enumerate((1500, 0)):
        pixels = np.ones((2, 1500, 3000), np.uint8)
        pixels[0, :, right:] = 2
        path = tmp_path / f"{number}.tif"
        write_geotiff(path, pixels, grid, descriptions=("a", "b"), class_overviews=True)
        maps.append(Prediction(number, 1, number, None, path))
    (row,) = shared_rows(maps, [0, 1])
    small = read_maps(row, grid)
    assert small[0].shape == (500, 1000)
    assert difference(small, CLASSES).share == pytest.approx(0.5, abs=0.01)

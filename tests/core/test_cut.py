"""Scenes cut into tiles without copying pixels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import catalogue
from core.cut import cut, windows
from core.errors import DatasetError
from core.found import Cut, FoundDataset, FoundTile
from core.ingest import import_dataset
from core.raster import read_layer
from core.records import Modality, Split
from core.settings import Settings
from core.store.engine import Store
from tests.rasters import dataset, grid_of, image, noise, save

LABELS = noise(1, 100, 130, high=8)
COARSE = noise(2, 3, 50, 65)


def scene(folder: Path) -> FoundDataset:
    """Write a scene: labels at 1 m, optical at 2 m, SAR on more ground than the label."""
    layers = (
        image(
            Modality.LABEL,
            save(folder / "label.tif", LABELS, grid_of(100, 130)),
            code_map={9: 0},
        ),
        image(Modality.OPTICAL, save(folder / "rgb.tif", COARSE, grid_of(50, 65, pixel=2)), 3),
        image(
            Modality.SAR,
            save(
                folder / "sar.tif",
                noise(3, 140, 150),
                grid_of(140, 150, east=499_990.0, north=4_000_020.0),
            ),
        ),
    )
    return dataset(folder, FoundTile("scene", "here", Split.TRAIN, layers))


@given(st.integers(1, 700), st.integers(1, 700), st.integers(64, 256), st.data(), st.booleans())
def test_windows_cover_each_pixel_and_stay_inside(
    height: int, width: int, size: int, data: st.DataObject, shift: bool
) -> None:
    overlap = data.draw(st.integers(0, size // 2))
    seen = np.zeros((height, width), np.int32)
    found = list(windows(height, width, Cut(size, overlap, "shift" if shift else "smaller")))
    for window in found:
        assert seen[window.slices].shape == (window.h, window.w), "inside"
        seen[window.slices] += 1
    assert seen.min() >= 1
    assert len(set(found)) == len(found)
    if shift:
        assert {(w.h, w.w) for w in found} == {(min(size, height), min(size, width))}
    elif not overlap:
        assert seen.max() == 1


def test_tiles_of_a_scene_import_with_all_their_layers(
    tmp_path: Path, store: Store, settings: Settings
) -> None:
    found = cut(scene(tmp_path), Cut(64, 0))
    assert [tile.name for tile in found.tiles][:3] == [
        "scene_y00000_x00000",
        "scene_y00000_x00064",
        "scene_y00000_x00066",
    ]
    project = import_dataset(store, found, "cut", roots=settings.allowed_roots)
    tiles = {tile.name: tile for tile in catalogue.tiles(store, project.id)}
    assert len(tiles) == 6
    tile = tiles["scene_y00036_x00066"]
    layers = {layer.modality: layer for layer in catalogue.layers(store, tile.id)}
    label = read_layer(layers[Modality.LABEL], tile.grid)
    assert np.array_equal(label.values[0], LABELS[36:100, 66:130])
    optical = read_layer(layers[Modality.OPTICAL], tile.grid)
    inner = optical.values[0, 1:-1, 1:-1].astype(float)
    nearest = COARSE[0].repeat(2, 0).repeat(2, 1)[37:99, 67:129].astype(float)
    assert abs(np.corrcoef(inner.ravel(), nearest.ravel())[0, 1]) > 0.8
    sar = read_layer(layers[Modality.SAR], tile.grid)
    assert np.array_equal(sar.values[0], noise(3, 140, 150)[56:120, 76:140])
    assert not list(tmp_path.glob("workspace/**/*.tif")), "no pixel is copied"


def test_small_tiles_stay_as_they_are(tmp_path: Path) -> None:
    found = scene(tmp_path)
    assert cut(found, Cut(256)).tiles == found.tiles


def test_tiles_beyond_a_file_are_left_out_and_said(tmp_path: Path) -> None:
    found = scene(tmp_path)
    part = image(Modality.SAR, save(tmp_path / "part.tif", noise(4, 100, 60), grid_of(100, 60)))
    tile = replace(found.tiles[0], layers=(*found.tiles[0].layers[:2], part))
    cut_up = cut(replace(found, tiles=(tile,)), Cut(64, 0, "smaller"))
    assert [t.name[-6:] for t in cut_up.tiles] == ["x00000", "x00000"]
    assert "4 tiles of this scene lie beyond" in cut_up.findings[-1].message


def test_a_scene_whose_files_lie_apart_is_left_out_with_a_reason(tmp_path: Path) -> None:
    found = scene(tmp_path)
    other = image(
        Modality.SAR, save(tmp_path / "o.tif", noise(4, 9, 9), grid_of(9, 9, crs="EPSG:32655"))
    )
    tile = replace(found.tiles[0], layers=(*found.tiles[0].layers, other))
    cut_up = cut(replace(found, tiles=(tile,)), Cut(64))
    assert not cut_up.tiles
    assert "o.tif, CRS: found EPSG:32655" in cut_up.findings[-1].message


@pytest.mark.parametrize(("size", "overlap"), [(10, 0), (10_000, 0), (256, 200), (256, -1)])
def test_sizes_that_make_no_sense_are_refused(size: int, overlap: int) -> None:
    with pytest.raises(DatasetError, match="cutting scenes"):
        Cut(size, overlap)

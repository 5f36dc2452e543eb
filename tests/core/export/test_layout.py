"""The original layout: every file where it was, labels of now, and nothing else changed."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from core import catalogue, history
from core.cut import cut
from core.errors import ClassTableError, DatasetError
from core.export.formats import export
from core.export.frame import Exported, Order
from core.export.layout import file_value
from core.found import Cut, FoundDataset, FoundLayer, FoundTile
from core.grid import Window
from core.ingest import import_dataset
from core.records import Modality, Split, Tile, Unit
from core.store.engine import Store
from data.readers import reader
from tests.core.export.hands import paint
from tests.rasters import dataset, grid_of, make_bright, make_tile, noise, save, unplaced

BOX = Window(4, 6, 10, 12)


def opened(store: Store, found: FoundDataset) -> list[Tile]:
    project = import_dataset(store, found, "P", roots=[found.root])
    return catalogue.tiles(store, project.id)


def written(store: Store, tile: Tile, name: str = "Out", **options: str) -> Exported:
    return export(store, tile.project_id, name, Order("layout", options=options))


def files_of(root: Path) -> dict[str, Path]:
    return {str(p.relative_to(root)): p for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("others", ["list", "link", "copy"])
def test_a_dataset_goes_out_as_it_came(store: Store, tmp_path: Path, others: str) -> None:
    root = make_bright(tmp_path / "in", ("bata-explosion_00000001", "bata-explosion_00000002"))
    (root / "train_set.txt").write_text("bata-explosion_00000001\nbata-explosion_00000002")
    before = {name: path.read_bytes() for name, path in files_of(root).items()}
    first, second = opened(store, reader("bright").find(root))
    paint(store, first.id, BOX, 3)
    now = history.current(store, first.id).labels
    done = written(store, first, others=others)
    assert {name: path.read_bytes() for name, path in files_of(root).items()} == before
    out = files_of(done.folder / "dataset")
    names = {name for name in before if others != "list" or name.startswith("target/")}
    assert set(out) == names
    changed = f"target/{first.name}_building_damage.tif"
    assert {n: p.read_bytes() for n, p in out.items() if n != changed} == {
        name: data for name, data in before.items() if name in names and name != changed
    }
    with rasterio.open(out[changed]) as new, rasterio.open(root / changed) as old:
        assert np.array_equal(new.read(1), now)
        assert (new.profile, new.crs, new.transform) == (old.profile, old.crs, old.transform)
    linked = out[f"target/{second.name}_building_damage.tif"].stat().st_nlink
    assert linked == (2 if others == "link" else 1)
    assert out[changed].stat().st_nlink == 1
    with (done.folder / "others.csv").open(newline="") as file:
        listed = {row["path"]: int(row["size_bytes"]) for row in csv.DictReader(file)}
    assert listed == {n: len(d) for n, d in before.items() if not n.startswith("target/")}
    if others != "list":  # the reader of the layout opens what came out
        again = reader("bright").find(done.folder / "dataset")
        assert [tile.name for tile in again.tiles] == [first.name, second.name]


def test_codes_are_turned_back_and_other_pixels_keep_every_value(
    store: Store, tmp_path: Path
) -> None:
    raw = noise(3, 48, 40, low=10, high=13).astype(np.int16)
    raw[:5] = -1
    found = made(tmp_path, raw, {10: 1, 11: 1, 12: 5, 13: 6, -1: 0}, nodata=-1)
    (tile,) = opened(store, found)
    assert history.original(store, tile.id)[0, 0] == 0
    paint(store, tile.id, BOX, 1)
    old, now = history.original(store, tile.id), history.current(store, tile.id).labels
    done = written(store, tile)
    with rasterio.open(done.folder / "dataset/label.tif") as file:
        values = file.read(1)
        assert (file.dtypes[0], file.nodata, file.crs.to_epsg()) == ("int16", -1, 32654)
        assert file.tags()["SOURCE"] == "survey"
    changed = old != now
    assert changed.any()
    assert np.array_equal(values[~changed], raw[~changed])
    assert (values[changed] == 10).all()
    assert (raw[(old == 1) & ~changed] == 11).any()  # an 11 that stayed an 11


def made(root: Path, raw: np.ndarray, codes: dict[int, int], nodata: int | None) -> FoundDataset:
    grid = grid_of(*raw.shape)
    path = save(root / "label.tif", raw, grid, nodata=nodata, tags={"SOURCE": "survey"})
    sar = save(root / "sar.tif", noise(1, *raw.shape), grid)
    layers = (
        FoundLayer(Modality.SAR, ((sar, 1),), ("amplitude",)),
        FoundLayer(Modality.LABEL, ((path, 1),), ("class",), Unit.CODE, code_map=codes),
    )
    return dataset(root, FoundTile("a", "", Split.TRAIN, layers))


def test_real_labels_keep_their_colours_and_their_pixels(
    store: Store, real_data: Path, tmp_path: Path
) -> None:
    root = real_data / "oem-sar"
    found = reader("oem_sar").find(root)
    project = import_dataset(store, found, "Real", roots=[real_data])
    tile = catalogue.tiles(store, project.id)[-1]
    paint(store, tile.id, BOX, 3)
    done = written(store, tile)
    name = f"train/labels/{tile.name}.tif"
    with rasterio.open(done.folder / "dataset" / name) as new, rasterio.open(root / name) as old:
        assert np.array_equal(new.read(1), history.current(store, tile.id).labels)
        differs = new.read(1) != old.read(1)
        assert 0 < differs.sum() <= BOX.h * BOX.w
        assert new.colormap(1) == old.colormap(1)
        assert new.profile == old.profile


def test_a_class_without_a_file_value_is_said(store: Store, tmp_path: Path) -> None:
    raw = noise(3, 48, 40, low=1, high=2)
    (tile,) = opened(store, made(tmp_path, raw, {1: 1, 2: 2, 5: 6}, None))
    paint(store, tile.id, BOX, 5)
    with pytest.raises(ClassTableError, match=r"class codes \[5\]"):
        written(store, tile)
    assert list((store.workspace / "exports").iterdir()) == []


@pytest.mark.parametrize("placed", [True, False])
def test_tiles_cut_from_a_scene_go_back_into_its_file(
    store: Store, tmp_path: Path, placed: bool
) -> None:
    grid = grid_of(90, 112) if placed else unplaced(90, 112)
    raw = np.ones((90, 112), np.uint8)
    scene = make_tile(tmp_path, "scene", grid=grid, label=raw)
    tiles = opened(store, cut(dataset(tmp_path, scene), Cut(size=64, overlap=16)))
    assert len(tiles) == 4
    first, second = tiles[0], tiles[1]  # 64 px wide, 48 px apart
    paint(store, first.id, Window(10, 50, 5, 14), 3)
    paint(store, second.id, Window(10, 0, 5, 10), 3)
    done = written(store, first)
    with rasterio.open(done.folder / "dataset/scene_label.tif") as file:
        values = file.read(1)
    expected = raw.copy()
    expected[10:15, 48:64] = 3
    assert np.array_equal(values, expected)
    paint(store, second.id, Window(10, 0, 2, 10), 5)
    with pytest.raises(DatasetError, match="different classes for the same pixels"):
        written(store, first, "Again")


def test_a_png_label_keeps_its_palette(store: Store, tmp_path: Path) -> None:
    tile = make_tile(tmp_path, label=np.ones((48, 40), np.uint8))
    label = Image.fromarray(noise(3, 48, 40, low=1, high=8))
    label.putpalette([value for code in range(9) for value in (code * 20, 7, 9)])
    label.save(tmp_path / "a_m.png")
    layer = FoundLayer(Modality.LABEL, ((tmp_path / "a_m.png", 1),), ("class",), Unit.CODE)
    (found,) = opened(store, dataset(tmp_path, replace(tile, layers=(*tile.layers[:2], layer))))
    paint(store, found.id, BOX, 3)
    done = written(store, found)
    with Image.open(done.folder / "dataset/a_m.png") as out:
        assert out.mode == "P"
        assert np.array_equal(np.asarray(out), history.current(store, found.id).labels)
        assert (out.getpalette() or [])[3 * 8 : 3 * 8 + 3] == [160, 7, 9]


@pytest.mark.parametrize(
    ("code", "code_map", "dtype", "nodata", "void", "value"),
    [
        (5, {}, "uint8", None, 0, 5),
        (2, {2: 2, 3: 2}, "uint8", None, 255, 2),
        (2, {3: 2, 4: 3}, "uint8", None, 255, 3),
        (1, {10: 1, 11: 1}, "int16", None, 0, 10),
        (2, {6: 2, 7: 2, 2: 1}, "uint8", None, 0, 6),
        (0, {9: 0}, "uint8", None, 0, 0),
        (255, {-1: 255}, "int16", None, 255, -1),
        (255, {0: 255}, "uint8", 0, 255, 0),
        (255, {0: 255, 1: 0}, "uint8", None, 255, 0),
        (255, {}, "uint8", None, 255, 255),
        (200, {}, "int8", None, 255, None),
        (1, {1: 4}, "uint8", None, 255, None),
    ],
)
def test_the_value_of_a_class_in_a_file(
    code: int,
    code_map: dict[int, int],
    dtype: str,
    nodata: float | None,
    void: int,
    value: int | None,
) -> None:
    assert file_value(code, code_map, dtype, nodata, void) == value

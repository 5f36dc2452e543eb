"""COCO run lengths, held against pycocotools: masks, areas and boxes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as reference
from pycocotools.coco import COCO

from core import catalogue, history
from core.classes import BRIGHT
from core.errors import RasterError
from core.export import coco
from core.export.formats import export
from core.export.frame import Order
from core.export.run_lengths import counts_of, from_text, pixels_of, to_text
from core.ingest import import_dataset
from core.records import Tile
from core.store.engine import Store
from tests.rasters import dataset, make_tile, noise


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(0, 2**16))
def test_run_lengths_are_those_of_pycocotools(h: int, w: int, share: float, seed: int) -> None:
    mask = np.random.default_rng(seed).random((h, w)) < share
    text = to_text(counts_of(mask, 0, 0, h, w))
    assert text.encode() == reference.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
    pixels = np.zeros(h * w, np.bool_)
    pixels[pixels_of(from_text(text), h * w)] = True
    assert np.array_equal(pixels.reshape(w, h).T, mask)


def test_a_mask_inside_a_large_image_is_placed_and_long_runs_survive() -> None:
    mask = noise(1, 30, 20, low=0, high=1) == 1
    full = np.zeros((3000, 2000), np.uint8)
    full[2000:2030, 1500:1520] = mask
    text = to_text(counts_of(mask, 2000, 1500, 3000, 2000))
    assert text.encode() == reference.encode(np.asfortranarray(full))["counts"]
    columns = np.zeros((7, 9), np.bool_)
    columns[:, 3:5] = True  # one run over two whole columns
    assert counts_of(columns, 0, 0, 7, 9).tolist() == [21, 14, 28]


@pytest.mark.parametrize("text", ["", "P", "z\x7f"])
def test_text_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no run lengths"):
        from_text(text)


def test_class_masks_read_by_pycocotools_paint_the_labels(store: Store, tmp_path: Path) -> None:
    found = dataset(tmp_path, make_tile(tmp_path), make_tile(tmp_path, "b", seed=5))
    project = import_dataset(store, found, "P", roots=[tmp_path])
    done = export(store, project.id, "C", Order("coco", options={"masks": "class"}))
    read = COCO(str(done.folder / "annotations.json"))
    assert [c["name"] for c in read.loadCats(read.getCatIds())] == [
        entry.name for entry in project.classes.entries
    ]
    for tile in catalogue.tiles(store, project.id):
        (image,) = read.loadImgs([tile.id])
        assert (image["file_name"], image["height"], image["width"]) == (
            f"{tile.name}_rgb.tif",
            48,
            40,
        )
        painted = np.zeros((48, 40), np.uint8)
        for entry in read.loadAnns(read.getAnnIds(imgIds=[tile.id])):
            inside = read.annToMask(entry) == 1
            painted[inside] = entry["category_id"]
            assert entry["area"] == inside.sum()
            assert entry["bbox"] == reference.toBbox(read.annToRLE(entry)).astype(int).tolist()
        assert np.array_equal(painted, history.current(store, tile.id).labels)


def damaged(store: Store, folder: Path) -> Tile:
    label = np.zeros((48, 40), np.uint8)
    label[2:12, 2:12] = 1
    label[20:30, 5:15] = 2
    label[20:23, 5:15] = 3  # less of it is destroyed than damaged
    label[40:48, 30:40] = 3
    found = dataset(folder, make_tile(folder, label=label), classes=BRIGHT, kind="damage")
    project = import_dataset(store, found, "P", roots=[folder])
    return catalogue.tiles(store, project.id)[0]


def test_each_building_is_one_mask_with_the_class_of_most_of_it(
    store: Store, tmp_path: Path
) -> None:
    tile = damaged(store, tmp_path)
    done = export(store, tile.project_id, "C", Order("coco", options={"masks": "building"}))
    read = COCO(str(done.folder / "annotations.json"))
    entries = read.loadAnns(read.getAnnIds())
    assert [(e["category_id"], e["area"], e["bbox"]) for e in entries] == [
        (1, 100, [2, 2, 10, 10]),
        (2, 100, [5, 20, 10, 10]),
        (3, 80, [30, 40, 10, 8]),
    ]
    assert read.loadImgs([tile.id])[0]["file_name"] == "a_sar.tif"


def test_masks_that_read_back_otherwise_fail_the_export(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tile = damaged(store, tmp_path)
    monkeypatch.setattr(coco, "to_text", lambda counts: to_text(counts[::-1]))
    with pytest.raises(RasterError, match="paint other labels"):
        export(store, tile.project_id, "C", Order("coco"))
    assert list((store.workspace / "exports").iterdir()) == []

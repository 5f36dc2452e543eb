"""What changed in a folder, and what is taken over of it."""

from pathlib import Path

import numpy as np
import pytest

from core import catalogue, history
from core.found import FoundDataset
from core.ingest import import_dataset
from core.records import Modality, Project
from core.reimport import Changes, compare, take_over
from core.scan import scan_tile
from core.store.engine import Store
from tests.core.test_scan import paint
from tests.rasters import dataset, grid_of, make_tile, noise, save


@pytest.fixture
def project(tmp_path: Path, store: Store) -> Project:
    found = dataset(tmp_path, *(make_tile(tmp_path, name) for name in "abcd"))
    return import_dataset(store, found, "Four", roots=[tmp_path])


def folder_now(tmp_path: Path, names: str) -> FoundDataset:
    """Return what a reader would find of these tiles, without writing them again."""
    made = [make_tile(tmp_path / "spare", name) for name in names]
    return dataset(
        tmp_path,
        *(
            type(tile)(
                tile.name,
                tile.region,
                tile.split,
                tuple(
                    type(layer)(
                        layer.modality,
                        tuple((tmp_path / path.name, band) for path, band in layer.sources),
                        layer.bands,
                        layer.unit,
                    )
                    for layer in tile.layers
                ),
            )
            for tile in made
        ),
    )


def by_name(store: Store, project: Project) -> dict[str, int]:
    return {tile.name: tile.id for tile in catalogue.tiles(store, project.id)}


def test_nothing_changed(tmp_path: Path, store: Store, project: Project) -> None:
    assert not compare(store, project.id, folder_now(tmp_path, "abcd"))


def test_new_gone_and_changed_tiles_are_found_and_taken_over(
    tmp_path: Path, store: Store, project: Project
) -> None:
    ids = by_name(store, project)
    assert (history.original(store, ids["b"]) != 4).any()
    make_tile(tmp_path, "e")
    save(tmp_path / "b_label.tif", np.full((48, 40), 4, np.uint8), grid_of())
    save(tmp_path / "c_rgb.tif", noise(9, 3, 48, 40), grid_of())
    paint(store, ids["c"])
    found = folder_now(tmp_path, "abce")
    changes = compare(store, project.id, found)
    assert (changes.new, changes.gone, changes.kept) == (["e"], ["d"], [])
    assert changes.changed == ["b", "c"]
    assert changes.why["b"] == "b_label.tif has changed"
    take_over(store, project.id, found, changes, roots=[tmp_path])
    assert sorted(by_name(store, project)) == ["a", "b", "c", "e"]
    assert scan_tile(store, ids["b"]) is None and scan_tile(store, ids["c"]) is None
    assert (history.original(store, ids["b"]) == 4).all()
    assert catalogue.tile(store, ids["c"]).version == 1
    assert len(catalogue.layers(store, ids["c"], modality=Modality.OPTICAL)) == 1
    assert not compare(store, project.id, found)


def test_a_label_under_edits_is_not_taken_over(
    tmp_path: Path, store: Store, project: Project
) -> None:
    ids = by_name(store, project)
    paint(store, ids["a"])
    before = (tmp_path / "a_label.tif").read_bytes()
    now = history.current(store, ids["a"]).labels
    save(tmp_path / "a_label.tif", np.full((48, 40), 4, np.uint8), grid_of())
    found = folder_now(tmp_path, "abcd")
    changes = compare(store, project.id, found)
    assert changes == Changes(kept=["a"], why={"a": "a_label.tif has changed"})
    take_over(store, project.id, found, changes, roots=[tmp_path])
    tile = catalogue.tile(store, ids["a"])
    assert not tile.editable and "a_label.tif has changed" in (tile.problem or "")
    (tmp_path / "a_label.tif").write_bytes(before)
    assert scan_tile(store, ids["a"]) is None
    assert np.array_equal(history.current(store, ids["a"]).labels, now)


def test_a_changed_file_that_cannot_be_read_marks_its_tile(
    tmp_path: Path, store: Store, project: Project
) -> None:
    (tmp_path / "a_sar.tif").write_bytes(b"no raster")
    found = folder_now(tmp_path, "abcd")
    findings = take_over(
        store, project.id, found, compare(store, project.id, found), roots=[tmp_path]
    )
    assert [finding.level for finding in findings] == ["error"]
    assert "a_sar.tif" in (catalogue.tiles(store, project.id)[0].problem or "")

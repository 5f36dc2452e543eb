from pathlib import Path

import numpy as np
import pytest

from core import catalogue
from core.class_maps import add_predictions
from core.errors import DatasetError
from core.ingest import import_dataset
from core.predictions import predictions, read_prediction
from core.records import Modality, Project
from core.store.engine import Store
from tests.rasters import dataset, grid_of, make_tile, noise, save


@pytest.fixture
def project(tmp_path: Path, store: Store) -> Project:
    found = dataset(tmp_path, make_tile(tmp_path / "d"), make_tile(tmp_path / "d", "b"))
    return import_dataset(store, found, "P", roots=[tmp_path])


def test_maps_join_tiles_by_name_through_the_class_map(
    tmp_path: Path, store: Store, project: Project
) -> None:
    values = noise(1, 24, 20, low=10, high=12)
    save(tmp_path / "m/a_pred.tif", values, grid_of(24, 20, pixel=2))
    save(tmp_path / "m/other.tif", values, grid_of(24, 20, pixel=2))
    added = add_predictions(
        store, project.id, tmp_path / "m", {10: 1, 11: 2, 12: 8}, roots=[tmp_path]
    )
    assert added.added == 1
    assert [f.message for f in added.findings if f.level == "warning"] == [
        "no tile has this name; left out"
    ]
    (found,) = predictions(store, project_id=project.id)
    codes, confidence = read_prediction(store, found)
    expected = np.choose(values - 10, [1, 2, 8]).repeat(2, 0).repeat(2, 1)
    assert np.array_equal(codes, expected)
    assert (confidence == 255).all()
    assert found.model_id is None


def test_a_map_of_the_same_name_replaces_the_earlier_one(
    tmp_path: Path, store: Store, project: Project
) -> None:
    for code in (3, 4):
        save(tmp_path / "m/a.tif", np.full((48, 40), code, np.uint8), grid_of())
        add_predictions(store, project.id, [tmp_path / "m/a.tif"], roots=[tmp_path])
    (found,) = predictions(store, project_id=project.id)
    assert (read_prediction(store, found)[0] == 4).all()
    assert len(catalogue.layers(store, found.tile_id, modality=Modality.MODEL)) == 1


def test_unknown_codes_and_other_ground_are_reported(
    tmp_path: Path, store: Store, project: Project
) -> None:
    save(tmp_path / "m/a.tif", np.full((48, 40), 77, np.uint8), grid_of())
    save(tmp_path / "m/b.tif", np.ones((48, 40), np.uint8), grid_of(east=600_000))
    with pytest.raises(DatasetError) as caught:
        add_predictions(store, project.id, tmp_path / "m", roots=[tmp_path])
    assert "77 (1,920 px)" in str(caught.value)
    assert "bounds" in str(caught.value)
    assert predictions(store, project_id=project.id) == []


def test_folders_outside_the_roots_are_refused(
    store: Store, project: Project, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match="outside the folders"):
        add_predictions(store, project.id, Path("/etc"), roots=[tmp_path])

"""Whole patches as what models are scored on: the label of the patch, counted once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import catalogue, history
from core.classes import OPEN_EARTH_MAP_SAR
from core.errors import CloudbrushError
from core.presets import preset
from core.records import Split
from core.store.engine import Store
from models.measure import measure
from models.training_set import Choice, training_set
from models.validation_set import validation_tiles
from tests.core.test_patch_labels import LISTED, listed, one, stored, whole
from tests.rasters import dataset


def test_patches_that_are_held_out_are_the_reference(tmp_path: Path, store: Store) -> None:
    parts = [one(tmp_path, "a", 6), one(tmp_path, "v", 3, Split.VAL)]
    (a, v), _ = stored(store, dataset(tmp_path, *parts, kind="patch"))
    project = catalogue.project(store, a.project_id)
    (held,) = validation_tiles(store, project)
    assert (held.tile.id, held.reference) == (v.id, "truth")
    assert np.all(held.labels == 3)


def test_a_patch_of_one_class_can_be_learnt_from(tmp_path: Path, store: Store) -> None:
    (tile,), _ = stored(store, dataset(tmp_path, one(tmp_path, "a", 6), kind="patch"))
    project = catalogue.project(store, tile.project_id)
    (sample,) = training_set(store, project, Choice(modalities=("sar",))).samples
    assert np.unique(sample.label).tolist() == [OPEN_EARTH_MAP_SAR.codes.index(6)]


def test_a_map_of_pixels_counts_once_by_its_most_frequent_class(
    tmp_path: Path, store: Store
) -> None:
    (tile,), ada = stored(store, dataset(tmp_path, one(tmp_path, "a", 6), kind="patch"))
    project = catalogue.project(store, tile.project_id)
    history.append(store, tile.id, whole(tile, 1, to_class=5), ada)
    predicted = np.full((tile.grid.height, tile.grid.width), 2, np.uint8)
    predicted[:30] = 5
    matrix = measure(
        project,
        tile.grid,
        lambda window: history.current(store, tile.id, window).labels,
        lambda window: predicted[window.slices],
    ).matrix
    assert matrix.sum() == 1
    assert preset("patch_labels").figure("overall_accuracy", matrix, OPEN_EARTH_MAP_SAR) == 1.0


def test_lists_are_scored_by_cells(tmp_path: Path, store: Store) -> None:
    first = listed(tmp_path, "a", 0, 2)
    parts = [first, replace(first, name="v", split=Split.VAL)]
    found = dataset(tmp_path, *parts, kind="patch_list", classes=LISTED)
    (_, v), _ = stored(store, found)
    project = catalogue.project(store, v.project_id)
    with pytest.raises(CloudbrushError, match="lists of classes"):
        training_set(store, project, Choice())
    (held,) = validation_tiles(store, project)
    predicted = np.array([[0, 1, 255]], np.uint8)
    matrix = measure(project, v.grid, held.read, lambda w: predicted[w.slices]).matrix
    f1 = preset("patch_lists").f1(matrix, LISTED)
    # Class 0 hit, class 1 a false alarm on a patch without it, class 2 missed.
    assert f1[0] == 1.0 and f1[2] == 0.0 and matrix[3, 1] == 1

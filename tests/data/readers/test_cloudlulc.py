from pathlib import Path

import numpy as np
import pytest

from core import catalogue, legend
from core.check import check
from core.errors import ClassTableError, DatasetError
from core.ingest import import_dataset
from core.records import Modality, Split, Unit
from core.store.engine import Store
from data.readers import published_names, recognise
from data.readers.cloudlulc import READER, read_records
from models.evaluate import evaluate_labels
from models.training_set import Choice, training_set
from tests.fixtures import cloudlulc
from tests.fixtures.base import truncate, write

SPLITS = {
    "ROIs_01_p_0001": Split.TRAIN,
    "ROIs_01_p_0002": Split.TRAIN,
    "ROIs_02_p_0001": Split.VAL,
    "ROIs_03_p_0001": Split.TEST,
}


@pytest.mark.parametrize("newer", [True, False])
def test_both_namings_and_both_forms_of_lists(tmp_path: Path, newer: bool) -> None:
    cloudlulc.make(tmp_path, newer=newer)
    found = READER.find(tmp_path)
    assert recognise(tmp_path) == (READER, found.why)
    assert {tile.name: tile.split for tile in found.tiles} == SPLITS
    assert [tile.region for tile in found.tiles] == ["ROIs_01", "ROIs_01", "ROIs_02", "ROIs_03"]
    assert not found.findings[1:]
    sar, cloudy, clear, label = found.tiles[0].layers
    assert [path.parent.name for path, _ in sar.sources] == ["VV", "VH"]
    assert (cloudy.acquisition, clear.acquisition) == ("cloudy", "clear")
    assert len(cloudy.sources) == len(cloudy.bands) == 12
    assert label.modality is Modality.LABEL
    assert not [f for f in check(found, roots=[tmp_path]).findings if f.level != "info"]


@pytest.mark.parametrize(("decibels", "unit"), [(False, Unit.LINEAR), (True, Unit.DB)])
def test_the_unit_of_radar_is_found_from_its_values(
    tmp_path: Path, decibels: bool, unit: Unit
) -> None:
    cloudlulc.make(tmp_path, decibels=decibels)
    assert READER.find(tmp_path).tiles[0].layers[0].unit is unit


def test_a_line_of_a_list_that_says_nothing_is_reported(tmp_path: Path) -> None:
    cloudlulc.make(tmp_path)
    path = tmp_path / "CloudLULC-Set/split/val.csv"
    path.write_text("split_id sar_vh\n7 SAR_S1/VH/a.tif\n")
    with pytest.raises(DatasetError, match="split code of 1, 2 or 3"):
        list(read_records(path))
    found = READER.find(tmp_path)
    assert any(str(path) == f.where and "not used" in f.message for f in found.findings)
    assert len(found.tiles) == 4


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    cloudlulc.make(tmp_path)
    base = tmp_path / "CloudLULC-Set"
    (base / "SAR_S1/VH/patch_ROIs_01_p_0001.tif").unlink()
    truncate(base / "Opt_S2_cloudy/patch_ROIs_01_p_0002.tif", 0.2)
    write(base / "notes/map.tif", np.zeros((4, 4), np.uint8))
    found = READER.find(tmp_path)
    text = " ".join(f.where + f.message for f in found.findings)
    assert "band VH is missing beside this file" in text
    assert "1 rasters fit no pattern" in text
    checked = check(found, roots=[tmp_path])
    assert "ROIs_01_p_0002" not in {tile.found.name for tile in checked.tiles}
    assert "ROIs_01_p_0001" in {tile.found.name for tile in checked.tiles}


def test_training_and_scoring_wait_for_a_legend_that_is_kept(tmp_path: Path, store: Store) -> None:
    cloudlulc.make(tmp_path)
    found = READER.find(tmp_path)
    assert found.legend_asked
    assert legend.unnamed(found.classes) == cloudlulc.CODES
    project = import_dataset(store, found, "First", roots=[tmp_path])
    choice = Choice(modalities=("sar",))
    for attempt in (
        lambda: training_set(store, project, choice),
        lambda: evaluate_labels(store, project),
    ):
        with pytest.raises(ClassTableError, match="no name for code 0, 1, 2, 3, 4, 5"):
            attempt()
    names = dict(zip(cloudlulc.CODES, published_names("cloudlulc"), strict=True))
    legend.name_classes(store, project.id, {code: names[code] for code in (0, 1, 2)})
    with pytest.raises(ClassTableError, match="no name for code 3, 4, 5"):
        legend.require_named(catalogue.project(store, project.id))
    legend.name_classes(store, project.id, names)
    named = catalogue.project(store, project.id)
    assert training_set(store, named, choice).samples
    # A second import of the dataset is not asked again.
    again = legend.remembered(store, "cloudlulc", READER.find(tmp_path).classes)
    assert [entry.name for entry in again.entries] == list(names.values())
    assert legend.remembered(store, "another", found.classes) == found.classes


def test_names_that_say_nothing_are_refused(tmp_path: Path, store: Store) -> None:
    project = import_dataset(store, READER.find(cloudlulc.make(tmp_path)), "Set", roots=[tmp_path])
    refused = ({0: ""}, {99: "Water"}, {0: "Water", 1: "water"}, {0: "x" * 81})
    for names in refused:
        with pytest.raises(ClassTableError):
            legend.name_classes(store, project.id, names)
    assert legend.unnamed(catalogue.project(store, project.id).classes) == cloudlulc.CODES

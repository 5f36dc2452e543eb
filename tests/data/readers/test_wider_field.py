"""Sen1Floods11, SpaceNet 6, Kuro Siwo, GAMUS, M3LEO, OAM-TCD and Sen4AgriNet, by their files."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from core.check import Checked, check
from core.errors import DatasetError
from core.found import FoundTile
from core.raster import read, read_layer
from core.records import Modality, Split, Unit
from data.readers import reader as reader_of
from data.readers import recognise, recognised
from data.readers.spec_reader import SpecReader
from tests.fixtures import (
    gamus,
    kuro_siwo,
    m3leo,
    oam_tcd,
    oem_sar,
    sen1floods11,
    sen4agrinet,
    spacenet6,
)
from tests.fixtures.base import ground, truncate, write


@dataclass(frozen=True)
class Case:
    """A dataset: its fixture, a label and an image of a training tile, and its number of tiles."""

    key: str
    make: Callable[[Path], Path]
    label: str
    image: str
    tiles: int


CASES = {
    case.key: case
    for case in (
        Case("sen1floods11", sen1floods11.make, "*Spain*LabelHand.tif", "*Spain*S1Hand.tif", 5),
        Case("spacenet6", spacenet6.make, "*Buildings*8680.geojson", "*Intensity*8680.tif", 4),
        Case("kuro_siwo", kuro_siwo.make, "aa11/MK0_MLU_*.tif", "aa11/MS1_IVV_*.tif", 3),
        Case("gamus", gamus.make, "DC_04_23_CLS.h5", "DC_04_23_RGB.h5", 4),
        Case("m3leo", m3leo.make, "esaworldcover*/0123abc.tif", "s1grd*/0123abc.tif", 4),
        Case("oam_tcd", oam_tcd.make, "masks/5b0a_1.png", "images/5b0a_1.tif", 5),
        Case("sen4agrinet", sen4agrinet.make, "*31TCG*.nc", "*31TCG*.nc", 2),
    )
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {key: case.make(tmp_path_factory.mktemp(key)) for key, case in CASES.items()}


@pytest.fixture(scope="module")
def opened(folders: dict[str, Path]) -> dict[str, Checked]:
    return {key: opened_in(folder, key) for key, folder in folders.items()}


def opened_in(folder: Path, key: str) -> Checked:
    return check(reader_of(key).find(folder), roots=[folder])


def tile_of(checked: Checked, name: str) -> FoundTile:
    """Return a tile with its layers as the headers of their files complete them."""
    tile = next(tile for tile in checked.tiles if tile.found.name == name)
    return replace(tile.found, layers=tuple(layer.found for layer in tile.layers))


def values_of(checked: Checked, name: str, modality: Modality) -> np.ndarray:
    tile = next(tile for tile in checked.tiles if tile.found.name == name)
    layer = next(la.layer for la in tile.layers if la.found.modality is modality)
    return read_layer(layer, tile.grid).values


@pytest.mark.parametrize("key", CASES)
def test_each_is_recognised_by_its_files_alone(folders: dict[str, Path], key: str) -> None:
    found = recognise(folders[key])
    assert found is not None and found[0].key == key
    others = [reader.key for reader, _ in recognised(folders[key])][1:]
    assert set(others) <= {"cubes", "patterns"}, "no other dataset claims it"


@pytest.mark.parametrize("key", CASES)
def test_each_opens_with_every_tile_and_no_error(opened: dict[str, Checked], key: str) -> None:
    checked = opened[key]
    assert len(checked.tiles) == len(checked.dataset.tiles) == CASES[key].tiles
    assert not [f for f in checked.findings if f.level == "error"]
    train = [tile for tile in checked.tiles if tile.found.split is Split.TRAIN]
    assert all(set(t.codes) - {checked.dataset.classes.void_code} for t in train)


@pytest.mark.parametrize("key", CASES)
def test_a_damaged_file_leaves_its_tile_out_by_name(tmp_path: Path, key: str) -> None:
    case = CASES[key]
    folder = case.make(tmp_path)
    (path,) = folder.rglob(case.image)
    truncate(path, 0.3)
    checked = opened_in(folder, key)
    assert len(checked.tiles) == case.tiles - 1
    assert path.name in str([f for f in checked.findings if f.level == "error"])


@pytest.mark.parametrize("key", [key for key in CASES if key != "sen4agrinet"])
def test_a_missing_label_is_reported_and_the_others_open(tmp_path: Path, key: str) -> None:
    case = CASES[key]
    folder = case.make(tmp_path)
    (path,) = folder.rglob(case.label)
    path.unlink()
    checked = opened_in(folder, key)
    assert len(checked.tiles) == case.tiles
    assert [f for f in checked.findings if f.level == "warning" and "no file here" in f.message]


@pytest.mark.parametrize("key", CASES)
def test_other_folders_are_not_taken_for_it(tmp_path: Path, key: str) -> None:
    folder = oem_sar.make(tmp_path)
    reader = reader_of(key)
    assert isinstance(reader, SpecReader)
    assert reader.recognise(folder) is None
    with pytest.raises(DatasetError, match="no file of this layout"):
        reader.find(folder)


@pytest.mark.parametrize("key", CASES)
def test_foreign_files_in_between_are_said_and_left_out(
    folders: dict[str, Path], tmp_path: Path, key: str
) -> None:
    shutil.copytree(folders[key], tmp_path / "in")
    write(tmp_path / "in/holiday/beach.tif", ground(1, 16, (1, 2)))
    found = reader_of(key).find(tmp_path / "in")
    assert len(found.tiles) == CASES[key].tiles
    assert [f for f in found.findings if "fit no pattern" in f.message and "holiday" in f.where]


def test_sen1floods11_has_its_events_lists_and_void(opened: dict[str, Checked]) -> None:
    checked = opened["sen1floods11"]
    splits = {tile.found.name: tile.found.split for tile in checked.tiles}
    assert splits["Bolivia_23014"] is Split.TEST and splits["Ghana_24858"] is Split.VAL
    assert {tile.region for tile in checked.tiles} == {"Spain", "Ghana", "India", "Bolivia"}
    spain = tile_of(checked, "Spain_7370579")
    units = {la.modality: la.unit for la in spain.layers}
    assert units[Modality.SAR] is Unit.DB and units[Modality.OPTICAL] is Unit.REFLECTANCE
    labels = values_of(checked, spain.name, Modality.LABEL)[0]
    expected = ground(0, sen1floods11.SIZE, (0, 1, 2))
    assert np.array_equal(labels, np.where(expected == 2, 255, expected))


def test_sen1floods11_opens_on_the_real_chip(real_data: Path) -> None:
    folder = real_data / "sen1floods11"
    found = recognise(folder)
    assert found is not None and found[0].key == "sen1floods11"
    checked = opened_in(folder, "sen1floods11")
    (tile,) = checked.tiles
    assert tile.found.name == "Spain_7370579" and tile.region == "Spain"
    assert not [f for f in checked.findings if f.level == "error"]
    assert set(tile.codes) == {0, 1, 255} and sum(tile.codes.values()) == 512 * 512
    bands = {la.found.modality: la.found.bands for la in tile.layers}
    assert bands[Modality.SAR] == ("VV", "VH")
    assert len(bands[Modality.OPTICAL]) == 13


def test_spacenet_outlines_become_pixels_on_the_grid_of_the_image(
    opened: dict[str, Checked],
) -> None:
    checked = opened["spacenet6"]
    for tile in spacenet6.TILES:
        labels = values_of(checked, spacenet6.STRIP + tile, Modality.LABEL)[0]
        assert np.array_equal(labels, spacenet6.footprint(tile))
    test = tile_of(checked, spacenet6.STRIP + "9001")
    assert test.split is Split.TEST
    assert [la.modality for la in test.layers] == [Modality.SAR]
    train = tile_of(checked, spacenet6.STRIP + "8679")
    (sar,) = [la for la in train.layers if la.modality is Modality.SAR]
    assert len(sar.sources) == 4, "all its bands"


def test_kuro_siwo_keeps_its_three_dates_splits_and_invalid_ground(
    opened: dict[str, Checked],
) -> None:
    checked = opened["kuro_siwo"]
    assert {t.found.region: t.found.split for t in checked.tiles} == {
        "130": Split.TRAIN,
        "514": Split.VAL,
        "1111013": Split.TEST,
    }
    tile = tile_of(checked, "130_01_aa11")
    layers = {la.modality: la for la in tile.layers}
    names = [path.name[:7] for path, _ in layers[Modality.SAR].sources]
    assert names == ["MS1_IVV", "MS1_IVH", "SL1_IVV", "SL1_IVH", "SL2_IVV", "SL2_IVH"]
    assert layers[Modality.SAR].unit is Unit.LINEAR
    assert layers[Modality.HEIGHT].unit is Unit.METRE
    labels = values_of(checked, tile.name, Modality.LABEL)
    assert np.array_equal(labels[0], ground(0, kuro_siwo.SIZE, (0, 1, 2, 3)))
    assert checked.dataset.classes.void_code == 3


def test_gamus_reads_its_arrays_with_heights_in_metres(opened: dict[str, Checked]) -> None:
    checked = opened["gamus"]
    tile = tile_of(checked, "DC_04_23")
    height = next(la for la in tile.layers if la.modality is Modality.HEIGHT)
    assert height.unit is Unit.METRE
    with h5py.File(height.sources[0][0]) as file:
        assert np.array_equal(read(height.sources).values[0], file["image"][:])
    optical = values_of(checked, tile.name, Modality.OPTICAL)
    assert optical.shape == (3, gamus.SIZE, gamus.SIZE) and optical.dtype == np.uint8
    splits = {t.found.split for t in checked.tiles if t.found.region == "DC"}
    assert splits == {Split.TRAIN, Split.VAL}


def test_m3leo_names_seasons_and_reads_the_list_of_its_area(opened: dict[str, Checked]) -> None:
    checked = opened["m3leo"]
    splits = {tile.found.name: tile.found.split.value for tile in checked.tiles}
    words = {"validation": "val"}
    assert splits == {chip: words.get(word, word) for chip, word in m3leo.CHIPS.items()}
    tile = tile_of(checked, "0123abc")
    layers = {la.modality: la for la in tile.layers}
    assert layers[Modality.SAR].bands[4:6] == ("spring VV ascending", "spring VV descending")
    assert len(layers[Modality.OPTICAL].sources) == 36
    held = next(t for t in checked.tiles if t.found.name == tile.name)
    assert set(held.codes) == set(m3leo.CODES)
    assert {tile.region for tile in checked.tiles} == {"california"}


@pytest.mark.parametrize("white", [1, 255, 0])
def test_oam_tcd_masks_are_tree_cover_however_they_are_drawn(tmp_path: Path, white: int) -> None:
    checked = opened_in(oam_tcd.make(tmp_path, white=white), "oam_tcd")
    labels = values_of(checked, "5b0a_1", Modality.LABEL)[0]
    assert np.array_equal(labels, ground(0, oam_tcd.SIZE, (0, 1), cell=16))


def test_oam_tcd_splits_by_holdout_or_by_fold(folders: dict[str, Path]) -> None:
    reader = reader_of("oam_tcd")
    assert isinstance(reader, SpecReader)
    holdout = reader.find(folders["oam_tcd"])
    assert holdout.ways[:2] == ("holdout", "fold 0")
    assert [t.name for t in holdout.tiles if t.split is Split.TEST] == ["99aa_5"]
    fold = reader.find(folders["oam_tcd"], way="fold 0")
    assert [t.name for t in fold.tiles if t.split is Split.VAL] == ["77fe_4"]
    assert "99aa_5" not in {t.name for t in fold.tiles}


def test_sen4agrinet_takes_the_first_date_of_each_month(opened: dict[str, Checked]) -> None:
    checked = opened["sen4agrinet"]
    tile = tile_of(checked, "2019_31TCJ_00_01")
    optical = [la for la in tile.layers if la.modality is Modality.OPTICAL]
    assert [la.date for la in optical] == ["2019-03-04", "2019-05-01", "2019-07-20"]
    held = next(t for t in checked.tiles if t.found.name == tile.name)
    assert held.grid.transform[0] == 10.0, "the label has no place and takes that of the images"
    second = read(optical[1].sources[1:2], held.grid).values[0]
    first = read(optical[0].sources[1:2], held.grid).values[0]
    assert np.array_equal(second, first + 2), "May is the third date"


def test_sen4agrinet_crops_get_codes_and_others_are_unlabelled(
    opened: dict[str, Checked],
) -> None:
    labels = values_of(opened["sen4agrinet"], "2019_31TCJ_00_01", Modality.LABEL)[0]
    fields = ground(0, sen4agrinet.SIZE, range(len(sen4agrinet.CROPS)), cell=12)
    expected = np.array([0, 1, 2, 7, 8, 11, 255])[fields]
    assert np.array_equal(labels, expected)

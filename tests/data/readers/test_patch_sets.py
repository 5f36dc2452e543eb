"""BigEarthNet, So2Sat, QuakeSet, LandCover.ai, OpenEarthMap, CloudSEN12: found by their files."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest
import rasterio

from core.check import Checked, check
from core.errors import DatasetError
from core.found import FoundTile
from core.patch_labels import NONE
from core.raster import read, read_layer
from core.records import Modality, Split, Unit
from data.readers import reader as reader_of
from data.readers import recognise, recognised
from data.readers.bigearthnet import CLASSES, CODES, CORINE_OF
from data.readers.corine import NAMES
from data.readers.so2sat import S1_NUMBERS
from tests.fixtures import (
    bigearthnet,
    cloudsen12,
    landcover_ai,
    open_earth_map,
    quakeset,
    so2sat,
)
from tests.fixtures.base import ground, truncate, write


@dataclass(frozen=True)
class Case:
    """A dataset: its fixture, an image and its partner of a training tile, and its tiles."""

    key: str
    make: Callable[[Path], Path]
    image: str
    partner: str
    tiles: int


CASES = {
    case.key: case
    for case in (
        Case("bigearthnet", bigearthnet.make, "*36_85_B8A.tif", "*36_85_reference_map.tif", 3),
        Case("bigearthnet_lists", bigearthnet.make, "*36_85_B8A.tif", "*29UPU_36_85_VV.tif", 3),
        Case("so2sat", so2sat.make, "training.h5", "", 11),
        Case("quakeset", quakeset.make, "earthquakes.h5", "", 6),
        Case("landcover_ai", landcover_ai.make, "images/M-33*.tif", "masks/M-33*.tif", 5),
        Case(
            "open_earth_map", open_earth_map.make, "images/aachen_1.tif", "labels/aachen_1.tif", 5
        ),
        Case("cloudsen12", cloudsen12.make, "s2_toa/ROI_00012*.tif", "cloud/ROI_00012*.tif", 4),
    )
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made: dict[Callable[[Path], Path], Path] = {}
    for key, case in CASES.items():
        if case.make not in made:
            made[case.make] = case.make(tmp_path_factory.mktemp(key))
    return {key: made[case.make] for key, case in CASES.items()}


@pytest.fixture(scope="module")
def opened(folders: dict[str, Path]) -> dict[str, Checked]:
    return {key: opened_in(folder, key) for key, folder in folders.items()}


def opened_in(folder: Path, key: str) -> Checked:
    return check(reader_of(key).find(folder), roots=[folder])


def tile_of(checked: Checked, name: str) -> FoundTile:
    return next(tile.found for tile in checked.tiles if tile.found.name == name)


def split_of(checked: Checked) -> dict[str, Split]:
    return {tile.found.name: tile.found.split for tile in checked.tiles}


def values_of(checked: Checked, name: str, modality: Modality) -> np.ndarray:
    """Return the pixels of one layer as a project would read them."""
    tile = next(tile for tile in checked.tiles if tile.found.name == name)
    layer = next(la.layer for la in tile.layers if la.found.modality is modality)
    return read_layer(layer, tile.grid).values


@pytest.mark.parametrize("key", CASES)
def test_a_folder_opens_without_an_error(opened: dict[str, Checked], key: str) -> None:
    checked = opened[key]
    assert len(checked.tiles) == CASES[key].tiles
    assert not [f for f in checked.findings if f.level == "error"]
    assert {Split.TRAIN, Split.VAL, Split.TEST} == set(split_of(checked).values())
    for tile in checked.tiles:
        held = {la.found.modality for la in tile.layers}
        labelled = tile.found.patch_codes is not None or Modality.LABEL in held
        assert labelled or tile.found.split is not Split.TRAIN


@pytest.mark.parametrize("key", CASES)
def test_the_folder_is_told_from_all_others(folders: dict[str, Path], key: str) -> None:
    keys = [reader.key for reader, _ in recognised(folders[key])]
    both = ["bigearthnet", "bigearthnet_lists"]
    assert keys[:2] == both if key in both else keys[0] == key
    for other, folder in folders.items():
        if other not in both or key not in both:
            assert (reader_of(key).recognise(folder) is not None) == (other == key)


@pytest.mark.parametrize("key", CASES)
def test_a_wrong_folder_is_refused_by_name(tmp_path: Path, key: str) -> None:
    write(tmp_path / "holiday/beach.tif", ground(1, 16, (1, 2)))
    assert recognise(tmp_path) is not None  # by the reader of any file
    assert reader_of(key).recognise(tmp_path) is None
    with pytest.raises(DatasetError, match="no file of this layout"):
        reader_of(key).find(tmp_path)


@pytest.mark.parametrize("key", CASES)
def test_a_truncated_file_leaves_its_tiles_out(
    folders: dict[str, Path], tmp_path: Path, key: str
) -> None:
    folder = shutil.copytree(folders[key], tmp_path / "copy")
    path = sorted(folder.rglob(CASES[key].image))[0]
    truncate(path, 0.02 if path.suffix == ".h5" else 0.5)
    try:
        checked = opened_in(folder, key)
    except DatasetError:
        assert key == "quakeset"  # all of it is one file
        return
    assert 0 < len(checked.tiles) < CASES[key].tiles
    errors = [f for f in checked.findings if f.level == "error"]
    assert errors and all(path.name in f.where + f.message for f in errors)


@pytest.mark.parametrize("key", [key for key, case in CASES.items() if case.partner])
def test_a_missing_partner_is_reported(folders: dict[str, Path], tmp_path: Path, key: str) -> None:
    folder = shutil.copytree(folders[key], tmp_path / "copy")
    path = sorted(folder.rglob(CASES[key].partner))[0]
    path.unlink()
    found = reader_of(key).find(folder)
    told = [f for f in found.findings if f.level == "warning"]
    assert told or key == "landcover_ai"
    checked = check(found, roots=[folder])
    assert len(checked.tiles) == CASES[key].tiles


def test_two_datasets_in_one_folder_stay_apart(tmp_path: Path) -> None:
    so2sat.make(tmp_path / "one")
    quakeset.make(tmp_path / "two")
    assert {"so2sat", "quakeset"} <= {reader.key for reader, _ in recognised(tmp_path)}
    for key in ("so2sat", "quakeset"):
        assert len(opened_in(tmp_path, key).tiles) == CASES[key].tiles


# BigEarthNet


def test_backscatter_keeps_its_fractions_and_order(opened: dict[str, Checked]) -> None:
    patch, s1, *_ = bigearthnet.PAIRS[0]
    tile = tile_of(opened["bigearthnet"], patch)
    (sar,) = [la for la in tile.layers if la.modality is Modality.SAR]
    assert (sar.bands, sar.unit) == (("VV", "VH"), Unit.DB)
    assert [path.stem[-2:] for path, _ in sar.sources] == ["VV", "VH"]
    values = read(sar.sources).values
    assert values.dtype == np.float32
    assert not np.allclose(values, np.rint(values), atol=0.01)
    assert tile.region == "Ireland" and s1 in str(sar.sources[0][0])


def test_bands_of_three_sizes_are_one_image(opened: dict[str, Checked]) -> None:
    values = values_of(opened["bigearthnet"], bigearthnet.PAIRS[0][0], Modality.OPTICAL)
    assert values.shape == (12, 120, 120)
    tile = tile_of(opened["bigearthnet"], bigearthnet.PAIRS[0][0])
    (optical,) = [la for la in tile.layers if la.modality is Modality.OPTICAL]
    assert optical.date == "2017-06-17" and optical.bands[8] == "B8A"


def test_corine_codes_become_the_published_classes(opened: dict[str, Checked]) -> None:
    for number, (patch, _, split, _, codes) in enumerate(bigearthnet.PAIRS):
        kind = Modality.LABEL if split == "train" else Modality.TRUTH
        labels = values_of(opened["bigearthnet"], patch, kind)[0]
        wanted = {code: CODES[code] for code in codes}
        assert np.array_equal(labels, np.vectorize(wanted.get)(bigearthnet.corine(number)))
    assert CODES[122] == CODES[999] == NONE


def test_every_corine_class_is_mapped_once() -> None:
    mapped = [code for codes in CORINE_OF for code in codes]
    assert len(mapped) == len(set(mapped)) == 32 and set(mapped) <= set(NAMES)
    void = {code for code, number in CODES.items() if number == NONE}
    published = {122, 123, 124, 131, 132, 133, 141, 142, 332, 334, 335, 423, 999}
    assert void == published and len(CORINE_OF) == len(CLASSES.entries)


def test_lists_of_classes_are_cells(opened: dict[str, Checked]) -> None:
    for (patch, *_), labels in zip(bigearthnet.PAIRS, bigearthnet.LABELS, strict=True):
        codes = tile_of(opened["bigearthnet_lists"], patch).patch_codes
        assert codes is not None and len(codes) == 19
        assert [CLASSES.entries[code].name for code in codes if code != NONE] == labels
        assert tile_of(opened["bigearthnet"], patch).patch_codes is None


def test_a_patch_that_no_table_names_starts_without_a_class(tmp_path: Path) -> None:
    bigearthnet.make(tmp_path)
    (tmp_path / "metadata.parquet").unlink()
    found = reader_of("bigearthnet_lists").find(tmp_path)
    assert [f for f in found.findings if "3 patches have no list" in f.message]
    assert {t.patch_codes for t in found.tiles if not t.name.startswith("S1")} == {(NONE,) * 19}


def test_an_unknown_class_is_no_class_of_ours(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "bigearthnet/S2/S2A_MSIL2A_20170617T113321_36_85"
    folder = shutil.copytree(source, tmp_path / source.name)
    path = next(folder.glob("*.json"))
    about = json.loads(path.read_text())
    path.write_text(json.dumps(about | {"labels": ["Moon dust"]}))
    with pytest.raises(DatasetError, match="Moon dust"):
        reader_of("bigearthnet_lists").find(tmp_path)


def test_real_pairs_open_with_their_lists(real_data: Path) -> None:
    checked = opened_in(real_data / "bigearthnet", "bigearthnet_lists")
    assert not [f for f in checked.findings if f.level in ("error", "warning")]
    first, second = checked.tiles
    names = [CLASSES.entries[code].name for code in second.found.patch_codes or () if code != NONE]
    # "Peatbogs" and "Water bodies" of version 1 are inland wetlands and inland waters.
    assert names == [
        "Coniferous forest",
        "Mixed forest",
        "Transitional woodland, shrub",
        "Inland wetlands",
        "Inland waters",
    ]
    assert (first.grid.height, first.grid.width, first.grid.crs) == (1, 19, "EPSG:32629")
    (sar,) = [la.found for la in first.layers if la.found.modality is Modality.SAR]
    with rasterio.open(sar.sources[1][0]) as file:
        assert np.array_equal(read(sar.sources).values[1], file.read(1))
        assert "VH" in file.name


# So2Sat and QuakeSet


def test_each_patch_of_so2sat_has_the_class_of_its_row(opened: dict[str, Checked]) -> None:
    for split, part in (("training", Split.TRAIN), ("validation", Split.VAL)):
        for row, code in enumerate(so2sat.codes(split).tolist()):
            tile = tile_of(opened["so2sat"], f"{split}_{row:06d}")
            assert (tile.patch_codes, tile.split) == ((code,), part)


def test_arrays_of_so2sat_are_read_by_patch_and_band(
    folders: dict[str, Path], opened: dict[str, Checked]
) -> None:
    with h5py.File(folders["so2sat"] / "training.h5") as file:
        optical = file["sen2"][3].transpose(2, 0, 1)
        sar = file["sen1"][3].transpose(2, 0, 1)
    name = "training_000003"
    assert np.allclose(values_of(opened["so2sat"], name, Modality.OPTICAL), optical)
    ours = values_of(opened["so2sat"], name, Modality.SAR)
    assert np.allclose(ours, sar[[S1_NUMBERS["VV"] - 1, S1_NUMBERS["VH"] - 1]])
    assert ours.min() >= 0  # intensities, not the parts of complex numbers


@pytest.mark.parametrize("wrong", ["two", "none", "absent"])
def test_labels_of_so2sat_that_are_no_class_are_refused(tmp_path: Path, wrong: str) -> None:
    so2sat.make(tmp_path)
    with h5py.File(tmp_path / "training.h5", "r+") as file:
        labels = file["label"][:]
        labels[2] = {"two": np.eye(17)[0] + np.eye(17)[1], "none": 0.0, "absent": 0.0}[wrong]
        del file["label"]
        if wrong != "absent":
            file["label"] = labels
    found = reader_of("so2sat").find(tmp_path)
    (error,) = {f.message for f in found.findings if f.level == "error"}
    assert "label" in error and "training" not in {t.name[:8] for t in found.tiles}


def test_pairs_of_quakeset_are_struck_or_calm(opened: dict[str, Checked]) -> None:
    checked = opened["quakeset"]
    codes = {tile.found.name: tile.found.patch_codes for tile in checked.tiles}
    assert codes["611645479_patch_0_struck"] == (1,)
    assert codes["611645479_patch_0_calm"] == (0,)
    assert "611645479_patch_1_calm" not in codes  # it has no image of before
    calm = tile_of(checked, "611645479_patch_0_calm")
    assert [la.name for la in calm.layers] == ["first", "second"]
    assert calm.region == "611645479"


def test_images_of_a_pair_are_those_of_the_event(
    folders: dict[str, Path], opened: dict[str, Checked]
) -> None:
    tile = tile_of(opened["quakeset"], "611645479_patch_0_calm")
    first, second = (read(la.sources) for la in tile.layers)
    with h5py.File(folders["quakeset"] / "earthquakes.h5") as file:
        before = file["611645479/patch_0/before"][:].transpose(2, 0, 1)
        pre = file["611645479/patch_0/pre"][:].transpose(2, 0, 1)
    assert np.array_equal(second.values, pre)
    assert not first.valid[0, 0] and first.valid.sum() == 32 * 32 - 1
    assert np.array_equal(first.values[:, first.valid], before[:, first.valid])


def test_an_event_without_a_split_is_refused(tmp_path: Path) -> None:
    quakeset.make(tmp_path)
    with h5py.File(tmp_path / "earthquakes.h5", "r+") as file:
        file["611645480"].attrs["split"] = "later"
    with pytest.raises(DatasetError, match="no file of this layout"):
        reader_of("quakeset").find(tmp_path)


# LandCover.ai, OpenEarthMap, CloudSEN12


def test_sheets_are_cut_as_the_authors_cut_them(tmp_path: Path) -> None:
    landcover_ai.make(tmp_path / "sheets")
    landcover_ai.make_output(tmp_path / "output")
    ours = opened_in(tmp_path / "sheets", "landcover_ai")
    theirs = opened_in(tmp_path / "output", "landcover_ai")
    assert split_of(ours) == split_of(theirs)
    for name, split in split_of(ours).items():
        kind = Modality.LABEL if split is Split.TRAIN else Modality.TRUTH
        assert np.array_equal(values_of(ours, name, kind), values_of(theirs, name, kind))
        mine, jpeg = (values_of(part, name, Modality.OPTICAL) for part in (ours, theirs))
        assert np.abs(mine.astype(int) - jpeg).mean() < 12  # JPEG is not exact
    assert not list((tmp_path / "sheets").rglob("*.jpg"))  # and nothing was copied


def test_pieces_at_the_edge_are_counted_and_left_out(tmp_path: Path) -> None:
    landcover_ai.make(tmp_path)
    found = reader_of("landcover_ai").find(tmp_path, way="folders")
    numbers = [int(t.name.rsplit("_", 1)[1]) for t in found.tiles if t.name.startswith("M")]
    assert sorted(numbers) == [0, 1, 3, 4]


def test_a_region_may_hold_an_underscore(opened: dict[str, Checked]) -> None:
    checked = opened["open_earth_map"]
    assert tile_of(checked, "rio_branco_3").region == "rio_branco"
    assert split_of(checked)["aachen_2"] is Split.VAL
    (test,) = [t for t in checked.tiles if t.found.split is Split.TEST]
    assert [la.found.modality for la in test.layers] == [Modality.OPTICAL]


def test_masks_of_clouds_are_label_and_levels(opened: dict[str, Checked]) -> None:
    name = cloudsen12.LISTS["train"][0]
    drawn = cloudsen12.mask(name)
    labels = values_of(opened["cloudsen12"], name, Modality.LABEL)[0]
    levels = values_of(opened["cloudsen12"], name, Modality.CLOUD)[0]
    assert np.array_equal(labels, drawn)
    assert np.array_equal(levels, np.array([0, 2, 1, 3])[drawn])  # their 1 is thick, ours thin
    tile = tile_of(opened["cloudsen12"], name)
    assert tile.layers[0].date == "2019-05-25" and len(tile.layers[0].bands) == 13

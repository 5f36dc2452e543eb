from pathlib import Path

import pytest

from core.errors import DatasetError
from core.records import Modality, Split
from data.readers import recognise
from data.readers.bright import BrightReader
from data.readers.oem_sar import OemSarReader
from tests.rasters import make_bright, make_oem, noise, save

READER = OemSarReader()


def test_the_layout_is_recognised_and_said_why(tmp_path: Path) -> None:
    found = recognise(make_oem(tmp_path))
    assert found is not None
    reader, why = found
    assert reader.key == "oem_sar"
    assert why == "train holds rgb_images, sar_images, labels"


@pytest.mark.parametrize("wrapper", ["", "dfc25_track1_trainval"])
def test_tiles_are_joined_by_stem_of_any_width(tmp_path: Path, wrapper: str) -> None:
    make_oem(tmp_path / wrapper)
    found = READER.find(tmp_path)
    train = [tile for tile in found.tiles if tile.split is Split.TRAIN]
    assert [tile.name for tile in train] == ["TrainArea_0002", "TrainArea_001"]
    for tile in train:
        assert [la.modality for la in tile.layers] == [
            Modality.OPTICAL,
            Modality.SAR,
            Modality.LABEL,
        ]
        assert {path.stem for la in tile.layers for path, _ in la.sources} == {tile.name}


def test_validation_tiles_may_have_sar_alone(tmp_path: Path) -> None:
    found = READER.find(make_oem(tmp_path))
    (val,) = [tile for tile in found.tiles if tile.split is Split.VAL]
    assert [la.modality for la in val.layers] == [Modality.SAR]
    assert {f.level for f in found.findings} == {"info"}


def test_labels_of_validation_tiles_are_truth(tmp_path: Path) -> None:
    make_oem(tmp_path)
    save(tmp_path / "val/labels/ValArea_001.tif", noise(1, 32, 24, high=8))
    (val,) = [tile for tile in READER.find(tmp_path).tiles if tile.split is Split.VAL]
    assert Modality.TRUTH in {la.modality for la in val.layers}
    assert Modality.LABEL not in {la.modality for la in val.layers}


def test_a_missing_partner_is_reported_by_name(tmp_path: Path) -> None:
    make_oem(tmp_path)
    (tmp_path / "train/labels/TrainArea_001.tif").unlink()
    warnings = [f for f in READER.find(tmp_path).findings if f.level == "warning"]
    (warning,) = warnings
    assert warning.where.endswith("train/labels")
    assert warning.message == "1 of 2 tiles have no file here: TrainArea_001"


def test_other_folders_are_not_taken_for_it(tmp_path: Path) -> None:
    make_bright(tmp_path / "train", ("a-flood_00000001",))
    assert READER.recognise(tmp_path) is None
    assert BrightReader().recognise(tmp_path) is not None
    with pytest.raises(DatasetError, match="expected train/sar_images"):
        READER.find(tmp_path)

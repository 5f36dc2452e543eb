from pathlib import Path

import pytest

from core.check import check
from core.errors import DatasetError
from core.records import Modality, Split
from data.readers import recognise, recognised
from data.readers.oem_sar import READER
from tests.fixtures import bright, oem_sar
from tests.fixtures.base import ground, truncate, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return oem_sar.make(tmp_path_factory.mktemp("oem"), wrapper="dfc25_track1_trainval")


def test_the_layout_is_recognised_wherever_it_was_unpacked(folder: Path) -> None:
    for root in (folder, folder / "dfc25_track1_trainval", folder.parent):
        found = recognise(root)
        assert found is not None
        assert found[0].key == "oem_sar"
        assert "sar_images/" in found[1]


def test_tiles_are_joined_by_stem_of_any_width(folder: Path) -> None:
    train = [tile for tile in READER.find(folder).tiles if tile.split is Split.TRAIN]
    assert [tile.name for tile in train] == list(oem_sar.TRAIN)
    for tile in train:
        kinds = [la.modality for la in tile.layers]
        assert kinds == [Modality.OPTICAL, Modality.SAR, Modality.LABEL]
        assert {path.stem for la in tile.layers for path, _ in la.sources} == {tile.name}


def test_labels_from_archives_of_their_own_are_truth(folder: Path) -> None:
    found = READER.find(folder)
    held = [tile for tile in found.tiles if tile.split is not Split.TRAIN]
    assert {tile.name: tile.split for tile in held} == {
        "TestArea_087": Split.TEST,
        "ValArea_001": Split.VAL,
        "ValArea_210": Split.VAL,
    }
    for tile in held:
        assert [la.modality for la in tile.layers] == [Modality.SAR, Modality.TRUTH]
    assert {f.level for f in found.findings} == {"info"}


def test_labels_without_a_position_take_the_images(folder: Path) -> None:
    checked = check(READER.find(folder), roots=[folder])
    assert not [f for f in checked.findings if f.level == "error"]
    by_name = {tile.found.name: tile for tile in checked.tiles}
    assert by_name["ValArea_001"].grid.crs == "EPSG:32654"
    assert by_name["TrainArea_001"].grid.crs is None


def test_held_out_tiles_may_have_sar_alone(tmp_path: Path) -> None:
    found = READER.find(oem_sar.make(tmp_path, labels_of_held_out=False))
    val = [tile for tile in found.tiles if tile.split is Split.VAL]
    assert all([la.modality for la in tile.layers] == [Modality.SAR] for tile in val)


def test_a_missing_partner_is_reported_by_name(tmp_path: Path) -> None:
    oem_sar.make(tmp_path)
    (tmp_path / "train/labels/TrainArea_001.tif").unlink()
    (warning,) = [f for f in READER.find(tmp_path).findings if f.level == "warning"]
    assert warning.where == "{split}/labels/{tile}.tif"
    assert warning.message == "1 of 3 train tiles have no file here: TrainArea_001"


def test_a_truncated_file_leaves_its_tile_out_by_name(tmp_path: Path) -> None:
    oem_sar.make(tmp_path)
    path = tmp_path / "train/sar_images/TrainArea_379.tif"
    truncate(path)
    checked = check(READER.find(tmp_path), roots=[tmp_path])
    assert "TrainArea_379" not in {tile.found.name for tile in checked.tiles}
    (error,) = [f for f in checked.findings if f.level == "error"]
    assert str(path) in error.where + error.message


def test_foreign_rasters_are_counted_and_left_out(tmp_path: Path) -> None:
    oem_sar.make(tmp_path)
    write(tmp_path / "holiday/beach.tif", ground(1, 16, (1, 2)))
    found = READER.find(tmp_path)
    (finding,) = [f for f in found.findings if "fit no pattern" in f.message]
    assert finding.where.endswith("holiday")
    assert finding.message.startswith("1 rasters")


def test_two_datasets_in_one_folder_are_both_offered(tmp_path: Path) -> None:
    oem_sar.make(tmp_path / "one")
    bright.make(tmp_path / "two", ("a-flood_00000001",))
    assert [reader.key for reader, _ in recognised(tmp_path)] == [
        "oem_sar",
        "bright",
        "patterns",
    ]


def test_other_folders_are_not_taken_for_it(tmp_path: Path) -> None:
    bright.make(tmp_path / "train", ("a-flood_00000001",))
    assert READER.recognise(tmp_path) is None
    with pytest.raises(DatasetError, match=r"expected \{split\}/rgb_images"):
        READER.find(tmp_path)


def test_a_file_of_the_same_tile_twice_is_reported(tmp_path: Path) -> None:
    oem_sar.make(tmp_path / "a")
    oem_sar.make(tmp_path / "b")
    found = READER.find(tmp_path)
    assert len(found.tiles) == len(READER.find(tmp_path / "a").tiles)
    assert [f for f in found.findings if "already" in f.message and "/b/" in f.where]


def splits(root: Path, way: str) -> dict[str, Split]:
    return {tile.name: tile.split for tile in READER.find(root, way=way).tiles}


def test_lists_for_domain_adaptation_become_ways_from_source_to_target(tmp_path: Path) -> None:
    root = oem_sar.write_uda(oem_sar.make(tmp_path))
    france, all_three = "uda france to japan", "uda france_japan_usa v2 to japan"
    assert sorted(READER.find(root).ways) == ["folders", france, all_three]
    held = {"ValArea_001": Split.VAL, "TestArea_087": Split.TEST}
    first = ("TrainArea_001", "TrainArea_379")
    assert splits(root, france) == held | dict.fromkeys(first, Split.TRAIN)
    assert splits(root, all_three) == held | dict.fromkeys(oem_sar.TRAIN, Split.TRAIN)
    assert len(splits(root, "folders")) == 6


def test_a_list_for_adaptation_never_moves_a_held_out_tile_into_training(tmp_path: Path) -> None:
    root = oem_sar.write_uda(oem_sar.make(tmp_path))
    (root / "uda_splits/train_pseudo_france_source.txt").write_text(
        "TrainArea_001.tif\nValArea_001.tif"
    )
    found = READER.find(root, way="uda france to japan")
    assert {t.name: t.split for t in found.tiles}["ValArea_001"] is Split.VAL
    assert any("leak: ValArea_001" in finding.message for finding in found.findings)


def test_lists_without_a_target_give_no_way(tmp_path: Path) -> None:
    root = oem_sar.write_uda(oem_sar.make(tmp_path))
    for path in (root / "uda_splits").glob("*_target.txt"):
        path.unlink()
    assert READER.find(root).ways == ()

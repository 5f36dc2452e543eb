from pathlib import Path

import pytest

from core.check import check
from core.errors import DatasetError
from core.raster import describe
from core.records import Modality, Split
from data.readers.bright import BrightReader
from tests.rasters import make_bright, noise, save

READER = BrightReader()
IDS = ("bata-explosion_00000000", "la_palma-volcano_00000007", "ukraine-conflict_00000003")


def splits(root: Path) -> dict[str, Split]:
    return {tile.name: tile.split for tile in READER.find(root).tiles}


def test_flat_layout_by_id_with_the_event_as_region(tmp_path: Path) -> None:
    found = READER.find(make_bright(tmp_path, IDS))
    assert [tile.region for tile in found.tiles] == [
        "bata-explosion",
        "la_palma-volcano",
        "ukraine-conflict",
    ]
    assert found.kind == "damage"
    assert all(len(tile.layers) == 3 for tile in found.tiles)
    assert check(found, roots=[tmp_path]).tiles[0].grid.crs == "EPSG:32654"


@pytest.mark.parametrize("wrapper", ["", "dfc25_track2_trainval"])
def test_contest_layout_keeps_its_split(tmp_path: Path, wrapper: str) -> None:
    make_bright(tmp_path / wrapper / "train", IDS[:2])
    make_bright(tmp_path / wrapper / "val", IDS[2:])
    assert splits(tmp_path) == {
        IDS[0]: Split.TRAIN,
        IDS[1]: Split.TRAIN,
        IDS[2]: Split.VAL,
    }
    val = READER.find(tmp_path).tiles[-1]
    assert Modality.TRUTH in {layer.modality for layer in val.layers}


@pytest.mark.parametrize(
    "name", ["{}_set.txt", "{}_setlevel.txt", "splitname/standard_ML/{}_set.txt"]
)
def test_lists_decide_the_split(tmp_path: Path, name: str) -> None:
    make_bright(tmp_path, IDS)
    for split, text in (("train", IDS[0] + "\n\n"), ("val", IDS[1]), ("test", f"{IDS[2]}.tif\r\n")):
        path = tmp_path / name.format(split)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert splits(tmp_path) == {IDS[0]: Split.TRAIN, IDS[1]: Split.VAL, IDS[2]: Split.TEST}


def test_an_id_in_two_lists_is_taken_out_of_training_and_reported(tmp_path: Path) -> None:
    make_bright(tmp_path, IDS)
    (tmp_path / "train_set.txt").write_text("\n".join(IDS))
    (tmp_path / "holdout_set.txt").write_text(IDS[0])
    found = READER.find(tmp_path)
    assert {tile.name: tile.split for tile in found.tiles}[IDS[0]] is Split.VAL
    (finding,) = found.findings
    assert IDS[0] in finding.message
    assert finding.where.endswith("holdout_set.txt")


def test_without_lists_it_says_that_all_is_training(tmp_path: Path) -> None:
    found = READER.find(make_bright(tmp_path, IDS))
    assert "no split lists" in found.findings[-1].message


def test_events_without_optical_keep_sar_and_target(tmp_path: Path) -> None:
    found = READER.find(make_bright(tmp_path, IDS, without_pre=IDS[2:]))
    tile = found.tiles[-1]
    assert [la.modality for la in tile.layers] == [Modality.SAR, Modality.LABEL]
    (warning,) = [f for f in found.findings if f.level == "warning"]
    assert warning.message.startswith("1 tiles of ukraine-conflict have no file here")
    assert len(check(found, roots=[tmp_path]).tiles) == 3


def test_255_in_a_target_is_void_and_4_is_refused(tmp_path: Path) -> None:
    make_bright(tmp_path, IDS[:2])
    target = noise(1, 32, 32, low=0, high=3)
    target[0] = 255
    for name, value in zip(IDS[:2], (255, 4), strict=True):
        path = tmp_path / "target" / f"{name}_building_damage.tif"
        layer = next(la for t in READER.find(tmp_path).tiles if t.name == name for la in t.layers)
        target[0] = value
        save(path, target, describe(layer.sources[0][0]).grid)
    checked = check(READER.find(tmp_path), roots=[tmp_path])
    assert [tile.found.name for tile in checked.tiles] == [IDS[0]]
    assert checked.codes[255] == 32
    assert any("unknown codes 4 (32 px)" in f.message for f in checked.findings)


def test_a_fourth_optical_band_is_left_alone(tmp_path: Path) -> None:
    make_bright(tmp_path, IDS[:1])
    path = tmp_path / "pre-event" / f"{IDS[0]}_pre_disaster.tif"
    save(path, noise(1, 4, 32, 32), describe(path).grid)
    checked = check(READER.find(tmp_path), roots=[tmp_path])
    (tile,) = checked.tiles
    optical = next(la for la in tile.layers if la.found.modality is Modality.OPTICAL)
    assert [band for _, band in optical.found.sources] == [1, 2, 3]


def test_folders_beside_the_layout_are_left_alone(tmp_path: Path) -> None:
    make_bright(tmp_path, IDS[:1])
    save(tmp_path / "truth" / f"{IDS[0]}_building_damage.tif", noise(1, 32, 32, low=0, high=3))
    (tile,) = READER.find(tmp_path).tiles
    assert all("truth" not in str(path) for la in tile.layers for path, _ in la.sources)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert READER.recognise(tmp_path) is None
    with pytest.raises(DatasetError, match="expected pre-event/"):
        READER.find(tmp_path)

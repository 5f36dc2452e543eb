import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

from core.check import check
from core.errors import DatasetError
from core.raster import describe
from core.records import Modality, Split
from data.readers.bright import READER, cross_event, event_of
from data.readers.spec_splits import overlaps
from tests.fixtures import bright
from tests.fixtures.base import truncate, write
from tests.rasters import noise, save

IDS = ("bata-explosion_00000000", "la_palma-volcano_00000007", "ukraine-conflict_00000003")


def splits(root: Path, way: str | None = None) -> dict[str, Split]:
    return {tile.name: tile.split for tile in READER.find(root, way).tiles}


def test_flat_layout_by_id_with_the_event_as_region(tmp_path: Path) -> None:
    found = READER.find(bright.make(tmp_path, IDS))
    regions = [tile.region for tile in found.tiles]
    assert regions == ["bata-explosion", "la_palma-volcano", "ukraine-conflict"]
    assert found.kind == "damage"
    assert all(len(tile.layers) == 3 for tile in found.tiles)
    assert check(found, roots=[tmp_path]).tiles[0].grid.crs == "EPSG:4326"


def test_an_event_may_hold_an_underscore() -> None:
    assert event_of("la_palma-volcano_00000573") == "la_palma-volcano"


@pytest.mark.parametrize("wrapper", ["", "dfc25_track2_trainval"])
def test_contest_layout_keeps_its_split(tmp_path: Path, wrapper: str) -> None:
    bright.make(tmp_path / wrapper / "train", IDS[:2])
    bright.make(tmp_path / wrapper / "val", IDS[2:], with_target=False)
    bright.make(tmp_path / wrapper / "test", ("testarea-disaster_00000011",))
    assert splits(tmp_path) == {
        IDS[0]: Split.TRAIN,
        IDS[1]: Split.TRAIN,
        IDS[2]: Split.VAL,
        "testarea-disaster_00000011": Split.TEST,
    }
    test = next(tile for tile in READER.find(tmp_path).tiles if tile.split is Split.TEST)
    assert Modality.TRUTH in {layer.modality for layer in test.layers}


@pytest.mark.parametrize(
    "name", ["{}_set.txt", "dfc25/{}_set.txt", "splitname/standard_ML/{}_set.txt"]
)
def test_lists_decide_the_split(tmp_path: Path, name: str) -> None:
    bright.make(tmp_path, IDS)
    for split, text in (("train", IDS[0] + "\n\n"), ("val", IDS[1]), ("test", f"{IDS[2]}.tif\r\n")):
        path = tmp_path / name.format(split)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert splits(tmp_path) == {IDS[0]: Split.TRAIN, IDS[1]: Split.VAL, IDS[2]: Split.TEST}


def test_events_without_optical_keep_sar_and_target_and_say_why(tmp_path: Path) -> None:
    found = READER.find(bright.make(tmp_path, IDS, without_pre=IDS[2:]))
    assert [la.modality for la in found.tiles[-1].layers] == [Modality.SAR, Modality.LABEL]
    (warning,) = [f for f in found.findings if f.level == "warning"]
    assert warning.message.startswith("1 of 1 train tiles of ukraine-conflict have no file here")
    assert "may not be handed on" in warning.message
    assert len(check(found, roots=[tmp_path]).tiles) == 3


def test_255_in_a_target_is_void_and_4_is_refused(tmp_path: Path) -> None:
    bright.make(tmp_path, IDS[:2])
    target = noise(1, 32, 32, low=0, high=3)
    for name, value in zip(IDS[:2], (255, 4), strict=True):
        path = tmp_path / "target" / f"{name}_building_damage.tif"
        target[0] = value
        save(path, target, describe(path).grid)
    checked = check(READER.find(tmp_path), roots=[tmp_path])
    assert [tile.found.name for tile in checked.tiles] == [IDS[0]]
    assert checked.codes[255] == 32
    assert any("unknown codes 4 (32 px)" in f.message for f in checked.findings)


def test_a_fourth_optical_band_is_left_alone(tmp_path: Path) -> None:
    bright.make(tmp_path, IDS[:1], bands=4)
    (tile,) = check(READER.find(tmp_path), roots=[tmp_path]).tiles
    optical = next(la for la in tile.layers if la.found.modality is Modality.OPTICAL)
    assert [band for _, band in optical.found.sources] == [1, 2, 3]


def test_folders_beside_the_layout_are_left_alone(tmp_path: Path) -> None:
    bright.make(tmp_path, IDS[:1])
    write(tmp_path / "truth" / f"{IDS[0]}_building_damage.tif", noise(1, 32, 32, low=0, high=3))
    (tile,) = READER.find(tmp_path).tiles
    assert all("truth" not in str(path) for la in tile.layers for path, _ in la.sources)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert READER.recognise(tmp_path) is None
    with pytest.raises(DatasetError, match="target"):
        READER.find(tmp_path)


def test_a_truncated_target_is_named(tmp_path: Path) -> None:
    bright.make(tmp_path, IDS[:2])
    path = tmp_path / "target" / f"{IDS[0]}_building_damage.tif"
    truncate(path, 0.3)
    checked = check(READER.find(tmp_path), roots=[tmp_path])
    assert [tile.found.name for tile in checked.tiles] == [IDS[1]]
    assert any(path.name in f.where + f.message for f in checked.findings if f.level == "error")


def test_a_list_that_is_no_text_is_reported(tmp_path: Path) -> None:
    bright.make(tmp_path, IDS)
    (tmp_path / "standard_ML").mkdir()
    (tmp_path / "standard_ML/train_set.txt").write_bytes(np.arange(256, dtype=np.uint8).tobytes())
    found = READER.find(tmp_path)
    assert len(found.tiles) == 3
    assert any("not used as a split list" in f.message for f in found.findings)


# The invariants of the published lists, on lists made with their counts and overlaps.

PUBLISHED = bright.lists()


def published(folder: str, name: str) -> list[str]:
    return next(ids for path, ids in PUBLISHED.items() if path.endswith(f"{folder}/{name}"))


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every list and three tiles, one of which leaks in the contest's lists."""
    root = bright.write_lists(tmp_path_factory.mktemp("listed"))
    return bright.make(root, (bright.tile_id("bata-explosion", 49), *IDS[1:]))


def test_the_fixture_has_the_published_counts() -> None:
    assert [len(ids) for ids in PUBLISHED.values()] == [
        *(2918, 450, 878),
        *(2229, 661, 349, 156),
        *(14, 14),
        *(2332, 697, 366, 3183),
        *(450, 3796, 366, 3210),
    ]
    std = {name: published("standard_ML", f"{name}_set.txt") for name in ("train", "val", "test")}
    assert not overlaps(std)
    assert Counter(event_of(tile) for tile in std["train"])["noto-earthquake"] == 52
    contest = {
        name: published("dfc25", f"{name}_set.txt") for name in ("train", "holdout", "val", "test")
    }
    assert overlaps(contest) == {
        ("train", "holdout"): {"bata-explosion_00000049"},
        ("train", "val"): {"libya-flood_00000024"},
    }
    assert len({tile for ids in contest.values() for tile in ids}) == 3393


def test_leaks_within_and_between_lists_are_reported(listed: Path) -> None:
    found = READER.find(listed, "dfc25")
    leaks = [f.message for f in found.findings if f.message.startswith("leak")]
    assert any("bata-explosion_00000049" in text and "counted as val" in text for text in leaks)
    assert any("libya-flood_00000024" in text for text in leaks)
    assert {tile.name: tile.split for tile in found.tiles} == {
        "bata-explosion_00000049": Split.VAL,
        IDS[1]: splits(listed, "dfc25")[IDS[1]],
    }
    assert any("1 tiles are in no list" in f.message for f in found.findings)  # Ukraine
    standard = [f.message for f in READER.find(listed).findings]
    text = "test tiles of dfc25 under standard_ML: 103 in train, 17 in val, 36 in test"
    assert any(text in message for message in standard)


def test_every_way_of_splitting_is_offered(listed: Path) -> None:
    found = READER.find(listed)
    assert found.way == "standard_ML"
    named = ("dfc25", "cvprw26", "cvprw26 with extra", "umcd", "umcd subset", "few_shot")
    assert set(named) <= set(found.ways)
    assert sum(way.startswith("zero-shot ") for way in found.ways) == 14
    assert sum(way.startswith("one-shot ") for way in found.ways) == 14
    assert splits(listed, "zero-shot ukraine-conflict")[IDS[2]] is Split.TEST
    assert set(splits(listed, "few_shot").values()) == {Split.TEST}
    with pytest.raises(DatasetError, match="standard_ML"):
        READER.find(listed, "no such way")


def test_cross_event_sizes() -> None:
    read = {
        "standard_ML": {
            tile: split for split in Split for tile in published("standard_ML", f"{split}_set.txt")
        },
        "few_shot": {
            tile: split
            for split in (Split.TRAIN, Split.VAL)
            for tile in published("few_shot", f"{split}_set.txt")
        },
    }
    made = cross_event(read, ())
    assert Counter(made["zero-shot noto-earthquake"].values()) == {
        Split.TRAIN: 3726,
        Split.VAL: 441,
        Split.TEST: 79,
    }
    assert Counter(made["one-shot noto-earthquake"].values()) == {
        Split.TRAIN: 3727,
        Split.VAL: 442,
        Split.TEST: 77,
    }


def outlines_in_words(root: Path) -> list[str]:
    found = READER.find(root).findings
    return [finding.message for finding in found if "outlined" in finding.message]


def test_outlines_are_counted_by_damage_as_pycocotools_counts_them(tmp_path: Path) -> None:
    counts = bright.write_outlines(bright.make(tmp_path, IDS), IDS)
    (text,) = outlines_in_words(tmp_path)
    words = f"{counts[1]} intact, {counts[2]} damaged, {counts[3]} destroyed"
    assert text == (
        f"{sum(counts.values())} buildings outlined in 3 files: {words};"
        " 1 with an empty box not counted"
    )
    theirs: Counter[int] = Counter()
    for path in (tmp_path / "target_instance_level").iterdir():
        coco = COCO()
        coco.dataset = json.loads(path.read_text("utf-8-sig"))
        coco.createIndex()
        found = coco.loadAnns(coco.getAnnIds(areaRng=(0.5, 1e9)))
        theirs += Counter(one["category_id"] for one in found)
        for one in found:  # the outlines are ones that it can draw
            assert coco.annToMask(one).sum() == one["area"]
    assert theirs == counts
    assert all(len(tile.layers) == 3 for tile in READER.find(tmp_path).tiles)


def test_a_tile_may_have_no_building(tmp_path: Path) -> None:
    bright.make(tmp_path, IDS[:1])
    path = tmp_path / f"target_instance_level/{IDS[0]}_instance_damage.json"
    path.parent.mkdir()
    images = [{"id": 1, "width": 32, "height": 32}]
    path.write_text(json.dumps({"images": images, "annotations": []}))
    assert outlines_in_words(tmp_path) == [
        "0 buildings outlined in 1 files: 0 intact, 0 damaged, 0 destroyed"
    ]


GOOD = {
    "image_id": 1,
    "category_id": 2,
    "bbox": [0, 0, 2, 2],
    "segmentation": [[0, 0, 2, 0, 2, 2]],
}


@pytest.mark.parametrize(
    "change",
    [
        {"category_id": 4},
        {"category_id": [1]},
        {"image_id": 2},
        {"bbox": [0, 0, 2]},
        {"bbox": "0022"},
        {"segmentation": []},
        {"segmentation": [[0, 0, 2, 2]]},
        {"segmentation": [[0, 0, 2, 0, 2, float("nan")]]},
        {"segmentation": {"size": [32, 32]}},
        {"segmentation": None},
    ],
)
def test_broken_outlines_are_named_and_the_tile_stays(
    tmp_path: Path, change: dict[str, object]
) -> None:
    bright.make(tmp_path, IDS[:1])
    path = tmp_path / f"target_instance_level/{IDS[0]}_instance_damage.json"
    path.parent.mkdir()
    images = [{"id": 1, "width": 32, "height": 32}]
    path.write_text(json.dumps({"images": images, "annotations": [GOOD | change]}))
    found = READER.find(tmp_path)
    (warning,) = [one for one in found.findings if "outlines not counted" in one.message]
    assert warning.where == str(path)
    assert len(found.tiles) == 1 and len(found.tiles[0].layers) == 3


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"images": []}', "[" * 100_000])
def test_a_file_that_holds_no_outlines_is_named(tmp_path: Path, text: str) -> None:
    bright.make(tmp_path, IDS[:1])
    path = tmp_path / f"target_instance_level/{IDS[0]}_instance_damage.json"
    path.parent.mkdir()
    path.write_text(text)
    messages = [one.message for one in READER.find(tmp_path).findings]
    assert any("outlines not counted" in message for message in messages)

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.check import check
from core.classes import OPEN_EARTH_MAP_SAR
from core.errors import DatasetError
from core.records import Modality, Split, Unit
from data.readers.guess import propose
from data.readers.patterns import (
    Proposal,
    Role,
    codes_text,
    compile_pattern,
    find_by,
    parse_codes,
    rasters_below,
)
from tests.rasters import grid_of, noise, save


def roles_by_pattern(root: Path) -> dict[str, Role]:
    return {role.pattern: role for role in propose(root).roles}


@pytest.mark.parametrize(
    ("pattern", "name", "tile"),
    [
        ("{tile}_rgb.tif", "a_b_rgb.tif", "a_b"),
        ("{tile}_S1_{date}.tif", "x_1_S1_2020-07-02.tif", "x_1"),
        (
            "S1/S1*_{date}T*_*_{tile}/*_{band}.tif",
            "S1/S1A_IW_20170617T0647_29U_36_85/q_VV.tif",
            "36_85",
        ),
        ("{split}/{tile}/{tile}.png", "train/t1/t1.png", "t1"),
        ("a+b/{tile}.tif", "a+b/t.TIF", "t"),
    ],
)
def test_patterns_find_the_tile(pattern: str, name: str, tile: str) -> None:
    found = compile_pattern(pattern).fullmatch(name)
    assert found is not None
    assert found["tile"] == tile


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{tile}.tif", "folder/t.tif"),
        ("{split}/{tile}/{tile}.png", "train/t1/t2.png"),
        ("{tile}_{date}.tif", "t_20209999.tif"),
    ],
)
def test_patterns_do_not_take_other_names(pattern: str, name: str) -> None:
    assert compile_pattern(pattern).fullmatch(name) is None


@pytest.mark.parametrize("pattern", ["", "{til}.tif", "x" * 301, "*" * 7])
def test_patterns_that_are_none_are_refused(pattern: str) -> None:
    with pytest.raises(DatasetError, match="pattern"):
        compile_pattern(pattern)


def test_code_maps_read_back() -> None:
    codes = {-1: 255, 1: 1, 2: 2, 3: 2, 4: 3}
    assert parse_codes("-1=255, 1=1, 2-3=2, 4 -> 3") == codes
    assert parse_codes(codes_text(codes)) == codes


@pytest.mark.parametrize("text", ["1", "a=b", "5-2=1", "1=1000", "0-999=1"])
def test_code_maps_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(DatasetError, match="code map"):
        parse_codes(text)


def make_folder(root: Path) -> Path:
    for name in ("t1", "t2"):
        save(root / f"{name}_rgb.tif", noise(1, 3, 24, 24), grid_of(24, 24))
        sar = np.random.default_rng(2).normal(-12, 4, (2, 24, 24)).astype(np.float32)
        save(root / f"{name}_s1_2024-03-01.tif", sar, grid_of(24, 24), descriptions=["VV", "VH"])
        save(root / f"{name}_label.tif", noise(3, 24, 24, low=0, high=2), grid_of(24, 24), nodata=0)
    return root


def test_a_proposal_names_roles_units_and_classes(tmp_path: Path) -> None:
    proposal = propose(make_folder(tmp_path))
    roles = {role.pattern: role for role in proposal.roles}
    assert roles["{tile}_rgb.tif"].modality is Modality.OPTICAL
    assert roles["{tile}_rgb.tif"].unit is Unit.RELATIVE_8BIT
    assert roles["{tile}_s1_{date}.tif"].modality is Modality.SAR
    assert roles["{tile}_s1_{date}.tif"].unit is Unit.DB
    assert roles["{tile}_label.tif"].modality is Modality.LABEL
    assert proposal.classes.codes == (1, 2)
    assert proposal.classes.void_code == 0


def test_the_proposal_finds_complete_tiles(tmp_path: Path) -> None:
    found = find_by(tmp_path, propose(make_folder(tmp_path)))
    checked = check(found, roots=[tmp_path])
    assert [tile.found.name for tile in checked.tiles] == ["t1", "t2"]
    assert checked.findings == ()
    sar = next(la.found for la in checked.tiles[0].layers if la.found.modality is Modality.SAR)
    assert (sar.bands, sar.date) == (("VV", "VH"), "2024-03-01")


def test_gaps_and_files_without_a_pattern_are_all_reported(tmp_path: Path) -> None:
    make_folder(tmp_path)
    (tmp_path / "t2_rgb.tif").unlink()
    roles = tuple(role for role in propose(tmp_path).roles if "label" not in role.pattern)
    found = find_by(
        tmp_path, Proposal((*roles, Role("x/{tile}.tif", Modality.SAR)), OPEN_EARTH_MAP_SAR)
    )
    messages = [f"{Path(f.where).name}: {f.message}" for f in found.findings]
    assert messages == [
        "{tile}.tif: no file has a name like this",
        "t1_label.tif: fits no pattern; left out",
        "t2_label.tif: fits no pattern; left out",
        "optical: 1 of 2 tiles have no optical: t2",
    ]


def test_a_file_goes_to_the_pattern_that_spells_out_most(tmp_path: Path) -> None:
    make_folder(tmp_path)
    roles = (
        Role("{tile}.tif", Modality.OPTICAL),
        Role("{tile}_rgb.tif", Modality.OPTICAL),
        Role("{tile}_label.tif", None),
        Role("{tile}_s1_{date}.tif", Modality.SAR),
    )
    found = find_by(tmp_path, Proposal(roles, OPEN_EARTH_MAP_SAR))
    assert [tile.name for tile in found.tiles] == ["t1", "t2"]


def test_single_band_files_are_stacked(tmp_path: Path) -> None:
    for band in ("B02", "B03", "B04"):
        save(
            tmp_path / f"S2/t1_{band}.tif", noise(1, 24, 24).astype(np.uint16) * 9, grid_of(24, 24)
        )
    proposal = propose(tmp_path)
    (role,) = proposal.roles
    assert (role.pattern, role.unit) == ("S2/{tile}_{band}.tif", Unit.REFLECTANCE)
    (tile,) = find_by(tmp_path, proposal).tiles
    assert tile.layers[0].bands == ("B02", "B03", "B04")


def test_folders_of_one_kind_are_regions_and_split_folders_splits(tmp_path: Path) -> None:
    for region in ("north", "south"):
        save(tmp_path / "train" / region / "rgb/t1.tif", noise(1, 3, 24, 24))
    save(tmp_path / "val/north/rgb/t2.tif", noise(1, 3, 24, 24))
    assert list(roles_by_pattern(tmp_path)) == ["{split}/{region}/rgb/{tile}.tif"]
    found = find_by(tmp_path, propose(tmp_path))
    assert [(t.name, t.region, t.split) for t in found.tiles] == [
        ("north_train_t1", "north", Split.TRAIN),
        ("south_train_t1", "south", Split.TRAIN),
        ("t2", "north", Split.VAL),
    ]


def test_png_sets_work_without_position(tmp_path: Path) -> None:
    for name, values in (
        ("t_sar", noise(1, 24, 20)),
        ("t_rgb", noise(2, 24, 20, 3)),
        ("t_mask", (noise(3, 24, 20) > 128).astype(np.uint8) * 255),
    ):
        Image.fromarray(values).save(tmp_path / f"{name}.png")
    proposal = propose(tmp_path)
    assert proposal.classes.codes == (0, 1)
    checked = check(find_by(tmp_path, proposal), roots=[tmp_path])
    assert len(checked.tiles) == 1
    assert set(checked.codes) == {0, 1}


def test_colours_of_the_label_file_are_kept(tmp_path: Path) -> None:
    make_folder(tmp_path)
    colours = {1: (10, 20, 30), 2: (200, 100, 0)}
    for name in ("t1", "t2"):
        labels = noise(3, 24, 24, low=1, high=2)
        save(tmp_path / f"{name}_label.tif", labels, grid_of(24, 24), colours=colours)
    assert [entry.colour for entry in propose(tmp_path).classes.entries] == ["#0a141e", "#c86400"]


def test_codes_beyond_a_byte_are_numbered_anew(tmp_path: Path) -> None:
    make_folder(tmp_path)
    for name in ("t1", "t2"):
        labels = np.where(noise(3, 24, 24) > 128, 1101, 9998).astype(np.uint16)
        save(tmp_path / f"{name}_label.tif", labels, grid_of(24, 24))
    proposal = propose(tmp_path)
    assert [entry.name for entry in proposal.classes.entries] == ["class 1101", "class 9998"]
    assert set(check(find_by(tmp_path, proposal), roots=[tmp_path]).codes) == {1, 2}


def test_a_folder_without_rasters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no raster"):
        propose(tmp_path)


def test_too_many_kinds_of_names_are_refused(tmp_path: Path) -> None:
    for number in range(30):
        save(tmp_path / f"t_{'rgb_' * number}rgb.tif", noise(1, 3, 4, 4))
    with pytest.raises(DatasetError, match=r"30 kinds of file names; expected at most 24"):
        propose(tmp_path)


def test_links_to_other_folders_are_not_followed(tmp_path: Path) -> None:
    save(tmp_path / "other/secret.tif", noise(1, 4, 4))
    (tmp_path / "root").mkdir()
    (tmp_path / "root/way").symlink_to(tmp_path / "other")
    assert rasters_below(tmp_path / "root") == []

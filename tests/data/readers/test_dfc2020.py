"""DFC2020 in both packings, and SEN12MS in its classes."""

from pathlib import Path

import numpy as np
import pytest

from core.check import check
from core.errors import DatasetError
from core.found import FoundTile
from core.raster import read
from core.records import Modality, Split, Unit
from data.readers import dfc2020 as dfc2020_reader
from data.readers import recognise
from data.readers import sen12ms as sen12ms_reader
from tests.fixtures import dfc2020
from tests.fixtures.base import truncate, write

DFC, SEN12MS = dfc2020_reader.READER, sen12ms_reader.READER


def layers_of(tile: FoundTile) -> dict[Modality, tuple[int, Unit]]:
    return {la.modality: (len(la.sources), la.unit) for la in tile.layers}


def test_the_packing_with_lists(tmp_path: Path) -> None:
    found = DFC.find(dfc2020.make_packed(tmp_path))
    assert recognise(tmp_path) == (DFC, found.why)
    assert [tile.split for tile in found.tiles] == [
        *(Split.TRAIN, Split.TRAIN),
        *(Split.VAL, Split.TEST),
    ]
    images = {Modality.SAR: (2, Unit.DB), Modality.OPTICAL: (13, Unit.REFLECTANCE)}
    assert layers_of(found.tiles[0]) == {**images, Modality.LABEL: (1, Unit.CODE)}
    assert found.way == "Copernicus-Bench"
    assert not found.findings
    checked = check(found, roots=[tmp_path])
    assert not checked.findings
    assert set(checked.codes) == {0, *dfc2020.CODES}


def test_the_contest_packing_does_not_take_modis_for_the_label(tmp_path: Path) -> None:
    found = DFC.find(dfc2020.make_contest(tmp_path))
    assert {tile.name: tile.split for tile in found.tiles} == {
        "ROIs0000_test_0_p5": Split.TEST,
        "ROIs0000_validation_0_p34": Split.VAL,
    }
    for tile in found.tiles:
        (truth,) = [la for la in tile.layers if la.modality is Modality.TRUTH]
        assert "dfc" in truth.sources[0][0].name
    (finding,) = found.findings
    assert "MODIS" in finding.message


def test_a_code_outside_the_legend_and_a_broken_file_leave_their_tiles_out(tmp_path: Path) -> None:
    dfc2020.make_packed(tmp_path)
    base = tmp_path / "dfc2020_s1s2"
    write(
        base / "dfc/ROIs0000_test_dfc_0_p0.tif",
        np.full((dfc2020.SIZE, dfc2020.SIZE), 11, np.uint8),
    )
    truncate(base / "s2/ROIs0000_test_s2_0_p1.tif", 0.2)
    (base / "s1/ROIs0000_test_s1_0_p2.tif").unlink()
    checked = check(DFC.find(tmp_path), roots=[tmp_path])
    assert [tile.found.name for tile in checked.tiles] == [
        "ROIs0000_test_0_p2",
        "ROIs0000_test_0_p3",
    ]
    text = " ".join(f.where + f.message for f in checked.findings)
    assert "unknown codes 11" in text
    assert "ROIs0000_test_s2_0_p1" in text
    assert "1 of 1 val tiles of scene 0 have no file here: ROIs0000_test_0_p2" in text


def test_lists_of_tiles_that_are_not_there_are_reported(tmp_path: Path) -> None:
    dfc2020.make_packed(tmp_path)
    (tmp_path / "dfc2020_s1s2/dfc-test-new.csv").write_text("ROIs0000_test_dfc_9_p9.tif,x\n\n")
    found = DFC.find(tmp_path)
    assert any("1 of 4 listed tiles" in f.message for f in found.findings)


def test_neither_is_found_in_the_other(tmp_path: Path) -> None:
    dfc2020.make_packed(tmp_path / "a")
    dfc2020.make_sen12ms(tmp_path / "b")
    assert SEN12MS.recognise(tmp_path / "a") is None
    assert DFC.recognise(tmp_path / "b") is None
    with pytest.raises(DatasetError, match="expected s1/ROIs0000"):
        DFC.find(tmp_path / "b")


@pytest.fixture(scope="module")
def sen12ms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dfc2020.make_sen12ms(tmp_path_factory.mktemp("sen12ms"))


def test_igbp_becomes_the_classes_of_dfc2020(sen12ms: Path) -> None:
    found = SEN12MS.find(sen12ms)
    assert recognise(sen12ms) == (SEN12MS, found.why)
    assert sen12ms_reader.IGBP_TO_DFC[17] == 10  # water
    assert sen12ms_reader.IGBP_TO_DFC[14] == sen12ms_reader.IGBP_TO_DFC[12] == 6  # croplands
    checked = check(found, roots=[sen12ms])
    assert not [f for f in checked.findings if f.level != "info" and f not in found.findings]
    assert set(checked.codes) == set(range(1, 11))


def test_sen12ms_is_split_by_lists_or_by_scene(sen12ms: Path) -> None:
    found = SEN12MS.find(sen12ms)
    by_split = {split: [t.name for t in found.tiles if t.split is split] for split in Split}
    assert len(by_split[Split.TRAIN]) == 4
    assert len(by_split[Split.TEST]) == 3
    (warning,) = [f for f in found.findings if f.level == "warning"]
    assert "ROIs1868_summer_146_p202" in warning.message  # the damaged triplet, in no list
    by_scene = SEN12MS.find(sen12ms, "hold-out scenes")
    held = {tile.region for tile in by_scene.tiles if tile.split is Split.TEST}
    assert held == {f"{season}_146" for season in dfc2020.SEASONS}
    assert len(by_scene.tiles) == 8


def test_gaps_of_the_damaged_patch_stay_gaps(sen12ms: Path) -> None:
    found = SEN12MS.find(sen12ms, "hold-out scenes")
    (damaged,) = [tile for tile in found.tiles if tile.name == "ROIs1868_summer_146_p202"]
    sar = next(la for la in damaged.layers if la.modality is Modality.SAR)
    valid = read(sar.sources).valid
    assert not valid[:4].any()
    assert valid[4:].all()

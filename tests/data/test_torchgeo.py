"""Fixtures also open in torchgeo, so that a fixture and our reader cannot share one mistake."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from core.raster import read
from core.records import Modality, Split
from data.readers import bright as bright_reader
from data.readers import dfc2020 as dfc2020_reader
from data.readers import sen12ms as sen12ms_reader
from data.readers.spec_reader import SpecReader
from models.torchvision_shim import import_torchvision
from tests.fixtures import bright, dfc2020
from tests.fixtures.base import write_list


@pytest.fixture(scope="module")
def torchgeo() -> ModuleType:
    """Return torchgeo.datasets, imported once."""
    import_torchvision()
    return import_module("torchgeo.datasets")


def pixels(reader: SpecReader, root: Path, tile: str, modality: Modality) -> np.ndarray:
    """Return what our reader takes for the bands of one layer, as they lie in the file."""
    found = next(t for t in reader.find(root).tiles if t.name == tile)
    layer = next(la for la in found.layers if la.modality is modality)
    return read(layer.sources).values


def test_bright(torchgeo: ModuleType, tmp_path: Path) -> None:
    base = tmp_path / "dfc25_track2_trainval"
    ids = ("bata-explosion_00000000", "la_palma-volcano_00000573")
    bright.make(base / "train", ids)
    bright.make(base / "val", ("val-disaster_00000001",), with_target=False)
    for name, listed in (
        ("train", ids[:1]),
        ("holdout", ids[1:]),
        ("val", ["val-disaster_00000001"]),
    ):
        write_list(base / f"{name}_setlevel.txt", listed, final_newline=False)
    sample = torchgeo.BRIGHTDFC2025(tmp_path, split="val")[0]
    before, after = sample["image"].numpy()
    ours = bright_reader.READER
    assert np.array_equal(before, pixels(ours, tmp_path, ids[1], Modality.OPTICAL))
    assert np.array_equal(after[:1], pixels(ours, tmp_path, ids[1], Modality.SAR))
    assert np.array_equal(sample["mask"].numpy(), pixels(ours, tmp_path, ids[1], Modality.TRUTH))
    assert len(torchgeo.BRIGHTDFC2025(tmp_path, split="test")) == 1


def test_dfc2020(torchgeo: ModuleType, tmp_path: Path) -> None:
    dfc2020.make_packed(tmp_path)
    ours = dfc2020_reader.READER
    by_split = {split: [] for split in Split}
    for tile in ours.find(tmp_path).tiles:
        by_split[tile.split].append(tile.name)
    for split, names in by_split.items():
        radar = torchgeo.CopernicusBenchDFC2020S1(tmp_path, split=split.value)
        optical = torchgeo.CopernicusBenchDFC2020S2(tmp_path, split=split.value)
        assert len(radar) == len(optical) == len(names)
        label = Modality.LABEL if split is Split.TRAIN else Modality.TRUTH
        for number, name in enumerate(names):
            s1, s2 = radar[number], optical[number]
            assert np.array_equal(s1["image"], pixels(ours, tmp_path, name, Modality.SAR))
            assert np.array_equal(s2["image"], pixels(ours, tmp_path, name, Modality.OPTICAL))
            assert np.array_equal(s1["mask"][None], pixels(ours, tmp_path, name, label))
    theirs = torchgeo.CopernicusBenchDFC2020S1
    names = [theirs.classes[entry.code] for entry in dfc2020_reader.DFC2020.entries]
    assert names == [entry.name for entry in dfc2020_reader.DFC2020.entries]
    assert optical.all_bands == dfc2020_reader.S2_BANDS


def test_sen12ms(torchgeo: ModuleType, tmp_path: Path) -> None:
    dfc2020.make_sen12ms(tmp_path)
    ours = sen12ms_reader.READER
    theirs = torchgeo.SEN12MS(tmp_path, split="train")
    names = [t.name for t in ours.find(tmp_path).tiles if t.split is Split.TRAIN]
    assert len(theirs) == len(names)
    for number, name in enumerate(names):
        sample = theirs[number]
        assert np.array_equal(sample["image"][:2], pixels(ours, tmp_path, name, Modality.SAR))
        assert np.array_equal(sample["image"][2:], pixels(ours, tmp_path, name, Modality.OPTICAL))
        assert np.array_equal(sample["mask"][None], pixels(ours, tmp_path, name, Modality.LABEL))
    assert theirs.band_names == (*dfc2020_reader.S1_BANDS, *dfc2020_reader.S2_BANDS)

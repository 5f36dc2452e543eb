"""Fixtures also open in torchgeo, so that a fixture and our reader cannot share one mistake."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from core import catalogue, history
from core.export.formats import export
from core.export.frame import Order
from core.grid import Window
from core.ingest import import_dataset
from core.raster import read
from core.records import Modality, Split
from core.store.engine import Store
from data.readers import bigearthnet as bigearthnet_reader
from data.readers import bright as bright_reader
from data.readers import cloudsen12 as cloudsen12_reader
from data.readers import dfc2020 as dfc2020_reader
from data.readers import landcover_ai as landcover_ai_reader
from data.readers import quakeset as quakeset_reader
from data.readers import sen12ms as sen12ms_reader
from data.readers import so2sat as so2sat_reader
from data.readers import spacenet6 as spacenet6_reader
from data.readers.spec_reader import SpecReader
from models.torchvision_shim import import_torchvision
from tests.core.export.hands import paint
from tests.fixtures import (
    bigearthnet,
    bright,
    cloudsen12,
    dfc2020,
    landcover_ai,
    quakeset,
    so2sat,
    spacenet6,
)
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


def test_bright_exported_in_its_own_layout(
    torchgeo: ModuleType, tmp_path: Path, store: Store
) -> None:
    base = tmp_path / "in" / "dfc25_track2_trainval"
    ids = ("bata-explosion_00000000", "la_palma-volcano_00000573")
    bright.make(base / "train", ids)
    for name, listed in (("train", ids[:1]), ("holdout", ids[1:]), ("val", ())):
        write_list(base / f"{name}_setlevel.txt", list(listed), final_newline=False)
    found = bright_reader.READER.find(tmp_path / "in")
    project = import_dataset(store, found, "P", roots=[tmp_path])
    tile = next(t for t in catalogue.tiles(store, project.id) if t.name == ids[0])
    paint(store, tile.id, Window(4, 6, 10, 12), 3)
    order = Order("layout", options={"others": "link"})
    done = export(store, project.id, "Out", order)
    sample = torchgeo.BRIGHTDFC2025(done.folder / "dataset", split="train")[0]
    now = history.current(store, tile.id).labels
    assert np.array_equal(sample["mask"].numpy()[0], now)
    assert (now[4:14, 6:18] == 3).all()
    theirs = torchgeo.BRIGHTDFC2025(tmp_path / "in", split="val")[0]["mask"]
    assert np.array_equal(
        torchgeo.BRIGHTDFC2025(done.folder / "dataset", split="val")[0]["mask"], theirs
    )


def test_dfc2020(torchgeo: ModuleType, tmp_path: Path) -> None:
    dfc2020.make_packed(tmp_path)
    ours = dfc2020_reader.READER
    by_split: dict[Split, list[str]] = {split: [] for split in Split}
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


def test_bigearthnet(torchgeo: ModuleType, tmp_path: Path) -> None:
    bigearthnet.make(tmp_path)
    maps, lists = bigearthnet_reader.READER, bigearthnet_reader.LIST_READER
    listed = {tile.name: tile.patch_codes for tile in lists.find(tmp_path).tiles}
    for split, (patch, *_) in zip(("train", "val", "test"), bigearthnet.PAIRS, strict=True):
        sample = torchgeo.BigEarthNetV2(tmp_path, split=split)[0]
        radar = pixels(maps, tmp_path, patch, Modality.SAR)
        # They read dB as whole numbers, VH before VV: what the real files hold is between.
        assert np.abs(sample["image_s1"].numpy()[::-1] - radar).max() <= 0.501
        assert not np.array_equal(radar, np.rint(radar))
        fine = [bigearthnet.BANDS.index(band) for band in ("B02", "B03", "B04", "B08")]
        tile = next(t for t in maps.find(tmp_path).tiles if t.name == patch)
        layer = next(la for la in tile.layers if la.modality is Modality.OPTICAL)
        optical = read([layer.sources[band] for band in fine]).values
        assert np.array_equal(sample["image_s2"][fine], optical)
        label = Modality.LABEL if split == "train" else Modality.TRUTH
        codes = pixels(maps, tmp_path, patch, label)
        ours = np.vectorize(bigearthnet_reader.CODES.get)(codes)
        theirs = sample["mask"].numpy()
        assert np.array_equal(theirs[ours != 255], ours[ours != 255])
        assert np.array_equal(theirs[ours == 255], codes[ours == 255])  # left as they were
        present = [code for code in listed[patch] or () if code != 255]
        assert np.array_equal(np.flatnonzero(sample["label"]), present)
    names = [entry.name for entry in bigearthnet_reader.CLASSES.entries]
    assert names == list(torchgeo.BigEarthNetV2.class_set)
    assert torchgeo.BigEarthNetV2.clc_codes == {
        code: number for code, number in bigearthnet_reader.CODES.items() if number != 255
    }


def test_so2sat(torchgeo: ModuleType, tmp_path: Path) -> None:
    so2sat.make(tmp_path)
    ours = so2sat_reader.READER
    tiles = {tile.name: tile for tile in ours.find(tmp_path).tiles}
    for split, part in (("train", "training"), ("validation", "validation"), ("test", "testing")):
        theirs = torchgeo.So2Sat(tmp_path, split=split)
        assert len(theirs) == so2sat.COUNTS[part]
        for row in range(len(theirs)):
            name, sample = f"{part}_{row:06d}", theirs[row]
            assert tiles[name].patch_codes == (int(sample["label"]),)
            optical = pixels(ours, tmp_path, name, Modality.OPTICAL)
            assert np.allclose(sample["image"][8:], optical)
            radar = pixels(ours, tmp_path, name, Modality.SAR)
            assert np.allclose(sample["image"][[5, 4]], radar)
    bands = tuple(f"S2_{band}" for band in so2sat_reader.S2_BANDS)
    assert bands == torchgeo.So2Sat.all_s2_band_names
    names = tuple(entry.name for entry in so2sat_reader.CLASSES.entries)
    assert names == torchgeo.So2Sat.classes


def test_quakeset(torchgeo: ModuleType, tmp_path: Path) -> None:
    quakeset.make(tmp_path)
    tiles = quakeset_reader.READER.find(tmp_path).tiles
    for split in Split:
        theirs = torchgeo.QuakeSet(tmp_path, split=split.value)
        ours = [tile for tile in tiles if tile.split is split]
        assert len(theirs) == len(ours)
        by_name = {tile.name: tile for tile in ours}
        for number, about in enumerate(theirs.data):
            pair = "struck" if about["label"] else "calm"
            tile = by_name[f"{about['key']}_{about['patch']}_{pair}"]
            assert tile.patch_codes == (about["label"],)
            images = np.concatenate([read(layer.sources).values for layer in tile.layers])
            assert np.array_equal(theirs[number]["image"], images)


def test_landcover_ai(torchgeo: ModuleType, tmp_path: Path) -> None:
    landcover_ai.make_output(tmp_path)
    ours = landcover_ai_reader.READER
    for kind in (torchgeo.LandCoverAI, torchgeo.LandCoverAI100):
        for split in Split:
            theirs = kind(tmp_path, split=split.value)
            assert len(theirs) == len(landcover_ai.LISTS[split])
            name, sample = theirs.ids[0].strip(), theirs[0]
            label = Modality.LABEL if split is Split.TRAIN else Modality.TRUTH
            assert np.array_equal(sample["mask"][None], pixels(ours, tmp_path, name, label))
            shown = pixels(ours, tmp_path, name, Modality.OPTICAL)
            # Two decoders of JPEG smooth the colours between pixels differently.
            assert np.abs(sample["image"].numpy() - shown).mean() < 2


def test_cloudsen12(torchgeo: ModuleType, tmp_path: Path) -> None:
    cloudsen12.make(tmp_path)
    ours = cloudsen12_reader.READER
    for split in Split:
        theirs = torchgeo.CopernicusBenchCloudS2(tmp_path, split=split.value)
        assert len(theirs) == len(cloudsen12.LISTS[split])
        name, sample = cloudsen12.LISTS[split][0], theirs[0]
        label = Modality.LABEL if split is Split.TRAIN else Modality.TRUTH
        assert np.array_equal(sample["image"], pixels(ours, tmp_path, name, Modality.OPTICAL))
        assert np.array_equal(sample["mask"][None], pixels(ours, tmp_path, name, label))
    assert torchgeo.CopernicusBenchCloudS2.all_bands == cloudsen12_reader.S2_BANDS


def test_spacenet6(torchgeo: ModuleType, tmp_path: Path) -> None:
    spacenet6.make(tmp_path / "SN6_buildings")
    radar = torchgeo.SpaceNet6(tmp_path, split="train", image="SAR-Intensity")
    colour = torchgeo.SpaceNet6(tmp_path, split="train", image="PS-RGB")
    ours = spacenet6_reader.READER
    for number, tile in enumerate(spacenet6.TILES):
        name = spacenet6.STRIP + tile
        mask = pixels(ours, tmp_path, name, Modality.LABEL)[0]
        assert np.array_equal(radar[number]["mask"].numpy(), mask)
        optical = pixels(ours, tmp_path, name, Modality.OPTICAL)
        assert np.array_equal(colour[number]["image"].numpy(), optical)

"""Every set of real rasters that fits a reader imports, read where it lies."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import catalogue
from core.check import Checked, check
from core.classes import BRIGHT
from core.export.labels import export_labels, pixels_sha256
from core.found import FoundDataset
from core.history import original
from core.ingest import import_dataset
from core.raster import read, read_layer
from core.records import Layer, Modality, Unit
from core.store.engine import Store
from data.readers import recognise
from data.readers.guess import PatternReader, propose
from data.readers.patterns import Proposal, Role, find_by, parse_codes


def found_in(folder: Path) -> FoundDataset:
    recognised = recognise(folder)
    assert recognised is not None
    return recognised[0].find(folder)


def checked_in(folder: Path) -> Checked:
    checked = check(found_in(folder), roots=[folder])
    assert [f for f in checked.findings if f.level == "error"] == []
    return checked


def layers_of(checked: Checked, name: str) -> dict[str, Layer]:
    """Return the layers of a tile as records, by modality and acquisition."""
    tile = next(tile for tile in checked.tiles if tile.found.name == name)
    return {
        f"{la.found.modality.value} {la.found.acquisition or ''}".strip(): Layer(
            number,
            1,
            None,
            la.found.modality,
            "",
            la.found.sources,
            la.found.bands,
            la.found.unit,
            la.nodata,
            la.offset_px,
            la.code_map,
        )
        for number, la in enumerate(tile.layers)
    }


def test_open_earth_map_sar(real_data: Path, store: Store) -> None:
    folder = real_data / "oem-sar"
    project = import_dataset(store, found_in(folder), "Real", roots=[folder])
    assert project.reader == "oem_sar"
    tiles = catalogue.tiles(store, project.id)
    assert [tile.name for tile in tiles] == ["TrainArea_001", "TrainArea_002", "TrainArea_004"]
    assert all(tile.grid.crs is None and tile.region == "all" for tile in tiles)
    done = export_labels(store, project.id, "Real")
    for tile, entry in zip(tiles, done.manifest["tiles"], strict=True):
        path = folder / "train/labels" / f"{tile.name}.tif"
        as_it_came = read([(path, 1)], categorical=True).values[0]
        assert np.array_equal(original(store, tile.id), as_it_came)
        assert entry["label_sha256"] == pixels_sha256(as_it_came)


def test_sen1floods11(real_data: Path) -> None:
    """The label's pixel size differs from the imagery's in the 15th digit."""
    checked = checked_in(real_data / "sen1floods11")
    assert checked.dataset.reader == "sen1floods11"
    (tile,) = checked.tiles
    (finding,) = checked.findings
    assert "nothing is held out" in finding.message
    assert tile.codes == {0: 192010, 1: 70035, 255: 99}
    assert all(layer.offset_px < 0.01 for layer in tile.layers)
    layers = layers_of(checked, tile.found.name)
    assert (layers["sar"].unit, layers["sar"].bands) == (Unit.DB, ("VV", "VH"))
    (optical,) = [layer for name, layer in layers.items() if name.startswith("optical")]
    assert optical.unit is Unit.REFLECTANCE
    assert len(optical.bands) == 13


def test_worldcereal_resamples_20_m_layers_onto_the_label(real_data: Path) -> None:
    folder = real_data / "worldcereal"
    checked = checked_in(folder)
    flanders, tanzania = checked.tiles
    assert (flanders.grid.crs, tanzania.grid.crs) == ("EPSG:32631", "EPSG:32737")
    assert checked.dataset.classes.void_code == 0
    assert flanders.codes == {11: 1401, 13: 835, 60: 107, 99: 1753}
    layers = layers_of(checked, "00002806639B424A")
    sar = read_layer(layers["sar"], flanders.grid)
    assert sar.values.shape == (2, 64, 64)
    cloud = read_layer(layers["cloud cloudy 2018-09-18"], flanders.grid).values[0]
    coarse = read([(folder / "00002806639B424A_SCL_cloudy_2018-09-18.tif", 1)], categorical=True)
    assert np.array_equal(cloud == 3, (coarse.values[0] == 3).repeat(2, 0).repeat(2, 1))
    assert flanders.scan is not None
    cover = {
        flanders.layers[place].found.acquisition: shares
        for place, shares in flanders.scan.fractions.items()
    }
    assert sum(cover["cloudy 2018-09-18"]) > 0.5
    assert sum(cover["clear 2018-07-08"]) < 0.01


def test_cloud_pair(real_data: Path) -> None:
    checked = checked_in(real_data / "cloud-pair")
    (tile,) = checked.tiles
    dates = {la.found.acquisition for la in tile.layers}
    assert dates == {"clean", "cloudy"}
    assert tile.scan is not None
    ((thin, thick, shadow),) = tile.scan.fractions.values()
    assert (thin, thick, shadow) == pytest.approx((0.0015, 0.2593, 0.2612), abs=1e-4)


def test_joplin_damage_with_codes_mapped(real_data: Path, store: Store) -> None:
    folder = real_data / "joplin-damage"
    proposal = propose(folder)
    assert proposal.kind == "damage"
    codes = parse_codes("1=1, 2-3=2, 4=3")
    roles = tuple(
        replace(role, codes=codes) if role.modality is Modality.LABEL else role
        for role in proposal.roles
    )
    found = find_by(folder, replace(proposal, roles=roles, classes=BRIGHT))
    project = import_dataset(store, found, "Joplin", roots=[folder])
    (tile,) = catalogue.tiles(store, project.id)
    counts = np.bincount(original(store, tile.id).ravel())
    assert counts.tolist() == [213144, 3202, 9209 + 3884, 32705]
    offsets = {
        layer.name: layer.offset_px
        for layer in catalogue.layers(store, tile.id, modality=Modality.OPTICAL)
    }
    assert offsets["pre"] < 0.01
    assert offsets["post"] == pytest.approx(0.883, abs=1e-3)
    post = next(la for la in catalogue.layers(store, tile.id) if la.name == "post")
    assert read_layer(post, tile.grid).valid.mean() > 0.99


def test_a_pair_of_png_across_an_event(real_data: Path) -> None:
    checked = checked_in(real_data / "sar-optical-change")
    (tile,) = checked.tiles
    layers = layers_of(checked, "shuguang")
    assert len(layers["sar"].sources) == 1
    assert len(layers["optical"].sources) == 3
    assert tile.codes == {0: 521054, 1: 25099}


def test_bigearthnet_by_patterns_that_pair_its_names(real_data: Path) -> None:
    folder = real_data / "bigearthnet"
    roles = (
        Role("S1/S1*_1SDV_{date}T*_*_{tile}/*_{band}.tif", Modality.SAR, Unit.DB),
        Role("S2/S2*_{date}T*_{tile}/*_{band}.tif", Modality.OPTICAL, Unit.REFLECTANCE),
    )
    proposal = Proposal(roles, propose(folder).classes)
    checked = check(find_by(folder, proposal), roots=[folder])
    assert [tile.found.name for tile in checked.tiles] == ["36_85", "69_24"]
    for tile in checked.tiles:
        assert (tile.grid.height, tile.grid.width) == (120, 120)
        bands = {la.found.modality: la.found.bands for la in tile.layers}
        assert bands[Modality.SAR] == ("VH", "VV")
        assert len(bands[Modality.OPTICAL]) == 12
    optical = layers_of(checked, "36_85")["optical"]
    assert read_layer(optical, checked.tiles[0].grid).values.shape == (12, 120, 120)


def test_bigearthnet_as_guessed_imports_without_labels(real_data: Path) -> None:
    folder = real_data / "bigearthnet"
    checked = check(PatternReader().find(folder), roots=[folder])
    assert len(checked.tiles) == 4
    assert sum("no label" in f.message for f in checked.findings) == 4

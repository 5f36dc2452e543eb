from dataclasses import replace
from pathlib import Path

import numpy as np

from core import catalogue
from core.predictions import read_prediction
from core.raster import write_geotiff
from core.records import Grid, Modality, Split, Unit
from core.settings import Settings
from core.store.engine import Store
from models.networks import build
from models.predict import ensure_prediction
from models.registry import save_model
from models.valid_area import with_signal
from tests.models.conftest import CLASSES, MakeProject, make_tile


def test_blank_ground_has_no_signal_and_dark_water_has() -> None:
    image = np.full((1, 40, 40), 50, np.uint8)
    image[0, :, :5] = 0
    image[0, 20, 20:24] = 0  # a shadow
    there = with_signal(image)
    assert not there[:, :5].any() and there[:, 5:].all()
    decibels = np.full((2, 10, 10), -20.0, np.float32)
    decibels[:, 0] = np.nan
    decibels[0, 1] = np.nan  # one polarisation is left
    assert with_signal(decibels).sum() == 90


GRID = Grid(48, 48, (1.0, 0.0, 500_000.0, 0.0, -1.0, 4_000_000.0), "EPSG:32654")


def test_maps_are_void_where_sar_shows_nothing_if_the_card_says_so(
    store: Store, settings: Settings, make_project: MakeProject, tmp_path: Path
) -> None:
    tile = make_tile(tmp_path, "t0", Split.TRAIN, 0)
    path = tmp_path / "blank.tif"
    sar = np.full((1, 48, 48), 90, np.uint8)
    sar[:, :, :12] = 0
    layers = []
    for layer in tile.layers:
        if layer.modality is Modality.SAR:
            write_geotiff(path, sar, GRID)
            layer = replace(layer, sources=((path, 1),), unit=Unit.RELATIVE_8BIT)
        layers.append(layer)
    project = make_project((replace(tile, layers=tuple(layers)),))
    network = build("unet", {"sar": 1}, 3, {"widths": (4, 8)})
    (row,) = catalogue.tiles(store, project.id)
    maps = []
    for name, card in (("plain", {}), ("masked", {"valid_area": True})):
        record = save_model(store, project.id, network, CLASSES.codes, name, card)
        maps.append(read_prediction(store, ensure_prediction(store, settings, row, record, None)))
    (codes, confidence), (found, masked) = maps
    assert (found[:, :12] == CLASSES.void_code).all() and (masked[:, :12] == 0).all()
    assert np.array_equal(found[:, 12:], codes[:, 12:]) and (codes[:, :12] != 0).any()
    assert np.array_equal(masked[:, 12:], confidence[:, 12:])

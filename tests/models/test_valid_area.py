from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import catalogue
from core.predictions import read_prediction
from core.raster import write_geotiff
from core.records import Grid, Modality, Split, Unit
from core.settings import Settings
from core.store.engine import Store
from models.blend import Rows
from models.networks import build
from models.predict import _with_signal, ensure_prediction
from models.registry import save_model
from models.sample import Bands
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


@pytest.mark.parametrize("high", [1, 7, 20, 64, 200])
def test_the_valid_area_does_not_hang_on_the_strips(high: int) -> None:
    """A blank piece of 64 px across a strip's edge, a long thin one, and one that is too small."""
    sar = np.full((1, 200, 30), 50, np.uint8)
    sar[0, 56:72, 3:7] = 0
    sar[0, 10:190, 12] = 0
    sar[0, 40:103, 20] = 0

    def read(y0: int, x0: int, height: int, width: int) -> dict[str, Bands]:
        return {"sar": sar[:, y0 : y0 + height, x0 : x0 + width]}

    parts = []
    for y0 in range(0, 200, high):
        strip = np.zeros((min(high, 200 - y0), 30), np.uint8)
        parts.append(_with_signal(read, Rows(y0, strip, strip), 200))
    expected = np.ones((200, 30), np.bool_)
    expected[56:72, 3:7] = False
    expected[10:190, 12] = False
    assert np.array_equal(np.concatenate(parts), expected)

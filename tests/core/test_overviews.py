"""Coarse copies inside class rasters: those that average are never read."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling

from core.raster import overviews_hold_classes, read
from tests.rasters import grid_of, save

HOWS = [Resampling.nearest, Resampling.mode, Resampling.average, Resampling.cubic]


def classes_file(folder: Path, how: Resampling, shape: tuple[int, int]) -> Path:
    """Write patches of the classes 1 and 9 with overviews made in some way."""
    patches = np.random.default_rng(2).choice(np.array([1, 9], np.uint8), (120, 140))
    values = patches.repeat(7, axis=0).repeat(7, axis=1)[: shape[0], : shape[1]]
    path = save(folder / f"{how.name}.tif", values, grid_of(*shape))
    with rasterio.open(path, "r+") as target:
        target.build_overviews([2, 4], how)
    return path


@pytest.mark.parametrize("shape", [(800, 900), (801, 907)])
@pytest.mark.parametrize("how", HOWS)
def test_averages_are_told_from_classes(
    tmp_path: Path, how: Resampling, shape: tuple[int, int]
) -> None:
    path = classes_file(tmp_path, how, shape)
    expected = how in (Resampling.nearest, Resampling.mode)
    assert overviews_hold_classes(path) is expected


@pytest.mark.parametrize("how", HOWS)
def test_a_class_raster_from_afar_holds_its_classes_only(tmp_path: Path, how: Resampling) -> None:
    path = classes_file(tmp_path, how, (800, 900))
    small = read([(path, 1)], out_shape=(200, 225), categorical=True).values
    assert set(np.unique(small)) == {1, 9}


def test_without_overviews_there_is_nothing_to_doubt(tmp_path: Path) -> None:
    path = save(tmp_path / "plain.tif", np.ones((300, 300), np.uint8))
    assert overviews_hold_classes(path)

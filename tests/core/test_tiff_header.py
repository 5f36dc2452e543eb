"""The quick header says what GDAL says, for files of every kind."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine, from_gcps

from core import tiff_header
from core.errors import RasterError
from core.raster import describe
from core.tiff_header import describe_quickly
from tests.rasters import grid_of, noise, save, unplaced

BESIDE = (
    "<PAMDataset><PAMRasterBand band='1'><NoDataValue>9</NoDataValue></PAMRasterBand></PAMDataset>"
)


def make_kinds(folder: Path) -> list[Path]:
    """Write two files of each kind that differ in their place and pixels."""
    made = []
    for number in range(2):
        grid = grid_of(east=500_000 + 64 * number)
        three, one = noise(number, 3, 48, 40), noise(number, 48, 40)
        made += [
            save(folder / f"rgb{number}.tif", three, grid),
            save(folder / f"named{number}.tif", three, grid, descriptions=["B4", "B3", "B2"]),
            save(folder / f"nodata{number}.tif", one, grid, nodata=7),
            save(folder / f"colours{number}.tif", one, grid, colours={1: (255, 0, 0)}),
            save(folder / f"float{number}.tif", one.astype(np.float32), grid),
            save(folder / f"nowhere{number}.tif", one, unplaced()),
            save(folder / f"degrees{number}.tif", one, grid_of(pixel=0.001, east=number, north=9)),
            save(folder / f"zone{number}.tif", one, grid_of(crs=f"EPSG:3265{number}")),
        ]
        overviews = save(
            folder / f"overviews{number}.tif", noise(number, 600, 600), grid_of(600, 600)
        )
        with rasterio.open(overviews, "r+") as target:
            target.build_overviews([2])
        made.append(overviews)
        made += [_turned(folder / f"turned{number}.tif", number), _gcps(folder / f"g{number}.tif")]
        beside = save(folder / f"beside{number}.tif", one, grid)
        with rasterio.open(folder / f"beside{number}.tif") as source:
            assert source.nodata is None
        (folder / f"beside{number}.tif.aux.xml").write_text(BESIDE)
        made.append(beside)
    return made


def _turned(path: Path, number: int) -> Path:
    place = Affine.translation(number, 5) @ Affine.rotation(20)
    profile = {"driver": "GTiff", "count": 1, "height": 8, "width": 8, "dtype": "uint8"}
    with rasterio.open(path, "w", transform=place, crs="EPSG:32654", **profile) as target:
        target.write(noise(1, 1, 8, 8))
    return path


def _gcps(path: Path) -> Path:
    points = [
        rasterio.control.GroundControlPoint(row, column, 10.0 * column, -10.0 * row)
        for row, column in ((0, 0), (0, 8), (8, 0), (8, 8))
    ]
    assert from_gcps(points)
    profile = {"driver": "GTiff", "count": 1, "height": 8, "width": 8, "dtype": "uint8"}
    with rasterio.open(path, "w", **profile) as target:
        target.gcps = (points, rasterio.crs.CRS.from_epsg(32654))
        target.write(noise(1, 1, 8, 8))
    return path


def test_it_says_what_gdal_says(tmp_path: Path) -> None:
    tiff_header._known.clear()
    for path in make_kinds(tmp_path):
        assert describe_quickly(path) == describe(path), path.name
    assert describe(tmp_path / "beside1.tif").nodata == 9
    quick = [info for info in tiff_header._known.values() if info is not None]
    assert len(quick) >= 7  # most kinds were taken over from the first of them


def test_what_is_no_tiff_is_refused_as_ever(tmp_path: Path) -> None:
    good = save(tmp_path / "good.tif", noise(1, 48, 40), grid_of())
    for size in (0, 3, 9, 60):
        (tmp_path / "cut.tif").write_bytes(good.read_bytes()[:size])
        with pytest.raises(RasterError, match=r"cut\.tif"):
            describe_quickly(tmp_path / "cut.tif")


def test_a_file_that_came_to_lie_beside_it_is_noticed(tmp_path: Path) -> None:
    first = save(tmp_path / "a.tif", noise(1, 48, 40), grid_of())
    second = save(tmp_path / "b.tif", noise(2, 48, 40), grid_of())
    assert describe_quickly(first).nodata is None
    (tmp_path / "b.tif.aux.xml").write_text(BESIDE)
    assert describe_quickly(second).nodata == 9

"""Awkward real files: each imports, or says what was found, what was expected and what to do."""

from pathlib import Path

import numpy as np
import pytest

from core.check import Checked, check
from core.classes import OPEN_EARTH_MAP_SAR
from core.raster import describe, read
from core.records import Modality, Unit
from data.readers.patterns import Proposal, Role, find_by

IMPORTS = {
    "RGB.byte.tif",
    "rgb_lzw.tif",
    "cog_gcps.tif",
    "cog_nodata_nan.tif",
    "cog_rgb_mask.tif",
    "float_nan.tif",
    "rotated.tif",
}
REFUSED = {
    "corrupt.tif": ("pixels that can be read", "copy it again"),
    "all-nodata.tif": ("no valid pixel", "leave the file out"),
}


def check_alone(folder: Path, name: str) -> Checked:
    """Check one file as the SAR image of a tile of its own."""
    role = Role(name, Modality.SAR, Unit.NUMBER, bands=(1,))
    proposal = Proposal((role,), OPEN_EARTH_MAP_SAR)
    return check(find_by(folder, proposal), roots=[folder])


def test_every_awkward_file_is_accounted_for(real_data: Path) -> None:
    names = {path.name for path in (real_data / "awkward").iterdir()}
    assert names == IMPORTS | set(REFUSED)


@pytest.mark.parametrize("name", sorted(IMPORTS))
def test_it_imports(real_data: Path, name: str) -> None:
    checked = check_alone(real_data / "awkward", name)
    assert [f for f in checked.findings if f.level == "error"] == []
    assert len(checked.tiles) == 1


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_it_is_refused_in_words(real_data: Path, name: str) -> None:
    checked = check_alone(real_data / "awkward", name)
    assert checked.tiles == ()
    (error,) = [f for f in checked.findings if f.level == "error"]
    for part in (name, "found ", "expected ", *REFUSED[name]):
        assert part in error.message


def test_ground_control_points_alone_are_no_position_and_said_so(real_data: Path) -> None:
    checked = check_alone(real_data / "awkward", "cog_gcps.tif")
    assert checked.tiles[0].grid.crs is None
    assert any("ground control points only" in f.message for f in checked.findings)


def test_a_rotated_raster_keeps_its_transform(real_data: Path) -> None:
    checked = check_alone(real_data / "awkward", "rotated.tif")
    transform = checked.tiles[0].grid.transform
    assert transform[1] != 0
    assert transform[3] != 0
    assert checked.tiles[0].lonlat is None


def test_stray_nan_and_nodata_are_both_gaps(real_data: Path) -> None:
    path = real_data / "awkward" / "cog_nodata_nan.tif"
    raster = read([(path, 1)])
    assert np.isfinite(raster.values).all()
    assert (raster.values[0][raster.valid] != 0).all()
    assert 0.4 < raster.valid.mean() < 0.6


def test_nan_as_nodata(real_data: Path) -> None:
    raster = read([(real_data / "awkward" / "float_nan.tif", 1)])
    assert raster.valid.sum() == 5


def test_an_internal_mask_hides_pixels(real_data: Path) -> None:
    path = real_data / "awkward" / "cog_rgb_mask.tif"
    assert describe(path).has_mask
    assert 0.9 < read([(path, 1)]).valid.mean() < 1


def test_striped_and_tiled_copies_are_equal(real_data: Path) -> None:
    folder = real_data / "awkward"
    first, second = (
        read([(folder / name, band) for band in (1, 2, 3)])
        for name in ("RGB.byte.tif", "rgb_lzw.tif")
    )
    assert np.array_equal(first.values, second.values)
    assert np.array_equal(first.valid, second.valid)


def test_a_raster_whose_overviews_alone_are_fine_is_found_out(real_data: Path) -> None:
    """The small copies of this file read well; only its full resolution is damaged."""
    path = real_data / "awkward" / "corrupt.tif"
    assert read([(path, 1)], out_shape=(64, 64)).valid.any()
    assert check_alone(path.parent, path.name).tiles == ()


def test_the_whole_folder_at_once_loses_only_the_bad_files(real_data: Path) -> None:
    folder = real_data / "awkward"
    role = Role("{tile}.tif", Modality.SAR, Unit.NUMBER, bands=(1,))
    checked = check(find_by(folder, Proposal((role,), OPEN_EARTH_MAP_SAR)), roots=[folder])
    left_out = {f.where for f in checked.findings if f.level == "error"}
    assert left_out == {"all-nodata", "corrupt"}

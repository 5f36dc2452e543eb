"""Any folder of NetCDF, Zarr or HDF5 files, with the variables and the date that were chosen."""

import warnings
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray

from core.check import check
from core.errors import DatasetError
from core.raster import read
from core.records import Modality, Unit
from data.readers import cubes, recognise
from data.recipe import recipe_for, recipe_of
from tests.fixtures.base import ground, image
from tests.rasters import noise

SIZE = 40
DATES = np.array(["2020-05-01", "2020-06-01", "2020-07-15"], "datetime64[ns]")


def write(path: Path, seed: int = 0, dates: int = 3) -> Path:
    """Write red and blue of some dates, SAR, heights and a label with flags."""
    labels = ground(seed, SIZE, (0, 1, 2))
    series = [image(seed + day, labels, 2, 100, 5000, dtype="uint16") for day in range(dates)]
    stack = np.stack(series)
    flags = {"flag_values": np.array([0, 1, 2], np.uint8), "flag_meanings": "soil open_water tree"}
    found = xarray.Dataset(
        {
            "B04": (("time", "y", "x"), stack[:, 0], {"units": "reflectance"}),
            "B02": (("time", "y", "x"), stack[:, 1], {"units": "reflectance"}),
            "vv": (("y", "x"), image(seed, labels, 1, -20, 0, dtype="float32")[0], {"units": "dB"}),
            "dem": (("y", "x"), image(seed, labels, 1, 0, 300, dtype="float32")[0], {"units": "m"}),
            "landcover": (("y", "x"), labels, flags),
            "names": (("n",), np.arange(3)),
        },
        {
            "time": DATES[:dates],
            "y": 4_000_000 - 10.0 * (np.arange(SIZE) + 0.5),
            "x": 500_000 + 10.0 * (np.arange(SIZE) + 0.5),
        },
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zarr":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.to_zarr(path)
    else:
        found.to_netcdf(path, engine="h5netcdf")
    return path


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_variables_are_proposed_and_read(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"north/a{suffix}")
    known = recognise(tmp_path)
    assert known is not None and known[0].key == "cubes"
    proposal = cubes.propose(tmp_path)
    assert proposal.dates == ("2020-05-01", "2020-06-01", "2020-07-15")
    shown = {role.pattern: (role.modality, role.unit) for role in proposal.roles}
    assert shown == {
        "B04": (Modality.OPTICAL, Unit.REFLECTANCE),
        "B02": (Modality.OPTICAL, Unit.REFLECTANCE),
        "vv": (Modality.SAR, Unit.DB),
        "dem": (Modality.HEIGHT, Unit.METRE),
        "landcover": (Modality.LABEL, Unit.CODE),
    }
    checked = check(cubes.CubeReader().find(tmp_path), roots=[tmp_path])
    assert not [f for f in checked.findings if f.level == "error"]
    (tile,) = checked.tiles
    assert tile.found.name == "north_a"
    assert [e.name for e in checked.dataset.classes.entries] == ["soil", "open water", "tree"]
    expected = {code: int((ground(0, SIZE, (0, 1, 2)) == code).sum()) for code in range(3)}
    assert tile.codes == expected


def test_the_chosen_date_is_what_is_read(tmp_path: Path) -> None:
    write(tmp_path / "a.nc")
    roles = cubes.propose(tmp_path).roles
    june = tuple(replace(r, acquisition=r.acquisition and "2020-06-01") for r in roles)
    (tile,) = cubes.find_by(tmp_path, june).tiles
    optical = next(la for la in tile.layers if la.modality is Modality.OPTICAL)
    assert optical.date == "2020-06-01" and set(optical.bands) == {"B02", "B04"}
    place = optical.bands.index("B04")
    values = read(optical.sources[place : place + 1]).values[0]
    expected = image(1, ground(0, SIZE, (0, 1, 2)), 2, 100, 5000, dtype="uint16")[0]
    assert np.array_equal(values, expected)


def test_every_date_can_be_an_acquisition(tmp_path: Path) -> None:
    write(tmp_path / "a.nc")
    roles = cubes.propose(tmp_path).roles
    each = tuple(replace(r, acquisition=r.acquisition and cubes.ALL) for r in roles)
    (tile,) = cubes.find_by(tmp_path, each).tiles
    dates = [la.acquisition for la in tile.layers if la.modality is Modality.OPTICAL]
    assert dates == ["2020-05-01", "2020-06-01", "2020-07-15"]


def test_what_a_file_lacks_is_said(tmp_path: Path) -> None:
    write(tmp_path / "a.nc")
    write(tmp_path / "b.nc", seed=5, dates=1)
    (tmp_path / "c.nc").write_bytes(b"\x89HDF\r\n\x1a\n")
    roles = cubes.propose(tmp_path).roles
    july = tuple(replace(r, acquisition=r.acquisition and "2020-07-15") for r in roles)
    found = cubes.find_by(tmp_path, july)
    said = [(Path(f.where).name, f.level) for f in found.findings]
    assert ("b.nc", "warning") in said and ("c.nc", "error") in said
    assert [tile.name for tile in found.tiles] == ["a", "b"]


def test_the_choice_is_kept_for_the_import(tmp_path: Path) -> None:
    write(tmp_path / "a.nc")
    roles = cubes.propose(tmp_path).roles
    june = tuple(replace(r, acquisition=r.acquisition and "2020-06-01") for r in roles)
    found = cubes.find_by(tmp_path, june)
    again = recipe_of(recipe_for(found, june).to_json()).find()
    assert again.tiles == found.tiles


def test_arrays_without_names_may_have_their_colours_last(tmp_path: Path) -> None:
    values = noise(1, 5, 32, 40, 10)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["patches"], file["rgb"] = values, values[0, :, :, :3]
        file["stack"] = values[0].transpose(2, 0, 1)
    found = {one.name: one for one in cubes.variables(tmp_path / "a.h5")}
    assert found["patches"].axes == (0, "y", "x", "b") and found["patches"].bands == 10
    assert found["rgb"].axes == ("y", "x", "b")
    assert found["stack"].axes == (0, "y", "x")


def test_a_folder_without_images_says_so(tmp_path: Path) -> None:
    xarray.Dataset({"t": (("n",), np.arange(9))}).to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    assert cubes.CubeReader().recognise(tmp_path) is None
    with pytest.raises(DatasetError, match="no variable with rows and columns"):
        cubes.propose(tmp_path)

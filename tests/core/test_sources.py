"""Bands that are not simply a file's: arrays, pieces of scenes, outlines; and what is refused."""

import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray
import zarr
from scipy.io import netcdf_file

from core.errors import GridMismatch, RasterError
from core.grid import Window
from core.raster import describe, read
from core.records import Grid
from core.sources.source import (
    Part,
    Source,
    by_raster,
    from_json,
    on_grid,
    share_pixels,
    to_json,
    with_path,
)
from tests.rasters import Array, grid_of, noise, save

CUBE = noise(3, 4, 20, 30)  # dates, rows, columns
EASTS = 500_000 + 10.0 * np.arange(30) + 5
NORTHS = 4_000_000 - 10.0 * np.arange(20) - 5
PLACED = grid_of(20, 30, pixel=10)


def as_dataset(south_up: bool = False, **attributes: Any) -> xarray.Dataset:
    """Return the cube as a CF data set with a grid mapping."""
    order = slice(None, None, -1) if south_up else slice(None)
    variable = (("time", "y", "x"), CUBE[:, order], attributes | {"grid_mapping": "crs"})
    return xarray.Dataset(
        {"red": variable, "crs": ((), np.int32(0), {"crs_wkt": "EPSG:32654"})},
        {"time": np.arange(4), "y": NORTHS[order], "x": EASTS},
    )


def write_cube(path: Path, kind: str, south_up: bool = False) -> Path:
    found = as_dataset(south_up)
    if kind == "netcdf":
        found.to_netcdf(path.with_suffix(".nc"), engine="h5netcdf")
        return path.with_suffix(".nc")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a note on consolidated metadata
        found.to_zarr(path.with_suffix(".zarr"), zarr_format=2 if kind == "zarr2" else 3)
    return path.with_suffix(".zarr")


@pytest.mark.parametrize("kind", ["netcdf", "zarr2", "zarr3"])
@pytest.mark.parametrize("south_up", [False, True])
def test_one_date_of_a_cube_reads_in_place_and_north_up(
    tmp_path: Path, kind: str, south_up: bool
) -> None:
    path = write_cube(tmp_path / "cube", kind, south_up)
    source = Source(path, 1, Part("red", (2, "y", "x")))
    assert describe(path, source.part).grid == PLACED
    assert np.array_equal(read([source]).values[0], CUBE[2])
    window = Window(3, 4, 7, 9)
    assert np.array_equal(read([source], PLACED, window).values[0], CUBE[2][window.slices])


def test_a_classic_netcdf_reads_as_well(tmp_path: Path) -> None:
    path = tmp_path / "old.nc"
    with netcdf_file(path, "w") as file:
        file.createDimension("y", 20)
        file.createDimension("x", 30)
        file.createVariable("h", "i2", ("y", "x"))[:] = CUBE[0]
        file.createVariable("y", "f8", ("y",))[:] = NORTHS
        file.createVariable("x", "f8", ("x",))[:] = EASTS
    raster = read([Source(path, 1, Part("h"))])
    assert np.array_equal(raster.values[0], CUBE[0])
    assert describe(path, Part("h")).grid.transform == PLACED.transform


def test_dates_and_bands_are_told_apart_by_the_axes(tmp_path: Path) -> None:
    values = noise(1, 5, 8, 6, 3)
    path = tmp_path / "patches.h5"
    with h5py.File(path, "w") as file:
        file["group/sen2"] = values
    part = Part("group/sen2", (4, "y", "x", "b"))
    raster = read([Source(path, 3, part), Source(path, 1, part)])
    assert np.array_equal(raster.values, values[4].transpose(2, 0, 1)[[2, 0]])
    turned = read([Source(path, 1, Part("group/sen2", (0, "x", "y", 1)))])
    assert np.array_equal(turned.values[0], values[0, :, :, 1].T)
    for axes in [(9, "y", "x", "b"), ("y", "x", "b"), (0, "y", "y", "b"), (-1, "y", "x", "b")]:
        with pytest.raises(RasterError, match="expected real numbers read as"):
            read([Source(path, 1, Part("group/sen2", axes))])


def test_fill_scale_and_offset_of_the_file_hold_for_images_only(tmp_path: Path) -> None:
    path = tmp_path / "packed.nc"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("t", data=np.array([[7, 10], [20, 30]], np.int16))
        data.attrs["_FillValue"] = np.int16(7)
        data.attrs["scale_factor"], data.attrs["add_offset"] = 0.5, 1.0
    image = read([Source(path, 1, Part("t"))])
    assert image.valid.tolist() == [[False, True], [True, True]]
    assert image.values.tolist() == [[[0, 6], [11, 16]]]
    codes = read([Source(path, 1, Part("t"))], categorical=True)
    assert codes.values.tolist() == [[[7, 10], [20, 30]]]


def test_a_coarse_copy_of_an_array_is_averaged_and_classes_are_not(tmp_path: Path) -> None:
    values = noise(5, 64, 48).astype(np.float32)
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["v"] = values
    source = [Source(path, 1, Part("v"))]
    small = read(source, out_shape=(16, 12)).values[0]
    assert small == pytest.approx(values.reshape(16, 4, 12, 4).mean(axis=(1, 3)), rel=1e-5)
    codes = read(source, out_shape=(16, 12), categorical=True).values[0]
    assert np.array_equal(codes, values[2::4, 2::4])


def test_a_replaced_container_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    source = [Source(path, 1, Part("v"))]
    for seed in (1, 2):
        part = tmp_path / "part.h5"
        with h5py.File(part, "w") as file:
            file["v"] = noise(seed, 8 * seed, 8)
        path.write_bytes(part.read_bytes())
        assert np.array_equal(read(source).values[0], noise(seed, 8 * seed, 8))


def link(file: h5py.File, secret: Path) -> None:
    file["v"] = h5py.ExternalLink(str(secret), "v")


def soft_link(file: h5py.File, secret: Path) -> None:
    file["way"] = h5py.ExternalLink(str(secret), "/")
    file["v"] = h5py.SoftLink("/way/v")


def outside(file: h5py.File, secret: Path) -> None:
    file.create_dataset("v", (4, 4), "u1", external=[(str(secret), 0, 16)])


def virtual(file: h5py.File, secret: Path) -> None:
    layout = h5py.VirtualLayout((4, 4), "u1")
    layout[:] = h5py.VirtualSource(str(secret), "v", (4, 4))
    file.create_virtual_dataset("v", layout)


@pytest.mark.parametrize("trick", [link, soft_link, outside, virtual])
def test_arrays_that_lead_to_another_file_are_refused(tmp_path: Path, trick: Any) -> None:
    secret, path = tmp_path / "secret.h5", tmp_path / "a.h5"
    with h5py.File(secret, "w") as file:
        file["v"] = noise(1, 4, 4)
    with h5py.File(path, "w") as file:
        trick(file, secret)
    with pytest.raises(RasterError, match="leads to another place or file"):
        read([Source(path, 1, Part("v"))])


def test_a_store_that_unpacks_by_running_code_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "s.zarr"
    zarr.create_array(store=str(folder / "v"), data=noise(1, 4, 4), zarr_format=2)
    about = json.loads((folder / "v" / ".zarray").read_text())
    (folder / "v" / ".zarray").write_text(json.dumps(about | {"filters": [{"id": "pickle"}]}))
    with pytest.raises(RasterError, match="codec 'pickle'"):
        read([Source(folder, 1, Part("v"))])


def test_names_and_links_that_leave_a_store_are_refused(tmp_path: Path) -> None:
    zarr.create_array(store=str(tmp_path / "other.zarr" / "v"), data=noise(1, 4, 4))
    folder = tmp_path / "s.zarr"
    folder.mkdir()
    (folder / "v").symlink_to(tmp_path / "other.zarr" / "v")
    for name in ("../other.zarr/v", "v"):
        with pytest.raises(RasterError, match="a name within the store"):
            read([Source(folder, 1, Part(name))])


def test_an_array_without_a_place_is_stretched_over_a_grid_when_asked(tmp_path: Path) -> None:
    values = noise(4, 5, 6)
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["v"] = values
    grid = grid_of(10, 12)
    source = Source(path, 1, Part("v", grid=grid, stretch=True))
    found = read([source], grid, categorical=True).values[0]
    assert np.array_equal(found, values.repeat(2, 0).repeat(2, 1))
    with pytest.raises(GridMismatch):
        read([Source(path, 1, Part("v"))], grid)


def test_wide_codes_and_masks_become_classes(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["crops"] = np.array([[0, 110], [330, 999]], np.uint32)
        file["trees"] = np.array([[[0, 0], [0, 3]], [[9, 0], [0, 0]]], np.uint8)
    codes = Part("crops", codes=(("330", 2), ("0", 0), ("110", 1)))
    assert read([Source(path, 1, codes)], categorical=True).values.tolist() == [[[0, 1], [2, 255]]]
    mask = Part("trees", ("y", "x", "b"), above=0.0)
    assert describe(path, mask).count == 1
    assert read([Source(path, 1, mask)], categorical=True).values.tolist() == [[[0, 1], [1, 0]]]


def test_sizes_are_checked_before_anything_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.h5"
    with h5py.File(path, "w") as file:
        shape = (2**16, 2**15)
        file.create_dataset("v", shape, "f4", chunks=(2**15, 2**14), compression="gzip")
    assert path.stat().st_size < 10_000
    with pytest.raises(RasterError, match="pieces of 2,147,483,648 bytes"):
        read([Source(path, 1, Part("v"))], window=Window(0, 0, 1, 1))


@pytest.mark.parametrize("name", ["a.h5", "a.nc", "a.geojson"])
def test_files_that_are_cut_short_are_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 20)
    with pytest.raises(RasterError, match=name.replace(".", r"\.")):
        read([Source(path, 1, Part("v", grid=grid_of(8, 8)))])


def test_a_missing_array_says_which_there_are(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["sen1"] = noise(1, 4, 4)
    with pytest.raises(RasterError, match=r"no array 'sen2'; expected one of sen1"):
        describe(path, Part("sen2"))


def test_a_tile_of_a_scene_is_a_window_of_its_pixels(tmp_path: Path) -> None:
    values = noise(2, 3, 100, 120)
    scene = save(tmp_path / "scene.tif", values, grid_of(100, 120, pixel=2))
    tile = grid_of(32, 40, pixel=2, east=500_000 + 2 * 60, north=4_000_000 - 2 * 50)
    sources = [on_grid((scene, band), tile) for band in (3, 1)]
    assert np.array_equal(read(sources, tile).values, values[[2, 0], 50:82, 60:100])
    part = read(sources, tile, Window(5, 6, 7, 8)).values
    assert np.array_equal(part, values[[2, 0], 55:62, 66:74])


def test_a_tile_beyond_the_edge_of_its_scene_is_not_valid_there(tmp_path: Path) -> None:
    values = noise(2, 20, 20)
    scene = save(tmp_path / "scene.tif", values, grid_of(20, 20))
    tile = grid_of(8, 8, east=500_016.0)
    raster = read([on_grid((scene, 1), tile)], tile)
    assert np.array_equal(raster.values[0, :, :4], values[:8, 16:])
    assert not raster.valid[:, 4:].any()


def write_as(kind: str, path: Path, values: Array, grid: Grid) -> Source:
    """Write one band in the kind of file that is asked for."""
    if kind == "geotiff":
        return Source(save(path.with_suffix(".tif"), values, grid), 1)
    a, _, c, _, e, f = grid.transform
    places = {
        "y": f + e * (np.arange(grid.height) + 0.5),
        "x": c + a * (np.arange(grid.width) + 0.5),
    }
    found = xarray.Dataset({"v": (("y", "x"), values)}, places)
    if kind == "netcdf":
        found.to_netcdf(path.with_suffix(".nc"), engine="h5netcdf")
        return Source(path.with_suffix(".nc"), 1, Part("v"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found.to_zarr(path.with_suffix(".zarr"))
    return Source(path.with_suffix(".zarr"), 1, Part("v"))


@pytest.mark.parametrize("kind", ["geotiff", "netcdf", "zarr"])
def test_other_resolutions_meet_a_tile_of_a_scene(tmp_path: Path, kind: str) -> None:
    tile = grid_of(16, 16, pixel=1, east=500_008.0, north=3_999_992.0)
    labels = noise(7, 20, 20, high=8)
    coarse = write_as(kind, tmp_path / "labels", labels, grid_of(20, 20, pixel=2))
    expected = labels[4:12, 4:12].repeat(2, 0).repeat(2, 1)
    found = read([on_grid(coarse, tile)], tile, categorical=True)
    assert np.array_equal(found.values[0], expected)

    ramp = np.tile(np.arange(80, dtype=np.float32), (80, 1))
    fine = write_as(kind, tmp_path / "image", ramp, grid_of(80, 80, pixel=0.5))
    image = read([on_grid(fine, tile)], tile).values[0]
    assert image == pytest.approx(np.tile(np.arange(16) * 2 + 16.5, (16, 1)))


def test_a_scene_elsewhere_or_turned_is_refused(tmp_path: Path) -> None:
    scene = save(tmp_path / "scene.tif", noise(2, 20, 20), grid_of(20, 20))
    for grid in (
        grid_of(8, 8, crs="EPSG:32655"),
        Grid(8, 8, (0.0, 1.0, 500_000.0, 1.0, 0.0, 4_000_000.0), "EPSG:32654"),
    ):
        with pytest.raises(GridMismatch):
            read([on_grid((scene, 1), grid)], grid)


def outline(*corners: tuple[float, float], **properties: Any) -> dict[str, Any]:
    ring = [list(corner) for corner in (*corners, corners[0])]
    shape = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": properties, "geometry": shape}


def write_outlines(path: Path, *features: dict[str, Any], crs: str = "EPSG:32654") -> Path:
    name = {"type": "name", "properties": {"name": crs}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": name, "features": features}))
    return path


def test_outlines_take_the_pixels_whose_centres_they_hold(tmp_path: Path) -> None:
    square = outline((500_002.4, 3_999_997.6), (500_005.6, 3_999_997.6), (500_005.6, 3_999_994.4),
                     (500_002.4, 3_999_994.4))  # fmt: skip
    path = write_outlines(tmp_path / "b.geojson", square, {"type": "Feature", "geometry": None})
    grid = grid_of(8, 8)
    expected = np.zeros((8, 8), np.uint8)
    expected[2:6, 2:6] = 1  # the sides lie 0.4 px into their pixels: centres are inside
    source = [Source(path, 1, Part(grid=grid))]
    assert np.array_equal(read(source, grid, categorical=True).values[0], expected)
    part = read(source, grid, Window(1, 3, 4, 5), categorical=True).values[0]
    assert np.array_equal(part, expected[1:5, 3:8])


def test_outlines_of_several_classes_and_empty_files(tmp_path: Path) -> None:
    left = outline((500_000, 4_000_000), (500_004, 4_000_000), (500_004, 3_999_992),
                   (500_000, 3_999_992), use="water")  # fmt: skip
    path = write_outlines(tmp_path / "b.geojson", left)
    grid = grid_of(8, 8)
    codes = Part(grid=grid, field="use", codes=(("water", 5),))
    assert read([Source(path, 1, codes)], grid).values[0, 0].tolist() == [5] * 4 + [0] * 4
    with pytest.raises(RasterError, match="use = 'water'; expected one of 'road'"):
        read([Source(path, 1, Part(grid=grid, field="use", codes=(("road", 1),)))], grid)
    empty = write_outlines(tmp_path / "e.geojson")
    assert not read([Source(empty, 1, Part(grid=grid))], grid).values.any()


def test_what_an_item_says_of_values_holds_before_they_are_averaged(tmp_path: Path) -> None:
    values = np.array([[0, 10], [20, 30]], np.uint16)
    path = save(tmp_path / "a.tif", values)
    part = Part(nodata=0, scale=0.1, offset=-1.0)
    raster = read([Source(path, 1, part)])
    assert raster.valid.tolist() == [[False, True], [True, True]]
    assert raster.values[0] == pytest.approx(np.array([[0, 0], [1, 2]], np.float32))
    assert read([Source(path, 1, part)], out_shape=(1, 1)).values.item() == pytest.approx(1.0)
    assert np.array_equal(read([Source(path, 1, part)], categorical=True).values[0], values)


def test_sources_keep_their_part_on_every_way() -> None:
    part = Part(
        "v", (3, "y", "x"), grid_of(4, 5), field="use", codes=(("water", 5),), nodata=0.0, scale=0.5
    )
    source = Source(Path("/a.nc"), 2, part)
    path, band = source
    assert (path, band) == (Path("/a.nc"), 2)
    assert from_json(json.loads(json.dumps(to_json(source)))) == source
    assert pickle.loads(pickle.dumps(source)) == source  # noqa: S301 - our own bytes
    assert with_path(source, Path("/b.nc")) == Source(Path("/b.nc"), 2, part)
    assert source != Source(path, 2) and source != (path, 2)
    assert hash(source) == hash(Source(path, 2, part))


def test_tiles_of_one_file_share_pixels_only_where_they_meet() -> None:
    scene = (Path("/scene.tif"), 1)
    here, beside = grid_of(8, 8), grid_of(8, 8, east=500_008.0)
    over = grid_of(8, 8, east=500_004.0)
    assert not share_pixels(on_grid(scene, here), on_grid(scene, beside))
    assert share_pixels(on_grid(scene, here), on_grid(scene, over))
    assert share_pixels(on_grid(scene, here), scene) and share_pixels(scene, scene)
    assert not share_pixels(scene, (Path("/other.tif"), 1))
    patches = [Source(Path("/a.h5"), 1, Part("sen2", (n, "y", "x", "b"))) for n in (0, 1)]
    assert not share_pixels(*patches) and share_pixels(patches[0], patches[0])


def test_a_plain_pair_is_a_source_and_old_rows_read() -> None:
    plain = Source(Path("/a.tif"), 1)
    assert plain == (Path("/a.tif"), 1) and hash(plain) == hash((Path("/a.tif"), 1))
    assert to_json((Path("/a.tif"), 1)) == ["/a.tif", 1]
    assert from_json(["/a.tif", 1]) == plain
    assert Source(Path("/a.tif"), 1, Part()) == plain
    mixed = by_raster([(Path("/a.tif"), 1), plain, Source(Path("/a.tif"), 2, Part("v"))])
    assert mixed == {(Path("/a.tif"), None): [1, 1], (Path("/a.tif"), Part("v")): [2]}

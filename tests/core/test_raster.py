"""Reading onto a tile's grid: nodata, masks, NaN, offsets, resolutions and damaged files."""

import threading
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ClassTableError, DatasetError, GridMismatch, RasterError
from core.grid import Window
from core.raster import check_allowed, describe, read, read_layer, write_geotiff
from core.records import Grid, Layer, Modality, Unit
from tests.rasters import Array, grid_of, noise, save, unplaced

COMMON = settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    derandomize=True,
)


def label_layer(path: Path, code_map: dict[int, int] | None = None, void: int = 0) -> Layer:
    return Layer(
        1,
        1,
        None,
        Modality.LABEL,
        "label",
        ((path, 1),),
        ("class",),
        Unit.CODE,
        void,
        0.0,
        code_map,
    )


def test_a_raster_reads_back_with_all_its_header(tmp_path: Path) -> None:
    values = noise(1, 600, 530, low=0, high=8)
    grid = grid_of(600, 530)
    colours = {code: (code, 2 * code, 255 - code) for code in range(9)}
    path = save(tmp_path / "a.tif", values, grid, nodata=0, colours=colours, descriptions=["class"])
    info = describe(path)
    assert info.grid == grid
    assert info.nodata == 0
    assert info.descriptions == ("class",)
    assert {code: info.colours[code] for code in colours} == colours if info.colours else False
    assert np.array_equal(read([(path, 1)], categorical=True).values[0], values)


def test_writing_leaves_nothing_half_done(tmp_path: Path) -> None:
    values = noise(1, 8, 8)
    with pytest.raises(GridMismatch, match=r"expected 9 x 9 pixels"):
        write_geotiff(tmp_path / "a.tif", values, unplaced(9, 9))
    assert list(tmp_path.iterdir()) == []


@given(st.data())
@COMMON
def test_a_window_equals_that_part_of_the_whole(tmp_path: Path, data: st.DataObject) -> None:
    tile = grid_of(40, 36)
    dx, dy = data.draw(st.floats(-0.9, 0.9)), data.draw(st.floats(-0.9, 0.9))
    coarse = data.draw(st.sampled_from([1.0, 2.0, 0.5]))
    other = grid_of(
        int(40 / coarse), int(36 / coarse), pixel=coarse, east=500_000 + dx, north=4_000_000 + dy
    )
    values = noise(3, other.height, other.width)
    values[:5, :7] = 0
    path = save(tmp_path / "w.tif", values, other, nodata=0)
    y0, x0 = data.draw(st.integers(0, 30)), data.draw(st.integers(0, 30))
    window = Window(y0, x0, data.draw(st.integers(1, 40 - y0)), data.draw(st.integers(1, 36 - x0)))
    for categorical in (False, True):
        whole = read([(path, 1)], tile, categorical=categorical)
        part = read([(path, 1)], tile, window, categorical=categorical)
        assert np.array_equal(part.valid, whole.valid[window.slices])
        assert np.array_equal(part.values[0], whole.values[0][window.slices])


def test_striped_and_tiled_pixels_read_equal(tmp_path: Path) -> None:
    values = noise(1, 3, 600, 700)
    paths = [tmp_path / "striped.tif", tmp_path / "tiled.tif"]
    for path, tiled in zip(paths, (False, True), strict=True):
        profile = {"driver": "GTiff", "count": 3, "height": 600, "width": 700, "dtype": "uint8"}
        with rasterio.open(path, "w", tiled=tiled, **profile) as target:
            target.write(values)
    window = Window(100, 200, 333, 444)
    first, second = (read([(p, 2)], window=window).values for p in paths)
    assert np.array_equal(first, second)
    assert np.array_equal(first[0], values[1][window.slices])


def test_nodata_is_found_before_the_cast_to_float(tmp_path: Path) -> None:
    values = np.array([[[-9999.0, 1.5], [np.nan, 2.5]]])
    path = save(tmp_path / "f.tif", values, nodata=-9999.0)
    raster = read([(path, 1)])
    assert raster.values.dtype == np.float32
    assert raster.valid.tolist() == [[False, True], [False, True]]
    assert raster.values[0].tolist() == [[0.0, 1.5], [0.0, 2.5]]


def test_black_is_a_colour_unless_all_bands_are_nodata(tmp_path: Path) -> None:
    values = np.zeros((3, 1, 3), np.uint8)
    values[0, 0, 1] = 7
    path = save(tmp_path / "rgb.tif", values, nodata=0)
    assert read([(path, band) for band in (1, 2, 3)]).valid.tolist() == [[False, True, False]]


def test_an_internal_mask_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "masked.tif"
    profile = {"driver": "GTiff", "count": 1, "height": 4, "width": 4, "dtype": "uint8"}
    mask = np.eye(4, dtype=np.uint8) * 255
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(path, "w", **profile) as target,
    ):
        target.write(noise(1, 1, 4, 4))
        target.write_mask(mask)
    assert describe(path).has_mask
    assert np.array_equal(read([(path, 1)]).valid, mask > 0)


def test_classes_are_resampled_nearest_only(tmp_path: Path) -> None:
    labels = noise(1, 16, 16, low=1, high=8)
    path = save(tmp_path / "l.tif", labels, grid_of(16, 16, pixel=2))
    fine = read_layer(label_layer(path), grid_of(32, 32)).values[0]
    assert np.array_equal(fine, labels.repeat(2, 0).repeat(2, 1))


def test_images_are_resampled_bilinear(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(16, dtype=np.float32), (16, 1))
    path = save(tmp_path / "ramp.tif", ramp, grid_of(16, 16))
    moved = read([(path, 1)], grid_of(16, 16, east=500_000.25)).values[0]
    assert moved[3, :15] == pytest.approx(ramp[3, :15] + 0.25)


def test_pixels_beyond_a_moved_file_are_not_valid(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tif", noise(1, 16, 16), grid_of(16, 16, east=500_000.8))
    valid = read([(path, 1)], grid_of(16, 16)).valid
    assert not valid[:, 0].any()
    assert valid[:, 1:].all()


def test_neighbours_without_data_do_not_bleed(tmp_path: Path) -> None:
    values = np.full((8, 8), 100.0, np.float32)
    values[:, 4:] = -9999
    path = save(tmp_path / "a.tif", values, grid_of(8, 8), nodata=-9999)
    raster = read([(path, 1)], grid_of(8, 8, east=500_000.3))
    assert raster.values[0][raster.valid].tolist() == pytest.approx([100.0] * raster.valid.sum())


def test_finer_files_are_averaged(tmp_path: Path) -> None:
    values = np.zeros((32, 32), np.float32)
    values[::2] = 10
    path = save(tmp_path / "a.tif", values, grid_of(32, 32, pixel=0.25))
    assert read([(path, 1)], grid_of(8, 8)).values == pytest.approx(5.0)


def test_a_coarse_copy_keeps_the_mean(tmp_path: Path) -> None:
    values = noise(1, 64, 64).astype(np.float32)
    path = save(tmp_path / "a.tif", values, grid_of(64, 64))
    small = read([(path, 1)], out_shape=(16, 16)).values[0]
    assert small.mean() == pytest.approx(values.mean(), rel=1e-5)


def test_bands_of_several_files_and_resolutions_stack(tmp_path: Path) -> None:
    fine = save(tmp_path / "b2.tif", noise(1, 32, 32), grid_of(32, 32))
    coarse = save(tmp_path / "b5.tif", np.full((16, 16), 7, np.uint16), grid_of(16, 16, pixel=2))
    raster = read([(fine, 1), (coarse, 1)])
    assert raster.values.shape == (2, 32, 32)
    assert (raster.values[1] == 7).all()


def test_a_south_up_file_reads_north_up(tmp_path: Path) -> None:
    values = noise(1, 8, 8)
    up = Grid(8, 8, (1.0, 0.0, 500_000.0, 0.0, 1.0, 3_999_992.0), "EPSG:32654")
    path = save(tmp_path / "up.tif", values[::-1].copy(), up)
    assert np.array_equal(read([(path, 1)], grid_of(8, 8)).values[0], values)


def test_codes_go_through_the_map_and_gaps_become_void(tmp_path: Path) -> None:
    labels = np.array([[-1, 0], [1, 300]], np.int16)
    path = save(tmp_path / "l.tif", labels)
    layer = label_layer(path, {-1: 255, 300: 7}, void=255)
    raster = read_layer(layer, unplaced(2, 2))
    assert raster.values.tolist() == [[[255, 0], [1, 7]]]
    assert raster.valid.tolist() == [[False, True], [True, True]]


def test_values_that_are_no_code_are_named(tmp_path: Path) -> None:
    path = save(tmp_path / "l.tif", np.array([[0.5, 400.0]], np.float32))
    with pytest.raises(ClassTableError, match=r"\[0\.5, 400\.0\]"):
        read_layer(label_layer(path), unplaced(1, 2))


def test_another_place_is_refused_with_the_file(tmp_path: Path) -> None:
    path = save(tmp_path / "far.tif", noise(1, 8, 8), grid_of(8, 8, east=600_000))
    with pytest.raises(GridMismatch, match=r"far\.tif, bounds"):
        read([(path, 1)], grid_of(8, 8))


def test_a_missing_band_is_named(tmp_path: Path) -> None:
    path = save(tmp_path / "one.tif", noise(1, 8, 8))
    with pytest.raises(RasterError, match=r"one\.tif: found 1 bands; expected at least 3"):
        read([(path, 1), (path, 3)])


@pytest.mark.parametrize("content", [b"", b"hello", b"II*\x00" + b"\xff" * 50])
def test_files_that_are_no_raster_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.tif"
    path.write_bytes(content)
    with pytest.raises(RasterError, match=r"bad\.tif.*expected a readable GeoTIFF"):
        describe(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RasterError, match=r"gone\.tif.*No such file"):
        describe(tmp_path / "gone.tif")


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    path = save(tmp_path / "cut.tif", noise(1, 3, 600, 600))
    path.write_bytes(path.read_bytes()[:200_000])
    with pytest.raises(RasterError, match=r"cut\.tif"):
        read([(path, 1), (path, 2), (path, 3)])


def test_formats_that_follow_addresses_are_not_opened(tmp_path: Path) -> None:
    secret = save(tmp_path / "secret.tif", noise(1, 8, 8))
    path = tmp_path / "link.tif"
    path.write_text(
        '<VRTDataset rasterXSize="8" rasterYSize="8"><VRTRasterBand dataType="Byte" band="1">'
        f"<SimpleSource><SourceFilename>{secret}</SourceFilename><SourceBand>1</SourceBand>"
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with pytest.raises(RasterError):
        describe(path)


def test_complex_values_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "c.tif", np.ones((4, 4), np.complex64))
    with pytest.raises(RasterError, match="complex"):
        read([(path, 1)])


def test_a_replaced_file_is_read_anew(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tif", noise(1, 8, 8))
    read([(path, 1)])
    save(path, noise(2, 8, 8))
    assert np.array_equal(read([(path, 1)]).values[0], noise(2, 8, 8))


def test_threads_read_the_same_file_at_once(tmp_path: Path) -> None:
    values = noise(1, 3, 256, 256)
    path = save(tmp_path / "a.tif", values)
    results: list[Array] = []

    def work() -> None:
        for _ in range(20):
            results.append(read([(path, 1), (path, 2), (path, 3)]).values)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 80
    assert all(np.array_equal(found, values) for found in results)


@pytest.mark.parametrize("path", ["/etc/passwd", "\0", "x" * 9000, "~nobody_here/x"])
def test_paths_outside_the_roots_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(DatasetError):
        check_allowed(path, [tmp_path])


def test_links_that_leave_the_roots_are_refused(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "way").symlink_to(outside)
    with pytest.raises(DatasetError, match="outside the folders"):
        check_allowed(inside / "way" / "a.tif", [inside])
    assert check_allowed(inside / "a.tif", [inside]) == inside / "a.tif"


def test_large_class_maps_get_coarse_copies_of_nearest_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.raster_write.LARGE_SIDE", 600)
    values = np.kron(noise(3, 40, 40, high=8), np.ones((32, 32), np.uint8))
    path = save(tmp_path / "map.tif", values, class_overviews=True)
    assert describe(path).overviews == (2, 4)
    small = read([(path, 1)], out_shape=(320, 320), categorical=True).values[0]
    assert np.array_equal(small, values[2::4, 2::4])
    assert describe(save(tmp_path / "plain.tif", values)).overviews == ()

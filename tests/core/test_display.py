from pathlib import Path

import numpy as np
import pytest
import rasterio

from core.display import layer_stretch, picture_bands, sar_db, stretch_range, to_rgb8, to_rgba8
from core.errors import CloudbrushError, RasterError
from core.raster import Raster
from core.records import Layer, Modality, Unit
from tests.rasters import grid_of, noise, save, unplaced


def layer_of(path: Path, modality: Modality, unit: Unit, bands: tuple[str, ...]) -> Layer:
    sources = tuple((path, number) for number in range(1, len(bands) + 1))
    return Layer(1, 1, None, modality, "x", sources, bands, unit, None, 0.0)


def raster_of(values: np.ndarray) -> Raster:
    return Raster(values, np.ones(values.shape[1:], np.bool_))


def test_decibels_of_linear_power() -> None:
    assert sar_db(np.array([1.0, 0.1, 0.0])).tolist() == pytest.approx([0.0, -10.0, -50.0])


def test_calibrated_sar_has_the_fixed_range_in_db() -> None:
    values, valid = np.zeros((1, 4, 4), np.float32), np.ones((4, 4), np.bool_)
    assert stretch_range(values, valid, Unit.DB, "auto") == (-25.0, 0.0)
    assert stretch_range(values, valid, Unit.LINEAR, "auto") == (-25.0, 0.0)


def test_relative_amplitude_is_stretched_by_percentile_of_valid_pixels() -> None:
    values = np.arange(101, dtype=np.uint8).reshape(1, 1, 101)
    valid = values[0] > 0
    assert stretch_range(values, valid, Unit.RELATIVE_8BIT, "auto") == pytest.approx((2.98, 98.02))


def test_a_flat_image_keeps_a_width() -> None:
    values = np.full((1, 3, 3), 7, np.uint8)
    low, high = stretch_range(values, np.ones((3, 3), np.bool_), Unit.NUMBER, "percentile")
    assert high > low


def test_nothing_valid_still_has_a_range() -> None:
    low, high = stretch_range(
        np.zeros((1, 3, 3), np.float32), np.zeros((3, 3), np.bool_), Unit.NUMBER, "percentile"
    )
    assert high > low


def test_8_bit_optical_is_shown_as_it_is(tmp_path: Path) -> None:
    values = noise(1, 3, 20, 20)
    path = save(tmp_path / "rgb.tif", values, grid_of(20, 20))
    layer = layer_of(path, Modality.OPTICAL, Unit.RELATIVE_8BIT, ("red", "green", "blue"))
    stretch = layer_stretch(layer, grid_of(20, 20))
    shown = to_rgb8(raster_of(values), layer.unit, stretch.bands, stretch.ranges)
    assert np.array_equal(shown, values.transpose(1, 2, 0))


def test_whole_number_reflectance_is_shown_as_a_share(tmp_path: Path) -> None:
    values = (noise(1, 4, 20, 20).astype(np.int16)) * 10
    path = save(tmp_path / "s2.tif", values, grid_of(20, 20))
    layer = layer_of(path, Modality.OPTICAL, Unit.REFLECTANCE, ("B2", "B3", "B4", "B8"))
    stretch = layer_stretch(layer, grid_of(20, 20))
    assert stretch.bands == (2, 1, 0)
    assert 0 < stretch.ranges[0][0] < stretch.ranges[0][1] < 0.3
    assert stretch.label == "reflectance"


def test_float_reflectance_and_whole_numbers_look_the_same() -> None:
    whole = noise(1, 1, 8, 8).astype(np.uint16) * 10
    share = whole.astype(np.float32) / 10_000
    ranges = [(0.0, 0.25)]
    shown = [to_rgb8(raster_of(v), Unit.REFLECTANCE, (0,), ranges) for v in (whole, share)]
    assert np.abs(shown[0].astype(int) - shown[1]).max() <= 1


def test_amplitude_says_that_it_is_relative_and_dB_that_it_is_dB(tmp_path: Path) -> None:
    path = save(tmp_path / "sar.tif", noise(1, 20, 20), grid_of(20, 20))
    relative = layer_of(path, Modality.SAR, Unit.RELATIVE_8BIT, ("amplitude",))
    assert layer_stretch(relative, grid_of(20, 20)).label == "relative 8-bit"
    linear = layer_of(path, Modality.SAR, Unit.LINEAR, ("VV",))
    assert layer_stretch(linear, grid_of(20, 20)).label == "dB"


def test_sar_bands_have_ranges_of_their_own(tmp_path: Path) -> None:
    values = np.stack([noise(1, 20, 20, high=50), noise(2, 20, 20, low=200)]).astype(np.float32)
    path = save(tmp_path / "sar.tif", values, grid_of(20, 20))
    layer = layer_of(path, Modality.SAR, Unit.NUMBER, ("VV", "VH"))
    first, second = layer_stretch(layer, grid_of(20, 20), "percentile", (0, 1)).ranges
    assert first[1] < second[0]


def test_gaps_are_transparent() -> None:
    valid = np.array([[True, False]])
    picture = to_rgba8(Raster(np.full((1, 1, 2), 9, np.uint8), valid), Unit.NUMBER, (0,), [(0, 9)])
    assert picture.tolist() == [[[255, 255, 255, 255], [0, 0, 0, 0]]]


def test_values_beyond_the_range_are_clipped() -> None:
    values = np.array([[[-40.0, -12.5, 9.0]]], np.float32)
    assert to_rgb8(raster_of(values), Unit.DB, (0,), [(-25.0, 0.0)])[0, :, 0].tolist() == [
        0,
        128,
        255,
    ]


def test_a_range_that_pixels_do_not_decide_reads_but_one(tmp_path: Path) -> None:
    """The file ends after its first rows: who reads all of it fails."""
    grid = unplaced(400, 400)
    path = tmp_path / "rgb.tif"
    with rasterio.open(path, "w", "GTiff", 400, 400, 3, dtype="uint8") as dataset:
        dataset.write(noise(1, 3, 400, 400))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    layer = layer_of(path, Modality.OPTICAL, Unit.RELATIVE_8BIT, ("red", "green", "blue"))
    assert layer_stretch(layer, grid).ranges == ((0.0, 255.0),)
    with pytest.raises(RasterError):
        layer_stretch(layer, grid, "percentile")


@pytest.mark.parametrize("bands", [(), (3,), (-1,), (0, 1, 2, 0)])
def test_bands_that_do_not_exist_are_refused(tmp_path: Path, bands: tuple[int, ...]) -> None:
    path = save(tmp_path / "rgb.tif", noise(1, 3, 8, 8), grid_of(8, 8))
    layer = layer_of(path, Modality.OPTICAL, Unit.RELATIVE_8BIT, ("red", "green", "blue"))
    with pytest.raises(CloudbrushError, match="one to three of 1 to 3"):
        layer_stretch(layer, grid_of(8, 8), bands=bands)


def test_true_colour_is_found_by_band_names() -> None:
    names = ("B01", "B02", "B03", "B04", "B08")
    assert picture_bands(layer_of(Path("x"), Modality.OPTICAL, Unit.REFLECTANCE, names)) == (
        3,
        2,
        1,
    )


def test_heights_are_coloured_and_everything_else_is_grey() -> None:
    values = np.array([[[0.0, 5.0, 10.0]]], np.float32)
    raster = Raster(values, np.ones((1, 3), np.bool_))
    heights = to_rgb8(raster, Unit.METRE, (0,), ((0.0, 10.0),))[0].astype(int)
    assert len({tuple(colour) for colour in heights}) == 3
    assert any(len(set(colour)) > 1 for colour in heights.tolist()), "in colour"
    assert (np.diff(heights.sum(axis=1)) > 0).all(), "higher is lighter"
    numbers = to_rgb8(raster, Unit.NUMBER, (0,), ((0.0, 10.0),))[0]
    assert numbers.tolist() == [[0] * 3, [128] * 3, [255] * 3]


def test_dark_parts_are_spread_and_bright_ones_saturate() -> None:
    values = np.concatenate([np.arange(40, dtype=np.uint8), np.full(60, 200, np.uint8)])
    valid = np.ones((1, 100), np.bool_)
    low, high = stretch_range(values.reshape(1, 1, 100), valid, Unit.RELATIVE_8BIT, "shadows")
    assert low < 1 and 30 < high < 40

"""Pictures worked out from a layer: expressions, filters and differences, block by block."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.display import coarse
from core.errors import CloudbrushError
from core.grid import Window, whole
from core.raster import describe, write_geotiff
from core.records import Grid, Layer, Modality, Unit
from core.rendering import Rendering, draw, plan
from tests.rasters import grid_of, save


def layer(path: Path, modality: Modality, unit: Unit, *bands: str) -> Layer:
    sources = tuple((path, number) for number in range(1, len(bands) + 1))
    return Layer(1, 1, None, modality, modality.value, sources, bands, unit, None, 0.0)


@pytest.fixture
def grid() -> Grid:
    return grid_of(100, 120)


@pytest.fixture
def optical(tmp_path: Path, grid: Grid) -> Layer:
    values = np.random.default_rng(1).integers(500, 4000, (3, 100, 120)).astype(np.uint16)
    values[:, :4, :4] = 0
    path = save(tmp_path / "s2.tif", values, grid, nodata=0)
    return layer(path, Modality.OPTICAL, Unit.REFLECTANCE, "B03", "B04", "B08")


@pytest.fixture
def sar(tmp_path: Path, grid: Grid) -> Layer:
    power = np.random.default_rng(2).gamma(4, 0.02, (2, 100, 120)).astype(np.float32)
    path = save(tmp_path / "s1.tif", power, grid)
    return layer(path, Modality.SAR, Unit.LINEAR, "VV", "VH")


def test_an_index_is_stretched_over_the_whole_tile(optical: Layer, grid: Grid) -> None:
    made = plan(optical, grid, Rendering("fixed", expression="(nir - red) / (nir + red)"))
    assert (made.stretch.ranges, made.stretch.label) == (((-1.0, 1.0),), "NDVI")
    picture, gaps = draw(made, grid, Window(0, 0, 100, 120), 1)
    assert gaps
    assert picture[0, 0].tolist() == [0, 0, 0, 0]
    red, nir = (
        coarse([optical.sources[i]], grid).values[0].astype(np.float32) * 1e-4 for i in (1, 2)
    )
    with np.errstate(invalid="ignore"):
        expected = ((nir - red) / (nir + red) + 1) * 127.5
    assert np.allclose(picture[5:, :, 0], expected[5:], atol=0.51)


def test_percentiles_hold_for_every_block(optical: Layer, grid: Grid) -> None:
    made = plan(optical, grid, Rendering(expression="nir / red"))
    assert made == plan(optical, grid, Rendering(expression=" nir / red "))
    whole_picture = draw(made, grid, whole(grid), 1)[0]
    part = draw(made, grid, Window(20, 30, 40, 50), 1)[0]
    assert np.array_equal(part[..., 0], whole_picture[20:60, 30:80, 0])


def test_three_expressions_are_a_composite(optical: Layer, grid: Grid) -> None:
    made = plan(optical, grid, Rendering(expression="nir, red, green"))
    assert len(made.stretch.ranges) == 3
    picture = draw(made, grid, Window(10, 10, 20, 20), 1)[0]
    assert picture.shape == (20, 20, 3)
    assert not np.array_equal(picture[..., 0], picture[..., 1])


@pytest.mark.parametrize("kind", ["lee", "refined_lee"])
def test_filtered_blocks_meet_without_a_seam(sar: Layer, grid: Grid, kind: str) -> None:
    for step in (1, 4):
        made = plan(sar, grid, Rendering(filter=kind))  # type: ignore[arg-type]
        whole_picture = draw(made, grid, whole(grid), step)[0]
        part = draw(made, grid, Window(20, 40, 40, 60), step)[0]
        cut = np.s_[20 // step : 60 // step, 40 // step : 100 // step]
        assert np.array_equal(part, whole_picture[cut])
        plain = draw(plan(sar, grid, Rendering(expression="10 * log10(VV)")), grid, whole(grid), 1)
        assert whole_picture.std() < plain[0].std()


def test_a_filter_keeps_the_range_of_the_plain_picture(sar: Layer, grid: Grid) -> None:
    assert plan(sar, grid, Rendering(filter="lee")).stretch.ranges == ((-25.0, 0.0),)


def test_a_difference_is_white_at_zero_and_symmetric(
    sar: Layer, grid: Grid, tmp_path: Path
) -> None:
    path = tmp_path / "post.tif"
    power = np.random.default_rng(2).gamma(4, 0.02, (2, 100, 120)).astype(np.float32)
    power[:, 50:] *= 10
    write_geotiff(path, power, grid)
    after = replace(sar, sources=((path, 1), (path, 2)))
    made = plan(after, grid, Rendering("fixed"), sar)
    assert made.stretch.ranges == ((-6.0, 6.0),)
    assert made.stretch.label == "difference dB"
    picture, gaps = draw(made, grid, whole(grid), 1)
    assert not gaps
    assert picture[:50].min() > 240
    red, green, blue = picture[80, 80].tolist()
    assert red > green > blue  # ten times the power lies beyond the range: orange
    percentile = plan(after, grid, Rendering("percentile"), sar).stretch.ranges[0]
    assert percentile[0] == -percentile[1]
    assert percentile[1] == pytest.approx(10, abs=0.1)


def test_a_difference_of_an_expression(optical: Layer, grid: Grid) -> None:
    made = plan(optical, grid, Rendering(expression="nir / red"), optical)
    picture = draw(made, grid, Window(10, 10, 8, 8), 1)[0]
    assert picture.min() > 240


@pytest.mark.parametrize(
    "rendering",
    [
        Rendering(bands=(3,)),
        Rendering(bands=(-1,)),
        Rendering(bands=()),
        Rendering(bands=(0, 1, 2, 0)),
        Rendering(expression="nirr"),
        Rendering(expression=""),
        Rendering(filter="lee"),
    ],
)
def test_what_does_not_fit_is_refused(optical: Layer, grid: Grid, rendering: Rendering) -> None:
    with pytest.raises(CloudbrushError):
        plan(optical, grid, rendering)


def test_differences_are_of_one_unit_and_one_value(optical: Layer, sar: Layer, grid: Grid) -> None:
    with pytest.raises(CloudbrushError, match="one unit"):
        plan(optical, grid, Rendering(), sar)
    with pytest.raises(CloudbrushError, match="one expression"):
        plan(optical, grid, Rendering(expression="nir, red, green"), optical)


@pytest.mark.parametrize("text", ["B04 * 1e12 * 1e12 * 1e12", "1 / 0", "5", "sqrt(-B04)", "1e12"])
def test_results_beyond_all_numbers_still_make_a_picture(
    optical: Layer, grid: Grid, text: str
) -> None:
    made = plan(optical, grid, Rendering(expression=text))
    picture, _ = draw(made, grid, whole(grid), 2)
    assert picture.shape[:2] == (50, 60)


def test_a_large_file_without_overviews_is_sampled(tmp_path: Path) -> None:
    grid = grid_of(5000, 4200)
    values = np.broadcast_to(np.arange(4200, dtype=np.uint16), (5000, 4200))
    path = save(tmp_path / "wide.tif", np.ascontiguousarray(values), grid)
    sampled = coarse([(path, 1)], grid)
    assert sampled.values.shape == (1, 512, 512)
    assert (sampled.values.min(), sampled.values.max()) == (0, 4199)


def test_real_images_before_the_eye(real_data: Path) -> None:
    folder = real_data / "sen1floods11"
    s1, s2 = next(folder.glob("S1/*.tif")), next(folder.glob("S2/*.tif"))
    grid = describe(s2).grid
    names = describe(s2).descriptions
    scene = layer(s2, Modality.OPTICAL, Unit.REFLECTANCE, *names)
    made = plan(scene, grid, Rendering(expression="(nir - red) / (nir + red)"))
    low, high = made.stretch.ranges[0]
    assert -0.5 < low < high < 1
    radar = layer(s1, Modality.SAR, Unit.DB, "VV", "VH")
    quiet = [
        draw(plan(radar, grid, r), grid, whole(grid), 1)[0][..., 0]
        for r in (Rendering(filter="refined_lee"), Rendering(filter="none", expression="VV"))
    ]
    steps = [np.abs(np.diff(picture.astype(float), axis=1)).mean() for picture in quiet]
    assert steps[0] < 0.75 * steps[1]

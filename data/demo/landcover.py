"""The land-cover demo on disk: regions cut into tiles, with acquisitions under different skies.

    <root>/manifest.json                     what lies where; read by data.readers.cloudbrush_folder
    <root>/optical/<tile>_<date>.tif         RGB uint8
    <root>/cloud/<tile>_<date>.tif           cloud levels
    <root>/sar/<tile>.tif                    relative 8-bit amplitude
    <root>/truth/<tile>.tif                  what was painted, in OpenEarthMap-SAR's codes
    <root>/label/<tile>.tif                  written later by the pseudo-labeller

A region is painted as one scene and then cut, so neighbouring tiles match.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from core.classes import OPEN_EARTH_MAP_SAR
from core.noise import Field
from core.raster import write_geotiff
from core.records import Grid, Split
from data.demo.clouds import Weather, draw_clouds, photograph
from data.demo.regions import REGIONS, Region
from data.demo.sar import speckle, to_amplitude8
from data.demo.scene import echo, paint, radiance

SKIES = (
    Weather(0.06, 0.04, 0.8),
    Weather(0.13, 0.06, 1.0, veil=0.12),
    Weather(0.42, 0.12, 1.0, veil=0.05),
    Weather(1.35, 0.02, 1.1),
)
"""The four cloudy dates of a region, from a few clouds to a closed deck."""

BLUR_PX = 0.6
VALIDATION = (2, 5)
"""Which of a region's tiles, counted row by row, are validation."""


@dataclass(frozen=True)
class Size:
    """How much to build. The demo is the default; tests build less."""

    regions: int = 4
    rows: int = 2
    columns: int = 4
    tile_px: int = 512


@dataclass(frozen=True, eq=False)
class Acquired:
    """One optical date of a region: picture uint8 [H, W, 3] and cloud levels uint8 [H, W]."""

    date: str
    picture: npt.NDArray[np.uint8]
    levels: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class RegionPictures:
    """Everything that is known of a region: truth and SAR uint8 [H, W], dates with clear first."""

    region: Region
    truth: npt.NDArray[np.uint8]
    amplitude: npt.NDArray[np.uint8]
    dates: tuple[Acquired, ...]


def draw_region(
    region: Region, seed: int, shape: tuple[int, int], skies: Sequence[Weather] = SKIES
) -> RegionPictures:
    """Return the pictures of a region; `shape` is its whole extent in pixels."""
    rng = np.random.default_rng([seed, region.seed])
    place = region.place
    canvas = paint(rng, place, shape)
    amplitude = to_amplitude8(speckle(rng, echo(canvas, region.geometry)))
    seen = _blurred(radiance(canvas, place.sun))
    days = _days(rng, len(skies) + 1)
    dates = [Acquired(days[0], photograph(rng, seen, None), np.zeros(shape, np.uint8))]
    for day, weather in zip(days[1:], skies, strict=True):
        clouds = draw_clouds(rng, shape, weather, place.sun, place.pixel_m)
        light = rng.uniform(0.95, 1.05) * rng.uniform(0.98, 1.02, 3)
        tint = (float(light[0]), float(light[1]), float(light[2]))
        dates.append(Acquired(day, photograph(rng, seen, clouds, tint=tint), clouds.levels()))
    return RegionPictures(region, canvas.classes, amplitude, tuple(dates))


def _blurred(radiance: Field) -> Field:
    for band in range(3):
        ndimage.gaussian_filter(
            radiance[..., band], BLUR_PX, output=radiance[..., band], truncate=3
        )
    return radiance


def _days(rng: np.random.Generator, count: int) -> list[str]:
    """Return dates of one summer in random order, so that clear is not always first."""
    steps = np.cumsum(rng.integers(4, 15, count))
    days = [date(2025, 5, 28) + timedelta(int(step)) for step in steps]
    return [days[index].isoformat() for index in rng.permutation(count)]


def build_files(root: Path, seed: int, size: Size | None = None, *, workers: int = 1) -> Path:
    """Write the demo below `root`, without labels, and return its manifest.

    One seed gives the same bytes on one machine. `workers` processes draw regions side by side.
    """
    size = size or Size()
    regions = REGIONS[: size.regions]
    jobs = [(root, region, seed, size) for region in regions]
    if workers > 1:
        # A fresh process each: forking one that has threads and torch loaded is not safe.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            entries = list(pool.map(_write_region, *zip(*jobs, strict=True)))
    else:
        entries = [_write_region(*job) for job in jobs]
    manifest = {
        "format": "cloudbrush folder",
        "version": 1,
        "title": "Land cover demo (synthetic)",
        "kind": "land_cover",
        "classes": OPEN_EARTH_MAP_SAR.name,
        "preset": "dfc25_t1",
        "seed": seed,
        "tiles": [entry for part in entries for entry in part],
    }
    path = root / "manifest.json"
    path.write_text(json.dumps(manifest, indent=1) + "\n")
    return path


def _write_region(root: Path, region: Region, seed: int, size: Size) -> list[dict[str, Any]]:
    """Draw a region, write its tiles and return their manifest entries."""
    pictures = draw_region(region, seed, (size.rows * size.tile_px, size.columns * size.tile_px))
    return [_write_tile(root, pictures, index, size) for index in range(size.rows * size.columns)]


def _write_tile(root: Path, pictures: RegionPictures, index: int, size: Size) -> dict[str, Any]:
    region, step = pictures.region, size.tile_px
    top, left = index // size.columns * step, index % size.columns * step
    window = (slice(top, top + step), slice(left, left + step))
    pixel = region.place.pixel_m
    east, north = region.corner[0] + left * pixel, region.corner[1] - top * pixel
    grid = Grid(step, step, (pixel, 0.0, east, 0.0, -pixel, north), region.crs)
    name = f"{region.name}_{index + 1:02d}"
    optical = []
    for seen in pictures.dates:
        files = {kind: f"{kind}/{name}_{seen.date}.tif" for kind in ("optical", "cloud")}
        rgb = np.ascontiguousarray(seen.picture[window].transpose(2, 0, 1))
        write_geotiff(root / files["optical"], rgb, grid, descriptions=("red", "green", "blue"))
        write_geotiff(root / files["cloud"], seen.levels[window], grid, nodata=255)
        optical.append({"date": seen.date, **files})
    optical.sort(key=lambda entry: entry["date"])
    write_geotiff(root / "sar" / f"{name}.tif", pictures.amplitude[window], grid)
    write_classes(root / "truth" / f"{name}.tif", pictures.truth[window], grid)
    return {
        "name": name,
        "region": region.name,
        "split": (Split.VAL if index in VALIDATION else Split.TRAIN).value,
        "acquisitions": optical,
        "sar": f"sar/{name}.tif",
        "label": f"label/{name}.tif",
        "truth": f"truth/{name}.tif",
    }


def write_classes(path: Path, codes: npt.NDArray[np.uint8], grid: Grid) -> None:
    """Write a class raster with its colour table, as labels and truth are stored."""
    table = OPEN_EARTH_MAP_SAR
    colours = {code: tuple(int(v) for v in table.rgb_lut[code]) for code in table.codes}
    write_geotiff(
        path,
        np.ascontiguousarray(codes),
        grid,
        nodata=table.void_code,
        colours={code: (rgb[0], rgb[1], rgb[2]) for code, rgb in colours.items()},
    )

"""Small seeded rasters and datasets, written where a test wants them."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.classes import OPEN_EARTH_MAP_SAR
from core.found import FoundDataset, FoundLayer, FoundTile
from core.raster import write_geotiff
from core.records import Grid, Modality, Split, Unit

UTM = "EPSG:32654"
Array = npt.NDArray[Any]


def grid_of(
    height: int = 48,
    width: int = 40,
    *,
    pixel: float = 1.0,
    east: float = 500_000.0,
    north: float = 4_000_000.0,
    crs: str | None = UTM,
) -> Grid:
    """Return a north-up grid."""
    return Grid(height, width, (pixel, 0.0, east, 0.0, -pixel, north), crs)


def unplaced(height: int = 48, width: int = 40) -> Grid:
    """Return a grid without a position."""
    return Grid(height, width, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), None)


def noise(seed: int, *shape: int, low: int = 1, high: int = 255) -> npt.NDArray[np.uint8]:
    """Return seeded uint8 values from low to high."""
    return np.random.default_rng(seed).integers(low, high + 1, shape).astype(np.uint8)


def save(path: Path, values: Array, grid: Grid | None = None, **options: Any) -> Path:
    """Write a GeoTIFF, unplaced unless a grid is given; return its path."""
    write_geotiff(path, values, grid or unplaced(*values.shape[-2:]), **options)
    return path


def image(modality: Modality, path: Path, bands: int = 1, **options: Any) -> FoundLayer:
    """Return a found layer of the first bands of a file."""
    sources = tuple((path, band) for band in range(1, bands + 1))
    unit = Unit.CODE if modality in (Modality.LABEL, Modality.TRUTH, Modality.CLOUD) else None
    options = {"unit": unit or Unit.RELATIVE_8BIT} | options
    names = ("class",) if unit is Unit.CODE else tuple(f"b{band}" for _, band in sources)
    return FoundLayer(modality, sources, names, **options)


def dataset(root: Path, *tiles: FoundTile, **options: Any) -> FoundDataset:
    """Return a found land-cover dataset."""
    given: dict[str, Any] = {
        "reader": "patterns",
        "title": "Test set",
        "why": "made by a test",
        "root": root,
        "kind": "land_cover",
        "classes": OPEN_EARTH_MAP_SAR,
        "preset": "plain",
        "tiles": tiles,
    }
    return FoundDataset(**(given | options))


def make_tile(
    folder: Path,
    name: str = "a",
    *,
    grid: Grid | None = None,
    seed: int = 1,
    split: Split = Split.TRAIN,
    label: Array | None = None,
) -> FoundTile:
    """Write optical, SAR and label of one tile and return what a reader would find."""
    grid = grid or grid_of()
    shape = (grid.height, grid.width)
    labels = noise(seed, *shape, low=0, high=8) if label is None else label
    return FoundTile(
        name,
        "here",
        split,
        (
            image(
                Modality.OPTICAL, save(folder / f"{name}_rgb.tif", noise(seed, 3, *shape), grid), 3
            ),
            image(Modality.SAR, save(folder / f"{name}_sar.tif", noise(seed + 1, *shape), grid)),
            image(Modality.LABEL, save(folder / f"{name}_label.tif", labels, grid)),
        ),
    )


def make_oem(root: Path, stems: tuple[str, ...] = ("TrainArea_001", "TrainArea_0002")) -> Path:
    """Write train and val folders in the layout of OpenEarthMap-SAR, without positions."""
    for number, stem in enumerate(stems):
        save(root / "train/rgb_images" / f"{stem}.tif", noise(number, 3, 32, 24))
        save(root / "train/sar_images" / f"{stem}.tif", noise(number + 9, 32, 24))
        save(root / "train/labels" / f"{stem}.tif", noise(number, 32, 24, low=0, high=8))
    save(root / "val/sar_images/ValArea_001.tif", noise(7, 32, 24))
    return root


def make_bright(root: Path, ids: tuple[str, ...]) -> Path:
    """Write pre-event, post-event and target folders in BRIGHT's layout, placed in UTM."""
    for number, name in enumerate(ids):
        grid = grid_of(32, 32, pixel=0.5, north=4_000_000.0 + 16 * number)
        save(root / "pre-event" / f"{name}_pre_disaster.tif", noise(number, 3, 32, 32), grid)
        save(root / "post-event" / f"{name}_post_disaster.tif", noise(number + 5, 32, 32), grid)
        target = noise(number, 32, 32, low=0, high=3)
        save(root / "target" / f"{name}_building_damage.tif", target, grid)
    return root
